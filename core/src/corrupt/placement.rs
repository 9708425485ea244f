//! What moves or covers the picture: a bar, a turned or distant camera, a mirror.

use crate::geometry::{ImageSize, Point2};

use super::{Severity, level};

/// The grey of the bar.
const GREY: u8 = 128;

/// Sine and cosine of 5, 10, 20, 30 and 45 degrees: written down, because the last digit of a computed one depends on
/// the machine.
const TURNS: [[f64; 2]; 5] = [
    [0.087_155_742_747_658_17, 0.996_194_698_091_745_5],
    [0.173_648_177_666_930_33, 0.984_807_753_012_208],
    [0.342_020_143_325_668_7, 0.939_692_620_785_908_4],
    [0.5, 0.866_025_403_784_438_6],
    [std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::FRAC_1_SQRT_2],
];

/// Covers the middle half of the width.
pub fn occlude(rgba: &mut [u8], width: usize, severity: Severity) {
    let height = rgba.len() / (4 * width);
    let bar = (height * usize::from(severity.level()) + 5) / 10;
    let top = (height - bar) / 2;
    let margin = width / 4;
    for row in rgba.chunks_exact_mut(4 * width).skip(top).take(bar) {
        for pixel in row[4 * margin..4 * (width - margin)].chunks_exact_mut(4) {
            pixel[..3].fill(GREY);
        }
    }
}

/// Exchanges left and right.
pub fn mirror(rgba: &mut [u8], width: usize) {
    for row in rgba.chunks_exact_mut(4 * width) {
        for x in 0..width / 2 {
            let (left, right) = row.split_at_mut(4 * (width - 1 - x));
            left[4 * x..4 * x + 4].swap_with_slice(&mut right[..4]);
        }
    }
}

/// Turns the picture about its middle, against the clock, and mixes four pixels for each.
pub fn rotate(rgba: &mut [u8], size: ImageSize, severity: Severity, before: &mut Vec<u8>) {
    before.clear();
    before.extend_from_slice(rgba);
    let [sine, cosine] = severity.of(TURNS);
    let [width, height] = [size.width_px as usize, size.height_px as usize];
    let [middle_x, middle_y] = [width, height].map(|side| side as f64 / 2.0);
    for (y, row) in rgba.chunks_exact_mut(4 * width).enumerate() {
        let down = y as f64 + 0.5 - middle_y;
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let right = x as f64 + 0.5 - middle_x;
            let from_x = cosine * right - sine * down + middle_x;
            let from_y = sine * right + cosine * down + middle_y;
            let is_inside = (0.0..width as f64).contains(&from_x) && (0.0..height as f64).contains(&from_y);
            if is_inside {
                mix(pixel, before, [width, height], from_x - 0.5, from_y - 0.5);
            } else {
                pixel[..3].fill(0);
            }
        }
    }
}

/// The colour between four pixels, counted from the first one's middle.
fn mix(pixel: &mut [u8], rgba: &[u8], [width, height]: [usize; 2], x: f64, y: f64) {
    let (column, row) = (x.floor(), y.floor());
    let (to_right, to_below) = ((x - column) as f32, (y - row) as f32);
    let near =
        |value: f64, count: usize| [value, value + 1.0].map(|at| (at.max(0.0) as usize).min(count - 1));
    let (columns, rows) = (near(column, width), near(row, height));
    for (channel, value) in pixel[..3].iter_mut().enumerate() {
        let [above, below] = rows.map(|row| {
            let [left, right] = columns.map(|column| f32::from(rgba[4 * (row * width + column) + channel]));
            left + (right - left) * to_right
        });
        *value = level(above + (below - above) * to_below);
    }
}

/// Where [`rotate`] takes a point.
pub fn rotated(point: Point2, size: ImageSize, severity: Severity) -> Point2 {
    let [sine, cosine] = severity.of(TURNS).map(|share| share as f32);
    let [middle_x, middle_y] = [size.width_px, size.height_px].map(|side| side as f32 / 2.0);
    let (right, down) = (point.x - middle_x, point.y - middle_y);
    Point2::new(
        cosine * right + sine * down + middle_x,
        cosine * down - sine * right + middle_y,
    )
}

/// Of one side of the picture: what is left of it, and where it begins.
fn shrunk(side: u32, severity: Severity) -> (u32, u32) {
    // In twentieths, so that no rounding of a factor decides.
    let twentieths = u64::from(severity.of([16_u32, 12, 9, 6, 4]));
    let small = ((u64::from(side) * twentieths + 10) / 20).max(1) as u32;
    (small, (side - small) / 2)
}

/// Shrinks the picture about its middle: each pixel becomes the mean of the area that it shows, black around.
pub fn shrink(rgba: &mut [u8], size: ImageSize, severity: Severity) {
    let [(new_width, left), (new_height, top)] =
        [size.width_px, size.height_px].map(|side| shrunk(side, severity));
    let columns = areas(size.width_px, new_width);
    let rows = areas(size.height_px, new_height);
    let width = size.width_px as usize;
    // Each row as wide as it will be, in levels that are not rounded yet.
    let narrow: Vec<[f32; 3]> = rgba
        .chunks_exact(4 * width)
        .flat_map(|row| columns.iter().map(|area| area.mean(|x| colour(&row[4 * x..]))))
        .collect();
    for pixel in rgba.chunks_exact_mut(4) {
        pixel[..3].fill(0);
    }
    let new_width = new_width as usize;
    for (row, area) in rows.iter().enumerate() {
        let start = 4 * ((top as usize + row) * width + left as usize);
        let out = rgba[start..start + 4 * new_width].chunks_exact_mut(4);
        for (column, pixel) in out.enumerate() {
            let mean = area.mean(|y| narrow[y * new_width + column]);
            for (value, mean) in pixel.iter_mut().zip(mean) {
                *value = level(mean);
            }
        }
    }
}

fn colour(pixel: &[u8]) -> [f32; 3] {
    [pixel[0], pixel[1], pixel[2]].map(f32::from)
}

/// Where [`shrink`] takes a point.
pub fn scaled(point: Point2, size: ImageSize, severity: Severity) -> Point2 {
    let along = |value: f32, side: u32| {
        let (small, start) = shrunk(side, severity);
        start as f32 + value * small as f32 / side.max(1) as f32
    };
    Point2::new(along(point.x, size.width_px), along(point.y, size.height_px))
}

/// The pixels that one new pixel shows, with the share that it shows of each.
struct Area {
    first: usize,
    weights: Vec<f32>,
}

impl Area {
    fn mean(&self, colour: impl Fn(usize) -> [f32; 3]) -> [f32; 3] {
        let mut sum = [0.0; 3];
        for (index, weight) in self.weights.iter().enumerate() {
            for (sum, value) in sum.iter_mut().zip(colour(self.first + index)) {
                *sum += weight * value;
            }
        }
        sum
    }
}

/// The areas of all new pixels along one side.
fn areas(side: u32, small: u32) -> Vec<Area> {
    let width = f64::from(side) / f64::from(small);
    let of_pixel = |index: u32| {
        let (begin, end) = (f64::from(index) * width, f64::from(index + 1) * width);
        let first = begin.floor();
        let last = (end.ceil().min(f64::from(side)) - 1.0).max(first);
        let covered = |pixel: u32| {
            let pixel = f64::from(pixel);
            ((pixel + 1.0).min(end) - pixel.max(begin)) / width
        };
        Area {
            first: first as usize,
            weights: (first as u32..=last as u32)
                .map(|pixel| covered(pixel) as f32)
                .collect(),
        }
    };
    (0..small).map(of_pixel).collect()
}
