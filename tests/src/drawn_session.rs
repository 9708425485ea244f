//! A person who squats and marches before a camera, as a monitor sees it: frames of known joints, with the scatter that a
//! model and a camera have. No picture is drawn and no model runs, so hours of it take seconds.

use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::monitor::features::FrameFacts;
use plumbline_core::monitor::probe::ImageProbe;
use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
use plumbline_core::roi::RotatedRect;
use plumbline_core::statistics::Random;
use plumbline_figure::pose::degrees;
use plumbline_figure::{Appearance, Body, Bout, Camera, Clip, Motion, Quality, Sequence};

/// Size of the pictures.
pub const IMAGE: ImageSize = ImageSize {
    width_px: 480,
    height_px: 640,
};

/// A frame of it.
#[derive(Clone, Debug)]
pub struct DrawnFrame {
    /// When, seconds.
    pub time_secs: f64,
    /// Who.
    pub pose: Pose,
    /// What the picture is like.
    pub probe: ImageProbe,
    /// Agreement with the mirrored picture, in some frames.
    pub flip_oks: Option<f64>,
    /// How long it took.
    pub total_millis: f64,
}

impl DrawnFrame {
    /// As a monitor takes it.
    pub fn facts(&self) -> FrameFacts<'_> {
        FrameFacts {
            pose: Some(&self.pose),
            probe: Some(self.probe),
            flip_oks: self.flip_oks,
            ..FrameFacts::bare(self.time_secs, IMAGE, self.total_millis)
        }
    }
}

/// A process that remembers its last value: mean 0, sd 1.
#[derive(Clone, Debug)]
struct Wandering {
    keep: f64,
    value: f64,
}

impl Wandering {
    /// With a correlation time, for values at a rate.
    fn new(tau_secs: f64, rate_hz: f64, random: &mut Random) -> Self {
        Self {
            keep: (-1.0 / (tau_secs * rate_hz)).exp(),
            value: random.normal(),
        }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        self.value = self.keep * self.value + (1.0 - self.keep * self.keep).sqrt() * random.normal();
        self.value
    }
}

/// A session without an end.
pub struct DrawnSession {
    clip: Clip,
    random: Random,
    rate_hz: f64,
    frame: usize,
    light: Wandering,
    focus: Wandering,
    colour: Wandering,
    certainty: Wandering,
    place: [Wandering; 3],
    agreement: Wandering,
    pace: Wandering,
}

impl DrawnSession {
    /// Squats, marching and standing, by a seed.
    pub fn new(seed: u64, rate_hz: f64) -> Self {
        let mut random = Random::new(seed);
        let bouts = vec![
            Bout::of(Motion::Squat, 5),
            Bout::of(Motion::March, 8),
            Bout::of(Motion::Stand, 1),
        ];
        let clip = Clip {
            name: String::from("drawn"),
            body: Body::default(),
            appearance: Appearance::default(),
            sequence: Sequence::new(bouts),
            camera: Camera::default().at_yaw(degrees(25.0)),
            width_px: IMAGE.width_px as usize,
            height_px: IMAGE.height_px as usize,
            frames_per_sec: rate_hz,
            quality: Quality::FULL,
        };
        let mut slow = |tau_secs: f64| Wandering::new(tau_secs, rate_hz, &mut random);
        let (light, focus, colour, certainty) = (slow(1.6), slow(1.6), slow(1.6), slow(0.8));
        let (place, agreement, pace) = ([slow(1.0), slow(1.0), slow(1.0)], slow(0.8), slow(0.5));
        let frame = random.below(clip.frame_count());
        Self {
            clip,
            random,
            rate_hz,
            frame,
            light,
            focus,
            colour,
            certainty,
            place,
            agreement,
            pace,
        }
    }
}

impl Iterator for DrawnSession {
    type Item = DrawnFrame;

    fn next(&mut self) -> Option<DrawnFrame> {
        let random = &mut self.random;
        let truth = self.clip.still(self.frame % self.clip.frame_count()).truth();
        let time_secs = self.frame as f64 / self.rate_hz;
        self.frame += 1;
        let [dx, dy, scale] = [0, 1, 2].map(|place| self.place[place].next(random));
        let certainty = 0.93 + 0.02 * self.certainty.next(random);
        let mut pose = Pose {
            landmarks: [Landmark::default(); 33],
            world: [WorldLandmark::default(); 33],
            region: RotatedRect {
                center: Point2::new(240.0, 320.0),
                width_px: 500.0,
                height_px: 500.0,
                rotation: 0.0,
            },
            score: (0.985 + 0.005 * random.normal()) as f32,
        };
        for (place, joint) in truth.joints.iter().enumerate() {
            let visibility =
                (certainty + 0.02 * random.normal() - 0.02 * (place % 2) as f64).clamp(0.0, 1.0) as f32;
            let (x, y) = (joint.x_px - 240.0, joint.y_px - 320.0);
            pose.landmarks[place] = Landmark {
                x_px: (240.0 + x * (1.0 + 0.01 * scale) + 4.0 * dx + 0.6 * random.normal()) as f32,
                y_px: (320.0 + y * (1.0 + 0.01 * scale) + 4.0 * dy + 0.6 * random.normal()) as f32,
                z_px: 0.0,
                visibility,
                presence: (visibility + 0.03).min(1.0),
            };
            let mut axis = |metres: f64| (metres + 0.004 * random.normal()) as f32;
            pose.world[place] = WorldLandmark {
                x_m: axis(joint.world_m.x),
                y_m: axis(joint.world_m.y),
                z_m: axis(joint.world_m.z),
                visibility,
                presence: visibility,
            };
        }
        let light = self.light.next(random);
        let probe = ImageProbe {
            luma_mean: (120.0 + 3.0 * light + 0.5 * random.normal()) as f32,
            luma_contrast: (55.0 + light + 0.3 * random.normal()) as f32,
            sharpness: (6.5 + 0.08 * self.focus.next(random) + 0.02 * random.normal()) as f32,
            noise: (4.0 + 0.3 * random.normal()) as f32,
            dark_share: (0.03 - 0.002 * light + 0.001 * random.normal()).max(0.0) as f32,
            clipped_share: 0.0,
            red_share: (0.35 + 0.002 * self.colour.next(random)) as f32,
            blue_share: (0.31 + 0.001 * random.normal()) as f32,
            hash: random.bits() as u32,
        };
        let agreement = (0.93 + 0.03 * self.agreement.next(random)).clamp(0.0, 1.0);
        let pace = self.pace.next(random);
        Some(DrawnFrame {
            time_secs,
            pose,
            probe,
            flip_oks: (self.frame.is_multiple_of(10)).then_some(agreement),
            total_millis: (3.0 + 0.1 * pace + 0.05 * random.normal()).exp(),
        })
    }
}
