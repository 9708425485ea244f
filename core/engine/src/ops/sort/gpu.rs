//! The first few elements as WGSL: a thread takes one element and counts how many of its line come before it, which is its
//! place in the result. What is not a number has no promised place.

use super::Sort;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::arg_reduce::Lines;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Sort {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let x = node.operand(0);
        let elements = element_count(x.shape);
        if elements == 0 || self.count == 0 {
            return Ok(Vec::new());
        }
        let Lines { size, inner, .. } = Lines::new(x.shape, self.axis);
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, x.element, 1),
            Operand::elements("y", place(node.node.output)?, Element::I32, 1).written(),
        ];
        let comes_first = if self.greatest { ">" } else { "<" };
        let count = self.count;
        Ok(vec![Kernel {
            label: format!("{count} of {size} in {:?} x {}", x.shape, x.element),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!(
                "  let own = item / {inner}u % {size}u;\n  let start = item - own * {inner}u;\n  \
                 let x = get_x(item);\n  var rank = 0u;\n  \
                 for (var other = 0u; other < {size}u; other++) {{\n    \
                 let z = get_x(start + other * {inner}u);\n    \
                 if (z {comes_first} x || (z == x && other < own)) {{ rank++; }}\n  }}\n  \
                 if (rank < {count}u) {{\n    \
                 put_y((item / {}u * {count}u + rank) * {inner}u + item % {inner}u, i32(own));\n  }}\n",
                size * inner
            ),
            work: Work::Threads {
                count: [elements, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
