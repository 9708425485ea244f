//! Who of the people in view is measured: the one that the person chose, and nobody in their place.
//!
//! The first one who is found is measured until another is chosen. Who was chosen and leaves is waited for: the engine
//! gives them their number back if they return within [`MEMORY_SECS`], and after that nobody has it.

use plumbline_core::geometry::Point2;
use plumbline_core::people::{MAX_PEOPLE, MEMORY_SECS, Person, PersonId};

use crate::live::skeleton_drawing::{Fit, tag_at};

/// How far beside a body or its number a click still means it, in pixels of the stage: half of a target for a finger
/// (WCAG 2.2, 2.5.5).
const REACH_PX: f32 = 22.0;

/// What the page shows of the people in view. Changes only when somebody comes, goes or is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InView {
    /// Their numbers, rising.
    pub ids: Vec<PersonId>,
    /// Who is measured, or waited for.
    pub measured: Option<PersonId>,
    /// They were away for so long that their number is not theirs any more.
    pub is_gone: bool,
}

impl InView {
    /// Whether who is to be measured is not there.
    pub fn is_lost(&self) -> bool {
        self.measured.is_some_and(|id| !self.ids.contains(&id))
    }

    /// Numbers and words of a menu: who can be chosen, and who is waited for.
    pub fn options(&self) -> Vec<(String, String)> {
        let lost = self.measured.filter(|_| self.is_lost());
        let option = |id: &PersonId, more| (id.0.to_string(), format!("Person {}{more}", id.0));
        let seen = self.ids.iter().map(|id| option(id, ""));
        seen.chain(lost.iter().map(|id| option(id, ", out of view")))
            .collect()
    }

    /// Who is measured, in a sentence; empty before anybody was found.
    pub fn note(&self) -> String {
        match self.measured {
            None => String::new(),
            Some(PersonId(number)) if self.is_gone => {
                format!("Person {number} has left, and gets another number on coming back. {HOW_TO_CHOOSE}")
            }
            Some(PersonId(number)) if self.is_lost() => {
                format!("Person {number} is out of view; measuring waits for them. {HOW_TO_CHOOSE}")
            }
            Some(PersonId(number)) => format!("Person {number} is measured. {HOW_TO_CHOOSE}"),
        }
    }
}

const HOW_TO_CHOOSE: &str = "Click somebody or press their number to measure them instead.";

/// Follows who is measured, frame by frame.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    shown: InView,
    /// When who is measured was seen last, on the source's clock.
    seen_secs: f64,
}

impl Choice {
    /// What is to be shown.
    pub fn shown(&self) -> &InView {
        &self.shown
    }

    /// Who is measured or waited for.
    pub fn measured(&self) -> Option<PersonId> {
        self.shown.measured
    }

    /// Numbers begin again: whoever is found first is measured.
    pub fn begin(&mut self) {
        *self = Self::default();
    }

    /// The people of a frame taken at `time_secs`, of at most `limit`. Of one, it is whoever is there.
    pub fn see(&mut self, people: &[Person], limit: u32, time_secs: f64) {
        let shown = &mut self.shown;
        shown.ids.clear();
        shown.ids.extend(people.iter().map(|person| person.id));
        if limit == 1 || shown.measured.is_none() {
            shown.measured = shown.ids.first().copied();
        }
        if !shown.is_lost() {
            self.seen_secs = time_secs;
        }
        shown.is_gone = shown.is_lost() && time_secs - self.seen_secs > MEMORY_SECS;
    }

    /// Somebody in view is to be measured; says whether there is such a one, and it was another before.
    pub fn choose(&mut self, id: PersonId) -> bool {
        let is_new = self.shown.ids.contains(&id) && self.shown.measured != Some(id);
        if is_new {
            self.shown.measured = Some(id);
            self.shown.is_gone = false;
        }
        is_new
    }
}

/// How many may be followed, as the menu's values and words.
pub fn limits() -> Vec<(String, String)> {
    let words = |limit| match limit {
        1 => "One person".to_owned(),
        _ => format!("Up to {limit}"),
    };
    (1..=MAX_PEOPLE)
        .map(|limit| (limit.to_string(), words(limit)))
        .collect()
}

/// The limit behind an id.
pub fn limit_from_id(id: &str) -> Option<u32> {
    id.parse()
        .ok()
        .filter(|limit| (1..=MAX_PEOPLE as u32).contains(limit))
}

/// Whose body a point of the stage means: of those whose box it lies in, the one with the nearest landmark.
pub fn at(point: Point2, people: &[Person], fit: &Fit) -> Option<PersonId> {
    let distance_px = |person: &Person| {
        let landmarks = person.pose.landmarks.iter();
        let points = landmarks.map(|mark| fit.point_in_stage(mark.point_in_image()));
        let points = points.chain([tag_at(&person.pose, fit)]);
        let nowhere = [f32::INFINITY, f32::NEG_INFINITY];
        let (mut x, mut y, mut nearest) = (nowhere, nowhere, f32::INFINITY);
        for at in points {
            x = [x[0].min(at.x), x[1].max(at.x)];
            y = [y[0].min(at.y), y[1].max(at.y)];
            nearest = nearest.min(at.distance(point));
        }
        let is_within =
            |value: f32, [low, high]: [f32; 2]| (low - REACH_PX..=high + REACH_PX).contains(&value);
        (is_within(point.x, x) && is_within(point.y, y)).then_some(nearest)
    };
    let meant = people
        .iter()
        .filter_map(|person| Some((distance_px(person)?, person.id)));
    let nearest = meant.min_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
    use plumbline_core::roi::RotatedRect;
    use plumbline_core::skeleton::LANDMARK_COUNT;

    /// A body 40 px wide and 132 px high, its left edge at `x`.
    fn person(id: u32, x: f32) -> Person {
        let landmarks = std::array::from_fn(|index| Landmark {
            x_px: x + if index % 2 == 0 { 0.0 } else { 40.0 },
            y_px: 100.0 + 4.0 * index as f32,
            ..Landmark::default()
        });
        let pose = Pose {
            landmarks,
            world: [WorldLandmark::default(); LANDMARK_COUNT],
            region: RotatedRect {
                center: Point2::new(0.0, 0.0),
                width_px: 1.0,
                height_px: 1.0,
                rotation: 0.0,
            },
            score: 1.0,
        };
        Person {
            id: PersonId(id),
            pose,
        }
    }

    fn people(ids: &[u32]) -> Vec<Person> {
        ids.iter().map(|&id| person(id, 100.0 * id as f32)).collect()
    }

    #[test]
    fn who_was_chosen_is_waited_for() {
        let mut choice = Choice::default();
        for (time_secs, ids, measured, is_lost, is_gone) in [
            (0.0, &[][..], None, false, false),
            (0.1, &[1, 2], Some(1), false, false),
            (0.2, &[2], Some(1), true, false),
            (2.1, &[2], Some(1), true, false),
            (2.2, &[2, 3], Some(1), true, true),
            (2.3, &[1, 2], Some(1), false, false),
        ] {
            choice.see(&people(ids), 4, time_secs);
            let shown = choice.shown();
            assert_eq!(shown.measured, measured.map(PersonId), "at {time_secs} s");
            assert_eq!(
                (shown.is_lost(), shown.is_gone),
                (is_lost, is_gone),
                "at {time_secs} s"
            );
        }
        assert!(!choice.choose(PersonId(3)), "nobody has this number");
        assert!(choice.choose(PersonId(2)) && !choice.choose(PersonId(2)));
        choice.see(&people(&[1]), 4, 2.4);
        assert_eq!(choice.measured(), Some(PersonId(2)));
        let options: Vec<String> = choice
            .shown()
            .options()
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(options, ["Person 1", "Person 2, out of view"]);
        assert!(
            choice.shown().note().contains("waits"),
            "{}",
            choice.shown().note()
        );
        choice.begin();
        choice.see(&people(&[1]), 4, 0.0);
        assert_eq!(choice.measured(), Some(PersonId(1)));
    }

    #[test]
    fn of_one_person_it_is_whoever_is_there() {
        let mut choice = Choice::default();
        for (ids, measured) in [
            (&[1][..], Some(1)),
            (&[], None),
            (&[2], Some(2)),
            (&[5, 6], Some(5)),
        ] {
            choice.see(&people(ids), 1, 0.0);
            assert_eq!(choice.measured(), measured.map(PersonId));
            assert!(!choice.shown().is_lost());
        }
    }

    #[test]
    fn a_click_means_the_nearest_body() {
        let fit = Fit::contain((400.0, 400.0), (400.0, 400.0), false);
        let people = people(&[1, 2]);
        for (x, y, expected) in [
            (120.0, 160.0, Some(1)),
            (90.0, 110.0, Some(1)),
            (100.0, 50.0, Some(1)),
            (160.0, 160.0, Some(1)),
            (180.0, 160.0, Some(2)),
            (230.0, 240.0, Some(2)),
            (270.0, 160.0, None),
            (220.0, 20.0, None),
            (20.0, 160.0, None),
        ] {
            let id = at(Point2::new(x, y), &people, &fit);
            assert_eq!(id, expected.map(PersonId), "({x}, {y})");
        }
        let mirrored = Fit::contain((400.0, 400.0), (400.0, 400.0), true);
        assert_eq!(
            at(Point2::new(280.0, 160.0), &people, &mirrored),
            Some(PersonId(1))
        );
    }

    #[test]
    fn limits_are_one_to_four() {
        let ids: Vec<Option<u32>> = limits().iter().map(|(id, _)| limit_from_id(id)).collect();
        assert_eq!(ids, [Some(1), Some(2), Some(3), Some(4)]);
        for id in ["0", "5", "", "-1", "two"] {
            assert_eq!(limit_from_id(id), None, "{id}");
        }
    }
}
