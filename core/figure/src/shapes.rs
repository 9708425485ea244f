//! Signed-distance solids: round cones, ellipsoids and boxes, each with a bounding capsule for culling.
//!
//! Distances in metres, negative inside. The cone is a segment with linearly growing radius and the ellipsoid is
//! scaled space with a first-order correction: both slightly off the true distance, which the marcher's step
//! factor allows for (formulas after I. Quilez, "distance functions").

use crate::vector::{Frame, Real, Vec3, vec3};

/// What a surface is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    /// Skin.
    Skin,
    /// Hair and brows.
    Hair,
    /// Shirt.
    Shirt,
    /// Shorts or trousers.
    Trousers,
    /// Shoe upper.
    Shoe,
    /// Shoe sole.
    Sole,
    /// White of the eye.
    Eye,
    /// Iris and pupil.
    Iris,
    /// Lips.
    Lip,
    /// The seat to sit on.
    Seat,
}

/// A segment thickened by a radius.
#[derive(Clone, Copy, Debug)]
pub struct Capsule {
    start: Vec3<f32>,
    axis: Vec3<f32>,
    per_axis_sq: f32,
    length: f32,
    /// Thickness, metres.
    pub radius: f32,
}

impl Capsule {
    fn new(start: Vec3<f32>, end: Vec3<f32>, radius: f32) -> Self {
        let axis = end - start;
        let axis_sq = axis.dot(axis);
        Self {
            start,
            axis,
            per_axis_sq: axis_sq.recip_or_zero(),
            length: axis_sq.sqrt(),
            radius,
        }
    }

    /// A capsule that contains the others, along the line between their two ends farthest apart; of none, one that
    /// nothing is near.
    pub fn around<'a>(capsules: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let ends = capsules.clone().flat_map(|c| [c.start, c.start + c.axis]);
        let Some(first) = ends.clone().next() else {
            return Self::new(Vec3::ZERO, Vec3::ZERO, f32::NEG_INFINITY);
        };
        let farthest_from = |p: Vec3<f32>| {
            ends.clone().fold(p, |best, end| {
                if (end - p).length() > (best - p).length() {
                    end
                } else {
                    best
                }
            })
        };
        let one = farthest_from(first);
        let mut around = Self::new(one, farthest_from(one), 0.0);
        around.radius = capsules.fold(0.0, |radius, c| {
            let out = around.distance(c.start).max(around.distance(c.start + c.axis));
            f32::max(radius, out + c.radius)
        });
        around
    }

    /// Length of the segment, metres.
    pub fn reach(&self) -> f32 {
        self.length
    }

    /// Where on the segment, from 0 to 1, the nearest point to `p` lies.
    fn nearest(&self, p: Vec3<f32>) -> f32 {
        ((p - self.start).dot(self.axis) * self.per_axis_sq).clamp(0.0, 1.0)
    }

    /// Distance from a point to the capsule; negative inside.
    pub fn distance(&self, p: Vec3<f32>) -> f32 {
        (p - self.start - self.axis * self.nearest(p)).length() - self.radius
    }

    /// Farthest point of the capsule from `p`, as a distance.
    pub fn farthest(&self, p: Vec3<f32>) -> f32 {
        let to_start = self.start - p;
        to_start.length().max((to_start + self.axis).length()) + self.radius
    }

    /// Distance between the capsule and the ray from `origin` along the unit vector `along`, negative if hit, and
    /// how far along the ray they are nearest, metres.
    pub fn distance_to_ray(&self, origin: Vec3<f32>, along: Vec3<f32>) -> (f32, f32) {
        // The point of the segment nearest to the line, then the point of the ray nearest to that, then back:
        // exact when the first guess stays on the segment and in front of the origin, else a clamp away.
        let from_origin = self.start - origin;
        let slope = self.axis.dot(along);
        let axis_sq = self.length * self.length;
        let across = axis_sq - slope * slope;
        let t = if across > 1e-9 {
            ((slope * from_origin.dot(along) - from_origin.dot(self.axis)) / across).clamp(0.0, 1.0)
        } else {
            0.5
        };
        let travelled = (from_origin + self.axis * t).dot(along).max(0.0);
        (self.distance(origin + along * travelled), travelled)
    }
}

/// The geometry of a solid.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// Radius at the start, and how much it grows to the end of the bound's segment.
    RoundCone { radius: f32, growth: f32 },
    /// One over the radii along the frame's axes, and one over their squares.
    Ellipsoid {
        per_radius: Vec3<f32>,
        per_radius_sq: Vec3<f32>,
    },
    /// Half extents inside the rounding, and the rounding radius.
    RoundBox { half: Vec3<f32>, rounding: f32 },
}

/// One solid.
#[derive(Clone, Copy, Debug)]
pub struct Solid {
    form: Form,
    /// Orientation, for ellipsoids, boxes and textures.
    frame: Frame<f32>,
    origin: Vec3<f32>,
    cut: Option<(Vec3<f32>, Vec3<f32>)>,
    /// What it is made of.
    pub material: Material,
    /// Contains the solid.
    pub bound: Capsule,
}

impl Solid {
    /// From `start` to `end` with a radius at each, metres; `front` orients the texture.
    pub fn round_cone(
        start: Vec3<f64>,
        end: Vec3<f64>,
        radii: [f64; 2],
        front: Vec3<f64>,
        material: Material,
    ) -> Self {
        let bound = Capsule::new(start.to_f32(), end.to_f32(), radii[0].max(radii[1]) as f32);
        Self {
            form: Form::RoundCone {
                radius: radii[0] as f32,
                growth: (radii[1] - radii[0]) as f32,
            },
            frame: Frame::facing(end - start, front).to_f32(),
            origin: start.to_f32(),
            cut: None,
            material,
            bound,
        }
    }

    /// Around `centre` with radii along the axes of `frame`, metres.
    pub fn ellipsoid(frame: &Frame<f64>, centre: Vec3<f64>, radii: Vec3<f64>, material: Material) -> Self {
        let inverse = vec3(1.0 / radii.x as f32, 1.0 / radii.y as f32, 1.0 / radii.z as f32);
        // An ellipsoid fits into the capsule along its longest axis with the middle radius.
        let (axis, longest, middle) = if radii.x >= radii.y && radii.x >= radii.z {
            (frame.x, radii.x, radii.y.max(radii.z))
        } else if radii.y >= radii.z {
            (frame.y, radii.y, radii.x.max(radii.z))
        } else {
            (frame.z, radii.z, radii.x.max(radii.y))
        };
        let reach = axis * (longest - middle);
        Self {
            form: Form::Ellipsoid {
                per_radius: inverse,
                per_radius_sq: inverse.scale(inverse),
            },
            frame: frame.to_f32(),
            origin: centre.to_f32(),
            cut: None,
            material,
            bound: Capsule::new(
                (centre - reach).to_f32(),
                (centre + reach).to_f32(),
                middle as f32,
            ),
        }
    }

    /// An upright box with half extents and rounded edges, metres.
    pub fn round_box(centre: Vec3<f64>, half: Vec3<f64>, rounding: f64, material: Material) -> Self {
        let inner = half - vec3(rounding, rounding, rounding);
        Self {
            form: Form::RoundBox {
                half: inner.to_f32(),
                rounding: rounding as f32,
            },
            frame: Frame::UPRIGHT,
            origin: centre.to_f32(),
            cut: None,
            material,
            bound: Capsule::new(centre.to_f32(), centre.to_f32(), half.length() as f32),
        }
    }

    /// Keeps only the part behind a plane: `outward` points to the side that is cut off.
    pub fn cut_at(mut self, point: Vec3<f64>, outward: Vec3<f64>) -> Self {
        self.cut = Some((point.to_f32(), outward.unit().to_f32()));
        self
    }

    /// Signed distance from a point, metres.
    pub fn distance(&self, p: Vec3<f32>) -> f32 {
        let d = match self.form {
            Form::RoundCone { radius, growth } => {
                let t = self.bound.nearest(p);
                (p - self.bound.start - self.bound.axis * t).length() - (radius + growth * t)
            }
            Form::Ellipsoid {
                per_radius,
                per_radius_sq,
            } => {
                let local = self.frame.inward(p - self.origin);
                let scaled = local.scale(per_radius).length();
                let gradient = local.scale(per_radius_sq).length();
                scaled * (scaled - 1.0) * gradient.max(1e-6).recip_or_zero()
            }
            Form::RoundBox { half, rounding } => {
                let local = p - self.origin;
                let over = vec3(
                    local.x.abs() - half.x,
                    local.y.abs() - half.y,
                    local.z.abs() - half.z,
                );
                let outside = vec3(over.x.max(0.0), over.y.max(0.0), over.z.max(0.0)).length();
                outside + over.x.max(over.y).max(over.z).min(0.0) - rounding
            }
        };
        match self.cut {
            Some((point, outward)) => d.max((p - point).dot(outward)),
            None => d,
        }
    }

    /// How near the ray from `origin` along a unit vector passes, and how far along it that is, metres, given where
    /// it is nearest to the bounding segment; for boxes both sides of that are looked at.
    pub fn distance_along_ray(&self, origin: Vec3<f32>, along: Vec3<f32>, nearest: f32) -> (f32, f32) {
        let at = |t: f32| (self.distance(origin + along * t), t);
        match self.form {
            Form::RoundBox { .. } => (-6i8..=6)
                .map(|step| at((nearest + self.bound.radius * f32::from(step) / 6.0).max(0.0)))
                .fold(
                    at(nearest),
                    |best, probe| if probe.0 < best.0 { probe } else { best },
                ),
            _ => at(nearest),
        }
    }

    /// A point in the solid's own coordinates, so that textures move with it.
    pub fn texture_point(&self, p: Vec3<f32>) -> Vec3<f32> {
        self.frame.inward(p - self.origin)
    }
}

/// The smaller of two distances, rounded where they are within `k` of each other (quadratic smooth minimum).
pub fn smooth_min(a: f32, b: f32, k: f32) -> f32 {
    if k <= 0.0 {
        return a.min(b);
    }
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k * 0.25
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solids() -> Vec<Solid> {
        let frame = Frame::yaw(0.4).then(&Frame::roll(0.9));
        vec![
            Solid::round_cone(
                vec3(0.1, 0.2, 0.0),
                vec3(0.4, 0.9, -0.2),
                [0.1, 0.05],
                vec3(0.0, 0.0, 1.0),
                Material::Skin,
            ),
            Solid::ellipsoid(&frame, vec3(0.0, 0.5, 0.1), vec3(0.1, 0.3, 0.2), Material::Hair),
            Solid::ellipsoid(&frame, vec3(0.0, 0.5, 0.1), vec3(0.2, 0.1, 0.1), Material::Hair),
            Solid::round_box(vec3(0.2, 0.2, 0.2), vec3(0.2, 0.3, 0.1), 0.02, Material::Seat),
        ]
    }

    #[test]
    fn bounds_contain_their_solids() {
        let mut random = crate::random::Random::seeded(3);
        for solid in solids() {
            let mut inside = 0;
            for _ in 0..60_000 {
                let mut next = || random.between(-0.4, 1.1) as f32;
                let p = vec3(next(), next(), next());
                if solid.distance(p) < 0.0 {
                    inside += 1;
                    assert!(solid.bound.distance(p) < 1e-6, "{solid:?} {p:?}");
                }
            }
            assert!(inside > 50, "the sampling meets the solid");
        }
    }

    #[test]
    fn a_capsule_around_others_contains_them() {
        let solids = solids();
        let around = Capsule::around(solids.iter().map(|solid| &solid.bound));
        let mut random = crate::random::Random::seeded(4);
        for _ in 0..20_000 {
            let mut next = || random.between(-0.6, 1.3) as f32;
            let p = vec3(next(), next(), next());
            for solid in &solids {
                assert!(
                    around.distance(p) <= solid.bound.distance(p).max(0.0) + 1e-6,
                    "{p:?}"
                );
            }
        }
        assert!(Capsule::around(std::iter::empty()).distance(Vec3::ZERO) > 1e9);
    }

    #[test]
    fn ray_distance_matches_dense_sampling() {
        let mut random = crate::random::Random::seeded(5);
        let solid = &solids()[0];
        for _ in 0..300 {
            let mut next = || random.between(-1.0, 1.0) as f32;
            let (origin, along) = (
                vec3(next(), next(), next() + 2.0),
                vec3(next(), next(), -2.0).unit(),
            );
            let sampled = (0..4000)
                .map(|i| solid.bound.distance(origin + along * (i as f32 * 0.001)))
                .fold(f32::INFINITY, f32::min);
            let (exact, _) = solid.bound.distance_to_ray(origin, along);
            assert!(
                exact - sampled < 2e-3 && sampled - exact < 2e-3,
                "{exact} {sampled}"
            );
        }
    }
}
