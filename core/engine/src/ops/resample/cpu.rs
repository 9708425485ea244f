//! Weighted sums along an axis on the CPU: what lies behind the axis is one run.

use super::Resample;
use crate::error::ModelError;
use crate::ops::arg_reduce::Lines;
use crate::ops::gather::place;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Resample {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let taps = node.operand(1).shape;
        Ok(Box::new(Kernel {
            lines: Lines::new(node.operand(0).shape, self.axis),
            taps: taps.last().copied().unwrap_or(0),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    lines: Lines,
    taps: usize,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, out) = (operands.words(0).f32(), out.f32());
        let (places, weights) = (operands.words(1).i32(), operands.words(2).f32());
        let Lines { outer, size, inner } = self.lines;
        if out.is_empty() {
            return;
        }
        let results = out.len() / (outer * inner);
        for (block, out) in out.chunks_exact_mut(results * inner).enumerate() {
            let x = &x[block * size * inner..][..size * inner];
            for (result, out) in out.chunks_exact_mut(inner).enumerate() {
                let taps = result * self.taps..(result + 1) * self.taps;
                out.fill(0.0);
                for (&at, &weight) in places[taps.clone()].iter().zip(&weights[taps]) {
                    let x = &x[place(at.into(), size) * inner..][..inner];
                    out.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
                }
            }
        }
    }
}
