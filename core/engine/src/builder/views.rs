//! Values read in another order, another shape, or at other places. What only gives the same memory other names takes no
//! node.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::ops::strides::broadcast;
use crate::ops::{TensorOp, View};
use crate::tensor::Data;

/// One axis of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    size: usize,
    /// How many elements of memory a step moves.
    stride: isize,
}

/// A part of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The element that comes first.
    pub start: usize,
    /// From one element to the next; below zero backwards.
    pub step: isize,
    /// How many there are.
    pub size: usize,
}

impl Part {
    /// Elements one behind the other.
    pub fn of(start: usize, size: usize) -> Self {
        Self { start, step: 1, size }
    }
}

impl Builder {
    /// The same elements under another shape.
    ///
    /// # Errors
    /// *Invalid* when the shape has another number of elements.
    pub fn reshape(&mut self, x: &Symbol, shape: Shape, place: &str) -> Result<Symbol, ModelError> {
        let invalid = |message| ModelError::invalid(place, message);
        let live = match x {
            Symbol::Known(tensor) => {
                return tensor.clone().reshaped(shape).map(Symbol::Known).map_err(invalid);
            }
            Symbol::Live(live) => live,
        };
        if live.shape == shape {
            return Ok(x.clone());
        }
        if bounded_element_count(&shape) != Some(element_count(&live.shape)) {
            let message = format!("a reshape cannot turn {:?} into {shape:?}", live.shape);
            return Err(invalid(message));
        }
        let reshaped = match live.order.reshaped(&live.shape, &shape) {
            Some(order) => Live {
                shape,
                order,
                ..live.clone()
            },
            None => {
                let order = live.order.next_to(&live.shape, &shape);
                let moved = self.ordered(live, order, place)?;
                let order = moved.order.reshaped(&moved.shape, &shape).ok_or_else(|| {
                    ModelError::unsupported(place, format!("a reshape of {:?} to {shape:?}", live.shape))
                })?;
                Live {
                    shape,
                    order,
                    ..moved
                }
            }
        };
        Ok(Symbol::Live(self.settled(reshaped, place)))
    }

    /// The value whose axis `k` is this one's axis `axes[k]`.
    ///
    /// # Errors
    /// *Invalid* unless `axes` names each axis once, *unsupported* where too much would be computed.
    pub fn transpose(&mut self, x: &Symbol, axes: &[usize], place: &str) -> Result<Symbol, ModelError> {
        let order = Order::identity(x.shape().len()).transposed(axes);
        let order = order.ok_or_else(|| {
            let message = format!("{axes:?} does not order the axes of {:?}", x.shape());
            ModelError::invalid(place, message)
        })?;
        let shape = axes.iter().map(|&axis| x.shape()[axis]).collect();
        match x {
            Symbol::Live(live) => {
                let order = live.order.transposed(axes).unwrap_or(order);
                Ok(Symbol::Live(Live {
                    shape,
                    order,
                    ..live.clone()
                }))
            }
            Symbol::Known(tensor) => {
                let lies_so = Order::new(axes.to_vec())
                    .is_some_and(|order| order.matches(&Order::identity(axes.len()), tensor.shape()));
                if lies_so {
                    return self.reshape(x, shape, place);
                }
                let is_one = matches!(tensor.data(), Data::Splat(_));
                self.compute(if is_one { 1 } else { tensor.len() }, place)?;
                let turned = tensor.permuted(axes);
                let turned = turned.map_err(|message| ModelError::invalid(place, message))?;
                Ok(Symbol::Known(turned))
            }
        }
    }

    /// A part of each axis.
    ///
    /// # Errors
    /// *Invalid* unless there is a part for each axis, within it; *unsupported* where too much would be computed.
    pub fn slice(&mut self, x: &Symbol, parts: &[Part], place: &str) -> Result<Symbol, ModelError> {
        let refused = || ModelError::invalid(place, format!("{parts:?} of shape {:?}", x.shape()));
        let own = axes_of(x);
        if parts.len() != own.len() {
            return Err(refused());
        }
        let (mut offset, mut axes) = (0, Vec::with_capacity(own.len()));
        for (part, axis) in parts.iter().zip(&own) {
            let last = match part.size {
                0 => Some(0),
                size => part.step.checked_mul(size as isize - 1),
            };
            let last = last.and_then(|reach| part.start.checked_add_signed(reach));
            let is_within = |place: usize| part.size == 0 || place < axis.size;
            if !is_within(part.start) || !last.is_some_and(is_within) {
                return Err(refused());
            }
            let (step, start) = match part.size {
                0 => (1, 0),
                1 => (1, part.start),
                _ => (part.step, part.start),
            };
            offset += start * axis.stride.unsigned_abs();
            axes.push(Axis {
                size: part.size,
                stride: axis.stride * step,
            });
        }
        self.viewed(x, offset, &axes, x.order(), place)
    }

    /// The elements whose places along two axes are equal; the second axis is dropped.
    ///
    /// # Errors
    /// *Invalid* unless there are two such axes of one size, the first of them before the second; *unsupported* where too
    /// much would be computed.
    pub fn diagonal(&mut self, x: &Symbol, [a, b]: [usize; 2], place: &str) -> Result<Symbol, ModelError> {
        let mut axes = axes_of(x);
        if a >= b || b >= axes.len() || axes[a].size != axes[b].size {
            let message = format!("a diagonal of {:?} along {a} and {b}", x.shape());
            return Err(ModelError::invalid(place, message));
        }
        axes[a].stride += axes.remove(b).stride;
        let order = x.order();
        let left = order.axes().iter().filter(|&&axis| axis != b);
        let order = Order::new(left.map(|&axis| axis - usize::from(axis > b)).collect());
        let order = order.unwrap_or_else(|| Order::identity(axes.len()));
        self.viewed(x, 0, &axes, order, place)
    }

    /// The value as it stretches to the shape that it has in common with another, as NumPy broadcasts them.
    ///
    /// # Errors
    /// *Unsupported* when they have none or too much would be computed.
    pub fn expand(&mut self, x: &Symbol, with: &[usize], place: &str) -> Result<Symbol, ModelError> {
        let shape = broadcast(x.shape(), with);
        let shape = shape.map_err(|message| ModelError::unsupported(place, message))?;
        let own = axes_of(x);
        let added = shape.len() - own.len();
        let axes: Vec<Axis> = (0..shape.len())
            .map(|axis| {
                let own = axis.checked_sub(added).map(|axis| own[axis]);
                let stride = own.filter(|own| own.size != 1).map_or(0, |own| own.stride);
                Axis {
                    size: shape[axis],
                    stride,
                }
            })
            .collect();
        let order = x.order();
        let behind = order.axes().iter().map(|axis| axis + added);
        let order = Order::new((0..added).chain(behind).collect());
        let order = order.unwrap_or_else(|| Order::identity(shape.len()));
        self.viewed(x, 0, &axes, order, place)
    }

    /// The value, each axis of it as often as `repeats` says.
    ///
    /// # Errors
    /// *Invalid* unless there is a number for each axis, *unsupported* where too much would be computed.
    pub fn tile(&mut self, x: &Symbol, repeats: &[usize], place: &str) -> Result<Symbol, ModelError> {
        self.multiplied(x, repeats, false, place)
    }

    /// The value, each element of it as often as `repeats` says for each axis.
    ///
    /// # Errors
    /// As [`Self::tile`].
    pub fn repeat(&mut self, x: &Symbol, repeats: &[usize], place: &str) -> Result<Symbol, ModelError> {
        self.multiplied(x, repeats, true, place)
    }

    fn multiplied(
        &mut self,
        x: &Symbol,
        repeats: &[usize],
        is_by_element: bool,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let own = axes_of(x);
        if repeats.len() != own.len() {
            let message = format!("{repeats:?} repeats of shape {:?}", x.shape());
            return Err(ModelError::invalid(place, message));
        }
        let sizes = repeats.iter().zip(&own).map(|(n, axis)| n.checked_mul(axis.size));
        let shape = sizes.collect::<Option<Shape>>().ok_or_else(|| {
            ModelError::unsupported(place, format!("{repeats:?} repeats of shape {:?}", x.shape()))
        })?;
        // An axis that is repeated is two: which repetition, and where in it, or the other way round. An axis of one
        // element stretches.
        let (mut axes, mut first) = (Vec::new(), Vec::new());
        for (&repeat, &axis) in repeats.iter().zip(&own) {
            first.push(axes.len());
            let is_one = axis.size == 1 || repeat == 1;
            let stretched = Axis {
                size: repeat,
                stride: 0,
            };
            match (is_one, axis.size) {
                (true, 1) => axes.push(stretched),
                (true, _) => axes.push(axis),
                (false, _) if is_by_element => axes.extend([axis, stretched]),
                (false, _) => axes.extend([stretched, axis]),
            }
        }
        let end = |axis: usize| first.get(axis + 1).copied().unwrap_or(axes.len());
        let order = x.order();
        let order = order.axes().iter().flat_map(|&axis| first[axis]..end(axis));
        let order = Order::new(order.collect()).unwrap_or_else(|| Order::identity(axes.len()));
        let tiled = self.viewed(x, 0, &axes, order, place)?;
        self.reshape(&tiled, shape, place)
    }

    /// The value as the file orders its axes.
    pub(super) fn in_file_order(&mut self, x: &Live, place: &str) -> Result<Live, ModelError> {
        self.ordered(x, Order::identity(x.shape.len()), place)
    }

    /// The value in an order of its axes in memory.
    pub(super) fn ordered(&mut self, x: &Live, order: Order, place: &str) -> Result<Live, ModelError> {
        if x.order.matches(&order, &x.shape) {
            let same = Live { order, ..x.clone() };
            return Ok(self.settled(same, place));
        }
        self.view_of(x, 0, &memory_axes(x), order, place)
    }

    /// The value as a node reads it: its shape in the graph is that of its axes in memory.
    pub(super) fn settled(&mut self, x: Live, place: &str) -> Live {
        if *self.graph.shape(x.id) == x.order.in_memory(&x.shape) {
            x
        } else {
            self.renamed(&x, place, place)
        }
    }

    /// The elements at places that `axes` says, in the order of the file. What is live lies in memory in an order.
    fn viewed(
        &mut self,
        x: &Symbol,
        offset: usize,
        axes: &[Axis],
        order: Order,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        match x {
            Symbol::Live(live) => self.view_of(live, offset, axes, order, place).map(Symbol::Live),
            Symbol::Known(tensor) => {
                let view = View {
                    shape: axes.iter().map(|axis| axis.size).collect(),
                    offset,
                    strides: axes.iter().map(|axis| axis.stride).collect(),
                };
                if is_whole(&view, tensor.len()) {
                    return self.reshape(x, view.shape, place);
                }
                self.fold(&TensorOp::View(view), std::slice::from_ref(tensor), place)
                    .map(Symbol::Known)
            }
        }
    }

    fn view_of(
        &mut self,
        x: &Live,
        offset: usize,
        axes: &[Axis],
        order: Order,
        place: &str,
    ) -> Result<Live, ModelError> {
        let shape: Shape = axes.iter().map(|axis| axis.size).collect();
        let view = View {
            shape: order.in_memory(&shape),
            offset,
            strides: order.axes().iter().map(|&axis| axes[axis].stride).collect(),
        };
        let mut live = Live {
            shape,
            order,
            ..x.clone()
        };
        if is_whole(&view, element_count(&x.shape)) {
            return Ok(self.settled(live, place));
        }
        let view = TensorOp::View(if view.shape.contains(&0) {
            empty(view)
        } else {
            view
        });
        live.id = self.push(view, vec![x.id], place)?;
        Ok(live)
    }
}

/// The axes of a value in the order of the file.
fn axes_of(x: &Symbol) -> Vec<Axis> {
    match x {
        Symbol::Known(tensor) => strided(tensor.shape(), &x.order()),
        Symbol::Live(live) => memory_axes(live),
    }
}

fn memory_axes(x: &Live) -> Vec<Axis> {
    strided(&x.shape, &x.order)
}

fn strided(shape: &[usize], order: &Order) -> Vec<Axis> {
    let mut axes: Vec<Axis> = shape.iter().map(|&size| Axis { size, stride: 1 }).collect();
    let mut stride = 1;
    for &axis in order.axes().iter().rev() {
        axes[axis].stride = stride;
        stride *= shape[axis].max(1) as isize;
    }
    axes
}

/// Whether a view reads all of `len` elements as they lie.
fn is_whole(view: &View, len: usize) -> bool {
    if bounded_element_count(&view.shape) != Some(len) {
        return false;
    }
    let whole = strided(&view.shape, &Order::identity(view.shape.len()));
    let mut axes = whole.iter().zip(&view.strides);
    len == 0 || (view.offset == 0 && axes.all(|(axis, &stride)| axis.size == 1 || axis.stride == stride))
}

/// A view without elements reads nothing, wherever it would begin.
fn empty(view: View) -> View {
    View {
        offset: 0,
        strides: vec![0; view.strides.len()],
        ..view
    }
}
