//! One person from frame to frame: the filters, and where to look for them next.
//!
//! In tracking mode the region of the next frame comes from this frame's alignment points. Order of steps and thresholds
//! as in MediaPipe's `pose_landmark_cpu.pbtxt`.

use crate::geometry::Point2;
use crate::heatmap::{self, Heatmap};
use crate::landmarks::{self, ALIGNMENT_CENTER, ALIGNMENT_SCALE_POINT, ModelLandmark};
use crate::pose::{Landmark, Pose, WorldLandmark};
use crate::pose_smoothing::PoseSmoother;
use crate::roi::{REGION_MARGIN, RotatedRect};
use crate::skeleton::LANDMARK_COUNT;
use crate::smoothing::{ALIGNMENT_SMOOTHING, PointSmoother};
use crate::time::Timestamp;
use crate::tracker::{LandmarkOutputs, MIN_POSE_SCORE, Mode};

/// What the landmark model saw in a region: a person, decoded and placed in the image, not smoothed.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The person.
    pub pose: Pose,
    /// In px of the image: the middle of the hips, and the point above it that says how large and how upright they are.
    pub alignment: [Point2; 2],
}

/// Follows one person through frames, once somebody has said where they are.
#[derive(Clone, Debug)]
pub struct Follower {
    mode: Mode,
    next_region: Option<RotatedRect>,
    pose_smoother: PoseSmoother,
    alignment_smoother: PointSmoother<2>,
}

impl Follower {
    /// A follower who has seen nothing yet.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            next_region: None,
            pose_smoother: PoseSmoother::new(),
            alignment_smoother: PointSmoother::new(ALIGNMENT_SMOOTHING),
        }
    }

    /// Forgets the person.
    pub fn reset(&mut self) {
        self.next_region = None;
        self.pose_smoother.reset();
        self.alignment_smoother.reset();
    }

    /// Where to look for them in the next frame; nothing where that is not known.
    pub fn next_region(&self) -> Option<RotatedRect> {
        self.next_region
    }

    /// Takes what the landmark model said about `region` of the frame taken at `time`; gives the pose, and remembers
    /// where to look next. Nobody there: forgets them.
    pub fn advance(
        &mut self,
        region: &RotatedRect,
        outputs: LandmarkOutputs<'_, impl Heatmap>,
        time: Timestamp,
    ) -> Option<Pose> {
        self.take(see(region, outputs), time)
    }

    /// The same, where the model's numbers were decoded elsewhere.
    pub fn take(&mut self, seen: Option<Seen>, time: Timestamp) -> Option<Pose> {
        let Some(Seen { mut pose, alignment }) = seen else {
            self.reset();
            return None;
        };
        match self.mode {
            Mode::Static => {}
            Mode::Tracking => self.follow(&mut pose, alignment, time),
        }
        Some(pose)
    }

    /// Smooths the pose in place and sets the next region.
    fn follow(&mut self, pose: &mut Pose, alignment: [Point2; 2], time: Timestamp) {
        let [center, scale_point] = alignment;
        let body = RotatedRect::from_alignment_points(center, scale_point);
        if !body.is_usable() {
            self.reset();
            return;
        }
        let bodies_per_px = 1.0 / f64::from((body.width_px + body.height_px) / 2.0);

        self.pose_smoother.apply(pose, bodies_per_px, time);
        let smoothed: [Point2; 2] = std::array::from_fn(|index| {
            let raw = [alignment[index].x, alignment[index].y, 0.0];
            let [x, y, _] = self.alignment_smoother.apply(index, raw, bodies_per_px, time);
            Point2::new(x, y)
        });
        let next = RotatedRect::from_alignment_points(smoothed[0], smoothed[1]).scaled(REGION_MARGIN);
        self.next_region = Some(next).filter(RotatedRect::is_usable);
    }
}

/// What the landmark model's numbers mean; nothing where it saw nobody in `region`.
fn see(region: &RotatedRect, outputs: LandmarkOutputs<'_, impl Heatmap>) -> Option<Seen> {
    // An undefined score counts as nobody.
    let somebody_there = outputs.score > MIN_POSE_SCORE;
    if !somebody_there {
        return None;
    }
    let mut decoded = landmarks::decode(outputs.landmarks);
    heatmap::refine(&mut decoded, &outputs.heatmap);
    let alignment = [ALIGNMENT_CENTER, ALIGNMENT_SCALE_POINT]
        .map(|index| landmarks::project_to_image(&decoded[index], region).point_in_image());
    Some(Seen {
        pose: pose_in_image(&decoded, region, outputs.score, outputs.world),
        alignment,
    })
}

/// The 33 landmarks in the image and in the world, unsmoothed.
fn pose_in_image(decoded: &[ModelLandmark], region: &RotatedRect, score: f32, world: &[f32]) -> Pose {
    let mut pose = Pose {
        landmarks: [Landmark::default(); LANDMARK_COUNT],
        world: [WorldLandmark::default(); LANDMARK_COUNT],
        region: *region,
        score,
    };
    let metres = world.chunks_exact(3).map(|row| [row[0], row[1], row[2]]);
    for (index, (landmark, row)) in decoded.iter().zip(metres).take(LANDMARK_COUNT).enumerate() {
        pose.landmarks[index] = landmarks::project_to_image(landmark, region);
        pose.world[index] = landmarks::project_to_world(row, landmark, region);
    }
    pose
}
