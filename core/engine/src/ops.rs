//! Tensor operators: any rank, any [`Element`], one file for each family and beside it how it runs on either backend.
//!
//! Images have operators of their own in [`Op`](crate::graph::Op): their kernels are tuned, and passes and fusion know
//! them. Everything else a model may hold is a [`TensorOp`], which the rest of the engine knows through the traits
//! [`Family`] and [`Definition`] and no more. None of their methods has a default: a new family does not compile before
//! it has answered every one of them.
//!
//! They are behind the feature `tensor_ops`, which is on unless a program does without: with it off the types are there,
//! so that every match keeps its arms, but a graph that holds such an operator is refused.

pub(crate) mod absent;
pub mod arg_reduce;
pub mod concat;
pub mod convolve;
pub mod gather;
pub mod grid_sample;
pub mod local_norm;
pub mod map;
pub mod matmul;
pub mod norm;
pub mod pad;
pub mod recurrent;
pub mod reduce;
pub mod resample;
pub mod scan;
pub mod scatter;
pub mod select;
pub mod sort;
pub(crate) mod strides;
pub mod view;
pub mod window;
pub mod zip;

use std::fmt;

pub use self::arg_reduce::ArgReduce;
pub use self::concat::Concat;
pub use self::convolve::{Convolve, ConvolveAxis};
pub use self::gather::{Gather, Names};
pub use self::grid_sample::{Between, Beyond, GridSample};
pub use self::local_norm::LocalNorm;
pub use self::map::{Map, Unary};
pub use self::matmul::MatMul;
pub use self::norm::{Measure, Norm};
pub use self::pad::{Border, Pad};
pub use self::recurrent::{Cell, Gate, Recurrent};
pub use self::reduce::{Fold, Reduce};
pub use self::resample::Resample;
pub use self::scan::Scan;
pub use self::scatter::{Combine, Scatter};
pub use self::select::Select;
pub use self::sort::Sort;
pub use self::view::View;
pub use self::window::{Pool, Slide, Window};
pub use self::zip::{Binary, Zip};
use crate::element::Element;
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::Kernel;
use crate::graph::{Graph, Node, Shape, ValueId};
use crate::graph_file::{Reader, Writer};
use crate::tensor::Tensor;

/// An operator on tensors of any rank.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorOp {
    /// A function of each element.
    Map(Map),
    /// A function of two elements, of operands that stretch over each other.
    Zip(Zip),
    /// One of two elements, by a third.
    Select(Select),
    /// Elements at places that another tensor says.
    Gather(Gather),
    /// Elements of another tensor at regular places.
    View(View),
    /// Tensors one behind the other.
    Concat(Concat),
    /// More elements around a tensor.
    Pad(Pad),
    /// One number of many.
    Reduce(Reduce),
    /// The place of an extreme.
    ArgReduce(ArgReduce),
    /// Running sums and products.
    Scan(Scan),
    /// Each element by the measure of many.
    Norm(Norm),
    /// Products of matrices.
    MatMul(MatMul),
    /// Sums of products of elements and the weights around them.
    Convolve(Convolve),
    /// One number of each window.
    Window(Window),
    /// Each element by those near it.
    LocalNorm(LocalNorm),
    /// Weighted sums at listed places.
    Resample(Resample),
    /// Rows combined with others at listed places.
    Scatter(Scatter),
    /// Where the first few elements stand.
    Sort(Sort),
    /// Images at places between elements.
    GridSample(GridSample),
    /// Layers along a sequence.
    Recurrent(Recurrent),
}

/// What the words of a value hold, and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// What a word holds.
    pub element: Element,
    /// Sizes from the outermost axis to the innermost; a scalar has none.
    pub shape: Shape,
}

/// The type of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeRef<'a> {
    /// What a word holds.
    pub element: Element,
    /// Sizes from the outermost axis to the innermost; a scalar has none.
    pub shape: &'a [usize],
}

impl TypeRef<'_> {
    /// The same, with a shape of its own.
    pub fn to_owned(self) -> Type {
        Type {
            element: self.element,
            shape: self.shape.to_vec(),
        }
    }
}

/// An operator as whichever trait is asked for.
macro_rules! of_each {
    ($operator:expr) => {
        match $operator {
            TensorOp::Map(op) => op,
            TensorOp::Zip(op) => op,
            TensorOp::Select(op) => op,
            TensorOp::Gather(op) => op,
            TensorOp::View(op) => op,
            TensorOp::Concat(op) => op,
            TensorOp::Pad(op) => op,
            TensorOp::Reduce(op) => op,
            TensorOp::ArgReduce(op) => op,
            TensorOp::Scan(op) => op,
            TensorOp::Norm(op) => op,
            TensorOp::MatMul(op) => op,
            TensorOp::Convolve(op) => op,
            TensorOp::Window(op) => op,
            TensorOp::LocalNorm(op) => op,
            TensorOp::Resample(op) => op,
            TensorOp::Scatter(op) => op,
            TensorOp::Sort(op) => op,
            TensorOp::GridSample(op) => op,
            TensorOp::Recurrent(op) => op,
        }
    };
}

impl TensorOp {
    /// The name that tables and errors show.
    pub fn name(&self) -> &'static str {
        self.family().name()
    }

    /// The type of the result.
    ///
    /// # Errors
    /// A sentence without a place, when the operator does not take such operands.
    pub fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        self.family().infer(operands)
    }

    /// The result for operands that are known: what an importer folds with, and what both backends are tested against.
    ///
    /// # Errors
    /// A sentence without a place, when the operator does not take such operands.
    pub fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        self.definition().evaluate(operands)
    }

    fn definition(&self) -> &dyn Definition {
        of_each!(self)
    }

    /// What the rest of the engine knows of it. The page's worker is built without tensor operators: this and
    /// [`Self::read`] are the ways by which their code would come into a program that runs models.
    pub(crate) fn family(&self) -> &dyn Family {
        if cfg!(feature = "tensor_ops") {
            self.own_family()
        } else {
            &absent::Absent
        }
    }

    fn own_family(&self) -> &dyn Family {
        of_each!(self)
    }

    /// Writes the operator into a graph file: the family's number, which no other operator has, and what the family
    /// writes.
    pub(crate) fn write(&self, file: &mut Writer) {
        file.number(match self {
            TensorOp::Map(_) => MAP,
            TensorOp::Zip(_) => ZIP,
            TensorOp::Select(_) => SELECT,
            TensorOp::Gather(_) => GATHER,
            TensorOp::View(_) => VIEW,
            TensorOp::Concat(_) => CONCAT,
            TensorOp::Pad(_) => PAD,
            TensorOp::Reduce(_) => REDUCE,
            TensorOp::ArgReduce(_) => ARG_REDUCE,
            TensorOp::Scan(_) => SCAN,
            TensorOp::Norm(_) => NORM,
            TensorOp::MatMul(_) => MATMUL,
            TensorOp::Convolve(_) => CONVOLVE,
            TensorOp::Window(_) => WINDOW,
            TensorOp::LocalNorm(_) => LOCAL_NORM,
            TensorOp::Resample(_) => RESAMPLE,
            TensorOp::Scatter(_) => SCATTER,
            TensorOp::Sort(_) => SORT,
            TensorOp::GridSample(_) => GRID_SAMPLE,
            TensorOp::Recurrent(_) => RECURRENT,
        });
        self.own_family().write(file);
    }

    /// Reads the operator whose family has this number; `None` when there is no such family.
    ///
    /// # Errors
    /// *Invalid* when its parameters cannot be read, *unsupported* in a program that is built without tensor operators.
    pub(crate) fn read(
        number: usize,
        file: &mut Reader<'_>,
        origin: &str,
    ) -> Result<Option<Self>, ModelError> {
        if number >= MAP && !cfg!(feature = "tensor_ops") {
            return Err(ModelError::unsupported(origin, absent::SENTENCE));
        }
        Ok(match number {
            MAP => Some(TensorOp::Map(Map::read(file, origin)?)),
            ZIP => Some(TensorOp::Zip(Zip::read(file, origin)?)),
            SELECT => Some(TensorOp::Select(Select)),
            GATHER => Some(TensorOp::Gather(Gather::read(file, origin)?)),
            VIEW => Some(TensorOp::View(View::read(file, origin)?)),
            CONCAT => Some(TensorOp::Concat(Concat::read(file, origin)?)),
            PAD => Some(TensorOp::Pad(Pad::read(file, origin)?)),
            REDUCE => Some(TensorOp::Reduce(Reduce::read(file, origin)?)),
            ARG_REDUCE => Some(TensorOp::ArgReduce(ArgReduce::read(file, origin)?)),
            SCAN => Some(TensorOp::Scan(Scan::read(file, origin)?)),
            NORM => Some(TensorOp::Norm(Norm::read(file, origin)?)),
            MATMUL => Some(TensorOp::MatMul(MatMul::read(file, origin)?)),
            CONVOLVE => Some(TensorOp::Convolve(Convolve::read(file, origin)?)),
            WINDOW => Some(TensorOp::Window(Window::read(file, origin)?)),
            LOCAL_NORM => Some(TensorOp::LocalNorm(LocalNorm::read(file, origin)?)),
            RESAMPLE => Some(TensorOp::Resample(Resample::read(file, origin)?)),
            SCATTER => Some(TensorOp::Scatter(Scatter::read(file, origin)?)),
            SORT => Some(TensorOp::Sort(Sort::read(file, origin)?)),
            GRID_SAMPLE => Some(TensorOp::GridSample(GridSample::read(file, origin)?)),
            RECURRENT => Some(TensorOp::Recurrent(Recurrent::read(file, origin)?)),
            _ => None,
        })
    }
}

/// The families' numbers in graph files; those below belong to the operators on images.
const MAP: usize = 16;
const ZIP: usize = 17;
const SELECT: usize = 18;
const GATHER: usize = 19;
const VIEW: usize = 20;
const CONCAT: usize = 21;
const PAD: usize = 22;
const REDUCE: usize = 23;
const ARG_REDUCE: usize = 24;
const SCAN: usize = 25;
const NORM: usize = 26;
const MATMUL: usize = 27;
const CONVOLVE: usize = 28;
const WINDOW: usize = 29;
const LOCAL_NORM: usize = 30;
const RESAMPLE: usize = 31;
const GRID_SAMPLE: usize = 32;
const SCATTER: usize = 33;
const SORT: usize = 34;
const RECURRENT: usize = 35;

/// What an operator takes, gives and costs.
pub(crate) trait Family: OnCpu + OnGpu {
    /// The name that tables and errors show.
    fn name(&self) -> &'static str;

    /// As [`TensorOp::infer`]; it also checks the operator's own parameters, which may come from a file.
    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String>;

    /// Multiply-accumulates of a frame.
    fn macs(&self, operands: &[TypeRef<'_>], result: &Type) -> u64;

    /// Appends the operator's parameters to a graph file.
    fn write(&self, file: &mut Writer);
}

/// What an operator means. Apart from [`Family`], whose trait objects hold all its methods, so that a program which only
/// runs models does not carry this one.
pub(crate) trait Definition {
    /// As [`TensorOp::evaluate`], written from the definition, one element at a time.
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String>;
}

/// How an operator runs on the CPU.
pub(crate) trait OnCpu {
    /// Everything that does not depend on a frame.
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError>;
}

/// An operator, prepared. It computes the whole result from whole operands.
pub(crate) trait CpuKernel: fmt::Debug + Send {
    /// Computes the result, all of it.
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>);
}

/// The operands of a node in the arena, constants among them.
pub(crate) trait Operands {
    /// Operand number `index`, which the node has.
    fn words(&self, index: usize) -> Words<'_>;
}

/// How an operator runs on a GPU.
pub(crate) trait OnGpu {
    /// The kernels that compute the result, in order; none for a result without elements.
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError>;
}

/// A part of the arena, read as whatever its words hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a>(pub &'a [f32]);

impl<'a> Words<'a> {
    pub fn f32(self) -> &'a [f32] {
        self.0
    }

    pub fn i32(self) -> &'a [i32] {
        bytemuck::cast_slice(self.0)
    }

    pub fn u32(self) -> &'a [u32] {
        bytemuck::cast_slice(self.0)
    }
}

/// A part of the arena, to be written.
#[derive(Debug)]
pub(crate) struct WordsMut<'a>(pub &'a mut [f32]);

impl<'a> WordsMut<'a> {
    pub fn f32(self) -> &'a mut [f32] {
        self.0
    }

    pub fn i32(self) -> &'a mut [i32] {
        bytemuck::cast_slice_mut(self.0)
    }

    pub fn u32(self) -> &'a mut [u32] {
        bytemuck::cast_slice_mut(self.0)
    }
}

/// A node with the types of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeView<'a> {
    graph: &'a Graph,
    pub node: &'a Node,
}

impl<'a> NodeView<'a> {
    pub fn new(graph: &'a Graph, node: &'a Node) -> Self {
        Self { graph, node }
    }

    /// The type of operand number `index`, which the node has.
    pub fn operand(&self, index: usize) -> TypeRef<'a> {
        self.graph.type_of(self.node.inputs[index])
    }

    /// The type of the result.
    pub fn result(&self) -> TypeRef<'a> {
        self.graph.type_of(self.node.output)
    }
}

impl Graph {
    /// The type of a value.
    pub fn type_of(&self, id: ValueId) -> TypeRef<'_> {
        let value = self.value(id);
        TypeRef {
            element: value.element,
            shape: &value.shape,
        }
    }

    /// The types of a node's operands.
    pub(crate) fn operand_types(&self, node: &Node) -> Vec<TypeRef<'_>> {
        node.inputs.iter().map(|&id| self.type_of(id)).collect()
    }
}
