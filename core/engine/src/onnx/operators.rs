//! The operators that are read: for each its name, how many operands it may have, and what it becomes.

use super::call::Call;
use super::control::{self, Control};
use super::lower::{
    attention, casts, constants, convolutions, einsum, gathers, grids, losses, maps, norms, patterns, pools,
    products, quantised, recurrent, reductions, regions, resize, rotary, scatters, shapes, spectra, states,
    unpools, views, zips,
};
use crate::builder::Symbol;
use crate::error::ModelError;
use crate::ops::{Binary, Fold, Unary};

/// An operator of the domain `ai.onnx`.
pub(super) struct Operator {
    pub name: &'static str,
    /// No node has more.
    pub max_operands: usize,
    lowering: Lowering,
}

enum Lowering {
    /// A function of each element that has no parameters.
    Map(Unary),
    /// A function of two elements that has no parameters.
    Zip(Binary),
    /// The same, of any number of operands, from the first to the last.
    Chain(Binary),
    /// One number of many.
    Reduce(Fold),
    /// Everything else; gives the results.
    With(fn(&mut Call<'_>) -> Result<Vec<Symbol>, ModelError>),
    /// A choice or a repetition of what stands inside of the node.
    Control(fn(&mut Call<'_>) -> Result<Control, ModelError>),
}

/// What a node comes to.
pub(super) enum Lowered {
    /// Its results, in their order.
    Results(Vec<Symbol>),
    /// Graphs that stand inside of it, to be read next.
    Control(Control),
}

impl Operator {
    /// The operator with this name; `None` when it is not read.
    pub fn named(name: &str) -> Option<&'static Self> {
        OPERATORS.iter().find(|operator| operator.name == name)
    }

    /// What a node comes to.
    pub fn lower(&self, call: &mut Call<'_>) -> Result<Lowered, ModelError> {
        let results = match self.lowering {
            Lowering::Map(f) => call.map(f),
            Lowering::Zip(f) => call.zip(f),
            Lowering::Chain(f) => call.chain(f),
            Lowering::Reduce(f) => reductions::reduce(call, f),
            Lowering::With(lower) => lower(call),
            Lowering::Control(lower) => return lower(call).map(Lowered::Control),
        };
        results.map(Lowered::Results)
    }
}

const fn map(name: &'static str, f: Unary) -> Operator {
    Operator {
        name,
        max_operands: 1,
        lowering: Lowering::Map(f),
    }
}

const fn zip(name: &'static str, f: Binary) -> Operator {
    Operator {
        name,
        max_operands: 2,
        lowering: Lowering::Zip(f),
    }
}

const fn chain(name: &'static str, f: Binary) -> Operator {
    Operator {
        name,
        max_operands: ANY,
        lowering: Lowering::Chain(f),
    }
}

const fn reduce(name: &'static str, f: Fold) -> Operator {
    Operator {
        name,
        max_operands: 2,
        lowering: Lowering::Reduce(f),
    }
}

const fn with(
    name: &'static str,
    max_operands: usize,
    lower: fn(&mut Call<'_>) -> Result<Vec<Symbol>, ModelError>,
) -> Operator {
    Operator {
        name,
        max_operands,
        lowering: Lowering::With(lower),
    }
}

const fn control(
    name: &'static str,
    max_operands: usize,
    lower: fn(&mut Call<'_>) -> Result<Control, ModelError>,
) -> Operator {
    Operator {
        name,
        max_operands,
        lowering: Lowering::Control(lower),
    }
}

/// The names of all, sorted.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = OPERATORS.iter().map(|operator| operator.name).collect();
    names.sort_unstable();
    names
}

/// Of operands.
const ANY: usize = usize::MAX;

/// By name.
const OPERATORS: &[Operator] = &[
    map("Abs", Unary::Abs),
    map("Acos", Unary::Acos),
    map("Acosh", Unary::Acosh),
    zip("Add", Binary::Add),
    with("AffineGrid", 2, grids::affine_grid),
    zip("And", Binary::And),
    with("ArgMax", 1, reductions::arg_max),
    with("ArgMin", 1, reductions::arg_min),
    map("Asin", Unary::Asin),
    map("Asinh", Unary::Asinh),
    map("Atan", Unary::Atan),
    map("Atanh", Unary::Atanh),
    with("Attention", 7, attention::attention),
    with("AveragePool", 1, pools::average_pool),
    with("BitShift", 2, zips::bit_shift),
    zip("BitwiseAnd", Binary::BitAnd),
    with("BatchNormalization", 5, norms::batch_normalization),
    map("BitwiseNot", Unary::BitNot),
    zip("BitwiseOr", Binary::BitOr),
    zip("BitwiseXor", Binary::BitXor),
    with("BlackmanWindow", 1, patterns::blackman_window),
    with("Cast", 1, casts::cast),
    with("CastLike", 2, casts::cast_like),
    with("CausalConvWithState", 4, states::causal_conv_with_state),
    map("Ceil", Unary::Ceil),
    with("Celu", 1, maps::celu),
    with("CenterCropPad", 2, views::center_crop_pad),
    with("Clip", 3, zips::clip),
    with("Col2Im", 3, unpools::col2im),
    with("Concat", ANY, views::concat),
    with("Constant", 0, constants::constant),
    with("ConstantOfShape", 1, constants::constant_of_shape),
    with("Conv", 3, convolutions::conv),
    with("ConvInteger", 4, quantised::conv_integer),
    with("ConvTranspose", 3, convolutions::conv_transpose),
    map("Cos", Unary::Cos),
    map("Cosh", Unary::Cosh),
    with("CumProd", 2, reductions::cum_prod),
    with("CumSum", 2, reductions::cum_sum),
    with("DFT", 3, spectra::dft),
    with("DeformConv", 5, regions::deform_conv),
    with("DepthToSpace", 1, views::depth_to_space),
    zip("Div", Binary::Div),
    with("DequantizeLinear", 3, quantised::dequantize_linear),
    with("Dropout", 3, constants::dropout),
    with("DynamicQuantizeLinear", 1, quantised::dynamic_quantize_linear),
    with("Einsum", ANY, einsum::einsum),
    with("Elu", 1, maps::elu),
    zip("Equal", Binary::Equal),
    map("Erf", Unary::Erf),
    map("Exp", Unary::Exp),
    with("Expand", 2, views::expand),
    with("EyeLike", 1, patterns::eye_like),
    with("Flatten", 1, shapes::flatten),
    map("Floor", Unary::Floor),
    with("GRU", 6, recurrent::gru),
    with("Gather", 2, gathers::gather),
    with("GatherElements", 2, gathers::gather_elements),
    with("GatherND", 2, gathers::gather_nd),
    with("Gelu", 1, maps::gelu),
    with("Gemm", 3, products::gemm),
    with("GlobalAveragePool", 1, reductions::global_average_pool),
    with("GlobalLpPool", 1, pools::global_lp_pool),
    with("GlobalMaxPool", 1, reductions::global_max_pool),
    zip("Greater", Binary::Greater),
    zip("GreaterOrEqual", Binary::GreaterOrEqual),
    with("GridSample", 2, grids::grid_sample),
    with("HammingWindow", 1, patterns::hamming_window),
    with("HannWindow", 1, patterns::hann_window),
    with("GroupNormalization", 3, norms::group_normalization),
    with("HardSigmoid", 1, maps::hard_sigmoid),
    map("HardSwish", Unary::HardSwish),
    with("Hardmax", 1, norms::hardmax),
    with("Identity", 1, constants::identity),
    control("If", 1, control::choice),
    with("InstanceNormalization", 3, norms::instance_normalization),
    with("IsInf", 1, maps::is_inf),
    map("IsNaN", Unary::IsNan),
    with("LRN", 1, norms::local_response_normalization),
    with("LSTM", 8, recurrent::lstm),
    with("LayerNormalization", 3, norms::layer_normalization),
    with("LeakyRelu", 1, maps::leaky_relu),
    zip("Less", Binary::Less),
    zip("LessOrEqual", Binary::LessOrEqual),
    with("LinearAttention", 6, states::linear_attention),
    map("Log", Unary::Log),
    with("LogSoftmax", 1, norms::log_softmax),
    control("Loop", ANY, control::repetition),
    with("LpNormalization", 1, norms::lp_normalization),
    with("LpPool", 1, pools::lp_pool),
    with("MatMul", 2, products::matmul),
    with("MatMulInteger", 4, quantised::matmul_integer),
    chain("Max", Binary::Max),
    with("MaxPool", 1, pools::max_pool),
    with("MaxUnpool", 3, unpools::max_unpool),
    with("Mean", ANY, zips::mean),
    with("MeanVarianceNormalization", 1, norms::mean_variance_normalization),
    chain("Min", Binary::Min),
    map("Mish", Unary::Mish),
    with("Mod", 2, zips::modulo),
    zip("Mul", Binary::Mul),
    with("NegativeLogLikelihoodLoss", 3, losses::negative_log_likelihood),
    map("Neg", Unary::Neg),
    map("Not", Unary::Not),
    with("OneHot", 3, gathers::one_hot),
    zip("Or", Binary::Or),
    with("PRelu", 2, zips::prelu),
    with("Pad", 4, views::pad),
    with("Pow", 2, zips::pow),
    with("QLinearConv", 9, quantised::q_linear_conv),
    with("QLinearMatMul", 8, quantised::q_linear_matmul),
    with("QuantizeLinear", 3, quantised::quantize_linear),
    with("Range", 3, patterns::range),
    with("RMSNormalization", 2, norms::rms_normalization),
    with("RNN", 6, recurrent::rnn),
    map("Reciprocal", Unary::Reciprocal),
    reduce("ReduceL1", Fold::L1),
    reduce("ReduceL2", Fold::L2),
    reduce("ReduceLogSum", Fold::LogSum),
    reduce("ReduceLogSumExp", Fold::LogSumExp),
    reduce("ReduceMax", Fold::Max),
    reduce("ReduceMean", Fold::Mean),
    reduce("ReduceMin", Fold::Min),
    reduce("ReduceProd", Fold::Prod),
    reduce("ReduceSum", Fold::Sum),
    reduce("ReduceSumSquare", Fold::SumSquare),
    map("Relu", Unary::Relu),
    with("Reshape", 2, shapes::reshape),
    with("Resize", 4, resize::resize),
    with("ReverseSequence", 2, gathers::reverse_sequence),
    with("RoiAlign", 3, regions::roi_align),
    with("RotaryEmbedding", 4, rotary::rotary_embedding),
    map("Round", Unary::Round),
    with("Scatter", 3, scatters::scatter_elements),
    control("Scan", ANY, control::scan),
    with("ScatterElements", 3, scatters::scatter_elements),
    with("ScatterND", 3, scatters::scatter_nd),
    with("Selu", 1, maps::selu),
    with("Shape", 1, constants::shape),
    with("Shrink", 1, maps::shrink),
    map("Sigmoid", Unary::Sigmoid),
    map("Sign", Unary::Sign),
    map("Sin", Unary::Sin),
    map("Sinh", Unary::Sinh),
    with("Size", 1, constants::size),
    with("Slice", 5, views::slice),
    with("SoftmaxCrossEntropyLoss", 3, losses::softmax_cross_entropy),
    with("Softmax", 1, norms::softmax),
    map("Softplus", Unary::Softplus),
    map("Softsign", Unary::Softsign),
    with("SpaceToDepth", 1, views::space_to_depth),
    with("Split", 2, views::split),
    map("Sqrt", Unary::Sqrt),
    with("Squeeze", 2, shapes::squeeze),
    zip("Sub", Binary::Sub),
    chain("Sum", Binary::Add),
    with("SwiGLU", 2, zips::swiglu),
    with("Swish", 1, maps::swish),
    map("Tan", Unary::Tan),
    map("Tanh", Unary::Tanh),
    with("TensorScatter", 3, scatters::tensor_scatter),
    with("ThresholdedRelu", 1, maps::thresholded_relu),
    with("Tile", 2, views::tile),
    with("TopK", 2, gathers::top_k),
    with("Transpose", 1, views::transpose),
    with("Trilu", 2, patterns::trilu),
    with("Unsqueeze", 2, shapes::unsqueeze),
    with("Upsample", 2, resize::upsample),
    with("Where", 3, zips::select),
    zip("Xor", Binary::Xor),
];
