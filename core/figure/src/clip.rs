//! Stills and clips: a person, a posture or a sequence, and a camera, ready to draw.

use crate::anthropometry::Body;
use crate::appearance::Appearance;
use crate::camera::{Camera, View};
use crate::motion::Label;
use crate::pose::Pose;
use crate::render::{self, Picture};
use crate::sculpt::{self, Seat};
use crate::sequence::Sequence;
use crate::shading::Quality;
use crate::skeleton::Skeleton;
use crate::truth::Truth;

/// A person in a posture, photographed.
#[derive(Clone, Debug, PartialEq)]
pub struct Still {
    /// What to call it.
    pub name: String,
    /// Whose body.
    pub body: Body,
    /// What it looks like.
    pub appearance: Appearance,
    /// The posture.
    pub pose: Pose,
    /// The seat in the picture, if any.
    pub seat: Option<Seat>,
    /// From where.
    pub camera: Camera,
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// How carefully it is drawn.
    pub quality: Quality,
    /// What the person does, if it is a moment of a motion.
    pub label: Option<Label>,
}

impl Default for Still {
    /// The default person standing at ease, from the front, 480 x 640.
    fn default() -> Self {
        Self {
            name: String::from("stand-front"),
            body: Body::default(),
            appearance: Appearance::default(),
            pose: Pose::standing(),
            seat: None,
            camera: Camera::default(),
            width_px: 480,
            height_px: 640,
            quality: Quality::FULL,
            label: None,
        }
    }
}

impl Still {
    /// The joints in body space.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.body, &self.pose)
    }

    /// The camera with its sensor.
    pub fn view(&self) -> View {
        self.camera.view(self.width_px, self.height_px)
    }

    /// Draws it on all cores.
    pub fn draw(&self) -> Picture {
        let scene = sculpt::person(&self.skeleton(), &self.appearance, self.seat);
        render::draw(&scene, &self.appearance, &self.view(), self.quality)
    }

    /// Draws it on a number of threads; the picture is the same.
    pub fn draw_on(&self, threads: usize) -> Picture {
        let scene = sculpt::person(&self.skeleton(), &self.appearance, self.seat);
        render::draw_on(&scene, &self.appearance, &self.view(), self.quality, threads)
    }

    /// What is known about it.
    pub fn truth(&self) -> Truth {
        Truth::of(&self.skeleton(), &self.view(), self.label)
    }
}

/// A person in motion, filmed from a tripod.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// What to call it.
    pub name: String,
    /// Whose body.
    pub body: Body,
    /// What it looks like.
    pub appearance: Appearance,
    /// What the person does.
    pub sequence: Sequence,
    /// From where.
    pub camera: Camera,
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// Frame rate.
    pub frames_per_sec: f64,
    /// How carefully it is drawn.
    pub quality: Quality,
}

impl Clip {
    /// Frames in one round of the sequence; the frame after the last would be the first again.
    pub fn frame_count(&self) -> usize {
        ((self.sequence.duration_secs() * self.frames_per_sec).round() as usize).max(1)
    }

    /// When a frame is taken, seconds.
    pub fn time_secs(&self, frame: usize) -> f64 {
        frame as f64 / self.frames_per_sec
    }

    /// One frame as a still.
    pub fn still(&self, frame: usize) -> Still {
        let (pose, label) = self.sequence.at(&self.body, self.time_secs(frame));
        Still {
            name: format!("{}-{frame:04}", self.name),
            body: self.body,
            appearance: self.appearance,
            pose,
            seat: self.sequence.seat(&self.body),
            camera: self.camera,
            width_px: self.width_px,
            height_px: self.height_px,
            quality: self.quality,
            label: Some(label),
        }
    }

    /// The truth of every frame as one JSON object: `width_px`, `height_px`, `frames_per_sec`, `height_m`,
    /// `build` and `frames`, one object each as [`Truth::to_frame_json`] writes them.
    pub fn truth_json(&self) -> String {
        let frames: Vec<String> = (0..self.frame_count())
            .map(|frame| {
                self.still(frame)
                    .truth()
                    .to_frame_json(frame, self.time_secs(frame))
            })
            .collect();
        format!(
            "{{\"width_px\":{},\"height_px\":{},\"frames_per_sec\":{},\"height_m\":{},\"build\":{},\"frames\":[\n{}\n]}}\n",
            self.width_px,
            self.height_px,
            self.frames_per_sec,
            self.body.height_m,
            self.body.build,
            frames.join(",\n"),
        )
    }
}
