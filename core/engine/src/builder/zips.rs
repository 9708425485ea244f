//! Values computed from several, whose operands stretch to a common shape.
//!
//! The result lies in memory as the largest operand of a frame does. Of a constant of one repeated element, one is kept
//! where the others alone have the result's shape.

use super::bounds::Bounds;
use super::joins::common_order;
use super::order::Order;
use super::{Builder, Live, Symbol, too_wide};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Shape, ValueId};
use crate::ops::strides::broadcast;
use crate::ops::{Binary, Select, TensorOp, Unary, Zip};
use crate::tensor::{Data, Tensor};

impl Builder {
    /// A function of two elements.
    ///
    /// # Errors
    /// *Unsupported* when the function does not take such elements or shapes, and when a 64-bit integer may need more
    /// than the 32 bits that a frame has.
    pub fn zip(&mut self, f: Binary, a: &Symbol, b: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let op = TensorOp::Zip(Zip { f });
        let of = a.file_type();
        if of != b.file_type() {
            let message = format!("{} of {of} and {}", f.name(), b.file_type());
            return Err(ModelError::unsupported(place, message));
        }
        if let (Symbol::Known(a), Symbol::Known(b)) = (a, b) {
            let operands = [a.clone(), b.clone()];
            return self.fold(&op, &operands, place).map(Symbol::Known);
        }
        if let Some(image) = self.image_by_channel(f, a, b, place)? {
            return Ok(Symbol::Live(image));
        }
        if let (Binary::Add, Symbol::Live(a), Symbol::Live(b)) = (f, a, b)
            && let Some(sum) = self.image_sum(a, b, place)
        {
            return Ok(Symbol::Live(sum));
        }
        if let (Binary::Mul, Symbol::Live(a), Symbol::Live(b)) = (f, a, b) {
            let swish = self.image_swish(a, b, place);
            if let Some(swish) = swish.or_else(|| self.image_swish(b, a, place)) {
                return Ok(Symbol::Live(swish));
            }
        }
        let bounds = (bounds_of(a), bounds_of(b));
        let common = self.stretched(&[a, b], place)?;
        let result = match bounds {
            _ if f.is_comparison() => self.common_node(op, common, FileType::Bool, None, place)?,
            (Some(a), Some(b)) => self.integers(op, common, of, exact(f, a, b), place)?,
            _ => self.common_node(op, common, of, None, place)?,
        };
        Ok(Symbol::Live(result))
    }

    /// One of two elements: of `a` where the condition holds, else of `b`.
    ///
    /// # Errors
    /// *Unsupported* when the operands are of no such types or shapes.
    pub fn select(
        &mut self,
        condition: &Symbol,
        a: &Symbol,
        b: &Symbol,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let op = TensorOp::Select(Select);
        let of = a.file_type();
        if of != b.file_type() {
            let message = format!("Select of {of} and {}", b.file_type());
            return Err(ModelError::unsupported(place, message));
        }
        if let (Symbol::Known(condition), Symbol::Known(a), Symbol::Known(b)) = (condition, a, b) {
            let operands = [condition.clone(), a.clone(), b.clone()];
            return self.fold(&op, &operands, place).map(Symbol::Known);
        }
        let bounds = bounds_of(a).zip(bounds_of(b)).map(|(a, b)| a.union(b));
        let common = self.stretched(&[condition, a, b], place)?;
        self.common_node(op, common, of, bounds, place).map(Symbol::Live)
    }

    /// Operands as a node reads them, at least one of which is live, and the common shape to which they stretch.
    pub(super) fn stretched(&mut self, operands: &[&Symbol], place: &str) -> Result<Common, ModelError> {
        let unsupported = |message| ModelError::unsupported(place, message);
        let stretch = |except: Option<usize>| {
            let others = operands
                .iter()
                .enumerate()
                .filter(|&(index, _)| Some(index) != except);
            others
                .map(|(_, operand)| operand.shape())
                .try_fold(Shape::new(), |shape, other| broadcast(&shape, other))
        };
        let shape = stretch(None).map_err(unsupported)?;
        let rank = shape.len();
        let order = padded_order(&common_order(operands.iter().copied()), rank);
        let is_of_file = order == Order::identity(rank);
        let mut inputs = Vec::with_capacity(operands.len());
        for (index, &operand) in operands.iter().enumerate() {
            let id = match operand {
                Symbol::Known(tensor)
                    if let &Data::Splat(scalar) = tensor.data()
                        && stretch(Some(index)).as_ref() == Ok(&shape) =>
                {
                    let one = Tensor::new(tensor.file_type(), Shape::new(), Data::Splat(scalar));
                    let one = Symbol::Known(one.map_err(unsupported)?);
                    self.operand(&one, &Order::identity(0), place)?
                }
                // Axes that are missing in front need no name while they stay there.
                _ if is_of_file => {
                    let order = Order::identity(operand.shape().len());
                    self.operand(operand, &order, place)?
                }
                _ => {
                    let padded = self.padded(operand, rank, place)?;
                    self.operand(&padded, &order, place)?
                }
            };
            inputs.push(id);
        }
        Ok(Common { shape, order, inputs })
    }

    /// The value with sizes of 1 before its shape, so that it has this rank, which is not less than its own.
    fn padded(&mut self, x: &Symbol, rank: usize, place: &str) -> Result<Symbol, ModelError> {
        let mut shape = vec![1; rank - x.shape().len()];
        shape.extend(x.shape());
        match x {
            Symbol::Known(_) => self.reshape(x, shape, place),
            Symbol::Live(live) => Ok(Symbol::Live(Live {
                order: padded_order(&live.order, rank),
                shape,
                ..live.clone()
            })),
        }
    }

    /// A node of integers, whose results lie within `exact` if they do not wrap around.
    pub(super) fn integers(
        &mut self,
        op: TensorOp,
        common: Common,
        file_type: FileType,
        exact: Option<Bounds>,
        place: &str,
    ) -> Result<Live, ModelError> {
        let range = file_type.range().and_then(|(low, high)| Bounds::new(low, high));
        let is_within = |exact: Bounds| range.is_some_and(|range| range.union(exact) == range);
        match (exact, file_type) {
            (Some(exact), _) if is_within(exact) => {
                if !file_type.element().is_some_and(|element| exact.fit(element)) {
                    return Err(too_wide(place));
                }
                self.common_node(op, common, file_type, Some(exact), place)
            }
            (_, FileType::I64 | FileType::U64) => Err(too_wide(place)),
            // A word wraps around where these types do.
            (_, FileType::I32 | FileType::U32) => self.common_node(op, common, file_type, range, place),
            _ => {
                let word = self.common_node(op, common, file_type, exact, place)?;
                self.node(Unary::Cast(file_type), &word, file_type, range, place)
            }
        }
    }

    /// A node of operands that stretch to a common shape.
    pub(super) fn common_node(
        &mut self,
        op: TensorOp,
        common: Common,
        file_type: FileType,
        bounds: Option<Bounds>,
        place: &str,
    ) -> Result<Live, ModelError> {
        let Common { shape, order, inputs } = common;
        let id = self.push(op, inputs, place)?;
        Ok(Live {
            id,
            shape,
            order,
            file_type,
            bounds,
        })
    }
}

/// Operands of a node that stretch to a shape, and the order in which they lie in memory.
#[derive(Debug)]
pub(super) struct Common {
    shape: Shape,
    order: Order,
    inputs: Vec<ValueId>,
}

impl Common {
    /// Operands as they are.
    pub fn new(shape: Shape, order: Order, inputs: Vec<ValueId>) -> Self {
        Self { shape, order, inputs }
    }

    /// One operand.
    pub fn of(x: &Live) -> Self {
        Self {
            shape: x.shape.clone(),
            order: x.order.clone(),
            inputs: vec![x.id],
        }
    }

    /// The same operands of a result of another shape.
    pub fn with_shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }
}

/// The order of a value with sizes of 1 before its shape.
fn padded_order(order: &Order, rank: usize) -> Order {
    let added = rank - order.axes().len();
    let behind = order.axes().iter().map(|axis| axis + added);
    Order::new((0..added).chain(behind).collect()).unwrap_or_else(|| Order::identity(rank))
}

/// Between which integers the elements lie, of integers; of none, whatever one says.
pub(super) fn bounds_of(x: &Symbol) -> Option<Bounds> {
    let none = || x.file_type().range().and(Bounds::new(0, 0));
    x.bounds().or_else(none)
}

/// Between which integers the results lie, without wrapping around; `None` when they may leave 64 bits.
fn exact(f: Binary, a: Bounds, b: Bounds) -> Option<Bounds> {
    match f {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div => a.checked_div(b),
        Binary::Pow => a.checked_pow(b),
        Binary::Max => Some(a.max(b)),
        Binary::Min => Some(a.min(b)),
        Binary::Mod => Some(a.modulo(b)),
        Binary::Fmod => Some(a.remainder(b)),
        Binary::BitAnd | Binary::BitOr | Binary::BitXor => Some(a.bits(b)),
        Binary::ShiftLeft => a.checked_shift_left(b),
        Binary::ShiftRight => Some(a.shift_right(b)),
        // Not of integers, or not to integers.
        Binary::Equal
        | Binary::Less
        | Binary::LessOrEqual
        | Binary::Greater
        | Binary::GreaterOrEqual
        | Binary::And
        | Binary::Or
        | Binary::Xor
        | Binary::PRelu => None,
    }
}
