//! Several people in a frame, each followed by a thread of their own and known by a number.
//!
//! As [`crate::tracker`], this runs no model and touches no pixel. For each frame:
//!
//! ```text
//! begin(image, time) -> a region: run the detector on it -> locate(..)
//! regions() -> for each: run the landmark model on it    -> advance(..)
//! finish(time) -> who is there
//! ```
//!
//! The detector runs while nobody is followed, and from time to time while fewer are followed than are asked for
//! (MediaPipe's `pose_landmarker_graph` runs it in each such frame, which costs as much as a person more). Whoever is
//! detected where somebody is followed already is the same person. Two threads that came to see the same person become
//! one: the older one.
//!
//! A number belongs to a person as long as they are seen, and for [`MEMORY_SECS`] longer: who is found again near the
//! place where somebody was lost gets that one's number back. People who cross while one hides the other may exchange
//! their numbers; nothing here knows faces or clothes.

use crate::anchors::anchors;
use crate::follower::{Follower, Seen};
use crate::geometry::{ImageSize, Point2};
use crate::heatmap::Heatmap;
use crate::pose::Pose;
use crate::preprocess::letterbox;
use crate::roi::RotatedRect;
use crate::time::Timestamp;
use crate::tracker::{DetectorOutputs, LandmarkOutputs, Mode, person_regions};

/// Most people that are followed.
pub const MAX_PEOPLE: usize = 4;

/// How long nobody looks for more people while somebody is followed.
pub const SEARCH_INTERVAL_SECS: f64 = 0.5;

/// How long a number waits for somebody who was lost.
pub const MEMORY_SECS: f64 = 2.0;

/// Regions whose centres are nearer than this, as a share of their side, are around the same person. A region is about
/// 2.2 m wide, so these are 0.33 m: people who stand shoulder to shoulder are 0.45 m apart, and the detector's idea of a
/// centre moves by less than half of this.
const SAME_REGION: f32 = 0.15;

/// Who is found this near to a lost person's region, as a share of its side, is them.
const SAME_PLACE: f32 = 0.5;

/// Poses whose landmarks lie this near to each other on average, as a share of the region's side, are the same person's.
const SAME_POSE: f32 = 0.06;

/// Whose track it is: a number from 1, in the order in which people were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

/// A person in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The same from frame to frame; of single pictures, from the surest detection on.
    pub id: PersonId,
    /// Where they are.
    pub pose: Pose,
}

/// Whether more people are looked for at `time`: nobody has looked yet, or not for [`SEARCH_INTERVAL_SECS`].
pub(crate) fn is_search_due(last: Option<Timestamp>, time: Timestamp) -> bool {
    // A source that starts again has times before those that were seen.
    last.is_none_or(|last| !(0.0..SEARCH_INTERVAL_SECS).contains(&time.secs_since(last)))
}

/// Follows several people through frames.
#[derive(Clone, Debug)]
pub struct PeopleTracker {
    mode: Mode,
    limit: usize,
    anchors: Vec<Point2>,
    image: Option<ImageSize>,
    /// In the order of their numbers.
    followed: Vec<Track>,
    lost: Vec<Lost>,
    last_id: u32,
    last_search: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Track {
    id: PersonId,
    follower: Follower,
    /// Where the landmark model looks in this frame.
    region: RotatedRect,
    /// What it has found there.
    pose: Option<Pose>,
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    id: PersonId,
    region: RotatedRect,
    time: Timestamp,
}

impl PeopleTracker {
    /// A tracker that has seen nothing yet, of at most `limit` people (1 to [`MAX_PEOPLE`]).
    pub fn new(mode: Mode, limit: usize) -> Self {
        Self {
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

    /// Forgets everybody, for instance when another clip begins; numbers begin again.
    pub fn reset(&mut self) {
        self.forget();
        self.last_id = 0;
    }

    fn forget(&mut self) {
        self.followed.clear();
        self.lost.clear();
        self.last_search = None;
    }

    /// Follows at most `limit` people from the next frame on (1 to [`MAX_PEOPLE`]). Where that is more than before, they
    /// are looked for at once; where it is fewer, those with the lowest numbers stay.
    pub fn set_limit(&mut self, limit: usize) {
        let limit = limit.clamp(1, MAX_PEOPLE);
        if limit != self.limit {
            self.limit = limit;
            self.followed.truncate(limit);
            self.last_search = None;
        }
    }

    /// Begins a frame of this size, taken at `time`. Gives the region that the detector must see, if it is to run. A
    /// change of size starts afresh, and numbers go on; in static mode every frame is the first.
    pub fn begin(&mut self, image: ImageSize, time: Timestamp) -> Option<RotatedRect> {
        if self.mode == Mode::Static {
            self.reset();
        } else if self.image.replace(image) != Some(image) {
            self.forget();
        }
        self.lost
            .retain(|lost| (0.0..=MEMORY_SECS).contains(&time.secs_since(lost.time)));
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
        for region in found {
            if self.followed.len() >= self.limit {
                return;
            }
            if self
                .followed
                .iter()
                .any(|track| distance(&track.region, &region) < SAME_REGION)
            {
                continue;
            }
            let id = self.number_of(&region);
            let place = self.followed.partition_point(|track| track.id < id);
            let track = Track {
                id,
                follower: Follower::new(self.mode),
                region,
                pose: None,
            };
            self.followed.insert(place, track);
        }
    }

    /// That of the person who was lost nearest to here, or a new one.
    fn number_of(&mut self, region: &RotatedRect) -> PersonId {
        let near = self
            .lost
            .iter()
            .enumerate()
            .map(|(index, lost)| (distance(&lost.region, region), index));
        let nearest = near
            .filter(|&(distance, _)| distance < SAME_PLACE)
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        match nearest {
            Some((_, index)) => self.lost.swap_remove(index).id,
            None => {
                self.last_id += 1;
                PersonId(self.last_id)
            }
        }
    }

    /// Where the landmark model must look in this frame, and for whom.
    pub fn regions(&self) -> Vec<(PersonId, RotatedRect)> {
        self.followed
            .iter()
            .map(|track| (track.id, track.region))
            .collect()
    }

    /// Takes what the landmark model said about the region of this person, in the frame taken at `time`; says whether it
    /// has seen somebody there.
    pub fn advance(
        &mut self,
        id: PersonId,
        outputs: LandmarkOutputs<'_, impl Heatmap>,
        time: Timestamp,
    ) -> bool {
        self.take(id, |track| track.follower.advance(&track.region, outputs, time))
    }

    /// The same, where the model's numbers were decoded elsewhere ([`Follower::take`]).
    pub fn advance_decoded(&mut self, id: PersonId, seen: Option<Seen>, time: Timestamp) -> bool {
        self.take(id, |track| track.follower.take(seen, time))
    }

    fn take(&mut self, id: PersonId, pose: impl FnOnce(&mut Track) -> Option<Pose>) -> bool {
        let Some(track) = self.followed.iter_mut().find(|track| track.id == id) else {
            return false;
        };
        track.pose = pose(track);
        track.pose.is_some()
    }

    /// Ends the frame taken at `time`: who is there, in the order of their numbers.
    pub fn finish(&mut self, time: Timestamp) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        let mut stay: Vec<Track> = Vec::new();
        for mut track in std::mem::take(&mut self.followed) {
            let (id, region) = (track.id, track.region);
            let Some(pose) = track.pose.take() else {
                self.lost.push(Lost { id, region, time });
                continue;
            };
            // Numbers rise, so whoever is there already is the older one.
            if people.iter().any(|other| is_same(&other.pose, &pose)) {
                continue;
            }
            people.push(Person { id, pose });
            match track.follower.next_region() {
                Some(next) => stay.push(Track {
                    region: next,
                    ..track
                }),
                None => self.lost.push(Lost { id, region, time }),
            }
        }
        self.followed = stay;
        people
    }
}

/// Between the centres, as a share of the mean side.
fn distance(a: &RotatedRect, b: &RotatedRect) -> f32 {
    2.0 * a.center.distance(b.center) / (a.width_px + b.width_px)
}

/// Whether the landmarks of both lie in the same places.
fn is_same(a: &Pose, b: &Pose) -> bool {
    let pairs = a.landmarks.iter().zip(&b.landmarks);
    let total_px: f32 = pairs
        .map(|(a, b)| a.point_in_image().distance(b.point_in_image()))
        .sum();
    let side_px = (a.region.width_px + b.region.width_px) / 2.0;
    total_px / a.landmarks.len() as f32 <= SAME_POSE * side_px
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchors::ANCHOR_COUNT;
    use crate::detection::VALUES_PER_BOX;
    use crate::heatmap::HEATMAP_SIDE;
    use crate::landmarks::{ALIGNMENT_SCALE_POINT, MODEL_LANDMARK_COUNT, VALUES_PER_LANDMARK};

    /// A square, so that the letterbox is the image; a px of the detector's input is one of the image.
    const IMAGE: ImageSize = ImageSize {
        width_px: 224,
        height_px: 224,
    };
    /// Half of a person's region without its margin.
    const BODY_PX: f32 = 40.0;

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    /// People whose hips are at these columns, in the middle row; the first is the surest.
    fn detect(tracker: &mut PeopleTracker, region: &RotatedRect, columns: &[f32]) {
        let mut boxes = vec![0.0; ANCHOR_COUNT * VALUES_PER_BOX];
        let mut scores = vec![-10.0; ANCHOR_COUNT];
        let anchors = anchors();
        for (order, &x) in columns.iter().enumerate() {
            let anchor = anchors[order];
            scores[order] = 4.0 - order as f32;
            let [x, y] = [x - anchor.x * 224.0, 112.0 - anchor.y * 224.0];
            let row = &mut boxes[order * VALUES_PER_BOX..][..VALUES_PER_BOX];
            row.copy_from_slice(&[x, y, 10.0, 10.0, x, y, x, y - BODY_PX, 0.0, 0.0, 0.0, 0.0]);
        }
        let outputs = DetectorOutputs {
            boxes: &boxes,
            scores: &scores,
        };
        tracker.locate(region, outputs);
    }

    /// The landmark model sees a person whose hips are `moved` px of its input (256) to the right of the middle.
    fn see(tracker: &mut PeopleTracker, id: PersonId, moved: f32, score: f32, time: Timestamp) {
        let mut landmarks = vec![128.0; MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK];
        for row in landmarks.chunks_exact_mut(VALUES_PER_LANDMARK) {
            row[0] += moved;
        }
        landmarks[ALIGNMENT_SCALE_POINT * VALUES_PER_LANDMARK + 1] = 128.0 - 102.4;
        let heatmap = vec![-100.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT];
        let outputs = LandmarkOutputs {
            landmarks: &landmarks,
            score,
            heatmap: &heatmap[..],
            world: &[0.25; MODEL_LANDMARK_COUNT * 3],
        };
        tracker.advance(id, outputs, time);
    }

    /// A frame in which everybody stands still: the detector, where it runs, sees `columns`, the landmark model all but
    /// `hidden`.
    fn frame(tracker: &mut PeopleTracker, time: Timestamp, columns: &[f32], hidden: &[u32]) -> Vec<u32> {
        if let Some(region) = tracker.begin(IMAGE, time) {
            detect(tracker, &region, columns);
        }
        for (id, _) in tracker.regions() {
            let score = if hidden.contains(&id.0) { 0.1 } else { 0.9 };
            see(tracker, id, 0.0, score, time);
        }
        tracker.finish(time).iter().map(|person| person.id.0).collect()
    }

    #[test]
    fn people_keep_their_numbers() {
        let mut tracker = PeopleTracker::new(Mode::Tracking, 3);
        let columns = [60.0, 160.0];
        assert_eq!(frame(&mut tracker, millis(0), &columns, &[]), [1, 2]);
        assert_eq!(
            tracker.begin(IMAGE, millis(33)),
            None,
            "nobody looks for a third one yet"
        );
        // A third one comes in, and is found when it is time to look again.
        let columns = [60.0, 160.0, 110.0];
        for (time, expected) in [
            (66, &[1, 2][..]),
            (499, &[1, 2]),
            (500, &[1, 2, 3]),
            (533, &[1, 2, 3]),
        ] {
            assert_eq!(
                frame(&mut tracker, millis(time), &columns, &[]),
                expected,
                "at {time} ms"
            );
        }
        assert_eq!(
            tracker.begin(IMAGE, millis(5000)),
            None,
            "all that were asked for are there"
        );
    }

    #[test]
    fn who_comes_back_in_time_gets_the_number_back() {
        for (away_millis, expected) in [(1500, [1, 2]), (2500, [1, 3])] {
            let mut tracker = PeopleTracker::new(Mode::Tracking, 4);
            let columns = [60.0, 160.0];
            assert_eq!(frame(&mut tracker, millis(0), &columns, &[]), [1, 2]);
            assert_eq!(frame(&mut tracker, millis(33), &columns, &[2]), [1]);
            // Nobody but the first is detected meanwhile, and the second comes back a step to the side.
            for time in (100..away_millis).step_by(100) {
                assert_eq!(frame(&mut tracker, millis(time), &[60.0], &[]), [1]);
            }
            let mut seen = Vec::new();
            for time in (away_millis..away_millis + 600).step_by(100) {
                seen = frame(&mut tracker, millis(time), &[60.0, 172.0], &[]);
            }
            assert_eq!(seen, expected, "after {away_millis} ms");
        }
    }

    #[test]
    fn two_that_see_the_same_person_become_one() {
        let mut tracker = PeopleTracker::new(Mode::Tracking, 2);
        assert_eq!(frame(&mut tracker, millis(0), &[90.0, 130.0], &[]), [1, 2]);
        // The second one's model sees the first one's person: 40 px of the image are 102.4 of its input.
        assert!(tracker.begin(IMAGE, millis(33)).is_none());
        see(&mut tracker, PersonId(1), 0.0, 0.9, millis(33));
        see(&mut tracker, PersonId(2), -102.4, 0.9, millis(33));
        let people: Vec<u32> = tracker
            .finish(millis(33))
            .iter()
            .map(|person| person.id.0)
            .collect();
        assert_eq!(people, [1]);
        assert_eq!(tracker.regions().len(), 1);
    }

    #[test]
    fn pictures_stand_alone_and_the_limit_holds() {
        let mut tracker = PeopleTracker::new(Mode::Static, 2);
        for _ in 0..2 {
            assert_eq!(frame(&mut tracker, millis(0), &[40.0, 110.0, 180.0], &[]), [1, 2]);
        }
        // One person, seen twice by the detector without the boxes overlapping: 11 px of a region of 100.
        assert_eq!(frame(&mut tracker, millis(0), &[100.0, 111.0], &[]), [1]);
        assert_eq!(frame(&mut tracker, millis(0), &[], &[]), [0_u32; 0]);
    }

    #[test]
    fn a_source_that_starts_again_is_searched() {
        let mut tracker = PeopleTracker::new(Mode::Tracking, 2);
        assert_eq!(frame(&mut tracker, millis(9000), &[60.0], &[]), [1]);
        assert!(tracker.begin(IMAGE, millis(9100)).is_none());
        assert!(tracker.begin(IMAGE, millis(0)).is_some());
        tracker.reset();
        assert_eq!(
            frame(&mut tracker, millis(33), &[60.0], &[]),
            [1],
            "nobody is remembered, and numbers begin again"
        );
    }

    #[test]
    fn a_limit_may_change_in_the_middle() {
        let mut tracker = PeopleTracker::new(Mode::Tracking, 1);
        let columns = [60.0, 160.0, 110.0];
        let mut seen_with = |limit: usize, time: i64| {
            tracker.set_limit(limit);
            frame(&mut tracker, millis(time), &columns, &[])
        };
        for (limit, time, expected) in [
            (1, 0, &[1][..]),
            // Looked for at once, though nobody is due yet.
            (2, 33, &[1, 2]),
            (4, 66, &[1, 2, 3]),
            (1, 100, &[1]),
            (9, 133, &[1, 4, 5]),
            (0, 166, &[1]),
        ] {
            assert_eq!(seen_with(limit, time), expected, "at {time} ms");
        }
    }
}
