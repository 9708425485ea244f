//! Rows at listed places on the CPU: a copy, and then one update after the other.

use super::{Combine, Scatter};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::element_count;
use crate::ops::gather::place;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Scatter {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0);
        let (rows, row) = match x.shape {
            [rows, row @ ..] => (*rows, element_count(row)),
            [] => (1, 1),
        };
        Ok(Box::new(Kernel {
            f: self.f,
            element: x.element,
            rows,
            row,
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    f: Combine,
    element: Element,
    rows: usize,
    /// Elements of a row.
    row: usize,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let (x, places, updates) = (operands.words(0), operands.words(1).i32(), operands.words(2));
        out.0.copy_from_slice(x.0);
        match (self.f, self.element) {
            // Whatever the words hold, their bits move.
            (Combine::Replace, _) => self.apply(places, updates.u32(), out.u32(), |_, update| update),
            (f, Element::F32) => {
                let (updates, out) = (updates.f32(), out.f32());
                let beyond = |is_better: bool, x: f32, update: f32| {
                    if is_better || update.is_nan() { update } else { x }
                };
                match f {
                    Combine::Add | Combine::Replace => self.apply(places, updates, out, |x, y| x + y),
                    Combine::Mul => self.apply(places, updates, out, |x, y| x * y),
                    Combine::Max => self.apply(places, updates, out, |x, y| beyond(y > x, x, y)),
                    Combine::Min => self.apply(places, updates, out, |x, y| beyond(y < x, x, y)),
                }
            }
            (f, Element::I32) => {
                let (updates, out) = (updates.i32(), out.i32());
                match f {
                    Combine::Add | Combine::Replace => self.apply(places, updates, out, i32::wrapping_add),
                    Combine::Mul => self.apply(places, updates, out, i32::wrapping_mul),
                    Combine::Max => self.apply(places, updates, out, i32::max),
                    Combine::Min => self.apply(places, updates, out, i32::min),
                }
            }
            (f, Element::U32 | Element::Bool) => {
                let (updates, out) = (updates.u32(), out.u32());
                match f {
                    Combine::Min => self.apply(places, updates, out, u32::min),
                    _ => self.apply(places, updates, out, u32::max),
                }
            }
        }
    }
}

impl Kernel {
    fn apply<T: Copy>(&self, places: &[i32], updates: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
        if self.row == 0 {
            return;
        }
        for (&index, updates) in places.iter().zip(updates.chunks_exact(self.row)) {
            let out = &mut out[place(index.into(), self.rows) * self.row..][..self.row];
            out.iter_mut()
                .zip(updates)
                .for_each(|(x, &update)| *x = f(*x, update));
        }
    }
}
