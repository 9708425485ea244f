//! What a model found, as the marks that the Live page draws: left solid, right dashed, both with their letter, a doubtful
//! point hollow. Colour never carries a meaning alone.

use plumbline_core::decoders::{Keypoint, KeypointPose};
use plumbline_core::geometry::Point2;
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::skeleton::Side;
use plumbline_web::live::skeleton_drawing::Mark;

use crate::tried::SURE;

/// Below this score a point is not drawn at all.
const SEEN: f32 = 0.2;

/// Points that get a letter.
const LETTERED: [(&str, &str); 4] = [
    ("left_wrist", "L"),
    ("right_wrist", "R"),
    ("left_ankle", "L"),
    ("right_ankle", "R"),
];

/// Distance of a letter from its point, and of a number from the uppermost point.
const LETTER_OFFSET: f32 = 18.0;

/// What people are called where there are several, in the order of the table beside the drawing.
const NUMBERS: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

/// The marks of some poses; `scale` leads from pixels of the picture to units of the drawing.
pub fn marks(poses: &[KeypointPose], set: Option<KeypointSet>, scale: f32) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (number, pose) in poses.iter().enumerate() {
        let set = set.unwrap_or_else(|| KeypointSet::of_count(pose.keypoints.len()));
        add(&mut marks, pose, set, scale);
        let seen = pose.keypoints.iter().filter(|point| point.score >= SEEN);
        let top = seen.min_by(|a, b| a.y_px.total_cmp(&b.y_px));
        if let (true, Some(top), Some(text)) = (poses.len() > 1, top, NUMBERS.get(number)) {
            let at = place(top, scale);
            marks.push(Mark::Label {
                at: Point2::new(at.x, at.y - LETTER_OFFSET),
                text,
                side: Side::Middle,
            });
        }
    }
    marks
}

fn place(point: &Keypoint, scale: f32) -> Point2 {
    Point2::new(point.x_px * scale, point.y_px * scale)
}

fn add(marks: &mut Vec<Mark>, pose: &KeypointPose, set: KeypointSet, scale: f32) {
    let points = &pose.keypoints;
    for &(a, b) in set.bones() {
        let (Some(from), Some(to)) = (points.get(a), points.get(b)) else {
            continue;
        };
        let score = from.score.min(to.score);
        if score < SEEN {
            continue;
        }
        let side = match (set.side(a), set.side(b)) {
            (a, b) if a == b => a,
            (Side::Middle, other) | (other, Side::Middle) => other,
            _ => Side::Middle,
        };
        marks.push(Mark::Bone {
            from: place(from, scale),
            to: place(to, scale),
            side,
            doubtful: score < SURE,
        });
    }
    let seen = points.iter().enumerate().filter(|(_, point)| point.score >= SEEN);
    for (index, point) in seen.clone() {
        marks.push(Mark::Joint {
            at: place(point, scale),
            side: set.side(index),
            doubtful: point.score < SURE,
        });
    }
    let middle = points.iter().map(|point| point.x_px).sum::<f32>() / points.len().max(1) as f32;
    for (index, point) in seen {
        let name = set.names().get(index);
        if let Some((_, text)) = LETTERED.iter().find(|(lettered, _)| name == Some(lettered)) {
            let at = place(point, scale);
            let outward = if point.x_px < middle {
                -LETTER_OFFSET
            } else {
                LETTER_OFFSET
            };
            marks.push(Mark::Label {
                at: Point2::new(at.x + outward, at.y),
                text,
                side: set.side(index),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 17 points in a row, left ones to the right as of somebody who faces the camera.
    fn pose(score: impl Fn(usize) -> f32) -> KeypointPose {
        let keypoint = |index: usize| Keypoint {
            x_px: if KeypointSet::Coco17.side(index) == Side::Left {
                20.0
            } else {
                10.0
            },
            y_px: 10.0 * index as f32,
            z_px: None,
            score: score(index),
        };
        KeypointPose {
            keypoints: (0..17).map(keypoint).collect(),
            bounds: None,
            score: 1.0,
        }
    }

    #[test]
    fn sides_have_letters_and_doubt_is_hollow() {
        let marks = marks(&[pose(|index| if index == 9 { 0.3 } else { 0.9 })], None, 2.0);
        let letters: Vec<(&str, Side, f32)> = marks
            .iter()
            .filter_map(|mark| match *mark {
                Mark::Label { at, text, side } => Some((text, side, at.x)),
                _ => None,
            })
            .collect();
        assert_eq!(
            letters,
            [
                ("L", Side::Left, 58.0),
                ("R", Side::Right, 2.0),
                ("L", Side::Left, 58.0),
                ("R", Side::Right, 2.0)
            ]
        );
        let doubtful = |mark: &&Mark| match mark {
            Mark::Bone { doubtful, .. } | Mark::Joint { doubtful, .. } => *doubtful,
            Mark::Label { .. } | Mark::Tag { .. } => false,
        };
        // The left wrist, and the bone to it.
        assert_eq!(marks.iter().filter(doubtful).count(), 2);
    }

    #[test]
    fn what_is_not_seen_is_not_drawn_and_several_people_are_numbered() {
        assert!(marks(&[pose(|_| 0.1)], None, 1.0).is_empty());
        let two = marks(&[pose(|_| 0.9), pose(|_| 0.9)], None, 1.0);
        let numbers = two.iter().filter_map(|mark| match mark {
            Mark::Label { text, side, .. } if *side == Side::Middle => Some(*text),
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2"]);
    }
}
