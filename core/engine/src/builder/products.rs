//! Products of matrices, one by one and along a sequence.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::error::ModelError;
use crate::graph::ValueId;
use crate::ops::strides::broadcast;
use crate::ops::{MatMul, Recurrent, TensorOp};
use crate::tensor::Tensor;

impl Builder {
    /// The product of `[.., m, k]` and `[.., k, n]`. A value of one axis is a row before the product or a column behind
    /// it, and that axis is none of the result.
    ///
    /// # Errors
    /// *Unsupported* when the shapes have no product, for what is no float, and where too much would be computed.
    pub fn matmul(&mut self, a: &Symbol, b: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let refused = || {
            let message = format!("a product of shapes {:?} and {:?}", a.shape(), b.shape());
            ModelError::unsupported(place, message)
        };
        if let Some(product) = self.dense(a, b, None, place)? {
            return Ok(product);
        }
        let [is_row, is_column] = [a, b].map(|x| x.shape().len() == 1);
        let (mut row, mut column) = (a.shape().to_vec(), b.shape().to_vec());
        if is_row {
            row.insert(0, 1);
        }
        if is_column {
            column.push(1);
        }
        let (a, b) = (self.reshape(a, row, place)?, self.reshape(b, column, place)?);
        let (of_a, of_b) = (a.shape().to_vec(), b.shape().to_vec());
        let ([.., m, k], [.., other_k, n]) = (&*of_a, &*of_b) else {
            return Err(refused());
        };
        if k != other_k || a.file_type() != b.file_type() {
            return Err(refused());
        }
        let fronts = [&of_a[..of_a.len() - 2], &of_b[..of_b.len() - 2]];
        let mut shape = broadcast(fronts[0], fronts[1]).map_err(|_| refused())?;
        shape.extend([*m, *n]);
        let product = match (&a, &b) {
            (Symbol::Known(a), Symbol::Known(b)) => {
                let op = TensorOp::MatMul(MatMul {
                    transposed: [false; 2],
                });
                self.fold(&op, &[a.clone(), b.clone()], place)
                    .map(Symbol::Known)?
            }
            _ => {
                let ((in_a, flips_a), (in_b, flips_b)) =
                    (self.matrices(&a, place)?, self.matrices(&b, place)?);
                let op = TensorOp::MatMul(MatMul {
                    transposed: [flips_a, flips_b],
                });
                let id = self.push(op, vec![in_a, in_b], place)?;
                Symbol::Live(Live {
                    id,
                    order: Order::identity(shape.len()),
                    shape: shape.clone(),
                    file_type: a.file_type(),
                    bounds: None,
                })
            }
        };
        // From behind, so that the other axis stays where it is.
        if is_column {
            shape.pop();
        }
        if is_row {
            shape.remove(shape.len() - usize::from(!is_column) - 1);
        }
        self.reshape(&product, shape, place)
    }

    /// A layer along a sequence, of the operands that [`Recurrent`] names.
    ///
    /// # Errors
    /// *Unsupported* when the operands are of no such types or shapes, or too much would be computed.
    pub fn recurrent(
        &mut self,
        op: Recurrent,
        operands: [&Symbol; 5],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let op = TensorOp::Recurrent(op);
        let known: Option<Vec<Tensor>> = operands.iter().map(|operand| operand.known().cloned()).collect();
        if let Some(known) = known {
            return self.fold(&op, &known, place).map(Symbol::Known);
        }
        let inputs = operands.map(|operand| {
            let order = Order::identity(operand.shape().len());
            self.operand(operand, &order, place)
        });
        let inputs = inputs.into_iter().collect::<Result<Vec<_>, _>>()?;
        let id = self.push(op, inputs, place)?;
        let shape = self.graph.shape(id).to_vec();
        Ok(Symbol::Live(Live {
            id,
            order: Order::identity(shape.len()),
            shape,
            file_type: operands[0].file_type(),
            bounds: None,
        }))
    }

    /// An operand in the order of the file, or with its last two axes the other way where it lies so.
    fn matrices(&mut self, x: &Symbol, place: &str) -> Result<(ValueId, bool), ModelError> {
        let rank = x.shape().len();
        let file = Order::identity(rank);
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        let flipped = Order::new(axes).unwrap_or_else(|| file.clone());
        let lies_in = |order: &Order| x.order().matches(order, x.shape());
        if lies_in(&flipped) && !lies_in(&file) {
            Ok((self.operand(x, &flipped, place)?, true))
        } else {
            Ok((self.operand(x, &file, place)?, false))
        }
    }
}
