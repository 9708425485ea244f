//! What the outputs of other people's models mean: one file for each family, from tensors to findings in the picture.
//!
//! ```text
//! outputs by role, manifest, where the picture stood in the input -> decode -> poses | boxes | classes | mask | embedding
//! ```
//!
//! Decoders are pure functions. Formulas and thresholds are those of the publishers, named in each file. Whatever a
//! model gives, numbers that are none and shapes that do not fit are a [`DecodeError`].

pub mod classes;
pub mod embedding;
pub mod heatmaps;
pub mod masks;
pub mod mediapipe;
pub mod movenet;
pub mod pose;
pub mod simcc;
pub mod suppression;
pub mod tensor;
pub mod yolo;

pub use classes::{ClassScores, ScoreForm};
pub use masks::PixelScores;
pub use pose::{DetectedBox, Keypoint, KeypointPose, Rect};
pub use tensor::{DecodeError, Tensor};

use crate::keypoint_sets::KeypointSet;
use crate::manifest::Manifest;
use crate::model_input::{Layout, Placement};
use crate::task::{Role, Task};

/// What a model found in a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// People, hands or faces, the surest first, with points in pixels of the picture.
    Poses(Vec<KeypointPose>),
    /// Objects, the surest first, in pixels of the picture.
    Boxes(Vec<DetectedBox>),
    /// A score for each class.
    Classes(ClassScores),
    /// A score for each class and pixel.
    Mask(PixelScores),
    /// The picture as numbers.
    Embedding(Vec<f32>),
}

/// Reads a model's outputs as its manifest says. `layout` is that of the input and tells planes from pixels in outputs
/// that have both; `placement` is where the picture stood.
///
/// # Errors
/// [`DecodeError`] for an output that is missing, has another shape than its task has, or holds what is no number.
pub fn decode(
    manifest: &Manifest,
    layout: Layout,
    placement: &Placement,
    outputs: &[(Role, Tensor<'_>)],
) -> Result<Found, DecodeError> {
    let get = |role: Role| {
        outputs
            .iter()
            .find(|(known, _)| *known == role)
            .map(|(_, tensor)| tensor)
    };
    let need = |role: Role| get(role).ok_or_else(|| DecodeError::missing(role));
    let size = manifest.preprocessing.size;
    let view = View { size, placement };
    Ok(match manifest.task {
        Task::MoveNet => Found::Poses(movenet::single(need(Role::Keypoints)?, &view)?),
        Task::MoveNetMultiPose => Found::Poses(movenet::several(need(Role::Keypoints)?, &view)?),
        Task::SimCc => Found::Poses(vec![simcc::decode(
            need(Role::SimccX)?,
            need(Role::SimccY)?,
            &view,
            simcc::Place::Bin,
        )?]),
        Task::Heatmaps => Found::Poses(vec![heatmaps::decode(need(Role::Heatmaps)?, layout, &view)?]),
        Task::YoloPose => {
            let points = manifest.keypoints.unwrap_or(KeypointSet::Coco17);
            Found::Poses(yolo::poses(
                need(Role::Predictions)?,
                points,
                &view,
                &yolo::Options::default(),
            )?)
        }
        Task::YoloDetect => Found::Boxes(yolo::boxes(
            need(Role::Predictions)?,
            &view,
            &yolo::Options::default(),
        )?),
        Task::MediapipePose | Task::MediapipeHand | Task::MediapipeFace => {
            let family = match manifest.task {
                Task::MediapipePose => mediapipe::Family::Pose,
                Task::MediapipeHand => mediapipe::Family::Hand,
                _ => mediapipe::Family::Face,
            };
            let presence = get(Role::Presence);
            Found::Poses(mediapipe::decode(
                family,
                need(Role::Landmarks)?,
                presence,
                &view,
            )?)
        }
        Task::Classes => Found::Classes(classes::decode(need(Role::Scores)?, manifest.scores)?),
        Task::Mask => Found::Mask(masks::decode(need(Role::Mask)?, layout, manifest.scores)?),
        Task::Embedding => Found::Embedding(embedding::decode(need(Role::Embedding)?, layout)?),
    })
}

/// The input that a model saw, and where the picture stood in it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Columns and rows of the input.
    pub size: crate::geometry::ImageSize,
    /// The picture in it.
    pub placement: &'a Placement,
}
