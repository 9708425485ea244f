//! Convolutions of `[batch, channels, sizes..]`, which a file keeps with their channels in front and memory behind.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::error::ModelError;
use crate::graph::Shape;
use crate::ops::{Convolve, TensorOp, TypeRef};
use crate::tensor::Tensor;

/// What a convolution computes with, in the order of a file: x is `[batch, channels, sizes..]`, weights are
/// `[outputs, channels / groups, taps..]`, or transposed `[channels, outputs / groups, taps..]`, the bias `[outputs]`.
#[derive(Clone, Copy, Debug)]
pub struct Convolved<'a> {
    /// What is convolved.
    pub x: &'a Symbol,
    /// By what.
    pub weights: &'a Symbol,
    /// Added after.
    pub bias: Option<&'a Symbol>,
}

impl Builder {
    /// A convolution; the result is `[batch, outputs, sizes..]`.
    ///
    /// # Errors
    /// *Unsupported* when the operands are of no such types or shapes, and where too much would be computed.
    pub fn convolve(
        &mut self,
        convolution: &Convolve,
        operands: Convolved<'_>,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let Convolved { x, weights, bias } = operands;
        let of = x.file_type();
        let (rank, groups) = (x.shape().len(), convolution.groups);
        let fits = rank == convolution.axes.len() + 2
            && weights.shape().len() == rank
            && groups > 0
            && weights.shape()[0].is_multiple_of(groups)
            && [Some(weights), bias]
                .into_iter()
                .flatten()
                .all(|operand| operand.file_type() == of);
        if !fits {
            let message = format!(
                "a convolution of {of} {:?} by {} {:?} in {groups} groups",
                x.shape(),
                weights.file_type(),
                weights.shape()
            );
            return Err(ModelError::unsupported(place, message));
        }
        let op = TensorOp::Convolve(convolution.clone());
        let in_order = Order::channels_last(rank).in_memory(x.shape());
        let (first, second) = (weights.shape()[0], weights.shape()[1]);
        let mut taps = weights.shape()[2..].to_vec();
        taps.extend(match convolution.transposed {
            true => [first / groups, second * groups],
            false => [second, first],
        });
        let types = [(x, &*in_order), (weights, &*taps)].map(|(symbol, shape)| TypeRef {
            shape,
            ..super::of_symbol(symbol)
        });
        let types: Vec<TypeRef<'_>> = types.into_iter().chain(bias.map(super::of_symbol)).collect();
        op.infer(&types)
            .map_err(|message| ModelError::unsupported(place, message))?;
        if let Some(image) = self.image_convolution(convolution, operands, place)? {
            return Ok(image);
        }
        let x = self.transpose(x, Order::channels_last(rank).axes(), place)?;
        let weights = self.taps_first(convolution, weights, place)?;
        let operands: Vec<Symbol> = [x, weights].into_iter().chain(bias.cloned()).collect();
        let known: Option<Vec<Tensor>> = operands.iter().map(|operand| operand.known().cloned()).collect();
        let result = match known {
            Some(known) => Symbol::Known(self.fold(&op, &known, place)?),
            None => {
                let inputs = operands.iter().map(|operand| {
                    let order = Order::identity(operand.shape().len());
                    self.operand(operand, &order, place)
                });
                let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
                let id = self.push(op, inputs, place)?;
                let shape = self.graph.shape(id).to_vec();
                Symbol::Live(Live {
                    id,
                    order: Order::identity(rank),
                    shape,
                    file_type: of,
                    bounds: None,
                })
            }
        };
        let channels_first: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
        self.transpose(&result, &channels_first, place)
    }

    /// Weights of a file as `[taps.., channels / groups, outputs]`.
    fn taps_first(&mut self, op: &Convolve, weights: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let rank = weights.shape().len();
        let taps = 2..rank;
        if !op.transposed {
            let axes: Vec<usize> = taps.chain([1, 0]).collect();
            return self.transpose(weights, &axes, place);
        }
        // The groups are outer parts of the channels here, and of the outputs there.
        let (channels, outputs) = (weights.shape()[0] / op.groups, weights.shape()[1]);
        let mut split = vec![op.groups, channels, outputs];
        split.extend_from_slice(&weights.shape()[2..]);
        let mut shape: Shape = weights.shape()[2..].to_vec();
        shape.extend([channels, op.groups * outputs]);
        let split = self.reshape(weights, split, place)?;
        let axes: Vec<usize> = taps.map(|axis| axis + 1).chain([1, 0, 2]).collect();
        let turned = self.transpose(&split, &axes, place)?;
        self.reshape(&turned, shape, place)
    }
}
