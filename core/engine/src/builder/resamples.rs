//! Weighted sums of a value's elements: along an axis, and at places between elements.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::error::ModelError;
use crate::graph::{Bilinear, Op};
use crate::ops::{GridSample, Resample, TensorOp};
use crate::tensor::Tensor;

impl Builder {
    /// Weighted sums along an axis, by tables `[results, taps]` of places and weights.
    ///
    /// # Errors
    /// *Unsupported* for what is no float, for other tables, and where too much would be computed.
    pub fn resample(
        &mut self,
        x: &Symbol,
        axis: usize,
        [places, weights]: [Tensor; 2],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let live = match x {
            Symbol::Live(live) => live,
            Symbol::Known(tensor) => {
                let op = TensorOp::Resample(Resample { axis });
                let operands = [tensor.clone(), places, weights];
                return self.fold(&op, &operands, place).map(Symbol::Known);
            }
        };
        let mut shape = live.shape.clone();
        if let (Some(size), Some(&results)) = (shape.get_mut(axis), places.shape().first()) {
            *size = results;
        }
        let along = live.order.place_of(axis).unwrap_or(axis);
        let tables = [places, weights].map(Symbol::Known);
        let [places, weights] = tables.map(|table| self.operand(&table, &Order::identity(2), place));
        let op = TensorOp::Resample(Resample { axis: along });
        let id = self.push(op, vec![live.id, places?, weights?], place)?;
        Ok(Symbol::Live(Live {
            id,
            shape,
            ..live.clone()
        }))
    }

    /// An image, `[1, channels, rows, columns]`, in another size; `None` when it is none or does not lie as images do.
    ///
    /// # Errors
    /// As [`Self::image_node`].
    pub fn resize_image(
        &mut self,
        x: &Symbol,
        bilinear: Bilinear,
        size: [usize; 2],
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let &[_, channels, ..] = x.shape() else {
            return Ok(None);
        };
        if x.shape().len() != 4 || !self.lies_as_image(x) {
            return Ok(None);
        }
        let Some(image) = self.image(x, place)? else {
            return Ok(None);
        };
        let shape = [1, channels, size[0], size[1]];
        let op = Op::ResizeBilinear(bilinear);
        let resized = self.image_node(op, vec![image], x.file_type(), &shape, place)?;
        Ok(Some(resized))
    }

    /// An image `[batch, channels, ..]` at the places that a grid `[batch, .., n]` says.
    ///
    /// # Errors
    /// *Unsupported* when the operands are of no such types or shapes, or too much would be computed.
    pub fn grid_sample(
        &mut self,
        op: GridSample,
        x: &Symbol,
        grid: &Symbol,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let rank = x.shape().len();
        let order = Order::channels_last(rank);
        let op = TensorOp::GridSample(op);
        if let (Some(known), Some(grid)) = (x.known(), grid.known()) {
            let image = known.permuted(order.axes());
            let image = image.map_err(|message| ModelError::unsupported(place, message))?;
            let result = self.fold(&op, &[image, grid.clone()], place)?;
            let mut back: Vec<usize> = (0..rank - 1).collect();
            back.insert(1, rank - 1);
            return self.transpose(&Symbol::Known(result), &back, place);
        }
        let inputs = vec![
            self.operand(x, &order, place)?,
            self.operand(grid, &Order::identity(grid.shape().len()), place)?,
        ];
        let id = self.push(op, inputs, place)?;
        let in_memory = self.graph.shape(id).to_vec();
        let mut shape = in_memory.clone();
        for (&axis, size) in order.axes().iter().zip(in_memory) {
            shape[axis] = size;
        }
        Ok(Symbol::Live(Live {
            id,
            shape,
            order,
            file_type: x.file_type(),
            bounds: None,
        }))
    }

    /// Whether a value lies in memory with its channels last, so that taking it as an image moves nothing.
    pub(super) fn lies_as_image(&self, x: &Symbol) -> bool {
        let order = Order::channels_last(x.shape().len());
        matches!(x, Symbol::Live(_)) && x.order().matches(&order, x.shape())
    }
}
