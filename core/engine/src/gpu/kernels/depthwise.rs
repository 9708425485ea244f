//! Depthwise convolution: each channel by its own window.
//!
//! There is nothing to share between channels, so the cost is reads. A thread computes four neighbouring
//! columns of four channels: for a row of a 5x5 window it reads eight columns once and uses each up to five
//! times, instead of twenty reads. The loop over rows stays a loop; the taps of a row are unrolled, so every
//! column has its own register. Tiles of several rows would save more reads and cost more registers than a
//! 5x5 window leaves.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};
use super::convolution::Window;

/// The kernel over the operands `x`, `w` (taps), `c` (bias), `y` and whatever `finish` reads.
pub(in super::super) fn kernel(
    window: Window,
    channels: usize,
    operands: Vec<Operand>,
    finish: String,
) -> Kernel {
    let blocks = channels.div_ceil(4);
    let columns = window.columns_per_thread();
    let taps = window.taps[1];
    let (stride, dilation) = (window.conv.stride[1], window.conv.dilation[1]);

    let mut body = window.origin() + "  let c = load_c(0u, block);\n";
    for t in 0..columns {
        body += &format!("  var a{t} = c;\n");
    }
    body += &window.open_row_loop();
    // Columns that some output of this thread uses, each read once.
    let mut used: Vec<usize> = (0..columns)
        .flat_map(|t| (0..taps).map(move |kx| t * stride + kx * dilation))
        .collect();
    used.sort_unstable();
    used.dedup();
    for column in used {
        body += &format!("    let x{column} = column_x(row, ix0 + {column}, block);\n");
    }
    body += &format!("    let tap = u32(ky) * {}u + block;\n", taps * blocks);
    for kx in 0..taps {
        body += &format!("    let w{kx} = tap_w(tap + {}u);\n", kx * blocks);
        for t in 0..columns {
            body += &format!("    a{t} += w{kx} * x{};\n", t * stride + kx * dilation);
        }
    }
    body.push_str("  }\n");
    body += &window.stores();
    Kernel {
        label: format!("depthwise {}, {channels} channels", window.describe()),
        operands,
        bindings: Bindings::Separate,
        functions: window.column_function() + &finish,
        body,
        work: Work::Threads {
            count: [window.output[0] * window.threads_per_row(), blocks],
            order: Order::BlocksFirst,
        },
    }
}
