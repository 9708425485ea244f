//! What readers of model files build graphs with.
//!
//! Files and graphs do not agree on the order of axes: most files put channels before rows and columns, the engine's
//! images put them last. A reader keeps both: shapes as the file has them, and beside each value the [`order::Order`]
//! in which its axes lie in memory.
//!
//! Nor do they agree on the size of integers: files have 64 bits, a frame has 32. Beside each integer value a reader keeps
//! the [`bounds::Bounds`] of its elements, and refuses what has no room.
//!
//! A [`Builder`] computes at once what is known, and adds nodes for the rest. Inputs and outputs lie in memory as the file
//! has them. Between them a value lies as its source does: a transpose gives the same memory other names, and elements
//! move where somebody asks for them in an order of their own.

pub mod bounds;
mod convolutions;
mod gathers;
mod image_convolutions;
mod images;
mod joins;
pub mod order;
mod products;
mod reductions;
mod resamples;
mod scatters;
mod views;
mod windows;
mod zips;

use std::collections::HashMap;

pub use self::convolutions::Convolved;
pub use self::views::Part;
use crate::element::{Element, FileType};
use crate::error::{Missing, ModelError};
use crate::graph::{Graph, Node, Op, Shape, ValueId, element_count};
use crate::ops::{Map, TensorOp, Type, TypeRef, Unary};
use crate::tensor::{Data, Tensor};
use crate::validate::validate;
use bounds::Bounds;
use order::Order;

/// How many elements may be computed while a model is read, constants of one repeated element aside. A file can ask for
/// many times its own size, and all of it is kept.
pub const MAX_FOLDED: usize = 1 << 28;

/// A value of a model while it is read.
#[derive(Clone, Debug)]
pub enum Symbol {
    /// It is the same for every frame.
    Known(Tensor),
    /// It is computed for each frame.
    Live(Live),
}

/// A value of the graph, with what the graph does not say of it.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its shape in the graph is that in memory.
    id: ValueId,
    /// In the order of the file.
    shape: Shape,
    /// In which its axes lie in memory.
    order: Order,
    file_type: FileType,
    /// Of integers.
    bounds: Option<Bounds>,
}

impl Symbol {
    /// What the file calls its elements.
    pub fn file_type(&self) -> FileType {
        match self {
            Symbol::Known(tensor) => tensor.file_type(),
            Symbol::Live(live) => live.file_type,
        }
    }

    /// Sizes in the order of the file.
    pub fn shape(&self) -> &[usize] {
        match self {
            Symbol::Known(tensor) => tensor.shape(),
            Symbol::Live(live) => &live.shape,
        }
    }
}

/// A graph in the making. Wherever a method takes a `place`, it is where the operation stands in the file, for messages.
#[derive(Debug)]
pub struct Builder {
    graph: Graph,
    left_to_fold: usize,
    /// Elements of constants that are written out: those of outputs, and of operands that the file does not hold so.
    left_to_write: usize,
    /// Those that are operands.
    constants: HashMap<joins::ConstantKey, (Tensor, ValueId)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            graph: Graph::default(),
            left_to_fold: MAX_FOLDED,
            left_to_write: MAX_FOLDED,
            constants: HashMap::new(),
        }
    }
}

impl Builder {
    /// A value that the caller fills in for each frame.
    ///
    /// # Errors
    /// *Unsupported* for types that no frame computes with.
    pub fn input(&mut self, name: &str, file_type: FileType, shape: &[usize]) -> Result<Symbol, ModelError> {
        let element = file_type.element().ok_or_else(|| {
            let message =
                format!("a frame cannot compute with {file_type}; only constants may be of that type");
            // Where it is the same for every frame, the model can be used.
            ModelError::unsupported(format!("input '{name}'"), message)
                .with_missing(Missing::Value(name.to_owned()))
        })?;
        let bounds = Bounds::of_input(file_type);
        let kind = Type {
            element,
            shape: shape.to_vec(),
        };
        let live = Live {
            id: self.graph.add_typed_value(name, kind, None),
            shape: shape.to_vec(),
            order: Order::identity(shape.len()),
            file_type,
            bounds,
        };
        self.graph.inputs.push(live.id);
        Ok(Symbol::Live(live))
    }

    /// The name of the input that this value is, when it is one.
    pub fn input_name(&self, symbol: &Symbol) -> Option<&str> {
        match symbol {
            Symbol::Live(live) if self.graph.inputs.contains(&live.id) => {
                Some(&self.graph.value(live.id).name)
            }
            Symbol::Live(_) | Symbol::Known(_) => None,
        }
    }

    /// A function of each element.
    ///
    /// # Errors
    /// *Unsupported* when the function does not take such elements, and when a 64-bit integer may need more than the 32
    /// bits that a frame has.
    pub fn map(&mut self, f: Unary, x: &Symbol, place: &str) -> Result<Symbol, ModelError> {
        let live = match x {
            Symbol::Known(tensor) => {
                let op = TensorOp::Map(Map { f });
                let result = self.fold(&op, std::slice::from_ref(tensor), place);
                return result.map(Symbol::Known);
            }
            Symbol::Live(live) => live,
        };
        if let Unary::Cast(to) = f {
            return self.cast(live, to, place).map(Symbol::Live);
        }
        if let Some(activated) = self.image_activation(f, live, place) {
            return Ok(Symbol::Live(activated));
        }
        let Some(bounds) = live.bounds else {
            let file_type = match f {
                Unary::Not | Unary::IsNan | Unary::IsInf { .. } => FileType::Bool,
                _ => live.file_type,
            };
            return self.node(f, live, file_type, None, place).map(Symbol::Live);
        };
        let exact = match f {
            Unary::Abs => bounds.checked_abs(),
            Unary::Neg => bounds.checked_neg(),
            Unary::Sign => Bounds::new(bounds.low().signum(), bounds.high().signum()),
            Unary::Relu => Bounds::new(bounds.low().max(0), bounds.high().max(0)),
            Unary::BitNot => Bounds::new(!bounds.high(), !bounds.low()),
            _ => {
                let message = format!("{} of {}", f.name(), live.file_type);
                return Err(ModelError::unsupported(place, message));
            }
        };
        let op = TensorOp::Map(Map { f });
        let common = zips::Common::of(live);
        self.integers(op, common, live.file_type, exact, place)
            .map(Symbol::Live)
    }

    /// The value in another type. Where its words stay what they are, it is the same value.
    fn cast(&mut self, x: &Live, to: FileType, place: &str) -> Result<Live, ModelError> {
        let range = to.range().and_then(|(low, high)| Bounds::new(low, high));
        let from = self.graph.value(x.id).element;
        let bounds = match (range, x.bounds) {
            (None, _) => None,
            (Some(range), Some(bounds)) if range.union(bounds) == range => Some(bounds),
            (Some(_), None) if from == Element::Bool => Bounds::new(0, 1),
            (range, _) => range,
        };
        let fits = bounds.is_none_or(|bounds| to.element().is_some_and(|element| bounds.fit(element)));
        if !fits {
            return Err(too_wide(place));
        }
        let is_same = to.element() == Some(from)
            && match to {
                FileType::F16 | FileType::BF16 => x.file_type == to,
                FileType::F32 | FileType::F64 | FileType::Bool => true,
                _ => x.bounds == bounds,
            };
        if is_same {
            let live = x.clone();
            return Ok(Live {
                file_type: to,
                bounds,
                ..live
            });
        }
        self.node(Unary::Cast(to), x, to, bounds, place)
    }

    /// A value that the caller reads under this name.
    ///
    /// # Errors
    /// *Unsupported* for constants that have no room in words of a frame, and for more than [`MAX_FOLDED`] of them.
    pub fn output(&mut self, symbol: &Symbol, name: &str) -> Result<(), ModelError> {
        let place = format!("output '{name}'");
        let id = match symbol {
            Symbol::Known(tensor) => {
                self.write_out(tensor.len(), &place)?;
                self.constant(tensor.clone(), name, &place)?
            }
            Symbol::Live(live) => {
                let first_new = self.len();
                let live = self.in_file_order(live, &place)?;
                if live.id.index() >= first_new {
                    name.clone_into(&mut self.graph.values[live.id.index()].name);
                }
                match self.graph.value(live.id).name == name {
                    true => live.id,
                    false => self.renamed(&live, name, &place).id,
                }
            }
        };
        self.graph.outputs.push(id);
        Ok(())
    }

    /// Number of values so far; those that are added get numbers from here.
    pub fn len(&self) -> usize {
        self.graph.values.len()
    }

    /// Whether there are no values yet.
    pub fn is_empty(&self) -> bool {
        self.graph.values.is_empty()
    }

    /// Gives a value the name that it has in the file, unless it was there before the value number `first`.
    pub fn name(&mut self, symbol: &Symbol, name: &str, first: usize) {
        if let Symbol::Live(live) = symbol
            && live.id.index() >= first
        {
            name.clone_into(&mut self.graph.values[live.id.index()].name);
        }
    }

    /// The graph, checked.
    ///
    /// # Errors
    /// As [`validate`].
    pub fn finish(self) -> Result<Graph, ModelError> {
        validate(&self.graph)?;
        Ok(self.graph)
    }

    /// A constant of the graph.
    fn constant(&mut self, tensor: Tensor, name: &str, place: &str) -> Result<ValueId, ModelError> {
        let shape = tensor.shape().to_vec();
        let (element, constant) = tensor.into_constant(place)?;
        let kind = Type { element, shape };
        Ok(self.graph.add_typed_value(name, kind, Some(constant)))
    }

    fn write_out(&mut self, elements: usize, place: &str) -> Result<(), ModelError> {
        let left = self.left_to_write.checked_sub(elements);
        self.left_to_write = left.ok_or_else(|| {
            let message = format!("constants of more than {MAX_FOLDED} elements that have to be written out");
            ModelError::unsupported(place, message)
        })?;
        Ok(())
    }

    /// The result of what is known.
    fn fold(&mut self, op: &TensorOp, operands: &[Tensor], place: &str) -> Result<Tensor, ModelError> {
        let unsupported = |message| ModelError::unsupported(place, message);
        let types: Vec<TypeRef<'_>> = operands.iter().map(of_known).collect();
        let is_splat = |x: &Tensor| matches!(x.data(), Data::Splat(_));
        let read = operands.iter().map(Tensor::len).max().unwrap_or(0);
        let cost = match (op.infer(&types), op) {
            // Its definition says why.
            (Err(_), _) => 0,
            // Of one element repeated, these compute one.
            (Ok(_), TensorOp::Map(_) | TensorOp::Zip(_) | TensorOp::View(_))
                if operands.iter().all(is_splat) =>
            {
                1
            }
            // It looks at no other element.
            (Ok(result), TensorOp::View(_)) => element_count(&result.shape),
            (Ok(result), TensorOp::Window(op)) => element_count(&result.shape).saturating_mul(op.taps()),
            (Ok(result), TensorOp::LocalNorm(op)) => element_count(&result.shape).saturating_mul(op.size),
            (Ok(result), _) => element_count(&result.shape).max(read),
        };
        let macs = op
            .infer(&types)
            .map_or(0, |result| op.family().macs(&types, &result));
        let cost = cost.max(usize::try_from(macs).unwrap_or(usize::MAX));
        self.compute(cost, place)?;
        op.evaluate(operands).map_err(unsupported)
    }

    /// Counts elements that are computed while the model is read. Whoever makes constants of less asks before.
    ///
    /// # Errors
    /// *Unsupported* when they are more than [`MAX_FOLDED`] together.
    pub fn compute(&mut self, elements: usize, place: &str) -> Result<(), ModelError> {
        let left = self.left_to_fold.checked_sub(elements);
        self.left_to_fold = left.ok_or_else(|| {
            let message = "the model asks for more constants to be computed than this reader does";
            ModelError::unsupported(place, message)
        })?;
        Ok(())
    }

    /// A node with one operand, whose result has the operand's shape and order.
    fn node(
        &mut self,
        f: Unary,
        x: &Live,
        file_type: FileType,
        bounds: Option<Bounds>,
        place: &str,
    ) -> Result<Live, ModelError> {
        let id = self.push(TensorOp::Map(Map { f }), vec![x.id], place)?;
        Ok(Live {
            id,
            file_type,
            bounds,
            ..x.clone()
        })
    }

    /// A node of these values.
    fn push(&mut self, op: TensorOp, inputs: Vec<ValueId>, place: &str) -> Result<ValueId, ModelError> {
        let operands: Vec<TypeRef<'_>> = inputs.iter().map(|&id| self.graph.type_of(id)).collect();
        let result = op.infer(&operands);
        let result = result.map_err(|message| ModelError::unsupported(place, message))?;
        let output = self.graph.add_typed_value(place, result, None);
        self.graph.nodes.push(Node {
            origin: place.to_owned(),
            op: Op::Tensor(op),
            inputs,
            output,
        });
        Ok(output)
    }

    /// The same memory under another name, with the shape that the value says it has there.
    fn renamed(&mut self, x: &Live, name: &str, place: &str) -> Live {
        let kind = Type {
            element: self.graph.value(x.id).element,
            shape: x.order.in_memory(&x.shape),
        };
        let output = self.graph.add_typed_value(name, kind, None);
        self.graph.nodes.push(Node {
            origin: place.to_owned(),
            op: Op::Reshape,
            inputs: vec![x.id],
            output,
        });
        Live {
            id: output,
            ..x.clone()
        }
    }
}

/// What a frame would hold of a known tensor. What has no word there is taken for an i32, as long as nobody computes.
fn of_known(tensor: &Tensor) -> TypeRef<'_> {
    TypeRef {
        element: tensor.file_type().element().unwrap_or(Element::I32),
        shape: tensor.shape(),
    }
}

/// What a frame would hold of a value, in the order of the file.
fn of_symbol(x: &Symbol) -> TypeRef<'_> {
    TypeRef {
        element: x.file_type().element().unwrap_or(Element::I32),
        shape: x.shape(),
    }
}

fn too_wide(place: &str) -> ModelError {
    ModelError::unsupported(
        place,
        "64-bit integers whose values may need more than the 32 bits of a frame",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::graph::MAX_ELEMENTS;
    use crate::tensor::Scalar;

    fn known(len: usize, data: Data) -> Symbol {
        Symbol::Known(Tensor::new(FileType::F32, vec![len], data).expect("a tensor"))
    }

    #[test]
    fn what_is_computed_while_reading_is_limited() {
        let three = known(3, Data::Float([1.0; 3].into()));
        let many = known(MAX_ELEMENTS, Data::Splat(Scalar::Float(1.0)));
        let mut builder = Builder {
            left_to_fold: 7,
            ..Builder::default()
        };
        for x in [&three, &many, &three] {
            builder.map(Unary::Neg, x, "node 0").expect("within the limit");
        }
        let error = builder.map(Unary::Neg, &many, "node 1").expect_err("beyond it");
        assert_eq!((error.kind(), error.place()), (ErrorKind::Unsupported, "node 1"));
    }

    /// A constant of a few bytes can stand for any number of elements.
    #[test]
    fn constant_outputs_are_limited() {
        let five = known(5, Data::Splat(Scalar::Float(1.0)));
        let mut builder = Builder {
            left_to_write: 9,
            ..Builder::default()
        };
        builder.output(&five, "a").expect("within the limit");
        let error = builder.output(&five, "b").expect_err("beyond it");
        assert_eq!(
            (error.kind(), error.place()),
            (ErrorKind::Unsupported, "output 'b'")
        );
    }
}
