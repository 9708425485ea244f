//! A border as WGSL: a thread writes one element, and finds where it comes from axis by axis.

use std::fmt::Write;

use super::{Border, Pad};
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Pad {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (from, to) = (node.operand(0), node.result());
        let elements = element_count(to.shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let place = |id| recorder.place(node.node, id);
        let operand = |name: &str, id| Ok(Operand::elements(name, place(id)?, to.element, 1));
        let mut operands = vec![operand("y", node.node.output)?.written()];
        if self.border == Border::Value {
            operands.push(operand("value", node.node.inputs[1])?);
        }
        let body = if element_count(from.shape) == 0 {
            "  put_y(item, get_value(0u));\n".to_owned()
        } else {
            operands.push(operand("x", node.node.inputs[0])?);
            self.body(from.shape, to.shape)
        };
        Ok(vec![Kernel {
            label: format!("Pad of {:?} to {:?} x {}", from.shape, to.shape, to.element),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body,
            work: Work::Threads {
                count: [elements, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl Pad {
    /// The statements of a thread, for an operand that has elements.
    fn body(&self, from: &[usize], to: &[usize]) -> String {
        let mut body = String::from("  var rest = item;\n  var source = 0;\n  var is_inside = true;\n");
        let mut stride = 1;
        for axis in (0..to.len()).rev() {
            let (size, before) = (from[axis], self.amounts[axis].0);
            let last = size - 1;
            // Sizes are far below 2^31, and so are all places.
            let source = match self.border {
                _ if self.amounts[axis] == (0, 0) => "c".to_owned(),
                Border::Value | Border::Edge => format!("clamp(c, 0, {last})"),
                Border::Wrap => format!("((c % {size}) + {size}) % {size}"),
                Border::Reflect if size == 1 => "0".to_owned(),
                Border::Reflect => {
                    let way = 2 * last;
                    format!("{last} - abs({last} - ((c % {way}) + {way}) % {way})")
                }
            };
            // Writing to a string does not fail.
            let _ = writeln!(
                body,
                "  {{\n    let c = i32(rest % {}u) - {before};\n    rest /= {}u;\n    let s = {source};\n    \
                 is_inside = is_inside && s == c;\n    source += s * {stride};\n  }}",
                to[axis], to[axis]
            );
            stride *= size;
        }
        body += match self.border {
            Border::Value => {
                "  if (is_inside) { put_y(item, get_x(u32(source))); } else { put_y(item, get_value(0u)); }\n"
            }
            Border::Reflect | Border::Edge | Border::Wrap => "  put_y(item, get_x(u32(source)));\n",
        };
        body
    }
}
