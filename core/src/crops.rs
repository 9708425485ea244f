//! Several people for a model that looks at one: where each of them is, at first by BlazePose's detector, and from then on
//! by the points that the model itself has given.
//!
//! As [`crate::people`], whose numbers, limits and intervals these are, this runs no model and touches no pixel. For each
//! frame:
//!
//! ```text
//! begin(image, time) -> a region: run the detector on it -> locate(..)
//! regions() -> for each: run the model on it             -> advance(..)
//! finish(time) -> who is there
//! ```
//!
//! A region has the proportions of the model's input. Models of upright crops (SimCC, heatmaps) see an upright box around
//! the body, a quarter larger than it (MMPose, `GetBBoxCenterScale` with its padding of 1.25). BlazePose's own landmark
//! models see a square that turns with the body ([`crate::roi`]); their auxiliary points are not among those that are
//! given, so the circle through the farthest point takes their place.

use crate::anchors::anchors;
use crate::decoders::KeypointPose;
use crate::geometry::{ImageSize, Point2};
use crate::keypoint_sets::KeypointSet;
use crate::people::{MAX_PEOPLE, MEMORY_SECS, PersonId, is_search_due};
use crate::preprocess::letterbox;
use crate::roi::{REGION_MARGIN, RotatedRect};
use crate::time::Timestamp;
use crate::tracker::{DetectorOutputs, Mode, person_regions};

/// Points below this score say nothing of where somebody is (MMPose's demos: `kpt_thr`).
const SURE: f32 = 0.3;

/// Below this score nobody is there.
const MIN_SCORE: f32 = 0.3;

/// How wide a body with its arms is, as a share of its length.
const BODY_WIDTH: f32 = 0.5;

/// As in [`crate::people`]: hips nearer than this share of a body's region are one person's.
const SAME_BODY: f32 = 0.15;

/// Who is found this near to a lost person, as a share of the region, is them.
const SAME_PLACE: f32 = 0.5;

/// How a model wants its crops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// Columns and rows of the model's input.
    pub input: ImageSize,
    /// Whether crops turn with the body.
    pub turns: bool,
    /// Which points it gives.
    pub keypoints: KeypointSet,
}

/// Where a body is: between the hips, and how large the square around it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Body {
    hips: Point2,
    side_px: f32,
}

impl Body {
    fn distance(&self, other: &Self) -> f32 {
        2.0 * self.hips.distance(other.hips) / (self.side_px + other.side_px)
    }
}

/// Follows several people through frames.
#[derive(Clone, Debug)]
pub struct CropTracker {
    aim: Aim,
    mode: Mode,
    limit: usize,
    anchors: Vec<Point2>,
    image: Option<ImageSize>,
    /// In the order of their numbers.
    followed: Vec<Track>,
    lost: Vec<(PersonId, Body, Timestamp)>,
    last_id: u32,
    last_search: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Track {
    id: PersonId,
    body: Body,
    /// Where the model looks in this frame.
    region: RotatedRect,
    /// What it has found there.
    pose: Option<KeypointPose>,
}

impl CropTracker {
    /// A tracker that has seen nothing yet, of at most `limit` people (1 to [`MAX_PEOPLE`]).
    pub fn new(aim: Aim, mode: Mode, limit: usize) -> Self {
        Self {
            aim,
            mode,
            limit: limit.clamp(1, MAX_PEOPLE),
            anchors: anchors(),
            image: None,
            followed: Vec::new(),
            lost: Vec::new(),
            last_id: 0,
            last_search: None,
        }
    }

    /// Forgets everybody.
    pub fn reset(&mut self) {
        self.followed.clear();
        self.lost.clear();
        self.last_search = None;
        self.last_id = 0;
    }

    /// Begins a frame of this size, taken at `time`. Gives the region that the detector must see, if it is to run. A
    /// change of size starts afresh, as does every frame in static mode.
    pub fn begin(&mut self, image: ImageSize, time: Timestamp) -> Option<RotatedRect> {
        if self.image.replace(image) != Some(image) || self.mode == Mode::Static {
            self.reset();
        }
        self.lost
            .retain(|(_, _, lost)| (0.0..=MEMORY_SECS).contains(&time.secs_since(*lost)));
        let is_due = is_search_due(self.last_search, time);
        let searches = self.followed.is_empty() || (is_due && self.followed.len() < self.limit);
        searches.then(|| {
            self.last_search = Some(time);
            letterbox(image)
        })
    }

    /// Takes what the detector said about `region`: who is new is followed from this frame on.
    pub fn locate(&mut self, region: &RotatedRect, outputs: DetectorOutputs<'_>) {
        let found: Vec<RotatedRect> = person_regions(region, outputs, &self.anchors).collect();
        for square in found {
            if self.followed.len() >= self.limit {
                return;
            }
            let body = Body {
                hips: square.center,
                side_px: square.width_px,
            };
            let is_known = |track: &Track| track.body.distance(&body) < SAME_BODY;
            let region = if self.aim.turns {
                square
            } else {
                self.upright(&square)
            };
            if self.followed.iter().any(is_known) || !region.is_usable() {
                continue;
            }
            let id = self.number_of(&body);
            let place = self.followed.partition_point(|track| track.id < id);
            let track = Track {
                id,
                body,
                region,
                pose: None,
            };
            self.followed.insert(place, track);
        }
    }

    /// That of the person who was lost nearest to here, or a new one.
    fn number_of(&mut self, body: &Body) -> PersonId {
        let near = self.lost.iter().enumerate();
        let nearest = near
            .map(|(index, (_, lost, _))| (lost.distance(body), index))
            .filter(|&(distance, _)| distance < SAME_PLACE)
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        match nearest {
            Some((_, index)) => self.lost.swap_remove(index).0,
            None => {
                self.last_id += 1;
                PersonId(self.last_id)
            }
        }
    }

    /// Where the model must look in this frame, and for whom.
    pub fn regions(&self) -> Vec<(PersonId, RotatedRect)> {
        let each = self.followed.iter();
        each.map(|track| (track.id, track.region)).collect()
    }

    /// Takes what the model found in the region of this person; nobody, or somebody it is not sure of, is lost.
    pub fn advance(&mut self, id: PersonId, pose: Option<KeypointPose>) {
        if let Some(track) = self.followed.iter_mut().find(|track| track.id == id) {
            // An undefined score counts as nobody.
            track.pose = pose.filter(|pose| pose.score >= MIN_SCORE);
        }
    }

    /// Ends the frame taken at `time`: who is there, in the order of their numbers. Two who came to be one are the older
    /// one.
    pub fn finish(&mut self, time: Timestamp) -> Vec<(PersonId, KeypointPose)> {
        let mut people: Vec<(PersonId, KeypointPose)> = Vec::new();
        let mut stay: Vec<Track> = Vec::new();
        for track in std::mem::take(&mut self.followed) {
            let next = track.pose.as_ref().and_then(|pose| self.next(pose));
            match (track.pose, next) {
                (Some(pose), Some((body, region))) => {
                    if stay
                        .iter()
                        .any(|other| other.body.distance(&body) < SAME_BODY / 2.0)
                    {
                        continue;
                    }
                    people.push((track.id, pose));
                    stay.push(Track {
                        id: track.id,
                        body,
                        region,
                        pose: None,
                    });
                }
                (pose, _) => {
                    people.extend(pose.map(|pose| (track.id, pose)));
                    self.lost.push((track.id, track.body, time));
                }
            }
        }
        self.followed = stay;
        people
    }

    /// The upright crop around a body that stands, sits or lies in a square that turns with it.
    fn upright(&self, square: &RotatedRect) -> RotatedRect {
        let (sin, cos) = square.rotation.sin_cos();
        let (along, across) = (square.height_px, BODY_WIDTH * square.width_px);
        let extent =
            |along_share: f32, across_share: f32| along * along_share.abs() + across * across_share.abs();
        self.crop(square.center, extent(sin, cos), extent(cos, sin))
    }

    /// The smallest crop of the input's proportions that holds a box.
    fn crop(&self, center: Point2, width_px: f32, height_px: f32) -> RotatedRect {
        let proportion = self.aim.input.width_px as f32 / self.aim.input.height_px.max(1) as f32;
        RotatedRect {
            center,
            width_px: width_px.max(height_px * proportion),
            height_px: height_px.max(width_px / proportion),
            rotation: 0.0,
        }
    }

    /// Where a body is, and the crop for the next frame; nothing of somebody with too few points.
    fn next(&self, pose: &KeypointPose) -> Option<(Body, RotatedRect)> {
        let set = self.aim.keypoints;
        let middle_of = |names: [&str; 2]| {
            let point = |name: &str| {
                let index = set.names().iter().position(|known| *known == name)?;
                let point = pose.keypoints.get(index)?;
                Some(Point2::new(point.x_px, point.y_px))
            };
            let (a, b) = (point(names[0])?, point(names[1])?);
            Some(Point2::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0))
        };
        let least = if self.aim.turns { 0.0 } else { SURE };
        let bounds = pose.rect_around(least)?;
        let middle = Point2::new(
            (bounds.min.x + bounds.max.x) / 2.0,
            (bounds.min.y + bounds.max.y) / 2.0,
        );
        let hips = middle_of(["left_hip", "right_hip"]).unwrap_or(middle);
        let shoulders = middle_of(["left_shoulder", "right_shoulder"]);
        let farthest = pose.keypoints.iter().filter(|point| point.score >= least);
        let radius = farthest
            .map(|point| hips.distance(Point2::new(point.x_px, point.y_px)))
            .fold(0.0, f32::max);
        let body = Body {
            hips,
            side_px: 2.0 * REGION_MARGIN * radius,
        };
        let region = match shoulders.filter(|_| self.aim.turns) {
            Some(shoulders) => {
                let length = hips.distance(shoulders).max(f32::MIN_POSITIVE);
                let along = |from: f32, to: f32| from + (to - from) * radius / length;
                let scale_point = Point2::new(along(hips.x, shoulders.x), along(hips.y, shoulders.y));
                RotatedRect::from_alignment_points(hips, scale_point).scaled(REGION_MARGIN)
            }
            None => {
                let [width_px, height_px] = [bounds.max.x - bounds.min.x, bounds.max.y - bounds.min.y]
                    .map(|side| side * REGION_MARGIN);
                self.crop(middle, width_px, height_px)
            }
        };
        (region.is_usable() && body.side_px >= 1.0).then_some((body, region))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchors::ANCHOR_COUNT;
    use crate::decoders::Keypoint;
    use crate::detection::VALUES_PER_BOX;

    /// A square, so that the letterbox is the image; a px of the detector's input is one of the image.
    const IMAGE: ImageSize = ImageSize {
        width_px: 224,
        height_px: 224,
    };
    const INPUT: ImageSize = ImageSize {
        width_px: 192,
        height_px: 256,
    };

    fn tracker(turns: bool, limit: usize) -> CropTracker {
        let aim = Aim {
            input: if turns { IMAGE } else { INPUT },
            turns,
            keypoints: KeypointSet::Coco17,
        };
        CropTracker::new(aim, Mode::Tracking, limit)
    }

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    /// People whose hips are at these columns in the middle row; the direction from hips to head in px.
    fn detect(tracker: &mut CropTracker, region: &RotatedRect, columns: &[f32], head: (f32, f32)) {
        let mut boxes = vec![0.0; ANCHOR_COUNT * VALUES_PER_BOX];
        let mut scores = vec![-10.0; ANCHOR_COUNT];
        let anchors = anchors();
        for (order, &x) in columns.iter().enumerate() {
            let anchor = anchors[order];
            scores[order] = 4.0 - order as f32;
            let [x, y] = [x - anchor.x * 224.0, 112.0 - anchor.y * 224.0];
            let row = &mut boxes[order * VALUES_PER_BOX..][..VALUES_PER_BOX];
            row.copy_from_slice(&[x, y, 10.0, 10.0, x, y, x + head.0, y + head.1, 0.0, 0.0, 0.0, 0.0]);
        }
        let outputs = DetectorOutputs {
            boxes: &boxes,
            scores: &scores,
        };
        tracker.locate(region, outputs);
    }

    /// An upright body of 80 px: nose at the top, ankles below, shoulders and hips between.
    fn standing(x: f32, score: f32) -> KeypointPose {
        let names = KeypointSet::Coco17.names();
        let height = |name: &str| match name.rsplit('_').next() {
            Some("shoulder" | "elbow") => -24.0,
            Some("hip" | "wrist") => 0.0,
            Some("knee") => 20.0,
            Some("ankle") => 40.0,
            _ => -40.0,
        };
        let point = |name: &&str| Keypoint {
            x_px: x + if name.starts_with("left") { 6.0 } else { -6.0 },
            y_px: 112.0 + height(name),
            z_px: None,
            score,
        };
        KeypointPose {
            keypoints: names.iter().map(point).collect(),
            bounds: None,
            score,
        }
    }

    #[test]
    fn crops_have_the_inputs_proportions_and_hold_the_body() {
        for (head, holds) in [
            // Standing: a body of 40 px to either side of the hips, a quarter larger.
            ((0.0, -40.0), (75.0, 100.0)),
            // Lying: as wide as it was high.
            ((40.0, 0.0), (100.0, 400.0 / 3.0)),
        ] {
            let mut tracker = tracker(false, 1);
            let region = tracker.begin(IMAGE, millis(0)).expect("nobody is known");
            detect(&mut tracker, &region, &[112.0], head);
            let (_, crop) = tracker.regions()[0];
            assert!(
                (crop.width_px - holds.0).abs() < 0.1 && (crop.height_px - holds.1).abs() < 0.1,
                "{crop:?}"
            );
            assert_eq!(crop.rotation, 0.0);
        }
        let mut turning = tracker(true, 1);
        let region = turning.begin(IMAGE, millis(0)).expect("nobody is known");
        detect(&mut turning, &region, &[112.0], (40.0, 0.0));
        let (_, crop) = turning.regions()[0];
        assert!(
            (crop.rotation - std::f32::consts::FRAC_PI_2).abs() < 1e-4,
            "{crop:?}"
        );
        assert!((crop.width_px - 100.0).abs() < 0.1 && crop.width_px == crop.height_px);
    }

    #[test]
    fn points_say_where_to_look_next() {
        for turns in [false, true] {
            let mut tracker = tracker(turns, 2);
            let region = tracker.begin(IMAGE, millis(0)).expect("nobody is known");
            detect(&mut tracker, &region, &[60.0, 160.0], (0.0, -40.0));
            for (id, region) in tracker.regions() {
                // Each went two px to the right.
                tracker.advance(id, Some(standing(region.center.x + 2.0, 0.9)));
            }
            let people = tracker.finish(millis(0));
            assert_eq!(people.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(tracker.begin(IMAGE, millis(600)), None, "all are known");
            let next = tracker.regions();
            for ((_, crop), x) in next.iter().zip([62.0, 162.0]) {
                assert!((crop.center.x - x).abs() < 0.1, "{crop:?}");
                let holds = crop.corners();
                assert!(holds[0].y < 72.0 && holds[2].y > 152.0, "{crop:?}");
            }
            // The first is hidden and found again in time, with the number of before.
            tracker.advance(PersonId(1), Some(standing(62.0, 0.1)));
            tracker.advance(PersonId(2), Some(standing(162.0, 0.9)));
            assert_eq!(tracker.finish(millis(600)).len(), 1);
            let region = tracker.begin(IMAGE, millis(1200)).expect("one is missing");
            detect(&mut tracker, &region, &[70.0, 161.0], (0.0, -40.0));
            let ids: Vec<u32> = tracker.regions().iter().map(|(id, _)| id.0).collect();
            assert_eq!(ids, [1, 2]);
        }
    }

    #[test]
    fn two_who_see_the_same_are_one() {
        let mut tracker = tracker(false, 2);
        let region = tracker.begin(IMAGE, millis(0)).expect("nobody is known");
        detect(&mut tracker, &region, &[60.0, 160.0], (0.0, -40.0));
        for id in [1, 2] {
            tracker.advance(PersonId(id), Some(standing(60.0, 0.9)));
        }
        let people = tracker.finish(millis(0));
        assert_eq!(people.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_is_no_number_is_nobody() {
        let mut tracker = tracker(false, 1);
        let region = tracker.begin(IMAGE, millis(0)).expect("nobody is known");
        detect(&mut tracker, &region, &[60.0], (0.0, -40.0));
        tracker.advance(PersonId(1), Some(standing(f32::NAN, 0.9)));
        tracker.finish(millis(0));
        assert!(tracker.regions().is_empty());
        tracker.begin(IMAGE, millis(33)).expect("nobody is followed");
    }
}
