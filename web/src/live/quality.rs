//! How well the person is seen, as a share and as a word.
//!
//! The share is the mean visibility of the twelve large joints (shoulders, elbows, wrists, hips, knees, ankles). The
//! face and the fingers do not count: BlazePose guesses them well even when the body is out of the picture. The
//! limits of the words are a choice of this page, not of a standard.

use plumbline_core::pose::Pose;

/// Shoulders, elbows, wrists, hips, knees, ankles.
const LARGE_JOINTS: [usize; 12] = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];

/// From here on a joint is drawn as certain.
pub const CERTAIN: f32 = 0.5;

/// What the page says about the last frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quality {
    /// No person in the frame.
    Nobody,
    /// A person; the share of certainty is in 0..=1.
    Person(f32),
}

impl Quality {
    /// The quality of one result.
    pub fn of(pose: Option<&Pose>) -> Self {
        match pose {
            None => Self::Nobody,
            Some(pose) => {
                let sum: f32 = LARGE_JOINTS
                    .iter()
                    .map(|&joint| pose.landmarks[joint].visibility)
                    .sum();
                Self::Person(sum / LARGE_JOINTS.len() as f32)
            }
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Person(share) if share >= 0.8 => "good",
            Self::Person(share) if share >= CERTAIN => "fair",
            Self::Person(_) => "poor",
        }
    }

    /// What to do about it, where something can be done.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Self::Nobody => Some("Step into the picture, head to feet."),
            Self::Person(share) if share >= 0.8 => None,
            Self::Person(_) => Some("Some joints are hidden: step back, or turn so that they show."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_core::geometry::Point2;
    use plumbline_core::pose::{Landmark, WorldLandmark};
    use plumbline_core::roi::RotatedRect;
    use plumbline_core::skeleton::LANDMARK_COUNT;

    fn pose_with(visibility: impl Fn(usize) -> f32) -> Pose {
        Pose {
            landmarks: std::array::from_fn(|index| Landmark {
                visibility: visibility(index),
                ..Landmark::default()
            }),
            world: [WorldLandmark::default(); LANDMARK_COUNT],
            region: RotatedRect {
                center: Point2::new(0.0, 0.0),
                width_px: 1.0,
                height_px: 1.0,
                rotation: 0.0,
            },
            score: 1.0,
        }
    }

    #[test]
    fn words_follow_the_share() {
        for (visibility, word) in [
            (0.95, "good"),
            (0.8, "good"),
            (0.6, "fair"),
            (0.49, "poor"),
            (0.0, "poor"),
        ] {
            assert_eq!(
                Quality::of(Some(&pose_with(|_| visibility))).word(),
                word,
                "{visibility}"
            );
        }
        assert_eq!(Quality::of(None).word(), "nobody");
    }

    #[test]
    fn a_visible_face_does_not_make_up_for_a_hidden_body() {
        let quality = Quality::of(Some(&pose_with(|index| if index < 11 { 1.0 } else { 0.1 })));
        assert_eq!(quality.word(), "poor");
        assert!(quality.advice().is_some());
    }
}
