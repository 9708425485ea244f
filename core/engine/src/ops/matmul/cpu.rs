//! Products of matrices on the CPU: tiles of the result stay in registers while rows of the second matrix pass by; where
//! its columns lie as rows, sums of products of rows.
//!
//! Sums are of [`PART`] products each, added after one another, which keeps rounding errors small.

use super::{MatMul, Sizes};
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

/// Rows and columns of a tile.
const ROWS: usize = 4;
const COLUMNS: usize = 16;

/// Products that are added one after the other.
const PART: usize = 256;

impl OnCpu for MatMul {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let (_, sizes) = self
            .sizes(node.operand(0).shape, node.operand(1).shape)
            .map_err(|message| ModelError::unsupported(&node.node.origin, message))?;
        Ok(Box::new(Kernel {
            strides: self.strides(&sizes),
            sizes,
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    strides: [[usize; 2]; 2],
    sizes: Sizes,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (a, b, out) = (operands.words(0).f32(), operands.words(1).f32(), out.f32());
        let Sizes { m, n, k, .. } = self.sizes;
        out.fill(0.0);
        // Their product may be more than a browser's 32 bits hold, and then look like none.
        if [m, n, k].contains(&0) {
            return;
        }
        for (batch, out) in out.chunks_exact_mut(m * n).enumerate() {
            let [in_a, in_b] = self.sizes.batches.at(batch);
            let (a, b) = (&a[in_a * m * k..][..m * k], &b[in_b * k * n..][..k * n]);
            if self.strides[1] == [n, 1] {
                self.tiles(a, b, out);
            } else {
                self.dots(a, b, out);
            }
        }
    }
}

impl Kernel {
    /// For a second matrix whose rows lie one behind the other.
    fn tiles(&self, a: &[f32], b: &[f32], out: &mut [f32]) {
        let Sizes { m, n, k, .. } = self.sizes;
        let [m_a, k_a] = self.strides[0];
        for first in (0..k).step_by(PART) {
            let steps = first..(first + PART).min(k);
            for row in (0..m).step_by(ROWS) {
                for column in (0..n).step_by(COLUMNS) {
                    let (rows, columns) = ((m - row).min(ROWS), (n - column).min(COLUMNS));
                    let mut sums = [[0.0f32; COLUMNS]; ROWS];
                    if (rows, columns) == (ROWS, COLUMNS) {
                        for step in steps.clone() {
                            let Some(b) = b[step * n + column..].first_chunk::<COLUMNS>() else {
                                continue;
                            };
                            for (lane, sums) in sums.iter_mut().enumerate() {
                                let a = a[(row + lane) * m_a + step * k_a];
                                sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
                            }
                        }
                    } else {
                        for step in steps.clone() {
                            let b = &b[step * n + column..][..columns];
                            for (lane, sums) in sums[..rows].iter_mut().enumerate() {
                                let a = a[(row + lane) * m_a + step * k_a];
                                sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
                            }
                        }
                    }
                    for (lane, sums) in sums[..rows].iter().enumerate() {
                        let out = &mut out[(row + lane) * n + column..][..columns];
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                    }
                }
            }
        }
    }

    /// For a second matrix whose columns lie one behind the other.
    fn dots(&self, a: &[f32], b: &[f32], out: &mut [f32]) {
        let Sizes { n, k, .. } = self.sizes;
        let [m_a, k_a] = self.strides[0];
        for (row, out) in out.chunks_exact_mut(n).enumerate() {
            for (out, b) in out.iter_mut().zip(b.chunks_exact(k)) {
                *out = if k_a == 1 {
                    let a = &a[row * m_a..][..k];
                    a.chunks(PART).zip(b.chunks(PART)).map(|(a, b)| dot(a, b)).sum()
                } else {
                    let part = |(first, b): (usize, &[f32])| -> f32 {
                        let a = a[row * m_a + first * PART * k_a..].iter().step_by(k_a);
                        a.zip(b).map(|(a, b)| a * b).sum()
                    };
                    b.chunks(PART).enumerate().map(part).sum()
                };
            }
        }
    }
}

/// The sum of products, in lanes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (chunks_a, rest_a) = a.as_chunks::<COLUMNS>();
    let (chunks_b, rest_b) = b.as_chunks::<COLUMNS>();
    let mut sums = [0.0f32; COLUMNS];
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
