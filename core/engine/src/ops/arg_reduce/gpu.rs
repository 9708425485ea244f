//! The place of an extreme as WGSL: a thread walks along a line. What is not a number has no promised place.

use super::{ArgReduce, Lines};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::ops::{Family, NodeView, OnGpu};

impl OnGpu for ArgReduce {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let x = node.operand(0);
        let lines = Lines::new(x.shape, self.axis);
        if lines.count() == 0 {
            return Ok(Vec::new());
        }
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, x.element, 1),
            Operand::elements("y", place(node.node.output)?, Element::I32, 1).written(),
        ];
        let is_better = match (self.greatest, self.last) {
            (true, false) => ">",
            (true, true) => ">=",
            (false, false) => "<",
            (false, true) => "<=",
        };
        let Lines { size, inner, .. } = lines;
        Ok(vec![Kernel {
            label: format!("{} of {} x {size} {}", self.name(), lines.count(), x.element),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!(
                "  let start = item / {inner}u * {}u + item % {inner}u;\n  var best = get_x(start);\n  \
                 var at = 0u;\n  for (var place = 1u; place < {size}u; place++) {{\n    \
                 let x = get_x(start + place * {inner}u);\n    \
                 if (x {is_better} best) {{ best = x; at = place; }}\n  }}\n  put_y(item, i32(at));\n",
                size * inner
            ),
            work: Work::Threads {
                count: [lines.count(), 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
