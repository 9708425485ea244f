//! What a picture looks like, in ten numbers: light, contrast, sharpness, grain, extremes, colour, and whether it is the
//! picture of before.
//!
//! Goes in: pixels of a frame, RGB or RGBA rows without gaps. Comes out: statistics of a grid of 64 x 64 samples, each with
//! its four neighbours at full resolution, so that the cost does not grow with the picture. Light is the integer luma
//! (54 R + 183 G + 19 B) / 256 (the weights of BT.709 in 256ths); sharpness is the mean squared Laplacian as in Pertuz,
//! Puig, Garcia, "Analysis of focus measure operators for shape-from-focus", Pattern Recognition 46 (2013).

use crate::geometry::ImageSize;

/// Samples along each side of the grid.
pub const GRID_SIDE: usize = 64;
/// Samples of the grid.
const GRID: usize = GRID_SIDE * GRID_SIDE;
/// A sample of at most this light is black.
const DARK_LEVEL: i32 = 16;
/// A sample of at least this light is white.
const CLIPPED_LEVEL: i32 = 239;
/// Keeps the logarithm of a flat picture finite, levels².
const FLAT: f64 = 1e-3;
/// Of Laplacians of 8-bit light: 4 * 255.
const MAX_LAPLACIAN: usize = 1020;

/// Statistics of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageProbe {
    /// Mean light, levels 0 to 255.
    pub luma_mean: f32,
    /// Standard deviation of the light, levels.
    pub luma_contrast: f32,
    /// ln(mean squared Laplacian + 0.001), ln levels².
    pub sharpness: f32,
    /// Median absolute Laplacian, levels.
    pub noise: f32,
    /// Share of samples of at most 16 levels.
    pub dark_share: f32,
    /// Share of samples of at least 239 levels.
    pub clipped_share: f32,
    /// Red of all colour.
    pub red_share: f32,
    /// Blue of all colour.
    pub blue_share: f32,
    /// Of the samples' light: equal pictures have equal hashes (FNV-1a, 32 bits).
    pub hash: u32,
}

/// Numbers of a probe in a message.
pub const PROBE_NUMBERS: usize = 10;

impl ImageProbe {
    /// Looks at a picture of `channels` bytes a pixel, red, green and blue first.
    ///
    /// None where there are too few bytes for the size, or fewer than 3 x 3 pixels: then nothing has neighbours.
    pub fn of(pixels: &[u8], size: ImageSize, channels: usize) -> Option<Self> {
        let (width, height) = (size.width_px as usize, size.height_px as usize);
        let needed = width.checked_mul(height)?.checked_mul(channels)?;
        if width < 3 || height < 3 || channels < 3 || pixels.len() < needed {
            return None;
        }
        let stride = width * channels;
        let luma = |at: usize| {
            let [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]].map(i32::from);
            (r * 54 + g * 183 + b * 19) >> 8
        };
        // The middle of a cell, kept off the border.
        let sample = |cell: usize, side: usize| ((2 * cell + 1) * side / (2 * GRID_SIDE)).clamp(1, side - 2);
        let (mut sum, mut squares, mut laplacian_squares) = (0_i64, 0_i64, 0_i64);
        let (mut dark, mut clipped) = (0_u32, 0_u32);
        let mut colour = [0_u32; 3];
        let mut magnitudes = [0_u16; MAX_LAPLACIAN + 1];
        let mut hash = 0x811c_9dc5_u32;
        for row in 0..GRID_SIDE {
            let line = sample(row, height) * stride;
            for column in 0..GRID_SIDE {
                let at = line + sample(column, width) * channels;
                let centre = luma(at);
                let neighbours =
                    luma(at - stride) + luma(at + stride) + luma(at - channels) + luma(at + channels);
                let laplacian = 4 * centre - neighbours;
                sum += i64::from(centre);
                squares += i64::from(centre * centre);
                laplacian_squares += i64::from(laplacian * laplacian);
                magnitudes[laplacian.unsigned_abs() as usize] += 1;
                dark += u32::from(centre <= DARK_LEVEL);
                clipped += u32::from(centre >= CLIPPED_LEVEL);
                for (total, &value) in colour.iter_mut().zip(&pixels[at..]) {
                    *total += u32::from(value);
                }
                hash = (hash ^ centre as u32).wrapping_mul(0x0100_0193);
            }
        }
        let n = GRID as f64;
        let mean = sum as f64 / n;
        let variance = squares as f64 / n - mean * mean;
        let [red, green, blue] = colour.map(f64::from);
        // One level of grey in all, so that black has a colour.
        let all = red + green + blue + n;
        Some(Self {
            luma_mean: mean as f32,
            luma_contrast: variance.max(0.0).sqrt() as f32,
            sharpness: (FLAT + laplacian_squares as f64 / n).ln() as f32,
            noise: median(&magnitudes),
            dark_share: dark as f32 / GRID as f32,
            clipped_share: clipped as f32 / GRID as f32,
            red_share: (red / all) as f32,
            blue_share: (blue / all) as f32,
            hash,
        })
    }

    /// As numbers of a message; the hash is two halves, which f32 holds exactly.
    pub fn to_numbers(&self) -> [f32; PROBE_NUMBERS] {
        [
            self.luma_mean,
            self.luma_contrast,
            self.sharpness,
            self.noise,
            self.dark_share,
            self.clipped_share,
            self.red_share,
            self.blue_share,
            (self.hash >> 16) as f32,
            (self.hash & 0xffff) as f32,
        ]
    }

    /// What [`Self::to_numbers`] was made of; none where a number is none.
    pub fn from_numbers(numbers: [f32; PROBE_NUMBERS]) -> Option<Self> {
        let [
            luma_mean,
            luma_contrast,
            sharpness,
            noise,
            dark_share,
            clipped_share,
            red_share,
            blue_share,
            high,
            low,
        ] = numbers;
        let is_half = |half: f32| (0.0..=65_535.0).contains(&half);
        let is_whole = numbers.iter().all(|number| number.is_finite()) && is_half(high) && is_half(low);
        is_whole.then_some(Self {
            luma_mean,
            luma_contrast,
            sharpness,
            noise,
            dark_share,
            clipped_share,
            red_share,
            blue_share,
            hash: ((high as u32) << 16) | low as u32,
        })
    }
}

/// The median of as many values as the grid has, by their counts: the mean of the two in the middle.
fn median(counts: &[u16]) -> f32 {
    let value_at = |rank: usize| {
        let mut seen = 0;
        counts
            .iter()
            .position(|&count| {
                seen += usize::from(count);
                seen > rank
            })
            .unwrap_or_default()
    };
    (value_at(GRID / 2 - 1) + value_at(GRID / 2)) as f32 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize {
        width_px: 128,
        height_px: 192,
    };

    fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        let (width, height) = (SIZE.width_px as usize, SIZE.height_px as usize);
        (0..width * height)
            .flat_map(|at| colour(at % width, at / width))
            .collect()
    }

    fn probe(pixels: &[u8]) -> ImageProbe {
        ImageProbe::of(pixels, SIZE, 3).expect("the picture is whole")
    }

    #[test]
    fn flat_pictures_have_no_contrast() {
        for level in [0_u8, 16, 17, 128, 238, 239, 255] {
            let found = probe(&picture(|_, _| [level; 3]));
            assert_eq!(found.luma_mean, f32::from(level));
            assert_eq!((found.luma_contrast, found.noise), (0.0, 0.0));
            assert_eq!(found.dark_share, f32::from(u8::from(level <= 16)));
            assert_eq!(found.clipped_share, f32::from(u8::from(level >= 239)));
            assert!((found.sharpness - 1e-3_f32.ln()).abs() < 1e-5);
        }
    }

    /// Values by hand: a chessboard of 0 and 200 has Laplacians of 800 everywhere.
    #[test]
    fn a_chessboard_is_as_sharp_as_can_be() {
        let board = probe(&picture(|x, y| [200 * u8::from((x + y) % 2 == 0); 3]));
        assert!((board.sharpness - (800.0_f32 * 800.0).ln()).abs() < 1e-5);
        assert_eq!(board.noise, 800.0);
        let stripes = probe(&picture(|x, _| [200 * u8::from(x % 8 < 4); 3]));
        assert!(stripes.sharpness < board.sharpness);
        assert!((stripes.luma_contrast - 100.0).abs() < 0.5, "{stripes:?}");
    }

    #[test]
    fn colour_is_a_share_of_all_colour() {
        let found = probe(&picture(|_, _| [120, 60, 19]));
        assert!((found.red_share - 0.6).abs() < 1e-6 && (found.blue_share - 0.095).abs() < 1e-6);
    }

    #[test]
    fn equal_pictures_have_equal_hashes_and_others_have_not() {
        let (a, b) = (
            picture(|x, y| [(x + y) as u8; 3]),
            picture(|x, y| [(x + y + 1) as u8; 3]),
        );
        assert_eq!(probe(&a).hash, probe(&a).hash);
        assert_ne!(probe(&a).hash, probe(&b).hash);
        let with_alpha: Vec<u8> = a.chunks(3).flat_map(|p| [p[0], p[1], p[2], 9]).collect();
        assert_eq!(ImageProbe::of(&with_alpha, SIZE, 4), Some(probe(&a)));
    }

    #[test]
    fn messages_carry_every_bit() {
        let found = probe(&picture(|x, y| [(x * y) as u8, y as u8, 7]));
        assert_eq!(ImageProbe::from_numbers(found.to_numbers()), Some(found));
        let mut broken = found.to_numbers();
        broken[2] = f32::NAN;
        assert_eq!(ImageProbe::from_numbers(broken), None);
        broken[2] = 0.0;
        broken[8] = 65_536.0;
        assert_eq!(ImageProbe::from_numbers(broken), None);
    }

    #[test]
    fn what_has_no_neighbours_has_no_probe() {
        let tiny = ImageSize {
            width_px: 2,
            height_px: 9,
        };
        assert_eq!(ImageProbe::of(&[0; 54], tiny, 3), None);
        assert_eq!(ImageProbe::of(&[0; 100], SIZE, 3), None);
        let smallest = ImageSize {
            width_px: 3,
            height_px: 3,
        };
        assert!(ImageProbe::of(&[9; 27], smallest, 3).is_some());
        let endless = ImageSize {
            width_px: u32::MAX,
            height_px: u32::MAX,
        };
        assert_eq!(ImageProbe::of(&[0; 27], endless, 3), None);
    }
}
