//! Forward kinematics: a body in a posture becomes joints in metres.
//!
//! Body space (see [`crate::vector`]) has its origin on the floor between the ankles of the person standing at
//! ease. The lowest point of the soles lies on the floor, or `airborne_m` above it.

use crate::anthropometry::{self as mass, Body, Segment};
use crate::landmarks as at;
use crate::portable;
use crate::pose::{Pose, sign_of};
use crate::vector::{Frame, Vec3, vec3};

/// Share of the trunk's lean that the head follows; the rest is looked up again.
const HEAD_FOLLOWS: f64 = 0.45;
/// Share of the trunk's side bend that the head follows.
const HEAD_FOLLOWS_BEND: f64 = 0.6;
/// How far the shoulder joint rises (and comes in by 0.45 of it) with the arm straight overhead, metres at 1.72 m.
const GIRDLE_RISE_M: f64 = 0.045;
/// Share of the sole's slope that the toes keep: the rest is bent back at the ball of the foot.
const TOES_FOLLOW: f64 = 0.25;

/// From the ball of the foot to the tip of the toes at 1.72 m, metres.
const TOE_M: f64 = 0.073;

/// One arm's joints and frames.
#[derive(Clone, Copy, Debug)]
pub struct ArmJoints {
    /// Shoulder joint.
    pub shoulder: Vec3<f64>,
    /// Elbow joint.
    pub elbow: Vec3<f64>,
    /// Wrist joint.
    pub wrist: Vec3<f64>,
    /// Upper arm; y points from elbow to shoulder.
    pub upper: Frame<f64>,
    /// Forearm and hand; y points from wrist to elbow, z to the thumb's side of a hanging arm (the front).
    pub fore: Frame<f64>,
}

/// One leg's joints and frames.
#[derive(Clone, Copy, Debug)]
pub struct LegJoints {
    /// Hip joint.
    pub hip: Vec3<f64>,
    /// Knee joint.
    pub knee: Vec3<f64>,
    /// Ankle joint.
    pub ankle: Vec3<f64>,
    /// Thigh; y points from knee to hip, z to the front of the leg.
    pub thigh: Frame<f64>,
    /// Shank; y points from ankle to knee, z to the shin.
    pub shank: Frame<f64>,
}

/// One foot: points in the shoe, and the shoe's frames.
#[derive(Clone, Copy, Debug)]
pub struct FootJoints {
    /// Back of the heel, half way up the shoe.
    pub heel: Vec3<f64>,
    /// Sole under the ball of the foot.
    pub ball: Vec3<f64>,
    /// Tip of the big toe.
    pub toe: Vec3<f64>,
    /// Heel to ball.
    pub rear: Frame<f64>,
    /// Ball to toe.
    pub toes: Frame<f64>,
}

/// The joints of a body in a posture; all positions in metres, body space.
#[derive(Clone, Debug)]
pub struct Skeleton {
    /// Whose joints.
    pub body: Body,
    /// Middle of the hip joints.
    pub pelvis: Vec3<f64>,
    /// The pelvis: leans with the trunk and bends half as much to the side.
    pub pelvis_frame: Frame<f64>,
    /// Middle of the shoulder line when the arms hang.
    pub neck_base: Vec3<f64>,
    /// The trunk, from hips to shoulders.
    pub trunk: Frame<f64>,
    /// Middle of the head at ear level.
    pub head_centre: Vec3<f64>,
    /// The head.
    pub head: Frame<f64>,
    /// Left and right arm.
    pub arms: [ArmJoints; 2],
    /// Left and right leg.
    pub legs: [LegJoints; 2],
    /// Left and right foot.
    pub feet: [FootJoints; 2],
}

impl Skeleton {
    /// From the ankle joint to the sole under the ball of the foot, in the foot's frame, metres.
    pub fn ankle_to_ball(body: &Body) -> Vec3<f64> {
        vec3(0.0, -body.ankle_m(), body.foot_m() - 0.14 * body.scale())
    }

    /// How far the ball of a standing foot is off the floor when the heel is raised by this angle in radians and
    /// the tip of the toes carries, metres.
    pub fn ball_lift_m(body: &Body, heel_rise: f64) -> f64 {
        (TOE_M * body.scale() * portable::sin(TOES_FOLLOW * heel_rise)).max(0.0)
    }

    /// Puts `body` into `pose`.
    pub fn of(body: &Body, pose: &Pose) -> Self {
        let root = root_of(body, pose);
        let scale = body.scale();
        let hips = hips_of(body);
        let [left_leg, right_leg] = [0, 1].map(|side| leg_below(body, pose, side, root + hips[side]));
        let (legs, feet) = ([left_leg.0, right_leg.0], [left_leg.1, right_leg.1]);

        let turned = Frame::yaw(pose.turn);
        let pelvis_frame = Frame::roll(0.5 * pose.bend).then(&Frame::pitch(pose.lean));
        let trunk = turned
            .then(&Frame::roll(pose.bend))
            .then(&Frame::pitch(pose.lean));
        let neck_base = root + trunk.y * body.trunk_m();
        let head = turned
            .then(&Frame::roll(HEAD_FOLLOWS_BEND * pose.bend))
            .then(&Frame::pitch(HEAD_FOLLOWS * pose.lean))
            .then(&Frame::yaw(pose.head_turn));
        let eyes_up = body.shoulder_to_eyes_m();
        let head_centre = neck_base
            + trunk.y * (0.40 * eyes_up)
            + head.y * (0.60 * eyes_up - 0.010 * scale)
            + head.z * (0.018 * scale);

        let arms = [0, 1].map(|side| {
            let sign = sign_of(side);
            let [upper_in_trunk, fore_in_trunk] = pose.arms[side].frames(side);
            let (upper, fore) = (trunk.then(&upper_in_trunk), trunk.then(&fore_in_trunk));
            let overhead = (-upper_in_trunk.y.y).max(0.0) * GIRDLE_RISE_M * scale;
            let shoulder = neck_base
                + trunk.x * (sign * (body.shoulder_half_m() - 0.45 * overhead))
                + trunk.y * overhead;
            let elbow = shoulder - upper.y * body.upper_arm_m();
            let wrist = elbow - fore.y * body.forearm_m();
            ArmJoints {
                shoulder,
                elbow,
                wrist,
                upper,
                fore,
            }
        });
        Self {
            body: *body,
            pelvis: root,
            pelvis_frame,
            neck_base,
            trunk,
            head_centre,
            head,
            arms,
            legs,
            feet,
        }
    }

    /// Whole-body centre of mass in metres, from Winter's segment masses.
    pub fn centre_of_mass(&self) -> Vec3<f64> {
        let along = |s: &Segment, from: Vec3<f64>, to: Vec3<f64>| from.mix(to, s.centre) * s.mass;
        let mut sum = along(&mass::TRUNK, self.pelvis, self.neck_base)
            + along(&mass::HEAD, self.neck_base, self.head_centre);
        for side in [0, 1] {
            let (arm, leg, foot) = (&self.arms[side], &self.legs[side], &self.feet[side]);
            let fingertip = arm.wrist - arm.fore.y * self.body.hand_m();
            sum = sum
                + along(&mass::UPPER_ARM, arm.shoulder, arm.elbow)
                + along(&mass::FOREARM, arm.elbow, arm.wrist)
                + along(&mass::HAND, arm.wrist, fingertip)
                + along(&mass::THIGH, leg.hip, leg.knee)
                + along(&mass::SHANK, leg.knee, leg.ankle)
                + along(&mass::FOOT, foot.heel, foot.toe);
        }
        sum
    }

    /// The middle of both feet, where a balanced person's centre of mass lies above, metres.
    pub fn middle_of_feet(&self) -> Vec3<f64> {
        let middle = |side: usize| self.legs[side].ankle.mix(self.feet[side].ball, 0.42);
        middle(0).mix(middle(1), 0.5)
    }

    /// The 33 landmarks in body space, metres, in the order of [`at::NAMES`].
    pub fn landmarks(&self) -> [Vec3<f64>; at::COUNT] {
        let mut points = [Vec3::ZERO; at::COUNT];
        let scale = self.body.scale();
        let on_head = |x: f64, y: f64, z: f64| self.head_centre + self.head.outward(vec3(x, y, z)) * scale;
        points[at::NOSE] = on_head(0.0, -0.030, 0.116);
        for side in [0, 1] {
            let sign = sign_of(side);
            let eye = at::EYES + 3 * side;
            points[eye] = on_head(sign * 0.018, 0.010, 0.078);
            points[eye + 1] = on_head(sign * 0.031, 0.010, 0.078);
            points[eye + 2] = on_head(sign * 0.046, 0.010, 0.070);
            points[at::EAR + side] = on_head(sign * 0.085, 0.0, -0.008);
            points[at::MOUTH + side] = on_head(sign * 0.026, -0.064, 0.079);

            let arm = &self.arms[side];
            points[at::SHOULDER + side] = arm.shoulder;
            points[at::ELBOW + side] = arm.elbow;
            points[at::WRIST + side] = arm.wrist;
            let in_hand = |along: f64, thumbward: f64| {
                arm.wrist + (arm.fore.z * thumbward - arm.fore.y * along) * scale
            };
            points[at::PINKY + side] = in_hand(0.090, -0.030);
            points[at::INDEX + side] = in_hand(0.090, 0.031);
            points[at::THUMB + side] = in_hand(0.065, 0.045);

            let (leg, foot) = (&self.legs[side], &self.feet[side]);
            points[at::HIP + side] = leg.hip;
            points[at::KNEE + side] = leg.knee;
            points[at::ANKLE + side] = leg.ankle;
            points[at::HEEL + side] = foot.heel;
            points[at::FOOT_INDEX + side] = foot.toe;
        }
        points
    }
}

/// The hip joints relative to their middle, metres: level, since the feet carry the pelvis.
fn hips_of(body: &Body) -> [Vec3<f64>; 2] {
    [0, 1].map(|side| vec3(sign_of(side) * body.hip_half_m(), 0.0, 0.0))
}

/// One leg and its foot hanging from a hip joint.
fn leg_below(body: &Body, pose: &Pose, side: usize, hip: Vec3<f64>) -> (LegJoints, FootJoints) {
    let leg = &pose.legs[side];
    let [thigh, shank, rear] = leg.frames(side);
    let knee = hip - thigh.y * body.thigh_m();
    let ankle = knee - shank.y * body.shank_m();

    let scale = body.scale();
    let ball = ankle + rear.outward(Skeleton::ankle_to_ball(body));
    let heel = ankle + rear.outward(vec3(0.0, 0.035 * scale - body.ankle_m(), -0.057 * scale));
    let toes = Frame::yaw(sign_of(side) * leg.turn_out).then(&Frame::pitch(TOES_FOLLOW * leg.heel_rise));
    let toe = ball + toes.outward(vec3(0.0, 0.025, TOE_M)) * scale;
    (
        LegJoints {
            hip,
            knee,
            ankle,
            thigh,
            shank,
        },
        FootJoints {
            heel,
            ball,
            toe,
            rear,
            toes,
        },
    )
}

/// The middle of the hips: as high as the lowest sole asks, and over the anchored ball of the foot.
fn root_of(body: &Body, pose: &Pose) -> Vec3<f64> {
    let feet_of = |pose: &Pose| {
        let hips = hips_of(body);
        [0, 1].map(|side| leg_below(body, pose, side, hips[side]).1)
    };
    let scale = body.scale();
    let feet = feet_of(pose);
    let lowest = feet
        .iter()
        .flat_map(|foot| {
            let under_heel = foot.heel - foot.rear.y * (0.035 * scale);
            let under_toe = foot.toe - foot.toes.y * (0.025 * scale);
            [under_heel.y, foot.ball.y, under_toe.y]
        })
        .fold(f64::INFINITY, f64::min);
    let anchor = |feet: &[FootJoints; 2]| feet[1].ball.mix(feet[0].ball, pose.anchor_left);
    let ease = feet_of(&Pose::standing());
    let home = anchor(&ease) - (ankle_of(body, &ease[0]).mix(ankle_of(body, &ease[1]), 0.5));
    let here = anchor(&feet);
    vec3(home.x - here.x, pose.airborne_m - lowest, home.z - here.z)
}

/// The ankle joint that carries this foot.
fn ankle_of(body: &Body, foot: &FootJoints) -> Vec3<f64> {
    foot.ball - foot.rear.outward(Skeleton::ankle_to_ball(body))
}
