//! Tensors one behind the other as WGSL: a kernel for each operand, because a shader has few bindings, in which a thread
//! copies one element, or four f32 where all pieces divide so.

use super::Concat;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Concat {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let element = node.result().element;
        let pieces: Vec<usize> = (0..node.node.inputs.len())
            .map(|index| element_count(&node.operand(index).shape[self.axis..]))
            .collect();
        let rows = element_count(&node.result().shape[..self.axis]);
        let row: usize = pieces.iter().sum();
        let lanes = match element {
            Element::F32 if pieces.iter().all(|piece| piece.is_multiple_of(4)) => 4,
            _ => 1,
        };
        let mut kernels = Vec::new();
        let mut start = 0;
        for (&id, piece) in node.node.inputs.iter().zip(pieces) {
            if rows * piece == 0 {
                continue;
            }
            let operands = vec![
                Operand::elements("x", recorder.place(node.node, id)?, element, lanes),
                Operand::elements("y", recorder.place(node.node, node.node.output)?, element, lanes)
                    .written(),
            ];
            let [piece, row, first] = [piece, row, start].map(|elements| elements / lanes);
            kernels.push(Kernel {
                label: format!("Concat: {rows} x {piece} into rows of {row}, {lanes} x {element} a thread"),
                operands,
                bindings: Bindings::Separate,
                functions: String::new(),
                body: format!("  put_y(item * {row}u + {first}u + block, get_x(item * {piece}u + block));\n"),
                work: Work::Threads {
                    count: [rows, piece],
                    order: Order::BlocksFirst,
                },
            });
            start += piece * lanes;
        }
        Ok(kernels)
    }
}
