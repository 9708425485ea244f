//! Vectors and rotation frames in three dimensions.
//!
//! Kinematics and truth run in `f64` ([`Vec3<f64>`]), pixels in `f32`. Body space is right-handed: x to the
//! subject's left, y up, z to the subject's front, in metres.

use crate::portable;
use std::ops::{Add, Mul, Neg, Sub};

/// What a vector's component must be able to do; only operations that IEEE 754 rounds exactly.
pub trait Real:
    Copy + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// 1 / self, or 0 for 0, so that the unit vector of nothing is nothing.
    fn recip_or_zero(self) -> Self;
}

macro_rules! real {
    ($($scalar:ident),*) => {$(
        impl Real for $scalar {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            fn recip_or_zero(self) -> Self {
                if self == 0.0 { 0.0 } else { 1.0 / self }
            }
        }
    )*};
}
real!(f32, f64);

/// A point or direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vec3<S> {
    /// To the subject's left.
    pub x: S,
    /// Up.
    pub y: S,
    /// To the subject's front.
    pub z: S,
}

/// Shorthand constructor.
pub const fn vec3<S>(x: S, y: S, z: S) -> Vec3<S> {
    Vec3 { x, y, z }
}

impl<S: Real> Add for Vec3<S> {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        vec3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl<S: Real> Sub for Vec3<S> {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        vec3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl<S: Real> Mul<S> for Vec3<S> {
    type Output = Self;
    fn mul(self, s: S) -> Self {
        vec3(self.x * s, self.y * s, self.z * s)
    }
}

impl<S: Real> Neg for Vec3<S> {
    type Output = Self;
    fn neg(self) -> Self {
        vec3(-self.x, -self.y, -self.z)
    }
}

impl<S: Real> Vec3<S> {
    /// Straight up.
    pub const UP: Self = vec3(S::ZERO, S::ONE, S::ZERO);
    /// The origin.
    pub const ZERO: Self = vec3(S::ZERO, S::ZERO, S::ZERO);

    /// Scalar product.
    pub fn dot(self, o: Self) -> S {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    /// Vector product.
    pub fn cross(self, o: Self) -> Self {
        vec3(
            self.y * o.z - self.z * o.y,
            self.z * o.x - self.x * o.z,
            self.x * o.y - self.y * o.x,
        )
    }

    /// Component-wise product.
    pub fn scale(self, o: Self) -> Self {
        vec3(self.x * o.x, self.y * o.y, self.z * o.z)
    }

    /// Euclidean length.
    pub fn length(self) -> S {
        self.dot(self).sqrt()
    }

    /// The vector at length 1; zero stays zero.
    pub fn unit(self) -> Self {
        self * self.length().recip_or_zero()
    }

    /// The point the fraction `t` of the way to `o`.
    pub fn mix(self, o: Self, t: S) -> Self {
        self + (o - self) * t
    }
}

impl Vec3<f64> {
    /// The same point in single precision, for drawing.
    pub fn to_f32(self) -> Vec3<f32> {
        vec3(self.x as f32, self.y as f32, self.z as f32)
    }
}

/// An orientation: the images of the x, y and z axes, orthonormal and right-handed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame<S> {
    /// Image of the x axis.
    pub x: Vec3<S>,
    /// Image of the y axis.
    pub y: Vec3<S>,
    /// Image of the z axis.
    pub z: Vec3<S>,
}

impl<S: Real> Frame<S> {
    /// Body space itself.
    pub const UPRIGHT: Self = Self {
        x: vec3(S::ONE, S::ZERO, S::ZERO),
        y: vec3(S::ZERO, S::ONE, S::ZERO),
        z: vec3(S::ZERO, S::ZERO, S::ONE),
    };

    /// The frame whose y axis is `up` and whose z axis is as near to `front` as that allows.
    pub fn facing(up: Vec3<S>, front: Vec3<S>) -> Self {
        let y = up.unit();
        let z = (front - y * front.dot(y)).unit();
        Self { x: y.cross(z), y, z }
    }

    /// From this frame's coordinates to the outer ones.
    pub fn outward(&self, local: Vec3<S>) -> Vec3<S> {
        self.x * local.x + self.y * local.y + self.z * local.z
    }

    /// From the outer coordinates to this frame's.
    pub fn inward(&self, outer: Vec3<S>) -> Vec3<S> {
        vec3(self.x.dot(outer), self.y.dot(outer), self.z.dot(outer))
    }

    /// `inner`, given in this frame's coordinates, in the outer ones.
    pub fn then(&self, inner: &Self) -> Self {
        Self {
            x: self.outward(inner.x),
            y: self.outward(inner.y),
            z: self.outward(inner.z),
        }
    }
}

impl Frame<f64> {
    /// Leaning forward by an angle in radians: up turns towards the front.
    pub fn pitch(angle: f64) -> Self {
        let (s, c) = portable::sin_cos(angle);
        Self {
            x: vec3(1.0, 0.0, 0.0),
            y: vec3(0.0, c, s),
            z: vec3(0.0, -s, c),
        }
    }

    /// Leaning to the left by an angle in radians: up turns towards x.
    pub fn roll(angle: f64) -> Self {
        let (s, c) = portable::sin_cos(angle);
        Self {
            x: vec3(c, -s, 0.0),
            y: vec3(s, c, 0.0),
            z: vec3(0.0, 0.0, 1.0),
        }
    }

    /// Turning to the left by an angle in radians: front turns towards x.
    pub fn yaw(angle: f64) -> Self {
        let (s, c) = portable::sin_cos(angle);
        Self {
            x: vec3(c, 0.0, -s),
            y: vec3(0.0, 1.0, 0.0),
            z: vec3(s, 0.0, c),
        }
    }

    /// The same orientation in single precision, for drawing.
    pub fn to_f32(self) -> Frame<f32> {
        Frame {
            x: self.x.to_f32(),
            y: self.y.to_f32(),
            z: self.z.to_f32(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_turn_the_stated_way_and_stay_orthonormal() {
        let quarter = std::f64::consts::FRAC_PI_2;
        let near = |a: Vec3<f64>, b: Vec3<f64>| (a - b).length() < 1e-12;
        assert!(near(
            Frame::pitch(quarter).outward(vec3(0.0, 1.0, 0.0)),
            vec3(0.0, 0.0, 1.0)
        ));
        assert!(near(
            Frame::roll(quarter).outward(vec3(0.0, 1.0, 0.0)),
            vec3(1.0, 0.0, 0.0)
        ));
        assert!(near(
            Frame::yaw(quarter).outward(vec3(0.0, 0.0, 1.0)),
            vec3(1.0, 0.0, 0.0)
        ));
        let f = Frame::yaw(0.3).then(&Frame::roll(-0.8)).then(&Frame::pitch(1.1));
        assert!(near(f.x.cross(f.y), f.z));
        let p = vec3(0.2, -0.5, 0.9);
        assert!(near(f.inward(f.outward(p)), p));
    }
}
