//! Zeros around any axis, for the paddings that the passes could not fold into a convolution (channels,
//! mostly).
//!
//! A thread writes one unit: four elements where the innermost axis and its padding are multiples of four,
//! else one.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};

/// The kernel over the operands `x` and `y`. Sizes and (before, after) pairs are in units on the innermost
/// axis.
pub(in super::super) fn kernel(
    input: &[usize],
    padding: &[(usize, usize)],
    lanes: usize,
    operands: Vec<Operand>,
) -> Kernel {
    let output: Vec<usize> = input
        .iter()
        .zip(padding)
        .map(|(size, (before, after))| before + size + after)
        .collect();
    let units: usize = output.iter().product();
    let zero = if lanes == 4 { "vec4<f32>(0.0)" } else { "0.0" };

    // Coordinates from the innermost axis outwards, each tested against the input.
    let mut body = String::from("  var rest = item;\n  var source = 0u;\n  var inside = true;\n");
    let mut stride = 1;
    for axis in (0..input.len()).rev() {
        let (size, before) = (input[axis], padding[axis].0);
        // Below `before` the difference wraps to a number far above every size.
        body += &format!(
            "  let c{axis} = rest % {}u - {before}u;\n  rest /= {}u;\n  inside = inside && c{axis} < {size}u;\n  \
             source += c{axis} * {stride}u;\n",
            output[axis], output[axis],
        );
        stride *= size;
    }
    body += &format!("  if (inside) {{ put_y(item, get_x(source)); }} else {{ put_y(item, {zero}); }}\n");
    Kernel {
        label: format!("pad {input:?} to {output:?}, {lanes} elements a unit"),
        operands,
        bindings: Bindings::Separate,
        functions: String::new(),
        body,
        work: Work::Threads {
            count: [units, 1],
            order: Order::BlocksFirst,
        },
    }
}
