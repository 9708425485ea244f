//! Rows at listed places as WGSL: a copy, and then the updates. What replaces is written by a thread an element; what
//! combines by a thread a column of rows, which takes one update after the other, because WGSL has no atomic sums of
//! floats and their order would change from run to run.

use super::{Combine, Scatter};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Scatter {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let x = node.operand(0);
        let (elements, updates) = (element_count(x.shape), element_count(node.operand(2).shape));
        if elements == 0 {
            return Ok(Vec::new());
        }
        let (rows, row) = (x.shape[0], element_count(&x.shape[1..]));
        let place = |id| recorder.place(node.node, id);
        let operand =
            |name: &str, id, element| place(id).map(|place| Operand::elements(name, place, element, 1));
        let [from, places, with] = [0, 1, 2].map(|index| node.node.inputs[index]);
        let kernel = |label: String, operands, functions, body, threads| Kernel {
            label,
            operands,
            bindings: Bindings::Separate,
            functions,
            body,
            work: Work::Threads {
                count: [threads, 1],
                order: Order::BlocksFirst,
            },
        };
        // Bits are moved as bits.
        let element = match self.f {
            Combine::Replace => Element::U32,
            _ => x.element,
        };
        let copy = kernel(
            format!("Copy of {elements} x {}", x.element),
            vec![
                operand("x", from, element)?,
                operand("y", node.node.output, element)?.written(),
            ],
            String::new(),
            "  put_y(item, get_x(item));\n".to_owned(),
            elements,
        );
        if updates == 0 {
            return Ok(vec![copy]);
        }
        let mut operands = vec![
            operand("k", places, Element::I32)?,
            operand("u", with, element)?,
            operand("y", node.node.output, element)?.written(),
        ];
        let functions = format!(
            "fn row_at(index: i32) -> u32 {{\n  \
             return u32(clamp(select(index, index + {rows}, index < 0), 0, {})) * {row}u;\n}}\n",
            rows - 1
        );
        let combined = match self.f {
            Combine::Replace => None,
            Combine::Add => Some("x + u"),
            Combine::Mul => Some("x * u"),
            Combine::Max => Some("max(x, u)"),
            Combine::Min => Some("min(x, u)"),
        };
        let (body, threads) = match combined {
            None => (
                format!("  put_y(row_at(get_k(item / {row}u)) + item % {row}u, get_u(item));\n"),
                updates,
            ),
            Some(combined) => {
                operands.push(operand("x", node.node.output, element)?);
                let body = format!(
                    "  for (var update = 0u; update < {}u; update++) {{\n    \
                     let at = row_at(get_k(update)) + item;\n    let x = get_x(at);\n    \
                     let u = get_u(update * {row}u + item);\n    put_y(at, {combined});\n  }}\n",
                    updates / row
                );
                (body, row)
            }
        };
        let label = format!("Scatter ({:?}) of {updates} x {}", self.f, x.element);
        Ok(vec![copy, kernel(label, operands, functions, body, threads)])
    }
}
