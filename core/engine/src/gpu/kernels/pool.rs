//! Maximum over a window: one pixel of four channels a thread. The windows here are 2x2 without overlap, so
//! nothing is read twice and wider tiles have nothing to save.

use super::super::epilogue::{self, Extent};
use super::super::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::Pool2d;

/// The kernel over the operands `x` and `y`.
pub(in super::super) fn kernel(
    pool: Pool2d,
    input: Extent,
    output: Extent,
    channels: usize,
    operands: Vec<Operand>,
) -> Kernel {
    let ([window_y, window_x], [stride_y, stride_x]) = (pool.window, pool.stride);
    let ([height, width], [out_height, out_width]) = (input, output);
    let body = format!(
        "  let iy0 = i32(item / {out_width}u * {stride_y}u) - {top};\n  \
         let ix0 = i32(item % {out_width}u * {stride_x}u) - {left};\n  \
         var best = vec4<f32>(-3.4e38);\n  \
         for (var iy = max(iy0, 0); iy < min(iy0 + {window_y}, {height}); iy++) {{\n    \
         for (var ix = max(ix0, 0); ix < min(ix0 + {window_x}, {width}); ix++) {{\n      \
         best = max(best, load_x(u32(iy) * {width}u + u32(ix), block));\n    }}\n  }}\n  \
         store_y(item, block, finish(best, item, block));\n",
        top = pool.padding.top,
        left = pool.padding.left,
    );
    Kernel {
        label: format!(
            "max pool {window_y}x{window_x} stride {stride_y}x{stride_x}, {height}x{width} to \
             {out_height}x{out_width} pixels, {channels} channels"
        ),
        operands,
        bindings: Bindings::Separate,
        functions: epilogue::finish(pool.activation, None, output),
        body,
        work: Work::Threads {
            count: [out_height * out_width, channels.div_ceil(4)],
            order: Order::BlocksFirst,
        },
    }
}
