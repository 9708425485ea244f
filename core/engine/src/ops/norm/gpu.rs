//! Elements by a common measure as WGSL: a thread takes a line, or, where lines are long, a workgroup does; what the measure
//! needs is taken as [`Reduce`](crate::ops::Reduce) takes it.

use super::{Measure, Norm};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, wgsl_type};
use crate::graph::element_count;
use crate::ops::reduce::{Geometry, Wgsl};
use crate::ops::{Family, NodeView, OnGpu};

impl OnGpu for Norm {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let shape = node.operand(0).shape;
        let elements = element_count(shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let geometry = Geometry::new(shape, &self.axes);
        let lines = elements / geometry.count;
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, Element::F32, 1),
            Operand::elements("y", place(node.node.output)?, Element::F32, 1).written(),
        ];
        let wgsl = Wgsl::new(wgsl_type(Element::F32, 1), &geometry);
        let (functions, statements) = self.text(&wgsl, geometry.count);
        let body = format!(
            "{}{statements}  for (var step = lane; step < {}u; step += {}u) {{\n    \
             let at = start + {};\n    let x = get_x(at);\n    put_y(at, {});\n  }}\n",
            wgsl.beginning(lines),
            geometry.count,
            wgsl.threads(),
            geometry.along.wgsl(0, "step", 1),
            self.result()
        );
        Ok(vec![Kernel {
            label: format!("{} of {} x f32 for each of {lines}", self.name(), geometry.count),
            operands,
            bindings: Bindings::Separate,
            functions,
            body,
            work: wgsl.work(lines),
        }])
    }
}

impl Norm {
    /// Functions, and statements that leave what a line is moved by in `a` and what it is divided by in `b`.
    fn text(&self, wgsl: &Wgsl<'_>, count: usize) -> (String, String) {
        let (add, max) = ("a + b", "max(a, b)");
        let one = |map: &str, combine: &str, b: &str| {
            let body = format!("  let a = 0.0;\n  let sum = first(start, lane, 0.0);\n  let b = {b};\n");
            (wgsl.function("first", map, combine), body)
        };
        let two = |a: &str, map: [&str; 2], combine: &str, b: &str| {
            let functions = wgsl.function("first", map[0], combine) + &wgsl.function("second", map[1], add);
            let body = format!(
                "  let one = first(start, lane, 0.0);\n  let a = {a};\n  \
                 let sum = second(start, lane, a);\n  let b = {b};\n"
            );
            (functions, body)
        };
        let n = format!("{:?}", count as f32);
        match self.f {
            Measure::Softmax => two("one", ["x", "exp(x - y)"], max, "sum"),
            Measure::LogSoftmax => two("one", ["x", "exp(x - y)"], max, "log(sum)"),
            Measure::Standard(epsilon) => two(
                &format!("one / {n}"),
                ["x", "(x - y) * (x - y)"],
                add,
                &format!("sqrt(sum / {n} + ({epsilon:?}))"),
            ),
            Measure::RootMeanSquare(epsilon) => {
                one("x * x", add, &format!("sqrt(sum / {n} + ({epsilon:?}))"))
            }
            Measure::L1 => one("abs(x)", add, "sum"),
            Measure::L2 => one("x * x", add, "sqrt(sum)"),
        }
    }

    /// What is written for `x`.
    fn result(&self) -> &'static str {
        match self.f {
            Measure::Softmax => "exp(x - a) / b",
            Measure::LogSoftmax => "x - a - b",
            Measure::Standard(_) | Measure::RootMeanSquare(_) => "(x - a) / b",
            Measure::L1 | Measure::L2 => "select(x / b, 0.0, b == 0.0)",
        }
    }
}
