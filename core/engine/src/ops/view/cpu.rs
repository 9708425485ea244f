//! A view on the CPU: runs that lie as they are read are copied, others are gathered.

use super::View;
use crate::error::ModelError;
use crate::ops::strides::Loops;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for View {
    fn prepare(&self, _node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        Ok(Box::new(Kernel { loops: self.loops() }))
    }
}

#[derive(Debug)]
struct Kernel {
    loops: Loops<1>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        // Whatever the words hold, their bits move.
        let (x, out) = (operands.words(0).u32(), out.u32());
        let innermost = self.loops.innermost();
        let ([stride], len) = (innermost.strides, innermost.size);
        for (run, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
            let [start] = self.loops.starts(run);
            match stride {
                0 => out.fill(x[start]),
                1 => out.copy_from_slice(&x[start..start + len]),
                stride if stride > 0 => {
                    let source = x[start..].iter().step_by(stride.unsigned_abs());
                    out.iter_mut().zip(source).for_each(|(out, &x)| *out = x);
                }
                stride => {
                    let source = x[..=start].iter().rev().step_by(stride.unsigned_abs());
                    out.iter_mut().zip(source).for_each(|(out, &x)| *out = x);
                }
            }
        }
    }
}
