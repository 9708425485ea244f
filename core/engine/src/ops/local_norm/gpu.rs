//! Elements by those near them as WGSL: a thread computes one element.

use super::LocalNorm;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::arg_reduce::Lines;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for LocalNorm {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let shape = node.operand(0).shape;
        let elements = element_count(shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, Element::F32, 1),
            Operand::elements("y", place(node.node.output)?, Element::F32, 1).written(),
        ];
        let Lines { size, inner, .. } = Lines::new(shape, self.axis);
        let [before, behind] = self.reach().map(|reach| reach.min(size - 1));
        let power = match self.beta {
            0.5 => "sqrt(base)".to_owned(),
            0.75 => "(sqrt(base) * sqrt(sqrt(base)))".to_owned(),
            1.0 => "base".to_owned(),
            beta => format!("pow(base, {beta:?})"),
        };
        Ok(vec![Kernel {
            label: format!("LocalNorm of {} of {size} in {shape:?} x f32", self.size),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!(
                "  let place = item / {inner}u % {size}u;\n  let first = place - min(place, {before}u);\n  \
                 let last = min(place + {behind}u, {}u);\n  let start = item - place * {inner}u;\n  \
                 var sum = 0.0;\n  for (var near = first; near <= last; near++) {{\n    \
                 let x = get_x(start + near * {inner}u);\n    sum += x * x;\n  }}\n  \
                 let base = {:?} + {:?} * sum;\n  put_y(item, get_x(item) / {power});\n",
                size - 1,
                self.bias,
                self.scale()
            ),
            work: Work::Threads {
                count: [elements, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
