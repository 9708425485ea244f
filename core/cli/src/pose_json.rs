//! The machine-readable output of `plumb pose`. Only the command line writes poses; the core's own types cannot be
//! serialised.

use plumbline_core::people::PersonId;
use plumbline_core::pose::Pose;
use plumbline_core::skeleton::LANDMARK_NAMES;
use plumbline_core::time::Timestamp;
use plumbline_pipeline::Timings;
use serde::Serialize;

use crate::finder::Found;

/// One picture, or one frame of a clip.
#[derive(Serialize)]
pub struct FrameJson<'a> {
    /// Number of the frame from 0; clips only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// When the frame is shown; clips only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_secs: Option<f64>,
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// `lite`, `full` or `heavy`.
    pub model: &'a str,
    /// `cpu` or `gpu`.
    pub backend: &'a str,
    /// Who is there; at most one unless more were asked for.
    pub people: Vec<PersonJson>,
    /// How long the stages took.
    pub timings_ms: TimingsJson,
}

/// A person.
#[derive(Serialize)]
pub struct PersonJson {
    /// Whose track it is; only where several people were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    landmarks: Vec<LandmarkJson>,
    world: Vec<WorldJson>,
    roi: RoiJson,
    score: f32,
}

#[derive(Serialize)]
struct LandmarkJson {
    name: &'static str,
    x_px: f32,
    y_px: f32,
    z_px: f32,
    visibility: f32,
    presence: f32,
}

#[derive(Serialize)]
struct WorldJson {
    x_m: f32,
    y_m: f32,
    z_m: f32,
}

/// The part of the image that the landmark model saw.
#[derive(Serialize)]
struct RoiJson {
    x_center_px: f32,
    y_center_px: f32,
    width_px: f32,
    height_px: f32,
    /// Clockwise on the screen.
    rotation_rad: f32,
}

/// Stages that did not run are absent.
#[derive(Serialize)]
pub struct TimingsJson {
    crop: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    detector: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    landmarks: Option<f64>,
    decode: f64,
    total: f64,
}

/// Where in a clip a frame stands.
#[derive(Clone, Copy)]
pub struct Position {
    /// Number from 0.
    pub frame: usize,
    /// When it is shown.
    pub time: Timestamp,
}

impl<'a> FrameJson<'a> {
    /// Gathers what is printed of a frame; `position` for clips only.
    pub fn new(
        size_px: (usize, usize),
        model: &'a str,
        backend: &'a str,
        position: Option<Position>,
        result: &Found,
    ) -> Self {
        Self {
            frame: position.map(|position| position.frame),
            time_secs: position.map(|position| position.time.secs()),
            width_px: size_px.0,
            height_px: size_px.1,
            model,
            backend,
            people: result.people.iter().map(PersonJson::from).collect(),
            timings_ms: TimingsJson::from(&result.timings),
        }
    }
}

impl From<&(Option<PersonId>, Pose)> for PersonJson {
    fn from((id, pose): &(Option<PersonId>, Pose)) -> Self {
        let named = LANDMARK_NAMES.into_iter().zip(&pose.landmarks);
        Self {
            id: id.map(|PersonId(number)| number),
            landmarks: named
                .map(|(name, landmark)| LandmarkJson {
                    name,
                    x_px: landmark.x_px,
                    y_px: landmark.y_px,
                    z_px: landmark.z_px,
                    visibility: landmark.visibility,
                    presence: landmark.presence,
                })
                .collect(),
            world: pose
                .world
                .iter()
                .map(|point| WorldJson {
                    x_m: point.x_m,
                    y_m: point.y_m,
                    z_m: point.z_m,
                })
                .collect(),
            roi: RoiJson {
                x_center_px: pose.region.center.x,
                y_center_px: pose.region.center.y,
                width_px: pose.region.width_px,
                height_px: pose.region.height_px,
                rotation_rad: pose.region.rotation,
            },
            score: pose.score,
        }
    }
}

impl From<&Timings> for TimingsJson {
    fn from(timings: &Timings) -> Self {
        Self {
            crop: timings.crop_millis,
            detector: timings.detector_millis,
            landmarks: timings.landmarks_millis,
            decode: timings.decode_millis,
            total: timings.total_millis,
        }
    }
}
