//! Windows as WGSL: a thread goes through one window, or through four beside each other where the innermost axis has none.

use std::fmt::Write;

use super::{Pool, Window};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::{Family, NodeView, OnGpu};

impl OnGpu for Window {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let (x, y) = (node.operand(0), node.result());
        let elements = element_count(y.shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let innermost = self.slides.last().zip(x.shape.last());
        let takes_four =
            innermost.is_some_and(|(slide, &size)| slide.is_still(size) && size.is_multiple_of(4));
        let lanes = match (x.element, y.element) {
            (Element::F32, Element::F32) if takes_four => 4,
            _ => 1,
        };
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, x.element, lanes),
            Operand::elements("y", place(node.node.output)?, y.element, lanes).written(),
        ];
        Ok(vec![Kernel {
            label: format!(
                "{} of {:?} to {:?} x {}, {lanes} a thread",
                self.name(),
                x.shape,
                y.shape,
                x.element
            ),
            operands,
            bindings: Bindings::Separate,
            functions: String::new(),
            body: self.body(x.shape, x.element, lanes),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl Window {
    fn body(&self, shape: &[usize], element: Element, lanes: usize) -> String {
        let of = wgsl_type(element, lanes);
        let border_counts = matches!(self.f, Pool::Average { border_counts: true });
        // Writing to a string does not fail.
        let mut body = String::from("  var rest = item;\n  var start = 0u;\n  var count = 1u;\n");
        let (mut loops, mut place, mut at) = (String::new(), String::from("start"), String::from("0u"));
        let mut inner = 1;
        for axis in (0..shape.len()).rev() {
            let (slide, size) = (self.slides[axis], shape[axis]);
            let last = axis + 1 == shape.len();
            let (count, size_in_units) = match last {
                true => (slide.count / lanes, size / lanes),
                false => (slide.count, size),
            };
            let _ = writeln!(body, "  let c{axis} = rest % {count}u;\n  rest /= {count}u;");
            if slide.is_still(size) {
                let _ = writeln!(body, "  start += c{axis} * {inner}u;");
                if let Pool::MaxPlace { steps } = &self.f {
                    let _ = write!(at, " + c{axis} * {}u", steps[axis]);
                }
            } else {
                let (window, dilation) = (slide.window, slide.dilation);
                let end = if border_counts { size + slide.after } else { size };
                let first = if border_counts { "0" } else { "k" };
                // Sizes are far below 2^31, and so are all places.
                let _ = writeln!(
                    body,
                    "  let s{axis} = i32(c{axis} * {stride}u) - {before};\n  \
                     let a{axis} = (max(-s{axis}, 0) + {less}) / {dilation};\n  \
                     let b{axis} = min({window}, (max({size} - s{axis}, 0) + {less}) / {dilation});\n  \
                     {{ let k = a{axis}; let b = min({window}, (max({end} - s{axis}, 0) + {less}) / {dilation}); \
                     count *= u32(b - {first}); }}",
                    stride = slide.stride,
                    before = slide.before,
                    less = dilation - 1,
                );
                let head = format!(
                    "  for (var k{axis} = a{axis}; k{axis} < b{axis}; k{axis}++) {{\n  \
                     let p{axis} = u32(s{axis} + k{axis} * {dilation});\n"
                );
                loops.insert_str(0, &head);
                let _ = write!(place, " + p{axis} * {inner}u");
                if let Pool::MaxPlace { steps } = &self.f {
                    let _ = write!(at, " + p{axis} * {}u", steps[axis]);
                }
            }
            inner *= size_in_units;
        }
        let slides = self.slides.iter().zip(shape);
        let n_loops = slides.filter(|(slide, size)| !slide.is_still(**size)).count();
        let sum = |map: &str| format!("total += {map};");
        let (begin, each, put) = match &self.f {
            Pool::Max | Pool::MaxPlace { .. } => (
                format!("  var total = {of}(0);\n  var is_first = true;\n  var at = 0u;\n"),
                match self.f {
                    Pool::MaxPlace { .. } => {
                        format!("if (is_first || x > total) {{ total = x; at = {at}; }} is_first = false;")
                    }
                    _ => "if (is_first) { total = x; } else { total = max(total, x); } is_first = false;"
                        .into(),
                },
                match self.f {
                    Pool::MaxPlace { .. } => "i32(at)".to_owned(),
                    _ => "total".to_owned(),
                },
            ),
            Pool::Average { .. } => (String::new(), sum("x"), format!("total / {of}(f32(count))")),
            Pool::Power(1.0) => (String::new(), sum("abs(x)"), "total".to_owned()),
            Pool::Power(2.0) => (String::new(), sum("x * x"), "sqrt(total)".to_owned()),
            Pool::Power(p) => (
                String::new(),
                sum(&format!("pow(abs(x), {of}({p:?}))")),
                format!("pow(total, {of}({:?}))", 1.0 / p),
            ),
        };
        let begin = match begin.is_empty() {
            true => format!("  var total = {of}(0.0);\n"),
            false => begin,
        };
        format!(
            "{body}{begin}{loops}  let x = get_x({place});\n  {each}\n{}  put_y(item, {put});\n",
            "  }\n".repeat(n_loops)
        )
    }
}
