//! Elements by those near them on the CPU: squares are added for all elements of a line at once, whichever axis it is.

use super::LocalNorm;
use crate::error::ModelError;
use crate::ops::arg_reduce::Lines;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for LocalNorm {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        Ok(Box::new(Kernel {
            norm: *self,
            lines: Lines::new(node.operand(0).shape, self.axis),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    norm: LocalNorm,
    lines: Lines,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, out) = (operands.words(0).f32(), out.f32());
        let Lines { size, inner, .. } = self.lines;
        let block = (size * inner).max(1);
        let [before, behind] = self.norm.reach().map(|reach| reach.min(size.saturating_sub(1)));
        let (scale, bias) = (self.norm.scale(), self.norm.bias);
        for (x, out) in x.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
            for (y, x) in out.iter_mut().zip(x) {
                *y = x * x;
            }
            let add = |out: &mut [f32], x: &[f32]| {
                out.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * x);
            };
            // Neighbours at a distance are as far apart for all elements.
            (1..=before).for_each(|distance| add(&mut out[distance * inner..], x));
            (1..=behind).for_each(|distance| add(out, &x[distance * inner..]));
            let pairs = out.iter_mut().zip(x);
            let base = |sum: f32| bias + scale * sum;
            match self.norm.beta {
                0.5 => pairs.for_each(|(y, x)| *y = x / base(*y).sqrt()),
                // A root of a root: half of the time of a power.
                0.75 => pairs.for_each(|(y, x)| {
                    let root = base(*y).sqrt();
                    *y = x / (root * root.sqrt());
                }),
                1.0 => pairs.for_each(|(y, x)| *y = x / base(*y)),
                beta => pairs.for_each(|(y, x)| *y = x / base(*y).powf(beta)),
            }
        }
    }
}
