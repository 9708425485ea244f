//! Images at places between elements as WGSL: a thread computes one channel of a pixel, or four.

use std::fmt::Write;

use super::{Between, Beyond, GridSample};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for GridSample {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (x, y) = (node.operand(0).shape, node.result().shape);
        let elements = element_count(y);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let channels = x[x.len() - 1];
        let lanes = if channels.is_multiple_of(4) { 4 } else { 1 };
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, Element::F32, lanes),
            Operand::elements("g", place(node.node.inputs[1])?, Element::F32, 1),
            Operand::elements("y", place(node.node.output)?, Element::F32, lanes).written(),
        ];
        let outputs = element_count(&y[1..y.len() - 1]);
        Ok(vec![Kernel {
            label: format!("GridSample of {x:?} to {y:?}, {lanes} a thread"),
            operands,
            bindings: Bindings::Separate,
            functions: self.functions(),
            body: self.body(
                &x[1..x.len() - 1],
                channels / lanes,
                outputs,
                wgsl_type(Element::F32, lanes),
            ),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl GridSample {
    /// Where a place of the grid lies on an axis, which element stands at a whole place (-1 for zero), and the weights.
    fn functions(self) -> String {
        let reflected = "fn reflected(place: f32, low: f32, high: f32) -> f32 {\n  \
             let span = high - low;\n  if (span <= 0.0) { return low; }\n  \
             let way = select(place - low, low - place, place < low);\n  let times = floor(way / span);\n  \
             let rest = way - times * span;\n  \
             return select(high - rest, low + rest, floor(times / 2.0) * 2.0 == times);\n}\n";
        let (ends, place) = match self.align_corners {
            true => ("vec2(0.0, size - 1.0)", "(grid + 1.0) / 2.0 * (size - 1.0)"),
            false => ("vec2(-0.5, size - 0.5)", "((grid + 1.0) * size - 1.0) / 2.0"),
        };
        let place = match self.between {
            Between::Nearest => format!("round({place})"),
            Between::Linear | Between::Cubic => place.to_owned(),
        };
        let (far, beyond) = match self.beyond {
            Beyond::Zeros => ("clamp(place, -8.0, size + 8.0)", "-1"),
            Beyond::Edge => ("clamp(place, 0.0, size - 1.0)", "clamp(place, 0, last)"),
            Beyond::Reflection => (
                "reflected(place, ends.x, ends.y)",
                "clamp(i32(reflected(f32(place), ends.x, ends.y)), 0, last)",
            ),
        };
        let weights = match self.between {
            Between::Nearest => "vec4(1.0, 0.0, 0.0, 0.0)",
            Between::Linear => "vec4(1.0 - way, way, 0.0, 0.0)",
            Between::Cubic => {
                "vec4(far_weight(1.0 + way), near_weight(way), near_weight(1.0 - way), far_weight(2.0 - way))"
            }
        };
        format!(
            "{reflected}fn place_of(grid: f32, size: f32) -> f32 {{\n  let ends = {ends};\n  let place = {place};\n  \
             if (place >= ends.x && place <= ends.y) {{ return place; }}\n  return {far};\n}}\n\
             fn source_of(place: i32, last: i32) -> i32 {{\n  let size = f32(last + 1);\n  let ends = {ends};\n  \
             if (place >= 0 && place <= last) {{ return place; }}\n  return {beyond};\n}}\n\
             fn near_weight(x: f32) -> f32 {{ return (1.25 * x - 2.25) * x * x + 1.0; }}\n\
             fn far_weight(x: f32) -> f32 {{ return ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0; }}\n\
             fn weights_of(way: f32) -> vec4<f32> {{ return {weights}; }}\n"
        )
    }

    fn body(self, sizes: &[usize], units: usize, outputs: usize, of: &str) -> String {
        let (n, taps) = (sizes.len(), self.between.taps());
        let mut body = format!("  let pixel = item / {units}u;\n  var sum = {of}(0.0);\n");
        let (mut loops, mut weight) = (String::new(), String::from("1.0"));
        let mut at = format!("pixel / {outputs}u");
        for (axis, &size) in sizes.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = writeln!(
                body,
                "  let p{axis} = place_of(get_g(pixel * {n}u + {}u), {size}.0);\n  \
                 let f{axis} = i32(floor(p{axis})) - {};\n  var w{axis} = weights_of(p{axis} - floor(p{axis}));",
                n - 1 - axis,
                self.between.before()
            );
            let _ = writeln!(
                loops,
                "  for (var k{axis} = 0; k{axis} < {taps}; k{axis}++) {{\n  \
                 let s{axis} = source_of(f{axis} + k{axis}, {});\n  if (s{axis} < 0) {{ continue; }}",
                size - 1
            );
            at = format!("({at}) * {size}u + u32(s{axis})");
            weight += &format!(" * w{axis}[k{axis}]");
        }
        format!(
            "{body}{loops}  sum += get_x(({at}) * {units}u + item % {units}u) * ({weight});\n{}  put_y(item, sum);\n",
            "  }\n".repeat(n)
        )
    }
}
