//! Convolution over all input channels with any window, stride, dilation and padding: stems (3x3 from three
//! channels), heads (2x2 down to one pixel) and the few dense 3x3 layers.
//!
//! A thread computes four neighbouring columns (as many as the row has, if fewer) times four output channels,
//! so a tile of weights serves four products. Rows outside the image are skipped; columns outside are read
//! from the nearest column and replaced by zero, which keeps the threads of a wave together.

use super::super::epilogue::Extent;
use super::super::shader::{Bindings, Kernel, Operand, Order, Work};
use crate::graph::Conv2d;

/// Output columns of a thread.
const COLUMNS: usize = 4;

/// Where a window meets its image: what dense and depthwise convolution share.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Window {
    /// Extent of the input.
    pub input: Extent,
    /// Extent of the output.
    pub output: Extent,
    /// Rows and columns of taps.
    pub taps: Extent,
    /// Stride, dilation and padding.
    pub conv: Conv2d,
}

impl Window {
    /// Output columns that one thread computes.
    pub fn columns_per_thread(&self) -> usize {
        COLUMNS.min(self.output[1])
    }

    /// Threads along a row.
    pub fn threads_per_row(&self) -> usize {
        self.output[1].div_ceil(self.columns_per_thread())
    }

    /// Declares `oy`, `ox` (the first output of the thread) and `iy0`, `ix0` (its first tap, maybe outside).
    pub fn origin(&self) -> String {
        let [stride_y, stride_x] = self.conv.stride;
        let padding = self.conv.padding;
        format!(
            "  let oy = item / {row}u;\n  let ox = item % {row}u * {columns}u;\n  \
             let iy0 = i32(oy * {stride_y}u) - {top};\n  let ix0 = i32(ox * {stride_x}u) - {left};\n",
            row = self.threads_per_row(),
            columns = self.columns_per_thread(),
            top = padding.top,
            left = padding.left,
        )
    }

    /// Opens the loop over rows of taps; inside it `row` is the first pixel of a row that lies in the image.
    pub fn open_row_loop(&self) -> String {
        format!(
            "  for (var ky = 0; ky < {taps}; ky++) {{\n    let iy = iy0 + ky * {dilation};\n    \
             if (iy < 0 || iy >= {height}) {{ continue; }}\n    let row = u32(iy) * {width}u;\n",
            taps = self.taps[0],
            dilation = self.conv.dilation[0],
            height = self.input[0],
            width = self.input[1],
        )
    }

    /// Defines `column_x(row, ix, block)`: four channels of column `ix` of a row, zero outside the image.
    pub fn column_function(&self) -> String {
        let width = self.input[1];
        format!(
            "fn column_x(row: u32, ix: i32, block: u32) -> vec4<f32> {{\n  \
             let v = load_x(row + u32(clamp(ix, 0, {})), block);\n  \
             return select(vec4<f32>(0.0), v, ix >= 0 && ix < {width});\n}}\n",
            width - 1
        )
    }

    /// Stores the accumulators `a0`, `a1`.. of the thread.
    pub fn stores(&self) -> String {
        let (columns, width) = (self.columns_per_thread(), self.output[1]);
        let mut text = format!("  let pixel = oy * {width}u + ox;\n");
        for t in 0..columns {
            let store = format!("store_y(pixel + {t}u, block, finish(a{t}, pixel + {t}u, block));");
            if width.is_multiple_of(columns) || t == 0 {
                text += &format!("  {store}\n");
            } else {
                text += &format!("  if (ox + {t}u < {width}u) {{ {store} }}\n");
            }
        }
        text
    }

    /// Window and strides for a label.
    pub fn describe(&self) -> String {
        format!(
            "{}x{} stride {}x{}, {}x{} to {}x{} pixels",
            self.taps[0],
            self.taps[1],
            self.conv.stride[0],
            self.conv.stride[1],
            self.input[0],
            self.input[1],
            self.output[0],
            self.output[1]
        )
    }
}

/// The kernel over the operands `x`, `w` (dense tiles), `c` (bias), `y` and whatever `finish` reads.
pub(in super::super) fn kernel(
    window: Window,
    in_channels: usize,
    out_channels: usize,
    operands: Vec<Operand>,
    finish: String,
) -> Kernel {
    let in_blocks = in_channels.div_ceil(4);
    let columns = window.columns_per_thread();
    let [taps_y, taps_x] = window.taps;
    let mut body = window.origin() + "  let c = load_c(0u, block);\n";
    for t in 0..columns {
        body += &format!("  var a{t} = c;\n");
    }
    body += &window.open_row_loop();
    body += &format!(
        "    for (var kx = 0; kx < {taps_x}; kx++) {{\n      let ix = ix0 + kx * {dilation};\n      \
         let tile = ((block * {taps_y}u + u32(ky)) * {taps_x}u + u32(kx)) * {in_blocks}u;\n      \
         for (var k = 0u; k < {in_blocks}u; k++) {{\n        let w = tile_w(tile + k);\n",
        dilation = window.conv.dilation[1],
    );
    for t in 0..columns {
        let offset = t * window.conv.stride[1];
        body += &format!("        a{t} += w * column_x(row, ix + {offset}, k);\n");
    }
    body.push_str("      }\n    }\n  }\n");
    body += &window.stores();
    Kernel {
        label: format!(
            "convolution {}, {in_channels} to {out_channels} channels",
            window.describe()
        ),
        operands,
        bindings: Bindings::Separate,
        functions: window.column_function() + &finish,
        body,
        work: Work::Threads {
            count: [
                window.output[0] * window.threads_per_row(),
                out_channels.div_ceil(4),
            ],
            order: Order::ItemsFirst,
        },
    }
}
