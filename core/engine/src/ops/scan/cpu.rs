//! Running sums and products on the CPU: a row of neighbouring lines at a time.

use super::{Lines, Scan};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Scan {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0);
        Ok(Box::new(Kernel {
            op: *self,
            element: x.element,
            lines: Lines::new(x.shape, self.axis),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    op: Scan,
    element: Element,
    lines: Lines,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        match (self.element, self.op.product) {
            (Element::F32, false) => self.scan(x.f32(), out.f32(), 0.0, |a, b| a + b),
            (Element::F32, true) => self.scan(x.f32(), out.f32(), 1.0, |a, b| a * b),
            (_, false) => self.scan(x.i32(), out.i32(), 0, i32::wrapping_add),
            (_, true) => self.scan(x.i32(), out.i32(), 1, i32::wrapping_mul),
        }
    }
}

impl Kernel {
    /// Each row is the one before it, and what is added to that.
    fn scan<T: Copy>(&self, x: &[T], out: &mut [T], none: T, combine: impl Fn(T, T) -> T) {
        let Lines { size, inner, .. } = self.lines;
        let block = (size * inner).max(1);
        for (x, out) in x.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
            for number in 0..size {
                let row_of = |number: usize| {
                    if self.op.reverse {
                        size - 1 - number
                    } else {
                        number
                    }
                };
                let row = row_of(number) * inner;
                let Some(before) = number.checked_sub(1).map(|number| row_of(number) * inner) else {
                    match self.op.exclusive {
                        true => out[row..row + inner].fill(none),
                        false => out[row..row + inner].copy_from_slice(&x[row..row + inner]),
                    }
                    continue;
                };
                let added = if self.op.exclusive { before } else { row };
                for column in 0..inner {
                    out[row + column] = combine(out[before + column], x[added + column]);
                }
            }
        }
    }
}
