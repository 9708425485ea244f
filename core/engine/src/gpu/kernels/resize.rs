//! Bilinear resize on its own: one pixel of four channels a thread, four reads each, neighbours sharing them
//! through the cache.

use super::super::epilogue::{self, Extent};
use super::super::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::Bilinear;

/// The kernel over the operands `x` and `y`.
pub(in super::super) fn kernel(
    bilinear: Bilinear,
    from: Extent,
    to: Extent,
    channels: usize,
    operands: Vec<Operand>,
) -> Kernel {
    let width = to[1];
    Kernel {
        label: format!(
            "resize {}x{} to {}x{width} pixels, {channels} channels",
            from[0], from[1], to[0]
        ),
        operands,
        bindings: Bindings::Separate,
        functions: epilogue::sample("x", bilinear, from, to),
        body: format!("  store_y(item, block, sample_x(item / {width}u, item % {width}u, block));\n"),
        work: Work::Threads {
            count: [to[0] * width, channels.div_ceil(4)],
            order: Order::BlocksFirst,
        },
    }
}
