//! A view on the CPU: runs that lie as they are read are copied, lines that are read side by side are turned in tiles, others
//! are gathered.

use super::View;
use crate::cpu::simd::{LANES, quads_mut, transpose};
use crate::error::ModelError;
use crate::ops::strides::{Loop, Loops};
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

/// Elements of each line that are turned before the next lines are: what is written of them stays in a cache until it is
/// whole.
const TILE: usize = 64;

impl OnCpu for View {
    fn prepare(&self, _node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        Ok(Box::new(Kernel { loops: self.loops() }))
    }
}

#[derive(Debug)]
struct Kernel {
    loops: Loops<1>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        // Whatever the words hold, their bits move.
        if let Some([outer, inner]) = self.loops.two_innermost()
            && outer.strides == [1]
            && let Ok(distance @ 2..) = usize::try_from(inner.strides[0])
        {
            let (x, out) = (operands.words(0).f32(), out.f32());
            for (run, out) in out.chunks_exact_mut(outer.size * inner.size).enumerate() {
                let [start] = self.loops.starts_of(run, 2);
                turn(&x[start..], distance, inner.size, out);
            }
            return;
        }
        let (x, out) = (operands.words(0).u32(), out.u32());
        let Loop {
            strides: [stride],
            size: len,
        } = self.loops.innermost();
        for (run, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
            let [start] = self.loops.starts(run);
            match stride {
                0 => out.fill(x[start]),
                1 => out.copy_from_slice(&x[start..start + len]),
                stride if stride > 0 => {
                    let source = x[start..].iter().step_by(stride.unsigned_abs());
                    out.iter_mut().zip(source).for_each(|(out, &x)| *out = x);
                }
                stride => {
                    let source = x[..=start].iter().rev().step_by(stride.unsigned_abs());
                    out.iter_mut().zip(source).for_each(|(out, &x)| *out = x);
                }
            }
        }
    }
}

/// Writes `count` lines of `x`, `distance` apart and as long as there is room for, side by side.
fn turn(x: &[f32], distance: usize, count: usize, out: &mut [f32]) {
    match count {
        2 => interleave::<2>(x, distance, out),
        3 => interleave::<3>(x, distance, out),
        _ => {
            for (tile, out) in out.chunks_mut(TILE * count).enumerate() {
                turn_tile(&x[tile * TILE..], distance, count, out);
            }
        }
    }
}

/// A few lines: the compiler knows how to shuffle so many vectors.
fn interleave<const N: usize>(x: &[f32], distance: usize, out: &mut [f32]) {
    let out = out.as_chunks_mut::<N>().0;
    let lines: [&[f32]; N] = std::array::from_fn(|line| &x[line * distance..][..out.len()]);
    for (k, out) in out.iter_mut().enumerate() {
        *out = lines.map(|line| line[k]);
    }
}

/// A part of many lines.
fn turn_tile(x: &[f32], distance: usize, count: usize, out: &mut [f32]) {
    let len = out.len() / count;
    let line = |number: usize| &x[number * distance..][..len];
    let whole = count - count % LANES;
    let mut turned = [[0.0; LANES]; TILE];
    for first in (0..whole).step_by(LANES) {
        transpose([0, 1, 2, 3].map(|lane| line(first + lane)), &mut turned[..len]);
        for (out, turned) in out.chunks_exact_mut(count).zip(&turned) {
            if let [quad, ..] = quads_mut(&mut out[first..]) {
                *quad = *turned;
            }
        }
    }
    for number in whole..count {
        for (out, &value) in out.chunks_exact_mut(count).zip(line(number)) {
            out[number] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_turned_whatever_their_number_and_length() {
        let x: Vec<f32> = (0..9000).map(|index| index as f32).collect();
        for count in [2, 3, 4, 5, 8, 11] {
            for len in [1, 2, 5, 63, 64, 65, 200] {
                let distance = len + 7;
                let mut out = vec![f32::NAN; count * len];
                turn(&x[3..], distance, count, &mut out);
                let expected: Vec<f32> = (0..count * len)
                    .map(|index| (3 + index / count + index % count * distance) as f32)
                    .collect();
                assert_eq!(out, expected, "{count} lines of {len}");
            }
        }
    }
}
