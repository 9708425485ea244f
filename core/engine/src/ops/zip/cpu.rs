//! A function of two elements on the CPU: one loop a function over each run in which the operands lie or stay, so that
//! the compiler makes vectors.

use super::{Binary, Zip};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::strides::Loops;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Zip {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let (a, b) = (node.operand(0), node.operand(1));
        Ok(Box::new(Kernel {
            f: self.f,
            from: a.element,
            loops: Loops::new(node.result().shape, [a.shape, b.shape]),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    f: Binary,
    from: Element,
    loops: Loops<2>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (a, b) = (operands.words(0), operands.words(1));
        let (f, loops) = (self.f, &self.loops);
        match self.from {
            Element::F32 if f.is_comparison() => {
                compare(loops, f, a.f32(), b.f32(), out.u32());
            }
            Element::I32 if f.is_comparison() => {
                compare(loops, f, a.i32(), b.i32(), out.u32());
            }
            Element::U32 if f.is_comparison() => {
                compare(loops, f, a.u32(), b.u32(), out.u32());
            }
            Element::F32 => floats(loops, f, a.f32(), b.f32(), out.f32()),
            Element::I32 => integers(loops, f, a.i32(), b.i32(), out.i32()),
            Element::U32 => unsigned(loops, f, a.u32(), b.u32(), out.u32()),
            Element::Bool => logic(loops, f, a.u32(), b.u32(), out.u32()),
        }
    }
}

/// Writes f(a, b) for each element of the result.
#[inline(always)]
fn each<T: Copy, U>(loops: &Loops<2>, a: &[T], b: &[T], out: &mut [U], f: impl Fn(T, T) -> U) {
    let innermost = loops.innermost();
    let len = innermost.size;
    for (run, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
        let [at_a, at_b] = loops.starts(run);
        let out = out.iter_mut();
        match innermost.strides {
            [0, _] => out
                .zip(&b[at_b..at_b + len])
                .for_each(|(out, &b)| *out = f(a[at_a], b)),
            [_, 0] => out
                .zip(&a[at_a..at_a + len])
                .for_each(|(out, &a)| *out = f(a, b[at_b])),
            _ => out
                .zip(a[at_a..at_a + len].iter().zip(&b[at_b..at_b + len]))
                .for_each(|(out, (&a, &b))| *out = f(a, b)),
        }
    }
}

fn floats(loops: &Loops<2>, f: Binary, a: &[f32], b: &[f32], out: &mut [f32]) {
    match f {
        Binary::Add => each(loops, a, b, out, |a, b| a + b),
        Binary::Sub => each(loops, a, b, out, |a, b| a - b),
        Binary::Mul => each(loops, a, b, out, |a, b| a * b),
        Binary::Div => each(loops, a, b, out, |a, b| a / b),
        Binary::Pow => each(loops, a, b, out, f32::powf),
        Binary::Max => each(loops, a, b, out, |a, b| if a > b || a.is_nan() { a } else { b }),
        Binary::Min => each(loops, a, b, out, |a, b| if a < b || a.is_nan() { a } else { b }),
        Binary::Mod => each(loops, a, b, out, |a, b| match a % b {
            rest if rest != 0.0 && (rest < 0.0) != (b < 0.0) => rest + b,
            rest => rest,
        }),
        Binary::Fmod => each(loops, a, b, out, |a, b| a % b),
        Binary::PRelu => each(loops, a, b, out, |a, b| if a < 0.0 { a * b } else { a }),
        _ => unreachable!("`infer` takes no other function of f32 to f32"),
    }
}

fn integers(loops: &Loops<2>, f: Binary, a: &[i32], b: &[i32], out: &mut [i32]) {
    match f {
        Binary::Add => each(loops, a, b, out, i32::wrapping_add),
        Binary::Sub => each(loops, a, b, out, i32::wrapping_sub),
        Binary::Mul => each(loops, a, b, out, i32::wrapping_mul),
        Binary::Div => each(
            loops,
            a,
            b,
            out,
            |a, b| if b == 0 { a } else { a.wrapping_div(b) },
        ),
        Binary::Max => each(loops, a, b, out, i32::max),
        Binary::Min => each(loops, a, b, out, i32::min),
        Binary::Mod => each(loops, a, b, out, |a, b| match remainder(a, b) {
            rest if rest != 0 && (rest < 0) != (b < 0) => rest + b,
            rest => rest,
        }),
        Binary::Fmod => each(loops, a, b, out, remainder),
        Binary::Pow => each(loops, a, b, out, power),
        Binary::BitAnd => each(loops, a, b, out, |a, b| a & b),
        Binary::BitOr => each(loops, a, b, out, |a, b| a | b),
        Binary::BitXor => each(loops, a, b, out, |a, b| a ^ b),
        Binary::ShiftLeft => each(loops, a, b, out, |a, b| {
            a.checked_shl(b.cast_unsigned()).unwrap_or(0)
        }),
        Binary::ShiftRight => each(loops, a, b, out, |a, b| a >> b.cast_unsigned().min(31)),
        _ => unreachable!("`infer` takes no other function of i32 to i32"),
    }
}

fn power(a: i32, b: i32) -> i32 {
    match (u32::try_from(b), a) {
        (Ok(exponent), _) => a.wrapping_pow(exponent),
        (Err(_), 1) => 1,
        (Err(_), -1) if b % 2 == 0 => 1,
        (Err(_), -1) => -1,
        (Err(_), _) => 0,
    }
}

fn unsigned(loops: &Loops<2>, f: Binary, a: &[u32], b: &[u32], out: &mut [u32]) {
    match f {
        Binary::Add => each(loops, a, b, out, u32::wrapping_add),
        Binary::Sub => each(loops, a, b, out, u32::wrapping_sub),
        Binary::Mul => each(loops, a, b, out, u32::wrapping_mul),
        Binary::Div => each(loops, a, b, out, |a, b| a.checked_div(b).unwrap_or(a)),
        Binary::Max => each(loops, a, b, out, u32::max),
        Binary::Min => each(loops, a, b, out, u32::min),
        Binary::Mod | Binary::Fmod => each(loops, a, b, out, |a, b| a.checked_rem(b).unwrap_or(0)),
        Binary::BitAnd => each(loops, a, b, out, |a, b| a & b),
        Binary::BitOr => each(loops, a, b, out, |a, b| a | b),
        Binary::BitXor => each(loops, a, b, out, |a, b| a ^ b),
        Binary::ShiftLeft => each(loops, a, b, out, |a, b| a.checked_shl(b).unwrap_or(0)),
        Binary::ShiftRight => each(loops, a, b, out, |a, b| a.checked_shr(b).unwrap_or(0)),
        _ => unreachable!("`infer` takes no other function of u32 to u32"),
    }
}

fn remainder(a: i32, b: i32) -> i32 {
    if b == 0 { 0 } else { a.wrapping_rem(b) }
}

fn compare<T: Copy + PartialOrd>(loops: &Loops<2>, f: Binary, a: &[T], b: &[T], out: &mut [u32]) {
    match f {
        Binary::Equal => each(loops, a, b, out, |a, b| (a == b).into()),
        Binary::Less => each(loops, a, b, out, |a, b| (a < b).into()),
        Binary::LessOrEqual => each(loops, a, b, out, |a, b| (a <= b).into()),
        Binary::Greater => each(loops, a, b, out, |a, b| (a > b).into()),
        Binary::GreaterOrEqual => each(loops, a, b, out, |a, b| (a >= b).into()),
        _ => unreachable!("`run` sends these elsewhere"),
    }
}

fn logic(loops: &Loops<2>, f: Binary, a: &[u32], b: &[u32], out: &mut [u32]) {
    match f {
        Binary::Equal => each(loops, a, b, out, |a, b| (a == b).into()),
        Binary::And => each(loops, a, b, out, |a, b| a & b),
        Binary::Or => each(loops, a, b, out, |a, b| a | b),
        Binary::Xor => each(loops, a, b, out, |a, b| a ^ b),
        _ => unreachable!("`infer` takes no other function of bool"),
    }
}
