//! The place of an extreme on the CPU: line by line.

use super::{ArgReduce, Lines};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for ArgReduce {
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
    op: ArgReduce,
    element: Element,
    lines: Lines,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        match self.element {
            Element::F32 => self.places(x.f32(), out.i32()),
            Element::I32 => self.places(x.i32(), out.i32()),
            Element::U32 | Element::Bool => self.places(x.u32(), out.i32()),
        }
    }
}

impl Kernel {
    fn places<T: Copy + PartialOrd>(&self, x: &[T], out: &mut [i32]) {
        for (line, out) in out.iter_mut().enumerate() {
            let elements = x[self.lines.start(line)..].iter().step_by(self.lines.inner);
            let mut elements = (0..).zip(elements.copied().take(self.lines.size));
            let Some((mut place, mut best)) = elements.next() else {
                continue;
            };
            for (other, x) in elements {
                if self.op.is_better(x, best) {
                    (place, best) = (other, x);
                }
            }
            *out = place;
        }
    }
}
