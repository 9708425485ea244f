//! The two halves of a squeeze-and-excitation that are no convolutions: the mean of all pixels of each channel, and each
//! channel multiplied by a number of its own.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};

/// Threads that share the pixels of four channels.
const GROUP: usize = 64;
/// Pixels that a thread adds one after the other, so that long sums keep their digits.
const PART: usize = 64;

/// The kernel over the operands `x` and `y`: a workgroup takes four channels of all pixels.
pub(in super::super) fn average(pixels: usize, channels: usize, operands: Vec<Operand>) -> Kernel {
    let span = GROUP * PART;
    let body = format!(
        "  let block = group.x;\n  var total = vec4<f32>(0.0);\n  \
         for (var first = lane; first < {pixels}u; first += {span}u) {{\n    \
         var sum = vec4<f32>(0.0);\n    let end = min(first + {span}u, {pixels}u);\n    \
         for (var pixel = first; pixel < end; pixel += {GROUP}u) {{ sum += load_x(pixel, block); }}\n    \
         total += sum;\n  }}\n  \
         sums[lane] = total;\n  \
         for (var width = {half}u; width > 0u; width /= 2u) {{\n    workgroupBarrier();\n    \
         if (lane < width) {{ sums[lane] += sums[lane + width]; }}\n  }}\n  \
         if (lane == 0u) {{ store_y(0u, block, sums[0] / {count:?}); }}\n",
        half = GROUP / 2,
        count = pixels as f32,
    );
    Kernel {
        label: format!("mean of {pixels} pixels, {channels} channels"),
        operands,
        bindings: Bindings::Separate,
        functions: format!("var<workgroup> sums: array<vec4<f32>, {GROUP}>;\n"),
        body,
        work: Work::Groups {
            size: GROUP,
            count: [channels.div_ceil(4), 1, 1],
        },
    }
}

/// The kernel over the operands `x`, `scale` and `y`: four channels of a pixel a thread.
pub(in super::super) fn scale(pixels: usize, channels: usize, operands: Vec<Operand>) -> Kernel {
    Kernel {
        label: format!("scale {pixels} pixels, {channels} channels"),
        operands,
        bindings: Bindings::Separate,
        functions: String::new(),
        body: "  store_y(item, block, load_x(item, block) * load_scale(0u, block));\n".into(),
        work: Work::Threads {
            count: [pixels, channels.div_ceil(4)],
            order: Order::BlocksFirst,
        },
    }
}
