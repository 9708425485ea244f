//! Pictures: every pixel of a scene, on all cores, the same bytes whatever their number.
//!
//! First each pixel gets one ray through its middle; then the pixels that differ from a neighbour are drawn again
//! with several rays, which smooths edges at a fraction of the cost of supersampling everything. Rays of a tile
//! share one shortlist of solids.

use crate::appearance::{Appearance, Colour};
use crate::camera::View;
use crate::portable;
use crate::scene::{Scene, Shortlist};
use crate::shading::{Quality, Shader};
use crate::vector::Vec3;
use std::sync::Mutex;

/// Side of a tile, pixels.
const TILE_PX: usize = 8;
/// Neighbours whose encoded brightness differs by more than this are an edge.
const EDGE_CONTRAST: f32 = 0.05;

/// An image of 8-bit sRGB triples, row by row from the top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// Red, green, blue; 3 x width x height bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The picture as binary PPM (P6), which everything reads.
    pub fn to_ppm(&self) -> Vec<u8> {
        let mut bytes = format!("P6\n{} {}\n255\n", self.width_px, self.height_px).into_bytes();
        bytes.extend_from_slice(&self.rgb);
        bytes
    }

    /// FNV-1a over the pixels: a short name for exactly these bytes.
    pub fn fingerprint(&self) -> u64 {
        self.rgb.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

/// Draws with as many threads as the machine has cores; in WebAssembly on the calling thread.
pub fn draw(scene: &Scene, looks: &Appearance, view: &View, quality: Quality) -> Picture {
    let cores = match cfg!(target_family = "wasm") {
        true => 1,
        false => std::thread::available_parallelism().map_or(1, usize::from),
    };
    draw_on(scene, looks, view, quality, cores)
}

/// Draws with a given number of threads; the result does not depend on it.
pub fn draw_on(scene: &Scene, looks: &Appearance, view: &View, quality: Quality, threads: usize) -> Picture {
    let painter = Painter {
        shader: Shader::new(scene, looks, view, quality),
        scene,
        view,
    };
    let (width, height) = (view.width_px, view.height_px);
    let mut first: Vec<Colour> = vec![Vec3::ZERO; width * height];
    in_bands(&mut first, width, threads, |top, band| {
        painter.one_ray_each(top, band)
    });
    let mut rgb: Vec<[u8; 3]> = vec![[0; 3]; width * height];
    in_bands(&mut rgb, width, threads, |top, band| {
        painter.refine(top, band, &first, usize::from(quality.edge_samples));
    });
    Picture {
        width_px: width,
        height_px: height,
        rgb: rgb.into_iter().flatten().collect(),
    }
}

/// Runs `work` on every band of `TILE_PX` rows, given its first row and its pixels.
fn in_bands<T: Send>(pixels: &mut [T], width: usize, threads: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if pixels.is_empty() {
        return;
    }
    let bands = pixels.chunks_mut(width * TILE_PX).enumerate();
    if threads <= 1 {
        bands.for_each(|(index, band)| work(index * TILE_PX, band));
        return;
    }
    let queue = Mutex::new(bands);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue
                        .lock()
                        .expect("no thread panics while it holds the queue")
                        .next();
                    let Some((index, band)) = next else { break };
                    work(index * TILE_PX, band);
                }
            });
        }
    });
}

struct Painter<'a> {
    shader: Shader<'a>,
    scene: &'a Scene,
    view: &'a View,
}

impl Painter<'_> {
    /// The linear colour at the middle of each pixel of a band that starts at row `top`.
    fn one_ray_each(&self, top: usize, band: &mut [Colour]) {
        let mut around = Shortlist::default();
        let mut list = Shortlist::default();
        let width = self.view.width_px;
        let rows = band.len() / width;
        for left in (0..width).step_by(TILE_PX) {
            self.shortlist(left, top, &mut list);
            for row in 0..rows {
                for x in left..(left + TILE_PX).min(width) {
                    let along = self.ray(x as f32 + 0.5, (top + row) as f32 + 0.5);
                    band[row * width + x] = self.shader.colour(along, &list, &mut around);
                }
            }
        }
    }

    /// Encodes a band, with `samples` x `samples` rays where the first pass shows an edge.
    fn refine(&self, top: usize, band: &mut [[u8; 3]], first: &[Colour], samples: usize) {
        let mut around = Shortlist::default();
        let mut list = Shortlist::default();
        let width = self.view.width_px;
        let rows = band.len() / width;
        for left in (0..width).step_by(TILE_PX) {
            let mut listed = false;
            for row in 0..rows {
                for x in left..(left + TILE_PX).min(width) {
                    let y = top + row;
                    let mut colour = first[y * width + x];
                    if samples > 1 && self.is_edge(first, x, y) {
                        if !listed {
                            self.shortlist(left, top, &mut list);
                            listed = true;
                        }
                        colour = self.many_rays(x, y, samples, &list, &mut around);
                    }
                    band[row * width + x] = encode(colour);
                }
            }
        }
    }

    fn many_rays(
        &self,
        x: usize,
        y: usize,
        samples: usize,
        list: &Shortlist,
        around: &mut Shortlist,
    ) -> Colour {
        let mut sum = Vec3::ZERO;
        let offset = |i: usize| (i as f32 + 0.5) / samples as f32;
        for i in 0..samples {
            for j in 0..samples {
                let along = self.ray(x as f32 + offset(i), y as f32 + offset(j));
                sum = sum + self.shader.colour(along, list, around);
            }
        }
        sum * (1.0 / (samples * samples) as f32)
    }

    /// Whether a pixel differs visibly from one of its four neighbours.
    fn is_edge(&self, first: &[Colour], x: usize, y: usize) -> bool {
        let (width, height) = (self.view.width_px, self.view.height_px);
        let here = first[y * width + x];
        let differs = |x: usize, y: usize| {
            let there = first[y * width + x];
            // The square root stands in for the transfer curve: contrast as the eye judges it.
            let contrast = |a: f32, b: f32| (a.sqrt() - b.sqrt()).abs();
            contrast(here.x, there.x)
                .max(contrast(here.y, there.y))
                .max(contrast(here.z, there.z))
                > EDGE_CONTRAST
        };
        (x > 0 && differs(x - 1, y))
            || (x + 1 < width && differs(x + 1, y))
            || (y > 0 && differs(x, y - 1))
            || (y + 1 < height && differs(x, y + 1))
    }

    /// Lists the solids that rays through the tile at (`left`, `top`) can meet.
    fn shortlist(&self, left: usize, top: usize, list: &mut Shortlist) {
        let half = TILE_PX as f32 * 0.5;
        let along = self.ray(left as f32 + half, top as f32 + half);
        // Rays of the tile part from its middle one by half a tile's diagonal per focal length.
        let slope = half * 1.415 / self.view.focal_px as f32;
        self.scene.near_ray(self.view.eye.to_f32(), along, slope, list);
    }

    fn ray(&self, x_px: f32, y_px: f32) -> Vec3<f32> {
        let v = self.view;
        let across = (x_px - 0.5 * v.width_px as f32) / v.focal_px as f32;
        let down = (y_px - 0.5 * v.height_px as f32) / v.focal_px as f32;
        (v.forward.to_f32() + v.right.to_f32() * across - v.up.to_f32() * down).unit()
    }
}

/// Linear light to 8-bit sRGB.
fn encode(colour: Colour) -> [u8; 3] {
    let byte = |v: f32| (portable::srgb_encode(v) * 255.0 + 0.5) as u8;
    [byte(colour.x), byte(colour.y), byte(colour.z)]
}
