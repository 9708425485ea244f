//! Running sums and products as WGSL: a thread walks along a line.

use super::{Lines, Scan};
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::ops::{Family, NodeView, OnGpu};

impl OnGpu for Scan {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let x = node.operand(0);
        let lines = Lines::new(x.shape, self.axis);
        if lines.count() * lines.size == 0 {
            return Ok(Vec::new());
        }
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, x.element, 1),
            Operand::elements("y", place(node.node.output)?, x.element, 1).written(),
        ];
        let Lines { size, inner, .. } = lines;
        let of = wgsl_type(x.element, 1);
        let (start, sign) = if self.product { (1, "*") } else { (0, "+") };
        let place = if self.reverse {
            format!("{}u - step", size - 1)
        } else {
            "step".to_owned()
        };
        let (put, add) = ("put_y(at, so_far);", format!("so_far = so_far {sign} get_x(at);"));
        let [one, two] = if self.exclusive { [put, &add] } else { [&add, put] };
        Ok(vec![Kernel {
            label: format!("{} of {} x {size} {}", self.name(), lines.count(), x.element),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: format!(
                "  let first = item / {inner}u * {}u + item % {inner}u;\n  var so_far = {of}({start});\n  \
                 for (var step = 0u; step < {size}u; step++) {{\n    \
                 let at = first + ({place}) * {inner}u;\n    {one}\n    {two}\n  }}\n",
                size * inner
            ),
            work: Work::Threads {
                count: [lines.count(), 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}
