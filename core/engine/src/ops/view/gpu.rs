//! A view as WGSL: a thread moves one element, or four f32 where they lie as they are read.

use super::View;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for View {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let elements = element_count(&self.shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let loops = self.loops();
        let element = node.operand(0).element;
        let lanes = match element {
            Element::F32 if loops.allow(0, 4) => 4,
            _ => 1,
        };
        let stays = loops.innermost().strides == [0];
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements(
                "x",
                place(node.node.inputs[0])?,
                element,
                if stays { 1 } else { lanes },
            ),
            Operand::elements("y", place(node.node.output)?, element, lanes).written(),
        ];
        let of_type = crate::gpu::shader::wgsl_type(element, lanes);
        Ok(vec![Kernel {
            label: format!("View of {elements} x {element}, {lanes} a thread"),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!(
                "  put_y(item, {of_type}(get_x({})));\n",
                loops.wgsl(0, "item", lanes)
            ),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
