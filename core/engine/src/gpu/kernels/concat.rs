//! Concatenation that could not be elided: a copy.
//!
//! Along any axis the result is a list of rows, one for each index of the axes before it, and an input gives
//! each row one contiguous piece. A unit is four elements where all pieces allow it, else one.

use super::super::shader::{Bindings, Kernel, Operand, Order, Work};

/// The kernel over the operands `x0`, `x1`.. and `y`. `pieces` are the lengths (in units) of the inputs
/// inside a row of `row` units, and `start` is where the first of them lies.
pub(in super::super) fn kernel(
    rows: usize,
    row: usize,
    start: usize,
    pieces: &[usize],
    operands: Vec<Operand>,
) -> Kernel {
    let copied: usize = pieces.iter().sum();
    let mut body = format!("  let target_index = item * {row}u + block + {start}u;\n");
    let mut end = 0;
    for (i, piece) in pieces.iter().enumerate() {
        let from = format!("item * {piece}u + block - {end}u");
        end += piece;
        let put = format!("put_y(target_index, get_x{i}({from}));");
        if i + 1 < pieces.len() {
            body += &format!("  if (block < {end}u) {{ {put} return; }}\n");
        } else {
            body += &format!("  {put}\n");
        }
    }
    Kernel {
        label: format!("copy {} pieces, {rows} rows of {row} units", pieces.len()),
        operands,
        bindings: Bindings::Separate,
        functions: String::new(),
        body,
        work: Work::Threads {
            count: [rows, copied],
            order: Order::BlocksFirst,
        },
    }
}
