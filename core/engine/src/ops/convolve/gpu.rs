//! Convolutions as WGSL: a thread computes one output or four beside each other.

use super::{Convolve, Sizes};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Convolve {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (_, sizes) = self
            .sizes(node.operand(0).shape, node.operand(1).shape)
            .map_err(|message| ModelError::unsupported(&node.node.origin, message))?;
        let outputs = sizes.groups * sizes.outputs;
        let elements = sizes.pixels() * outputs;
        if elements == 0 {
            return Ok(Vec::new());
        }
        let is_apart = sizes.channels == 1 && sizes.outputs == 1;
        let lanes = match is_apart {
            true if outputs.is_multiple_of(4) => 4,
            false if sizes.outputs.is_multiple_of(4) => 4,
            _ => 1,
        };
        let place = |index: usize| recorder.place(node.node, node.node.inputs[index]);
        let result = recorder.place(node.node, node.node.output)?;
        let mut operands = vec![
            Operand::elements("y", result, Element::F32, lanes).written(),
            Operand::elements("x", place(0)?, Element::F32, if is_apart { lanes } else { 1 }),
            Operand::elements("w", place(1)?, Element::F32, lanes),
        ];
        let has_bias = node.node.inputs.len() > 2;
        if has_bias {
            operands.push(Operand::elements("b", place(2)?, Element::F32, lanes));
        }
        Ok(vec![Kernel {
            label: format!(
                "{}Convolve of {} groups of {} channels to {}, {lanes} a thread",
                if self.transposed { "transposed " } else { "" },
                sizes.groups,
                sizes.channels,
                sizes.outputs
            ),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: body(&sizes, lanes, is_apart, has_bias),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

fn body(sizes: &Sizes, lanes: usize, is_apart: bool, has_bias: bool) -> String {
    let Sizes {
        walks,
        groups,
        channels,
        outputs,
        ..
    } = *sizes;
    let blocks = groups * outputs / lanes;
    let mut text = format!("  let column = item % {blocks}u;\n  var rest = item / {blocks}u;\n");
    for (axis, walk) in walks.iter().enumerate().rev() {
        let size = walk.axis.size;
        text += &format!("  let o{axis} = i32(rest % {size}u);\n  rest /= {size}u;\n");
    }
    let of = wgsl_type(Element::F32, lanes);
    text += &match has_bias {
        true => "  var sum = get_b(column);\n".to_owned(),
        false => format!("  var sum = {of}(0.0);\n"),
    };
    for (axis, walk) in walks.iter().enumerate() {
        let (taps, from) = (walk.taps, walk.from);
        let (stride, dilation, before) = (walk.axis.stride, walk.axis.dilation, walk.axis.before);
        text += &format!("  for (var t{axis} = 0; t{axis} < {taps}; t{axis}++) {{\n");
        text += &match walk.transposed {
            true => format!(
                "  let spread{axis} = o{axis} + {before} - t{axis} * {dilation};\n  \
                 if (spread{axis} < 0 || spread{axis} % {stride} != 0) {{ continue; }}\n  \
                 let p{axis} = spread{axis} / {stride};\n  if (p{axis} >= {from}) {{ continue; }}\n"
            ),
            false => format!(
                "  let p{axis} = o{axis} * {stride} + t{axis} * {dilation} - {before};\n  \
                 if (p{axis} < 0 || p{axis} >= {from}) {{ continue; }}\n"
            ),
        };
    }
    let [_, middle, inner] = walks;
    text += &format!(
        "  let pixel = ((rest * {}u + u32(p0)) * {}u + u32(p1)) * {}u + u32(p2);\n  \
         let tap = u32((t0 * {} + t1) * {} + t2);\n",
        walks[0].from, middle.from, inner.from, middle.taps, inner.taps
    );
    text += &match is_apart {
        true => format!("  sum += get_x(pixel * {blocks}u + column) * get_w(tap * {blocks}u + column);\n"),
        false => format!(
            "  let at = pixel * {all}u + column * {lanes}u / {outputs}u * {channels}u;\n  \
             for (var c = 0u; c < {channels}u; c++) {{\n    \
             sum += get_x(at + c) * get_w((tap * {channels}u + c) * {blocks}u + column);\n  }}\n",
            all = groups * channels
        ),
    };
    text + "  }\n  }\n  }\n  put_y(item, sum);\n"
}
