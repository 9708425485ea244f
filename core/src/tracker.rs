//! Where to look in a frame and what was found there: the state that connects one frame with the next.
//!
//! The tracker runs no model and touches no pixel; it says which region a model must see, and takes the model's
//! numbers. So the same logic serves a CPU that answers at once and a GPU that answers later:
//!
//! ```text
//! request(image) -> Detect(region)     run the detector on it  -> locate(..) -> region of a person, or nobody
//!                -> Landmarks(region)  run the landmark model  -> advance(..) -> pose, or nobody
//! ```
//!
//! In tracking mode the region of the next frame comes from this frame's alignment points, and the detector runs only
//! when there is none: at the start, and after a frame in which the landmark model saw nobody. In static mode each
//! frame stands alone, and nothing is smoothed. Order of steps and thresholds as in MediaPipe's
//! `pose_landmark_cpu.pbtxt` (the graph behind its Python solution).

use crate::anchors::anchors;
use crate::detection::{self, BODY_SCALE_POINT, Detection, HIP_CENTER};
use crate::follower::Follower;
use crate::geometry::{ImageSize, Point2};
use crate::heatmap::Heatmap;
use crate::nms::{MERGE_OVERLAP, merge_overlapping};
use crate::pose::Pose;
use crate::preprocess::letterbox;
use crate::roi::{REGION_MARGIN, RotatedRect};
use crate::time::Timestamp;

/// The landmark model must be surer than this that its region holds a person.
pub const MIN_POSE_SCORE: f32 = 0.5;

/// Whether frames belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each frame is a picture of its own: always detect, never smooth.
    Static,
    /// Frames of one camera or clip: follow the person, smooth the landmarks.
    Tracking,
}

/// What must run next on a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// The detector, on this region of the image.
    Detect(RotatedRect),
    /// The landmark model, on this region of the image.
    Landmarks(RotatedRect),
}

/// The detector's output tensors.
#[derive(Clone, Copy, Debug)]
pub struct DetectorOutputs<'a> {
    /// `[1, 2254, 12]`
    pub boxes: &'a [f32],
    /// `[1, 2254, 1]`
    pub scores: &'a [f32],
}

/// The landmark model's outputs: tensors, and heatmaps in whatever form there is.
#[derive(Clone, Copy, Debug)]
pub struct LandmarkOutputs<'a, H> {
    /// `[1, 195]`: 39 x (x px, y px, z px, visibility logit, presence logit).
    pub landmarks: &'a [f32],
    /// Probability that the region holds a person.
    pub score: f32,
    /// `[1, 64, 64, 39]`: logits, of which few are looked at.
    pub heatmap: H,
    /// `[1, 117]`: 39 x (x, y, z) in metres.
    pub world: &'a [f32],
}

/// Follows one person through frames.
#[derive(Clone, Debug)]
pub struct PoseTracker {
    anchors: Vec<Point2>,
    image: Option<ImageSize>,
    follower: Follower,
}

/// Takes what the detector said about `region` of the image; gives the regions of people that can be cut out, the most
/// likely person first.
pub fn person_regions(
    region: &RotatedRect,
    outputs: DetectorOutputs<'_>,
    anchors: &[Point2],
) -> impl Iterator<Item = RotatedRect> {
    let candidates = detection::decode(outputs.boxes, outputs.scores, anchors);
    let people = merge_overlapping(candidates, MERGE_OVERLAP).into_iter();
    let regions = people.map(|person| region_of(&person, region));
    regions.filter(RotatedRect::is_usable)
}

/// The region of the most likely person, if there is one and they can be cut out.
pub fn person_region(
    region: &RotatedRect,
    outputs: DetectorOutputs<'_>,
    anchors: &[Point2],
) -> Option<RotatedRect> {
    person_regions(region, outputs, anchors).next()
}

/// Around the whole body of somebody who was detected in `region`.
fn region_of(person: &Detection, region: &RotatedRect) -> RotatedRect {
    let image_from_fractions = region.image_from_model(1.0);
    let center = image_from_fractions.apply(person.keypoints[HIP_CENTER]);
    let scale_point = image_from_fractions.apply(person.keypoints[BODY_SCALE_POINT]);
    RotatedRect::from_alignment_points(center, scale_point).scaled(REGION_MARGIN)
}

impl PoseTracker {
    /// A tracker that has seen nothing yet.
    pub fn new(mode: Mode) -> Self {
        Self {
            anchors: anchors(),
            image: None,
            follower: Follower::new(mode),
        }
    }

    /// Forgets the person: the next frame starts with the detector.
    pub fn reset(&mut self) {
        self.follower.reset();
    }

    /// What to run first on a frame of this size. A change of size starts afresh.
    pub fn request(&mut self, image: ImageSize) -> Request {
        if self.image != Some(image) {
            self.reset();
            self.image = Some(image);
        }
        match self.follower.next_region() {
            Some(region) => Request::Landmarks(region),
            None => Request::Detect(letterbox(image)),
        }
    }

    /// Takes what the detector said about `region`; gives the region of the most likely person.
    pub fn locate(&mut self, region: &RotatedRect, outputs: DetectorOutputs<'_>) -> Option<RotatedRect> {
        let found = person_region(region, outputs, &self.anchors);
        if found.is_none() {
            self.reset();
        }
        found
    }

    /// Takes what the landmark model said about `region` of the frame taken at `time`; gives the pose, and remembers
    /// where to look next. Nobody there: the next frame starts with the detector.
    pub fn advance(
        &mut self,
        region: &RotatedRect,
        outputs: LandmarkOutputs<'_, impl Heatmap>,
        time: Timestamp,
    ) -> Option<Pose> {
        self.follower.advance(region, outputs, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchors::ANCHOR_COUNT;
    use crate::detection::VALUES_PER_BOX;
    use crate::heatmap::HEATMAP_SIDE;
    use crate::landmarks::{ALIGNMENT_SCALE_POINT, MODEL_LANDMARK_COUNT, VALUES_PER_LANDMARK};

    const IMAGE: ImageSize = ImageSize {
        width_px: 640,
        height_px: 480,
    };

    /// Owned tensors of both models.
    struct Tensors {
        boxes: Vec<f32>,
        scores: Vec<f32>,
        landmarks: Vec<f32>,
        heatmap: Vec<f32>,
        world: Vec<f32>,
    }

    impl Tensors {
        /// A detector that finds one person in the middle of the letterbox, upright, its scale point 56 px of the
        /// input above the hips; a landmark model that finds every point in the middle of its input, and the scale
        /// point 128 / 1.25 px above it, so that the region confirms itself.
        fn of_a_person() -> Self {
            let mut tensors = Self {
                boxes: vec![0.0; ANCHOR_COUNT * VALUES_PER_BOX],
                scores: vec![-10.0; ANCHOR_COUNT],
                landmarks: vec![128.0; MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK],
                heatmap: vec![-100.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT],
                world: vec![0.25; MODEL_LANDMARK_COUNT * 3],
            };
            // Anchor 2250 is one of the six of the last grid's last cell, whose centre is 6.5 / 7 = 208 / 224.
            tensors.scores[2250] = 4.0;
            let row = &mut tensors.boxes[2250 * VALUES_PER_BOX..][..VALUES_PER_BOX];
            row.copy_from_slice(&[
                -96.0, -96.0, 20.0, 20.0, -96.0, -96.0, -96.0, -152.0, 0.0, 0.0, 0.0, 0.0,
            ]);
            tensors.landmarks[ALIGNMENT_SCALE_POINT * VALUES_PER_LANDMARK + 1] = 128.0 - 102.4;
            tensors
        }

        fn detector(&self) -> DetectorOutputs<'_> {
            DetectorOutputs {
                boxes: &self.boxes,
                scores: &self.scores,
            }
        }

        fn landmarks(&self, score: f32) -> LandmarkOutputs<'_, &[f32]> {
            LandmarkOutputs {
                landmarks: &self.landmarks,
                score,
                heatmap: &self.heatmap,
                world: &self.world,
            }
        }
    }

    fn located(tracker: &mut PoseTracker, tensors: &Tensors) -> RotatedRect {
        let Request::Detect(region) = tracker.request(IMAGE) else {
            panic!("expected a detection")
        };
        tracker
            .locate(&region, tensors.detector())
            .expect("the detector found a person")
    }

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    /// The letterbox of 640x480 is 640 px wide, so 56 of 224 are 160 px: a square of 2 * 160 * 1.25 = 400 px.
    #[test]
    fn a_detection_becomes_a_region() {
        let region = located(&mut PoseTracker::new(Mode::Static), &Tensors::of_a_person());
        assert!(region.center.distance(Point2::new(320.0, 240.0)) < 1e-3);
        assert!(
            (region.width_px - 400.0).abs() < 1e-2 && region.rotation.abs() < 1e-5,
            "{region:?}"
        );
    }

    #[test]
    fn tracking_skips_the_detector_until_the_person_is_lost() {
        let tensors = Tensors::of_a_person();
        let mut tracker = PoseTracker::new(Mode::Tracking);
        let region = located(&mut tracker, &tensors);
        let pose = tracker
            .advance(&region, tensors.landmarks(0.9), millis(0))
            .expect("a person");
        assert_eq!(pose.score, 0.9);
        assert!(
            pose.landmarks[0]
                .point_in_image()
                .distance(Point2::new(320.0, 240.0))
                < 1e-3
        );

        let Request::Landmarks(next) = tracker.request(IMAGE) else {
            panic!("expected to follow")
        };
        assert!((next.width_px - 400.0).abs() < 1e-2 && next.center.distance(region.center) < 1e-3);

        assert!(
            tracker
                .advance(&next, tensors.landmarks(0.5), millis(33))
                .is_none(),
            "0.5 is not above"
        );
        assert!(matches!(tracker.request(IMAGE), Request::Detect(_)));
        assert!(
            tracker
                .advance(&next, tensors.landmarks(f32::NAN), millis(66))
                .is_none()
        );
    }

    #[test]
    fn static_mode_never_follows_or_smooths() {
        let mut tensors = Tensors::of_a_person();
        let mut tracker = PoseTracker::new(Mode::Static);
        let region = located(&mut tracker, &tensors);
        tracker
            .advance(&region, tensors.landmarks(0.9), millis(0))
            .expect("a person");
        let region = located(&mut tracker, &tensors);
        tensors.landmarks[0] = 192.0;
        let pose = tracker
            .advance(&region, tensors.landmarks(0.9), millis(33))
            .expect("a person");
        assert!((pose.landmarks[0].x_px - 420.0).abs() < 1e-2);
    }

    #[test]
    fn tracking_smooths_points_and_visibility() {
        let mut tensors = Tensors::of_a_person();
        let mut tracker = PoseTracker::new(Mode::Tracking);
        let region = located(&mut tracker, &tensors);
        tracker
            .advance(&region, tensors.landmarks(0.9), millis(0))
            .expect("a person");
        tensors.landmarks[0] = 192.0;
        tensors.landmarks[3] = -100.0;
        let pose = tracker
            .advance(&region, tensors.landmarks(0.9), millis(33))
            .expect("a person");
        let x_px = pose.landmarks[0].x_px;
        assert!(
            x_px > 320.0 && x_px < 420.0,
            "{x_px} is not between the raw values"
        );
        assert!((pose.landmarks[0].visibility - 0.9).abs() < 1e-4);
        assert_eq!(pose.world[0].visibility, pose.landmarks[0].visibility);
    }

    #[test]
    fn another_size_and_reset_start_afresh() {
        let tensors = Tensors::of_a_person();
        let mut tracker = PoseTracker::new(Mode::Tracking);
        for forget in [
            |tracker: &mut PoseTracker| {
                tracker.request(ImageSize {
                    width_px: 480,
                    height_px: 640,
                })
            },
            |tracker: &mut PoseTracker| {
                tracker.reset();
                tracker.request(IMAGE)
            },
        ] {
            let region = located(&mut tracker, &tensors);
            tracker
                .advance(&region, tensors.landmarks(0.9), millis(0))
                .expect("a person");
            assert!(matches!(tracker.request(IMAGE), Request::Landmarks(_)));
            assert!(matches!(forget(&mut tracker), Request::Detect(_)));
        }
    }

    #[test]
    fn nobody_and_nonsense_are_nobody() {
        let mut tensors = Tensors::of_a_person();
        let mut tracker = PoseTracker::new(Mode::Tracking);
        let Request::Detect(region) = tracker.request(IMAGE) else {
            panic!("expected a detection")
        };
        // Both alignment points in one place: a region without extent.
        let row = 2250 * VALUES_PER_BOX;
        tensors.boxes[row + 7] = -96.0;
        assert!(tracker.locate(&region, tensors.detector()).is_none());
        tensors.scores[2250] = -1.0;
        assert!(tracker.locate(&region, tensors.detector()).is_none());
        assert!(matches!(tracker.request(IMAGE), Request::Detect(_)));
    }
}
