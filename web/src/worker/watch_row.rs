//! A measurement as one row of numbers, in which it is handed to the worker that watches: of all forms that a message can
//! have, the one that costs the engine's thread least (docs/performance.md).
//!
//! In: a result, and what its picture looks like. Out: 28 numbers, then for each person as many as [`super::wire`] has. What
//! is not there is not a number. No browser is named here.

use plumbline_core::monitor::probe::{ImageProbe, PROBE_NUMBERS};
use plumbline_core::people::Person;
use plumbline_pipeline::Timings;

use super::protocol::{CutReport, FrameStamp, Measurement};
use super::wire::{IMAGE_LEN, WORLD_LEN, decode_person, image_numbers, world_numbers};
use crate::live::backend::Backend;

/// Numbers before the first person.
const HEAD_LEN: usize = 18 + PROBE_NUMBERS;

/// The numbers of a result, and what watching the frame before has cost the engine's thread.
#[must_use]
pub fn encode(measurement: &Measurement, probe: Option<&ImageProbe>, cost_millis: f64) -> Vec<f64> {
    let Measurement {
        frame, timings, cut, ..
    } = measurement;
    let mut row = Vec::with_capacity(HEAD_LEN + measurement.people.len() * (IMAGE_LEN + WORLD_LEN));
    row.extend([
        f64::from(frame.index),
        frame.time_secs,
        f64::from(u8::from(frame.is_first)),
        f64::from(measurement.width_px),
        f64::from(measurement.height_px),
        f64::from(u8::from(measurement.backend == Backend::Gpu)),
        f64::from(measurement.workers),
        measurement.pixels_millis,
        timings.crop_millis,
        timings.detector_millis.unwrap_or(f64::NAN),
        timings.landmarks_millis.unwrap_or(f64::NAN),
        timings.decode_millis,
        timings.total_millis,
        measurement.total_millis,
        cut.map_or(f64::NAN, |cut| cut.millis),
        cut.and_then(|cut| cut.mask_millis).unwrap_or(f64::NAN),
        cut.and_then(|cut| cut.doubt).map_or(f64::NAN, f64::from),
        cost_millis,
    ]);
    let probe = probe.map_or([f32::NAN; PROBE_NUMBERS], ImageProbe::to_numbers);
    row.extend(probe.map(f64::from));
    for person in &measurement.people {
        row.extend(image_numbers(person).chain(world_numbers(person)).map(f64::from));
    }
    row
}

/// What a row says: the result, what its picture looks like, and what watching the frame before has cost.
///
/// # Errors
/// The name of what is missing or cannot be.
pub fn decode(row: &[f64]) -> Result<(Measurement, Option<ImageProbe>, f64), String> {
    let (head, people) = row.split_first_chunk::<HEAD_LEN>().ok_or("head")?;
    if people.len() % (IMAGE_LEN + WORLD_LEN) != 0 {
        return Err("people".to_owned());
    }
    let if_there = |value: f64| Some(value).filter(|value| !value.is_nan());
    let people = people
        .chunks_exact(IMAGE_LEN + WORLD_LEN)
        .map(|numbers| -> Person {
            let numbers: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
            decode_person(&numbers[..IMAGE_LEN], &numbers[IMAGE_LEN..])
        });
    let measurement = Measurement {
        frame: FrameStamp {
            index: head[0] as u32,
            time_secs: head[1],
            is_first: head[2] != 0.0,
        },
        width_px: head[3] as u32,
        height_px: head[4] as u32,
        people: people.collect(),
        backend: if head[5] == 0.0 {
            Backend::Cpu
        } else {
            Backend::Gpu
        },
        workers: head[6] as u32,
        pixels_millis: head[7],
        timings: Timings {
            crop_millis: head[8],
            detector_millis: if_there(head[9]),
            landmarks_millis: if_there(head[10]),
            decode_millis: head[11],
            total_millis: head[12],
        },
        cut: if_there(head[14]).map(|millis| CutReport {
            millis,
            mask_millis: if_there(head[15]),
            doubt: if_there(head[16]).map(|doubt| doubt as f32),
        }),
        total_millis: head[13],
    };
    let probe = std::array::from_fn(|index| head[18 + index] as f32);
    Ok((measurement, ImageProbe::from_numbers(probe), head[17]))
}

#[cfg(test)]
mod tests {
    use plumbline_core::geometry::Point2;
    use plumbline_core::people::PersonId;
    use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
    use plumbline_core::roi::RotatedRect;

    use super::*;

    fn person(id: u32) -> Person {
        let at = |index: usize| index as f32 + id as f32 / 8.0;
        Person {
            id: PersonId(id),
            pose: Pose {
                landmarks: std::array::from_fn(|index| Landmark {
                    x_px: at(index),
                    y_px: -at(index),
                    z_px: 0.1,
                    visibility: 0.25,
                    presence: 0.75,
                }),
                world: std::array::from_fn(|index| WorldLandmark {
                    x_m: at(index) / 100.0,
                    ..WorldLandmark::default()
                }),
                region: RotatedRect {
                    center: Point2::new(1.0, 2.0),
                    width_px: 3.0,
                    height_px: 4.0,
                    rotation: 0.5,
                },
                score: 0.875,
            },
        }
    }

    fn measurement(people: Vec<Person>, cut: Option<CutReport>) -> Measurement {
        Measurement {
            frame: FrameStamp {
                index: 7,
                time_secs: 1_234.567_8,
                is_first: true,
            },
            width_px: 640,
            height_px: 480,
            people,
            backend: Backend::Gpu,
            workers: 2,
            pixels_millis: 0.5,
            timings: Timings {
                crop_millis: 1.0,
                detector_millis: None,
                landmarks_millis: Some(9.5),
                decode_millis: 0.25,
                total_millis: 11.0,
            },
            cut,
            total_millis: 12.5,
        }
    }

    #[test]
    fn rows_say_what_was_measured() {
        let probe = ImageProbe::of(
            &[9; 27],
            plumbline_core::geometry::ImageSize {
                width_px: 3,
                height_px: 3,
            },
            3,
        );
        let cut = CutReport {
            millis: 2.0,
            mask_millis: None,
            doubt: Some(0.125),
        };
        for (people, cut, probe) in [
            (vec![], None, None),
            (vec![person(1)], Some(cut), probe),
            (vec![person(2), person(5)], None, probe),
        ] {
            let said = measurement(people, cut);
            let row = encode(&said, probe.as_ref(), 0.75);
            assert_eq!(decode(&row), Ok((said, probe, 0.75)));
        }
    }

    #[test]
    fn other_rows_are_refused() {
        let row = encode(&measurement(vec![person(1)], None), None, 0.0);
        for len in [0, 5, HEAD_LEN - 1, HEAD_LEN + 1, row.len() - 1] {
            assert!(decode(&row[..len]).is_err(), "{len} numbers");
        }
        assert!(decode(&row[..HEAD_LEN]).is_ok_and(|(said, ..)| said.people.is_empty()));
        assert!(
            decode(&vec![f64::NAN; row.len()]).is_ok(),
            "numbers of a broken model arrive"
        );
    }
}
