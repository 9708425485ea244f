//! Elements at places that another tensor says, as WGSL: a thread moves one element, as bits.

use super::Gather;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Gather {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let elements = element_count(node.result().shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let (x, indices) = (node.operand(0).shape, node.operand(1).shape);
        let loops = self.loops(x, indices);
        let (size, step) = (x[self.axis], self.step(x));
        let place = |id| recorder.place(node.node, id);
        let word = |name, id, element| place(id).map(|place| Operand::elements(name, place, element, 1));
        let operands = vec![
            word("x", node.node.inputs[0], Element::U32)?,
            word("k", node.node.inputs[1], Element::I32)?,
            word("y", node.node.output, Element::U32)?.written(),
        ];
        let [at, at_x] = [0, 1].map(|operand| loops.wgsl(operand, "item", 1));
        let from_front = "select(index, index + size, index < 0)";
        Ok(vec![Kernel {
            label: format!("Gather of {elements} x {}", node.result().element),
            operands,
            bindings: Bindings::Separate,
            functions: format!(
                "fn along(index: i32) -> u32 {{\n  let size = {size};\n  \
                 return u32(clamp({from_front}, 0, size - 1)) * {step}u;\n}}\n"
            ),
            body: format!("  put_y(item, get_x({at_x} + along(get_k({at}))));\n"),
            work: Work::Threads {
                count: [elements, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
