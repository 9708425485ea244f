//! Light and materials: the colour that a pixel's ray brings home.
//!
//! One lamp with soft shadows, light from sky and floor dimmed in hollows, and a gloss for hair, eyes and skin. The
//! room is a plastered wall with a skirting board and a floor of boards. Constants are chosen by eye.

use crate::appearance::{Appearance, Colour};
use crate::camera::View;
use crate::random::{floor, lattice, value_noise};
use crate::scene::{Scene, Shortlist};
use crate::shapes::Material;
use crate::vector::{Vec3, vec3};

/// How much work goes into a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Whether things cast shadows.
    pub shadows: bool,
    /// Probes that darken hollows, 0 for none.
    pub hollow_probes: u8,
    /// Whether cloth, hair, wall and floor have texture.
    pub texture: bool,
    /// Edges are drawn with this many samples squared; 1 leaves them jagged.
    pub edge_samples: u8,
}

impl Quality {
    /// Everything on: for stills and clips.
    pub const FULL: Self = Self {
        shadows: true,
        hollow_probes: 4,
        texture: true,
        edge_samples: 2,
    };
    /// Everything but texture: plain cloth, wall and floor, calm to look at and a third smaller as JPEG.
    pub const PLAIN: Self = Self {
        texture: false,
        ..Self::FULL
    };
    /// Several times cheaper: for a live drawing in a browser.
    pub const DRAFT: Self = Self {
        shadows: false,
        hollow_probes: 2,
        texture: false,
        edge_samples: 1,
    };
}

/// Distance of the wall behind the person, metres.
const WALL_M: f32 = 1.5;
/// Height of the skirting board, metres.
const SKIRTING_M: f32 = 0.09;
/// Boards per metre across the floor.
const BOARDS_PER_M: f32 = 7.0;

/// Everything that stays the same over a picture.
pub struct Shader<'a> {
    scene: &'a Scene,
    looks: &'a Appearance,
    quality: Quality,
    eye: Vec3<f32>,
    right: Vec3<f32>,
    back: Vec3<f32>,
    to_lamp: Vec3<f32>,
}

/// What the room's ray met.
enum Backdrop {
    Floor,
    Wall,
}

impl<'a> Shader<'a> {
    /// Prepares to shade `scene` as seen by `view`.
    pub fn new(scene: &'a Scene, looks: &'a Appearance, view: &View, quality: Quality) -> Self {
        let (right, back) = (view.right.to_f32(), view.back.to_f32());
        let to_lamp = (right * looks.light.rightward + Vec3::UP + back * looks.light.forward).unit();
        Self {
            scene,
            looks,
            quality,
            eye: view.eye.to_f32(),
            right,
            back,
            to_lamp,
        }
    }

    /// Linear colour seen from the lens along a unit direction, each channel in [0, 1]. `list` holds at least the
    /// solids near this ray, `around` is room to work in.
    pub fn colour(&self, along: Vec3<f32>, list: &Shortlist, around: &mut Shortlist) -> Colour {
        let (backdrop, behind_m) = self.backdrop(along);
        let hit = if list.is_empty() {
            None
        } else {
            self.scene.first_hit(list, self.eye, along, behind_m)
        };
        let light = match hit {
            Some(travelled) => self.person(self.eye + along * travelled, along, around),
            None => self.room(backdrop, self.eye + along * behind_m, around),
        };
        vec3(
            light.x.clamp(0.0, 1.0),
            light.y.clamp(0.0, 1.0),
            light.z.clamp(0.0, 1.0),
        )
    }

    /// The nearer of floor and wall along a ray, and how far, metres.
    fn backdrop(&self, along: Vec3<f32>) -> (Backdrop, f32) {
        let to_floor = if along.y < 0.0 {
            -self.eye.y / along.y
        } else {
            f32::INFINITY
        };
        let towards = along.dot(self.back);
        let to_wall = if towards < 0.0 {
            (-WALL_M - self.eye.dot(self.back)) / towards
        } else {
            f32::INFINITY
        };
        if to_floor < to_wall {
            (Backdrop::Floor, to_floor)
        } else {
            (Backdrop::Wall, to_wall.min(100.0))
        }
    }

    fn person(&self, p: Vec3<f32>, along: Vec3<f32>, around: &mut Shortlist) -> Colour {
        self.scene.near_point(p, 0.01, around);
        let normal = self.scene.normal(around, p);
        let (material, local) = self.scene.material(around, p);
        let facing = normal.dot(self.to_lamp).max(0.0);
        let lit = facing
            * if facing > 0.0 {
                self.lamplight(p + normal * 0.004)
            } else {
                1.0
            };
        let open = self.scene.openness(around, p, normal, self.quality.hollow_probes);
        let mut colour = self.illuminate(self.albedo(material, local), normal, lit, open);

        let halfway = (self.to_lamp - along).unit();
        let mirror = normal.dot(halfway).max(0.0);
        let gloss = match material {
            Material::Skin => 0.10 * power(mirror, 4),
            Material::Hair => 0.12 * power(mirror, 6),
            Material::Eye | Material::Iris => 0.5 * power(mirror, 6),
            _ => 0.03 * power(mirror, 4),
        };
        let shine = gloss * lit.min(1.0);
        colour = colour + vec3(shine, shine, shine);
        if material == Material::Skin {
            // Light that enters skin at grazing angles comes out reddened.
            let grazing = (1.0 - normal.dot(-along)).clamp(0.0, 1.0);
            let rim = grazing * grazing * grazing;
            let fair = self.looks.skin.x;
            colour = colour + vec3(0.10, 0.03, 0.02) * (rim * fair);
        }
        colour
    }

    fn room(&self, backdrop: Backdrop, p: Vec3<f32>, around: &mut Shortlist) -> Colour {
        let (across, depth) = (p.dot(self.right), p.dot(self.back));
        match backdrop {
            Backdrop::Floor => {
                let lit = self.to_lamp.y * self.lamplight(p + Vec3::UP * 0.004);
                let probes = self.quality.hollow_probes;
                let open = self.scene.openness(around, p, Vec3::UP, probes).max(0.4);
                self.illuminate(self.boards(across, depth), Vec3::UP, lit, open)
            }
            Backdrop::Wall => {
                let lit = self.back.dot(self.to_lamp).max(0.0) * self.lamplight(p);
                let plaster = if p.y < SKIRTING_M {
                    vec3(0.85, 0.85, 0.84)
                } else if self.quality.texture {
                    self.looks.wall * (0.98 + 0.03 * value_noise(vec3(across, p.y, depth) * 2.5))
                } else {
                    self.looks.wall
                };
                self.illuminate(plaster, self.back, lit, 1.0)
            }
        }
    }

    fn lamplight(&self, p: Vec3<f32>) -> f32 {
        if self.quality.shadows {
            self.scene.lamplight(p, self.to_lamp)
        } else {
            1.0
        }
    }

    /// A matt surface under the lamp and between sky and floor.
    fn illuminate(&self, albedo: Colour, normal: Vec3<f32>, lit: f32, open: f32) -> Colour {
        let light = &self.looks.light;
        let (below, above) = (vec3(0.44, 0.40, 0.36), vec3(0.62, 0.66, 0.72));
        let around = below.mix(above, normal.y * 0.5 + 0.5) * (light.fill * open);
        albedo.scale(vec3(1.0, 0.95, 0.86) * (light.lamp * lit) + around)
    }

    fn albedo(&self, material: Material, local: Vec3<f32>) -> Colour {
        let looks = self.looks;
        let plain = match material {
            Material::Skin => looks.skin,
            Material::Hair => looks.hair,
            Material::Shirt => looks.shirt,
            Material::Trousers => looks.trousers,
            Material::Shoe => looks.shoes,
            Material::Sole => vec3(0.88, 0.88, 0.86),
            Material::Eye => vec3(0.80, 0.78, 0.76),
            Material::Iris => vec3(0.05, 0.035, 0.03),
            Material::Lip => looks.skin.scale(vec3(0.80, 0.52, 0.56)),
            Material::Seat => vec3(0.45, 0.33, 0.22),
        };
        if !self.quality.texture {
            return plain;
        }
        match material {
            Material::Shirt | Material::Trousers => {
                let folds = value_noise(local * 22.0) * 0.6 + value_noise(local * 55.0) * 0.4;
                plain * (0.84 + 0.30 * folds)
            }
            Material::Skin => plain * (0.95 + 0.10 * value_noise(local * 30.0)),
            Material::Hair => {
                plain * (0.6 + 0.9 * value_noise(vec3(local.x * 160.0, local.y * 25.0, local.z * 60.0)))
            }
            Material::Seat => plain * (0.88 + 0.24 * value_noise(local.scale(vec3(8.0, 70.0, 8.0)))),
            _ => plain,
        }
    }

    /// Floor boards: shade per board, grain along it, a dark line between two.
    fn boards(&self, across: f32, depth: f32) -> Colour {
        if !self.quality.texture {
            return self.looks.floor;
        }
        let row = floor(depth * BOARDS_PER_M);
        let joint = lattice(row, 3, 1) * 2.0;
        let shade = lattice(row, floor((across + joint) * 0.9), 5);
        let grain = value_noise(vec3(across * 3.0, depth * 60.0, row as f32));
        let within = depth * BOARDS_PER_M - row as f32;
        let line = if (within - 0.5).abs() > 0.48 { 0.8 } else { 1.0 };
        self.looks.floor * ((0.84 + 0.20 * shade + 0.14 * grain) * line)
    }
}

/// `x` squared `doublings` times: x to the power of 2^doublings, from multiplications alone.
fn power(x: f32, doublings: u8) -> f32 {
    (0..doublings).fold(x, |v, _| v * v)
}
