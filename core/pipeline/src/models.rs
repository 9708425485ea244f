//! From the bytes of one of MediaPipe's models to a plan of those outputs that the pipelines read.
//!
//! Tensors carry the names of the converter, `Identity` with a number; here they get their meanings.

use plumbline_core::preprocess::{DETECTOR_RANGE, LANDMARK_RANGE};
use plumbline_core::selfie::{SELFIE_RANGE, SelfieModel};
use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::{ModelError, passes, read_model};

/// Detector, `[1, 2254, 12]`: boxes and keypoints.
pub const DETECTOR_BOXES: &str = "Identity";
/// Detector, `[1, 2254, 1]`: score logits.
pub const DETECTOR_SCORES: &str = "Identity_1";
/// Landmark model, `[1, 195]`: landmarks in px of the input.
pub const LANDMARKS: &str = "Identity";
/// Landmark model, `[1, 1]`: probability that the input holds a person.
pub const POSE_SCORE: &str = "Identity_1";
/// Landmark model, `[1, 256, 256, 1]`: logits of the person's mask.
pub const MASK: &str = "Identity_2";
/// Landmark model, `[1, 64, 64, 39]`: logits of the landmarks' heatmaps.
pub const HEATMAP: &str = "Identity_3";
/// Landmark model, `[1, 117]`: landmarks in metres.
pub const WORLD: &str = "Identity_4";

/// What the pipeline reads from the detector.
pub const DETECTOR_OUTPUTS: [&str; 2] = [DETECTOR_BOXES, DETECTOR_SCORES];
/// What the pipeline reads from the landmark model: all but the mask, which costs a sixth of lite's arithmetic.
pub const LANDMARK_OUTPUTS: [&str; 4] = [LANDMARKS, POSE_SCORE, HEATMAP, WORLD];

/// The same with the mask.
pub const LANDMARK_AND_MASK_OUTPUTS: [&str; 5] = [LANDMARKS, POSE_SCORE, MASK, HEATMAP, WORLD];

/// Selfie segmentation, `[1, height, width, 1]`: the share of each pixel that belongs to people.
pub const fn selfie_mask(model: SelfieModel) -> &'static str {
    match model {
        SelfieModel::General => "activation_10",
        SelfieModel::Landscape => "segment_back",
    }
}

/// What a plan is made for: how much fusion pays differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Vectors of a CPU.
    Cpu,
    /// A GPU that takes pictures ([`crate::gpu`]).
    Gpu(Variant),
}

/// One way to run a model on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// How far steps are fused.
    pub level: Level,
    /// How values between steps are kept.
    pub precision: Precision,
}

impl Variant {
    /// For a GPU that a CPU plays: a dispatch costs little there and workgroup memory much.
    pub const SOFTWARE: Self = Self {
        level: Level::Folded,
        precision: Precision::Single,
    };
    /// For a GPU on which nothing was measured: each dispatch costs tens of microseconds, and workgroup memory is fast.
    pub const HARDWARE: Self = Self {
        level: Level::Tail,
        precision: Precision::Single,
    };

    /// Level and bits: `L4-32`.
    pub fn id(self) -> String {
        let bits = match self.precision {
            Precision::Single => 32,
            Precision::Half => 16,
        };
        format!("{}-{bits}", self.level.name())
    }

    /// The variant of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        let (name, bits) = id.split_once('-')?;
        let level = Level::ALL.into_iter().find(|level| level.name() == name)?;
        let precision = match bits {
            "32" => Precision::Single,
            "16" => Precision::Half,
            _ => return None,
        };
        Some(Self { level, precision })
    }
}

impl Target {
    /// The level of fusion that is planned for it.
    pub fn level(self) -> Level {
        match self {
            Target::Cpu => Level::Folded,
            Target::Gpu(variant) => variant.level,
        }
    }

    /// How a model is planned whose input is cut out of a picture with this range.
    fn options<'a>(self, range: [f32; 2], deferred: &'a [&'a str]) -> Options<'a> {
        let (precision, picture) = match self {
            Target::Cpu => (Precision::Single, None),
            Target::Gpu(variant) => (variant.precision, Some(range)),
        };
        Options {
            level: self.level(),
            precision,
            picture,
            deferred,
        }
    }
}

/// Reads a model, TFLite's or a graph file, keeps what the named outputs need, runs the passes and plans the rest.
///
/// # Errors
/// *Invalid* when the bytes are not a sound model or an output is missing, *Unsupported* when the engine has a gap.
pub fn plan_model(bytes: &[u8], outputs: &[&str], options: &Options<'_>) -> Result<Plan, ModelError> {
    let mut graph = read_model(bytes)?;
    passes::select_outputs(&mut graph, outputs)?;
    passes::optimise_to(&mut graph, options.level)?;
    Plan::with(graph, options)
}

/// Plans the detector. Errors as in [`plan_model`].
pub fn plan_detector(bytes: &[u8], target: Target) -> Result<Plan, ModelError> {
    plan_model(bytes, &DETECTOR_OUTPUTS, &target.options(DETECTOR_RANGE, &[]))
}

/// Plans a landmark model (lite, full or heavy) without its mask; its heatmaps are left to the refinement, which looks
/// at few of their cells. Errors as in [`plan_model`].
pub fn plan_landmarks(bytes: &[u8], target: Target) -> Result<Plan, ModelError> {
    plan_model(
        bytes,
        &LANDMARK_OUTPUTS,
        &target.options(LANDMARK_RANGE, &[HEATMAP]),
    )
}

/// [`plan_landmarks`] with the person's mask ([`FrameResult::mask`](crate::FrameResult::mask)).
pub fn plan_landmarks_and_mask(bytes: &[u8], target: Target) -> Result<Plan, ModelError> {
    plan_model(
        bytes,
        &LANDMARK_AND_MASK_OUTPUTS,
        &target.options(LANDMARK_RANGE, &[HEATMAP]),
    )
}

/// Plans a selfie segmentation model. Errors as in [`plan_model`].
pub fn plan_selfie(bytes: &[u8], model: SelfieModel, target: Target) -> Result<Plan, ModelError> {
    plan_model(bytes, &[selfie_mask(model)], &target.options(SELFIE_RANGE, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back() {
        assert_eq!(Variant::HARDWARE.id(), "L4-32");
        for level in Level::ALL {
            for precision in [Precision::Single, Precision::Half] {
                let variant = Variant { level, precision };
                assert_eq!(Variant::from_id(&variant.id()), Some(variant));
            }
        }
        for id in ["", "L4", "L4-", "L5-32", "L4-8", "L4-32-", "4-32"] {
            assert_eq!(Variant::from_id(id), None, "{id}");
        }
    }
}
