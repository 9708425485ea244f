//! A border on the CPU: for each axis a table says which element stands where.

use super::{Border, Pad};
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Pad {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let (from, to) = (node.operand(0).shape, node.result().shape);
        let mut axes = Vec::new();
        // Axes behind the last that has a border are one run.
        let mut run = 1;
        for axis in (0..to.len()).rev() {
            let (before, after) = self.amounts[axis];
            if axes.is_empty() && (before, after) == (0, 0) {
                run *= to[axis];
                continue;
            }
            let stride = from[axis + 1..].iter().product::<usize>();
            let sources = (0..to[axis]).map(|place| {
                let source = self.border.source(place as isize - before as isize, from[axis]);
                // No tensor has so many elements that one of them is taken for the value.
                source.map_or(VALUE, |source| (source * stride) as u32)
            });
            axes.push(sources.collect());
        }
        Ok(Box::new(Kernel {
            has_value: self.border == Border::Value,
            run,
            axes,
        }))
    }
}

/// In a table, that the value stands there.
const VALUE: u32 = u32::MAX;

#[derive(Debug)]
struct Kernel {
    has_value: bool,
    /// Elements that lie one behind the other on both sides.
    run: usize,
    /// From the innermost axis to the outermost: for each place, how far its element is from the operand's first, or
    /// [`VALUE`].
    axes: Vec<Vec<u32>>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, out) = (operands.words(0).u32(), out.u32());
        let value = if self.has_value {
            operands.words(1).u32()[0]
        } else {
            0
        };
        for (index, out) in out.chunks_exact_mut(self.run.max(1)).enumerate() {
            let mut rest = index;
            let source = self.axes.iter().try_fold(0, |sum, axis| {
                let place = rest % axis.len();
                rest /= axis.len();
                (axis[place] != VALUE).then(|| sum + axis[place] as usize)
            });
            match source {
                Some(start) => out.copy_from_slice(&x[start..start + self.run]),
                None => out.fill(value),
            }
        }
    }
}
