//! A sequence: bouts one after another, as one function of time.

use crate::anthropometry::Body;
use crate::motion::{Bout, Label, Motion, seat_for};
use crate::pose::Pose;
use crate::sculpt::Seat;

/// Bouts one after another; starts and ends standing at ease, so it can be played in a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    bouts: Vec<Bout>,
}

impl Sequence {
    /// The bouts in order; an empty list is a person standing for one easy cycle.
    pub fn new(bouts: Vec<Bout>) -> Self {
        Self {
            bouts: if bouts.is_empty() {
                vec![Bout::of(Motion::Stand, 1)]
            } else {
                bouts
            },
        }
    }

    /// The bouts in order.
    pub fn bouts(&self) -> &[Bout] {
        &self.bouts
    }

    /// Length of one round, seconds.
    pub fn duration_secs(&self) -> f64 {
        self.bouts.iter().map(Bout::duration_secs).sum()
    }

    /// The seat in the picture, if any bout needs one; it stays for the whole sequence.
    pub fn seat(&self, body: &Body) -> Option<Seat> {
        self.bouts
            .iter()
            .any(|bout| bout.motion.needs_seat())
            .then(|| seat_for(body))
    }

    /// Posture and label at a time in seconds; before 0 as at 0, after the end as at the end.
    pub fn at(&self, body: &Body, secs: f64) -> (Pose, Label) {
        let mut left = secs.max(0.0);
        let mut playing = &self.bouts[0];
        for (index, bout) in self.bouts.iter().enumerate() {
            playing = bout;
            if left < bout.duration_secs() || index + 1 == self.bouts.len() {
                break;
            }
            left -= bout.duration_secs();
        }
        playing.at(body, left)
    }
}
