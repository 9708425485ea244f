//! The lists of points that other people's models give: how many, what they are called, which a drawing joins.
//!
//! Left is the subject's left. Sources: COCO's `person_keypoints` annotations and its evaluation code (names, bones,
//! sigmas); MMPose's `configs/_base_/datasets/halpe26.py`; MediaPipe's `HandLandmark` and `HAND_CONNECTIONS`.

use serde::{Deserialize, Serialize};

use crate::skeleton::{self, Side};

/// Which points a model gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeypointSet {
    /// COCO's 17 of a body: MoveNet, YOLO-pose, most RTMPose models.
    #[serde(rename = "coco-17")]
    Coco17,
    /// Halpe's 26: COCO's with head, neck, hip and feet (RTMPose's body models with feet).
    #[serde(rename = "halpe-26")]
    Halpe26,
    /// BlazePose's 33 ([`crate::skeleton`]).
    #[serde(rename = "blazepose-33")]
    Blazepose33,
    /// MediaPipe's and COCO-WholeBody's 21 of a hand.
    #[serde(rename = "hand-21")]
    Hand21,
    /// Points without names: faces, whole bodies, animals, anything else.
    Numbered,
}

impl KeypointSet {
    /// The set that models of so many points nearly always have, [`KeypointSet::Numbered`] where there is none.
    pub fn of_count(count: usize) -> Self {
        [Self::Coco17, Self::Halpe26, Self::Blazepose33, Self::Hand21]
            .into_iter()
            .find(|set| set.names().len() == count)
            .unwrap_or(Self::Numbered)
    }

    /// As it is written in a manifest.
    pub fn id(self) -> &'static str {
        match self {
            Self::Coco17 => "coco-17",
            Self::Halpe26 => "halpe-26",
            Self::Blazepose33 => "blazepose-33",
            Self::Hand21 => "hand-21",
            Self::Numbered => "numbered",
        }
    }

    /// Names by index; none of [`KeypointSet::Numbered`].
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Coco17 => &HALPE_26[..17],
            Self::Halpe26 => &HALPE_26,
            Self::Blazepose33 => &skeleton::LANDMARK_NAMES,
            Self::Hand21 => &HAND_21,
            Self::Numbered => &[],
        }
    }

    /// Pairs of points that a drawing joins.
    pub fn bones(self) -> &'static [(usize, usize)] {
        match self {
            Self::Coco17 => &COCO_17_BONES,
            Self::Halpe26 => &HALPE_26_BONES,
            Self::Blazepose33 => &skeleton::BONES,
            Self::Hand21 => &HAND_21_BONES,
            Self::Numbered => &[],
        }
    }

    /// Which half of the body a point belongs to, by its name; points without one are on neither.
    pub fn side(self, index: usize) -> Side {
        let name = self.names().get(index).copied().unwrap_or_default();
        if name.starts_with("left_") || name.ends_with("_left") {
            Side::Left
        } else if name.starts_with("right_") || name.ends_with("_right") {
            Side::Right
        } else {
            Side::Middle
        }
    }

    /// COCO's standard deviation of a point's place among annotators, as a share of the square root of the person's area;
    /// [`OTHER_SIGMA`] for points that COCO does not have.
    pub fn sigma(self, index: usize) -> f32 {
        match self {
            Self::Coco17 | Self::Halpe26 => COCO_17_SIGMAS.get(index).copied().unwrap_or(OTHER_SIGMA),
            Self::Blazepose33 | Self::Hand21 | Self::Numbered => OTHER_SIGMA,
        }
    }
}

/// The mean of COCO's sigmas, for points that nobody measured.
pub const OTHER_SIGMA: f32 = 0.067;

/// The first 17 are COCO's.
const HALPE_26: [&str; 26] = [
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "head",
    "neck",
    "hip",
    "left_big_toe",
    "right_big_toe",
    "left_small_toe",
    "right_small_toe",
    "left_heel",
    "right_heel",
];

const COCO_17_BONES: [(usize, usize); 19] = [
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 12),
    (5, 11),
    (6, 12),
    (5, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
];

const HALPE_26_BONES: [(usize, usize); 27] = [
    (15, 13),
    (13, 11),
    (11, 19),
    (16, 14),
    (14, 12),
    (12, 19),
    (17, 18),
    (18, 19),
    (18, 5),
    (5, 7),
    (7, 9),
    (18, 6),
    (6, 8),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
    (15, 20),
    (15, 22),
    (15, 24),
    (16, 21),
    (16, 23),
    (16, 25),
];

const HAND_21: [&str; 21] = [
    "wrist",
    "thumb_cmc",
    "thumb_mcp",
    "thumb_ip",
    "thumb_tip",
    "index_finger_mcp",
    "index_finger_pip",
    "index_finger_dip",
    "index_finger_tip",
    "middle_finger_mcp",
    "middle_finger_pip",
    "middle_finger_dip",
    "middle_finger_tip",
    "ring_finger_mcp",
    "ring_finger_pip",
    "ring_finger_dip",
    "ring_finger_tip",
    "pinky_mcp",
    "pinky_pip",
    "pinky_dip",
    "pinky_tip",
];

const HAND_21_BONES: [(usize, usize); 21] = [
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (0, 5),
    (5, 6),
    (6, 7),
    (7, 8),
    (5, 9),
    (9, 10),
    (10, 11),
    (11, 12),
    (9, 13),
    (13, 14),
    (14, 15),
    (15, 16),
    (13, 17),
    (0, 17),
    (17, 18),
    (18, 19),
    (19, 20),
];

/// `cocoapi`, `cocoeval.py`: `kpt_oks_sigmas`.
const COCO_17_SIGMAS: [f32; 17] = [
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
    0.089, 0.089,
];

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: [KeypointSet; 4] = [
        KeypointSet::Coco17,
        KeypointSet::Halpe26,
        KeypointSet::Blazepose33,
        KeypointSet::Hand21,
    ];

    #[test]
    fn bones_join_points_that_are_there_and_mirror_into_bones() {
        for set in NAMED {
            let names = set.names();
            let mirrored = |index: usize| {
                let other = if let Some(rest) = names[index].strip_prefix("left_") {
                    format!("right_{rest}")
                } else if let Some(rest) = names[index].strip_prefix("right_") {
                    format!("left_{rest}")
                } else if let Some(part) = names[index].strip_suffix("_left") {
                    format!("{part}_right")
                } else if let Some(part) = names[index].strip_suffix("_right") {
                    format!("{part}_left")
                } else {
                    names[index].to_owned()
                };
                names
                    .iter()
                    .position(|name| *name == other)
                    .expect("both sides are there")
            };
            let joins = |a, b| set.bones().iter().any(|&bone| bone == (a, b) || bone == (b, a));
            for &(a, b) in set.bones() {
                assert!(a < names.len() && b < names.len() && a != b, "{}", set.id());
                assert!(joins(mirrored(a), mirrored(b)), "{}: {a}-{b}", set.id());
            }
        }
    }

    #[test]
    fn counts_lead_to_sets() {
        for set in NAMED {
            assert_eq!(KeypointSet::of_count(set.names().len()), set);
        }
        for count in [0, 5, 18, 133, 468] {
            assert_eq!(KeypointSet::of_count(count), KeypointSet::Numbered);
        }
    }

    #[test]
    fn sides_are_those_of_the_skeleton() {
        for index in 0..skeleton::LANDMARK_COUNT {
            assert_eq!(
                KeypointSet::Blazepose33.side(index),
                skeleton::side(index),
                "{index}"
            );
        }
        assert_eq!(KeypointSet::Coco17.side(9), Side::Left);
        assert_eq!(KeypointSet::Halpe26.side(25), Side::Right);
        assert_eq!(KeypointSet::Hand21.side(3), Side::Middle);
        assert_eq!(KeypointSet::Numbered.side(3), Side::Middle);
    }

    #[test]
    fn unknown_points_have_the_mean_sigma() {
        let mean = COCO_17_SIGMAS.iter().sum::<f32>() / 17.0;
        assert!((mean - OTHER_SIGMA).abs() < 1e-4, "{mean}");
        assert_eq!(KeypointSet::Halpe26.sigma(20), OTHER_SIGMA);
        assert_eq!(KeypointSet::Coco17.sigma(11), 0.107);
    }
}
