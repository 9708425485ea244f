//! A frame becomes the input of any model, as its manifest says: resized, its components in order, in the model's numbers.
//!
//! Geometry and types are [`plumbline_core::model_input`]'s. Pixels are computed with the integers of the libraries that
//! models are trained with, so that a frame becomes the very levels that it would become there:
//! - [`Interpolation::Bilinear`]: OpenCV's `resize` with `INTER_LINEAR` on 8 bits, weights of 11 bits;
//! - [`Interpolation::Antialiased`]: Pillow's `resize` with `BILINEAR`, weights of 22 bits, rounded to 8 bits between
//!   columns and rows;
//! - [`Interpolation::Warp`]: OpenCV's `warpAffine`, which the pose models' own crop is as well;
//! - [`Interpolation::Nearest`]: OpenCV's `resize` with `INTER_NEAREST`.
//!
//! `tests/reference/model_input.py` writes what these give.

use std::fmt;

use plumbline_core::geometry::ImageSize;
use plumbline_core::model_input::{
    ColourOrder, Interpolation, Layout, Placement, PlacementError, Preprocessing,
};
use plumbline_engine::image::{Border, Frame, Sampling, sample_region};

/// Why a frame did not become an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputError {
    /// The frame's sides do not go with the input's.
    Placement(PlacementError),
    /// The input holds another number of values than its size says.
    Length {
        /// Values that size and layout ask for.
        expected: usize,
        /// Values that are there.
        found: usize,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placement(error) => error.fmt(f),
            Self::Length { expected, found } => write!(
                f,
                "the model's input holds {found} values, the manifest's size asks for {expected}; correct width_px and \
                 height_px"
            ),
        }
    }
}

impl std::error::Error for InputError {}

/// Writes a frame into an input of `preprocessing`'s size and says where it stands in it.
///
/// # Errors
/// [`InputError`]; `input` is unchanged then.
pub fn write_input(
    frame: &Frame<'_>,
    preprocessing: &Preprocessing,
    layout: Layout,
    input: &mut [f32],
) -> Result<Placement, InputError> {
    let size = preprocessing.size;
    check_length(preprocessing, input)?;
    let image = ImageSize {
        width_px: frame.width_px() as u32,
        height_px: frame.height_px() as u32,
    };
    let placement = preprocessing.placement(image).map_err(InputError::Placement)?;
    let mut writer = Writer::new(preprocessing, layout, input);
    if preprocessing.interpolation == Interpolation::Warp {
        let frame_from_input = placement.image_from_model().rows();
        warp(frame, frame_from_input, Border::Zero, &mut writer);
        return Ok(placement);
    }
    writer.fill(preprocessing.border);
    let columns = visible(placement.left_px, placement.scaled.width_px, size.width_px);
    let rows = visible(placement.top_px, placement.scaled.height_px, size.height_px);
    match preprocessing.interpolation {
        Interpolation::Bilinear => bilinear(frame, &placement, columns, rows, &mut writer),
        Interpolation::Antialiased => antialiased(frame, &placement, columns, rows, &mut writer),
        Interpolation::Nearest | Interpolation::Warp => {
            nearest(frame, &placement, columns, rows, &mut writer);
        }
    }
    Ok(placement)
}

/// Writes the region of a frame that `frame_from_input` (rows of an affine map, from pixels of the input to those of the
/// frame) names, by OpenCV's `warpAffine`; how the manifest resizes whole pictures does not matter.
///
/// # Errors
/// [`InputError::Length`]; `input` is unchanged then.
pub fn write_region(
    frame: &Frame<'_>,
    frame_from_input: [f32; 6],
    border: Border,
    preprocessing: &Preprocessing,
    layout: Layout,
    input: &mut [f32],
) -> Result<(), InputError> {
    check_length(preprocessing, input)?;
    let mut writer = Writer::new(preprocessing, layout, input);
    warp(frame, frame_from_input, border, &mut writer);
    Ok(())
}

fn check_length(preprocessing: &Preprocessing, input: &[f32]) -> Result<(), InputError> {
    let size = preprocessing.size;
    let expected = (size.width_px as usize)
        .saturating_mul(size.height_px as usize)
        .saturating_mul(3);
    if input.len() != expected {
        return Err(InputError::Length {
            expected,
            found: input.len(),
        });
    }
    Ok(())
}

/// Columns or rows of the input that show the picture.
type Span = std::ops::Range<usize>;

fn visible(before: i64, scaled: u32, whole: u32) -> Span {
    let clamped = |place: i64| place.clamp(0, i64::from(whole)) as usize;
    clamped(before)..clamped(before.saturating_add(i64::from(scaled)))
}

/// Puts levels where the model expects its numbers.
struct Writer<'a> {
    input: &'a mut [f32],
    width: usize,
    /// From one pixel to the next, and from one component to the next.
    strides: [usize; 2],
    /// For each component of the input: which of red, green and blue, factor and summand.
    components: [(usize, f32, f32); 3],
}

impl<'a> Writer<'a> {
    fn new(preprocessing: &Preprocessing, layout: Layout, input: &'a mut [f32]) -> Self {
        let values = preprocessing.value_of_level();
        let size = preprocessing.size;
        Self {
            input,
            width: size.width_px as usize,
            strides: match layout {
                Layout::Nhwc => [3, 1],
                Layout::Nchw => [1, size.width_px as usize * size.height_px as usize],
            },
            components: [0, 1, 2].map(|component| {
                let (factor, summand) = values[component];
                let source = match preprocessing.colours {
                    ColourOrder::Rgb => component,
                    ColourOrder::Bgr => 2 - component,
                };
                (source, factor, summand)
            }),
        }
    }

    #[inline(always)]
    fn write(&mut self, column: usize, row: usize, rgb: [u8; 3]) {
        let start = (row * self.width + column) * self.strides[0];
        for (index, (source, factor, summand)) in self.components.into_iter().enumerate() {
            self.input[start + index * self.strides[1]] = f32::from(rgb[source]) * factor + summand;
        }
    }

    fn fill(&mut self, rgb: [u8; 3]) {
        let rows = self.input.len() / 3 / self.width.max(1);
        for row in 0..rows {
            for column in 0..self.width {
                self.write(column, row, rgb);
            }
        }
    }
}

/// A row of the frame and the bytes of a pixel.
fn row_of<'a>(frame: &Frame<'a>, y: usize) -> &'a [u8] {
    &frame.pixels()[y * frame.stride()..][..frame.width_px() * frame.format().bytes_per_pixel()]
}

/// What an output pixel is made of along one axis: a neighbour, the next one, and the weights of both.
#[derive(Clone, Copy)]
struct Pair {
    first: usize,
    second: usize,
    weights: [i32; 2],
}

/// OpenCV keeps weights with so many bits.
const PAIR_BITS: u32 = 11;

/// The pairs of a span, for an axis of `from` pixels that becomes one of `to`; `before` is where that begins.
fn pairs(from: usize, to: u32, before: i64, span: Span) -> Vec<Pair> {
    let scale = from as f64 / f64::from(to);
    span.map(|place| {
        let place = (place as i64 - before) as f64;
        let position = ((place + 0.5) * scale - 0.5) as f32;
        let floor = position.floor();
        let (first, share) = if floor < 0.0 {
            (0, 0.0)
        } else if floor as usize >= from - 1 {
            (from - 1, 0.0)
        } else {
            (floor as usize, position - floor)
        };
        let one = (1_i32 << PAIR_BITS) as f32;
        Pair {
            first,
            second: (first + 1).min(from - 1),
            weights: [1.0 - share, share].map(|weight| (weight * one).round_ties_even() as i32),
        }
    })
    .collect()
}

fn bilinear(frame: &Frame<'_>, placement: &Placement, columns: Span, rows: Span, writer: &mut Writer<'_>) {
    let bytes = frame.format().bytes_per_pixel();
    let across = pairs(
        frame.width_px(),
        placement.scaled.width_px,
        placement.left_px,
        columns.clone(),
    );
    let down = pairs(
        frame.height_px(),
        placement.scaled.height_px,
        placement.top_px,
        rows.clone(),
    );
    let line = |y: usize, sums: &mut Vec<[i32; 3]>| {
        let row = row_of(frame, y);
        sums.clear();
        sums.extend(across.iter().map(|pair| {
            let (first, second) = (&row[pair.first * bytes..], &row[pair.second * bytes..]);
            [0, 1, 2].map(|component| {
                i32::from(first[component]) * pair.weights[0] + i32::from(second[component]) * pair.weights[1]
            })
        }));
    };
    // The two lines that were summed last; neighbouring rows of the input mostly need the same ones.
    let mut lines = [(usize::MAX, Vec::new()), (usize::MAX, Vec::new())];
    for (row, pair) in rows.zip(&down) {
        if lines[0].0 != pair.first {
            lines.swap(0, 1);
        }
        if lines[0].0 != pair.first {
            line(pair.first, &mut lines[0].1);
            lines[0].0 = pair.first;
        }
        if lines[1].0 != pair.second {
            line(pair.second, &mut lines[1].1);
            lines[1].0 = pair.second;
        }
        let [(_, upper), (_, lower)] = &lines;
        for (column, (upper, lower)) in columns.clone().zip(upper.iter().zip(lower)) {
            let rgb = [0, 1, 2].map(|component| {
                // As OpenCV rounds it, which is not what the whole sum would be rounded to.
                let part = |sum: i32, weight: i32| (weight * (sum >> 4)) >> 16;
                let sum = part(upper[component], pair.weights[0]) + part(lower[component], pair.weights[1]);
                ((sum + 2) >> 2).clamp(0, 255) as u8
            });
            writer.write(column, row, rgb);
        }
    }
}

/// Pillow keeps weights with so many bits.
const TAP_BITS: u32 = 32 - 8 - 2;

/// What an output pixel is made of along one axis: neighbours from `first` on.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

fn taps(from: usize, to: u32, before: i64, span: Span) -> Vec<Taps> {
    let scale = from as f64 / f64::from(to);
    let support = scale.max(1.0);
    span.map(|place| {
        let center = ((place as i64 - before) as f64 + 0.5) * scale;
        let first = ((center - support + 0.5) as i64).max(0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let triangle = |x: usize| (1.0 - ((x as f64 - center + 0.5) / support).abs()).max(0.0);
        let weights: Vec<f64> = (first..end).map(triangle).collect();
        let sum: f64 = weights.iter().sum();
        let one = f64::from(1_u32 << TAP_BITS);
        Taps {
            first,
            weights: weights
                .iter()
                .map(|weight| (0.5 + weight / sum * one) as i32)
                .collect(),
        }
    })
    .collect()
}

/// The mean of levels that stand `stride` apart, rounded to 8 bits.
fn weigh(levels: &[u8], stride: usize, weights: &[i32]) -> u8 {
    let half = 1_i64 << (TAP_BITS - 1);
    let products = weights
        .iter()
        .zip(levels.iter().step_by(stride))
        .map(|(&weight, &level)| i64::from(weight) * i64::from(level));
    ((half + products.sum::<i64>()) >> TAP_BITS).clamp(0, 255) as u8
}

fn antialiased(frame: &Frame<'_>, placement: &Placement, columns: Span, rows: Span, writer: &mut Writer<'_>) {
    let bytes = frame.format().bytes_per_pixel();
    let across = taps(
        frame.width_px(),
        placement.scaled.width_px,
        placement.left_px,
        columns.clone(),
    );
    let down = taps(
        frame.height_px(),
        placement.scaled.height_px,
        placement.top_px,
        rows.clone(),
    );
    let Some(top) = down.iter().map(|taps| taps.first).min() else {
        return;
    };
    let bottom = down.iter().map(|taps| taps.first + taps.weights.len()).max();
    let line_len = columns.len() * 3;
    let mut lines = Vec::with_capacity((bottom.unwrap_or(top) - top) * line_len);
    for y in top..bottom.unwrap_or(top) {
        let row = row_of(frame, y);
        for taps in &across {
            for component in 0..3 {
                lines.push(weigh(
                    &row[taps.first * bytes + component..],
                    bytes,
                    &taps.weights,
                ));
            }
        }
    }
    for (row, taps) in rows.zip(&down) {
        let line = &lines[(taps.first - top) * line_len..];
        for (index, column) in columns.clone().enumerate() {
            let rgb =
                [0, 1, 2].map(|component| weigh(&line[index * 3 + component..], line_len, &taps.weights));
            writer.write(column, row, rgb);
        }
    }
}

fn nearest(frame: &Frame<'_>, placement: &Placement, columns: Span, rows: Span, writer: &mut Writer<'_>) {
    let bytes = frame.format().bytes_per_pixel();
    let source = |place: usize, before: i64, from: usize, to: u32| {
        let scale = from as f64 / f64::from(to);
        (((place as i64 - before) as f64 * scale) as usize).min(from - 1)
    };
    for row in rows {
        let y = source(
            row,
            placement.top_px,
            frame.height_px(),
            placement.scaled.height_px,
        );
        let line = row_of(frame, y);
        for column in columns.clone() {
            let x = source(
                column,
                placement.left_px,
                frame.width_px(),
                placement.scaled.width_px,
            );
            let pixel = &line[x * bytes..];
            writer.write(column, row, [pixel[0], pixel[1], pixel[2]]);
        }
    }
}

fn warp(frame: &Frame<'_>, frame_from_output: [f32; 6], border: Border, writer: &mut Writer<'_>) {
    let (width_px, height_px) = (writer.width, writer.input.len() / 3 / writer.width.max(1));
    let sampling = Sampling {
        frame_from_output,
        width_px,
        height_px,
        range: [0.0, 255.0],
        border,
    };
    let mut levels = vec![0.0; writer.input.len()];
    sample_region(frame, &sampling, &mut levels);
    for (index, rgb) in levels.chunks_exact(3).enumerate() {
        let rgb = [rgb[0], rgb[1], rgb[2]].map(|level| level.round() as u8);
        writer.write(index % width_px, index / width_px, rgb);
    }
}
