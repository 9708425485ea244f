//! The end of a network in one workgroup: maps of a few pixels, one phase for each node, a barrier between phases.
//!
//! A dispatch costs tens of microseconds in a browser whatever it computes, and these nodes compute little. WebGPU has no
//! barrier across workgroups, so one workgroup is the most that can run several nodes after one another; values between
//! them lie in the arena, whose writes a storage barrier makes visible inside the group.
//!
//! All values share one binding and all weights another, because a tail touches more tensors than a shader has
//! bindings.

use super::super::epilogue::{Extent, activate};
use super::super::shader::{Bindings, Kernel, Operand, Work};
use crate::graph::{Activation, Conv2d, Padding, Residual};

/// Threads of the workgroup: the most that every adapter has.
const THREADS: usize = 256;
/// Pixels of a thread in a convolution, where that leaves enough threads at work.
const PIXELS: usize = 4;

/// A value that a node reads or writes; its operand has the same name.
#[derive(Clone, Debug)]
pub(in super::super) struct Image {
    pub name: String,
    pub extent: Extent,
    /// Channels in whole blocks of four.
    pub blocks: usize,
}

/// What a phase computes from `x`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Phase {
    /// Operands `w` (tiles) and `c` (bias), numbered like the phase.
    Convolution { conv: Conv2d, taps: Extent },
    /// Operands `w` (taps) and `c` (bias), numbered like the phase.
    Depthwise { conv: Conv2d, taps: Extent },
    /// Maximum over a window.
    MaxPool {
        window: Extent,
        stride: Extent,
        padding: Padding,
        activation: Activation,
    },
    /// `x` itself, for additions and activations.
    Identity {
        activation: Activation,
        residual: Option<Residual>,
    },
}

/// One node of the tail.
#[derive(Clone, Debug)]
pub(in super::super) struct TailNode {
    pub phase: Phase,
    pub x: Image,
    /// What is added, of the result's shape.
    pub residual: Option<Image>,
    pub y: Image,
}

/// The kernel over one operand for each value and two for each convolution.
pub(in super::super) fn kernel(nodes: &[TailNode], operands: Vec<Operand>) -> Kernel {
    let mut body = String::new();
    let mut unseen: Vec<&str> = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let reads =
            |name: &str| node.x.name == name || node.residual.as_ref().is_some_and(|r| r.name == name);
        if unseen.iter().any(|name| reads(name)) {
            body += "  storageBarrier();\n";
            unseen.clear();
        }
        body += &node.text(number);
        unseen.push(&node.y.name);
    }
    let shapes: Vec<String> = nodes
        .iter()
        .map(|node| {
            let [height, width] = node.y.extent;
            format!("{height}x{width}x{}", 4 * node.y.blocks)
        })
        .collect();
    Kernel {
        label: format!("tail of {} nodes: {}", nodes.len(), shapes.join(", ")),
        operands,
        bindings: Bindings::Merged,
        functions: String::new(),
        body,
        work: Work::Groups {
            size: THREADS,
            count: [1, 1, 1],
        },
    }
}

impl TailNode {
    fn text(&self, number: usize) -> String {
        match self.phase {
            Phase::Convolution { conv, taps } => self.convolution(number, &conv, taps),
            Phase::Depthwise { conv, taps } => self.depthwise(number, &conv, taps),
            Phase::MaxPool {
                window,
                stride,
                padding,
                activation,
            } => self.max_pool(window, stride, padding, activation),
            Phase::Identity { activation, residual } => {
                let value = format!("load_{}(p, o)", self.x.name);
                self.each_output("", &value, activation, residual.map(|sum| sum.activation))
            }
        }
    }

    /// `first(value)`, and with a residual `second(first(value) + residual)`, stored at pixel `p` and block `o`.
    fn store(&self, value: &str, p: &str, first: Activation, second: Option<Activation>) -> String {
        let value = activate(first, value);
        let value = match (&self.residual, second) {
            (Some(residual), Some(second)) => {
                activate(second, &format!("({value} + load_{}({p}, o))", residual.name))
            }
            _ => value,
        };
        format!("store_{}({p}, o, {value});", self.y.name)
    }

    /// One output vector a turn: `before` computes what `value` names.
    fn each_output(
        &self,
        before: &str,
        value: &str,
        first: Activation,
        second: Option<Activation>,
    ) -> String {
        let pixels = self.y.extent[0] * self.y.extent[1];
        format!(
            "  for (var i = lane; i < {}u; i += {THREADS}u) {{\n    let o = i % {blocks}u;\n    \
             let p = i / {blocks}u;\n{before}    {}\n  }}\n",
            pixels * self.y.blocks,
            self.store(value, "p", first, second),
            blocks = self.y.blocks,
        )
    }

    fn convolution(&self, number: usize, conv: &Conv2d, taps: Extent) -> String {
        let pixels = self.y.extent[0] * self.y.extent[1];
        let mut per_thread = PIXELS.min(pixels);
        while per_thread > 1
            && (!pixels.is_multiple_of(per_thread) || pixels / per_thread * self.y.blocks < THREADS / 2)
        {
            per_thread -= 1;
        }
        let groups = pixels / per_thread;
        let [height, width] = self.x.extent;
        let (name, in_blocks, out_width) = (&self.x.name, self.x.blocks, self.y.extent[1]);
        let mut text = format!(
            "  for (var i = lane; i < {}u; i += {THREADS}u) {{\n    let o = i / {groups}u;\n    \
             let g = i % {groups}u;\n    let c = load_c{number}(0u, o);\n",
            groups * self.y.blocks
        );
        for t in 0..per_thread {
            text += &format!("    let p{t} = g + {}u;\n    var a{t} = c;\n", t * groups);
        }
        // Loops stay loops: a tail is long enough as it is, and some shader compilers take minutes over unrolled ones.
        let tap = if taps == [1, 1] {
            "0u".to_owned()
        } else {
            text += &format!("    for (var tap = 0; tap < {}; tap++) {{\n", taps[0] * taps[1]);
            "u32(tap)".to_owned()
        };
        let (ky, kx) = if taps == [1, 1] {
            ("0".to_owned(), "0".to_owned())
        } else {
            (
                format!("tap / {} * {}", taps[1], conv.dilation[0]),
                format!("tap % {} * {}", taps[1], conv.dilation[1]),
            )
        };
        // A 1x1 convolution that meets every pixel once needs no coordinates.
        let direct = taps == [1, 1] && conv.stride == [1, 1] && self.x.extent == self.y.extent;
        for t in 0..per_thread {
            text += &if direct {
                format!("      let s{t} = p{t};\n")
            } else {
                format!(
                    "      let y{t} = i32(p{t} / {out_width}u) * {} - {} + {ky};\n      \
                     let x{t} = i32(p{t} % {out_width}u) * {} - {} + {kx};\n      \
                     let in{t} = f32(y{t} >= 0 && y{t} < {height} && x{t} >= 0 && x{t} < {width});\n      \
                     let s{t} = u32(clamp(y{t}, 0, {}) * {width} + clamp(x{t}, 0, {}));\n",
                    conv.stride[0],
                    conv.padding.top,
                    conv.stride[1],
                    conv.padding.left,
                    height - 1,
                    width - 1,
                )
            };
        }
        text += &format!(
            "      for (var k = 0u; k < {in_blocks}u; k++) {{\n        \
             let w = tile_w{number}((o * {}u + {tap}) * {in_blocks}u + k);\n",
            taps[0] * taps[1]
        );
        for t in 0..per_thread {
            text += &if direct {
                format!("        a{t} += w * load_{name}(s{t}, k);\n")
            } else {
                format!("        a{t} += w * (in{t} * load_{name}(s{t}, k));\n")
            };
        }
        text += "      }\n";
        if taps != [1, 1] {
            text += "    }\n";
        }
        let second = conv.residual.map(|sum| sum.activation);
        for t in 0..per_thread {
            let store = self.store(&format!("a{t}"), &format!("p{t}"), conv.activation, second);
            text += &format!("    {store}\n");
        }
        text + "  }\n"
    }

    fn depthwise(&self, number: usize, conv: &Conv2d, taps: Extent) -> String {
        let before = format!(
            "    var a = load_c{number}(0u, o);\n{}        \
             a += tap_w{number}((u32(ky) * {taps_x}u + u32(kx)) * {blocks}u + o) * \
             load_{name}(u32(iy * {width} + ix), o);\n      }}\n    }}\n",
            self.open_window(taps, conv.stride, conv.dilation, conv.padding),
            taps_x = taps[1],
            blocks = self.y.blocks,
            name = self.x.name,
            width = self.x.extent[1],
        );
        self.each_output(
            &before,
            "a",
            conv.activation,
            conv.residual.map(|sum| sum.activation),
        )
    }

    fn max_pool(&self, window: Extent, stride: Extent, padding: Padding, activation: Activation) -> String {
        let before = format!(
            "    var a = vec4<f32>(-3.4e38);\n{}        \
             a = max(a, load_{}(u32(iy * {} + ix), o));\n      }}\n    }}\n",
            self.open_window(window, stride, [1, 1], padding),
            self.x.name,
            self.x.extent[1],
        );
        self.each_output(&before, "a", activation, None)
    }

    /// Loops over the taps `ky`, `kx` under pixel `p` that meet the image, at `iy`, `ix`.
    fn open_window(&self, taps: Extent, stride: Extent, dilation: Extent, padding: Padding) -> String {
        let [height, width] = self.x.extent;
        let out_width = self.y.extent[1];
        format!(
            "    for (var ky = 0; ky < {}; ky++) {{\n      let iy = i32(p / {out_width}u) * {} - {} + ky * {};\n      \
             if (iy < 0 || iy >= {height}) {{ continue; }}\n      for (var kx = 0; kx < {}; kx++) {{\n        \
             let ix = i32(p % {out_width}u) * {} - {} + kx * {};\n        \
             if (ix < 0 || ix >= {width}) {{ continue; }}\n",
            taps[0], stride[0], padding.top, dilation[0], taps[1], stride[1], padding.left, dilation[1],
        )
    }
}
