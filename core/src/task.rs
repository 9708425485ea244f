//! What a model is for, and what each of its outputs means.
//!
//! A task is a family of models whose outputs are read by one decoder ([`crate::decoders`]). Its id is what stands in a
//! [`Manifest`](crate::manifest::Manifest) and in commands.

use serde::{Deserialize, Serialize};

/// What a model finds in a picture, and in which form it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One person, 17 points: MoveNet SinglePose, `[1, 1, 17, 3]` of y, x, score in fractions of the input.
    #[serde(rename = "movenet")]
    MoveNet,
    /// Up to six people: MoveNet MultiPose, `[1, 6, 56]`.
    #[serde(rename = "movenet-multipose")]
    MoveNetMultiPose,
    /// One person in the input, a distribution for each axis of each point: RTMPose and other SimCC models,
    /// `[1, K, width * split]` and `[1, K, height * split]`.
    #[serde(rename = "simcc")]
    SimCc,
    /// One person in the input, a plane for each point: HRNet, ViTPose, SimpleBaseline, `[1, K, height / n, width / n]` or
    /// `[1, height / n, width / n, K]`.
    Heatmaps,
    /// Several people at once: YOLO-pose of versions 8 and 11, `[1, 5 + 3 K, N]`, or with suppression inside
    /// `[1, N, 6 + 3 K]`.
    YoloPose,
    /// Boxes of objects: YOLO of versions 8 and 11, `[1, 4 + classes, N]`, or with suppression inside `[1, N, 6]`.
    YoloDetect,
    /// Landmarks of the crop of a person: MediaPipe BlazePose, `[1, 195]`.
    MediapipePose,
    /// Landmarks of the crop of a hand: MediaPipe, `[1, 63]`.
    MediapipeHand,
    /// Landmarks of the crop of a face: MediaPipe, `[1, 1, 1, 1404]` or `[1, 1, 1, 1434]`.
    MediapipeFace,
    /// What the whole picture shows: a score for each class, `[1, N]`.
    Classes,
    /// What each pixel shows: `[1, 1, H, W]`, `[1, H, W, 1]` or a plane for each class.
    Mask,
    /// The picture as a list of numbers, for comparing it with others.
    Embedding,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::MoveNet,
        Self::MoveNetMultiPose,
        Self::SimCc,
        Self::Heatmaps,
        Self::YoloPose,
        Self::YoloDetect,
        Self::MediapipePose,
        Self::MediapipeHand,
        Self::MediapipeFace,
        Self::Classes,
        Self::Mask,
        Self::Embedding,
    ];

    /// As it is written in a manifest: `movenet`, `yolo-pose`.
    pub fn id(self) -> &'static str {
        match self {
            Self::MoveNet => "movenet",
            Self::MoveNetMultiPose => "movenet-multipose",
            Self::SimCc => "simcc",
            Self::Heatmaps => "heatmaps",
            Self::YoloPose => "yolo-pose",
            Self::YoloDetect => "yolo-detect",
            Self::MediapipePose => "mediapipe-pose",
            Self::MediapipeHand => "mediapipe-hand",
            Self::MediapipeFace => "mediapipe-face",
            Self::Classes => "classes",
            Self::Mask => "mask",
            Self::Embedding => "embedding",
        }
    }

    /// The task of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.id() == id)
    }

    /// For a person to choose by.
    pub fn description(self) -> &'static str {
        match self {
            Self::MoveNet => "one person's 17 points (MoveNet)",
            Self::MoveNetMultiPose => "up to six people's 17 points (MoveNet MultiPose)",
            Self::SimCc => "one person's points in a crop (RTMPose, SimCC)",
            Self::Heatmaps => "one person's points in a crop (heatmaps: HRNet, ViTPose)",
            Self::YoloPose => "several people's points (YOLO-pose)",
            Self::YoloDetect => "boxes of objects (YOLO)",
            Self::MediapipePose => "33 body landmarks in a crop (MediaPipe)",
            Self::MediapipeHand => "21 hand landmarks in a crop (MediaPipe)",
            Self::MediapipeFace => "face landmarks in a crop (MediaPipe)",
            Self::Classes => "what the picture shows (classes)",
            Self::Mask => "which pixels belong to what (mask)",
            Self::Embedding => "the picture as numbers to compare by (embedding)",
        }
    }

    /// Whether it gives points of a body, a hand or a face.
    pub fn gives_points(self) -> bool {
        match self {
            Self::MoveNet
            | Self::MoveNetMultiPose
            | Self::SimCc
            | Self::Heatmaps
            | Self::YoloPose
            | Self::MediapipePose
            | Self::MediapipeHand
            | Self::MediapipeFace => true,
            Self::YoloDetect | Self::Classes | Self::Mask | Self::Embedding => false,
        }
    }

    /// The outputs without which its decoder cannot work.
    pub fn needs(self) -> &'static [Role] {
        match self {
            Self::MoveNet | Self::MoveNetMultiPose => &[Role::Keypoints],
            Self::SimCc => &[Role::SimccX, Role::SimccY],
            Self::Heatmaps => &[Role::Heatmaps],
            Self::YoloPose | Self::YoloDetect => &[Role::Predictions],
            Self::MediapipePose | Self::MediapipeHand | Self::MediapipeFace => &[Role::Landmarks],
            Self::Classes => &[Role::Scores],
            Self::Mask => &[Role::Mask],
            Self::Embedding => &[Role::Embedding],
        }
    }

    /// The outputs that its decoder reads where they are there.
    pub fn may_have(self) -> &'static [Role] {
        match self {
            Self::MediapipePose | Self::MediapipeFace => &[Role::Presence],
            Self::MediapipeHand => &[Role::Presence, Role::Handedness],
            Self::MoveNet
            | Self::MoveNetMultiPose
            | Self::SimCc
            | Self::Heatmaps
            | Self::YoloPose
            | Self::YoloDetect
            | Self::Classes
            | Self::Mask
            | Self::Embedding => &[],
        }
    }
}

/// What an output means to a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Points with scores, of one or several people.
    Keypoints,
    /// A distribution over columns for each point.
    SimccX,
    /// A distribution over rows for each point.
    SimccY,
    /// A plane for each point.
    Heatmaps,
    /// Candidates with boxes and scores.
    Predictions,
    /// Points of a crop in pixels of the input.
    Landmarks,
    /// Whether the crop holds what the model looks for.
    Presence,
    /// Whether a hand is a right one.
    Handedness,
    /// A number for each class.
    Scores,
    /// Numbers for each pixel.
    Mask,
    /// Numbers to compare pictures by.
    Embedding,
}

impl Role {
    /// As it is written in a manifest: `simcc-x`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Keypoints => "keypoints",
            Self::SimccX => "simcc-x",
            Self::SimccY => "simcc-y",
            Self::Heatmaps => "heatmaps",
            Self::Predictions => "predictions",
            Self::Landmarks => "landmarks",
            Self::Presence => "presence",
            Self::Handedness => "handedness",
            Self::Scores => "scores",
            Self::Mask => "mask",
            Self::Embedding => "embedding",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back() {
        for task in Task::ALL {
            assert_eq!(Task::from_id(task.id()), Some(task));
            assert!(!task.needs().is_empty(), "{} is read from nothing", task.id());
        }
        for id in ["", "MoveNet", "yolo"] {
            assert_eq!(Task::from_id(id), None, "{id}");
        }
    }
}
