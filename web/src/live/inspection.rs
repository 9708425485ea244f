//! A result as one line of JSON, for tests and for people who look closely (`?inspect`). Never made otherwise.

use std::fmt::Write;

use crate::worker::protocol::Measurement;

/// The JSON of a result, in the form that `pages/live.rs` states.
pub fn json(measurement: &Measurement) -> String {
    let mut out = format!(
        "{{\"frame\":{},\"time_secs\":{:.6},\"width_px\":{},\"height_px\":{}",
        measurement.frame.index, measurement.frame.time_secs, measurement.width_px, measurement.height_px
    );
    // Writing into a string cannot fail.
    let _ = match &measurement.pose {
        None => write!(out, ",\"score\":null,\"landmarks\":null}}"),
        Some(pose) => {
            let points: Vec<String> = pose
                .landmarks
                .iter()
                .map(|mark| format!("[{:.2},{:.2},{:.4}]", mark.x_px, mark.y_px, mark.visibility))
                .collect();
            write!(
                out,
                ",\"score\":{:.4},\"landmarks\":[{}]}}",
                pose.score,
                points.join(",")
            )
        }
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::backend::Backend;
    use crate::worker::protocol::FrameStamp;
    use plumbline_pipeline::Timings;

    #[test]
    fn a_frame_without_a_person_says_so() {
        let measurement = Measurement {
            frame: FrameStamp {
                index: 3,
                time_secs: 0.25,
                is_first: false,
            },
            width_px: 360,
            height_px: 480,
            pose: None,
            backend: Backend::Cpu,
            workers: 1,
            timings: Timings::default(),
            pixels_millis: 1.0,
            cut: None,
            total_millis: 2.0,
        };
        assert_eq!(
            json(&measurement),
            "{\"frame\":3,\"time_secs\":0.250000,\"width_px\":360,\"height_px\":480,\"score\":null,\"landmarks\":null}"
        );
    }
}
