//! What the page says when the browser says no, one sentence for what happened and one for what to do; and what it says
//! of the two backends.

use crate::live::autotune::Standing;
use crate::live::backend::Backend;
use crate::live::format;
use crate::live::frame_times::{self, FrameTimes};

/// What getting a camera failed with: the name of the `DOMException` (Media Capture and Streams, 10.3).
pub fn camera_refused(exception_name: &str) -> String {
    match exception_name {
        "NotAllowedError" | "SecurityError" => {
            "The camera is blocked for this page. Allow it in the browser's address bar and start again, or open a file."
        }
        "NotFoundError" | "OverconstrainedError" => {
            "No camera was found. Connect one and start again, or open a video or a photo."
        }
        "NotReadableError" | "AbortError" => {
            "The camera does not answer; another program may be using it. Close that program and start again."
        }
        _ => return format!("The camera could not be started ({exception_name}). Try again, or open a file."),
    }
    .to_owned()
}

/// `navigator.mediaDevices` is absent.
pub fn no_camera_api(is_secure_context: bool) -> String {
    if is_secure_context {
        "This browser gives pages no camera. Open a video or a photo instead."
    } else {
        "Browsers give a camera only to pages on HTTPS or on this computer. Open this page there, or open a file."
    }
    .to_owned()
}

/// The camera's track ended by itself.
pub fn camera_lost() -> String {
    "The camera was disconnected or taken away. Connect it and start again.".to_owned()
}

/// Why a clip does not play: the code of its `MediaError` (HTML, 4.8.11.1).
pub fn clip_refused(name: &str, media_error_code: u16) -> String {
    match media_error_code {
        2 => format!("“{name}” could not be read to its end. Copy it to this device and choose it again."),
        3 => format!("“{name}” is damaged: the browser stopped while decoding it. Try another copy."),
        _ => format!(
            "This browser cannot play “{name}”: it is not a video, or one in an unknown format. Try MP4 (H.264) or WebM."
        ),
    }
}

/// A clip without a picture track.
pub fn clip_without_picture(name: &str) -> String {
    format!("“{name}” has sound but no picture. Choose a video with a picture, or a photo.")
}

/// An image that does not decode.
pub fn picture_refused(name: &str) -> String {
    format!("“{name}” cannot be read as a picture. Try JPEG or PNG.")
}

/// What this browser lacks, as one sentence; nothing where all is there.
pub fn missing(support: &Support) -> Option<String> {
    let mut lacks = Vec::new();
    if !support.camera {
        lacks.push(if support.secure_context {
            "a camera interface (files and the drawn person work)"
        } else {
            "a secure address, HTTPS or this computer, so no camera and no stored weights (files and the drawn person work)"
        });
    }
    if !support.module_workers {
        lacks.push("module workers (the models run in the page itself, which may stutter)");
    }
    if !support.frame_transfer {
        lacks.push(
            "both VideoFrame and OffscreenCanvas (frames cannot reach the models: nothing can be measured)",
        );
    }
    if !support.cache_storage && support.secure_context {
        lacks.push("cache storage (the weights are downloaded at each visit)");
    }
    match lacks.as_slice() {
        [] => None,
        [only] => Some(format!("This browser lacks {only}.")),
        [first @ .., last] => Some(format!("This browser lacks {}, and {last}.", first.join(", "))),
    }
}

/// What timing both backends has come to.
pub fn tuning(standing: &Standing) -> String {
    match standing {
        Standing::Preparing => "The CPU answers while the GPU gets ready; then both are timed.".to_owned(),
        Standing::Timing { done, of } => {
            let both = "The CPU answers while both are timed, as long as somebody is in the picture";
            match of {
                1 => format!("{both}."),
                _ => format!("{both}: way {} of {of} to run on the GPU.", done + 1),
            }
        }
        Standing::Timed {
            times,
            is_remembered,
            is_running,
        } => {
            let both = format!(
                "CPU {} ms, GPU {} ms a frame",
                format::measure(Some(times.cpu_millis)),
                format::measure(Some(times.gpu_millis()))
            );
            let better = times.better().label();
            let verdict = match (is_running, times.is_close()) {
                (false, _) => format!("{better} runs once it is ready"),
                (true, false) => format!("{better} runs"),
                (true, true) => format!("{better} runs, as the GPU gains less than a tenth"),
            };
            let when = if *is_remembered {
                " (timed on an earlier visit)"
            } else {
                ""
            };
            format!("{both}: {verdict}{when}{}", ways(times))
        }
        Standing::Software => "GPU not timed: its adapter is software, which computes on the CPU.".to_owned(),
        Standing::Failed(what) => format!(
            "GPU not timed, because it failed: {}. The CPU goes on.",
            what.trim_end_matches('.')
        ),
        Standing::Lost => {
            "CPU runs: the GPU was taken away twice during this visit, so it is left alone.".to_owned()
        }
        Standing::Undecided => {
            "GPU not timed: it lost the person too often. It is tried again at the next visit.".to_owned()
        }
    }
}

/// All ways to run on the GPU that were timed, where there is more than one; nothing else.
fn ways(times: &FrameTimes) -> String {
    if times.gpu.len() < 2 {
        return String::new();
    }
    let each: Vec<String> = times
        .gpu
        .iter()
        .map(|time| {
            let millis = format::measure(Some(time.millis));
            format!("{millis} ms with {}", frame_times::words(time.variant))
        })
        .collect();
    format!(". Ways to run on the GPU: {}", each.join("; "))
}

/// Why a backend runs that was chosen by timing both, or not chosen. Stands after “GPU: ”, without a full stop.
pub fn backend_reason(backend: Backend, adapter: &str, standing: &Standing) -> String {
    match (backend, standing) {
        (Backend::Gpu, _) => format!("WebGPU on {adapter}"),
        (Backend::Cpu, Standing::Software) => format!("the only WebGPU adapter here is software ({adapter})"),
        (Backend::Cpu, Standing::Failed(_)) => format!("WebGPU on {adapter} failed"),
        (Backend::Cpu, Standing::Lost) => format!("WebGPU on {adapter} was taken away"),
        (Backend::Cpu, Standing::Undecided) => format!("WebGPU on {adapter} could not be timed"),
        (
            Backend::Cpu,
            Standing::Timed {
                is_running: true,
                times,
                ..
            },
        ) if times.is_close() => {
            format!("WebGPU on {adapter} is hardly faster")
        }
        (Backend::Cpu, Standing::Timed { is_running: true, .. }) => {
            format!("WebGPU on {adapter} is not faster")
        }
        (Backend::Cpu, Standing::Preparing | Standing::Timing { .. } | Standing::Timed { .. }) => {
            format!("it answers first; there is WebGPU on {adapter}")
        }
    }
}

/// What this page means by the stages of a frame.
pub fn stages_note(backend: Option<Backend>) -> &'static str {
    match backend {
        Some(Backend::Gpu) => {
            "Medians of the last second. On the GPU, cropping and decoding are part of the models' runs; frames overlap, \
             so that more of them are measured than these times suggest."
        }
        Some(Backend::Cpu) | None => {
            "Medians of the last second. The detector rests while somebody is being followed."
        }
    }
}

/// What the page found in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// HTTPS, or an address of this computer.
    pub secure_context: bool,
    /// `navigator.mediaDevices.getUserMedia`.
    pub camera: bool,
    /// `new Worker(…, { type: "module" })`.
    pub module_workers: bool,
    /// `VideoFrame`, or `OffscreenCanvas` with a 2D context.
    pub frame_transfer: bool,
    /// `caches`.
    pub cache_storage: bool,
}

#[cfg(test)]
mod tests {
    use plumbline_pipeline::Variant;

    use super::*;
    use crate::live::frame_times::VariantTime;

    const ALL: Support = Support {
        secure_context: true,
        camera: true,
        module_workers: true,
        frame_transfer: true,
        cache_storage: true,
    };

    #[test]
    fn each_refusal_says_what_to_do() {
        for (name, fragment) in [
            ("NotAllowedError", "Allow it"),
            ("NotFoundError", "Connect one"),
            ("NotReadableError", "Close that program"),
            ("TypeError", "TypeError"),
        ] {
            assert!(camera_refused(name).contains(fragment), "{name}");
        }
        assert!(no_camera_api(false).contains("HTTPS"));
        assert!(clip_refused("a.mkv", 4).contains("MP4"));
        assert!(clip_refused("a.mp4", 3).contains("damaged"));
    }

    fn timed(cpu_millis: f64, gpu_millis: f64, is_remembered: bool, is_running: bool) -> Standing {
        Standing::Timed {
            times: FrameTimes {
                cpu_millis,
                gpu: vec![VariantTime {
                    variant: Variant::HARDWARE,
                    millis: gpu_millis,
                }],
            },
            is_remembered,
            is_running,
        }
    }

    #[test]
    fn both_numbers_are_said_with_their_unit() {
        for (standing, sentence) in [
            (
                timed(11.0, 4.0, false, true),
                "CPU 11 ms, GPU 4.0 ms a frame: GPU runs",
            ),
            (
                timed(11.0, 40.0, false, true),
                "CPU 11 ms, GPU 40 ms a frame: CPU runs",
            ),
            (
                timed(11.0, 10.4, false, true),
                "CPU 11 ms, GPU 10 ms a frame: CPU runs, as the GPU gains less than a tenth",
            ),
            (
                timed(11.0, 4.0, true, false),
                "CPU 11 ms, GPU 4.0 ms a frame: GPU runs once it is ready (timed on an earlier visit)",
            ),
            (
                Standing::Failed("out of memory.".to_owned()),
                "GPU not timed, because it failed: out of memory. The CPU goes on.",
            ),
        ] {
            assert_eq!(tuning(&standing), sentence);
        }
    }

    #[test]
    fn every_way_that_was_timed_is_said() {
        let gpu = [("L4-32", 5.1), ("L4-16", 4.0), ("L2-32", 7.2)].map(|(id, millis)| VariantTime {
            variant: Variant::from_id(id).expect("a variant"),
            millis,
        });
        let standing = Standing::Timed {
            times: FrameTimes {
                cpu_millis: 11.0,
                gpu: gpu.to_vec(),
            },
            is_remembered: false,
            is_running: true,
        };
        assert_eq!(
            tuning(&standing),
            "CPU 11 ms, GPU 4.0 ms a frame: GPU runs. Ways to run on the GPU: 5.1 ms with fewest steps, 32 bits; 4.0 ms \
             with fewest steps, 16 bits; 7.2 ms with more steps, 32 bits"
        );
        for (done, of, sentence_end) in [
            (0, 1, "in the picture."),
            (1, 3, ": way 2 of 3 to run on the GPU."),
        ] {
            let sentence = tuning(&Standing::Timing { done, of });
            assert!(sentence.ends_with(sentence_end), "{sentence}");
        }
    }

    #[test]
    fn the_reason_fits_how_things_stand() {
        for (backend, standing, reason) in [
            (Backend::Gpu, timed(11.0, 4.0, false, true), "WebGPU on x"),
            (
                Backend::Cpu,
                timed(11.0, 40.0, false, true),
                "WebGPU on x is not faster",
            ),
            (
                Backend::Cpu,
                timed(11.0, 10.5, false, true),
                "WebGPU on x is hardly faster",
            ),
            (
                Backend::Cpu,
                timed(11.0, 4.0, true, false),
                "it answers first; there is WebGPU on x",
            ),
            (
                Backend::Cpu,
                Standing::Software,
                "the only WebGPU adapter here is software (x)",
            ),
        ] {
            assert_eq!(backend_reason(backend, "x", &standing), reason);
        }
    }

    #[test]
    fn what_is_missing_is_one_sentence() {
        assert_eq!(missing(&ALL), None);
        let old = Support {
            module_workers: false,
            cache_storage: false,
            ..ALL
        };
        let sentence = missing(&old).expect("two things are missing");
        assert_eq!(sentence.matches('.').count(), 1, "{sentence}");
        assert!(
            sentence.contains("stutter") && sentence.contains("and cache storage"),
            "{sentence}"
        );
        let insecure = Support {
            secure_context: false,
            camera: false,
            cache_storage: false,
            ..ALL
        };
        assert!(missing(&insecure).expect("no camera").contains("HTTPS"));
    }
}
