//! One number of many on the CPU.
//!
//! Sums are taken in halves (pairwise summation; Higham, *Accuracy and Stability of Numerical Algorithms*, section 4.2):
//! the error grows with the logarithm of how many are added, and parts of [`PART`] steps are vectors. Elements that lie
//! one behind the other are added in lanes where the axes end in memory, and side by side for neighbouring results where
//! they do not.

use std::ops::Range;

use super::{Fold, Geometry, Reduce};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

/// Numbers that are added side by side.
pub(in crate::ops) const LANES: usize = 16;

/// Steps that are added one after the other.
const PART: usize = 64;

impl OnCpu for Reduce {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0);
        Ok(Box::new(Kernel {
            f: self.f,
            element: x.element,
            geometry: Geometry::new(x.shape, &self.axes),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    f: Fold,
    element: Element,
    geometry: Geometry,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        match self.element {
            Element::F32 => self.floats(x.f32(), out.f32()),
            Element::I32 => self.integers(x.i32(), out.i32()),
            Element::U32 | Element::Bool => {
                let greatest = match self.element {
                    Element::Bool => 1,
                    _ => u32::MAX,
                };
                match self.f {
                    Fold::Max => self.geometry.fold(x.u32(), out.u32(), 0, |x, _| x, u32::max),
                    Fold::Min => self
                        .geometry
                        .fold(x.u32(), out.u32(), greatest, |x, _| x, u32::min),
                    _ => unreachable!("`infer` takes no other number of these"),
                }
            }
        }
    }
}

impl Kernel {
    fn floats(&self, x: &[f32], out: &mut [f32]) {
        let geometry = &self.geometry;
        let max = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
        let min = |a: f32, b: f32| if a < b || a.is_nan() { a } else { b };
        let add = |a: f32, b: f32| a + b;
        match self.f {
            Fold::Sum | Fold::Mean | Fold::LogSum => geometry.fold(x, out, 0.0, |x, _| x, add),
            Fold::Max => geometry.fold(x, out, f32::NEG_INFINITY, |x, _| x, max),
            Fold::Min => geometry.fold(x, out, f32::INFINITY, |x, _| x, min),
            Fold::Prod => geometry.fold(x, out, 1.0, |x, _| x, |a, b| a * b),
            Fold::L1 => geometry.fold(x, out, 0.0, |x, _| x.abs(), add),
            Fold::L2 | Fold::SumSquare => geometry.fold(x, out, 0.0, |x, _| x * x, add),
            Fold::LogSumExp => return self.log_sum_exp(x, out),
        }
        match self.f {
            Fold::Mean => {
                let count = geometry.count as f32;
                out.iter_mut().for_each(|y| *y /= count);
            }
            Fold::L2 => out.iter_mut().for_each(|y| *y = y.sqrt()),
            Fold::LogSum => out.iter_mut().for_each(|y| *y = y.ln()),
            _ => {}
        }
    }

    /// The greatest element is taken out, so that no exponential overflows.
    fn log_sum_exp(&self, x: &[f32], out: &mut [f32]) {
        let max = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
        self.geometry.fold(x, out, f32::NEG_INFINITY, |x, _| x, max);
        // A few results at a time, whose greatest elements are kept aside.
        let mut greatest = [0.0; LANES];
        let mut sums = [0.0; LANES];
        for first in (0..out.len()).step_by(LANES) {
            let results = first..(first + LANES).min(out.len());
            let (greatest, sums) = (&mut greatest[..results.len()], &mut sums[..results.len()]);
            greatest.copy_from_slice(&out[results.clone()]);
            let exp = |x: f32, lane: usize| (x - greatest[lane]).exp();
            self.geometry
                .part(x, results.clone(), sums, 0.0, exp, |a, b| a + b);
            for ((y, &greatest), &sum) in out[results].iter_mut().zip(&*greatest).zip(&*sums) {
                *y = if greatest.is_infinite() {
                    greatest
                } else {
                    greatest + sum.ln()
                };
            }
        }
    }

    fn integers(&self, x: &[i32], out: &mut [i32]) {
        let geometry = &self.geometry;
        match self.f {
            Fold::Sum => geometry.fold(x, out, 0, |x, _| x, i32::wrapping_add),
            Fold::Max => geometry.fold(x, out, i32::MIN, |x, _| x, i32::max),
            Fold::Min => geometry.fold(x, out, i32::MAX, |x, _| x, i32::min),
            Fold::Prod => geometry.fold(x, out, 1, |x, _| x, i32::wrapping_mul),
            Fold::L1 => geometry.fold(x, out, 0, |x, _| x.wrapping_abs(), i32::wrapping_add),
            Fold::SumSquare => geometry.fold(x, out, 0, |x, _| x.wrapping_mul(x), i32::wrapping_add),
            Fold::Mean | Fold::L2 | Fold::LogSum | Fold::LogSumExp => {
                unreachable!("`infer` takes no such number of integers")
            }
        }
    }
}

impl Geometry {
    /// All results. What `map` makes of each element is put together by `combine`.
    #[inline(always)]
    fn fold<T: Copy>(
        &self,
        x: &[T],
        out: &mut [T],
        none: T,
        map: impl Fn(T, usize) -> T,
        combine: impl Fn(T, T) -> T,
    ) {
        for (number, out) in out.chunks_mut(LANES).enumerate() {
            let first = number * LANES;
            self.part(x, first..first + out.len(), out, none, &map, &combine);
        }
    }

    /// Some neighbouring results, at most [`LANES`]; `map` is told which of them.
    #[inline(always)]
    pub fn part<T: Copy>(
        &self,
        x: &[T],
        results: Range<usize>,
        out: &mut [T],
        none: T,
        map: impl Fn(T, usize) -> T,
        combine: impl Fn(T, T) -> T,
    ) {
        let innermost = self.along.innermost();
        let is_row = innermost.strides == [1] && innermost.size > 1;
        let starts = results.map(|result| self.kept.at(result)[0]);
        if is_row {
            let n_runs = self.count / innermost.size;
            for (lane, (out, start)) in out.iter_mut().zip(starts).enumerate() {
                let row = |run: usize| {
                    let first = start + self.along.starts(run)[0];
                    sum_row(
                        &x[first..first + innermost.size],
                        none,
                        |x| map(x, lane),
                        &combine,
                    )
                };
                let rows = |runs: Range<usize>| [runs.fold(none, |sum, run| combine(sum, row(run)))];
                [*out] = in_halves(0..n_runs, &rows, &combine);
            }
            return;
        }
        let mut begins = [0; LANES];
        begins
            .iter_mut()
            .zip(starts)
            .for_each(|(begin, start)| *begin = start);
        let is_dense = out.len() == LANES && begins.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let columns = |steps: Range<usize>| {
            let mut sums = [none; LANES];
            for step in steps {
                let place = self.along.at(step)[0];
                if is_dense {
                    let first = begins[0] + place;
                    for (lane, (sum, &x)) in sums.iter_mut().zip(&x[first..first + LANES]).enumerate() {
                        *sum = combine(*sum, map(x, lane));
                    }
                } else {
                    for (lane, (sum, begin)) in sums.iter_mut().zip(begins).take(out.len()).enumerate() {
                        *sum = combine(*sum, map(x[begin + place], lane));
                    }
                }
            }
            sums
        };
        let sums = in_halves(0..self.count, &columns, &combine);
        out.copy_from_slice(&sums[..out.len()]);
    }

    /// The places of some neighbouring lines, at most [`LANES`], each with which of them it belongs to.
    #[inline(always)]
    pub fn visit(&self, lines: Range<usize>, mut visit: impl FnMut(usize, usize)) {
        let innermost = self.along.innermost();
        let mut begins = [0; LANES];
        let n_lines = lines.len();
        let starts = lines.map(|line| self.kept.at(line)[0]);
        begins
            .iter_mut()
            .zip(starts)
            .for_each(|(begin, start)| *begin = start);
        let begins = &begins[..n_lines];
        if innermost.strides == [1] && innermost.size > 1 {
            for (line, begin) in begins.iter().enumerate() {
                for run in 0..self.count / innermost.size {
                    let first = begin + self.along.starts(run)[0];
                    (first..first + innermost.size).for_each(|place| visit(place, line));
                }
            }
            return;
        }
        for step in 0..self.count {
            let along = self.along.at(step)[0];
            for (line, begin) in begins.iter().enumerate() {
                visit(begin + along, line);
            }
        }
    }
}

/// What `part` gives for parts of at most [`PART`] steps, put together in halves.
#[inline(always)]
fn in_halves<T: Copy, const N: usize>(
    steps: Range<usize>,
    part: &impl Fn(Range<usize>) -> [T; N],
    combine: &impl Fn(T, T) -> T,
) -> [T; N] {
    // The two are one function in two: only one that does not call itself is made part of a loop.
    if steps.len() <= PART {
        part(steps)
    } else {
        halves(steps, part, combine)
    }
}

fn halves<T: Copy, const N: usize>(
    steps: Range<usize>,
    part: &impl Fn(Range<usize>) -> [T; N],
    combine: &impl Fn(T, T) -> T,
) -> [T; N] {
    if steps.len() <= PART {
        return part(steps);
    }
    let middle = steps.start + steps.len() / 2;
    let mut sums = halves(steps.start..middle, part, combine);
    let others = halves(middle..steps.end, part, combine);
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum = combine(*sum, other);
    }
    sums
}

/// Of elements that lie one behind the other.
#[inline(always)]
fn sum_row<T: Copy>(x: &[T], none: T, map: impl Fn(T) -> T, combine: &impl Fn(T, T) -> T) -> T {
    let (vectors, rest) = x.as_chunks::<LANES>();
    let part = |steps: Range<usize>| {
        let mut sums = [none; LANES];
        for vector in &vectors[steps] {
            for (sum, &x) in sums.iter_mut().zip(vector) {
                *sum = combine(*sum, map(x));
            }
        }
        sums
    };
    let mut sums = in_halves(0..vectors.len(), &part, combine);
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum = combine(*sum, map(x));
    }
    let mut lanes = LANES;
    while lanes > 1 {
        lanes /= 2;
        for lane in 0..lanes {
            sums[lane] = combine(sums[lane], sums[lane + lanes]);
        }
    }
    sums[0]
}
