//! Where the time of a frame went, as one line.

use crate::live::format::measure;
use crate::worker::protocol::Measurement;

/// `picture 1.2, detector –, landmarks 14, decoding 0.1 ms`; a dash for a stage that did not run.
///
/// On the CPU `picture` is reading the frame's pixels and cutting out the models' inputs. On the GPU it is handing the
/// frame over; the models' times then run from submission to answer, cutting out included, and frames overlap.
pub fn sentence(measurement: &Measurement) -> String {
    let timings = &measurement.timings;
    format!(
        "picture {}, detector {}, landmarks {}, decoding {} ms",
        measure(Some(measurement.pixels_millis + timings.crop_millis)),
        measure(timings.detector_millis),
        measure(timings.landmarks_millis),
        measure(Some(timings.decode_millis)),
    )
}

#[cfg(test)]
mod tests {
    use plumbline_pipeline::Timings;

    use super::*;
    use crate::worker::protocol::FrameStamp;

    #[test]
    fn stages_that_did_not_run_are_dashes() {
        let measurement = Measurement {
            frame: FrameStamp {
                index: 0,
                time_secs: 0.0,
                is_first: true,
            },
            width_px: 640,
            height_px: 480,
            pose: None,
            pixels_millis: 1.0,
            timings: Timings {
                crop_millis: 0.5,
                detector_millis: Some(21.4),
                landmarks_millis: None,
                decode_millis: 0.04,
                total_millis: 23.0,
            },
            total_millis: 24.0,
        };
        assert_eq!(
            sentence(&measurement),
            "picture 1.5, detector 21, landmarks –, decoding 0.0 ms"
        );
    }
}
