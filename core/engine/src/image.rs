//! Cuts a model's input out of a frame: crop, rotation, scaling and normalisation in one pass over the output.
//!
//! The sampling is that of the reference pipeline on a CPU, `cv::warpPerspective` with bilinear interpolation on 8-bit
//! pixels (OpenCV 3.4, `imgproc/imgwarp.cpp`), so that the numbers agree to the last bit where the geometry does:
//! - output pixel (i, j) reads the frame at `frame_from_output * (i, j)`, pixel indices on both sides, with no half
//!   pixel added;
//! - source coordinates are rounded to 1/32 of a pixel;
//! - the mean of the four neighbours is rounded to 8 bits before it is mapped to the model's range.

use std::fmt;
use std::ops::Range;

use wide::{f32x4, i16x8, i32x4, u64x2};

/// Frames of more columns or rows are refused, so that coordinates cannot overflow.
pub const MAX_SIDE_PX: usize = 32_767;

/// How a pixel lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Red, green, blue; a byte each.
    Rgb8,
    /// Red, green, blue, alpha; a byte each. Alpha is ignored.
    Rgba8,
}

impl PixelFormat {
    /// Bytes from one pixel to the next.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Rgb8 => 3,
            PixelFormat::Rgba8 => 4,
        }
    }
}

/// Why a slice of bytes is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// No columns or no rows.
    Empty {
        /// Columns.
        width_px: usize,
        /// Rows.
        height_px: usize,
    },
    /// More than [`MAX_SIDE_PX`] columns or rows.
    TooLarge {
        /// Columns.
        width_px: usize,
        /// Rows.
        height_px: usize,
    },
    /// A row is longer than the distance to the next one.
    StrideTooShort {
        /// Bytes from one row to the next.
        stride: usize,
        /// Bytes of a row.
        needed: usize,
    },
    /// The slice ends before the last row does.
    SliceTooShort {
        /// Bytes in the slice.
        len: usize,
        /// Bytes of the frame.
        needed: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Empty { width_px, height_px } => {
                write!(f, "the frame is {width_px}x{height_px} px and so holds no pixel")
            }
            FrameError::TooLarge { width_px, height_px } => write!(
                f,
                "the frame is {width_px}x{height_px} px; at most {MAX_SIDE_PX} px a side can be read, scale it down"
            ),
            FrameError::StrideTooShort { stride, needed } => {
                write!(
                    f,
                    "rows of the frame lie {stride} bytes apart, but each has {needed} bytes"
                )
            }
            FrameError::SliceTooShort { len, needed } => {
                write!(
                    f,
                    "the frame needs {needed} bytes of pixels, but only {len} are there"
                )
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// A picture in somebody else's memory.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pixels: &'a [u8],
    width_px: usize,
    height_px: usize,
    stride: usize,
    format: PixelFormat,
}

impl<'a> Frame<'a> {
    /// A view of `height_px` rows of `width_px` pixels, `stride` bytes from the start of one row to the next.
    pub fn new(
        pixels: &'a [u8],
        width_px: usize,
        height_px: usize,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self, FrameError> {
        if width_px == 0 || height_px == 0 {
            return Err(FrameError::Empty { width_px, height_px });
        }
        if width_px > MAX_SIDE_PX || height_px > MAX_SIDE_PX {
            return Err(FrameError::TooLarge { width_px, height_px });
        }
        let row = width_px * format.bytes_per_pixel();
        if stride < row {
            return Err(FrameError::StrideTooShort { stride, needed: row });
        }
        let needed = stride.saturating_mul(height_px - 1).saturating_add(row);
        if pixels.len() < needed {
            return Err(FrameError::SliceTooShort {
                len: pixels.len(),
                needed,
            });
        }
        Ok(Self {
            pixels,
            width_px,
            height_px,
            stride,
            format,
        })
    }

    /// A view of rows that follow each other without a gap.
    pub fn packed(
        pixels: &'a [u8],
        width_px: usize,
        height_px: usize,
        format: PixelFormat,
    ) -> Result<Self, FrameError> {
        Self::new(
            pixels,
            width_px,
            height_px,
            width_px.saturating_mul(format.bytes_per_pixel()),
            format,
        )
    }

    /// Columns.
    pub fn width_px(&self) -> usize {
        self.width_px
    }

    /// Rows.
    pub fn height_px(&self) -> usize {
        self.height_px
    }

    /// The bytes, from the first pixel; the last row may end before its stride does.
    pub fn pixels(&self) -> &'a [u8] {
        self.pixels
    }

    /// Bytes from the start of one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// How a pixel lies in memory.
    pub fn format(&self) -> PixelFormat {
        self.format
    }
}

/// What stands outside of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Black.
    Zero,
    /// The nearest pixel of the frame.
    Replicate,
}

/// Which part of a frame becomes a model's input, and in which numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Affine map from output to frame pixels, row by row: `x = m[0] i + m[1] j + m[2]`, `y = m[3] i + m[4] j + m[5]`.
    pub frame_from_output: [f32; 6],
    /// Columns of the output.
    pub width_px: usize,
    /// Rows of the output.
    pub height_px: usize,
    /// What the pixel values 0 and 255 become.
    pub range: [f32; 2],
    /// What stands outside of the frame.
    pub border: Border,
}

/// Steps of a source coordinate between two pixels, as a power of two.
const STEP_BITS: u32 = 5;
const STEPS: i32 = 1 << STEP_BITS;
/// Fraction bits of the fixed-point coordinate that walks along a row.
const WALK_BITS: u32 = 32;

/// Writes the sampled region as `[1, height, width, 3]` f32, red first.
///
/// # Panics
/// If `out` does not hold exactly `width_px * height_px * 3` numbers.
pub fn sample_region(frame: &Frame<'_>, sampling: &Sampling, out: &mut [f32]) {
    let Sampling {
        frame_from_output: m,
        width_px,
        height_px,
        ..
    } = *sampling;
    assert_eq!(
        out.len(),
        width_px * height_px * 3,
        "the output must hold 3 numbers a pixel"
    );
    match (frame.format, sampling.border) {
        (PixelFormat::Rgb8, Border::Zero) => sample_rows::<3, false>(frame, m, sampling, out),
        (PixelFormat::Rgb8, Border::Replicate) => sample_rows::<3, true>(frame, m, sampling, out),
        (PixelFormat::Rgba8, Border::Zero) => sample_rows::<4, false>(frame, m, sampling, out),
        (PixelFormat::Rgba8, Border::Replicate) => sample_rows::<4, true>(frame, m, sampling, out),
    }
}

fn sample_rows<const BYTES: usize, const REPLICATE: bool>(
    frame: &Frame<'_>,
    m: [f32; 6],
    sampling: &Sampling,
    out: &mut [f32],
) {
    let [low, high] = sampling.range;
    let scale = (high - low) / 255.0;
    let m = m.map(f64::from);
    let (step_x, step_y) = (to_walk(m[0]), to_walk(m[3]));
    // Half a step is added once, so that cutting bits off rounds to the nearest step.
    let half_step = 1_i64 << (WALK_BITS - STEP_BITS - 1);
    for (j, row) in out.chunks_exact_mut(sampling.width_px * 3).enumerate() {
        let start = [m[1] * j as f64 + m[2], m[4] * j as f64 + m[5]]
            .map(|coordinate| to_walk(coordinate).saturating_add(half_step));
        let walk = Walk {
            start,
            step: [step_x, step_y],
        };
        let inside = walk.inside(frame, sampling.width_px);
        // From left to right, because a pixel may write over the first value of the next.
        let write_anywhere = |row: &mut [f32], range: Range<usize>| {
            sample_anywhere::<BYTES, REPLICATE>(frame, walk, range, [scale, low], row);
        };
        write_anywhere(row, 0..inside.start);
        let [mut x, mut y] = walk.place_of(inside.start);
        for i in inside.clone() {
            let steps = [x, y].map(|walk| (walk >> (WALK_BITS - STEP_BITS)) as i32);
            write_pixel(row, i, within::<BYTES>(frame, steps), scale, low);
            x = x.wrapping_add(walk.step[0]);
            y = y.wrapping_add(walk.step[1]);
        }
        write_anywhere(row, inside.end..sampling.width_px);
    }
}

/// Some pixels of a row, wherever they lie.
#[inline(never)]
fn sample_anywhere<const BYTES: usize, const REPLICATE: bool>(
    frame: &Frame<'_>,
    walk: Walk,
    range: Range<usize>,
    [scale, low]: [f32; 2],
    row: &mut [f32],
) {
    let [mut x, mut y] = walk.place_of(range.start);
    for i in range {
        let steps = [x, y].map(to_steps);
        let levels = if REPLICATE && frame.width_px.min(frame.height_px) > 1 {
            nearest::<BYTES>(frame, steps)
        } else {
            anywhere::<BYTES, REPLICATE>(frame, steps)
        };
        write_pixel(row, i, levels, scale, low);
        x = x.saturating_add(walk.step[0]);
        y = y.saturating_add(walk.step[1]);
    }
}

/// Maps levels to the model's range and writes them. The fourth counts for nothing: the next pixel takes its place.
#[inline(always)]
fn write_pixel(row: &mut [f32], i: usize, levels: i32x4, scale: f32, low: f32) {
    let values = (f32x4::from_i32x4(levels) * scale + low).to_array();
    match row.get_mut(3 * i..3 * i + 4) {
        Some(pixel) => pixel.copy_from_slice(&values),
        None => row[3 * i..3 * i + 3].copy_from_slice(&values[..3]),
    }
}

/// Where the pixels of an output row read the frame, column and row in fixed point.
#[derive(Clone, Copy)]
struct Walk {
    start: [i64; 2],
    step: [i64; 2],
}

impl Walk {
    /// Where output pixel `i` of the row reads.
    fn place_of(&self, i: usize) -> [i64; 2] {
        [0, 1].map(|axis| self.start[axis].saturating_add(self.step[axis].saturating_mul(i as i64)))
    }

    /// Output pixels of which all four neighbours stand inside of the frame; none where coordinates are so large that
    /// computing with them could overflow.
    fn inside(&self, frame: &Frame<'_>, width_px: usize) -> Range<usize> {
        let sides = [frame.width_px, frame.height_px];
        let mut inside = 0..width_px as i64;
        for ((&start, &step), side) in self.start.iter().zip(&self.step).zip(sides) {
            // A coordinate in the frame needs 15 bits before the point.
            if start.unsigned_abs().max(step.unsigned_abs()) >> (WALK_BITS + 16) > 0 {
                return 0..0;
            }
            let end = (side as i64 - 1) << WALK_BITS;
            // How many steps it takes to go so far.
            let steps = |distance: i64| -(-distance).div_euclid(step.abs());
            let along = match step {
                0 if (0..end).contains(&start) => continue,
                0 => return 0..0,
                1.. => steps(-start)..steps(end - start),
                _ => steps(start - end + 1)..steps(start + 1),
            };
            inside = inside.start.max(along.start)..inside.end.min(along.end);
        }
        let start = inside.start.clamp(0, width_px as i64);
        start as usize..inside.end.clamp(start, width_px as i64) as usize
    }
}

/// A coordinate in fixed point; what is too far away or undefined ends up outside of the frame or at zero.
fn to_walk(coordinate: f64) -> i64 {
    (coordinate * (1_i64 << WALK_BITS) as f64).round() as i64
}

/// A walking coordinate in steps of 1/32 px, clamped to the range in which further sums cannot overflow.
fn to_steps(walk: i64) -> i32 {
    (walk >> (WALK_BITS - STEP_BITS)).clamp(i64::from(i32::MIN / 2), i64::from(i32::MAX / 2)) as i32
}

/// Two neighbouring pixels of a row, four values each; the fourth counts for nothing.
type Pair = u64;

/// The level at a place whose four neighbours stand inside of the frame, red first; the fourth value is any.
#[inline(always)]
fn within<const BYTES: usize>(frame: &Frame<'_>, [x_steps, y_steps]: [i32; 2]) -> i32x4 {
    let [column, row] = [x_steps, y_steps].map(|steps| steps >> STEP_BITS);
    let [right, lower] = [x_steps, y_steps].map(|steps| steps & (STEPS - 1));
    mean::<BYTES>(frame, [column, row], [right, lower])
}

/// The level at the place inside of the frame that is nearest, which is what repeating the pixels on the edge gives. The
/// frame has two columns and two rows.
#[inline(always)]
fn nearest<const BYTES: usize>(frame: &Frame<'_>, [x_steps, y_steps]: [i32; 2]) -> i32x4 {
    let split = |steps: i32, side_px: usize| {
        let last = side_px as i32 - 2;
        let steps = steps.clamp(0, (last + 1) << STEP_BITS);
        let index = (steps >> STEP_BITS).min(last);
        (index, steps - (index << STEP_BITS))
    };
    let ((column, right), (row, lower)) = (split(x_steps, frame.width_px), split(y_steps, frame.height_px));
    mean::<BYTES>(frame, [column, row], [right, lower])
}

/// The mean of a pixel and its neighbours right of it and below, all inside of the frame, by their weights in 1/32.
#[inline(always)]
fn mean<const BYTES: usize>(frame: &Frame<'_>, [column, row]: [i32; 2], weights: [i32; 2]) -> i32x4 {
    let start = row as usize * frame.stride + column as usize * BYTES;
    let pairs =
        [start, start + frame.stride].map(|start| pair::<BYTES>(&frame.pixels[start..start + 2 * BYTES]));
    blend(pairs, weights)
}

/// The level at any place.
#[inline(always)]
fn anywhere<const BYTES: usize, const REPLICATE: bool>(
    frame: &Frame<'_>,
    [x_steps, y_steps]: [i32; 2],
) -> i32x4 {
    let (column, row) = (x_steps >> STEP_BITS, y_steps >> STEP_BITS);
    let (width, height) = (frame.width_px as i32, frame.height_px as i32);
    let pixel = |column: i32, row: i32| {
        let inside = (0..width).contains(&column) && (0..height).contains(&row);
        if !(inside || REPLICATE) {
            return 0;
        }
        let (column, row) = (column.clamp(0, width - 1), row.clamp(0, height - 1));
        let start = row as usize * frame.stride + column as usize * BYTES;
        let mut bytes = [0; 4];
        bytes[..BYTES].copy_from_slice(&frame.pixels[start..start + BYTES]);
        u64::from(u32::from_le_bytes(bytes))
    };
    let pairs = [row, row + 1].map(|row| pixel(column, row) | pixel(column + 1, row) << 32);
    blend(pairs, [x_steps, y_steps].map(|steps| steps & (STEPS - 1)))
}

/// Two pixels from their bytes.
#[inline(always)]
fn pair<const BYTES: usize>(bytes: &[u8]) -> Pair {
    Pair::from_le_bytes(match *bytes {
        [a, b, c, d, e, f, g, h] => [a, b, c, d, e, f, g, h],
        [a, b, c, d, e, f] => [a, b, c, 0, d, e, f, 0],
        _ => unreachable!("a pair of pixels has six or eight bytes"),
    })
}

/// The weighted mean of four neighbours, rounded to 8 bits. Rows are mixed first, then columns; both are exact, a mix of
/// rows is at most 255 * 32 and so fits 16 bits, hence the order changes nothing.
#[inline(always)]
fn blend([upper_pair, lower_pair]: [Pair; 2], [right, lower]: [i32; 2]) -> i32x4 {
    let (left, upper) = (STEPS - right, STEPS - lower);
    // Every other byte of both pixels: red, blue, red, blue, and green and the fourth twice.
    let wide = |pair: Pair| -> i16x8 {
        bytemuck::cast(u64x2::new([pair, pair >> 8]) & u64x2::splat(0x00ff_00ff_00ff_00ff))
    };
    let rows = wide(upper_pair) * i16x8::splat(upper as i16) + wide(lower_pair) * i16x8::splat(lower as i16);
    let [r0, b0, r1, b1, g0, a0, g1, a1] = rows.to_array();
    let columns: i16x8 = bytemuck::cast(i32x4::splat(right << 16 | left));
    let sums = i16x8::new([r0, r1, g0, g1, b0, b1, a0, a1]).dot(columns);
    (sums + i32x4::splat(STEPS * STEPS / 2)) >> (2 * STEP_BITS as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x2 px; red counts 10, 20, .. 60, green is 100, blue is 255 - red.
    fn small_frame(format: PixelFormat) -> Vec<u8> {
        (1..=6)
            .flat_map(|n| {
                [n * 10, 100, 255 - n * 10, 7]
                    .into_iter()
                    .take(format.bytes_per_pixel())
            })
            .collect()
    }

    fn reds(
        format: PixelFormat,
        frame_from_output: [f32; 6],
        size: (usize, usize),
        border: Border,
    ) -> Vec<f32> {
        let pixels = small_frame(format);
        let frame = Frame::packed(&pixels, 3, 2, format).expect("a whole frame");
        let (width_px, height_px) = size;
        let sampling = Sampling {
            frame_from_output,
            width_px,
            height_px,
            range: [0.0, 255.0],
            border,
        };
        let mut out = vec![f32::NAN; width_px * height_px * 3];
        sample_region(&frame, &sampling, &mut out);
        out.chunks_exact(3).map(|rgb| rgb[0]).collect()
    }

    /// Map, size, border -> red channel, worked out by hand.
    #[test]
    fn regions_are_sampled_as_by_hand() {
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        type Case<'a> = (&'a str, [f32; 6], (usize, usize), Border, &'a [f32]);
        let cases: [Case; 8] = [
            (
                "identity",
                identity,
                (3, 2),
                Border::Zero,
                &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            ),
            (
                "half a pixel right",
                [1.0, 0.0, 0.5, 0.0, 1.0, 0.0],
                (2, 1),
                Border::Zero,
                &[15.0, 25.0],
            ),
            (
                "half a pixel down",
                [1.0, 0.0, 0.0, 0.0, 1.0, 0.5],
                (3, 1),
                Border::Zero,
                &[25.0, 35.0, 45.0],
            ),
            (
                "quarter turn",
                [0.0, 1.0, 0.0, -1.0, 0.0, 1.0],
                (2, 3),
                Border::Zero,
                &[40.0, 10.0, 50.0, 20.0, 60.0, 30.0],
            ),
            (
                "black beyond",
                [1.0, 0.0, -1.0, 0.0, 1.0, -1.0],
                (3, 2),
                Border::Zero,
                &[0.0, 0.0, 0.0, 0.0, 10.0, 20.0],
            ),
            (
                "black blends in",
                [1.0, 0.0, 2.5, 0.0, 1.0, 1.5],
                (1, 1),
                Border::Zero,
                &[15.0],
            ),
            (
                "edge repeats",
                [1.0, 0.0, -1.0, 0.0, 1.0, -1.0],
                (3, 2),
                Border::Replicate,
                &[10.0, 10.0, 20.0, 10.0, 10.0, 20.0],
            ),
            (
                "edge repeats far out",
                [1.0, 0.0, 2.5, 0.0, 1.0, 1e9],
                (1, 1),
                Border::Replicate,
                &[60.0],
            ),
        ];
        for (name, map, size, border, expected) in cases {
            for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
                assert_eq!(reds(format, map, size, border), expected, "{name}, {format:?}");
            }
        }
    }

    /// Rounding: coordinates to 1/32 px, values to whole numbers, halves up.
    /// Along rows that enter and leave the frame anywhere, also backwards and with steps that cannot be added up.
    #[test]
    fn every_way_of_sampling_gives_the_same() {
        let (width_px, height_px) = (23, 17);
        let pixels: Vec<u8> = (0..width_px * height_px * 4)
            .map(|index| ((index * 2_654_435_761) >> 5) as u8)
            .collect();
        let frame = Frame::packed(&pixels, width_px, height_px, PixelFormat::Rgba8).expect("a whole frame");
        let mut seed = 1_u64;
        let mut random = |low: f32, high: f32| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            low + (high - low) * (seed >> 40) as f32 / (1 << 24) as f32
        };
        let mut seen_inside = 0;
        for round in 0..2000 {
            let reach = [1.5, 4.0, 40.0, 1e12][round % 4];
            let whole = |value: f32| if round % 3 == 0 { value.round() } else { value };
            let sampling = Sampling {
                frame_from_output: [
                    whole(random(-reach, reach)),
                    random(-2.0, 2.0),
                    whole(random(-10.0, 30.0)),
                    whole(random(-reach, reach)),
                    random(-2.0, 2.0),
                    whole(random(-10.0, 30.0)),
                ],
                width_px: 31,
                height_px: 3,
                range: [0.0, 255.0],
                border: if round % 2 == 0 {
                    Border::Zero
                } else {
                    Border::Replicate
                },
            };
            let mut actual = vec![f32::NAN; 31 * 3 * 3];
            sample_region(&frame, &sampling, &mut actual);
            let m = sampling.frame_from_output.map(f64::from);
            for (j, row) in actual.chunks_exact(31 * 3).enumerate() {
                let half_step = 1 << (WALK_BITS - STEP_BITS - 1);
                let walk = Walk {
                    start: [m[1] * j as f64 + m[2], m[4] * j as f64 + m[5]]
                        .map(|coordinate| to_walk(coordinate).saturating_add(half_step)),
                    step: [to_walk(m[0]), to_walk(m[3])],
                };
                seen_inside += walk.inside(&frame, 31).len();
                for (i, rgb) in row.chunks_exact(3).enumerate() {
                    let steps = walk.place_of(i).map(to_steps);
                    let levels = match sampling.border {
                        Border::Zero => anywhere::<4, false>(&frame, steps),
                        Border::Replicate => anywhere::<4, true>(&frame, steps),
                    };
                    let expected = levels.to_array().map(|level| level as f32);
                    assert_eq!(rgb, &expected[..3], "pixel {i} of row {j} of {sampling:?}");
                }
            }
        }
        assert!(seen_inside > 5000, "only {seen_inside} pixels were inside");
    }

    #[test]
    fn coordinates_and_values_are_rounded() {
        for (x, expected) in [
            (0.04, 10.0),
            (0.05, 11.0),
            (1.0 / 64.0, 10.0),
            (0.9, 19.0),
            (1.999, 30.0),
        ] {
            let found = reds(
                PixelFormat::Rgb8,
                [0.0, 0.0, x, 0.0, 0.0, 0.0],
                (1, 1),
                Border::Zero,
            );
            assert_eq!(found, [expected], "x = {x}");
        }
    }

    #[test]
    fn ranges_map_black_and_white() {
        let pixels = [0, 255, 51];
        let frame = Frame::packed(&pixels, 1, 1, PixelFormat::Rgb8).expect("a whole frame");
        for (range, expected) in [([-1.0, 1.0], [-1.0, 1.0, -0.6]), ([0.0, 1.0], [0.0, 1.0, 0.2])] {
            let sampling = Sampling {
                frame_from_output: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
                width_px: 1,
                height_px: 1,
                range,
                border: Border::Zero,
            };
            let mut out = [0.0; 3];
            sample_region(&frame, &sampling, &mut out);
            assert!(
                out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
                "{out:?}"
            );
        }
    }

    #[test]
    fn rows_may_lie_apart() {
        let pixels: Vec<u8> =
            [[1, 1, 1, 2, 2, 2, 99, 99], [3, 3, 3, 4, 4, 4, 99, 99]].concat()[..14].to_vec();
        let frame = Frame::new(&pixels, 2, 2, 8, PixelFormat::Rgb8).expect("the last row needs no gap");
        let sampling = Sampling {
            frame_from_output: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            width_px: 2,
            height_px: 2,
            range: [0.0, 255.0],
            border: Border::Replicate,
        };
        let mut out = [0.0; 12];
        sample_region(&frame, &sampling, &mut out);
        assert_eq!(out, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0]);
    }

    #[test]
    fn undefined_maps_read_something_without_panic() {
        for value in [f32::NAN, f32::INFINITY, f32::MIN, 1e20] {
            assert_eq!(
                reds(PixelFormat::Rgba8, [value; 6], (2, 2), Border::Replicate).len(),
                4
            );
            assert_eq!(reds(PixelFormat::Rgb8, [value; 6], (2, 2), Border::Zero).len(), 4);
        }
    }

    #[test]
    fn slices_that_are_no_frame_are_refused() {
        let pixels = [0; 24];
        let new =
            |width, height, stride| Frame::new(&pixels, width, height, stride, PixelFormat::Rgba8).err();
        for (found, expected) in [
            (
                new(0, 5, 0),
                Some(FrameError::Empty {
                    width_px: 0,
                    height_px: 5,
                }),
            ),
            (
                new(5, 0, 20),
                Some(FrameError::Empty {
                    width_px: 5,
                    height_px: 0,
                }),
            ),
            (
                new(40_000, 1, 160_000),
                Some(FrameError::TooLarge {
                    width_px: 40_000,
                    height_px: 1,
                }),
            ),
            (
                new(3, 2, 8),
                Some(FrameError::StrideTooShort {
                    stride: 8,
                    needed: 12,
                }),
            ),
            (
                new(3, 2, 16),
                Some(FrameError::SliceTooShort { len: 24, needed: 28 }),
            ),
            (
                new(3, 2, usize::MAX),
                Some(FrameError::SliceTooShort {
                    len: 24,
                    needed: usize::MAX,
                }),
            ),
            (new(3, 2, 12), None),
        ] {
            assert_eq!(found, expected);
        }
    }
}
