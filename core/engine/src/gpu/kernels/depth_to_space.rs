//! Depth to space: output `(y, x, c)` is input `(y / b, x / b, (y % b * b + x % b) * channels + c)` for block
//! edge `b` (TensorFlow's DCR order). A pure copy; a unit is four channels where the output has a multiple of
//! four.

use super::super::epilogue::Extent;
use super::super::shader::{Bindings, Kernel, Operand, Order, Work};

/// The kernel over the operands `x` and `y`. `units` is the number of units of an output pixel.
pub(in super::super) fn kernel(edge: usize, input: Extent, units: usize, operands: Vec<Operand>) -> Kernel {
    let [height, width] = input;
    let out_width = width * edge;
    let body = format!(
        "  let y = item / {out_width}u;\n  let x = item % {out_width}u;\n  \
         let source = y / {edge}u * {width}u + x / {edge}u;\n  \
         let part = y % {edge}u * {edge}u + x % {edge}u;\n  \
         put_y(item * {units}u + block, get_x((source * {groups}u + part) * {units}u + block));\n",
        groups = edge * edge,
    );
    Kernel {
        label: format!("depth to space by {edge}, {height}x{width} pixels to {units} units each"),
        operands,
        bindings: Bindings::Separate,
        functions: String::new(),
        body,
        work: Work::Threads {
            count: [height * edge * out_width, units],
            order: Order::BlocksFirst,
        },
    }
}
