//! A pose as lines and circles in the pixels of the stage, ready for any canvas.
//!
//! Left (the subject's) is solid, right is dashed, the middle is neutral; a doubtful bone is thinner and paler, a doubtful
//! joint hollow; a point that the model does not see is not drawn. Colour never carries a meaning alone.
//!
//! Of several people each has their number above them. Who is measured is drawn whole, and their tag says so; the others
//! are thin bones without joints.

use plumbline_core::geometry::Point2;
use plumbline_core::people::{Person, PersonId};
use plumbline_core::pose::{Landmark, Pose};
use plumbline_core::skeleton::{BONES, LANDMARK_COUNT, Side, side};

use crate::live::quality::CERTAIN;

/// Below this visibility a point is not drawn at all.
const SEEN: f32 = 0.2;

/// Joints that get a circle: the large ones and the tips of hands and feet. Circles on the face would hide it.
const JOINTS: std::ops::Range<usize> = 11..LANDMARK_COUNT;

/// Where the letters L and R stand: wrists and ankles.
const LABELLED: [(usize, &str); 4] = [(15, "L"), (16, "R"), (27, "L"), (28, "R")];

/// Distance of a letter from its joint, in pixels of the stage.
const LABEL_OFFSET_PX: f32 = 18.0;

/// Distance of a number from the top of a head, and the least one from the stage's upper edge, in pixels.
const TAG_OFFSET_PX: f32 = 12.0;
/// How far the top of a head is above the nose, as a share of the way from there down to the shoulders.
const HEAD_ABOVE_NOSE: f32 = 0.6;

/// How a picture lies in the stage: scaled to fit, centred, perhaps mirrored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    scale: f32,
    left: f32,
    top: f32,
    /// The stage's width where x runs backwards.
    mirror_width: Option<f32>,
}

impl Fit {
    /// Fits a picture of `picture` pixels (width, height) into a stage of `stage` pixels, as `object-fit: contain` does.
    pub fn contain(picture: (f32, f32), stage: (f32, f32), mirrored: bool) -> Self {
        let scale = (stage.0 / picture.0.max(1.0)).min(stage.1 / picture.1.max(1.0));
        Self {
            scale,
            left: (stage.0 - picture.0 * scale) / 2.0,
            top: (stage.1 - picture.1 * scale) / 2.0,
            mirror_width: mirrored.then_some(stage.0),
        }
    }

    /// From the picture's pixels to the stage's.
    pub fn point_in_stage(&self, point_in_image: Point2) -> Point2 {
        let x = self.left + point_in_image.x * self.scale;
        Point2 {
            x: self.mirror_width.map_or(x, |width| width - x),
            y: self.top + point_in_image.y * self.scale,
        }
    }
}

/// One thing to draw. Positions in pixels of the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// A line between two joints.
    Bone {
        /// One end.
        from: Point2,
        /// The other.
        to: Point2,
        /// Whose half of the body.
        side: Side,
        /// Thin and pale.
        doubtful: bool,
    },
    /// A circle on a joint.
    Joint {
        /// Its centre.
        at: Point2,
        /// Whose half of the body.
        side: Side,
        /// Hollow.
        doubtful: bool,
    },
    /// A letter beside a joint.
    Label {
        /// Its middle.
        at: Point2,
        /// L or R.
        text: &'static str,
        /// Whose half of the body.
        side: Side,
    },
    /// A person's number, above them.
    Tag {
        /// Its middle.
        at: Point2,
        /// Whose.
        id: PersonId,
        /// Whether they are measured.
        is_measured: bool,
    },
}

/// The marks of several people, the one who is measured above the others.
pub fn marks_of_people(people: &[Person], measured: Option<PersonId>, fit: &Fit) -> Vec<Mark> {
    let is_measured = |person: &&Person| Some(person.id) == measured;
    let quiet = people.iter().filter(|person| !is_measured(person));
    let mut all = Vec::new();
    for person in quiet {
        let bones = marks(&person.pose, fit)
            .into_iter()
            .filter_map(|mark| match mark {
                Mark::Bone { from, to, side, .. } => Some(Mark::Bone {
                    from,
                    to,
                    side,
                    doubtful: true,
                }),
                Mark::Joint { .. } | Mark::Label { .. } | Mark::Tag { .. } => None,
            });
        all.extend(bones);
    }
    let measured = people.iter().find(is_measured);
    all.extend(
        measured
            .map(|person| marks(&person.pose, fit))
            .into_iter()
            .flatten(),
    );
    all.extend(people.iter().map(|person| Mark::Tag {
        at: tag_at(&person.pose, fit),
        id: person.id,
        is_measured: is_measured(&person),
    }));
    all
}

/// Where a person's number stands: above all of them.
pub fn tag_at(pose: &Pose, fit: &Fit) -> Point2 {
    let at = |mark: &Landmark| fit.point_in_stage(mark.point_in_image());
    let [nose, left, right] = [0, 11, 12].map(|index| at(&pose.landmarks[index]));
    let head = nose.y - HEAD_ABOVE_NOSE * ((left.y + right.y) / 2.0 - nose.y).max(0.0);
    let top = pose.landmarks.iter().map(|mark| at(mark).y).fold(head, f32::min);
    Point2::new(nose.x, (top - TAG_OFFSET_PX).max(TAG_OFFSET_PX))
}

/// The marks of a pose, in drawing order: bones, joints, letters.
pub fn marks(pose: &Pose, fit: &Fit) -> Vec<Mark> {
    let landmarks = &pose.landmarks;
    let at = |index: usize| fit.point_in_stage(landmarks[index].point_in_image());
    let seen = |landmark: &Landmark| landmark.visibility >= SEEN;
    let doubtful = |landmark: &Landmark| landmark.visibility < CERTAIN;

    let bones = BONES
        .iter()
        .filter(|&&(a, b)| seen(&landmarks[a]) && seen(&landmarks[b]))
        .map(|&(a, b)| {
            let side = if side(a) == side(b) {
                side(a)
            } else {
                bone_side(a, b)
            };
            Mark::Bone {
                from: at(a),
                to: at(b),
                side,
                doubtful: doubtful(&landmarks[a]) || doubtful(&landmarks[b]),
            }
        });
    let joints = JOINTS
        .filter(|&index| seen(&landmarks[index]))
        .map(|index| Mark::Joint {
            at: at(index),
            side: side(index),
            doubtful: doubtful(&landmarks[index]),
        });
    let middle_x = (at(23).x + at(24).x) / 2.0;
    let labels = LABELLED
        .iter()
        .filter(|&&(index, _)| seen(&landmarks[index]))
        .map(|&(index, text)| {
            let joint = at(index);
            let outward = if joint.x < middle_x {
                -LABEL_OFFSET_PX
            } else {
                LABEL_OFFSET_PX
            };
            Mark::Label {
                at: Point2::new(joint.x + outward, joint.y),
                text,
                side: side(index),
            }
        });
    bones.chain(joints).chain(labels).collect()
}

/// The side of a bone between two sides: from the nose to an eye it is the eye's, across the body nobody's.
fn bone_side(a: usize, b: usize) -> Side {
    match (side(a), side(b)) {
        (Side::Middle, other) | (other, Side::Middle) => other,
        _ => Side::Middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_core::pose::WorldLandmark;
    use plumbline_core::roi::RotatedRect;

    fn pose(visibility: impl Fn(usize) -> f32) -> Pose {
        let landmarks = std::array::from_fn(|index| Landmark {
            x_px: index as f32,
            y_px: 2.0 * index as f32,
            visibility: visibility(index),
            ..Landmark::default()
        });
        let region = RotatedRect {
            center: Point2::new(0.0, 0.0),
            width_px: 1.0,
            height_px: 1.0,
            rotation: 0.0,
        };
        Pose {
            landmarks,
            world: [WorldLandmark::default(); LANDMARK_COUNT],
            region,
            score: 1.0,
        }
    }

    #[test]
    fn a_picture_is_centred_and_mirrored_in_the_stage() {
        let fit = Fit::contain((100.0, 200.0), (400.0, 400.0), false);
        assert_eq!(fit.point_in_stage(Point2::new(0.0, 0.0)), Point2::new(100.0, 0.0));
        assert_eq!(
            fit.point_in_stage(Point2::new(100.0, 200.0)),
            Point2::new(300.0, 400.0)
        );
        let mirrored = Fit::contain((100.0, 200.0), (400.0, 400.0), true);
        assert_eq!(
            mirrored.point_in_stage(Point2::new(0.0, 0.0)),
            Point2::new(300.0, 0.0)
        );
    }

    #[test]
    fn doubt_thins_and_absence_removes() {
        let fit = Fit::contain((100.0, 100.0), (100.0, 100.0), false);
        let knee = 25;
        let all = marks(&pose(|_| 1.0), &fit);
        assert_eq!(
            all.iter()
                .filter(|mark| matches!(mark, Mark::Bone { .. }))
                .count(),
            BONES.len()
        );
        assert!(all.iter().all(|mark| !matches!(
            mark,
            Mark::Bone { doubtful: true, .. } | Mark::Joint { doubtful: true, .. }
        )));
        let doubted = marks(&pose(|index| if index == knee { 0.4 } else { 1.0 }), &fit);
        let doubtful_bones = doubted
            .iter()
            .filter(|mark| matches!(mark, Mark::Bone { doubtful: true, .. }));
        assert_eq!(doubtful_bones.count(), 2, "thigh and shank");
        let hidden = marks(&pose(|index| if index == knee { 0.1 } else { 1.0 }), &fit);
        assert_eq!(hidden.len(), all.len() - 3, "thigh, shank and the joint itself");
    }

    #[test]
    fn of_several_people_one_is_drawn_whole_and_each_has_a_number() {
        let fit = Fit::contain((100.0, 100.0), (100.0, 100.0), false);
        let people = [1, 2, 3].map(|id| Person {
            id: PersonId(id),
            pose: pose(|_| 1.0),
        });
        let all = marks_of_people(&people, Some(PersonId(2)), &fit);
        let tags: Vec<_> = all
            .iter()
            .filter_map(|mark| match mark {
                Mark::Tag { at, id, is_measured } => Some((at.y, id.0, *is_measured)),
                Mark::Bone { .. } | Mark::Joint { .. } | Mark::Label { .. } => None,
            })
            .collect();
        // The topmost point is at 0, above which there is no room.
        assert_eq!(tags, [(12.0, 1, false), (12.0, 2, true), (12.0, 3, false)]);
        let whole = marks(&people[1].pose, &fit);
        let quiet = all.len() - tags.len() - whole.len();
        assert_eq!(quiet, 2 * BONES.len());
        assert_eq!(all[quiet..quiet + whole.len()], whole);
        let thin = |mark: &Mark| matches!(mark, Mark::Bone { doubtful: true, .. });
        assert!(all[..quiet].iter().all(thin));
    }

    #[test]
    fn bones_belong_to_a_side() {
        for (a, b, expected) in [
            (0, 1, Side::Left),
            (0, 4, Side::Right),
            (11, 12, Side::Middle),
            (9, 10, Side::Middle),
        ] {
            assert_eq!(bone_side(a, b), expected, "{a}-{b}");
        }
    }
}
