//! What the CPU tells the GPU about a frame, and what the GPU answers, as words.
//!
//! Words cross every border as `f32`, the type that the replayers carry; unsigned words keep their bits.

use std::f32::consts::PI;

use plumbline_core::geometry::{ImageSize, Point2, wrap_angle};
use plumbline_core::landmarks::VALUES_PER_LANDMARK;
use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
use plumbline_core::roi::RotatedRect;
use plumbline_core::skeleton::LANDMARK_COUNT;
use plumbline_core::time::Timestamp;

use super::layout::{ANSWER, LAYOUT_VERSION, PARAMETERS, REGION, flag};

/// What a frame needs to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Comes back in the answer.
    pub frame: u32,
    /// When it was taken.
    pub time: Timestamp,
    /// Its size.
    pub image: ImageSize,
    /// Where to look; nothing for the region that the GPU holds.
    pub seed: Option<RotatedRect>,
    /// Whether the GPU's filters start afresh.
    pub forget: bool,
}

impl Parameters {
    /// As [`PARAMETERS`] lays them out, for a model whose input is `side_px` wide.
    pub fn words(&self, side_px: usize) -> [f32; PARAMETERS.len()] {
        let mut words = [0.0; PARAMETERS.len()];
        let mut put = |at: usize, word: u32| words[at] = f32::from_bits(word);
        let seeded = if self.seed.is_some() { flag::SEED } else { 0 };
        let forget = if self.forget { flag::FORGET } else { 0 };
        let micros = self.time.micros();
        put(PARAMETERS.at("flags"), seeded | forget);
        put(PARAMETERS.at("frame"), self.frame);
        put(PARAMETERS.at("time_low"), micros as u32);
        put(PARAMETERS.at("time_high"), (micros >> 32) as u32);
        put(PARAMETERS.at("width_px"), self.image.width_px);
        put(PARAMETERS.at("height_px"), self.image.height_px);
        if let Some(region) = &self.seed {
            let at = PARAMETERS.at("seed");
            words[at..at + REGION.len()].copy_from_slice(&region_words(region, side_px));
        }
        words
    }
}

/// A square region as [`REGION`] lays it out, for a model whose input is `side_px` wide.
pub fn region_words(region: &RotatedRect, side_px: usize) -> [f32; REGION.len()] {
    let (sin, cos) = region.rotation.sin_cos();
    let [xx, xy, x0, yx, yy, y0] = region.image_from_model(side_px as f32).rows();
    [
        region.center.x,
        region.center.y,
        region.width_px,
        cos,
        sin,
        xx,
        xy,
        x0,
        yx,
        yy,
        y0,
    ]
}

/// What the GPU says about a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Of the parameters.
    pub frame: u32,
    /// Bits of [`super::layout::status`].
    pub status: u32,
    /// Side of the square around the body, px.
    pub body_px: f32,
    /// The person, not smoothed; meaningless unless the status says that there is one.
    pub pose: Pose,
    /// Both alignment points in the image, not smoothed; as meaningful.
    pub alignment: [Point2; 2],
}

impl Answer {
    /// Reads the words of [`ANSWER`]; nothing when they are none.
    pub fn from_words(words: &[f32]) -> Option<Self> {
        let word = |at: usize| words[at].to_bits();
        if words.len() != ANSWER.len() || word(ANSWER.at("version")) != LAYOUT_VERSION {
            return None;
        }
        let region = &words[ANSWER.at("region")..][..REGION.len()];
        let side_px = region[REGION.at("side_px")];
        let (sin, cos) = (
            region[REGION.at("sin_rotation")],
            region[REGION.at("cos_rotation")],
        );
        let region = RotatedRect {
            center: Point2::new(region[REGION.at("center_x")], region[REGION.at("center_y")]),
            width_px: side_px,
            height_px: side_px,
            rotation: wrap_angle(sin.atan2(cos).clamp(-PI, PI)),
        };
        let [x, y, above_x, above_y] = std::array::from_fn(|word| words[ANSWER.at("alignment") + word]);
        let landmarks = words[ANSWER.at("landmarks")..]
            .as_chunks::<VALUES_PER_LANDMARK>()
            .0;
        let world = words[ANSWER.at("world")..].as_chunks::<3>().0;
        let mut pose = Pose {
            landmarks: [Landmark::default(); LANDMARK_COUNT],
            world: [WorldLandmark::default(); LANDMARK_COUNT],
            region,
            score: words[ANSWER.at("score")],
        };
        let points = landmarks.iter().zip(world);
        for ((landmark, world), (image, metres)) in pose.landmarks.iter_mut().zip(&mut pose.world).zip(points)
        {
            let [x_px, y_px, z_px, visibility, presence] = *image;
            let [x_m, y_m, z_m] = *metres;
            *landmark = Landmark {
                x_px,
                y_px,
                z_px,
                visibility,
                presence,
            };
            *world = WorldLandmark {
                x_m,
                y_m,
                z_m,
                visibility,
                presence,
            };
        }
        Some(Self {
            frame: word(ANSWER.at("frame")),
            status: word(ANSWER.at("status")),
            body_px: words[ANSWER.at("body_px")],
            pose,
            alignment: [Point2::new(x, y), Point2::new(above_x, above_y)],
        })
    }

    /// Whether the GPU set this bit of [`super::layout::status`].
    pub fn says(&self, bit: u32) -> bool {
        self.status & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::status;
    use super::*;

    #[test]
    fn parameters_keep_their_bits() {
        let region = RotatedRect {
            center: Point2::new(300.0, 200.0),
            width_px: 512.0,
            height_px: 512.0,
            rotation: PI / 2.0,
        };
        let parameters = Parameters {
            frame: 0x7f80_0001,
            time: Timestamp::from_micros(-2),
            image: ImageSize {
                width_px: 640,
                height_px: 480,
            },
            seed: Some(region),
            forget: true,
        };
        let words = parameters.words(256);
        // A signalling NaN, if it were a number.
        assert_eq!(words[1].to_bits(), 0x7f80_0001);
        assert_eq!([words[0], words[4], words[5]].map(f32::to_bits), [3, 640, 480]);
        assert_eq!([words[2], words[3]].map(f32::to_bits), [u32::MAX - 1, u32::MAX]);
        assert_eq!(words[6..9], [300.0, 200.0, 512.0]);
        // A quarter turn: the input's x runs down the image, two pixels a step.
        for (found, expected) in words[9..]
            .iter()
            .zip([0.0, 1.0, 0.0, -2.0, 556.0, 2.0, 0.0, -56.0])
        {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
        let later = Parameters {
            seed: None,
            forget: false,
            time: Timestamp::from_micros(0x1_0000_0003),
            ..parameters
        };
        let words = later.words(256).map(f32::to_bits);
        assert_eq!((words[0], words[2], words[3]), (0, 3, 1));
    }

    #[test]
    fn answers_of_another_layout_are_none() {
        let mut words = vec![0.0; ANSWER.len()];
        assert_eq!(Answer::from_words(&words), None);
        words[0] = f32::from_bits(LAYOUT_VERSION);
        words[2] = f32::from_bits(status::LOOKED | status::PERSON);
        words[ANSWER.at("region") + REGION.at("sin_rotation")] = 1.0;
        words[ANSWER.at("landmarks") + 5 * 32 + 4] = 0.5;
        words[ANSWER.at("world") + 3 * 32 + 2] = 0.25;
        let answer = Answer::from_words(&words).expect("an answer");
        assert!(answer.says(status::PERSON) && !answer.says(status::FOLLOWED));
        assert!((answer.pose.region.rotation - PI / 2.0).abs() < 1e-6);
        assert_eq!(
            (answer.pose.landmarks[32].presence, answer.pose.world[32].z_m),
            (0.5, 0.25)
        );
        assert_eq!(answer.pose.world[32].presence, 0.5);
        words.pop();
        assert_eq!(Answer::from_words(&words), None);
    }
}
