//! What the interface and its worker say to each other: one request at a time, signs of life, one answer.
//!
//! Messages cross as JSON text, because they are few and small; files and pictures ride along as browser objects.

use std::collections::BTreeMap;

use plumbline_core::manifest::Manifest;
use plumbline_web::platform::painter;
use serde::{Deserialize, Serialize};

/// What a person has said of a model where its file is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Open sizes, by the name under which they are asked for.
    pub sizes: BTreeMap<String, usize>,
    /// Inputs that are the same for every frame: numbers separated by spaces, by the input's name.
    pub values: BTreeMap<String, String>,
}

/// From the interface to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToLab {
    /// Read the file that rides along. Answered by [`FromLab::Read`].
    Open {
        /// The file's name.
        name: String,
        /// Which model, where the file is an archive; the first without it.
        entry: Option<String>,
        /// What the person has said of it.
        answers: Answers,
    },
    /// Read the same file once more.
    Read {
        /// As in [`ToLab::Open`].
        entry: Option<String>,
        /// As in [`ToLab::Open`].
        answers: Answers,
    },
    /// Read the manifest that rides along. Answered by [`FromLab::Manifest`].
    ReadManifest,
    /// Run it on both backends. Answered by [`FromLab::Tested`].
    Test,
    /// Run it on the picture that rides along: a file, a frame, or nothing for the drawn person. Answered by
    /// [`FromLab::Tried`].
    Try {
        /// Which trial this is, so that a late answer is not taken for another's.
        number: u32,
        /// How the picture becomes its input, and what its outputs are.
        manifest: Box<Manifest>,
        /// Where it runs.
        backend: Backend,
        /// Whether more frames of the same source follow, so that people may be followed.
        moves: bool,
        /// What is drawn with.
        palette: Palette,
    },
    /// Run it on the frame that rides along, as the trial before. Answered by [`FromLab::Tried`].
    TryNext {
        /// As in [`ToLab::Try`].
        number: u32,
    },
    /// Keep the file in the browser's storage, under its hash, with this text beside it. Answered by [`FromLab::Kept`].
    Keep {
        /// The record, as JSON.
        record: String,
    },
}

/// Where a model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    /// WebAssembly.
    #[default]
    Cpu,
    /// WebGPU.
    Gpu,
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Bytes come in from the file.
    Opening,
    /// The file's hash is computed.
    Hashing,
    /// Inputs, outputs and operators are listed.
    Surveying,
    /// A graph is made, planned and costed.
    Reading,
    /// Weights are packed for the CPU.
    Packing,
    /// It runs on the CPU.
    OnCpu,
    /// Shaders compile.
    Compiling,
    /// It runs on the GPU.
    OnGpu,
    /// A picture is made its input.
    Looking,
    /// It is written to the browser's storage.
    Keeping,
}

impl Stage {
    /// As a person reads it, after "It is ".
    pub fn doing(self) -> &'static str {
        match self {
            Self::Opening => "opening the file",
            Self::Hashing => "computing the file's hash",
            Self::Surveying => "listing operators",
            Self::Reading => "reading the model",
            Self::Packing => "packing weights for the CPU",
            Self::OnCpu => "running on the CPU",
            Self::Compiling => "compiling shaders for the GPU",
            Self::OnGpu => "running on the GPU",
            Self::Looking => "looking at the picture",
            Self::Keeping => "storing the file",
        }
    }
}

/// From the worker to the interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromLab {
    /// It listens.
    Started,
    /// It is alive and at this.
    Sign {
        /// What it is at.
        stage: Stage,
        /// How far, of `total`; both 0 where nobody knows.
        done: u64,
        /// How far it has to go.
        total: u64,
    },
    /// What the file is.
    Read(Box<Findings>),
    /// What a manifest says.
    Manifest(Box<Manifest>),
    /// How it runs on the CPU, while the GPU is still to be tried; no answer yet.
    TestedOnCpu(Box<TestReport>),
    /// How it runs.
    Tested(Box<TestReport>),
    /// What it finds in a picture; the drawing rides along.
    Tried(Box<Tried>),
    /// It is stored.
    Kept,
    /// Its last words.
    Died {
        /// What it dies of.
        what: String,
    },
    /// The request came to nothing; the worker is well.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// SHA-256 of the whole file, in hexadecimal; none where the browser computes no hashes.
    pub sha256: Option<String>,
    /// Bytes of the whole file.
    pub file_bytes: u64,
    /// The models in an archive; empty for a file that is one.
    pub entries: Vec<String>,
    /// The one that this is about.
    pub entry: Option<String>,
    /// The format's name and version.
    pub format: String,
    /// Inputs as the file states them.
    pub inputs: Vec<PortFacts>,
    /// Outputs as the file states them.
    pub outputs: Vec<PortFacts>,
    /// Operators, refused ones first.
    pub operators: Vec<OperatorFacts>,
    /// Whether it runs.
    pub verdict: Verdict,
    /// What it probably is for, the most probable first.
    pub proposals: Vec<ProposalFacts>,
}

/// What a model may be for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposalFacts {
    /// How sure that is, in a word.
    pub confidence: String,
    /// Why, in a sentence.
    pub why: String,
    /// What has to be known when it is used.
    pub note: Option<String>,
    /// What only a person can know.
    pub unknown: Vec<Unknown>,
    /// What is proposed; where something is unknown, a guess.
    pub manifest: Manifest,
}

/// What the file does not say of its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unknown {
    /// What so many classes are called.
    Labels(usize),
    /// Which numbers black and white become.
    Values,
    /// Red or blue first.
    Colours,
    /// How a picture gets the input's size.
    Resize,
    /// What so many points are called.
    Keypoints(usize),
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortFacts {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub element: String,
    /// Sizes, `?` or a name where one is open; what the graph says where there is one.
    pub shape: Vec<String>,
}

/// An operator of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorFacts {
    /// Its name.
    pub name: String,
    /// Nodes that use it.
    pub nodes: usize,
    /// Nodes that the engine refuses.
    pub refused: usize,
}

/// Why a model is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The node, tensor or part of the file.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// Whether a model runs here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// It does.
    Runs(Cost),
    /// It does once these are answered.
    Asks(Vec<Question>),
    /// It does not. There may be many gaps; the first are listed.
    Refused {
        /// In the order of the file.
        gaps: Vec<Gap>,
        /// How many there are in all.
        total: usize,
    },
}

/// What a frame costs, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Multiply-accumulates a frame.
    pub macs: u64,
    /// Stored weights.
    pub parameters: u64,
    /// Steps a frame.
    pub steps: u32,
    /// Memory while it runs on the CPU, the file included.
    pub memory_bytes: u64,
}

/// What only a person can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// A size that the file leaves open.
    Size {
        /// Its name.
        name: String,
    },
    /// The value of an input that decides what the graph is.
    Value {
        /// The input.
        input: String,
        /// What its elements are.
        element: String,
        /// Its sizes.
        shape: Vec<String>,
    },
}

/// How a model runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestReport {
    /// What was looked at, in order.
    pub checks: Vec<Check>,
    /// Time of a run on the CPU.
    pub cpu: Timing,
    /// Time of a run on the GPU, or why there is none.
    pub gpu: Result<Timing, String>,
    /// What is behind WebGPU, and whether it computes on the processor.
    pub adapter: Option<(String, bool)>,
}

/// Colours as the browser writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Palette {
    /// Of people.
    #[serde(with = "MarkPalette")]
    pub marks: painter::Palette,
    /// Of everything else that was found.
    pub found: String,
}

/// How the page's palette crosses.
#[derive(Serialize, Deserialize)]
#[serde(remote = "painter::Palette")]
struct MarkPalette {
    left: String,
    right: String,
    middle: String,
    casing: String,
}

/// What a model finds in a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Of the trial.
    pub number: u32,
    /// In a sentence.
    pub summary: String,
    /// What the columns of the rows are.
    pub heads: [String; 3],
    /// In detail.
    pub rows: Vec<[String; 3]>,
    /// The colour of each row in the drawing, where it has one of its own; as many as rows, or none.
    pub colours: Vec<Option<String>>,
    /// Of the model alone.
    pub model_millis: f64,
    /// From the picture's arrival to the drawing.
    pub frame_millis: f64,
    /// Where it ran: "on the CPU".
    pub place: String,
}

/// Something that the self-test looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it is as it should be; none where it could not be looked at.
    pub passed: Option<bool>,
    /// The number behind it, or why it could not be looked at.
    pub detail: String,
}

/// Times of some runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Runs that count.
    pub runs: usize,
    /// Half of them took longer.
    pub median_millis: f64,
    /// A quarter took less.
    pub low_millis: f64,
    /// A quarter took more.
    pub high_millis: f64,
}
