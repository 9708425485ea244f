//! Products of matrices as WGSL: a thread computes one element or four beside each other, of one row or four.
//!
//! Sums are of [`PART`] products each, added after one another, which keeps rounding errors small.

use super::{MatMul, Sizes};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::ops::{NodeView, OnGpu};

/// Products that are added one after the other.
const PART: usize = 64;

impl OnGpu for MatMul {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (_, sizes) = self
            .sizes(node.operand(0).shape, node.operand(1).shape)
            .map_err(|message| ModelError::unsupported(&node.node.origin, message))?;
        let Sizes {
            m, n, k, n_batches, ..
        } = sizes;
        if n_batches * m * n == 0 {
            return Ok(Vec::new());
        }
        let lanes = if n.is_multiple_of(4) && !self.transposed[1] {
            4
        } else {
            1
        };
        let rows = if m.is_multiple_of(4) { 4 } else { 1 };
        let place = |id| recorder.place(node.node, id);
        let mut operands =
            vec![Operand::elements("y", place(node.node.output)?, Element::F32, lanes).written()];
        // What has no elements has no place, and is not read.
        if k > 0 {
            let [a, b] = [node.node.inputs[0], node.node.inputs[1]];
            operands.push(Operand::elements("a", place(a)?, Element::F32, 1));
            operands.push(Operand::elements("b", place(b)?, Element::F32, lanes));
        }
        Ok(vec![Kernel {
            label: format!("MatMul of {n_batches} x [{m}, {k}] and [{k}, {n}], {rows} x {lanes} a thread"),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: self.body(&sizes, rows, lanes),
            work: Work::Threads {
                count: [n_batches * m * n / (rows * lanes), 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl MatMul {
    fn body(self, sizes: &Sizes, rows: usize, lanes: usize) -> String {
        let Sizes { m, n, k, .. } = *sizes;
        let of = wgsl_type(Element::F32, lanes);
        // Columns, and so everything in b and y, are counted in units.
        let columns = n / lanes;
        let [[m_a, k_a], [k_b, n_b]] = self.strides(sizes);
        let k_b = if lanes == 4 { k_b / lanes } else { k_b };
        let blocks = m / rows;
        let all = |part: &dyn Fn(usize) -> String| (0..rows).map(part).collect::<String>();
        if k == 0 {
            return all(&|lane| format!("  put_y(item * {rows}u + {lane}u, {of}(0.0));\n"));
        }
        let begin = format!(
            "  let column = item % {columns}u;\n  let row = item / {columns}u % {blocks}u * {rows}u;\n  \
             let batch = item / {}u;\n  let at_a = ({}) * {}u + row * {m_a}u;\n  \
             let at_b = ({}) * {}u + column * {n_b}u;\n",
            columns * blocks,
            sizes.batches.wgsl(0, "batch", 1),
            m * k,
            sizes.batches.wgsl(1, "batch", 1),
            k * columns,
        );
        let totals = all(&|lane| format!("  var total{lane} = {of}(0.0);\n"));
        let sums = all(&|lane| format!("    var sum{lane} = {of}(0.0);\n"));
        let steps = all(&|lane| {
            format!(
                "      sum{lane} += get_a(at_a + {}u + step * {k_a}u) * b;\n",
                lane * m_a
            )
        });
        let adds = all(&|lane| format!("    total{lane} += sum{lane};\n"));
        let puts = all(&|lane| {
            format!("  put_y((batch * {m}u + row + {lane}u) * {columns}u + column, total{lane});\n")
        });
        format!(
            "{begin}{totals}  for (var part = 0u; part < {k}u; part += {PART}u) {{\n{sums}    \
             let end = min(part + {PART}u, {k}u);\n    for (var step = part; step < end; step++) {{\n      \
             let b = get_b(at_b + step * {k_b}u);\n{steps}    }}\n{adds}  }}\n{puts}"
        )
    }
}
