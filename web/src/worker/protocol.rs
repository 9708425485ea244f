//! Everything that page and engine say to each other. Both ends match exhaustively.

use plumbline_core::people::{Person, PersonId};
use plumbline_core::pose::Pose;
use plumbline_pipeline::{Timings, Variant};
use web_sys::MessagePort;

use crate::live::backend::{Adapter, Backend, BackendChoice, BackendWish};
use crate::live::background::{Background, MaskModel};
use crate::live::options::ModelName;
use crate::live::workers::WorkersWish;
use crate::platform::picture::Picture;

/// From the page to the engine. Messages are answered one by one, in order.
#[derive(Clone, Debug)]
pub enum ToEngine {
    /// Make ready what is stored of this model, as it will probably be asked for. Not answered. Comes from `ahead.js`,
    /// before the app is there.
    Begin {
        /// Which landmark model; the detector goes with each.
        model: ModelName,
        /// Which backend will be wanted.
        wish: BackendWish,
    },
    /// Load the two models and make them ready to run; those before them are dropped. Answered by `Progress`,
    /// `WeightsReady` and `Prepared`, by `PrepareFailed`, or, after `Cancel`, not at all.
    Prepare {
        /// Comes back in the answer.
        attempt: u32,
        /// Which backend is wanted.
        wish: BackendWish,
        /// On the GPU, whether frames are copied where they could be looked at as they are.
        copies_frames: bool,
        /// On the CPU, how many workers are wanted.
        workers: WorkersWish,
        /// Which landmark model; the detector goes with each.
        model: ModelName,
    },
    /// Give up every `Prepare` so far whose weights are not there. Not answered.
    Cancel,
    /// Measure a frame. Answered by `Measured` or `FrameFailed`. The engine closes the picture. On the GPU a second one
    /// may be sent before the first is answered, and gains time by it.
    Measure {
        /// Comes back in the answer.
        frame: FrameStamp,
        /// Run it on the GPU beside the CPU too, beginning with this one. Answered by `Compared` or `GpuFailed` besides.
        compare: Option<Backend>,
        /// How many people are followed at most, from this frame on. With more than one the GPU takes one frame at a
        /// time, and no backend is compared.
        people: u32,
        /// The frame, transferred.
        picture: Picture,
    },
    /// Make the models ready on the GPU beside the CPU, which goes on answering; what the GPU holds is dropped first.
    /// Answered by `GpuReady` or `GpuFailed`.
    PrepareGpu {
        /// In which way they run there.
        variant: Variant,
    },
    /// Answer on this one from now on, and free the other. Not answered.
    Settle {
        /// Which.
        backend: Backend,
    },
    /// Show the person in front of this from the next frame on. Frames that have a background say so. Where the skeleton's
    /// model makes the mask, the models are planned anew with the first of them, because only then is there one; another
    /// model is fetched first, which `Mask` tells of.
    SetBackground {
        /// What is wanted.
        background: Background,
        /// The picture, where it is one; a copy, so that it can be sent to the next engine too.
        behind: Option<Picture>,
    },
    /// Hand every measurement to whoever is at the other end, or to nobody any longer. Not answered, and changes no answer.
    Watch {
        /// Transferred; carries what [`super::watch_wire`] says.
        port: Option<MessagePort>,
    },
}

/// Which frame it is, and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameStamp {
    /// Counts from 0 at the start of the source.
    pub index: u32,
    /// On the source's own clock, seconds.
    pub time_secs: f64,
    /// Whether tracking starts anew with it: the first frame, a jump back in time, or no tracking wanted.
    pub is_first: bool,
}

/// From the engine to the page.
#[derive(Clone, Debug)]
pub enum FromEngine {
    /// The worker runs; the engine's module is being loaded. Comes from `ahead.js`.
    Awake,
    /// The engine listens.
    Started,
    /// Weights are on their way.
    Progress {
        /// Of the request.
        attempt: u32,
        /// Bytes so far.
        received: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The weights are there; the models are made ready next.
    WeightsReady {
        /// Of the request.
        attempt: u32,
        /// SHA-256 of the files of the detector and of the landmark model.
        weights: [String; 2],
    },
    /// The models are ready.
    Prepared {
        /// Of the request.
        attempt: u32,
        /// What runs them, and why.
        choice: BackendChoice,
        /// What stands behind WebGPU, where the backend is free to choose.
        adapter: Option<Adapter>,
    },
    /// The models are ready on the GPU beside the CPU.
    GpuReady {
        /// Of the models.
        attempt: u32,
    },
    /// The GPU beside the CPU refuses the models or failed on a frame; nothing was lost, and another way may be tried.
    GpuFailed {
        /// Of the models.
        attempt: u32,
        /// What it says.
        what: String,
    },
    /// A frame was run on both; each total is from the picture to the result.
    Compared {
        /// Of the models.
        attempt: u32,
        /// On the CPU.
        cpu: Timings,
        /// On the GPU.
        gpu: Timings,
    },
    /// How things stand with the model that makes masks; once it is here, masks are its own from the next frame on.
    Mask(MaskModel),
    /// They are not; a sentence.
    PrepareFailed {
        /// Of the request.
        attempt: u32,
        /// What happened and what to do.
        sentence: String,
    },
    /// A frame was measured.
    Measured {
        /// The result.
        measurement: Box<Measurement>,
        /// The same frame in front of the background that is wanted, transferred; nothing where none is. The page closes
        /// it.
        composed: Option<Picture>,
    },
    /// It was not; a sentence.
    FrameFailed {
        /// Of the request.
        frame: FrameStamp,
        /// What happened.
        sentence: String,
    },
    /// The engine is gone, or cannot be understood; a sentence. Also made by the page's end of the line.
    Crashed {
        /// What happened.
        sentence: String,
    },
}

/// The result of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Which frame.
    pub frame: FrameStamp,
    /// Its width.
    pub width_px: u32,
    /// Its height.
    pub height_px: u32,
    /// Who is there, in the order of their numbers.
    pub people: Vec<Person>,
    /// What measured it.
    pub backend: Backend,
    /// How many workers computed it.
    pub workers: u32,
    /// Turning the frame into RGBA; nothing on the GPU.
    pub pixels_millis: f64,
    /// What the pipeline did with it, stage by stage.
    pub timings: Timings,
    /// What was put behind the person; nothing where the frame is shown as it is, or who is in it is not known yet.
    pub cut: Option<CutReport>,
    /// From the picture's arrival to the result, pixels included.
    pub total_millis: f64,
}

impl Measurement {
    /// The pose of one of them, if they are there.
    pub fn pose_of(&self, id: Option<PersonId>) -> Option<&Pose> {
        let person = self.people.iter().find(|person| Some(person.id) == id);
        person.map(|person| &person.pose)
    }
}

/// What cutting people out of a frame came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutReport {
    /// Smoothing the mask and drawing the frame anew.
    pub millis: f64,
    /// The model that makes masks; nothing where the skeleton's does.
    pub mask_millis: Option<f64>,
    /// How unsure the model is of the outline ([`plumbline_core::mask::RegionMask::doubt`]); nothing where nobody was
    /// found, and the background stands before everything.
    pub doubt: Option<f32>,
}
