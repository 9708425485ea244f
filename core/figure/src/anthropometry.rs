//! Body measures from height and build.
//!
//! Segment lengths are fractions of height after Drillis and Contini (1966), as tabulated in D. A. Winter,
//! Biomechanics and Motor Control of Human Movement, figure 4.1; masses and centres of mass are Winter's table
//! 4.1. The joint-centre half-widths are narrower than Winter's outer breadths (0.129 and 0.0955): they are the
//! centres of the hip and shoulder joints, which is also where pose models put those landmarks.

/// Who the person is, measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// Standing height in metres, without shoes.
    pub height_m: f64,
    /// Girth of trunk and limbs as a multiple of the average's: 0.85 slim, 1 average, 1.3 heavy.
    pub build: f64,
    /// Half the distance between the hip joints, as a fraction of height.
    pub hip_half_fraction: f64,
    /// Half the distance between the shoulder joints, as a fraction of height.
    pub shoulder_half_fraction: f64,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            height_m: 1.72,
            build: 1.0,
            hip_half_fraction: 0.052,
            shoulder_half_fraction: 0.106,
        }
    }
}

impl Body {
    /// An average build of this height in metres.
    pub fn of_height(height_m: f64) -> Self {
        Self {
            height_m,
            ..Self::default()
        }
    }

    /// Hip joint to knee joint, metres.
    pub fn thigh_m(&self) -> f64 {
        0.245 * self.height_m
    }

    /// Knee joint to ankle joint, metres.
    pub fn shank_m(&self) -> f64 {
        0.246 * self.height_m
    }

    /// Ankle joint above the sole, metres.
    pub fn ankle_m(&self) -> f64 {
        0.039 * self.height_m
    }

    /// Heel to toe tip, metres.
    pub fn foot_m(&self) -> f64 {
        0.152 * self.height_m
    }

    /// Height of the shoulders (0.818) above the hips (0.530), metres.
    pub fn trunk_m(&self) -> f64 {
        0.288 * self.height_m
    }

    /// Shoulder joint to elbow joint, metres.
    pub fn upper_arm_m(&self) -> f64 {
        0.186 * self.height_m
    }

    /// Elbow joint to wrist joint, metres.
    pub fn forearm_m(&self) -> f64 {
        0.146 * self.height_m
    }

    /// Wrist joint to fingertip, metres.
    pub fn hand_m(&self) -> f64 {
        0.108 * self.height_m
    }

    /// Shoulder line (0.818) to eye level (0.936), metres.
    pub fn shoulder_to_eyes_m(&self) -> f64 {
        0.118 * self.height_m
    }

    /// Half the distance between the hip joints, metres.
    pub fn hip_half_m(&self) -> f64 {
        self.hip_half_fraction * self.height_m
    }

    /// Half the distance between the shoulder joints, metres.
    pub fn shoulder_half_m(&self) -> f64 {
        self.shoulder_half_fraction * self.height_m
    }

    /// Size relative to the 1.72 m person whose flesh is modelled.
    pub fn scale(&self) -> f64 {
        self.height_m / 1.72
    }
}

/// A segment's share of body mass, and where along it (0 proximal, 1 distal) that mass is centred.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Fraction of body mass.
    pub mass: f64,
    /// Fraction of the segment's length from its proximal end.
    pub centre: f64,
}

/// Head and neck: the mass sits at ear level.
pub const HEAD: Segment = Segment {
    mass: 0.081,
    centre: 1.0,
};
/// Trunk, from hips to shoulders.
pub const TRUNK: Segment = Segment {
    mass: 0.497,
    centre: 0.50,
};
/// One upper arm.
pub const UPPER_ARM: Segment = Segment {
    mass: 0.028,
    centre: 0.436,
};
/// One forearm.
pub const FOREARM: Segment = Segment {
    mass: 0.016,
    centre: 0.430,
};
/// One hand.
pub const HAND: Segment = Segment {
    mass: 0.006,
    centre: 0.506,
};
/// One thigh.
pub const THIGH: Segment = Segment {
    mass: 0.100,
    centre: 0.433,
};
/// One shank.
pub const SHANK: Segment = Segment {
    mass: 0.0465,
    centre: 0.433,
};
/// One foot, taken from heel to toe.
pub const FOOT: Segment = Segment {
    mass: 0.0145,
    centre: 0.50,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_make_one_person() {
        let paired = [UPPER_ARM, FOREARM, HAND, THIGH, SHANK, FOOT];
        let whole = HEAD.mass + TRUNK.mass + 2.0 * paired.iter().map(|s| s.mass).sum::<f64>();
        assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    }

    #[test]
    fn heights_add_up_to_winters_figure() {
        let body = Body::of_height(1.0);
        let hip = body.ankle_m() + body.shank_m() + body.thigh_m();
        assert!((hip - 0.530).abs() < 1e-9);
        assert!((hip + body.trunk_m() - 0.818).abs() < 1e-9);
        assert!((hip + body.trunk_m() + body.shoulder_to_eyes_m() - 0.936).abs() < 1e-9);
    }
}
