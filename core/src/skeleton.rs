//! The BlazePose skeleton: 33 landmarks, their names, sides and bones.
//!
//! Left is the subject's left. Order and names follow MediaPipe's `PoseLandmark`; the bones follow its
//! `POSE_CONNECTIONS`.

/// Landmarks of a pose.
pub const LANDMARK_COUNT: usize = 33;

/// Names by landmark index.
pub const LANDMARK_NAMES: [&str; LANDMARK_COUNT] = [
    "nose",
    "left_eye_inner",
    "left_eye",
    "left_eye_outer",
    "right_eye_inner",
    "right_eye",
    "right_eye_outer",
    "left_ear",
    "right_ear",
    "mouth_left",
    "mouth_right",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_pinky",
    "right_pinky",
    "left_index",
    "right_index",
    "left_thumb",
    "right_thumb",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_foot_index",
    "right_foot_index",
];

/// Pairs of landmarks that a drawn skeleton joins by a line.
pub const BONES: [(usize, usize); 35] = [
    // face
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 7),
    (0, 4),
    (4, 5),
    (5, 6),
    (6, 8),
    (9, 10),
    // trunk
    (11, 12),
    (11, 23),
    (12, 24),
    (23, 24),
    // left arm and hand
    (11, 13),
    (13, 15),
    (15, 17),
    (15, 19),
    (15, 21),
    (17, 19),
    // right arm and hand
    (12, 14),
    (14, 16),
    (16, 18),
    (16, 20),
    (16, 22),
    (18, 20),
    // left leg and foot
    (23, 25),
    (25, 27),
    (27, 29),
    (27, 31),
    (29, 31),
    // right leg and foot
    (24, 26),
    (26, 28),
    (28, 30),
    (28, 32),
    (30, 32),
];

/// Landmarks that mirror each other, left first.
pub const MIRRORED_PAIRS: [(usize, usize); 16] = [
    (1, 4),
    (2, 5),
    (3, 6),
    (7, 8),
    (9, 10),
    (11, 12),
    (13, 14),
    (15, 16),
    (17, 18),
    (19, 20),
    (21, 22),
    (23, 24),
    (25, 26),
    (27, 28),
    (29, 30),
    (31, 32),
];

/// Which half of the subject's body a landmark belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The subject's left.
    Left,
    /// The subject's right.
    Right,
    /// On the mid-line.
    Middle,
}

/// The side of a landmark; an index outside of the skeleton counts as the mid-line.
pub fn side(landmark: usize) -> Side {
    match MIRRORED_PAIRS
        .iter()
        .find(|&&(left, right)| left == landmark || right == landmark)
    {
        Some(&(left, _)) if left == landmark => Side::Left,
        Some(_) => Side::Right,
        None => Side::Middle,
    }
}

/// The index behind a name.
pub fn landmark_named(name: &str) -> Option<usize> {
    LANDMARK_NAMES.iter().position(|&known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_agree_with_names() {
        for (index, name) in LANDMARK_NAMES.iter().enumerate() {
            let expected = if name.contains("left") {
                Side::Left
            } else if name.contains("right") {
                Side::Right
            } else {
                Side::Middle
            };
            assert_eq!(side(index), expected, "{name}");
        }
        assert_eq!(side(LANDMARK_COUNT), Side::Middle);
    }

    #[test]
    fn pairs_differ_only_in_the_side() {
        for (left, right) in MIRRORED_PAIRS {
            assert_eq!(
                LANDMARK_NAMES[left].replace("left", "right"),
                LANDMARK_NAMES[right]
            );
        }
    }

    #[test]
    fn bones_are_distinct_and_mirror_into_bones() {
        let mirrored = |index: usize| {
            MIRRORED_PAIRS
                .iter()
                .fold(index, |found, &(left, right)| match index {
                    _ if index == left => right,
                    _ if index == right => left,
                    _ => found,
                })
        };
        let joins = |a, b| {
            BONES
                .iter()
                .filter(|&&bone| bone == (a, b) || bone == (b, a))
                .count()
        };
        for (a, b) in BONES {
            assert_eq!(joins(a, b), 1, "{a}-{b}");
            assert_eq!(joins(mirrored(a), mirrored(b)), 1, "mirror image of {a}-{b}");
        }
    }

    #[test]
    fn names_lead_back_to_their_index() {
        assert_eq!(landmark_named("left_knee"), Some(25));
        assert_eq!(landmark_named("tail"), None);
    }
}
