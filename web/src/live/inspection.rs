//! A result as one line of JSON, for tests and for people who look closely (`?inspect`). Never made otherwise.

use std::fmt::Write;

use plumbline_core::people::{Person, PersonId};
use plumbline_core::pose::Pose;

use crate::worker::protocol::Measurement;

/// The JSON of a result, in the form that `pages/live.rs` states: of who is measured, and where up to `limit` people are
/// followed, of everybody.
pub fn json(measurement: &Measurement, measured: Option<PersonId>, limit: u32) -> String {
    let mut out = format!(
        "{{\"frame\":{},\"time_secs\":{:.6},\"width_px\":{},\"height_px\":{}",
        measurement.frame.index, measurement.frame.time_secs, measurement.width_px, measurement.height_px
    );
    push_pose(&mut out, measurement.pose_of(measured));
    if limit > 1 {
        let number = measured.map_or_else(|| "null".to_owned(), |id| id.0.to_string());
        // Writing into a string cannot fail.
        let _ = write!(out, ",\"measured\":{number},\"people\":[");
        for (position, Person { id, pose }) in measurement.people.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            let _ = write!(out, "{comma}{{\"id\":{}", id.0);
            push_pose(&mut out, Some(pose));
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
    out
}

/// `,"score":..,"landmarks":[..]`
fn push_pose(out: &mut String, pose: Option<&Pose>) {
    let Some(pose) = pose else {
        out.push_str(",\"score\":null,\"landmarks\":null");
        return;
    };
    let _ = write!(out, ",\"score\":{:.4},\"landmarks\":[", pose.score);
    for (position, mark) in pose.landmarks.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let _ = write!(
            out,
            "{comma}[{:.2},{:.2},{:.4}]",
            mark.x_px, mark.y_px, mark.visibility
        );
    }
    out.push(']');
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
            people: Vec::new(),
            backend: Backend::Cpu,
            workers: 1,
            timings: Timings::default(),
            pixels_millis: 1.0,
            cut: None,
            total_millis: 2.0,
        };
        assert_eq!(
            json(&measurement, None, 1),
            "{\"frame\":3,\"time_secs\":0.250000,\"width_px\":360,\"height_px\":480,\"score\":null,\"landmarks\":null}"
        );
        assert_eq!(
            json(&measurement, Some(PersonId(2)), 3),
            "{\"frame\":3,\"time_secs\":0.250000,\"width_px\":360,\"height_px\":480,\"score\":null,\"landmarks\":null,\"measured\":2,\"people\":[]}"
        );
    }
}
