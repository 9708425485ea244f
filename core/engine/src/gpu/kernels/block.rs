//! A block around a depthwise convolution in one dispatch: expand, depthwise, project, or those of them that are there.
//!
//! A workgroup computes one tile of output pixels. It walks over the middle channels in chunks that fit workgroup
//! memory: the expansion of a chunk, with the halo that the window needs, goes into `halo`; the depthwise convolution
//! reads it there and leaves its sums in `mid`; the projection adds the chunk's share to accumulators that stay in
//! registers until all chunks are done. So the widest tensor of a network, the expanded one, is never written.
//!
//! The price is that neighbouring tiles expand the pixels of their common halo twice (1.6 times the work for a 3x3
//! window on tiles of 8x8, 2.3 times for 5x5), and that a small map gives few workgroups. [`Tiling::choose`] weighs the
//! two against each other. Without an expansion the window reads storage directly, because what a tile reads twice is in
//! the cache by then; without a projection the sums are stored as they come, and chunks are spread over workgroups.

use super::super::epilogue::{Extent, activate};
use super::super::shader::{Bindings, Kernel, Operand, Work};
use super::convolution::Window;
use crate::graph::Activation;

/// `vec4<f32>` that fit the 16 KiB of workgroup memory that every adapter has.
const WORKGROUP_VECTORS: usize = 1024;
/// Workgroups that an adapter is taken to run side by side, when tilings are compared.
const PARALLEL_GROUPS: usize = 16;
/// Blocks in a chunk that needs no workgroup memory, being neither expanded nor projected.
const CHUNK_WITHOUT_MEMORY: usize = 4;
/// Workgroup sizes; the guaranteed maximum is 256.
const SIZES: [usize; 3] = [64, 128, 256];
/// Accumulators (`vec4`) that a thread holds at most before a larger workgroup is taken.
const MAX_ACCUMULATORS: usize = 8;

/// Shapes of one block. All windows are in units of the image that they read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Block {
    /// Edge of the blocks of a depth-to-space before the depthwise convolution; `x` is its operand.
    pub spread: Option<usize>,
    /// The convolution before it, with its activation; its operand is `x`.
    pub expand: Option<(Window, Activation)>,
    /// Channels of `x`.
    pub in_channels: usize,
    /// The depthwise convolution.
    pub depthwise: Window,
    /// Its channels.
    pub channels: usize,
    /// Channels of the 1x1 convolution after it, and the activation between the two.
    pub project: Option<(usize, Activation)>,
}

/// How the work of a block is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiling {
    /// Rows and columns of output pixels of a workgroup.
    tile: Extent,
    /// Rows and columns of depthwise input under a tile.
    halo: Extent,
    /// Blocks of four middle channels in a chunk.
    chunk: usize,
    /// Chunks along the middle channels.
    chunks: usize,
    /// Workgroups among which the output channels (with a projection) or the chunks (without) are divided.
    parts: usize,
    /// Output pixels that a thread projects.
    pixels: usize,
    /// Threads of a workgroup.
    size: usize,
}

impl Block {
    fn middle_blocks(&self) -> usize {
        self.channels.div_ceil(4)
    }

    fn out_blocks(&self) -> usize {
        self.project
            .map_or(self.middle_blocks(), |(outputs, _)| outputs.div_ceil(4))
    }

    /// The kernel over the operands `x`, `e` (tiles of the expansion), `d` (taps), `p` (tiles of the projection), `c`
    /// (their biases, one after the other, each padded to whole vectors), `y` and whatever `finish` reads.
    pub fn kernel(self, operands: Vec<Operand>, finish: String) -> Kernel {
        let tiling = Tiling::choose(&self);
        let writer = Writer { block: self, tiling };
        let [out_height, out_width] = self.depthwise.output;
        let [tile_y, tile_x] = tiling.tile;
        Kernel {
            label: format!(
                "block {}{}depthwise {}, {} channels{}; tiles of {tile_y}x{tile_x}, chunks of {}",
                self.spread
                    .map_or(String::new(), |edge| format!("spread {edge}, ")),
                self.expand.map_or(String::new(), |(window, _)| format!(
                    "{}x{} from {} channels, ",
                    window.taps[0], window.taps[1], self.in_channels
                )),
                self.depthwise.describe(),
                self.channels,
                self.project
                    .map_or(String::new(), |(outputs, _)| format!(" to {outputs}")),
                4 * tiling.chunk,
            ),
            operands,
            bindings: Bindings::Separate,
            functions: writer.declarations() + &finish,
            body: writer.body(),
            work: Work::Groups {
                size: tiling.size,
                count: [
                    out_width.div_ceil(tile_x),
                    out_height.div_ceil(tile_y),
                    tiling.parts,
                ],
            },
        }
    }
}

impl Tiling {
    /// The candidate that takes least time if [`PARALLEL_GROUPS`] groups run at once and multiply-accumulates are all
    /// that counts. Measured choices can replace this guess adapter by adapter; it only has to be sane.
    fn choose(block: &Block) -> Self {
        const TILES: [Extent; 5] = [[8, 8], [8, 16], [4, 8], [4, 4], [2, 4]];
        let candidates = TILES.iter().filter_map(|&tile| Self::new(block, tile));
        let best = candidates.min_by_key(|tiling| tiling.cost(block));
        // A window of 5x5 at stride 2, the widest that the planner fuses, fits with the smallest tile.
        best.unwrap_or_else(|| panic!("no tile fits {block:?}"))
    }

    fn new(block: &Block, tile: Extent) -> Option<Self> {
        let window = &block.depthwise;
        let halo = [0, 1].map(|axis| (tile[axis] - 1) * window.conv.stride[axis] + window.taps[axis]);
        let halo_pixels = if block.expand.is_some() {
            halo[0] * halo[1]
        } else {
            0
        };
        let tile_pixels = tile[0] * tile[1];
        let mid_pixels = if block.project.is_some() { tile_pixels } else { 0 };
        let blocks = block.middle_blocks();
        let room = WORKGROUP_VECTORS
            .checked_div(halo_pixels + mid_pixels)
            .unwrap_or(CHUNK_WITHOUT_MEMORY)
            .min(blocks);
        if room == 0 {
            return None;
        }
        // A divisor of the channels leaves no half-empty chunk behind.
        let even = (1..=room)
            .rev()
            .find(|chunk| blocks.is_multiple_of(*chunk))
            .unwrap_or(1);
        let chunk = if 2 * even > room { even } else { room };
        let tiles = window.output[0].div_ceil(tile[0]) * window.output[1].div_ceil(tile[1]);
        let (out_blocks, chunks) = (block.out_blocks(), blocks.div_ceil(chunk));
        let wanted = PARALLEL_GROUPS.div_ceil(tiles);
        let parts = match (&block.expand, &block.project) {
            // Every part would have to expand again.
            (Some(_), Some(_)) => 1,
            (None, Some(_)) => wanted.min(out_blocks.div_ceil(8)),
            (_, None) => chunks,
        };
        let mut tiling = Self {
            tile,
            halo,
            chunk,
            chunks: if block.project.is_some() { chunks } else { 1 },
            parts,
            pixels: 4,
            size: SIZES[0],
        };
        // Few outputs: one pixel a thread keeps more threads at work.
        while tiling.pixels > 1 && tiling.projections(block) < SIZES[0] {
            tiling.pixels /= 2;
        }
        tiling.size = *SIZES
            .iter()
            .find(|&&size| tiling.projections(block).div_ceil(size) * tiling.pixels <= MAX_ACCUMULATORS)
            .unwrap_or(&SIZES[2]);
        Some(tiling)
    }

    /// Blocks of output channels that one part computes.
    fn part_blocks(&self, block: &Block) -> usize {
        block.out_blocks().div_ceil(self.parts)
    }

    /// Pieces of projection work in a workgroup: groups of pixels by blocks of output channels.
    fn projections(&self, block: &Block) -> usize {
        self.tile[0] * self.tile[1] / self.pixels * self.part_blocks(block)
    }

    /// Multiply-accumulates of the workgroups that run one after the other.
    fn cost(&self, block: &Block) -> usize {
        let halo = self.halo[0] * self.halo[1];
        let tile = self.tile[0] * self.tile[1];
        let expand = block.expand.map_or(0, |(window, _)| {
            halo * window.taps[0] * window.taps[1] * block.in_channels
        });
        let window = block.depthwise.taps[0] * block.depthwise.taps[1];
        let project = block.project.map_or(0, |_| 4 * self.part_blocks(block));
        let channels = 4 * self.chunk * self.chunks;
        let group = channels * (expand + tile * (window + project));
        let [height, width] = block.depthwise.output;
        let groups = height.div_ceil(self.tile[0]) * width.div_ceil(self.tile[1]) * self.parts;
        groups.div_ceil(PARALLEL_GROUPS) * group
    }
}

/// Writes the WGSL of one block.
struct Writer {
    block: Block,
    tiling: Tiling,
}

impl Writer {
    fn halo_pixels(&self) -> usize {
        self.tiling.halo[0] * self.tiling.halo[1]
    }

    fn tile_pixels(&self) -> usize {
        self.tiling.tile[0] * self.tiling.tile[1]
    }

    /// Whether the last chunk reaches past the channels.
    fn is_ragged(&self) -> bool {
        !self.block.middle_blocks().is_multiple_of(self.tiling.chunk)
    }

    /// Vectors before the biases of the depthwise convolution, and before those of the projection.
    fn bias_offsets(&self) -> [usize; 2] {
        let blocks = self.block.middle_blocks();
        let depthwise = if self.block.expand.is_some() { blocks } else { 0 };
        [depthwise, depthwise + blocks]
    }

    /// Workgroup memory and the functions that read `x`.
    fn declarations(&self) -> String {
        let mut text = String::new();
        if self.block.expand.is_some() {
            text += &format!(
                "var<workgroup> halo: array<vec4<f32>, {}>;\n",
                self.halo_pixels() * self.tiling.chunk
            );
        }
        if self.block.project.is_some() {
            text += &format!(
                "var<workgroup> mid: array<vec4<f32>, {}>;\n",
                self.tile_pixels() * self.tiling.chunk
            );
        }
        let [height, width] = self
            .block
            .expand
            .map_or(self.block.depthwise.input, |(window, _)| window.input);
        let load = match self.block.spread {
            None => format!("load_x(u32(y * {width} + x), block)"),
            Some(edge) => format!(
                "load_x(u32(y / {edge} * {} + x / {edge}), u32(y % {edge} * {edge} + x % {edge}) * {}u + block)",
                width / edge,
                self.block.channels / 4
            ),
        };
        text + &format!(
            "fn inside_x(y: i32, x: i32) -> bool {{ return y >= 0 && y < {height} && x >= 0 && x < {width}; }}\n\
             fn source(row: i32, column: i32, block: u32) -> vec4<f32> {{\n  \
             let y = clamp(row, 0, {});\n  let x = clamp(column, 0, {});\n  \
             return select(vec4<f32>(0.0), {load}, inside_x(row, column));\n}}\n",
            height - 1,
            width - 1,
        )
    }

    fn body(&self) -> String {
        let Tiling { tile, chunk, .. } = self.tiling;
        let Window { conv, .. } = self.block.depthwise;
        let mut body = format!(
            "  let oy0 = group.y * {}u;\n  let ox0 = group.x * {}u;\n  \
             let my0 = i32(oy0 * {}u) - {};\n  let mx0 = i32(ox0 * {}u) - {};\n",
            tile[0], tile[1], conv.stride[0], conv.padding.top, conv.stride[1], conv.padding.left
        );
        if self.block.project.is_none() {
            body += &format!("  let first = group.z * {chunk}u;\n");
            if self.block.expand.is_some() {
                body += &self.expansion();
                body += "  workgroupBarrier();\n";
            }
            return body + &self.windows();
        }
        body += &self.accumulators();
        body += &format!(
            "  for (var chunk = 0u; chunk < {}u; chunk++) {{\n  let first = chunk * {chunk}u;\n",
            self.tiling.chunks
        );
        if self.block.expand.is_some() {
            body += &self.expansion();
        }
        body += "  workgroupBarrier();\n";
        body += &self.windows();
        body += "  workgroupBarrier();\n";
        body += &self.products();
        body + "  }\n" + &self.stores()
    }

    /// Fills `halo` with a chunk of the expanded image: four pixels of one block of channels a turn. Outside the image
    /// the depthwise convolution must see zeros, not the expansion of zeros.
    fn expansion(&self) -> String {
        const PIXELS: usize = 4;
        let Some((window, activation)) = self.block.expand else {
            return String::new();
        };
        let (pixels, width) = (self.halo_pixels(), self.tiling.halo[1]);
        let groups = pixels.div_ceil(PIXELS);
        let [height, image_width] = self.block.depthwise.input;
        let in_blocks = self.block.in_channels.div_ceil(4);
        let [taps_y, taps_x] = window.taps;
        let mut text = format!(
            "  for (var i = lane; i < {items}u; i += {size}u) {{\n    let b = i / {groups}u;\n    \
             let g = i % {groups}u;\n    let m = {m};\n",
            items = groups * self.tiling.chunk,
            size = self.tiling.size,
            m = self.middle_block("b"),
        );
        for t in 0..PIXELS {
            text += &format!(
                "    let p{t} = min(g + {}u, {}u);\n    let y{t} = my0 + i32(p{t} / {width}u);\n    \
                 let x{t} = mx0 + i32(p{t} % {width}u);\n    var a{t} = load_c(0u, m);\n",
                t * groups,
                pixels - 1
            );
        }
        // Coordinates in `x` of tap (ky, kx) under expanded pixel t.
        let at = |t: usize| {
            let axis = |name: &str, axis: usize, before: usize, tap: &str| {
                let (stride, dilation) = (window.conv.stride[axis], window.conv.dilation[axis]);
                if taps_y * taps_x == 1 && stride == 1 {
                    format!("{name}{t}")
                } else {
                    format!("{name}{t} * {stride} - {before} + {tap} * {dilation}")
                }
            };
            let padding = window.conv.padding;
            (axis("y", 0, padding.top, "ky"), axis("x", 1, padding.left, "kx"))
        };
        let tile = if taps_y * taps_x == 1 {
            text += &format!("    let tile = m * {in_blocks}u;\n");
            "tile + k"
        } else {
            text += &format!(
                "    for (var ky = 0; ky < {taps_y}; ky++) {{\n    for (var kx = 0; kx < {taps_x}; kx++) {{\n    \
                 let tile = ((m * {taps_y}u + u32(ky)) * {taps_x}u + u32(kx)) * {in_blocks}u;\n"
            );
            "tile + k"
        };
        text += &format!("    for (var k = 0u; k < {in_blocks}u; k++) {{\n      let w = tile_e({tile});\n");
        for t in 0..PIXELS {
            let (y, x) = at(t);
            text += &format!("      a{t} += w * source({y}, {x}, k);\n");
        }
        text += "    }\n";
        if taps_y * taps_x > 1 {
            text += "    }\n    }\n";
        }
        for t in 0..PIXELS {
            let value = activate(activation, &format!("a{t}"));
            let store = format!(
                "halo[b * {pixels}u + p{t}] = select(vec4<f32>(0.0), {value}, \
                 y{t} >= 0 && y{t} < {height} && x{t} >= 0 && x{t} < {image_width});"
            );
            // Groups take pixels g, g + groups..; only the last of them can lie past the end.
            text += &if t + 1 == PIXELS && !pixels.is_multiple_of(PIXELS) {
                format!("    if (g + {}u < {pixels}u) {{ {store} }}\n", t * groups)
            } else {
                format!("    {store}\n")
            };
        }
        text + "  }\n"
    }

    /// The middle block `first + b`, kept inside the channels where the last chunk reaches past them.
    fn middle_block(&self, b: &str) -> String {
        if self.is_ragged() {
            format!("min(first + {b}, {}u)", self.block.middle_blocks() - 1)
        } else {
            format!("first + {b}")
        }
    }

    /// The depthwise convolution of a chunk: one pixel of one block of channels a turn, into `mid` or out.
    fn windows(&self) -> String {
        let Block {
            depthwise, project, ..
        } = self.block;
        let (pixels, blocks) = (self.tile_pixels(), self.block.middle_blocks());
        let [taps_y, taps_x] = depthwise.taps;
        let [stride_y, stride_x] = depthwise.conv.stride;
        let mut text = format!(
            "  for (var i = lane; i < {items}u; i += {size}u) {{\n    let b = i / {pixels}u;\n    \
             let q = i % {pixels}u;\n    let m = {m};\n    let ty = q / {width}u;\n    let tx = q % {width}u;\n    \
             var a = load_c(0u, m + {bias}u);\n",
            items = pixels * self.tiling.chunk,
            size = self.tiling.size,
            m = self.middle_block("b"),
            width = self.tiling.tile[1],
            bias = self.bias_offsets()[0],
        );
        text += &format!("    for (var ky = 0u; ky < {taps_y}u; ky++) {{\n");
        if self.block.expand.is_some() {
            text += &format!(
                "      let row = b * {}u + (ty * {stride_y}u + ky) * {}u + tx * {stride_x}u;\n",
                self.halo_pixels(),
                self.tiling.halo[1]
            );
        } else {
            text += &format!(
                "      let row = my0 + i32(ty * {stride_y}u + ky);\n      let column = mx0 + i32(tx * {stride_x}u);\n"
            );
        }
        for kx in 0..taps_x {
            let value = if self.block.expand.is_some() {
                format!("halo[row + {kx}u]")
            } else {
                format!("source(row, column + {kx}, m)")
            };
            text += &format!("      a += tap_d((ky * {taps_x}u + {kx}u) * {blocks}u + m) * {value};\n");
        }
        text += "    }\n";
        match project {
            Some((_, activation)) => {
                let value = activate(activation, "a");
                let value = if self.is_ragged() {
                    format!("select(vec4<f32>(0.0), {value}, first + b < {blocks}u)")
                } else {
                    value
                };
                text += &format!("    mid[b * {pixels}u + q] = {value};\n");
            }
            None => {
                let [height, width] = depthwise.output;
                let inside = format!("oy0 + ty < {height}u && ox0 + tx < {width}u && first + b < {blocks}u");
                text += &format!(
                    "    if ({inside}) {{\n      let pixel = (oy0 + ty) * {width}u + ox0 + tx;\n      \
                     store_y(pixel, m, finish(a, pixel, m));\n    }}\n"
                );
            }
        }
        text + "  }\n"
    }

    /// Turns that a thread takes in the projection.
    fn rounds(&self) -> usize {
        self.tiling.projections(&self.block).div_ceil(self.tiling.size)
    }

    /// Declares what a thread projects in each round: pixels `q + t * groups` of the tile, block `o`.
    fn accumulators(&self) -> String {
        let Tiling { pixels, size, .. } = self.tiling;
        let groups = self.tile_pixels() / pixels;
        let part = self.tiling.part_blocks(&self.block);
        let last = self.block.out_blocks() - 1;
        let mut text = String::new();
        for r in 0..self.rounds() {
            text += &format!(
                "  let i{r} = lane + {}u;\n  let q{r} = i{r} % {groups}u;\n  \
                 let o{r} = min(group.z * {part}u + i{r} / {groups}u, {last}u);\n  let c{r} = load_c(0u, o{r} + {}u);\n",
                r * size,
                self.bias_offsets()[1]
            );
            for t in 0..pixels {
                text += &format!("  var a{r}{t} = c{r};\n");
            }
        }
        text
    }

    /// Adds a chunk's share of the projection.
    fn products(&self) -> String {
        let pixels = self.tile_pixels();
        let groups = pixels / self.tiling.pixels;
        let blocks = self.block.middle_blocks();
        let mut text = format!(
            "  for (var b = 0u; b < {}u; b++) {{\n    let m = {};\n",
            self.tiling.chunk,
            self.middle_block("b")
        );
        for r in 0..self.rounds() {
            text += &format!("    let w{r} = tile_p(o{r} * {blocks}u + m);\n");
            for t in 0..self.tiling.pixels {
                text += &format!(
                    "    a{r}{t} += w{r} * mid[b * {pixels}u + q{r} + {}u];\n",
                    t * groups
                );
            }
        }
        text + "  }\n"
    }

    fn stores(&self) -> String {
        let [height, width] = self.block.depthwise.output;
        let tile_width = self.tiling.tile[1];
        let groups = self.tile_pixels() / self.tiling.pixels;
        let part = self.tiling.part_blocks(&self.block);
        let out_blocks = self.block.out_blocks();
        let mut text = String::new();
        for r in 0..self.rounds() {
            text += &format!(
                "  if (i{r} < {}u && group.z * {part}u + i{r} / {groups}u < {out_blocks}u) {{\n",
                groups * part
            );
            for t in 0..self.tiling.pixels {
                text += &format!(
                    "    {{\n      let q = q{r} + {}u;\n      let y = oy0 + q / {tile_width}u;\n      \
                     let x = ox0 + q % {tile_width}u;\n      if (y < {height}u && x < {width}u) {{\n        \
                     let pixel = y * {width}u + x;\n        \
                     store_y(pixel, o{r}, finish(a{r}{t}, pixel, o{r}));\n      }}\n    }}\n",
                    t * groups
                );
            }
            text += "  }\n";
        }
        text
    }
}
