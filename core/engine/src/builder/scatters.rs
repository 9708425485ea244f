//! Values with rows of others at listed places, and the order of a value's elements.

use super::bounds::Bounds;
use super::order::Order;
use super::zips::{Common, bounds_of};
use super::{Builder, Live, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::ops::{Combine, Scatter, Sort, TensorOp};
use crate::tensor::Tensor;

impl Builder {
    /// Rows of `[rows, ..]` combined with updates `[n, ..]` at places `[n]`.
    ///
    /// # Errors
    /// *Unsupported* when the operands are of no such types or shapes, a 64-bit integer may need more than the 32 bits
    /// that a frame has, or too much would be computed.
    pub fn scatter(
        &mut self,
        f: Combine,
        [x, places, updates]: [&Symbol; 3],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let op = TensorOp::Scatter(Scatter { f });
        let of = x.file_type();
        if of != updates.file_type() {
            let message = format!("a scatter of {} into {of}", updates.file_type());
            return Err(ModelError::unsupported(place, message));
        }
        let operands = [x, places, updates];
        let known: Option<Vec<Tensor>> = operands.iter().map(|operand| operand.known().cloned()).collect();
        if let Some(known) = known {
            return self.fold(&op, &known, place).map(Symbol::Known);
        }
        let inputs = operands.map(|operand| {
            let order = Order::identity(operand.shape().len());
            self.operand(operand, &order, place)
        });
        let inputs = inputs.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (shape, order) = (x.shape().to_vec(), Order::identity(x.shape().len()));
        let common = Common::new(shape, order, inputs);
        let n = places.shape().iter().product::<usize>() as i64;
        let bounds = bounds_of(x).zip(bounds_of(updates));
        let result = match bounds {
            None => self.common_node(op, common, of, None, place)?,
            Some((x, updates)) => {
                let exact = match f {
                    Combine::Replace | Combine::Max | Combine::Min => Some(x.union(updates)),
                    Combine::Add => Bounds::new(0, n)
                        .and_then(|n| updates.checked_mul(n))
                        .and_then(|sum| x.checked_add(sum)),
                    Combine::Mul => None,
                };
                self.integers(op, common, of, exact, place)?
            }
        };
        Ok(Symbol::Live(result))
    }

    /// Where the first few elements along an axis stand, in their order.
    ///
    /// # Errors
    /// *Unsupported* when there are fewer, or they have no order.
    pub fn sort(&mut self, op: Sort, x: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let live = match x {
            Symbol::Live(live) => live,
            Symbol::Known(tensor) => {
                return self
                    .fold(&TensorOp::Sort(op), std::slice::from_ref(tensor), place)
                    .map(Symbol::Known);
            }
        };
        let axis = live.order.place_of(op.axis).unwrap_or(op.axis);
        let id = self.push(TensorOp::Sort(Sort { axis, ..op }), vec![live.id], place)?;
        let mut shape = live.shape.clone();
        let size = std::mem::replace(&mut shape[op.axis], op.count);
        Ok(Symbol::Live(Live {
            id,
            shape,
            file_type: FileType::I64,
            bounds: Bounds::new(0, (size as i64 - 1).max(0)),
            ..live.clone()
        }))
    }
}
