//! Values of which one is made: they are brought into one order, and constants among them become operands.

use super::bounds::Bounds;
use super::order::Order;
use super::{Builder, Live, Part, Symbol};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, ValueId, element_count};
use crate::ops::{Border, Concat, Pad, TensorOp};
use crate::tensor::{Data, Scalar, Tensor};

impl Builder {
    /// Values one behind the other along an axis.
    ///
    /// # Errors
    /// *Invalid* when they are of different types, *unsupported* when their shapes do not fit together or there is no
    /// room for what is known.
    pub fn concat(&mut self, parts: &[Symbol], axis: usize, place: &str) -> Result<Symbol, ModelError> {
        let [first, ..] = parts else {
            return Err(ModelError::invalid(place, "it has no operands"));
        };
        let file_type = first.file_type();
        if let Some(other) = parts.iter().find(|part| part.file_type() != file_type) {
            let message = format!("{file_type} and {} in one tensor", other.file_type());
            return Err(ModelError::invalid(place, message));
        }
        if parts.len() == 1 {
            return Ok(first.clone());
        }
        let known: Option<Vec<Tensor>> = parts.iter().map(|part| part.known().cloned()).collect();
        if let Some(known) = known {
            let op = TensorOp::Concat(Concat { axis });
            return self.fold(&op, &known, place).map(Symbol::Known);
        }
        if let Some(image) = self.image_concat(parts, axis, place) {
            return Ok(image);
        }
        let order = common_order(parts);
        let rank = order.axes().len();
        let along = order
            .place_of(axis)
            .filter(|_| parts.iter().all(|part| part.shape().len() == rank));
        let along = along.ok_or_else(|| {
            let shapes: Vec<&[usize]> = parts.iter().map(Symbol::shape).collect();
            ModelError::unsupported(place, format!("shapes {shapes:?} along axis {axis}"))
        })?;
        let inputs = parts.iter().map(|part| self.operand(part, &order, place));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let id = self.push(TensorOp::Concat(Concat { axis: along }), inputs, place)?;
        let mut shape = first.shape().to_vec();
        shape[axis] = parts.iter().map(|part| part.shape()[axis]).sum();
        Ok(Symbol::Live(Live {
            id,
            shape,
            order,
            file_type,
            bounds: parts.iter().filter_map(Symbol::bounds).reduce(Bounds::union),
        }))
    }

    /// More elements around a value, or fewer: for each axis, how many before and after. `value` is what stands there for
    /// [`Border::Value`]; zero where there is none.
    ///
    /// # Errors
    /// *Invalid* when there are not two numbers for each axis, more is taken away than there is, or `value` is no element
    /// of such a type; *unsupported* when nothing can be repeated so, or there is no room for what is known.
    pub fn pad(
        &mut self,
        x: &Symbol,
        border: Border,
        amounts: &[(i64, i64)],
        value: Option<&Symbol>,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let refused =
            || ModelError::invalid(place, format!("amounts {amounts:?} around shape {:?}", x.shape()));
        if amounts.len() != x.shape().len() {
            return Err(refused());
        }
        let taken = |amount: i64| usize::try_from(amount.min(0).unsigned_abs()).ok();
        let parts = x.shape().iter().zip(amounts).map(|(&size, &(before, after))| {
            let (before, after) = (taken(before)?, taken(after)?);
            let left = size.checked_sub(before)?.checked_sub(after)?;
            Some(Part::of(before, left))
        });
        let parts: Vec<Part> = parts.collect::<Option<_>>().ok_or_else(refused)?;
        let cropped = self.slice(x, &parts, place)?;
        let added = |amount: i64| usize::try_from(amount.max(0)).ok();
        let added = amounts
            .iter()
            .map(|&(before, after)| Some((added(before)?, added(after)?)));
        let added: Vec<(usize, usize)> = added.collect::<Option<_>>().ok_or_else(refused)?;
        if added.iter().all(|&pair| pair == (0, 0)) {
            return Ok(cropped);
        }
        let zero;
        let value = match (border, value) {
            (Border::Value, None) => {
                zero = Symbol::Known(zero_like(x, place)?);
                Some(&zero)
            }
            (Border::Value, Some(value)) => {
                if value.file_type() != x.file_type() || element_count(value.shape()) != 1 {
                    let message = format!("{} of shape {:?} as a border", value.file_type(), value.shape());
                    return Err(ModelError::invalid(place, message));
                }
                Some(value)
            }
            (Border::Reflect | Border::Edge | Border::Wrap, _) => None,
        };
        let operands: Vec<&Symbol> = [&cropped].into_iter().chain(value).collect();
        let known: Option<Vec<Tensor>> = operands.iter().map(|operand| operand.known().cloned()).collect();
        if let Some(known) = known {
            let op = TensorOp::Pad(Pad {
                border,
                amounts: added,
            });
            return self.fold(&op, &known, place).map(Symbol::Known);
        }
        let order = cropped.order();
        let op = TensorOp::Pad(Pad {
            border,
            amounts: order.axes().iter().map(|&axis| added[axis]).collect(),
        });
        let mut inputs = vec![self.operand(&cropped, &order, place)?];
        if let Some(value) = value {
            inputs.push(self.operand(value, &Order::identity(value.shape().len()), place)?);
        }
        let id = self.push(op, inputs, place)?;
        let sizes = cropped.shape().iter().zip(&added);
        Ok(Symbol::Live(Live {
            id,
            shape: sizes
                .map(|(size, (before, after))| before + size + after)
                .collect(),
            order,
            file_type: x.file_type(),
            bounds: operands
                .into_iter()
                .filter_map(Symbol::bounds)
                .reduce(Bounds::union),
        }))
    }

    /// The value as an operand of a node, in an order of its axes in memory.
    pub(super) fn operand(&mut self, x: &Symbol, order: &Order, place: &str) -> Result<ValueId, ModelError> {
        let source = match x {
            Symbol::Live(live) => return Ok(self.ordered(live, order.clone(), place)?.id),
            Symbol::Known(source) => source,
        };
        // The same constant is there once, however many nodes read it.
        let key = address(source).map(|at| (at, source.shape().to_vec(), order.axes().to_vec()));
        if let Some((_, id)) = key.as_ref().and_then(|key| self.constants.get(key)) {
            return Ok(*id);
        }
        let Symbol::Known(tensor) = self.transpose(x, order.axes(), place)? else {
            return Err(ModelError::unsupported(place, "a constant depends on the frame"));
        };
        if !matches!(tensor.data(), Data::Float(_)) {
            self.write_out(tensor.len(), place)?;
        }
        let id = self.constant(tensor, place, place)?;
        if let Some(key) = key {
            // The source stays, so that no other comes to lie in its place.
            self.constants.insert(key, (source.clone(), id));
        }
        Ok(id)
    }
}

/// A constant of the graph: where its elements lie while the model is read, its shape in the file, and its order.
pub(super) type ConstantKey = (usize, Shape, Vec<usize>);

/// Where the elements of a tensor lie; `None` when they are one.
fn address(tensor: &Tensor) -> Option<usize> {
    match tensor.data() {
        Data::Float(data) => Some(data.as_ptr().addr()),
        Data::Int(data) => Some(data.as_ptr().addr()),
        Data::Bool(data) => Some(data.as_ptr().addr()),
        Data::Splat(_) => None,
    }
}

impl Symbol {
    /// What it is, when that is known.
    pub fn known(&self) -> Option<&Tensor> {
        match self {
            Symbol::Known(tensor) => Some(tensor),
            Symbol::Live(_) => None,
        }
    }

    /// Its axes in the order in which they lie in memory, from the outermost to the innermost.
    pub fn axes_in_memory(&self) -> Vec<usize> {
        self.order().axes().to_vec()
    }

    /// Between which integers its elements lie; `None` when they are no integers or there are none.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        match self {
            Symbol::Known(tensor) => Bounds::of_tensor(tensor),
            Symbol::Live(live) => live.bounds,
        }
    }

    /// The order in which it lies in memory.
    pub(super) fn order(&self) -> Order {
        match self {
            Symbol::Known(tensor) => Order::identity(tensor.shape().len()),
            Symbol::Live(live) => live.order.clone(),
        }
    }
}

/// The order of the largest value that is computed for each frame: of it, the most would have to be moved.
pub(super) fn common_order<'a>(values: impl IntoIterator<Item = &'a Symbol>) -> Order {
    let live = values.into_iter().filter(|value| value.known().is_none());
    let largest = live.max_by_key(|value| element_count(value.shape()));
    largest.map_or_else(|| Order::identity(0), Symbol::order)
}

fn zero_like(x: &Symbol, place: &str) -> Result<Tensor, ModelError> {
    let file_type = x.file_type();
    let zero = match file_type.element() {
        Some(Element::F32) => Scalar::Float(0.0),
        Some(Element::Bool) => Scalar::Bool(false),
        Some(Element::I32 | Element::U32) | None => Scalar::Int(0),
    };
    Tensor::new(file_type, Vec::new(), Data::Splat(zero))
        .map_err(|message| ModelError::unsupported(place, message))
}
