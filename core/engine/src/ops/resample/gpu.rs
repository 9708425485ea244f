//! Weighted sums along an axis as WGSL: a thread computes one, or four behind the axis.

use super::Resample;
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::arg_reduce::Lines;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Resample {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (from, to) = (node.operand(0).shape, node.result().shape);
        let elements = element_count(to);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let taps = node.operand(1).shape.last().copied().unwrap_or(0);
        let (of_x, of_y) = (Lines::new(from, self.axis), Lines::new(to, self.axis));
        let lanes = if of_x.inner.is_multiple_of(4) { 4 } else { 1 };
        let (inner, results, size) = (of_x.inner / lanes, of_y.size, of_x.size);
        let place = |id| recorder.place(node.node, id);
        let mut operands =
            vec![Operand::elements("y", place(node.node.output)?, Element::F32, lanes).written()];
        let vector = wgsl_type(Element::F32, lanes);
        let mut body = format!("  var sum = {vector}(0.0);\n");
        // Tables without elements have no place.
        if taps > 0 {
            let [x, places, weights] = [0, 1, 2].map(|index| node.node.inputs[index]);
            operands.push(Operand::elements("x", place(x)?, Element::F32, lanes));
            operands.push(Operand::elements("k", place(places)?, Element::I32, 1));
            operands.push(Operand::elements("w", place(weights)?, Element::F32, 1));
            body += &format!(
                "  let first = item / {inner}u % {results}u * {taps}u;\n  \
                 let start = item / {}u * {}u + item % {inner}u;\n  \
                 for (var tap = first; tap < first + {taps}u; tap++) {{\n    let index = get_k(tap);\n    \
                 let at = u32(clamp(select(index, index + {size}, index < 0), 0, {}));\n    \
                 sum += get_w(tap) * get_x(start + at * {inner}u);\n  }}\n",
                inner * results,
                inner * size,
                size - 1
            );
        }
        Ok(vec![Kernel {
            label: format!("Resample of {from:?} to {to:?} by {taps} each, {lanes} a thread"),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: body + "  put_y(item, sum);\n",
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
