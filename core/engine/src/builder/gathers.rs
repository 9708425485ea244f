//! Values read at places that another value says.

use super::joins::common_order;
use super::order::Order;
use super::zips::bounds_of;
use super::{Builder, Live, Symbol};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::{Gather, Names, TensorOp, TypeRef};

impl Builder {
    /// What `indices` name along an axis.
    ///
    /// # Errors
    /// *Invalid* when there is no such axis or a known index names nothing; *unsupported* when the operands are of no
    /// such types or shapes.
    pub fn gather(
        &mut self,
        x: &Symbol,
        indices: &Symbol,
        axis: usize,
        names: Names,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let unsupported = |message| ModelError::unsupported(place, message);
        let size = x.shape().get(axis).copied();
        let size =
            size.ok_or_else(|| ModelError::invalid(place, format!("{:?} has no axis {axis}", x.shape())))?;
        if let (Some(_), Some(bounds)) = (indices.known(), indices.bounds()) {
            let size = size as i64;
            let outside = [bounds.low(), bounds.high()]
                .into_iter()
                .find(|index| !(-size..size).contains(index));
            if let Some(index) = outside {
                let message = format!("index {index} along an axis of {size}");
                return Err(ModelError::invalid(place, message));
            }
        }
        let in_file = Gather { axis, names };
        if let (Some(x), Some(indices)) = (x.known(), indices.known()) {
            let operands = [x.clone(), indices.clone()];
            return self
                .fold(&TensorOp::Gather(in_file), &operands, place)
                .map(Symbol::Known);
        }
        let logical = [x, indices].map(|operand| TypeRef {
            element: operand.file_type().element().unwrap_or(Element::I32),
            shape: operand.shape(),
        });
        let shape = TensorOp::Gather(in_file)
            .infer(&logical)
            .map_err(unsupported)?
            .shape;
        let (order_of_x, order_of_indices, order) = match names {
            Names::Slices => {
                let (of_x, added) = (x.order(), indices.shape().len());
                let axes = of_x.axes().iter().flat_map(|&own| match own {
                    own if own < axis => own..own + 1,
                    own if own == axis => axis..axis + added,
                    own => own + added - 1..own + added,
                });
                let order = Order::new(axes.collect());
                let order = order.unwrap_or_else(|| Order::identity(shape.len()));
                (of_x, Order::identity(added), order)
            }
            // They are of one rank.
            Names::Elements => {
                let order = common_order([x, indices]);
                (order.clone(), order.clone(), order)
            }
        };
        let along = order_of_x.place_of(axis).unwrap_or(axis);
        let inputs = vec![
            self.operand(x, &order_of_x, place)?,
            self.operand(indices, &order_of_indices, place)?,
        ];
        let op = TensorOp::Gather(Gather { axis: along, names });
        Ok(Symbol::Live(Live {
            id: self.push(op, inputs, place)?,
            shape,
            order,
            file_type: x.file_type(),
            bounds: bounds_of(x),
        }))
    }
}
