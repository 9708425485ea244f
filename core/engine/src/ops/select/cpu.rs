//! One of two elements on the CPU: words, whatever they hold, in one loop over each run in which the operands lie or
//! stay.

use super::Select;
use crate::error::ModelError;
use crate::ops::strides::Loops;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Select {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let shapes = [0, 1, 2].map(|operand| node.operand(operand).shape);
        Ok(Box::new(Kernel {
            loops: Loops::new(node.result().shape, shapes),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    loops: Loops<3>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let [condition, a, b] = [0, 1, 2].map(|operand| operands.words(operand).u32());
        let innermost = self.loops.innermost();
        let (len, [by, of_a, of_b]) = (innermost.size, innermost.strides);
        for (run, out) in out.u32().chunks_exact_mut(len.max(1)).enumerate() {
            let [at, at_a, at_b] = self.loops.starts(run);
            if by == 0 {
                let (from, at, stride) = if condition[at] != 0 {
                    (a, at_a, of_a)
                } else {
                    (b, at_b, of_b)
                };
                match stride {
                    0 => out.fill(from[at]),
                    _ => out.copy_from_slice(&from[at..at + len]),
                }
                continue;
            }
            let out = out.iter_mut().zip(&condition[at..at + len]);
            match (of_a, of_b) {
                (0, 0) => {
                    let (a, b) = (a[at_a], b[at_b]);
                    out.for_each(|(out, &is)| *out = if is != 0 { a } else { b });
                }
                (0, _) => {
                    let a = a[at_a];
                    out.zip(&b[at_b..at_b + len])
                        .for_each(|((out, &is), &b)| *out = if is != 0 { a } else { b });
                }
                (_, 0) => {
                    let b = b[at_b];
                    out.zip(&a[at_a..at_a + len])
                        .for_each(|((out, &is), &a)| *out = if is != 0 { a } else { b });
                }
                _ => out
                    .zip(a[at_a..at_a + len].iter().zip(&b[at_b..at_b + len]))
                    .for_each(|((out, &is), (&a, &b))| *out = if is != 0 { a } else { b }),
            }
        }
    }
}
