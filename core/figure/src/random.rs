//! Seeded randomness: a generator for appearances, and hashed value noise for textures. Integers only until the
//! last step, so every platform draws the same.

use crate::vector::Vec3;

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable with any number, good enough to pick colours.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The same seed gives the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number, uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next number, uniform between two values.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of the choices, all equally likely.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.unit() * choices.len() as f64) as usize]
    }
}

/// The integer lattice's value at a corner, uniform in [0, 1).
pub fn lattice(x: i32, y: i32, z: i32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ (z as u32).wrapping_mul(0xcb1a_b31f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h & 0x00ff_ffff) as f32 / 16_777_216.0
}

/// Value noise: lattice values joined smoothly; one blob per unit, in [0, 1).
pub fn value_noise(at: Vec3<f32>) -> f32 {
    let cell = |v: f32| {
        let corner = floor(v);
        let t = v - corner as f32;
        (corner, t * t * (3.0 - 2.0 * t))
    };
    let ((x, u), (y, v), (z, w)) = (cell(at.x), cell(at.y), cell(at.z));
    let join = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let edge = |y: i32, z: i32| join(lattice(x, y, z), lattice(x.wrapping_add(1), y, z), u);
    let face = |z: i32| join(edge(y, z), edge(y.wrapping_add(1), z), v);
    join(face(z), face(z.wrapping_add(1)), w)
}

/// The largest integer not above `v`; without a library call, which some targets make of `f32::floor`.
pub fn floor(v: f32) -> i32 {
    let truncated = v as i32;
    if truncated as f32 > v {
        truncated - 1
    } else {
        truncated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::vec3;

    #[test]
    fn uniform_seeded_and_repeatable() {
        let (mut a, mut b, mut c) = (Random::seeded(7), Random::seeded(7), Random::seeded(8));
        let drawn: Vec<f64> = (0..4000).map(|_| a.unit()).collect();
        assert!(drawn.iter().all(|v| (0.0..1.0).contains(v) && *v == b.unit()));
        assert!(drawn.iter().any(|v| *v != c.unit()));
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }

    #[test]
    fn noise_is_continuous_across_cells() {
        for step in -200..200 {
            let x = step as f32 * 0.05;
            let here = value_noise(vec3(x, 0.3, -1.2));
            let next = value_noise(vec3(x + 1e-3, 0.3, -1.2));
            assert!((0.0..1.0).contains(&here) && (here - next).abs() < 0.01);
        }
        assert_eq!((floor(-0.5), floor(-1.0), floor(1.9)), (-1, -1, 1));
    }
}
