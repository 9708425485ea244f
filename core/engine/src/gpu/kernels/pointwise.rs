//! 1x1 convolution with stride 1: a matrix product of pixels by channels, and most of the work of the models
//! here.
//!
//! A thread computes four pixels times four or eight output channels: for each block of four input channels
//! it reads four `vec4` of pixels and one or two 4x4 tiles of weights, then does 64 or 128 multiply-adds.
//! Eight output channels halve the reads of pixels for each product, so they are taken where enough threads
//! remain to fill an adapter. One pixel a thread (a read for every 16 products) is several times slower
//! everywhere; eight pixels times eight channels need 64 accumulators and spill on integrated GPUs.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};
/// Pixels of a thread.
const PIXELS: usize = 4;
/// Threads below which a wider tile would leave an adapter idle.
const MIN_THREADS_FOR_WIDE_TILES: usize = 1024;

/// Shapes of one pointwise convolution.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Pointwise {
    /// Pixels of input and output.
    pub pixels: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
}

impl Pointwise {
    /// The kernel over the operands `x`, `w` (dense tiles), `c` (bias), `y` and whatever `finish` reads.
    pub fn kernel(self, operands: Vec<Operand>, finish: String) -> Kernel {
        let Self {
            pixels,
            in_channels,
            out_channels,
        } = self;
        let (in_blocks, out_blocks) = (in_channels.div_ceil(4), out_channels.div_ceil(4));
        let per_thread = PIXELS.min(pixels);
        let items = pixels.div_ceil(per_thread);
        let wide = out_blocks.is_multiple_of(2) && items * out_blocks / 2 >= MIN_THREADS_FOR_WIDE_TILES;
        let width = if wide { 2 } else { 1 };
        let ragged = !pixels.is_multiple_of(per_thread);

        let mut body = format!("  let p0 = item * {per_thread}u;\n");
        for p in 1..per_thread {
            // The last threads of a ragged image repeat its last pixel and do not store it.
            let pixel = if ragged {
                format!("min(p0 + {p}u, {}u)", pixels - 1)
            } else {
                format!("p0 + {p}u")
            };
            body += &format!("  let p{p} = {pixel};\n");
        }
        for b in 0..width {
            let out_block = if width == 1 {
                "block".into()
            } else {
                format!("block * {width}u + {b}u")
            };
            body += &format!(
                "  let o{b} = {out_block};\n  let t{b} = o{b} * {in_blocks}u;\n  let c{b} = load_c(0u, o{b});\n"
            );
            for p in 0..per_thread {
                body += &format!("  var a{b}{p} = c{b};\n");
            }
        }
        body += &format!("  for (var k = 0u; k < {in_blocks}u; k++) {{\n");
        for p in 0..per_thread {
            body += &format!("    let x{p} = load_x(p{p}, k);\n");
        }
        for b in 0..width {
            body += &format!("    let w{b} = tile_w(t{b} + k);\n");
            for p in 0..per_thread {
                body += &format!("    a{b}{p} += w{b} * x{p};\n");
            }
        }
        body.push_str("  }\n");
        for p in 0..per_thread {
            let stores: String = (0..width)
                .map(|b| format!("store_y(p{p}, o{b}, finish(a{b}{p}, p{p}, o{b})); "))
                .collect();
            if ragged && p > 0 {
                body += &format!("  if (p0 + {p}u < {pixels}u) {{ {stores}}}\n");
            } else {
                body += &format!("  {stores}\n");
            }
        }
        Kernel {
            label: format!("pointwise {pixels} pixels, {in_channels} to {out_channels} channels"),
            operands,
            bindings: Bindings::Separate,
            functions: finish,
            body,
            work: Work::Threads {
                count: [items, out_blocks / width],
                order: Order::ItemsFirst,
            },
        }
    }
}
