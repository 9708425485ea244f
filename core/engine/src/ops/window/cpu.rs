//! Windows on the CPU: a row of results at a time, to which each element of the windows is added for all of them.
//!
//! The row lies along the last axis that has windows, and what lies behind that axis is one run: channels where they lie
//! last.

use std::ops::Range;

use super::{Pool, Slide, Window};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::element_count;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Window {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0);
        let mut slides = self.slides.iter().zip(x.shape);
        let moving = slides.rposition(|(slide, &size)| !slide.is_still(size));
        let row = match (&self.f, moving) {
            // Places are found one by one.
            (Pool::MaxPlace { .. }, _) => self.slides.len(),
            (_, Some(axis)) => axis,
            (_, None) => 0,
        };
        let border_counts = matches!(self.f, Pool::Average { border_counts: true });
        let along = |axis: usize| {
            let step = match &self.f {
                Pool::MaxPlace { steps } => steps[axis],
                _ => 0,
            };
            let inner = element_count(&x.shape[axis + 1..]);
            Along::new(self.slides[axis], x.shape[axis], inner, step, border_counts)
        };
        let (slide, size) = match self.slides.get(row) {
            Some(&slide) => (slide, x.shape[row]),
            None => (Slide::still(1), 1),
        };
        // Elements further on lie behind the axis, whatever the window.
        let reach = slide.window.min((size + slide.before) / slide.dilation + 1);
        Ok(Box::new(Kernel {
            f: self.f.clone(),
            element: x.element,
            outer: (0..row.min(self.slides.len())).rev().map(along).collect(),
            taps: (0..reach).filter_map(|tap| Tap::new(slide, tap, size)).collect(),
            counts: (0..slide.count)
                .map(|output| counted(slide, output, size, border_counts) as f32)
                .collect(),
            stride: slide.stride,
            inner: x.shape.get(row + 1..).map_or(1, element_count),
        }))
    }
}

/// How many elements of a window count along an axis.
fn counted(slide: Slide, output: usize, size: usize, border_counts: bool) -> usize {
    let end = if border_counts { size + slide.after } else { size };
    slide.taps(output, end, border_counts).len()
}

/// The windows along an axis before the row's.
#[derive(Debug)]
struct Along {
    /// For each window, which elements of the axis it covers: the first and how many.
    covered: Vec<(usize, usize)>,
    /// For each window, how many elements count.
    counts: Vec<f32>,
    /// From one element of a window to the next.
    dilation: usize,
    /// Between neighbours along the axis.
    inner: usize,
    /// What a step counts for a place.
    step: usize,
}

impl Along {
    fn new(slide: Slide, size: usize, inner: usize, step: usize, border_counts: bool) -> Self {
        let outputs = 0..slide.count;
        let covered = |output: usize| {
            let taps = slide.taps(output, size, false);
            (slide.place(output, taps.start).max(0) as usize, taps.len())
        };
        Self {
            covered: outputs.clone().map(covered).collect(),
            counts: outputs
                .map(|output| counted(slide, output, size, border_counts) as f32)
                .collect(),
            dilation: slide.dilation,
            inner,
            step,
        }
    }
}

/// One element of each window of a row.
#[derive(Debug)]
struct Tap {
    /// The windows in which it lies on the axis.
    outputs: Range<usize>,
    /// Where it lies in the first of them.
    first: usize,
}

impl Tap {
    fn new(slide: Slide, tap: usize, size: usize) -> Option<Self> {
        let reach = tap * slide.dilation;
        let start = slide.before.saturating_sub(reach).div_ceil(slide.stride);
        // Windows whose element lies before the end.
        let end = (size + slide.before).saturating_sub(reach).div_ceil(slide.stride);
        let outputs = start..end.min(slide.count);
        let first = slide.place(start, tap);
        (!outputs.is_empty()).then_some(Self {
            outputs,
            first: first.unsigned_abs(),
        })
    }
}

#[derive(Debug)]
struct Kernel {
    f: Pool,
    element: Element,
    /// The axes before the row's, the innermost first.
    outer: Vec<Along>,
    taps: Vec<Tap>,
    /// For each window of a row, how many elements count along it.
    counts: Vec<f32>,
    stride: usize,
    /// Elements that lie behind the row's axis.
    inner: usize,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        if let Pool::MaxPlace { .. } = self.f {
            return match self.element {
                Element::F32 => self.places(x.f32(), out.i32(), |x, best| {
                    x > best || (x.is_nan() && !best.is_nan())
                }),
                Element::I32 => self.places(x.i32(), out.i32(), |x, best| x > best),
                Element::U32 | Element::Bool => self.places(x.u32(), out.i32(), |x, best| x > best),
            };
        }
        match (&self.f, self.element) {
            (_, Element::I32) => self.rows(x.i32(), out.i32(), i32::MIN, i32::max),
            (_, Element::U32 | Element::Bool) => self.rows(x.u32(), out.u32(), 0, u32::max),
            (Pool::Max | Pool::MaxPlace { .. }, _) => {
                let max = |best: f32, x: f32| if best > x || best.is_nan() { best } else { x };
                self.rows(x.f32(), out.f32(), f32::NEG_INFINITY, max);
            }
            (Pool::Average { .. }, _) => {
                let out = out.f32();
                self.rows(x.f32(), out, 0.0, |sum, x| sum + x);
                self.divide(out);
            }
            (&Pool::Power(p), _) => {
                let out = out.f32();
                let roots = |out: &mut [f32], root: &dyn Fn(f32) -> f32| {
                    out.iter_mut().for_each(|y| *y = root(*y));
                };
                if p == 1.0 {
                    self.rows(x.f32(), out, 0.0, |sum, x| sum + x.abs());
                } else if p == 2.0 {
                    self.rows(x.f32(), out, 0.0, |sum, x| sum + x * x);
                    roots(out, &f32::sqrt);
                } else {
                    self.rows(x.f32(), out, 0.0, |sum, x| sum + x.abs().powf(p));
                    roots(out, &|sum| sum.powf(1.0 / p));
                }
            }
        }
    }
}

impl Kernel {
    /// How many elements the windows of a row cover before it, and with what their counts multiply.
    fn covered(&self, row: usize) -> (usize, f32) {
        let (mut rest, mut combinations, mut counts) = (row, 1, 1.0);
        for along in &self.outer {
            let output = rest % along.covered.len();
            rest /= along.covered.len();
            combinations *= along.covered[output].1;
            counts *= along.counts[output];
        }
        (combinations, counts)
    }

    /// Where element number `combination` before the row begins in x, and what its place counts.
    fn start(&self, row: usize, combination: usize) -> (usize, usize) {
        let (mut rest, mut which) = (row, combination);
        let (mut start, mut place) = (0, 0);
        for along in &self.outer {
            let (first, count) = along.covered[rest % along.covered.len()];
            rest /= along.covered.len();
            let at = first + which % count * along.dilation;
            which /= count;
            start += at * along.inner;
            place += at * along.step;
        }
        (start, place)
    }

    fn rows<T: Copy>(&self, x: &[T], out: &mut [T], start: T, combine: impl Fn(T, T) -> T) {
        out.fill(start);
        let inner = self.inner;
        for (row, out) in out
            .chunks_exact_mut((self.counts.len() * inner).max(1))
            .enumerate()
        {
            for combination in 0..self.covered(row).0 {
                let x = &x[self.start(row, combination).0..];
                for tap in &self.taps {
                    let out = &mut out[tap.outputs.start * inner..tap.outputs.end * inner];
                    let x = &x[tap.first * inner..];
                    if self.stride == 1 {
                        let pairs = out.iter_mut().zip(x);
                        pairs.for_each(|(y, &x)| *y = combine(*y, x));
                    } else if inner == 1 {
                        let pairs = out.iter_mut().zip(x.iter().step_by(self.stride));
                        pairs.for_each(|(y, &x)| *y = combine(*y, x));
                    } else {
                        for (window, out) in out.chunks_exact_mut(inner).enumerate() {
                            let x = &x[window * self.stride * inner..][..inner];
                            let pairs = out.iter_mut().zip(x);
                            pairs.for_each(|(y, &x)| *y = combine(*y, x));
                        }
                    }
                }
            }
        }
    }

    fn divide(&self, out: &mut [f32]) {
        let inner = self.inner.max(1);
        for (row, out) in out
            .chunks_exact_mut((self.counts.len() * inner).max(1))
            .enumerate()
        {
            let (_, before) = self.covered(row);
            for (out, count) in out.chunks_exact_mut(inner).zip(&self.counts) {
                out.iter_mut().for_each(|sum| *sum /= before * count);
            }
        }
    }

    /// All axes lie before the row, which is one element.
    fn places<T: Copy>(&self, x: &[T], out: &mut [i32], is_better: impl Fn(T, T) -> bool) {
        for (row, out) in out.iter_mut().enumerate() {
            let (start, place) = self.start(row, 0);
            let mut best = (x[start], place);
            for combination in 1..self.covered(row).0 {
                let (start, place) = self.start(row, combination);
                if is_better(x[start], best.0) {
                    best = (x[start], place);
                }
            }
            *out = best.1 as i32;
        }
    }
}
