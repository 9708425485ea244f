//! What a person says of a model that they bring: where it is from, what it is for, and how its numbers are read.
//!
//! ```toml
//! name = "MoveNet Lightning"
//! licence = "Apache-2.0"
//! sha256 = "…"                   # of the file; optional, compared where it is given
//! task = "movenet"               # one of Task's ids
//! keypoints = "coco-17"          # which points; tasks that give points
//! labels = ["cat", "dog"]        # what the classes are; tasks that give classes
//! scores = "logits"              # logits | distribution | independent: what scores are; without it, what they look like
//!
//! [input]
//! tensor = "serving_default_input:0"   # optional where the model has one input
//! width_px = 192
//! height_px = 192
//! resize = "letterbox"           # stretch | letterbox | letterbox-corner | centre-crop
//! shorter_side_px = 256          # before a centre crop; optional
//! border = [0, 0, 0]             # beside the picture in a letterbox
//! interpolation = "bilinear"     # bilinear | antialiased | warp | nearest
//! colours = "rgb"                # rgb | bgr
//! range = [0.0, 255.0]           # what the levels 0 and 255 become
//! mean = [0.0, 0.0, 0.0]         # then subtracted, in the order of the input
//! std = [1.0, 1.0, 1.0]          # then divided by
//!
//! [sizes]                        # sizes that the file leaves open, by the names it has for them
//! height = 192
//!
//! [outputs]                      # role = tensor; optional where a task reads the only output
//! keypoints = "StatefulPartitionedCall:0"
//! ```
//!
//! The same keys make the JSON form. Everything but `name`, `licence`, `task` and the input's size has a default: the
//! picture stretched, red first, 0 to 1. Whether the input holds planes or pixels is the model's own affair. With the
//! feature `manifest_text`, [`Manifest::from_text`] and [`Manifest::to_toml`] read and write both forms; without it
//! any other serde format does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decoders::ScoreForm;
use crate::geometry::ImageSize;
use crate::keypoint_sets::KeypointSet;
use crate::model_input::{ColourOrder, Interpolation, MAX_SIDE_PX, Preprocessing, Resize};
use crate::task::{Role, Task};

/// What is said of a model. Made by reading text, which checks it, or from a
/// [`Proposal`](crate::proposal::Proposal).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Manifest {
    /// For people to choose by.
    pub name: String,
    /// As the publisher states it, an SPDX id where there is one; `unknown` is an answer.
    pub licence: String,
    /// Of the file, 64 hexadecimal digits in lower case.
    pub sha256: Option<String>,
    /// What the model is for.
    pub task: Task,
    /// Which points it gives, for tasks that give points.
    pub keypoints: Option<KeypointSet>,
    /// What its classes are called, by index; empty where nobody said.
    pub labels: Vec<String>,
    /// What the scores of classes and masks are, where their looks deceive.
    pub scores: Option<ScoreForm>,
    /// Sizes that the file leaves open, by the names that a reader asks for them with.
    pub sizes: BTreeMap<String, usize>,
    /// The input that takes the picture; the only one without it.
    pub input: Option<String>,
    /// What happens to a picture.
    pub preprocessing: Preprocessing,
    /// Which output is which; empty where a task reads the only output.
    pub outputs: BTreeMap<Role, String>,
}

/// Why a text is not a manifest: which key, what is wrong with it, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    message: String,
}

impl ManifestError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ManifestError {}

/// No manifest may have more labels; the largest public list of classes has 21,841.
pub const MAX_LABELS: usize = 100_000;

/// The keys as they are written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: String,
    licence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    task: Task,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keypoints: Option<KeypointSet>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<ScoreForm>,
    input: InputText,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sizes: BTreeMap<String, usize>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<Role, String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tensor: Option<String>,
    width_px: u32,
    height_px: u32,
    #[serde(default)]
    resize: Resize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shorter_side_px: Option<u32>,
    #[serde(default)]
    border: [u8; 3],
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    colours: ColourOrder,
    #[serde(default = "unit_range")]
    range: [f32; 2],
    #[serde(default)]
    mean: [f32; 3],
    #[serde(default = "ones")]
    std: [f32; 3],
}

fn unit_range() -> [f32; 2] {
    [0.0, 1.0]
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

impl TryFrom<Text> for Manifest {
    type Error = ManifestError;

    fn try_from(text: Text) -> Result<Self, ManifestError> {
        let input = text.input;
        let manifest = Self {
            name: text.name,
            licence: text.licence,
            sha256: text.sha256.map(|digits| digits.to_ascii_lowercase()),
            task: text.task,
            keypoints: text.keypoints,
            labels: text.labels,
            scores: text.scores,
            sizes: text.sizes,
            input: input.tensor,
            preprocessing: Preprocessing {
                size: ImageSize {
                    width_px: input.width_px,
                    height_px: input.height_px,
                },
                resize: input.resize,
                shorter_side_px: input.shorter_side_px,
                border: input.border,
                interpolation: input.interpolation,
                colours: input.colours,
                range: input.range,
                mean: input.mean,
                std: input.std,
            },
            outputs: text.outputs,
        };
        manifest.check()?;
        Ok(manifest)
    }
}

impl From<Manifest> for Text {
    fn from(manifest: Manifest) -> Self {
        let preprocessing = manifest.preprocessing;
        Self {
            name: manifest.name,
            licence: manifest.licence,
            sha256: manifest.sha256,
            task: manifest.task,
            keypoints: manifest.keypoints,
            labels: manifest.labels,
            scores: manifest.scores,
            input: InputText {
                tensor: manifest.input,
                width_px: preprocessing.size.width_px,
                height_px: preprocessing.size.height_px,
                resize: preprocessing.resize,
                shorter_side_px: preprocessing.shorter_side_px,
                border: preprocessing.border,
                interpolation: preprocessing.interpolation,
                colours: preprocessing.colours,
                range: preprocessing.range,
                mean: preprocessing.mean,
                std: preprocessing.std,
            },
            sizes: manifest.sizes,
            outputs: manifest.outputs,
        }
    }
}

impl Manifest {
    /// Whether everything in it can be used together. Reading a text does this by itself; a form that fills the fields
    /// in calls it before it goes on.
    ///
    /// # Errors
    /// The first key that is wrong, and what would be right.
    pub fn check(&self) -> Result<(), ManifestError> {
        let refuse = |message: String| Err(ManifestError::new(message));
        if self.name.trim().is_empty() {
            return refuse("name: it is empty; say how the model is to be called".to_owned());
        }
        if self.licence.trim().is_empty() {
            return refuse(
                "licence: it is empty; write what the publisher states, or \"unknown\"".to_owned(),
            );
        }
        if let Some(digits) = &self.sha256
            && (digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return refuse(format!(
                "sha256: it takes 64 hexadecimal digits; found {digits:?}"
            ));
        }
        let input = &self.preprocessing;
        for (key, side_px) in [
            ("width_px", Some(input.size.width_px)),
            ("height_px", Some(input.size.height_px)),
            ("shorter_side_px", input.shorter_side_px),
        ] {
            if side_px.is_some_and(|side_px| !(1..=MAX_SIDE_PX).contains(&side_px)) {
                return refuse(format!("input.{key}: it is from 1 to {MAX_SIDE_PX}"));
            }
        }
        if input.shorter_side_px.is_some() && input.resize != Resize::CentreCrop {
            return refuse("input.shorter_side_px: only resize = \"centre-crop\" has one".to_owned());
        }
        let numbers = [
            ("range", &input.range[..]),
            ("mean", &input.mean),
            ("std", &input.std),
        ];
        for (key, values) in numbers {
            if !values.iter().all(|value| value.is_finite()) {
                return refuse(format!("input.{key}: its numbers must be finite"));
            }
        }
        if input.range[0] == input.range[1] {
            return refuse("input.range: black and white would be the same".to_owned());
        }
        if input.std.contains(&0.0) {
            return refuse("input.std: nothing can be divided by 0".to_owned());
        }
        if input.interpolation == Interpolation::Warp && input.border != [0; 3] {
            return refuse("input.border: beside a picture that is warped everything is black".to_owned());
        }
        if self.labels.len() > MAX_LABELS {
            return refuse(format!("labels: there are more than {MAX_LABELS}"));
        }
        if self.keypoints.is_some() && !self.task.gives_points() {
            return refuse(format!("keypoints: task \"{}\" gives none", self.task.id()));
        }
        if self.scores.is_some() && !matches!(self.task, Task::Classes | Task::Mask) {
            return refuse(format!(
                "scores: task \"{}\" takes what the model gives",
                self.task.id()
            ));
        }
        let (needs, may_have) = (self.task.needs(), self.task.may_have());
        let known = || needs.iter().chain(may_have);
        if let Some(role) = self
            .outputs
            .keys()
            .find(|role| !known().any(|known| known == *role))
        {
            let known: Vec<&str> = known().map(|role| role.id()).collect();
            return refuse(format!(
                "outputs.{}: task \"{}\" does not read it; it reads {}",
                role.id(),
                self.task.id(),
                known.join(", ")
            ));
        }
        let may_be_left_out = needs.len() == 1 && self.outputs.is_empty();
        match needs.iter().find(|role| !self.outputs.contains_key(role)) {
            Some(role) if !may_be_left_out => refuse(format!(
                "outputs.{}: it is missing; task \"{}\" reads it",
                role.id(),
                self.task.id()
            )),
            _ => Ok(()),
        }
    }

    /// Reads a manifest: JSON where the text begins with `{`, else TOML.
    ///
    /// # Errors
    /// Where the text is no TOML or JSON, a key is missing, unknown or of the wrong kind, or [`Manifest::check`] fails.
    #[cfg(feature = "manifest_text")]
    pub fn from_text(text: &str) -> Result<Self, ManifestError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| ManifestError::new(error.to_string()))
        } else {
            toml::from_str(text).map_err(|error| ManifestError::new(error.to_string().trim_end()))
        }
    }

    /// Writes it as TOML.
    ///
    /// # Errors
    /// Those of [`Manifest::check`].
    #[cfg(feature = "manifest_text")]
    pub fn to_toml(&self) -> Result<String, ManifestError> {
        self.check()?;
        toml::to_string(self).map_err(|error| ManifestError::new(error.to_string()))
    }

    /// Writes it as JSON on several lines.
    ///
    /// # Errors
    /// Those of [`Manifest::check`].
    #[cfg(feature = "manifest_text")]
    pub fn to_json(&self) -> Result<String, ManifestError> {
        self.check()?;
        serde_json::to_string_pretty(self).map_err(|error| ManifestError::new(error.to_string()))
    }
}

#[cfg(all(test, feature = "manifest_text"))]
mod tests {
    use super::*;

    const MINIMAL: &str =
        "name = 'n'\nlicence = 'MIT'\ntask = 'classes'\n[input]\nwidth_px = 8\nheight_px = 4\n";

    const WHOLE: &str = "\
name = 'RTMPose-s'
licence = 'Apache-2.0'
sha256 = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD'
task = 'simcc'
keypoints = 'coco-17'

[input]
tensor = 'input'
width_px = 192
height_px = 256
resize = 'letterbox'
border = [0, 0, 0]
interpolation = 'bilinear'
colours = 'bgr'
range = [0, 255]
mean = [123.675, 116.28, 103.53]
std = [58.395, 57.12, 57.375]

[outputs]
simcc-x = 'simcc_x'
simcc-y = 'simcc_y'
";

    #[test]
    fn what_is_not_said_has_defaults() {
        let manifest = Manifest::from_text(MINIMAL).expect("all that is needed is there");
        let size = ImageSize {
            width_px: 8,
            height_px: 4,
        };
        assert_eq!(manifest.preprocessing, Preprocessing::plain(size));
        assert!(manifest.labels.is_empty() && manifest.outputs.is_empty());
    }

    #[test]
    fn both_forms_lead_back() {
        let whole = Manifest::from_text(WHOLE).expect("a whole manifest");
        assert_eq!(whole.preprocessing.colours, ColourOrder::Bgr);
        assert_eq!(whole.preprocessing.mean[0], 123.675);
        assert_eq!(whole.outputs[&Role::SimccY], "simcc_y");
        assert!(
            whole
                .sha256
                .as_deref()
                .is_some_and(|digits| digits.starts_with("ba78"))
        );
        let cropped = Manifest {
            task: Task::Classes,
            keypoints: None,
            labels: vec!["cat".to_owned(), "a \"quoted\" dog".to_owned()],
            scores: Some(ScoreForm::Logits),
            sizes: [("height".to_owned(), 256)].into(),
            outputs: BTreeMap::new(),
            preprocessing: Preprocessing {
                resize: Resize::CentreCrop,
                shorter_side_px: Some(256),
                interpolation: Interpolation::Antialiased,
                ..whole.preprocessing.clone()
            },
            ..whole.clone()
        };
        for manifest in [whole, cropped] {
            let toml = manifest.to_toml().expect("it can be written");
            assert_eq!(Manifest::from_text(&toml).as_ref(), Ok(&manifest), "{toml}");
            assert!(toml.contains("123.675"), "digits that nobody wrote: {toml}");
            let json = manifest.to_json().expect("it can be written");
            assert_eq!(Manifest::from_text(&json), Ok(manifest), "{json}");
        }
    }

    /// What is replaced in the minimal manifest, and what the error must say.
    #[test]
    fn errors_name_the_key_and_what_would_be_right() {
        for (from, to, expected) in [
            (
                "'MIT'",
                "' '",
                "licence: it is empty; write what the publisher states, or \"unknown\"",
            ),
            ("'n'", "''", "name: it is empty"),
            ("licence = 'MIT'\n", "", "missing field `licence`"),
            ("licence", "license", "unknown field `license`"),
            (
                "'classes'",
                "'class'",
                "unknown variant `class`, expected one of `movenet`",
            ),
            (
                "task",
                "sha256 = 'abc'\ntask",
                "sha256: it takes 64 hexadecimal digits; found \"abc\"",
            ),
            (
                "task",
                "keypoints = 'coco-17'\ntask",
                "keypoints: task \"classes\" gives none",
            ),
            (
                "task = 'classes'",
                "task = 'yolo-detect'\nscores = 'logits'",
                "scores: task \"yolo-detect\" takes",
            ),
            ("= 8", "= 0", "input.width_px: it is from 1 to 8192"),
            (
                "= 4",
                "= 4\nstd = [1, 0, 1]",
                "input.std: nothing can be divided by 0",
            ),
            ("= 4", "= 4\nmean = [1, 0]", "mean"),
            (
                "= 4",
                "= 4\nmean = [nan, 0, 0]",
                "input.mean: its numbers must be finite",
            ),
            (
                "= 4",
                "= 4\nrange = [1, 1]",
                "input.range: black and white would be the same",
            ),
            ("= 4", "= 4\nborder = [1, 1, 256]", "border"),
            (
                "= 4",
                "= 4\nshorter_side_px = 9",
                "input.shorter_side_px: only resize",
            ),
            (
                "= 4",
                "= 4\n[outputs]\nmask = 'm'",
                "outputs.mask: task \"classes\" does not read it; it reads scores",
            ),
            (
                "'classes'",
                "'simcc'",
                "outputs.simcc-x: it is missing; task \"simcc\" reads it",
            ),
            ("task", "[", "TOML parse error at line 3, column 3"),
        ] {
            let text = MINIMAL.replacen(from, to, 1);
            let error = Manifest::from_text(&text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = Manifest::from_text("{\"name\": 3}").expect_err("a number is no name");
        assert!(error.to_string().contains("invalid type: integer `3`"), "{error}");
    }
}
