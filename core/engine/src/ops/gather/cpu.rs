//! Elements at places that another tensor says, on the CPU: a run at one index is copied, others are read one by one.

use super::{Gather, place};
use crate::error::ModelError;
use crate::ops::strides::Loops;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Gather {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let (x, indices) = (node.operand(0).shape, node.operand(1).shape);
        Ok(Box::new(Kernel {
            loops: self.loops(x, indices),
            size: x[self.axis],
            step: self.step(x),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    loops: Loops<2>,
    /// Of the axis.
    size: usize,
    /// Between neighbours along it.
    step: usize,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        // Whatever the words hold, their bits move.
        let (x, indices, out) = (operands.words(0).u32(), operands.words(1).i32(), out.u32());
        let innermost = self.loops.innermost();
        let (len, [of_indices, of_x]) = (innermost.size, innermost.strides.map(isize::unsigned_abs));
        for (run, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
            let [at, at_x] = self.loops.starts(run);
            let start = |index: i32| at_x + place(index.into(), self.size) * self.step;
            if (of_indices, of_x) == (0, 1) {
                let start = start(indices[at]);
                out.copy_from_slice(&x[start..start + len]);
            } else {
                for (step, out) in out.iter_mut().enumerate() {
                    *out = x[start(indices[at + step * of_indices]) + step * of_x];
                }
            }
        }
    }
}
