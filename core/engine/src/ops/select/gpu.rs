//! One of two elements as WGSL: a thread takes one element of the result, as bits, so that masks of infinities come
//! through.

use super::Select;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::strides::Loops;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Select {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let elements = element_count(node.result().shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let loops = Loops::new(
            node.result().shape,
            [0, 1, 2].map(|operand| node.operand(operand).shape),
        );
        let place = |id| recorder.place(node.node, id);
        let word = |name, id| place(id).map(|place| Operand::elements(name, place, Element::U32, 1));
        let inputs = &node.node.inputs;
        let operands = vec![
            word("c", inputs[0])?,
            word("a", inputs[1])?,
            word("b", inputs[2])?,
            word("y", node.node.output)?.written(),
        ];
        let [c, a, b] = [0, 1, 2].map(|operand| loops.wgsl(operand, "item", 1));
        Ok(vec![Kernel {
            label: format!("Select of {elements} x {}", node.result().element),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!("  put_y(item, select(get_b({b}), get_a({a}), get_c({c}) != 0u));\n"),
            work: Work::Threads {
                count: [elements, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
