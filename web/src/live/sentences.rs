//! What the page says when the browser says no. One sentence for what happened, one for what to do.

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
    use super::*;

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
