//! Values of which each element is made of many along some axes.

use super::bounds::Bounds;
use super::zips::Common;
use super::{Builder, Live, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::element_count;
use crate::ops::{ArgReduce, Fold, LocalNorm, Measure, Norm, Reduce, Scan, TensorOp};
use crate::tensor::{Data, Tensor};

impl Builder {
    /// One number of all elements along some axes, which become axes of size 1.
    ///
    /// # Errors
    /// *Unsupported* when the number is not one of such elements, a 64-bit integer may need more than the 32 bits that a
    /// frame has, or too much would be computed.
    pub fn reduce(&mut self, f: Fold, x: &Symbol, axes: &[usize], place: &str) -> Result<Symbol, ModelError> {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        let sizes = axes.iter().filter_map(|&axis| x.shape().get(axis));
        let count: usize = sizes.product();
        let live = match x {
            Symbol::Live(live) if count > 0 => live,
            // The number of nothing is known, whatever a frame brings.
            _ => {
                let x = &known_or_empty(x, place)?;
                let op = TensorOp::Reduce(Reduce { f, axes });
                return self.fold(&op, std::slice::from_ref(x), place).map(Symbol::Known);
            }
        };
        let exact = live.bounds.map(|bounds| bounds_of(f, bounds, count));
        let mut shape = live.shape.clone();
        for &axis in &axes {
            shape[axis] = 1;
        }
        let op = TensorOp::Reduce(Reduce {
            f,
            axes: self.in_memory(live, &axes),
        });
        let operand = Common::of(live).with_shape(shape);
        let result = match exact {
            None => self.common_node(op, operand, live.file_type, None, place),
            Some(exact) => self.integers(op, operand, live.file_type, exact, place),
        };
        result.map(Symbol::Live)
    }

    /// Where along an axis, which becomes one of size 1, the greatest or least element stands; of equal ones the first or
    /// the last.
    ///
    /// # Errors
    /// *Unsupported* when the axis has no elements or they have no order, or too much would be computed.
    pub fn arg_reduce(&mut self, op: ArgReduce, x: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let live = match x {
            Symbol::Live(live) => live,
            Symbol::Known(tensor) => {
                return self
                    .fold(&TensorOp::ArgReduce(op), std::slice::from_ref(tensor), place)
                    .map(Symbol::Known);
            }
        };
        let size = live.shape.get(op.axis).copied().unwrap_or(0);
        let own = ArgReduce {
            axis: self.in_memory(live, &[op.axis])[0],
            ..op
        };
        let id = self.push(TensorOp::ArgReduce(own), vec![live.id], place)?;
        let mut shape = live.shape.clone();
        shape[op.axis] = 1;
        Ok(Symbol::Live(Live {
            id,
            shape,
            file_type: FileType::I64,
            bounds: Bounds::new(0, size as i64 - 1),
            ..live.clone()
        }))
    }

    /// For each element the sum or product of those up to it along an axis.
    ///
    /// # Errors
    /// As [`Self::reduce`].
    pub fn scan(&mut self, op: Scan, x: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let live = match x {
            Symbol::Live(live) if element_count(&live.shape) > 0 => live,
            _ => {
                let x = &known_or_empty(x, place)?;
                let result = self.fold(&TensorOp::Scan(op), std::slice::from_ref(x), place);
                return result.map(Symbol::Known);
            }
        };
        let size = live.shape.get(op.axis).copied().unwrap_or(0);
        let (f, none) = if op.product {
            (Fold::Prod, 1)
        } else {
            (Fold::Sum, 0)
        };
        // Of one element up to all; the first may be of nothing.
        let exact = live.bounds.map(|bounds| {
            let all = bounds_of(f, bounds, size)?;
            Some(all.union(bounds).union(Bounds::new(none, none)?))
        });
        let own = Scan {
            axis: self.in_memory(live, &[op.axis])[0],
            ..op
        };
        let (op, operand) = (TensorOp::Scan(own), Common::of(live));
        let result = match exact {
            None => self.common_node(op, operand, live.file_type, None, place),
            Some(exact) => self.integers(op, operand, live.file_type, exact, place),
        };
        result.map(Symbol::Live)
    }

    /// Each element by the measure of all that share its place outside of some axes.
    ///
    /// # Errors
    /// *Unsupported* for what is no float, and where too much would be computed.
    pub fn norm(
        &mut self,
        f: Measure,
        x: &Symbol,
        axes: &[usize],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        match x {
            Symbol::Known(tensor) => {
                let op = TensorOp::Norm(Norm { f, axes });
                self.fold(&op, std::slice::from_ref(tensor), place)
                    .map(Symbol::Known)
            }
            Symbol::Live(live) => {
                let axes = self.in_memory(live, &axes);
                let id = self.push(TensorOp::Norm(Norm { f, axes }), vec![live.id], place)?;
                Ok(Symbol::Live(Live { id, ..live.clone() }))
            }
        }
    }

    /// Each element by those near it along an axis.
    ///
    /// # Errors
    /// As [`Self::norm`].
    pub fn local_norm(&mut self, op: LocalNorm, x: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        match x {
            Symbol::Known(tensor) => self
                .fold(&TensorOp::LocalNorm(op), std::slice::from_ref(tensor), place)
                .map(Symbol::Known),
            Symbol::Live(live) => {
                let axis = self.in_memory(live, &[op.axis])[0];
                let id = self.push(
                    TensorOp::LocalNorm(LocalNorm { axis, ..op }),
                    vec![live.id],
                    place,
                )?;
                Ok(Symbol::Live(Live { id, ..live.clone() }))
            }
        }
    }

    /// Which axes in memory some axes of the file are, ascending.
    fn in_memory(&self, x: &Live, axes: &[usize]) -> Vec<usize> {
        // An axis that is none stays what it is, and the operator refuses it.
        let of = |&axis: &usize| x.order.place_of(axis).unwrap_or(axis);
        let mut axes: Vec<usize> = axes.iter().map(of).collect();
        axes.sort_unstable();
        axes
    }
}

/// What is known of a value, which is all of it when it has no elements.
fn known_or_empty(x: &Symbol, place: &str) -> Result<Tensor, ModelError> {
    match x {
        Symbol::Known(tensor) => Ok(tensor.clone()),
        Symbol::Live(live) => {
            let data = match live.file_type {
                FileType::F32 | FileType::F16 | FileType::BF16 | FileType::F64 => Data::Float([].into()),
                FileType::Bool => Data::Bool([].into()),
                _ => Data::Int([].into()),
            };
            let tensor = Tensor::new(live.file_type, live.shape.clone(), data);
            tensor.map_err(|message| ModelError::unsupported(place, message))
        }
    }
}

/// Between which integers a number of `count` elements lies, when nothing wraps around; `None` when it may leave 64 bits.
fn bounds_of(f: Fold, x: Bounds, count: usize) -> Option<Bounds> {
    let count = count as i64;
    let times = |bounds: Bounds| bounds.checked_mul(Bounds::new(count, count)?);
    match f {
        Fold::Sum => times(x),
        Fold::L1 => times(x.checked_abs()?),
        Fold::SumSquare => {
            let size = x.checked_abs()?;
            times(size.checked_mul(size)?)
        }
        Fold::Prod => x.checked_pow(Bounds::new(count, count)?),
        Fold::Max | Fold::Min | Fold::Mean | Fold::L2 | Fold::LogSum | Fold::LogSumExp => Some(x),
    }
}
