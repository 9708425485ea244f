//! The 33 BlazePose landmarks: names in MediaPipe's order and spelling, and the indices used by name.

/// How many landmarks a person has.
pub const COUNT: usize = 33;

/// MediaPipe's names; left and right are the subject's.
pub const NAMES: [&str; COUNT] = [
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

/// Index of the nose.
pub const NOSE: usize = 0;
/// Index of the left inner eye corner; eye and outer corner follow, then the right three.
pub const EYES: usize = 1;
/// Index of the left ear; the right one follows.
pub const EAR: usize = 7;
/// Index of the left mouth corner; the right one follows.
pub const MOUTH: usize = 9;
/// Index of the left shoulder; the right one follows.
pub const SHOULDER: usize = 11;
/// Index of the left elbow; the right one follows.
pub const ELBOW: usize = 13;
/// Index of the left wrist; the right one follows.
pub const WRIST: usize = 15;
/// Index of the left little finger's knuckle; the right one follows.
pub const PINKY: usize = 17;
/// Index of the left index finger's knuckle; the right one follows.
pub const INDEX: usize = 19;
/// Index of the left thumb; the right one follows.
pub const THUMB: usize = 21;
/// Index of the left hip; the right one follows.
pub const HIP: usize = 23;
/// Index of the left knee; the right one follows.
pub const KNEE: usize = 25;
/// Index of the left ankle; the right one follows.
pub const ANKLE: usize = 27;
/// Index of the left heel; the right one follows.
pub const HEEL: usize = 29;
/// Index of the tip of the left foot; the right one follows.
pub const FOOT_INDEX: usize = 31;

/// The landmark on the other side of the body; the nose is its own.
pub fn mirrored(index: usize) -> usize {
    match index {
        NOSE => NOSE,
        1..=3 => index + 3,
        4..=6 => index - 3,
        _ if index % 2 == 1 => index + 1,
        _ => index - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrored_names_swap_left_and_right() {
        for (index, name) in NAMES.iter().enumerate() {
            let swapped = match name.contains("left") {
                true => name.replace("left", "right"),
                false => name.replace("right", "left"),
            };
            assert_eq!(NAMES[mirrored(index)], swapped);
        }
    }
}
