//! Tensors one behind the other on the CPU: the pieces of each row are copied.

use super::Concat;
use crate::error::ModelError;
use crate::graph::element_count;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Concat {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let operands = 0..node.node.inputs.len();
        Ok(Box::new(Kernel {
            pieces: operands
                .map(|index| element_count(&node.operand(index).shape[self.axis..]))
                .collect(),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    /// How many elements each operand gives to a row: what lies below one place of the axes before the axis.
    pieces: Vec<usize>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let out = out.u32();
        let row: usize = self.pieces.iter().sum();
        let mut start = 0;
        for (index, &piece) in self.pieces.iter().enumerate() {
            let sources = operands.words(index).u32().chunks_exact(piece.max(1));
            for (out, source) in out.chunks_exact_mut(row.max(1)).zip(sources) {
                out[start..start + piece].copy_from_slice(source);
            }
            start += piece;
        }
    }
}
