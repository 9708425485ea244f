//! Motions: postures as pure functions of time, with labels.
//!
//! Every motion starts and ends standing at ease, so bouts can follow each other without a seam. A [`Bout`] is a
//! number of repetitions of one motion; between repetitions some motions keep a posture (arms crossed, one leg
//! up), which they take up before the first and leave after the last.

use crate::anthropometry::Body;
use crate::portable;
use crate::pose::{Arm, LEFT, Leg, Pose, RIGHT, ball_at_ease, blend, degrees, sign_of};
use crate::sculpt::Seat;
use crate::skeleton::Skeleton;
use crate::vector::{Vec3, vec3};
use std::f64::consts::TAU;

/// What the person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// Stands at ease, swaying a little.
    Stand,
    /// Squats with the arms to the front.
    Squat,
    /// Sits down on the seat and stands up, arms free.
    SitToStand,
    /// The 30-second chair stand's repetition: arms crossed over the chest, at speed.
    ChairStand,
    /// Both arms up sideways and down.
    ArmRaiseSide,
    /// Both arms up to the front and down.
    ArmRaiseFront,
    /// Marches on the spot with high knees.
    March,
    /// Steps forward with the left leg, lowers, rises and steps back.
    Lunge,
    /// Waves with the right hand.
    Wave,
    /// Jumps once from a crouch.
    Jump,
    /// Bends to the left, then to the right.
    SideBend,
    /// Stands on the left leg.
    OneLegBalance,
    /// Walks on the spot.
    Walk,
    /// Jumping jack.
    JumpingJack,
}

/// What is going on at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The motion.
    pub motion: Motion,
    /// The part of it.
    pub phase: &'static str,
    /// Which repetition of the bout, from 1; 0 while taking up or leaving its posture.
    pub repetition: u32,
}

impl Motion {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Stand,
        Self::Squat,
        Self::SitToStand,
        Self::ChairStand,
        Self::ArmRaiseSide,
        Self::ArmRaiseFront,
        Self::March,
        Self::Lunge,
        Self::Wave,
        Self::Jump,
        Self::SideBend,
        Self::OneLegBalance,
        Self::Walk,
        Self::JumpingJack,
    ];

    /// Its name in labels and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stand => "stand",
            Self::Squat => "squat",
            Self::SitToStand => "sit_to_stand",
            Self::ChairStand => "chair_stand",
            Self::ArmRaiseSide => "arm_raise_side",
            Self::ArmRaiseFront => "arm_raise_front",
            Self::March => "march",
            Self::Lunge => "lunge",
            Self::Wave => "wave",
            Self::Jump => "jump",
            Self::SideBend => "side_bend",
            Self::OneLegBalance => "one_leg_balance",
            Self::Walk => "walk",
            Self::JumpingJack => "jumping_jack",
        }
    }

    /// The motion of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|motion| motion.name() == name)
    }

    /// How long a repetition takes at an easy pace, seconds.
    pub const fn cycle_secs(self) -> f64 {
        match self {
            Self::SitToStand | Self::Stand | Self::OneLegBalance => 4.0,
            Self::SideBend | Self::Lunge => 3.6,
            Self::Squat | Self::ArmRaiseSide | Self::ArmRaiseFront => 3.0,
            Self::ChairStand => 2.4,
            Self::Jump => 1.8,
            Self::March => 1.4,
            Self::JumpingJack => 1.2,
            Self::Walk => 1.1,
            Self::Wave => 0.8,
        }
    }

    /// How long the person takes to get ready before the first repetition, and back after the last, seconds.
    pub const fn ready_secs(self) -> f64 {
        match self {
            Self::OneLegBalance => 1.4,
            Self::Wave | Self::ChairStand => 0.8,
            _ => 0.0,
        }
    }

    /// Whether there must be a seat.
    pub const fn needs_seat(self) -> bool {
        matches!(self, Self::SitToStand | Self::ChairStand)
    }

    /// The posture at a phase from 0 to 1 of a repetition, and the name of that phase. `amplitude` scales the
    /// excursion; 1 is a healthy adult's.
    fn at(self, body: &Body, phase: f64, amplitude: f64) -> (Pose, &'static str) {
        let swing = portable::sin(TAU * phase);
        let pose = Pose::standing();
        match self {
            Self::Stand => (sway(pose, 0.4 * swing), "stand"),
            Self::Squat => {
                let (depth, stage) = plateau(phase, 0.10);
                (
                    squat(body, degrees(100.0) * amplitude * depth),
                    stage.of("down", "hold", "up"),
                )
            }
            Self::SitToStand => chair(body, phase, false),
            Self::ChairStand => chair(body, phase, true),
            Self::ArmRaiseSide => {
                let (up, stage) = plateau(phase, 0.14);
                let arms = raised(pose.arms[0], degrees(165.0) * amplitude * up, 0.0);
                (
                    Pose {
                        arms: [arms; 2],
                        ..pose
                    },
                    stage.of("up", "hold", "down"),
                )
            }
            Self::ArmRaiseFront => {
                let (up, stage) = plateau(phase, 0.14);
                let arms = raised(pose.arms[0], 0.0, degrees(165.0) * amplitude * up);
                (
                    Pose {
                        arms: [arms; 2],
                        ..pose
                    },
                    stage.of("up", "hold", "down"),
                )
            }
            Self::March => stepping(phase, degrees(78.0) * amplitude, degrees(86.0) * amplitude, 50.0),
            Self::Walk => stepping(phase, degrees(32.0) * amplitude, degrees(55.0) * amplitude, 25.0),
            Self::Lunge => lunge(body, phase, amplitude),
            Self::Wave => (waving(amplitude * portable::sin(TAU * phase)), "wave"),
            Self::Jump => jump(body, phase, amplitude),
            Self::SideBend => {
                let bend = degrees(28.0) * amplitude * swing;
                (Pose { bend, ..pose }, if swing >= 0.0 { "left" } else { "right" })
            }
            Self::OneLegBalance => (sway(one_leg(1.0, 1.0), swing), "hold"),
            Self::JumpingJack => jumping_jack(phase, amplitude),
        }
    }

    /// The posture the fraction `t` of the way from standing at ease to ready for the first repetition.
    fn getting_ready(self, body: &Body, t: f64, amplitude: f64) -> Pose {
        match self {
            // The weight goes over the left foot before the right one leaves the floor.
            Self::OneLegBalance => one_leg(ease(t / 0.4), ease((t - 0.4) / 0.6)),
            _ => Pose::standing().mix(&self.at(body, 0.0, amplitude).0, ease(t)),
        }
    }
}

/// Repetitions of one motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bout {
    /// The motion.
    pub motion: Motion,
    /// How many times.
    pub repetitions: u32,
    /// Seconds each.
    pub cycle_secs: f64,
    /// Excursion relative to a healthy adult's.
    pub amplitude: f64,
}

impl Bout {
    /// So many repetitions at an easy pace and full excursion.
    pub fn of(motion: Motion, repetitions: u32) -> Self {
        Self {
            motion,
            repetitions,
            cycle_secs: motion.cycle_secs(),
            amplitude: 1.0,
        }
    }

    /// The same at another pace: seconds for a repetition.
    pub fn every(self, cycle_secs: f64) -> Self {
        Self { cycle_secs, ..self }
    }

    /// The same at another excursion.
    pub fn scaled(self, amplitude: f64) -> Self {
        Self { amplitude, ..self }
    }

    /// From standing at ease to standing at ease, seconds.
    pub fn duration_secs(&self) -> f64 {
        2.0 * self.motion.ready_secs() + f64::from(self.repetitions) * self.cycle_secs
    }

    /// Posture and label `secs` after the start; before and after the bout, its first and last.
    pub fn at(&self, body: &Body, secs: f64) -> (Pose, Label) {
        let ready = self.motion.ready_secs();
        let working = f64::from(self.repetitions) * self.cycle_secs;
        let label = |phase, repetition| Label {
            motion: self.motion,
            phase,
            repetition,
        };
        if secs < ready {
            let pose = self
                .motion
                .getting_ready(body, (secs / ready).max(0.0), self.amplitude);
            return (pose, label("prepare", 0));
        }
        if secs >= ready + working {
            let left = if ready > 0.0 {
                1.0 - (secs - ready - working) / ready
            } else {
                0.0
            };
            let pose = self.motion.getting_ready(body, left.max(0.0), self.amplitude);
            return (pose, label("finish", 0));
        }
        let cycles = ((secs - ready) / self.cycle_secs).max(0.0);
        let repetition = (cycles as u32).min(self.repetitions.saturating_sub(1));
        let phase = cycles - f64::from(repetition);
        let (pose, name) = self.motion.at(body, phase, self.amplitude);
        (pose, label(name, repetition + 1))
    }
}

/// A part of a there-and-back excursion.
#[derive(Clone, Copy)]
enum Stage {
    There,
    Hold,
    Back,
}

impl Stage {
    fn of(self, there: &'static str, hold: &'static str, back: &'static str) -> &'static str {
        match self {
            Self::There => there,
            Self::Hold => hold,
            Self::Back => back,
        }
    }
}

/// The minimum-jerk course from 0 to 1 (Flash and Hogan 1985), still before and after.
fn ease(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * t * (10.0 + t * (6.0 * t - 15.0))
}

/// An excursion from 0 to 1, a hold for the fraction `hold` of the repetition, and back.
fn plateau(phase: f64, hold: f64) -> (f64, Stage) {
    let way = 0.5 * (1.0 - hold);
    if phase < way {
        (ease(phase / way), Stage::There)
    } else if phase < way + hold {
        (1.0, Stage::Hold)
    } else {
        (ease((1.0 - phase) / way), Stage::Back)
    }
}

/// The trunk and hips swayed by some degrees.
fn sway(mut pose: Pose, by: f64) -> Pose {
    pose.bend += degrees(0.6 * by);
    pose.lean += degrees(0.5 * by);
    for (side, leg) in pose.legs.iter_mut().enumerate() {
        leg.spread -= sign_of(side) * degrees(0.5 * by);
    }
    pose
}

/// A squat with the knees flexed by `knee` radians, balanced, feet in place, arms to the front.
pub fn squat(body: &Body, knee: f64) -> Pose {
    let reach = ease(knee / degrees(60.0));
    let bent = Pose::balanced(body, |lean| {
        let bent = Pose {
            lean,
            ..Pose::standing()
        }
        .with_bent_knees(knee.max(degrees(1.0)));
        bent.mix(&bent.with_arms_forward(degrees(88.0)), reach)
    });
    // The first degrees lead over from standing at ease, which is not exactly balanced.
    Pose::standing()
        .mix(&bent, ease(knee / degrees(8.0)))
        .with_feet_in_place(body)
}

/// An arm lifted sideways and forward by these angles beyond hanging, straightening on the way.
fn raised(arm: Arm, abduction: f64, flexion: f64) -> Arm {
    let up = (abduction + flexion) / degrees(90.0);
    Arm {
        abduction: arm.abduction + abduction,
        flexion: arm.flexion + flexion,
        elbow: blend(arm.elbow, degrees(4.0), up.min(1.0)),
        ..arm
    }
}

/// The seat for a body: a quarter of the height, so that the thighs slope gently.
pub fn seat_for(body: &Body) -> Seat {
    let height_m = 0.25 * body.height_m;
    let pelvis = Skeleton::of(body, &seated(body, 1.0, degrees(6.0))).pelvis;
    Seat {
        height_m,
        z_m: pelvis.z - 0.02,
    }
}

/// On the way to the seat: `down` from 0 standing to 1 seated, with the trunk leaning by `lean` radians.
pub fn seated(body: &Body, down: f64, lean: f64) -> Pose {
    // The hip joints of a seated person are this far above the seat; the thigh's slope follows.
    let hip_m = 0.25 * body.height_m + 0.100 * body.scale() * body.build;
    let shank_lean = degrees(2.0) * down + degrees(52.0) * down * (1.0 - down);
    let knee_height = body.ankle_m() + body.shank_m() * portable::cos(degrees(2.0));
    let raise = portable::acos((hip_m - knee_height) / body.thigh_m());
    let mut pose = Pose {
        lean,
        ..Pose::standing()
    };
    for leg in &mut pose.legs {
        let flexed = raise + degrees(2.0);
        leg.knee = blend(leg.knee, flexed, down);
        leg.raise = leg.knee - shank_lean - degrees(1.0) * (1.0 - down);
    }
    for arm in &mut pose.arms {
        arm.flexion = lean * 1.1 + degrees(28.0) * down;
        arm.elbow += degrees(26.0) * down;
    }
    pose.with_feet_in_place(body)
}

/// Sitting down and standing up again.
fn chair(body: &Body, phase: f64, arms_crossed: bool) -> (Pose, &'static str) {
    // There: down with the trunk leaning, then straightened; back: the same reversed.
    let (there, name) = if phase < 0.44 {
        (phase / 0.44, "sit_down")
    } else if phase < 0.54 {
        (1.0, "sit")
    } else {
        ((1.0 - phase) / 0.46, "stand_up")
    };
    let down = ease(there / 0.72);
    let upright = ease((there - 0.66) / 0.34);
    let lean = blend(degrees(42.0) * ease(there / 0.50), degrees(6.0), upright);
    let mut pose = seated(body, down, lean);
    if arms_crossed {
        let crossed = Arm {
            abduction: degrees(12.0),
            flexion: degrees(38.0),
            rotation: degrees(-58.0),
            elbow: degrees(122.0),
        };
        pose.arms = [
            Arm {
                flexion: degrees(42.0),
                ..crossed
            },
            crossed,
        ];
    }
    (pose, name)
}

/// One step with the right leg and one with the left.
fn stepping(phase: f64, raise: f64, knee: f64, elbow_degrees: f64) -> (Pose, &'static str) {
    let first = phase < 0.5;
    let half = if first { phase * 2.0 } else { phase * 2.0 - 1.0 };
    // The foot is in the air in the middle of its step; the weight is over the other one before and after.
    let lift = {
        let s = portable::sin(std::f64::consts::PI * ((half - 0.06) / 0.88).clamp(0.0, 1.0));
        s * s
    };
    let towards_left = portable::sin(TAU * phase);
    let mut pose = Pose::standing();
    for (side, leg) in pose.legs.iter_mut().enumerate() {
        leg.spread -= sign_of(side) * degrees(2.6) * towards_left;
    }
    let lifted = if first { RIGHT } else { LEFT };
    pose.anchor_left = if first { 1.0 } else { 0.0 };
    let leg = &mut pose.legs[lifted];
    leg.raise += raise * lift;
    leg.knee += knee * lift;
    leg.heel_rise += degrees(18.0) * lift;
    for (side, arm) in pose.arms.iter_mut().enumerate() {
        let forward = sign_of(side) * towards_left;
        arm.elbow += degrees(elbow_degrees) * (0.35 + 0.65 * forward).max(0.0) * lift.min(1.0);
        arm.flexion += degrees(30.0) * forward * lift;
    }
    (pose, if first { "right_up" } else { "left_up" })
}

/// A forward lunge with the left leg.
fn lunge(body: &Body, phase: f64, amplitude: f64) -> (Pose, &'static str) {
    let (out, name) = match phase {
        p if p < 0.28 => (p / 0.28, "step_out"),
        p if p < 0.50 => (1.0, "down"),
        p if p < 0.72 => (1.0, "up"),
        p => ((1.0 - p) / 0.28, "step_back"),
    };
    let depth = amplitude.min(1.0) * ease((phase - 0.26) / 0.22) * ease((0.74 - phase) / 0.22);
    let stride = ease(out);
    let arc = portable::sin(std::f64::consts::PI * stride) * 0.07 * body.scale();

    let mut pose = Pose::standing();
    let ease_hip = Skeleton::of(body, &pose).pelvis;
    let step_m = 0.45 * body.height_m;
    let standing_m = blend(ease_hip.y, 0.90 * ease_hip.y, stride);
    let lowest_m = body.ankle_m() + body.shank_m() + 0.14 * body.thigh_m();
    let pelvis = vec3(
        0.0,
        blend(standing_m, lowest_m, depth),
        ease_hip.z + 0.52 * step_m * stride,
    );
    let heel_rise = degrees(24.0) * stride + degrees(30.0) * depth;
    for (side, rise) in [(LEFT, 0.0), (RIGHT, heel_rise)] {
        let hip = pelvis
            + Vec3 {
                x: sign_of(side) * body.hip_half_m(),
                y: 0.0,
                z: 0.0,
            };
        let step = if side == LEFT {
            vec3(0.0, arc, step_m * stride)
        } else {
            Vec3::ZERO
        };
        let lift = Vec3::UP * Skeleton::ball_lift_m(body, rise);
        let ball = ball_at_ease(body, side) + step + lift;
        pose.legs[side] = Leg::reaching(body, side, ball - hip, pose.legs[side].turn_out, rise);
    }
    pose.lean = degrees(6.0) * depth;
    pose.anchor_left = 0.0;
    for arm in &mut pose.arms {
        arm.abduction += degrees(14.0) * stride;
        arm.elbow += degrees(14.0) * stride;
    }
    (pose, name)
}

/// The right hand up, swung to the side by `out` from -1 to 1.
fn waving(out: f64) -> Pose {
    let mut pose = Pose::standing();
    pose.arms[RIGHT] = Arm {
        abduction: degrees(78.0),
        flexion: degrees(6.0),
        rotation: degrees(88.0),
        elbow: degrees(92.0 - 24.0 * out),
    };
    pose
}

/// A jump from a crouch.
fn jump(body: &Body, phase: f64, amplitude: f64) -> (Pose, &'static str) {
    const TAKE_OFF: f64 = 0.46;
    const LANDING: f64 = 0.63;
    let with_arms = |mut pose: Pose, flexion: f64| {
        for arm in &mut pose.arms {
            arm.flexion = degrees(flexion);
        }
        pose
    };
    let crouched = |knee: f64, flexion: f64| {
        let of_lean = |lean| {
            Pose {
                lean,
                ..Pose::standing()
            }
            .with_bent_knees(degrees(knee) * amplitude)
        };
        Pose::balanced(body, |lean| with_arms(of_lean(lean), flexion)).with_feet_in_place(body)
    };
    let mut stretched = with_arms(Pose::standing(), 70.0);
    for leg in &mut stretched.legs {
        leg.heel_rise = degrees(38.0);
    }
    let through = |from: f64, to: f64| ease((phase - from) / (to - from));
    let (mut pose, name) = if phase < 0.30 {
        (
            Pose::standing().mix(&crouched(62.0, -25.0), through(0.0, 0.30)),
            "crouch",
        )
    } else if phase < TAKE_OFF {
        (
            crouched(62.0, -25.0).mix(&stretched, through(0.30, TAKE_OFF)),
            "push_off",
        )
    } else if phase < LANDING {
        (stretched, "flight")
    } else if phase < 0.78 {
        (
            stretched.mix(&crouched(46.0, 35.0), through(LANDING, 0.78)),
            "land",
        )
    } else {
        (
            crouched(46.0, 35.0).mix(&Pose::standing(), through(0.78, 1.0)),
            "rise",
        )
    };
    let flown = ((phase - TAKE_OFF) / (LANDING - TAKE_OFF)).clamp(0.0, 1.0);
    pose.airborne_m = 4.0 * 0.12 * amplitude * body.scale() * flown * (1.0 - flown);
    (pose, name)
}

/// Feet apart and hands overhead, and back, with a hop each way.
fn jumping_jack(phase: f64, amplitude: f64) -> (Pose, &'static str) {
    let open = 0.5 - 0.5 * portable::cos(TAU * phase);
    let hop = portable::sin(TAU * phase);
    let mut pose = Pose::standing();
    for leg in &mut pose.legs {
        leg.spread += degrees(17.0) * amplitude * open;
        leg.heel_rise = degrees(22.0) * hop * hop;
    }
    pose = Pose {
        arms: [raised(pose.arms[0], degrees(158.0) * amplitude * open, 0.0); 2],
        ..pose
    };
    pose.airborne_m = 0.055 * amplitude * hop * hop;
    (pose, if phase < 0.5 { "open" } else { "close" })
}

/// Weight over the left foot by `shift`, the right foot up by `lift`, both from 0 to 1.
fn one_leg(shift: f64, lift: f64) -> Pose {
    let mut pose = Pose::standing();
    for (side, leg) in pose.legs.iter_mut().enumerate() {
        leg.spread -= sign_of(side) * degrees(4.2) * shift;
    }
    pose.anchor_left = blend(0.5, 1.0, shift);
    let leg = &mut pose.legs[RIGHT];
    leg.raise += degrees(48.0) * lift;
    leg.knee += degrees(78.0) * lift;
    leg.heel_rise += degrees(20.0) * lift;
    for arm in &mut pose.arms {
        arm.abduction += degrees(18.0) * lift;
    }
    pose
}
