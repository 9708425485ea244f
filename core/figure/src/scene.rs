//! The solids of a picture, joined into one smooth surface, and the rays that look for it.
//!
//! A distance query over all solids costs microseconds, so rays work on a shortlist: the solids whose bounding
//! capsule comes near enough to matter. Leaving out the others does not change the surface, because a solid
//! farther away than the blending radius has no influence there.

use crate::shapes::{Capsule, Material, Solid, smooth_min};
use crate::vector::Vec3;
use std::ops::Range;

/// Nearer than this, the ray has arrived, metres.
const ARRIVED_M: f32 = 0.0006;
/// Step as a fraction of the distance: below 1 because the distances are approximate.
const STEP: f32 = 0.9;
/// Distance between the probes that look for hollows, metres.
const PROBE_SPACING_M: f32 = 0.025;
/// Sharpness of shadows: penumbrae are 1 / this wide per distance from what casts them.
const SHADOW_SHARPNESS: f32 = 7.0;

/// Solids that melt into each other, and how they join what came before them.
#[derive(Clone, Debug)]
pub struct Group {
    /// Blending radius between the group's solids, metres.
    pub blend_m: f32,
    /// Blending radius between the group and the groups before it, metres.
    pub join_m: f32,
    /// The solids.
    pub solids: Vec<Solid>,
}

/// Everything solid in the picture.
#[derive(Clone, Debug)]
pub struct Scene {
    solids: Vec<Solid>,
    /// Group of each solid; ascending.
    group_of: Vec<usize>,
    members: Vec<Members>,
    /// Contains everything.
    bound: Capsule,
    /// Largest blending radius in use, metres: what lies farther from a surface does not change it.
    margin_m: f32,
}

/// What a query needs to know about a group.
#[derive(Clone, Debug)]
struct Members {
    blend_m: f32,
    join_m: f32,
    indices: Range<u16>,
    bound: Capsule,
}

/// Indices of solids, ascending, and the stretch of ray in which they lie.
#[derive(Clone, Debug, Default)]
pub struct Shortlist {
    solids: Vec<u16>,
    near: f32,
    far: f32,
}

impl Shortlist {
    /// Whether no solid is near.
    pub fn is_empty(&self) -> bool {
        self.solids.is_empty()
    }
}

impl Scene {
    /// Joins groups in order.
    pub fn new(groups: Vec<Group>) -> Self {
        let mut scene = Self {
            solids: Vec::new(),
            group_of: Vec::new(),
            members: Vec::new(),
            bound: Capsule::around(groups.iter().flat_map(|g| &g.solids).map(|solid| &solid.bound)),
            margin_m: groups.iter().map(|g| g.blend_m.max(g.join_m)).fold(0.0, f32::max),
        };
        for (index, group) in groups.into_iter().enumerate() {
            let first = scene.solids.len() as u16;
            let bound = Capsule::around(group.solids.iter().map(|solid| &solid.bound));
            scene.group_of.extend(group.solids.iter().map(|_| index));
            scene.solids.extend(group.solids);
            let indices = first..scene.solids.len() as u16;
            let (blend_m, join_m) = (group.blend_m, group.join_m);
            scene.members.push(Members {
                blend_m,
                join_m,
                indices,
                bound,
            });
        }
        scene
    }

    /// Lists the solids near the ray (`along` is a unit vector), a cone that gains `slope` of radius for every
    /// metre travelled.
    pub fn near_ray(&self, origin: Vec3<f32>, along: Vec3<f32>, slope: f32, list: &mut Shortlist) {
        self.collect(list, |bound| {
            // The bound's own length counts as travelled: its far end may be where the cone is widest.
            let (distance, travelled) = bound.distance_to_ray(origin, along);
            distance < self.margin_m + slope * (travelled + bound.reach())
        });
        (list.near, list.far) = (f32::INFINITY, 0.0);
        for &index in &list.solids {
            let bound = &self.solids[index as usize].bound;
            list.near = list.near.min(bound.distance(origin) - self.margin_m);
            list.far = list.far.max(bound.farthest(origin) + self.margin_m);
        }
        list.near = list.near.max(0.0);
    }

    /// Lists the solids within `reach_m` of a point, metres.
    pub fn near_point(&self, p: Vec3<f32>, reach_m: f32, list: &mut Shortlist) {
        let limit = reach_m + self.margin_m;
        self.collect(list, |bound| bound.distance(p) < limit);
    }

    /// Lists the solids whose bounds are wanted, asking first for all of them and for each group.
    fn collect(&self, list: &mut Shortlist, wanted: impl Fn(&Capsule) -> bool) {
        list.solids.clear();
        if !wanted(&self.bound) {
            return;
        }
        for group in self.members.iter().filter(|group| wanted(&group.bound)) {
            let indices = group.indices.clone();
            list.solids
                .extend(indices.filter(|&index| wanted(&self.solids[index as usize].bound)));
        }
    }

    /// Signed distance from the joined surface of the listed solids, metres; infinite for an empty list.
    pub fn distance(&self, list: &Shortlist, p: Vec3<f32>) -> f32 {
        let mut joined = f32::INFINITY;
        let mut within = f32::INFINITY;
        let mut group = usize::MAX;
        for &index in &list.solids {
            let index = index as usize;
            if self.group_of[index] != group {
                if group != usize::MAX {
                    joined = self.join(joined, within, group);
                }
                group = self.group_of[index];
                within = f32::INFINITY;
            }
            let d = self.solids[index].distance(p);
            within = if within.is_finite() {
                smooth_min(within, d, self.members[group].blend_m)
            } else {
                d
            };
        }
        if group == usize::MAX {
            f32::INFINITY
        } else {
            self.join(joined, within, group)
        }
    }

    fn join(&self, joined: f32, within: f32, group: usize) -> f32 {
        if joined.is_finite() {
            smooth_min(joined, within, self.members[group].join_m)
        } else {
            within
        }
    }

    /// How far along the ray the surface lies, metres, if it does before `limit_m`.
    pub fn first_hit(
        &self,
        list: &Shortlist,
        origin: Vec3<f32>,
        along: Vec3<f32>,
        limit_m: f32,
    ) -> Option<f32> {
        let mut travelled = list.near;
        let far = list.far.min(limit_m);
        for _ in 0..120 {
            if travelled > far {
                return None;
            }
            let d = self.distance(list, origin + along * travelled);
            if d < ARRIVED_M {
                return Some(travelled);
            }
            travelled += d * STEP;
        }
        None
    }

    /// Material of the surface at a point, and the point in the coordinates of the solid it belongs to.
    pub fn material(&self, list: &Shortlist, p: Vec3<f32>) -> (Material, Vec3<f32>) {
        let mut nearest = (f32::INFINITY, Material::Skin, p);
        for &index in &list.solids {
            let solid = &self.solids[index as usize];
            let d = solid.distance(p);
            if d < nearest.0 {
                nearest = (d, solid.material, p);
                nearest.2 = solid.texture_point(p);
            }
        }
        (nearest.1, nearest.2)
    }

    /// Unit normal of the surface at a point, from four distances around it.
    pub fn normal(&self, list: &Shortlist, p: Vec3<f32>) -> Vec3<f32> {
        const PROBE_M: f32 = 0.0012;
        [
            [1.0, -1.0, -1.0],
            [-1.0, -1.0, 1.0],
            [-1.0, 1.0, -1.0],
            [1.0, 1.0, 1.0],
        ]
        .map(|[x, y, z]| {
            let corner = Vec3 { x, y, z };
            corner * self.distance(list, p + corner * PROBE_M)
        })
        .into_iter()
        .fold(Vec3::ZERO, |sum, v| sum + v)
        .unit()
    }

    /// How much of the sky a surface point sees, from 0.25 to 1: free space along the normal against what it
    /// would be on an open plane. `list` is room to work in.
    pub fn openness(&self, list: &mut Shortlist, p: Vec3<f32>, normal: Vec3<f32>, probes: u8) -> f32 {
        // A solid hides sky from a probe at most as far from it as the probe is from the surface.
        self.near_point(p, 2.0 * PROBE_SPACING_M * f32::from(probes), list);
        if list.is_empty() {
            return 1.0;
        }
        let mut hidden = 0.0;
        let mut weight = 1.0;
        for probe in 1..=probes {
            let out = PROBE_SPACING_M * f32::from(probe);
            hidden += (out - self.distance(list, p + normal * out)).max(0.0) * weight;
            weight *= 0.7;
        }
        (1.0 - 3.2 * hidden).clamp(0.25, 1.0)
    }

    /// How much of the lamp a point sees, from 0 to 1: the solid that comes nearest to the way there, relative
    /// to how far away it does, makes the penumbra. No marching: each solid is asked once, where it is nearest.
    pub fn lamplight(&self, p: Vec3<f32>, to_lamp: Vec3<f32>) -> f32 {
        let in_the_way = |bound: &Capsule| {
            let (distance, travelled) = bound.distance_to_ray(p, to_lamp);
            distance * SHADOW_SHARPNESS < travelled + bound.reach()
        };
        if !in_the_way(&self.bound) {
            return 1.0;
        }
        let mut seen = 1.0f32;
        for group in self.members.iter().filter(|group| in_the_way(&group.bound)) {
            for solid in &self.solids[usize::from(group.indices.start)..usize::from(group.indices.end)] {
                let (outside, travelled) = solid.bound.distance_to_ray(p, to_lamp);
                if outside * SHADOW_SHARPNESS > (travelled + solid.bound.reach()) * seen {
                    continue;
                }
                let (distance, travelled) = solid.distance_along_ray(p, to_lamp, travelled);
                // An ellipsoid's estimate falls short from afar; the bound is as far away or nearer than the truth.
                let distance = distance.max(outside);
                // What begins right at the point is the surface it lies on, which the normal accounts for.
                let counts = ((travelled - 0.012) / 0.03).clamp(0.0, 1.0);
                let passed = (SHADOW_SHARPNESS * distance / travelled.max(1e-3)).clamp(0.0, 1.0);
                seen = seen.min(1.0 - (1.0 - passed) * counts);
            }
            if seen <= 0.0 {
                break;
            }
        }
        // Ease in and out, so that a penumbra has no visible rim.
        seen * seen * (3.0 - 2.0 * seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anthropometry::Body;
    use crate::appearance::Appearance;
    use crate::pose::{Pose, degrees};
    use crate::sculpt;
    use crate::skeleton::Skeleton;
    use crate::vector::vec3;

    #[test]
    fn a_shortlist_finds_the_same_surface_as_all_solids() {
        let skeleton = Skeleton::of(&Body::default(), &Pose::standing().with_bent_knees(degrees(70.0)));
        let scene = sculpt::person(&skeleton, &Appearance::default(), None);
        let (mut all, mut short) = (Shortlist::default(), Shortlist::default());
        let eye = vec3(0.4, 1.0, 3.5);
        let mut hits = 0;
        for step in 0..900 {
            let aim = vec3(
                -0.4 + 0.03 * (step % 30) as f32,
                0.05 + 0.06 * (step / 30) as f32,
                0.0,
            );
            let along = (aim - eye).unit();
            scene.near_ray(eye, along, 10.0, &mut all);
            scene.near_ray(eye, along, 0.0, &mut short);
            let (a, b) = (
                scene.first_hit(&all, eye, along, 9.0),
                scene.first_hit(&short, eye, along, 9.0),
            );
            hits += usize::from(a.is_some());
            match (a, b) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 0.004, "{step}: {a} {b}"),
                (a, b) => assert_eq!(a, b, "{step}"),
            }
        }
        assert!(hits > 150, "{hits}");
    }
}
