//! Elements by a common measure on the CPU: what the measure needs is taken as [`Reduce`](crate::ops::Reduce) takes it,
//! for a few lines at a time, and then each element is written.

use super::{Measure, Norm};
use crate::cpu::activation::exp_or_nothing;
use crate::error::ModelError;
use crate::ops::reduce::{Geometry, LANES};
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Norm {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        Ok(Box::new(Kernel {
            f: self.f,
            geometry: Geometry::new(node.operand(0).shape, &self.axes),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    f: Measure,
    geometry: Geometry,
}

/// What an element is moved and divided by, of each of a few lines.
type Lines = [f32; LANES];

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, out) = (operands.words(0).f32(), out.f32());
        if out.is_empty() {
            return;
        }
        let n_lines = out.len() / self.geometry.count;
        for first in (0..n_lines).step_by(LANES) {
            let lines = first..(first + LANES).min(n_lines);
            let n = lines.len();
            let add = |a: f32, b: f32| a + b;
            let max = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
            let (mut a, mut b): (Lines, Lines) = ([0.0; LANES], [0.0; LANES]);
            let count = self.geometry.count as f32;
            let geometry = &self.geometry;
            match self.f {
                Measure::Softmax => {
                    geometry.part(x, lines.clone(), &mut a[..n], f32::NEG_INFINITY, |x, _| x, max);
                    geometry.visit(lines.clone(), |place, line| {
                        out[place] = exp_or_nothing(x[place] - a[line])
                    });
                    geometry.part(out, lines.clone(), &mut b[..n], 0.0, |y, _| y, add);
                }
                Measure::LogSoftmax => {
                    geometry.part(x, lines.clone(), &mut a[..n], f32::NEG_INFINITY, |x, _| x, max);
                    geometry.part(
                        x,
                        lines.clone(),
                        &mut b[..n],
                        0.0,
                        |x, line| (x - a[line]).exp(),
                        add,
                    );
                    b.iter_mut().for_each(|sum| *sum = sum.ln());
                }
                Measure::Standard(epsilon) => {
                    geometry.part(x, lines.clone(), &mut a[..n], 0.0, |x, _| x, add);
                    a.iter_mut().for_each(|sum| *sum /= count);
                    let square = |x: f32, line: usize| (x - a[line]) * (x - a[line]);
                    geometry.part(x, lines.clone(), &mut b[..n], 0.0, square, add);
                    b.iter_mut()
                        .for_each(|sum| *sum = (*sum / count + epsilon).sqrt());
                }
                Measure::RootMeanSquare(epsilon) => {
                    geometry.part(x, lines.clone(), &mut b[..n], 0.0, |x, _| x * x, add);
                    b.iter_mut()
                        .for_each(|sum| *sum = (*sum / count + epsilon).sqrt());
                }
                Measure::L1 => geometry.part(x, lines.clone(), &mut b[..n], 0.0, |x, _| x.abs(), add),
                Measure::L2 => {
                    geometry.part(x, lines.clone(), &mut b[..n], 0.0, |x, _| x * x, add);
                    b.iter_mut().for_each(|sum| *sum = sum.sqrt());
                }
            }
            match self.f {
                Measure::Softmax => geometry.visit(lines, |place, line| out[place] /= b[line]),
                Measure::LogSoftmax => {
                    geometry.visit(lines, |place, line| out[place] = x[place] - a[line] - b[line]);
                }
                Measure::Standard(_) | Measure::RootMeanSquare(_) => {
                    geometry.visit(lines, |place, line| out[place] = (x[place] - a[line]) / b[line]);
                }
                Measure::L1 | Measure::L2 => geometry.visit(lines, |place, line| {
                    out[place] = if b[line] == 0.0 { 0.0 } else { x[place] / b[line] };
                }),
            }
        }
    }
}
