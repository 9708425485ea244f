//! Layers along a sequence as WGSL: a workgroup goes through a sequence with its state in its own memory, each thread with
//! some of the units. One dispatch is all steps.

use super::{Cell, Gate, Recurrent};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Work};
use crate::ops::{Family, NodeView, OnGpu};

/// Threads of a workgroup.
const GROUP: usize = 64;

/// Three numbers for each unit have room in the 16 KiB that every workgroup has.
const MOST_UNITS: usize = 1365;

/// Workgroups along an axis of a dispatch.
const MOST_GROUPS: usize = 65_535;

impl OnGpu for Recurrent {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let unsupported = |message: String| ModelError::unsupported(&node.node.origin, message);
        let shapes = [0, 1, 2, 3, 4].map(|index| node.operand(index).shape);
        let [steps, batch, units] = self.sizes(shapes).map_err(unsupported)?;
        if batch * units == 0 {
            return Ok(Vec::new());
        }
        if units > MOST_UNITS || batch > MOST_GROUPS {
            let message = format!(
                "{units} units and {batch} sequences; a GPU takes up to {MOST_UNITS} and {MOST_GROUPS}"
            );
            return Err(unsupported(message));
        }
        let place = |id| recorder.place(node.node, id);
        let operand = |name: &str, index: usize, element| {
            place(node.node.inputs[index]).map(|place| Operand::elements(name, place, element, 1))
        };
        let mut operands = vec![
            operand("r", 1, Element::F32)?,
            operand("b", 2, Element::F32)?,
            operand("s", 3, Element::F32)?,
            operand("n", 4, Element::I32)?,
            Operand::elements("y", place(node.node.output)?, Element::F32, 1).written(),
        ];
        // Without steps there is nothing to read.
        if steps > 0 {
            operands.push(operand("x", 0, Element::F32)?);
        }
        Ok(vec![Kernel {
            label: format!("{} of {steps} steps of {batch} x {units}", self.name()),
            operands,
            bindings: Bindings::Separate,
            functions: self.functions(steps, units),
            body: self.body([steps, batch, units]),
            work: Work::Groups {
                size: GROUP,
                count: [batch, 1, 1],
            },
        }])
    }
}

impl Gate {
    /// The function of `x`.
    fn wgsl(self) -> String {
        // Beyond 15 the tangent is 1, and some drivers have none.
        let tanh = |x: &str| format!("tanh(clamp({x}, -15.0, 15.0))");
        match self {
            Self::Sigmoid => "1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)))".to_owned(),
            Self::Tanh => tanh("x"),
            Self::Relu => "max(x, 0.0)".to_owned(),
            Self::Softsign => "x / (1.0 + abs(x))".to_owned(),
            Self::Softplus => "max(x, 0.0) + log(1.0 + exp(-abs(x)))".to_owned(),
            Self::Affine(a, b) => format!("({a:?}) * x + ({b:?})"),
            Self::ScaledTanh(a, b) => format!("({a:?}) * {}", tanh(&format!("({b:?}) * x"))),
            Self::HardSigmoid(a, b) => format!("clamp(({a:?}) * x + ({b:?}), 0.0, 1.0)"),
            Self::LeakyRelu(a) => format!("select(x, ({a:?}) * x, x < 0.0)"),
            Self::ThresholdedRelu(a) => format!("select(x, 0.0, x < ({a:?}))"),
            Self::Elu(a) => format!("select(x, ({a:?}) * (exp(min(x, 0.0)) - 1.0), x < 0.0)"),
        }
    }
}

impl Recurrent {
    fn functions(&self, steps: usize, units: usize) -> String {
        let clip = match self.clip {
            None => "x".to_owned(),
            Some(clip) => format!("clamp(x, -({clip:?}), {clip:?})"),
        };
        let mut text = format!(
            "var<workgroup> own: array<f32, {units}>;\nvar<workgroup> kept: array<f32, {units}>;\n\
             var<workgroup> fresh: array<f32, {units}>;\nfn clipped(x: f32) -> f32 {{ return {clip}; }}\n"
        );
        for (name, gate) in ["f_of", "g_of", "h_of"].into_iter().zip(self.activations) {
            text += &format!("fn {name}(x: f32) -> f32 {{ return {}; }}\n", gate.wgsl());
        }
        for name in ["own", "kept"] {
            text += &format!(
                "fn product_of_{name}(gate: u32, unit: u32) -> f32 {{\n  var sum = 0.0;\n  \
                 let first = (gate * {units}u + unit) * {units}u;\n  \
                 for (var k = 0u; k < {units}u; k++) {{ sum += get_r(first + k) * {name}[k]; }}\n  return sum;\n}}\n"
            );
        }
        if steps > 0 {
            text += &format!(
                "fn input_of(at: u32, gate: u32, unit: u32) -> f32 {{ return get_x(at + gate * {units}u + unit); }}\n\
                 fn sum_of(at: u32, gate: u32, unit: u32) -> f32 {{\n  \
                 return input_of(at, gate, unit) + product_of_own(gate, unit) + get_b(gate * {units}u + unit);\n}}\n"
            );
        }
        text
    }

    fn body(&self, [steps, batch, units]: [usize; 3]) -> String {
        let width = self.cell.gates() * units;
        let each = |text: &str| {
            format!("  for (var unit = lane; unit < {units}u; unit += {GROUP}u) {{\n{text}  }}\n")
        };
        let keeps = matches!(self.cell, Cell::Lstm { .. });
        let kept = if keeps {
            format!("get_s(({batch}u + line) * {units}u + unit)")
        } else {
            "0.0".to_owned()
        };
        let begin = each(&format!(
            "    own[unit] = get_s(line * {units}u + unit);\n    kept[unit] = {kept};\n"
        ));
        let bias = |row: usize| format!("get_b({}u + unit)", row * units);
        let (before, fresh) = match self.cell {
            Cell::Plain => (
                None,
                "    fresh[unit] = f_of(clipped(sum_of(at, 0u, unit)));\n".to_owned(),
            ),
            Cell::Gru { linear_before_reset } => {
                let (factor, sum) = match linear_before_reset {
                    true => (
                        "",
                        format!(
                            "input_of(at, 2u, unit) + kept[unit] * (product_of_own(2u, unit) + {})",
                            bias(2)
                        ),
                    ),
                    false => (
                        " * own[unit]",
                        format!("input_of(at, 2u, unit) + product_of_kept(2u, unit) + {}", bias(2)),
                    ),
                };
                (
                    Some(format!(
                        "    kept[unit] = f_of(clipped(sum_of(at, 1u, unit))){factor};\n"
                    )),
                    format!(
                        "    let update = f_of(clipped(sum_of(at, 0u, unit)));\n    \
                         fresh[unit] = (1.0 - update) * g_of(clipped({sum})) + update * own[unit];\n"
                    ),
                )
            }
            Cell::Lstm { couples } => {
                let opened = |gate: usize, cell: &str| {
                    format!(
                        "f_of(clipped(sum_of(at, {gate}u, unit) + {} * {cell}))",
                        bias(4 + gate)
                    )
                };
                let forget = if couples {
                    "1.0 - taken".to_owned()
                } else {
                    opened(2, "kept[unit]")
                };
                (
                    None,
                    format!(
                        "    let taken = {};\n    \
                         let cell = ({forget}) * kept[unit] + taken * g_of(clipped(sum_of(at, 3u, unit)));\n    \
                         kept[unit] = cell;\n    fresh[unit] = {} * h_of(cell);\n",
                        opened(0, "kept[unit]"),
                        opened(1, "cell")
                    ),
                )
            }
        };
        let guarded = |text: &str| each(&format!("    if (is_step) {{\n{text}    }}\n"));
        let before = match before {
            Some(text) => guarded(&text) + "  workgroupBarrier();\n",
            None => String::new(),
        };
        let order = if self.reverse {
            "select(step, length - 1 - step, is_step)"
        } else {
            "step"
        };
        let along = match steps {
            0 => String::new(),
            _ => format!(
                "  for (var step = 0; step < {steps}; step++) {{\n  let is_step = step < length;\n  \
                 let row = u32({order}) * {batch}u + line;\n  let at = row * {width}u;\n{before}{}  \
                 workgroupBarrier();\n{}  workgroupBarrier();\n  }}\n",
                guarded(&fresh),
                each(&format!(
                    "    if (is_step) {{ own[unit] = fresh[unit]; }}\n    \
                     put_y(row * {units}u + unit, select(0.0, fresh[unit], is_step));\n"
                ))
            ),
        };
        let last = if keeps { "kept[unit]" } else { "0.0" };
        let end = each(&format!(
            "    put_y(({}u + line) * {units}u + unit, own[unit]);\n    \
             put_y(({}u + line) * {units}u + unit, {last});\n",
            steps * batch,
            (steps + 1) * batch
        ));
        format!(
            "  let line = group.x;\n  let length = clamp(get_n(line), 0, {steps});\n{begin}  workgroupBarrier();\n{along}{end}"
        )
    }
}
