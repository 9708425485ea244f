//! One number of many as WGSL: a thread takes one result, or, where each has many elements, a workgroup does.
//!
//! Sums are of parts of [`PART`] elements each, which keeps rounding errors small; the threads of a group put theirs
//! together in halves.

use super::{Fold, Geometry, Reduce};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

/// Elements that a thread adds one after the other.
const PART: usize = 64;

/// Results of fewer elements are a thread's own.
const GROUPED: usize = 512;

/// Groups along the first axis of a dispatch, which has at most 65,535 along each.
const WIDTH: usize = 1 << 15;

/// Threads of a group.
const GROUP: usize = 64;

impl OnGpu for Reduce {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (from, results) = (node.operand(0), element_count(node.result().shape));
        if results == 0 {
            return Ok(Vec::new());
        }
        let geometry = Geometry::new(from.shape, &self.axes);
        let element = from.element;
        let place = |id| recorder.place(node.node, id);
        let mut y = Operand::elements("y", place(node.node.output)?, element, 1).written();
        let label = format!(
            "{} of {} x {element} for each of {results}",
            self.f.name(),
            geometry.count
        );
        if geometry.count == 0 {
            // Infinity and NaN are no numbers for the shader's compiler, but words are.
            y = Operand::elements("y", place(node.node.output)?, Element::U32, 1).written();
            return Ok(vec![Kernel {
                label,
                operands: vec![y],
                bindings: Bindings::Separate,
                functions: String::new(),
                body: format!("  put_y(item, {:#x}u);\n", self.f.of_none(element)),
                work: Work::Threads {
                    count: [results, 1],
                    order: Order::BlocksFirst,
                },
            }]);
        }
        let operands = vec![Operand::elements("x", place(node.node.inputs[0])?, element, 1), y];
        let wgsl = Wgsl::new(wgsl_type(element, 1), &geometry);
        let (functions, body) = self.text(&wgsl, results);
        Ok(vec![Kernel {
            label,
            operands,
            bindings: Bindings::Separate,
            functions,
            body,
            work: wgsl.work(results),
        }])
    }
}

impl Fold {
    /// The word that stands for the number of no elements.
    fn of_none(self, element: Element) -> u32 {
        let float = match self {
            Self::Sum | Self::L1 | Self::L2 | Self::SumSquare => 0.0,
            Self::Prod => 1.0,
            Self::Max | Self::LogSum | Self::LogSumExp => f32::NEG_INFINITY,
            Self::Min => f32::INFINITY,
            Self::Mean => f32::NAN,
        };
        match (element, self) {
            (Element::F32, _) => float.to_bits(),
            (Element::I32, Self::Max) => i32::MIN.cast_unsigned(),
            (Element::I32, Self::Min) => i32::MAX.cast_unsigned(),
            (Element::U32, Self::Min) => u32::MAX,
            (Element::Bool, Self::Min) => 1,
            (_, Self::Prod) => 1,
            _ => 0,
        }
    }
}

impl Reduce {
    /// Functions and statements.
    fn text(&self, wgsl: &Wgsl<'_>, results: usize) -> (String, String) {
        let add = "a + b";
        let (map, combine) = match self.f {
            Fold::Sum | Fold::Mean | Fold::LogSum => ("x", add),
            Fold::Max | Fold::LogSumExp => ("x", "max(a, b)"),
            Fold::Min => ("x", "min(a, b)"),
            Fold::Prod => ("x", "a * b"),
            Fold::L1 => ("abs(x)", add),
            Fold::L2 | Fold::SumSquare => ("x * x", add),
        };
        let mut functions = wgsl.function("first", map, combine);
        let mut body = wgsl.beginning(results);
        body += &format!("  let one = first(start, lane, {}(0));\n", wgsl.of);
        let result = match self.f {
            Fold::Mean => format!("one / {:?}", wgsl.geometry.count as f32),
            Fold::L2 => "sqrt(one)".to_owned(),
            Fold::LogSum => "log(one)".to_owned(),
            Fold::LogSumExp => {
                functions += &wgsl.function("second", "exp(x - y)", add);
                body += "  let sum = second(start, lane, one);\n";
                // The logarithm of an infinite sum, whose differences are no numbers.
                let is_infinite = "(bitcast<u32>(one) & 0x7fffffffu) == 0x7f800000u";
                format!("select(one + log(sum), one, {is_infinite})")
            }
            Fold::Sum | Fold::Max | Fold::Min | Fold::Prod | Fold::L1 | Fold::SumSquare => "one".to_owned(),
        };
        let put = format!("put_y(item, {result});");
        body += &match wgsl.is_grouped {
            true => format!("  if (lane == 0u) {{ {put} }}\n"),
            false => format!("  {put}\n"),
        };
        (functions, body)
    }
}

/// The text of kernels that go along lines, one thread a line, or one group where lines are long.
pub(in crate::ops) struct Wgsl<'a> {
    of: &'static str,
    geometry: &'a Geometry,
    is_grouped: bool,
}

impl<'a> Wgsl<'a> {
    /// For lines of elements of this type; there are some.
    pub fn new(of: &'static str, geometry: &'a Geometry) -> Self {
        Self {
            of,
            geometry,
            is_grouped: geometry.count >= GROUPED,
        }
    }

    /// How many threads share a line.
    pub fn threads(&self) -> usize {
        if self.is_grouped { GROUP } else { 1 }
    }

    /// The work of so many lines.
    pub fn work(&self, lines: usize) -> Work {
        let width = lines.min(WIDTH);
        if self.is_grouped {
            Work::Groups {
                size: GROUP,
                count: [width, lines.div_ceil(width), 1],
            }
        } else {
            Work::Threads {
                count: [lines, 1],
                order: Order::BlocksFirst,
            }
        }
    }

    /// Statements that say which line it is (`item`), where its first element is (`start`), and which of the threads
    /// that share it this one is (`lane`).
    pub fn beginning(&self, lines: usize) -> String {
        let mut body = if self.is_grouped {
            // Groups beyond the last line repeat it: none may leave its threads behind.
            format!(
                "  let item = min(group.x + group.y * {}u, {}u);\n",
                lines.min(WIDTH),
                lines - 1
            )
        } else {
            "  let lane = 0u;\n".to_owned()
        };
        body += &format!("  let start = {};\n", self.geometry.kept.wgsl(0, "item", 1));
        body
    }

    /// A function of all elements of a result, whose first is at `start`: what `map` makes of each x is put together by
    /// `combine`. All threads of a group call it and all are given the number.
    pub fn function(&self, name: &str, map: &str, combine: &str) -> String {
        let (of, count) = (self.of, self.geometry.count);
        let threads = self.threads();
        let place = self.geometry.along.wgsl(0, "step", 1);
        let mut text = format!(
            "fn {name}_of(a: {of}, b: {of}) -> {of} {{ return {combine}; }}\n\
             fn {name}_at(start: u32, step: u32, y: {of}) -> {of} {{\n  let x = {of}(get_x(start + {place}));\n  \
             return {map};\n}}\n"
        );
        if self.is_grouped {
            text += &format!("var<workgroup> {name}_parts: array<{of}, {GROUP}>;\n");
        }
        // Every thread has an element: groups are for many of them.
        text += &format!(
            "fn {name}(start: u32, lane: u32, y: {of}) -> {of} {{\n  var total = {name}_at(start, lane, y);\n  \
             for (var part = lane + {threads}u; part < {count}u; part += {span}u) {{\n    \
             var sum = {name}_at(start, part, y);\n    let end = min(part + {span}u, {count}u);\n    \
             for (var step = part + {threads}u; step < end; step += {threads}u) {{\n      \
             sum = {name}_of(sum, {name}_at(start, step, y));\n    }}\n    total = {name}_of(total, sum);\n  }}\n",
            span = PART * threads
        );
        if self.is_grouped {
            text += &format!(
                "  {name}_parts[lane] = total;\n  for (var width = {}u; width > 0u; width /= 2u) {{\n    \
                 workgroupBarrier();\n    if (lane < width) {{\n      {name}_parts[lane] = \
                 {name}_of({name}_parts[lane], {name}_parts[lane + width]);\n    }}\n  }}\n  workgroupBarrier();\n  \
                 total = {name}_parts[0];\n",
                GROUP / 2
            );
        }
        text + "  return total;\n}\n"
    }
}
