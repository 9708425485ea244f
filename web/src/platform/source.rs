//! Where frames come from: a camera, a clip, a picture, the drawn person. One interface for all four.
//!
//! A source shows itself on a screen (a `video` or a `canvas` of the stage) and reports every frame that it shows;
//! whether a frame is captured and sent is not its business.

pub mod camera;
pub mod clip;
pub mod demo;
pub mod file;
pub mod still;
pub mod video_frames;

use std::rc::Rc;

use web_sys::{HtmlCanvasElement, HtmlVideoElement};

use super::picture::Screen;
use crate::live::session::OpenedSource;
use crate::worker::protocol::FrameStamp;

/// The elements of the stage that sources show themselves on.
#[derive(Clone, Debug)]
pub struct Screens {
    /// For cameras and clips.
    pub video: HtmlVideoElement,
    /// For pictures and the drawn person.
    pub canvas: HtmlCanvasElement,
    /// Above both: frames in front of another background.
    pub composed: HtmlCanvasElement,
}

/// Whom a source reports to.
#[derive(Clone)]
pub struct Reports {
    /// A frame is on the screen.
    pub shown: Rc<dyn Fn(FrameStamp)>,
    /// No more frames will come.
    pub ended: Rc<dyn Fn(SourceEnd)>,
}

/// Why there are no more frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceEnd {
    /// They have all been shown.
    Finished,
    /// The source is gone; a sentence.
    Lost(String),
}

/// A source that is open. Closing it frees cameras and pictures; dropping it does so too.
pub enum Source {
    /// Live.
    Camera(camera::Camera),
    /// A video file.
    Clip(clip::Clip),
    /// An image file.
    Still(still::Still),
    /// The drawn person.
    Demo(demo::Demo),
}

impl Source {
    /// What a person calls it, and how large its frames are.
    pub fn describe(&self) -> OpenedSource {
        match self {
            Self::Camera(camera) => camera.describe(),
            Self::Clip(clip) => clip.describe(),
            Self::Still(still) => still.describe(),
            Self::Demo(demo) => demo.describe(),
        }
    }

    /// Where it shows itself.
    pub fn screen(&self) -> Screen {
        match self {
            Self::Camera(camera) => camera.screen(),
            Self::Clip(clip) => clip.screen(),
            Self::Still(still) => still.screen(),
            Self::Demo(demo) => demo.screen(),
        }
    }

    /// Frames are wanted from now on: recorded sources play, a picture reports itself.
    pub fn begin(&self) {
        match self {
            Self::Camera(camera) => camera.resume(),
            Self::Clip(clip) => clip.play(),
            Self::Still(still) => still.report(),
            Self::Demo(demo) => demo.play(),
        }
    }

    /// Frames are not wanted for the moment: recorded sources wait, a camera goes on showing itself.
    pub fn hold(&self) {
        match self {
            Self::Clip(clip) => clip.pause(),
            Self::Demo(demo) => demo.pause(),
            Self::Camera(_) | Self::Still(_) => {}
        }
    }

    /// Freezes the picture.
    pub fn freeze(&self) {
        match self {
            Self::Camera(camera) => camera.freeze(),
            Self::Clip(_) | Self::Still(_) | Self::Demo(_) => self.hold(),
        }
    }

    /// A result has been drawn: a source that waits for each result shows its next frame.
    pub fn result_drawn(&self) {
        match self {
            Self::Demo(demo) => demo.result_drawn(),
            Self::Camera(_) | Self::Clip(_) | Self::Still(_) => {}
        }
    }
}
