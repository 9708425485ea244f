//! `plumb operators`: which ONNX operators are read, beside those of wonnx, as the page docs/operators.md.

use std::collections::BTreeSet;

use clap::Args;
use plumbline_engine::onnx;

use crate::Outcome;

/// Prints which ONNX operators are read, as Markdown
#[derive(Args)]
pub struct Arguments {}

/// Rows of the table in wonnx's README (0.5.1) that it ticks as implemented. What it means by that is its own affair: it
/// ticks Resize, and has no linear mode.
const OF_WONNX: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "And",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Cos",
    "Cosh",
    "Div",
    "Dropout",
    "Elu",
    "Equal",
    "Exp",
    "Flatten",
    "Floor",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Greater",
    "GreaterOrEqual",
    "Identity",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "MatMul",
    "MaxPool",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "OneHot",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Size",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tan",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

/// Its other rows.
const NOT_OF_WONNX: &[&str] = &[
    "ArgMax",
    "ArgMin",
    "Bernoulli",
    "BitShift",
    "CastLike",
    "Compress",
    "ConcatFromSequence",
    "ConvInteger",
    "ConvTranspose",
    "CumSum",
    "DepthToSpace",
    "DequantizeLinear",
    "Det",
    "DynamicQuantizeLinear",
    "Einsum",
    "Erf",
    "Expand",
    "EyeLike",
    "GRU",
    "GatherElements",
    "GatherND",
    "GlobalLpPool",
    "GlobalMaxPool",
    "GridSample",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "If",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LSTM",
    "LogSoftmax",
    "Loop",
    "LpNormalization",
    "LpPool",
    "MatMulInteger",
    "Max",
    "MaxRoiPool",
    "MaxUnpool",
    "Mean",
    "MeanVarianceNormalization",
    "Multinomial",
    "NegativeLogLikelihoodLoss",
    "NonMaxSuppression",
    "NonZero",
    "Optional",
    "OptionalGetElement",
    "OptionalHasElement",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "RNN",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "ReverseSequence",
    "RoiAlign",
    "Round",
    "Scan",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "Shrink",
    "Slice",
    "SoftmaxCrossEntropyLoss",
    "SpaceToDepth",
    "Split",
    "SplitToSequence",
    "StringNormalizer",
    "Sum",
    "TfIdfVectorizer",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Trilu",
    "Unique",
    "Upsample",
    "Where",
    "Xor",
];

/// Runs the command.
pub fn run(_arguments: &Arguments) -> Outcome<()> {
    print!("{}", page());
    Ok(())
}

/// The page.
pub fn page() -> String {
    let ours: BTreeSet<&str> = onnx::operator_names().into_iter().collect();
    let rows: BTreeSet<&str> = OF_WONNX
        .iter()
        .chain(NOT_OF_WONNX)
        .chain(&ours)
        .copied()
        .collect();
    let both = OF_WONNX.iter().filter(|name| ours.contains(*name)).count();
    let mut page = format!(
        "# Operators of ONNX files\n\
         \n\
         See also: [ARCHITECTURE](../ARCHITECTURE.md), [the design for ONNX](onnx.md).\n\
         \n\
         `plumb operators` writes this page from the table of the reader. Whatever is read runs on the CPU and on the GPU; \
         what is read of each operator is held to the cases of the ONNX suite, and what is not is refused by name. \
         The rows are those of wonnx 0.5.1, with its own ticks, and what is read beyond them.\n\
         \n\
         {} operators are read; of the {} that wonnx ticks, {both}.\n\
         \n\
         | operator | read here | ticked by wonnx |\n\
         |---|---|---|\n",
        ours.len(),
        OF_WONNX.len()
    );
    let tick = |is_there: bool| if is_there { "yes" } else { "" };
    for name in rows {
        let cells = [name, tick(ours.contains(name)), tick(OF_WONNX.contains(&name))];
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_one_that_is_printed() {
        let kept = include_str!("../../../../docs/operators.md");
        assert!(
            kept == page(),
            "write it anew: cargo run -p plumb -- operators > docs/operators.md"
        );
    }
}
