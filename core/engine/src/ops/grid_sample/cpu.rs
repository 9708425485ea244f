//! Images at places between elements on the CPU: for each place the elements along each axis, and then all channels of each
//! pixel that they make.

use super::GridSample;
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for GridSample {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0).shape;
        let inner = x.len() - 1;
        Ok(Box::new(Kernel {
            op: *self,
            sizes: x[1..inner].to_vec(),
            channels: x[inner],
            outputs: element_count(&node.result().shape[1..inner]),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    op: GridSample,
    /// Of the axes between batch and channels.
    sizes: Shape,
    channels: usize,
    /// Pixels of a result.
    outputs: usize,
}

/// The elements along an axis: each with its weight, `None` for zero.
type Taps = [(Option<usize>, f32); 4];

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, grid, out) = (operands.words(0).f32(), operands.words(1).f32(), out.f32());
        if out.is_empty() {
            return;
        }
        let (n, taps) = (self.sizes.len(), self.op.between.taps());
        let pixels = out.chunks_exact_mut(self.channels).zip(grid.chunks_exact(n));
        for (pixel, (out, grid)) in pixels.enumerate() {
            let mut axes: [Taps; 3] = [[(None, 0.0); 4]; 3];
            for (axis, found) in axes[..n].iter_mut().enumerate() {
                let size = self.sizes[axis];
                let place = self.op.place(grid[n - 1 - axis], size);
                let first = place.floor();
                let weights = self.op.between.weights(place - first);
                for (tap, found) in found[..taps].iter_mut().enumerate() {
                    let at = first as isize - self.op.between.before() + tap as isize;
                    *found = (self.op.source(at, size), weights[tap]);
                }
            }
            out.fill(0.0);
            for combination in 0..taps.pow(n as u32) {
                let (mut rest, mut weight, mut source) = (combination, 1.0, Some(pixel / self.outputs));
                for (axis, found) in axes[..n].iter().enumerate() {
                    let (own, own_weight) = found[rest % taps];
                    rest /= taps;
                    weight *= own_weight;
                    source = source
                        .zip(own)
                        .map(|(source, own)| source * self.sizes[axis] + own);
                }
                if let Some(source) = source {
                    let x = &x[source * self.channels..][..self.channels];
                    out.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
                }
            }
        }
    }
}
