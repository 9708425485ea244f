//! What a model that somebody brings probably is: from the names, types and shapes of its inputs and outputs.
//!
//! A proposal says how sure it is and why, and what only a person can know. Shapes are those of published exports: the
//! model pages of MoveNet (TensorFlow Hub), MMPose's deployed SimCC models, Ultralytics' exports of YOLO 8 and 11 and
//! their successors with suppression inside, MediaPipe's landmark models, and image classifiers and segmenters of
//! torchvision, timm and Keras.

mod top_down;

use std::collections::BTreeMap;
use std::fmt;

use crate::decoders::yolo::cells_of;
use crate::geometry::ImageSize;
use crate::keypoint_sets::KeypointSet;
use crate::manifest::Manifest;
use crate::model_input::{Interpolation, Layout, Preprocessing, Resize, picture_input};
use crate::task::{Role, Task};
use top_down::NEEDS_ONE;

/// What a reader of model files knows of an input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorFacts<'a> {
    /// In the file.
    pub name: &'a str,
    /// With all sizes known.
    pub shape: &'a [usize],
    /// Whether its elements are integers.
    pub is_integer: bool,
    /// For outputs: the name of the operator that writes it, where that is known (`Softmax`, `LOGISTIC`).
    pub written_by: Option<&'a str>,
}

/// How sure a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The shapes fit, and so do those of other kinds of models.
    Possible,
    /// Hardly anything else has these shapes.
    Likely,
    /// Several independent facts say the same.
    Certain,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        })
    }
}

/// What the file does not say and a person has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Under which licence the weights are.
    Licence,
    /// What so many classes are called.
    Labels(usize),
    /// Which numbers black and white become, mean and deviation.
    Values,
    /// Red or blue first.
    Colours,
    /// How a picture gets the input's size.
    Resize,
    /// What so many points are called.
    Keypoints(usize),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Licence => f.write_str("Under which licence are the weights published?"),
            Self::Labels(count) => write!(f, "What are its {count} classes called, in order?"),
            Self::Values => f.write_str(
                "Which numbers does it take for black and white, and are a mean and a deviation applied?",
            ),
            Self::Colours => f.write_str("Does it take red or blue first?"),
            Self::Resize => {
                f.write_str("Were pictures stretched, framed or cut to the input's size in training?")
            }
            Self::Keypoints(count) => write!(f, "What are its {count} points called, in order?"),
        }
    }
}

/// One thing that a model may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What for.
    pub task: Task,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why, in a sentence.
    pub why: String,
    /// The input that takes the picture.
    pub input: String,
    /// What happens to a picture before; as published where the family is known, and a guess where
    /// [`Proposal::questions`] says so.
    pub preprocessing: Preprocessing,
    /// Which output is which.
    pub outputs: BTreeMap<Role, String>,
    /// Which points it gives.
    pub keypoints: Option<KeypointSet>,
    /// What only a person can know. The licence is always among them.
    pub questions: Vec<Question>,
    /// What has to be known when it is used, in a sentence.
    pub note: Option<&'static str>,
}

impl Proposal {
    /// A manifest of it, for a person to complete. It is not checked yet ([`Manifest::check`]).
    pub fn manifest(&self, name: &str, licence: &str, sha256: Option<String>) -> Manifest {
        Manifest {
            name: name.to_owned(),
            licence: licence.to_owned(),
            sha256,
            task: self.task,
            keypoints: self.keypoints,
            labels: Vec::new(),
            scores: None,
            sizes: BTreeMap::new(),
            input: Some(self.input.clone()),
            preprocessing: self.preprocessing.clone(),
            outputs: self.outputs.clone(),
        }
    }
}

/// What a model may be, the most probable first, without mere possibilities where one is certain; nothing for models that take no picture or give nothing that is known.
pub fn propose(inputs: &[TensorFacts<'_>], outputs: &[TensorFacts<'_>]) -> Vec<Proposal> {
    let [input] = inputs else { return Vec::new() };
    let Some((layout, size)) = picture_input(input.shape) else {
        return Vec::new();
    };
    let model = Model {
        input,
        layout,
        size,
        outputs,
    };
    let mut proposals: Vec<Proposal> = [
        model.movenet(),
        model.movenet_multipose(),
        model.simcc(),
        model.heatmaps(),
        model.mediapipe(),
        model.yolo_pose(),
        model.yolo_detect(),
        model.mask(),
        model.classes(),
        model.embedding(),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Stable: of equally sure ones the more special family stays first.
    proposals.sort_by_key(|proposal| std::cmp::Reverse(proposal.confidence));
    if proposals
        .first()
        .is_some_and(|best| best.confidence == Confidence::Certain)
    {
        proposals.retain(|proposal| proposal.confidence > Confidence::Possible);
    }
    proposals
}

/// A model that takes a picture.
struct Model<'a> {
    input: &'a TensorFacts<'a>,
    layout: Layout,
    size: ImageSize,
    outputs: &'a [TensorFacts<'a>],
}

impl<'a> Model<'a> {
    fn proposal(
        &self,
        task: Task,
        confidence: Confidence,
        why: impl Into<String>,
        outputs: &[(Role, &TensorFacts<'_>)],
    ) -> Proposal {
        let outputs = outputs
            .iter()
            .map(|(role, output)| (*role, output.name.to_owned()));
        Proposal {
            task,
            confidence,
            why: why.into(),
            input: self.input.name.to_owned(),
            preprocessing: Preprocessing::plain(self.size),
            outputs: outputs.collect(),
            keypoints: None,
            questions: vec![Question::Licence],
            note: None,
        }
    }

    fn output_of_shape(&self, shape: &[usize]) -> Option<&'a TensorFacts<'a>> {
        self.outputs.iter().find(|output| output.shape == shape)
    }

    /// The only output.
    fn sole_output(&self) -> Option<&'a TensorFacts<'a>> {
        match self.outputs {
            [output] => Some(output),
            _ => None,
        }
    }

    fn is_square_of(&self, sides_px: &[u32]) -> bool {
        self.size.width_px == self.size.height_px && sides_px.contains(&self.size.width_px)
    }

    /// <https://www.kaggle.com/models/google/movenet>: whole levels, the picture framed in black.
    fn movenet(&self) -> Option<Proposal> {
        let output = self.output_of_shape(&[1, 1, 17, 3])?;
        let known = self.is_square_of(&[192, 256]) && self.layout == Layout::Nhwc;
        let confidence = if known {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        Some(Proposal {
            preprocessing: self.in_black_frame(),
            keypoints: Some(KeypointSet::Coco17),
            ..self.proposal(
                Task::MoveNet,
                confidence,
                "an output of 17 points with y, x and score, as MoveNet gives it",
                &[(Role::Keypoints, output)],
            )
        })
    }

    fn movenet_multipose(&self) -> Option<Proposal> {
        let output = self.output_of_shape(&[1, 6, 56])?;
        Some(Proposal {
            preprocessing: self.in_black_frame(),
            keypoints: Some(KeypointSet::Coco17),
            ..self.proposal(
                Task::MoveNetMultiPose,
                Confidence::Certain,
                "six people of 17 points and a box, as MoveNet MultiPose gives them",
                &[(Role::Keypoints, output)],
            )
        })
    }

    fn in_black_frame(&self) -> Preprocessing {
        Preprocessing {
            resize: Resize::Letterbox,
            range: [0.0, 255.0],
            ..Preprocessing::plain(self.size)
        }
    }

    /// MediaPipe's `pose_landmark`, `hand_landmark` and `face_landmark` with their attention variant.
    fn mediapipe(&self) -> Option<Proposal> {
        if self.layout != Layout::Nhwc {
            return None;
        }
        let of_length = |length: usize| {
            self.outputs
                .iter()
                .filter(move |output| row_length(output.shape) == Some(length))
        };
        let (task, landmarks, keypoints, why) = if let Some(output) = of_length(195).next() {
            let why = "39 landmarks of five numbers, as BlazePose gives them";
            (Task::MediapipePose, output, KeypointSet::Blazepose33, why)
        } else if let Some(output) = of_length(63).next() {
            let why = "21 landmarks of three numbers, as MediaPipe's hand model gives them";
            (Task::MediapipeHand, output, KeypointSet::Hand21, why)
        } else if let Some(output) = of_length(1404).chain(of_length(1434)).next() {
            let why = "468 or 478 landmarks of three numbers, as MediaPipe's face mesh gives them";
            (Task::MediapipeFace, output, KeypointSet::Numbered, why)
        } else {
            return None;
        };
        let known_sides_px: &[u32] = match task {
            Task::MediapipePose => &[256],
            Task::MediapipeHand => &[224, 256],
            _ => &[192, 256],
        };
        let mut roles = vec![(Role::Landmarks, landmarks)];
        let singles = of_length(1);
        let single_roles = [Role::Presence, Role::Handedness]
            .into_iter()
            .filter(|role| task.may_have().contains(role));
        roles.extend(single_roles.zip(singles));
        let confidence = if roles.len() > 1 && self.is_square_of(known_sides_px) {
            Confidence::Certain
        } else {
            Confidence::Possible
        };
        Some(Proposal {
            keypoints: Some(keypoints),
            note: Some(if task == Task::MediapipePose {
                NEEDS_ONE
            } else {
                "it expects an upright crop of what it finds; cut the picture first"
            }),
            ..self.proposal(task, confidence, why, &roles)
        })
    }

    fn in_grey_frame(&self) -> Preprocessing {
        Preprocessing {
            resize: Resize::Letterbox,
            border: [114; 3],
            ..Preprocessing::plain(self.size)
        }
    }

    /// <https://docs.ultralytics.com/tasks/pose>: `[1, 4 + 1 + 3 K, cells]`, or `[1, N, 6 + 3 K]` with suppression.
    fn yolo_pose(&self) -> Option<Proposal> {
        let output = self.sole_output()?;
        let &[1, rows, columns] = output.shape else {
            return None;
        };
        let (count, confidence, why) = if cells_of(self.size) == Some(columns) && rows >= 8 && rows % 3 == 2 {
            let count = (rows - 5) / 3;
            let why = format!(
                "a box, a score and {count} points for each of {columns} cells, as YOLO-pose gives them"
            );
            (
                count,
                if rows == 56 {
                    Confidence::Likely
                } else {
                    Confidence::Possible
                },
                why,
            )
        } else if (1..=1000).contains(&rows) && columns > 6 && columns.is_multiple_of(3) {
            let count = (columns - 6) / 3;
            let why = format!("{rows} finished candidates of a box, a score, a class and {count} points");
            (
                count,
                if columns == 57 {
                    Confidence::Certain
                } else {
                    Confidence::Possible
                },
                why,
            )
        } else {
            return None;
        };
        let keypoints = KeypointSet::of_count(count);
        let mut proposal = Proposal {
            preprocessing: self.in_grey_frame(),
            keypoints: Some(keypoints),
            ..self.proposal(Task::YoloPose, confidence, why, &[(Role::Predictions, output)])
        };
        if keypoints == KeypointSet::Numbered {
            proposal.questions.push(Question::Keypoints(count));
        }
        Some(proposal)
    }

    /// <https://docs.ultralytics.com/tasks/detect>: `[1, 4 + classes, cells]`, or `[1, N, 6]` with suppression inside.
    fn yolo_detect(&self) -> Option<Proposal> {
        let output = self.sole_output()?;
        let (confidence, why, question) = match *output.shape {
            [1, rows, cells] if rows > 4 && cells_of(self.size) == Some(cells) => {
                let classes = rows - 4;
                let confidence = if rows == 84 {
                    Confidence::Certain
                } else if rows % 3 == 2 {
                    Confidence::Possible
                } else {
                    Confidence::Likely
                };
                let why = format!("a box and {classes} scores for each of {cells} cells, as YOLO gives them");
                (confidence, why, Question::Labels(classes))
            }
            [1, rows @ 1..=1000, 6] => {
                let why = format!("{rows} finished candidates of a box, a score and a class");
                (Confidence::Likely, why, Question::Labels(0))
            }
            _ => return None,
        };
        let mut proposal = Proposal {
            preprocessing: self.in_grey_frame(),
            ..self.proposal(Task::YoloDetect, confidence, why, &[(Role::Predictions, output)])
        };
        // How many classes stand behind numbers of classes nobody can see.
        if question != Question::Labels(0) {
            proposal.questions.push(question);
        }
        Some(proposal)
    }

    fn mask(&self) -> Option<Proposal> {
        let output = self.outputs.first()?;
        let (classes, height, width) = planes(output.shape, self.layout)?;
        let (input_width, input_height) = (self.size.width_px as usize, self.size.height_px as usize);
        let fits = |whole: usize, part: usize| part >= whole.div_ceil(32) && part <= whole * 4;
        let same_size = (width, height) == (input_width, input_height);
        if classes > 512
            || !fits(input_width, width)
            || !fits(input_height, height)
            || (output.shape.len() == 3 && !same_size)
        {
            return None;
        }
        // Landmark models give heatmaps as well; as many planes as a body has points are rather those.
        let looks_like_points = KeypointSet::of_count(classes) != KeypointSet::Numbered;
        let confidence = if same_size && self.outputs.len() == 1 && !looks_like_points {
            Confidence::Likely
        } else {
            Confidence::Possible
        };
        let why = match classes {
            1 => format!("a number for each of {width}x{height} pixels"),
            _ => format!("{classes} numbers for each of {width}x{height} pixels"),
        };
        let mut proposal = self.proposal(Task::Mask, confidence, why, &[(Role::Mask, output)]);
        self.guess_values(&mut proposal);
        if classes > 1 {
            proposal.questions.push(Question::Labels(classes));
        }
        Some(proposal)
    }

    fn classes(&self) -> Option<Proposal> {
        let output = self.outputs.first()?;
        let count = row_length(output.shape).filter(|&count| (2..=1 << 20).contains(&count))?;
        let ends_as_scores = output.written_by.is_some_and(|operator| {
            let operator = operator.to_ascii_lowercase();
            ["softmax", "logistic", "sigmoid"].contains(&operator.as_str())
        });
        let (confidence, why) = match count {
            1000 | 1001 => (
                if self.outputs.len() == 1 {
                    Confidence::Certain
                } else {
                    Confidence::Likely
                },
                format!("{count} numbers for the whole picture, as many as ImageNet has classes"),
            ),
            _ if ends_as_scores => (
                Confidence::Likely,
                format!("{count} numbers for the whole picture, which end as probabilities"),
            ),
            _ => (
                Confidence::Possible,
                format!("{count} numbers for the whole picture"),
            ),
        };
        let mut proposal = self.proposal(Task::Classes, confidence, why, &[(Role::Scores, output)]);
        self.guess_values(&mut proposal);
        self.guess_resize(&mut proposal);
        proposal.questions.push(Question::Labels(count));
        Some(proposal)
    }

    fn embedding(&self) -> Option<Proposal> {
        let output = self.outputs.first()?;
        let count = row_length(output.shape)
            .filter(|&count| (16..=1 << 16).contains(&count) && !matches!(count, 1000 | 1001))?;
        let normalised = output
            .written_by
            .is_some_and(|operator| ["L2Norm", "LpNormalization", "L2_NORMALIZATION"].contains(&operator));
        let usual = [
            128, 160, 192, 256, 320, 384, 512, 576, 640, 768, 960, 1024, 1280, 1536, 2048,
        ];
        let confidence = if normalised || usual.contains(&count) {
            Confidence::Likely
        } else {
            Confidence::Possible
        };
        let why = format!("{count} numbers for the whole picture");
        let mut proposal = self.proposal(Task::Embedding, confidence, why, &[(Role::Embedding, output)]);
        self.guess_values(&mut proposal);
        self.guess_resize(&mut proposal);
        Some(proposal)
    }

    /// Whole levels where the input is of integers; else what most models of this layout take, and a question.
    fn guess_values(&self, proposal: &mut Proposal) {
        let preprocessing = &mut proposal.preprocessing;
        if self.input.is_integer {
            preprocessing.range = [0.0, 255.0];
            return;
        }
        match self.layout {
            Layout::Nchw => (preprocessing.mean, preprocessing.std) = Preprocessing::IMAGENET,
            Layout::Nhwc if proposal.task == Task::Classes => preprocessing.range = [-1.0, 1.0],
            Layout::Nhwc => {}
        }
        proposal.questions.push(Question::Values);
    }

    /// As torchvision's models are evaluated: the middle seven eighths.
    fn guess_resize(&self, proposal: &mut Proposal) {
        if self.layout == Layout::Nchw {
            let side_px = self.size.width_px.max(self.size.height_px);
            proposal.preprocessing.resize = Resize::CentreCrop;
            proposal.preprocessing.shorter_side_px = Some(side_px.saturating_mul(8) / 7);
            proposal.preprocessing.interpolation = Interpolation::Antialiased;
        }
        proposal.questions.push(Question::Resize);
    }
}

/// The length of an output of which all axes but one have size 1.
fn row_length(shape: &[usize]) -> Option<usize> {
    let mut sizes = shape.iter().skip(1).filter(|&&size| size != 1);
    let length = sizes.next().copied().unwrap_or(1);
    (shape.first() == Some(&1) && sizes.next().is_none()).then_some(length)
}

/// Classes, height and width of an output that has numbers for pixels; `[1, H, W]` has one class.
pub(crate) fn planes(shape: &[usize], layout: Layout) -> Option<(usize, usize, usize)> {
    let (classes, height, width) = match *shape {
        [1, height, width, 1] if height > 1 => (1, height, width),
        [1, 1, height, width] if width > 1 => (1, height, width),
        [1, height, width, classes] if layout == Layout::Nhwc => (classes, height, width),
        [1, classes, height, width] => (classes, height, width),
        [1, height, width] => (1, height, width),
        _ => return None,
    };
    (classes > 0 && height > 1 && width > 1).then_some((classes, height, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(name: &'a str, shape: &'a [usize]) -> TensorFacts<'a> {
        TensorFacts {
            name,
            shape,
            is_integer: false,
            written_by: None,
        }
    }

    /// Input, outputs, and what is proposed: task, how sure.
    #[test]
    fn published_shapes_are_recognised() {
        use Confidence::{Certain, Likely, Possible};
        type Case<'a> = (&'a [usize], &'a [&'a [usize]], &'a [(Task, Confidence)]);
        let cases: [Case; 26] = [
            (&[1, 192, 192, 3], &[&[1, 1, 17, 3]], &[(Task::MoveNet, Certain)]),
            (&[1, 256, 256, 3], &[&[1, 1, 17, 3]], &[(Task::MoveNet, Certain)]),
            (
                &[1, 320, 256, 3],
                &[&[1, 6, 56]],
                &[(Task::MoveNetMultiPose, Certain)],
            ),
            (
                &[1, 3, 256, 192],
                &[&[1, 17, 384], &[1, 17, 512]],
                &[(Task::SimCc, Certain)],
            ),
            (
                &[1, 3, 256, 192],
                &[&[1, 26, 512], &[1, 26, 384]],
                &[(Task::SimCc, Certain)],
            ),
            (
                &[1, 3, 256, 192],
                &[&[1, 17, 576], &[1, 17, 768]],
                &[(Task::SimCc, Likely)],
            ),
            (&[1, 3, 256, 192], &[&[1, 17, 384], &[1, 16, 512]], &[]),
            (
                &[1, 3, 256, 192],
                &[&[1, 17, 64, 48]],
                &[(Task::Heatmaps, Likely), (Task::Mask, Possible)],
            ),
            (
                &[1, 256, 256, 3],
                &[&[1, 64, 64, 17]],
                &[(Task::Heatmaps, Possible), (Task::Mask, Possible)],
            ),
            (&[1, 3, 256, 192], &[&[1, 19, 64, 48]], &[(Task::Mask, Possible)]),
            (
                &[1, 3, 640, 640],
                &[&[1, 56, 8400]],
                &[(Task::YoloPose, Likely), (Task::YoloDetect, Possible)],
            ),
            (
                &[1, 3, 384, 640],
                &[&[1, 56, 5040]],
                &[(Task::YoloPose, Likely), (Task::YoloDetect, Possible)],
            ),
            (&[1, 3, 640, 640], &[&[1, 300, 57]], &[(Task::YoloPose, Certain)]),
            (
                &[1, 3, 640, 640],
                &[&[1, 84, 8400]],
                &[(Task::YoloDetect, Certain)],
            ),
            (&[1, 3, 640, 640], &[&[1, 300, 6]], &[(Task::YoloDetect, Likely)]),
            (
                &[1, 256, 256, 3],
                &[&[1, 195], &[1, 1], &[1, 256, 256, 1], &[1, 64, 64, 39], &[1, 117]],
                &[(Task::MediapipePose, Certain)],
            ),
            (
                &[1, 224, 224, 3],
                &[&[1, 63], &[1, 1], &[1, 1], &[1, 63]],
                &[(Task::MediapipeHand, Certain)],
            ),
            (
                &[1, 192, 192, 3],
                &[&[1, 1, 1, 1404], &[1, 1, 1, 1]],
                &[(Task::MediapipeFace, Certain)],
            ),
            (&[1, 3, 224, 224], &[&[1, 1000]], &[(Task::Classes, Certain)]),
            (&[1, 224, 224, 3], &[&[1, 1001]], &[(Task::Classes, Certain)]),
            (
                &[1, 3, 224, 224],
                &[&[1, 1000, 1, 1]],
                &[(Task::Classes, Certain)],
            ),
            (
                &[1, 3, 224, 224],
                &[&[1, 512]],
                &[(Task::Embedding, Likely), (Task::Classes, Possible)],
            ),
            (&[1, 256, 256, 3], &[&[1, 256, 256, 1]], &[(Task::Mask, Likely)]),
            (&[1, 3, 320, 320], &[&[1, 1, 320, 320]], &[(Task::Mask, Likely)]),
            (&[1, 3, 520, 520], &[&[1, 22, 520, 520]], &[(Task::Mask, Likely)]),
            (&[1, 1, 28, 28], &[&[1, 10]], &[]),
        ];
        for (input, outputs, expected) in cases {
            let named: Vec<String> = (0..outputs.len()).map(|index| format!("out{index}")).collect();
            let outputs: Vec<TensorFacts<'_>> = named
                .iter()
                .zip(outputs)
                .map(|(name, shape)| facts(name, shape))
                .collect();
            let found = propose(&[facts("in", input)], &outputs);
            let summary: Vec<(Task, Confidence)> = found
                .iter()
                .map(|proposal| (proposal.task, proposal.confidence))
                .collect();
            assert_eq!(summary, expected, "{input:?} -> {outputs:?}");
            for proposal in &found {
                assert!(proposal.questions.contains(&Question::Licence));
                let manifest = proposal.manifest("m", "unknown", None);
                assert_eq!(manifest.check(), Ok(()), "{proposal:?}");
            }
        }
    }

    #[test]
    fn distributions_are_told_apart_by_the_sides_and_then_by_names() {
        let x_of = |shapes: [&[usize]; 2], names: [&str; 2], input: &[usize]| {
            let outputs = [facts(names[0], shapes[0]), facts(names[1], shapes[1])];
            let found = propose(&[facts("in", input)], &outputs);
            found[0].outputs[&Role::SimccX].clone()
        };
        let (wide, tall): (&[usize], &[usize]) = (&[1, 17, 384], &[1, 17, 512]);
        assert_eq!(x_of([wide, tall], ["a", "b"], &[1, 3, 256, 192]), "a");
        assert_eq!(x_of([tall, wide], ["a", "b"], &[1, 3, 256, 192]), "b");
        assert_eq!(x_of([tall, tall], ["a", "b"], &[1, 3, 256, 256]), "a");
        assert_eq!(
            x_of([tall, tall], ["simcc_y", "simcc_x"], &[1, 3, 256, 256]),
            "simcc_x"
        );
    }

    #[test]
    fn what_is_guessed_is_asked() {
        let ask = |input: TensorFacts<'_>, output: TensorFacts<'_>| propose(&[input], &[output]).remove(0);
        let classes = ask(facts("in", &[1, 3, 224, 224]), facts("out", &[1, 1000]));
        assert_eq!(
            classes.questions,
            [
                Question::Licence,
                Question::Values,
                Question::Resize,
                Question::Labels(1000)
            ]
        );
        assert_eq!(classes.preprocessing.shorter_side_px, Some(256));
        let whole = TensorFacts {
            is_integer: true,
            ..facts("in", &[1, 224, 224, 3])
        };
        let levels = ask(whole, facts("out", &[1, 1001]));
        assert!(!levels.questions.contains(&Question::Values));
        assert_eq!(levels.preprocessing.range, [0.0, 255.0]);
        let movenet = ask(facts("in", &[1, 192, 192, 3]), facts("out", &[1, 1, 17, 3]));
        assert_eq!(movenet.questions, [Question::Licence]);
        let scores = TensorFacts {
            written_by: Some("SOFTMAX"),
            ..facts("out", &[1, 512])
        };
        assert_eq!(ask(facts("in", &[1, 224, 224, 3]), scores).task, Task::Classes);
    }

    #[test]
    fn hostile_shapes_are_nothing() {
        let huge = usize::MAX;
        for shape in [
            &[1, huge, huge, 3][..],
            &[1, 3, 64, huge],
            &[],
            &[0],
            &[1, 3, 64, 64],
        ] {
            for output in [
                &[1, huge, huge][..],
                &[1, huge],
                &[huge, huge],
                &[],
                &[0, 0, 0],
                &[1, 0, 8400],
            ] {
                for proposal in propose(&[facts("in", shape)], &[facts("out", output), facts("b", output)]) {
                    assert_eq!(proposal.task, Task::Embedding, "{shape:?} {output:?}");
                }
            }
        }
        assert!(propose(&[], &[]).is_empty());
    }
}
