//! A posture: joint angles in radians, before any body is put into it.
//!
//! Legs stand on the floor, so their angles are given the way a planted leg moves: the thigh against the vertical,
//! the knee as a pure hinge, the foot against the floor. Arms hang on the trunk, so theirs are relative to it.

use crate::anthropometry::Body;
use crate::portable;
use crate::skeleton::Skeleton;
use crate::vector::{Frame, Vec3, vec3};

/// Degrees to radians, for the places where a posture is written down in clinical units.
pub const fn degrees(angle: f64) -> f64 {
    angle * (std::f64::consts::PI / 180.0)
}

/// Index of the left limb in pairs.
pub const LEFT: usize = 0;
/// Index of the right limb in pairs.
pub const RIGHT: usize = 1;

/// +1 for the left side, -1 for the right: the sign of its x.
pub fn sign_of(side: usize) -> f64 {
    if side == LEFT { 1.0 } else { -1.0 }
}

/// One leg; all angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Thigh forward of the vertical, in the leg's own plane.
    pub raise: f64,
    /// Leg plane tilted outward from the vertical.
    pub spread: f64,
    /// Leg plane and foot turned outward.
    pub turn_out: f64,
    /// Knee flexion; 0 is straight.
    pub knee: f64,
    /// Sole against the floor; 0 is flat, positive has the heel up.
    pub heel_rise: f64,
}

impl Leg {
    /// Frames of thigh, shank and foot in the upright frame of the pelvis; each y axis points up along its segment.
    pub fn frames(&self, side: usize) -> [Frame<f64>; 3] {
        let sign = sign_of(side);
        let plane = Frame::yaw(sign * self.turn_out).then(&Frame::roll(-sign * self.spread));
        let thigh = plane.then(&Frame::pitch(-self.raise));
        let shank = thigh.then(&Frame::pitch(self.knee));
        let foot = Frame::yaw(sign * self.turn_out).then(&Frame::pitch(self.heel_rise));
        [thigh, shank, foot]
    }

    /// The leg whose ball of the foot lies at `hip_to_ball` (metres, upright frame), by the law of cosines.
    /// A target out of reach is approached with a straight leg.
    pub fn reaching(body: &Body, side: usize, hip_to_ball: Vec3<f64>, turn_out: f64, heel_rise: f64) -> Self {
        let sign = sign_of(side);
        let mut leg = Self {
            raise: 0.0,
            spread: 0.0,
            turn_out,
            knee: 0.0,
            heel_rise,
        };
        let [_, _, foot] = leg.frames(side);
        let ankle = hip_to_ball - foot.outward(Skeleton::ankle_to_ball(body));
        let turned = Frame::yaw(sign * turn_out).inward(ankle);
        leg.spread = sign * portable::atan2(turned.x, -turned.y);
        let drop = (turned.x * turned.x + turned.y * turned.y).sqrt();
        let (thigh, shank) = (body.thigh_m(), body.shank_m());
        let reach = (drop * drop + turned.z * turned.z).sqrt().min(thigh + shank);
        let cos_inner = (thigh * thigh + shank * shank - reach * reach) / (2.0 * thigh * shank);
        leg.knee = std::f64::consts::PI - portable::acos(cos_inner);
        let cos_hip = (thigh * thigh + reach * reach - shank * shank) / (2.0 * thigh * reach);
        leg.raise = portable::atan2(turned.z, drop) + portable::acos(cos_hip);
        leg
    }

    fn mix(&self, o: &Self, t: f64) -> Self {
        Self {
            raise: blend(self.raise, o.raise, t),
            spread: blend(self.spread, o.spread, t),
            turn_out: blend(self.turn_out, o.turn_out, t),
            knee: blend(self.knee, o.knee, t),
            heel_rise: blend(self.heel_rise, o.heel_rise, t),
        }
    }
}

/// One arm, relative to the trunk; all angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arm {
    /// Upper arm out to the side, applied after `flexion`.
    pub abduction: f64,
    /// Upper arm to the front.
    pub flexion: f64,
    /// Upper arm about its own axis, outward (the forearm of a bent elbow turns away from the body's middle).
    pub rotation: f64,
    /// Elbow flexion; 0 is straight.
    pub elbow: f64,
}

impl Arm {
    /// Frames of upper arm and forearm in the trunk's frame; each y axis points up along its segment.
    pub fn frames(&self, side: usize) -> [Frame<f64>; 2] {
        let sign = sign_of(side);
        let upper = Frame::roll(-sign * self.abduction)
            .then(&Frame::pitch(-self.flexion))
            .then(&Frame::yaw(sign * self.rotation));
        [upper, upper.then(&Frame::pitch(-self.elbow))]
    }

    fn mix(&self, o: &Self, t: f64) -> Self {
        Self {
            abduction: blend(self.abduction, o.abduction, t),
            flexion: blend(self.flexion, o.flexion, t),
            rotation: blend(self.rotation, o.rotation, t),
            elbow: blend(self.elbow, o.elbow, t),
        }
    }
}

/// A whole posture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Trunk forward of the vertical, radians.
    pub lean: f64,
    /// Trunk to the subject's left, radians.
    pub bend: f64,
    /// Trunk turned to the subject's left of the pelvis, radians.
    pub turn: f64,
    /// Head turned to the subject's left of the trunk, radians.
    pub head_turn: f64,
    /// Left and right arm.
    pub arms: [Arm; 2],
    /// Left and right leg.
    pub legs: [Leg; 2],
    /// Which ball of the foot stays where it stands at ease: 1 the left one, 0 the right one, 0.5 their middle.
    pub anchor_left: f64,
    /// Lowest point of the soles above the floor, metres.
    pub airborne_m: f64,
}

impl Pose {
    /// Standing at ease: the posture every motion starts from and comes back to.
    pub fn standing() -> Self {
        let arm = Arm {
            abduction: degrees(8.0),
            flexion: degrees(0.0),
            rotation: 0.0,
            elbow: degrees(8.0),
        };
        let leg = Leg {
            raise: 0.0,
            spread: degrees(3.0),
            turn_out: degrees(9.0),
            knee: degrees(1.0),
            heel_rise: 0.0,
        };
        Self {
            lean: 0.0,
            bend: 0.0,
            turn: 0.0,
            head_turn: 0.0,
            arms: [arm; 2],
            legs: [leg; 2],
            anchor_left: 0.5,
            airborne_m: 0.0,
        }
    }

    /// The posture the fraction `t` of the way to `o`, angle by angle.
    pub fn mix(&self, o: &Self, t: f64) -> Self {
        Self {
            lean: blend(self.lean, o.lean, t),
            bend: blend(self.bend, o.bend, t),
            turn: blend(self.turn, o.turn, t),
            head_turn: blend(self.head_turn, o.head_turn, t),
            arms: [self.arms[0].mix(&o.arms[0], t), self.arms[1].mix(&o.arms[1], t)],
            legs: [self.legs[0].mix(&o.legs[0], t), self.legs[1].mix(&o.legs[1], t)],
            anchor_left: blend(self.anchor_left, o.anchor_left, t),
            airborne_m: blend(self.airborne_m, o.airborne_m, t),
        }
    }

    /// The mirror image: left and right exchanged.
    pub fn mirrored(&self) -> Self {
        Self {
            bend: -self.bend,
            turn: -self.turn,
            head_turn: -self.head_turn,
            arms: [self.arms[RIGHT], self.arms[LEFT]],
            legs: [self.legs[RIGHT], self.legs[LEFT]],
            anchor_left: 1.0 - self.anchor_left,
            ..*self
        }
    }

    /// Both knees at `knee` with the feet flat: the shanks lean forward by 0.38 of it, 38 degrees at most.
    pub fn with_bent_knees(mut self, knee: f64) -> Self {
        let shank_lean = (0.38 * knee).min(degrees(38.0));
        for leg in &mut self.legs {
            leg.knee = knee;
            leg.raise = knee - shank_lean;
        }
        self
    }

    /// Both feet as far apart as at ease, whatever the legs do in their planes: the spread is adjusted to it.
    pub fn with_feet_in_place(mut self, body: &Body) -> Self {
        let ease = Self::standing();
        for side in [LEFT, RIGHT] {
            // Ankle from hip in the leg's plane, before it is spread and turned: below and forward, metres.
            let flat = |leg: &Leg| {
                let [thigh, shank, _] = Leg {
                    spread: 0.0,
                    turn_out: 0.0,
                    ..*leg
                }
                .frames(side);
                let ankle = -thigh.y * body.thigh_m() - shank.y * body.shank_m();
                (-ankle.y, ankle.z)
            };
            let (turn_sin, turn_cos) = portable::sin_cos(ease.legs[side].turn_out);
            let (ease_below, ease_forward) = flat(&ease.legs[side]);
            let outward =
                turn_cos * ease_below * portable::sin(ease.legs[side].spread) + turn_sin * ease_forward;
            let (below, forward) = flat(&self.legs[side]);
            let sine = (outward - turn_sin * forward) / (turn_cos * below);
            self.legs[side].spread = std::f64::consts::FRAC_PI_2 - portable::acos(sine);
        }
        self
    }

    /// Both arms held to the front at this angle from hanging down in the world, whatever the trunk does.
    pub fn with_arms_forward(mut self, angle: f64) -> Self {
        for arm in &mut self.arms {
            arm.flexion = angle + self.lean;
            arm.abduction = 0.0;
        }
        self
    }

    /// The posture of a family that keeps the centre of mass over the feet: `of_lean` gives the posture for a
    /// trunk lean in radians, and the lean is found by bisection between -5 and 75 degrees.
    pub fn balanced(body: &Body, of_lean: impl Fn(f64) -> Self) -> Self {
        let (mut back, mut front) = (degrees(-5.0), degrees(75.0));
        for _ in 0..30 {
            let lean = 0.5 * (back + front);
            let skeleton = Skeleton::of(body, &of_lean(lean));
            if skeleton.centre_of_mass().z < skeleton.middle_of_feet().z {
                back = lean;
            } else {
                front = lean;
            }
        }
        of_lean(0.5 * (back + front))
    }
}

/// The value the fraction `t` of the way from `a` to `b`.
pub fn blend(a: f64, b: f64, t: f64) -> f64 {
    a + (b - a) * t
}

/// Where a foot's ball stands at ease, relative to the point on the floor between the feet: x outward-signed.
pub fn ball_at_ease(body: &Body, side: usize) -> Vec3<f64> {
    let skeleton = Skeleton::of(body, &Pose::standing());
    let ball = skeleton.feet[side].ball;
    vec3(ball.x, 0.0, ball.z)
}
