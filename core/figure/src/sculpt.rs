//! Flesh and clothes on a skeleton: which solids make a person.
//!
//! Measures are metres on a person of 1.72 m, scaled with height; girths of trunk and limbs follow the build, head,
//! hands and feet do not. Proportions of the flesh are modelled by eye on photographs of adults; the joints inside
//! are exact.

use crate::appearance::{Appearance, Cut, Hair};
use crate::pose::sign_of;
use crate::scene::{Group, Scene};
use crate::shapes::{Material, Solid};
use crate::skeleton::Skeleton;
use crate::vector::{Frame, Vec3, vec3};

/// A stool to sit on: a box on the floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seat {
    /// Top above the floor, metres.
    pub height_m: f64,
    /// Middle of the top behind (negative) or before the person's origin, metres.
    pub z_m: f64,
}

/// The solids of a person, and of the seat if there is one.
pub fn person(skeleton: &Skeleton, appearance: &Appearance, seat: Option<Seat>) -> Scene {
    let sculptor = Sculptor {
        skeleton,
        appearance,
        scale: skeleton.body.scale(),
        girth: skeleton.body.scale() * skeleton.body.build,
    };
    let mut groups = vec![sculptor.trunk()];
    for side in [0, 1] {
        groups.push(sculptor.arm(side));
        groups.push(sculptor.sleeve(side));
        groups.push(sculptor.leg(side));
        groups.push(sculptor.leg_muscles(side));
        groups.push(sculptor.trouser_leg(side));
        groups.push(sculptor.shoe(side));
    }
    groups.push(sculptor.head());
    groups.push(sculptor.hair());
    if let Some(seat) = seat {
        let half = vec3(0.22, 0.5 * seat.height_m, 0.19);
        let centre = vec3(0.0, 0.5 * seat.height_m, seat.z_m);
        let solids = vec![Solid::round_box(centre, half, 0.012, Material::Seat)];
        groups.push(Group {
            blend_m: 0.0,
            join_m: 0.0,
            solids,
        });
    }
    groups.retain(|group| !group.solids.is_empty());
    Scene::new(groups)
}

struct Sculptor<'a> {
    skeleton: &'a Skeleton,
    appearance: &'a Appearance,
    scale: f64,
    girth: f64,
}

impl Sculptor<'_> {
    fn group(&self, blend: f64, join: f64, solids: Vec<Solid>) -> Group {
        Group {
            blend_m: (blend * self.scale) as f32,
            join_m: (join * self.scale) as f32,
            solids,
        }
    }

    /// A limb piece with radii that follow the build.
    fn limb(&self, from: Vec3<f64>, to: Vec3<f64>, radii: [f64; 2], front: Vec3<f64>, m: Material) -> Solid {
        Solid::round_cone(from, to, radii.map(|r| r * self.girth), front, m)
    }

    /// A piece that only follows height: head, hands, feet.
    fn part(&self, from: Vec3<f64>, to: Vec3<f64>, radii: [f64; 2], front: Vec3<f64>, m: Material) -> Solid {
        Solid::round_cone(from, to, radii.map(|r| r * self.scale), front, m)
    }

    fn trunk(&self) -> Group {
        use Material::{Shirt, Skin, Trousers};
        let s = self.skeleton;
        let (pelvis, trunk) = (&s.pelvis_frame, &s.trunk);
        let low = |x: f64, y: f64, z: f64| {
            s.pelvis + pelvis.outward(vec3(x * self.girth, y * self.scale, z * self.girth))
        };
        let high = |x: f64, y: f64, z: f64| {
            s.pelvis + trunk.outward(vec3(x * self.girth, y * self.scale, z * self.girth))
        };
        let girth = self.girth;
        let sized = |x: f64, y: f64, z: f64| vec3(x * girth, y * self.scale, z * girth);
        let hem = low(0.0, 0.050, 0.0);
        let shirt_tail = Solid::ellipsoid(pelvis, low(0.0, 0.060, -0.008), sized(0.174, 0.180, 0.124), Shirt);
        let mut solids = vec![
            Solid::ellipsoid(
                pelvis,
                low(0.0, 0.005, -0.010),
                sized(0.160, 0.105, 0.110),
                Trousers,
            ),
            shirt_tail.cut_at(hem, -pelvis.y),
            Solid::ellipsoid(trunk, high(0.0, 0.190, 0.0), sized(0.142, 0.150, 0.102), Shirt),
            Solid::ellipsoid(trunk, high(0.0, 0.335, -0.008), sized(0.158, 0.150, 0.110), Shirt),
            Solid::ellipsoid(trunk, high(0.0, 0.420, -0.018), sized(0.165, 0.085, 0.088), Shirt),
        ];
        let shoulder_line = self.skeleton.body.trunk_m();
        for side in [0, 1] {
            let sign = sign_of(side);
            let buttock = low(sign * 0.070, -0.030, -0.048);
            solids.push(Solid::ellipsoid(
                pelvis,
                buttock,
                sized(0.085, 0.090, 0.078),
                Trousers,
            ));
            let breast = high(sign * 0.066, 0.370, 0.036);
            solids.push(Solid::ellipsoid(trunk, breast, sized(0.080, 0.070, 0.048), Shirt));
            // Collar bone to shoulder, and the slope of the neck muscle above it.
            let shoulder = s.arms[side].shoulder;
            let root =
                s.pelvis + trunk.outward(vec3(0.0, shoulder_line - 0.004 * self.scale, -0.016 * self.scale));
            let outer = shoulder.mix(root, 0.10) - trunk.y * (0.004 * self.scale);
            solids.push(self.limb(root, outer, [0.054, 0.040], trunk.z, Shirt));
            let up_neck = root + trunk.outward(vec3(sign * 0.034, 0.052, -0.008)) * self.scale;
            let on_shoulder = shoulder.mix(root, 0.20) + trunk.y * (0.021 * self.scale);
            solids.push(self.limb(up_neck, on_shoulder, [0.026, 0.027], trunk.z, Shirt));
        }
        let neck_low = s.neck_base - trunk.z * (0.014 * self.scale);
        let neck_high = s.head_centre - s.head.y * (0.045 * self.scale) - s.head.z * (0.014 * self.scale);
        solids.push(self.part(neck_low, neck_high, [0.058, 0.053], trunk.z, Skin));
        self.group(0.030, 0.0, solids)
    }

    fn arm(&self, side: usize) -> Group {
        use Material::Skin;
        let arm = &self.skeleton.arms[side];
        let (upper, fore) = (arm.upper.z, arm.fore.z);
        let mut solids = vec![
            self.limb(
                arm.shoulder.mix(arm.elbow, 0.22),
                arm.elbow,
                [0.043, 0.037],
                upper,
                Skin,
            ),
            self.limb(
                arm.elbow,
                arm.elbow.mix(arm.wrist, 0.30),
                [0.038, 0.041],
                fore,
                Skin,
            ),
            self.limb(
                arm.elbow.mix(arm.wrist, 0.30),
                arm.wrist,
                [0.039, 0.026],
                fore,
                Skin,
            ),
        ];
        let in_hand = |along: f64, across: f64, thumbward: f64| {
            arm.wrist + (arm.fore.x * across + arm.fore.z * thumbward - arm.fore.y * along) * self.scale
        };
        let palm = vec3(0.0165, 0.056, 0.039) * self.scale;
        solids.push(Solid::ellipsoid(&arm.fore, in_hand(0.055, 0.0, 0.0), palm, Skin));
        // Little finger to index finger: offset of the knuckle to the thumb's side, and length; the fingers curl
        // a little towards the body.
        let inward = -sign_of(side);
        for (offset, length) in [(-0.029, 0.056), (-0.010, 0.072), (0.010, 0.078), (0.029, 0.070)] {
            let middle = in_hand(0.088 + 0.55 * length, inward * 0.006, 0.94 * offset);
            let tip = in_hand(0.088 + length, inward * 0.016, 0.86 * offset);
            solids.push(self.part(in_hand(0.060, 0.0, offset), middle, [0.0112, 0.0095], fore, Skin));
            solids.push(self.part(middle, tip, [0.0095, 0.0080], fore, Skin));
        }
        let thumb_tip = in_hand(0.088, inward * 0.010, 0.056);
        solids.push(self.part(
            in_hand(0.028, 0.0, 0.022),
            thumb_tip,
            [0.0150, 0.0095],
            fore,
            Skin,
        ));
        self.group(0.004, 0.020, solids)
    }

    fn sleeve(&self, side: usize) -> Group {
        use Material::Shirt;
        let arm = &self.skeleton.arms[side];
        let (upper, fore) = (arm.upper.z, arm.fore.z);
        let solids = match self.appearance.sleeves {
            Cut::Short => {
                let hem = arm.shoulder.mix(arm.elbow, 0.52);
                let beyond = arm.shoulder.mix(arm.elbow, 0.70);
                let cone = self.limb(arm.shoulder, beyond, [0.044, 0.055], upper, Shirt);
                vec![cone.cut_at(hem, arm.elbow - arm.shoulder)]
            }
            Cut::Long => {
                let hem = arm.elbow.mix(arm.wrist, 0.94);
                let cuff = self.limb(arm.elbow, arm.wrist, [0.047, 0.035], fore, Shirt);
                let upper = self.limb(arm.shoulder, arm.elbow, [0.055, 0.046], upper, Shirt);
                vec![upper, cuff.cut_at(hem, arm.wrist - arm.elbow)]
            }
        };
        self.group(0.018, 0.030, solids)
    }

    fn leg(&self, side: usize) -> Group {
        use Material::Skin;
        let leg = &self.skeleton.legs[side];
        let (thigh, shank) = (leg.thigh.z, leg.shank.z);
        let down = |t: f64| leg.knee.mix(leg.ankle, t);
        let ankle_bones = vec3(0.037, 0.017, 0.020) * self.scale;
        let solids = vec![
            self.limb(leg.hip.mix(leg.knee, 0.2), leg.knee, [0.074, 0.050], thigh, Skin),
            self.limb(leg.knee, down(0.30), [0.050, 0.047], shank, Skin),
            self.limb(down(0.30), leg.ankle, [0.047, 0.033], shank, Skin),
            Solid::ellipsoid(&self.skeleton.feet[side].rear, leg.ankle, ankle_bones, Skin),
        ];
        self.group(0.004, 0.016, solids)
    }

    /// The calf and the muscle above the knee, which swell out of the straight pieces of the leg.
    fn leg_muscles(&self, side: usize) -> Group {
        let leg = &self.skeleton.legs[side];
        let calf = leg.knee.mix(leg.ankle, 0.30) - leg.shank.z * (0.020 * self.girth);
        let calf_radii = vec3(0.047 * self.girth, 0.125 * self.scale, 0.041 * self.girth);
        let above_knee = leg.knee.mix(leg.hip, 0.16) + leg.thigh.z * (0.010 * self.girth);
        let above_knee_radii = vec3(0.050 * self.girth, 0.085 * self.scale, 0.046 * self.girth);
        let solids = vec![
            Solid::ellipsoid(&leg.shank, calf, calf_radii, Material::Skin),
            Solid::ellipsoid(&leg.thigh, above_knee, above_knee_radii, Material::Skin),
        ];
        self.group(0.0, 0.028, solids)
    }

    fn trouser_leg(&self, side: usize) -> Group {
        use Material::Trousers;
        let leg = &self.skeleton.legs[side];
        let (thigh, shank) = (leg.thigh.z, leg.shank.z);
        let solids = match self.appearance.legs {
            Cut::Short => {
                let hem = leg.hip.mix(leg.knee, 0.72);
                let beyond = leg.hip.mix(leg.knee, 0.86);
                let top = leg.hip.mix(leg.knee, 0.08);
                let cone = self.limb(top, beyond, [0.086, 0.074], thigh, Trousers);
                vec![cone.cut_at(hem, leg.knee - leg.hip)]
            }
            Cut::Long => {
                let hem = leg.knee.mix(leg.ankle, 0.95);
                let calf = leg.knee.mix(leg.ankle, 0.32) - leg.shank.z * (0.014 * self.girth);
                let calf_radii = vec3(0.056 * self.girth, 0.150 * self.scale, 0.058 * self.girth);
                let cuff = self.limb(leg.knee, leg.ankle, [0.063, 0.051], shank, Trousers);
                vec![
                    self.limb(
                        leg.hip.mix(leg.knee, 0.08),
                        leg.knee,
                        [0.086, 0.064],
                        thigh,
                        Trousers,
                    ),
                    cuff.cut_at(hem, leg.ankle - leg.knee),
                    Solid::ellipsoid(&leg.shank, calf, calf_radii, Trousers),
                ]
            }
        };
        self.group(0.022, 0.020, solids)
    }

    fn shoe(&self, side: usize) -> Group {
        use Material::{Shoe, Sole};
        let (leg, foot) = (&self.skeleton.legs[side], &self.skeleton.feet[side]);
        let rear = |y: f64, z: f64| foot.ball + foot.rear.outward(vec3(0.0, y, z)) * self.scale;
        let front = |y: f64, z: f64| foot.ball + foot.toes.outward(vec3(0.0, y, z)) * self.scale;
        // Distance of the ankle behind the ball, on the modelled person.
        let ankle = Skeleton::ankle_to_ball(&self.skeleton.body).z / self.scale;
        let heel = rear(0.036, -ankle - 0.040);
        let ball = front(0.034, -0.002);
        let toe = front(0.026, 0.055);
        let forward = foot.rear.z;
        let instep = heel.mix(ball, 0.50);
        let under_ankle = leg.ankle - foot.rear.y * (0.022 * self.scale);
        let sole_rear = vec3(0.042, 0.015, 0.5 * ankle + 0.048) * self.scale;
        let sole_front = vec3(0.045, 0.014, 0.062) * self.scale;
        let solids = vec![
            self.part(heel, ball, [0.034, 0.037], forward, Shoe),
            self.part(ball, toe, [0.037, 0.026], forward, Shoe),
            self.part(under_ankle, instep, [0.036, 0.037], forward, Shoe),
            Solid::ellipsoid(&foot.rear, rear(0.014, -0.5 * ankle - 0.014), sole_rear, Sole),
            Solid::ellipsoid(&foot.toes, front(0.013, 0.020), sole_front, Sole),
        ];
        self.group(0.016, 0.006, solids)
    }

    fn head(&self) -> Group {
        use Material::{Eye, Hair as Brow, Iris, Lip, Skin};
        let frame = &self.skeleton.head;
        let at = |x: f64, y: f64, z: f64| self.on_head(x, y, z);
        let ball = |centre: Vec3<f64>, x: f64, y: f64, z: f64, material: Material| {
            Solid::ellipsoid(frame, centre, vec3(x, y, z) * self.scale, material)
        };
        let stroke = |from: Vec3<f64>, to: Vec3<f64>, r0: f64, r1: f64, m: Material| {
            self.part(from, to, [r0, r1], frame.z, m)
        };
        let mut solids = vec![
            ball(at(0.0, 0.035, -0.012), 0.076, 0.088, 0.097, Skin),
            ball(at(0.0, -0.035, 0.022), 0.060, 0.082, 0.070, Skin),
            ball(at(0.0, -0.085, 0.058), 0.028, 0.022, 0.028, Skin),
            stroke(
                at(0.0, 0.008, 0.084),
                at(0.0, -0.030, 0.104),
                0.0085,
                0.0125,
                Skin,
            ),
        ];
        for side in [0, 1] {
            let s = sign_of(side);
            // The eyeball bulges at right angles to the face, which falls back towards the temples.
            let gaze = frame.then(&Frame::yaw(s * 0.28));
            let eye = |centre: Vec3<f64>, radii: Vec3<f64>, material: Material| {
                Solid::ellipsoid(&gaze, centre, radii * self.scale, material)
            };
            solids.extend([
                ball(at(s * 0.077, 0.0, -0.008), 0.010, 0.031, 0.019, Skin),
                ball(at(s * 0.013, -0.034, 0.094), 0.009, 0.008, 0.010, Skin),
                eye(at(s * 0.031, 0.010, 0.0695), vec3(0.0150, 0.0068, 0.0085), Eye),
                eye(
                    at(s * 0.031, 0.010, 0.0740) + gaze.z * (0.0018 * self.scale),
                    vec3(0.0064, 0.0064, 0.0040),
                    Iris,
                ),
                stroke(
                    at(s * 0.015, 0.0335, 0.0812),
                    at(s * 0.034, 0.0375, 0.0730),
                    0.0030,
                    0.0030,
                    Brow,
                ),
                stroke(
                    at(s * 0.034, 0.0375, 0.0730),
                    at(s * 0.050, 0.0310, 0.0600),
                    0.0030,
                    0.0022,
                    Brow,
                ),
                stroke(
                    at(0.0, -0.0665, 0.0835),
                    at(s * 0.024, -0.0630, 0.0795),
                    0.0062,
                    0.0034,
                    Lip,
                ),
            ]);
        }
        self.group(0.008, 0.016, solids)
    }

    fn hair(&self) -> Group {
        use Material::Hair as Strands;
        let frame = &self.skeleton.head;
        let at = |x: f64, y: f64, z: f64| self.on_head(x, y, z);
        let ball = |centre: Vec3<f64>, x: f64, y: f64, z: f64| {
            Solid::ellipsoid(frame, centre, vec3(x, y, z) * self.scale, Strands)
        };
        // The hairline: a plane that leaves the face free.
        let line = at(0.0, 0.068, 0.062);
        let faceward = frame.outward(vec3(0.0, -0.55, 0.84));
        let cap = ball(at(0.0, 0.045, -0.022), 0.085, 0.092, 0.100).cut_at(line, faceward);
        let solids = match self.appearance.hair_cut {
            Hair::Bald => Vec::new(),
            Hair::Short => vec![cap],
            Hair::Bun => vec![cap, ball(at(0.0, 0.075, -0.125), 0.040, 0.038, 0.036)],
            Hair::Long => {
                let mut solids = vec![cap, ball(at(0.0, -0.055, -0.062), 0.076, 0.135, 0.048)];
                for s in [1.0, -1.0] {
                    solids.push(ball(at(s * 0.070, -0.045, -0.030), 0.022, 0.115, 0.042));
                }
                solids
            }
        };
        self.group(0.010, 0.004, solids)
    }

    /// A point on the head: metres from its centre at 1.72 m, to the left, up and to the face.
    fn on_head(&self, x: f64, y: f64, z: f64) -> Vec3<f64> {
        self.skeleton.head_centre + self.skeleton.head.outward(vec3(x, y, z)) * self.scale
    }
}
