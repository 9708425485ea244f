//! A function of two elements as WGSL: a thread takes one element of the result, or four where all sides are f32 and the
//! innermost run divides so.
//!
//! WGSL promises nothing about NaN and infinities that come in (section 15.7.2). Powers of negative numbers and of zero,
//! which it leaves open, are written out.

use super::{Binary, Zip};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::strides::Loops;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Zip {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let elements = element_count(node.result().shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let shapes = [node.operand(0).shape, node.operand(1).shape];
        let (from, to) = (node.operand(0).element, node.result().element);
        let loops = Loops::new(node.result().shape, shapes);
        let innermost = loops.innermost();
        let lanes = match (from, to, self.f) {
            // Powers are written for one element.
            (_, _, Binary::Pow) => 1,
            (Element::F32, Element::F32, _) if innermost.size.is_multiple_of(4) => 4,
            _ => 1,
        };
        // An operand that stays along the innermost run is read one element at a time.
        let units = innermost
            .strides
            .map(|stride| if stride == 0 { 1 } else { lanes });
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("a", place(node.node.inputs[0])?, from, units[0]),
            Operand::elements("b", place(node.node.inputs[1])?, from, units[1]),
            Operand::elements("y", place(node.node.output)?, to, lanes).written(),
        ];
        let wgsl = |element: Element| wgsl_type(element, lanes);
        let parameter = wgsl(from);
        let functions = format!(
            "fn f(a: {parameter}, b: {parameter}) -> {} {{\n{}}}\n",
            wgsl(to),
            self.body(from, parameter)
        );
        let [a, b] = [0, 1].map(|operand| loops.wgsl(operand, "item", lanes));
        Ok(vec![Kernel {
            label: format!("{} of {elements} x {from}, {lanes} a thread", self.f.name()),
            operands,
            bindings: Bindings::Separate,
            functions,
            body: format!("  put_y(item, f({parameter}(get_a({a})), {parameter}(get_b({b}))));\n"),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl Zip {
    /// The statements of `f`, whose parameters are of a type.
    fn body(&self, from: Element, parameter: &str) -> String {
        let is_integer = from != Element::F32;
        let result = match self.f {
            Binary::Add => "a + b",
            Binary::Sub => "a - b",
            Binary::Mul => "a * b",
            Binary::Div => "a / b",
            Binary::Max => "max(a, b)",
            Binary::Min => "min(a, b)",
            Binary::Equal => "select(0u, 1u, a == b)",
            Binary::Less => "select(0u, 1u, a < b)",
            Binary::LessOrEqual => "select(0u, 1u, a <= b)",
            Binary::Greater => "select(0u, 1u, a > b)",
            Binary::GreaterOrEqual => "select(0u, 1u, a >= b)",
            Binary::And => "a & b",
            Binary::Or => "a | b",
            Binary::Xor => "a ^ b",
            Binary::BitAnd => "a & b",
            Binary::BitOr => "a | b",
            Binary::BitXor => "a ^ b",
            // WGSL takes the places modulo 32.
            Binary::ShiftLeft => "select(0, a << (u32(b) & 31u), u32(b) < 32u)",
            Binary::ShiftRight if from == Element::U32 => "select(0u, a >> (b & 31u), b < 32u)",
            Binary::ShiftRight => "a >> min(u32(b), 31u)",
            Binary::PRelu => return format!("  return select(a, a * b, a < {parameter}(0.0));\n"),
            Binary::Mod if from == Element::U32 => "select(a % b, 0, b == 0)",
            Binary::Fmod if is_integer => "select(a % b, 0, b == 0)",
            Binary::Fmod => return format!("{}  return rest;\n", remainder(parameter)),
            Binary::Mod if is_integer => return MOD.into(),
            Binary::Mod => return modulo(parameter),
            Binary::Pow if is_integer => return INTEGER_POW.into(),
            Binary::Pow => return POW.into(),
        };
        format!("  return {result};\n")
    }
}

/// What is left of `a` after division by `b`, with the sign of `a`, as `rest`. A quotient that is rounded over a whole
/// number is one step off, in either direction; `%` has the same error and leaves it in the result.
fn remainder(parameter: &str) -> String {
    format!(
        "  let size = abs(b);\n  \
         let left = select(abs(a) - size * trunc(abs(a) / size), abs(a), abs(a) < size);\n  \
         let above = select(left, left + size, left < {parameter}(0.0));\n  \
         let below = select(above, above - size, above >= size);\n  \
         let rest = select(below, -below, a < {parameter}(0.0));\n"
    )
}

/// The same, with the sign of `b`.
fn modulo(parameter: &str) -> String {
    let zero = format!("{parameter}(0.0)");
    let is_off = format!("(rest != {zero}) & ((rest < {zero}) != (b < {zero}))");
    format!(
        "{}  return select(rest, rest + b, {is_off});\n",
        remainder(parameter)
    )
}

const MOD: &str = "  let rest = select(a % b, 0, b == 0);
  return select(rest, rest + b, rest != 0 && (rest < 0) != (b < 0));
";

/// The definition's, by squares; products keep their lowest bits.
const INTEGER_POW: &str = "  if (b < 0) { return select(0, select(1, a, (b & 1) != 0), abs(a) == 1); }
  var product = 1;
  var square = a;
  for (var rest = b; rest > 0; rest >>= 1u) {
    if ((rest & 1) != 0) { product *= square; }
    square *= square;
  }
  return product;
";

/// `pow` knows no negative base, and 0 only to a positive power. The bits of infinity and NaN are no constants for the
/// shader's compiler, which would refuse them.
const POW: &str = "  let is_whole = floor(b) == b;
  let is_odd = is_whole && abs(b) < 16777216.0 && (i32(clamp(b, -16777216.0, 16777216.0)) & 1) != 0;
  let sign = bitcast<u32>(a) & select(0u, 0x80000000u, is_odd);
  let infinite = 0x7f800000u;
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (a == 0.0) { return bitcast<f32>(sign | select(0u, infinite, b < 0.0)); }
  if (a < 0.0 && !is_whole) { return bitcast<f32>(infinite | 0x00400000u); }
  return bitcast<f32>(bitcast<u32>(pow(abs(a), b)) | sign);
";
