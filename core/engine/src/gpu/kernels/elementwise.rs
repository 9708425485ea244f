//! Addition and activation on their own: four channels of a pixel a thread. Both are rare, because the passes
//! fold them into the convolution before them; what remains here is bound by memory, and any layout of
//! threads that reads in order does.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};

/// The kernel over the operands `x`, `y` and whatever `finish` reads: `y = finish(x)`.
pub(in super::super) fn kernel(
    name: &str,
    pixels: usize,
    channels: usize,
    operands: Vec<Operand>,
    finish: String,
) -> Kernel {
    Kernel {
        label: format!("{name} {pixels} pixels, {channels} channels"),
        operands,
        bindings: Bindings::Separate,
        functions: finish,
        body: "  store_y(item, block, finish(load_x(item, block), item, block));\n".into(),
        work: Work::Threads {
            count: [pixels, channels.div_ceil(4)],
            order: Order::BlocksFirst,
        },
    }
}
