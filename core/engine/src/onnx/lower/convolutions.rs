//! Convolutions, and the border around what they read.

use crate::builder::{Convolved, Symbol};
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Convolve, ConvolveAxis};

/// How a node says what stands around an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Border {
    /// As `pads` has it, or nothing.
    Told,
    /// So much that each stride has an output; what is odd stands behind.
    SameUpper,
    /// The same; what is odd stands before.
    SameLower,
    /// Nothing.
    Valid,
}

/// What Conv and ConvTranspose have in common.
struct Window {
    taps: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    border: Border,
    /// Before and behind each axis.
    pads: Vec<[i64; 2]>,
    groups: usize,
}

/// No size of an attribute is larger.
const MAX_SIZE: i64 = 1 << 26;

impl Window {
    /// The attributes of a node whose operands are `[batch, channels, sizes..]` and weights with as many axes.
    fn read(call: &mut Call<'_>, x: &Symbol, weights: &Symbol) -> Result<Self, ModelError> {
        let rank = x.shape().len();
        let n_axes = rank.saturating_sub(2);
        if n_axes == 0 || weights.shape().len() != rank {
            let message = format!("a convolution of {:?} by {:?}", x.shape(), weights.shape());
            return Err(call.invalid(message));
        }
        if n_axes > 3 {
            return Err(call.unsupported(format!(
                "a convolution along {n_axes} axes; at most three are read"
            )));
        }
        let taps = weights.shape()[2..].to_vec();
        if sizes(call, "kernel_shape", n_axes)?.is_some_and(|shape| shape != taps) {
            let message = format!("its kernel_shape is not that of its weights, {taps:?}");
            return Err(call.invalid(message));
        }
        let border = match call.attributes.text("auto_pad")?.as_deref() {
            None | Some("" | "NOTSET") => Border::Told,
            Some("SAME_UPPER") => Border::SameUpper,
            Some("SAME_LOWER") => Border::SameLower,
            Some("VALID") => Border::Valid,
            Some(other) => return Err(call.invalid(format!("an auto_pad of '{other}'"))),
        };
        let pads = match numbers(call, "pads", 2 * n_axes)? {
            Some(pads) if border == Border::Told => (0..n_axes)
                .map(|axis| [pads[axis], pads[axis + n_axes]])
                .collect(),
            // The border says what it is without them.
            _ => vec![[0; 2]; n_axes],
        };
        let groups = call.attributes.int("group")?.unwrap_or(1);
        let groups = usize::try_from(groups).ok().filter(|&groups| groups > 0);
        Ok(Self {
            taps,
            strides: sizes(call, "strides", n_axes)?.unwrap_or_else(|| vec![1; n_axes]),
            dilations: sizes(call, "dilations", n_axes)?.unwrap_or_else(|| vec![1; n_axes]),
            border,
            pads,
            groups: groups.ok_or_else(|| call.invalid("a number of groups below one"))?,
        })
    }

    /// Elements from the first tap to the last along an axis.
    fn span(&self, axis: usize) -> i64 {
        (self.taps[axis] as i64 - 1) * self.dilations[axis] as i64 + 1
    }

    fn convolve(&self, along: &[(i64, i64)], transposed: bool) -> Option<Convolve> {
        let axis = |(axis, &(before, size)): (usize, &(i64, i64))| {
            Some(ConvolveAxis {
                stride: self.strides[axis],
                dilation: self.dilations[axis],
                before,
                size: usize::try_from(size).ok()?,
            })
        };
        Some(Convolve {
            axes: along.iter().enumerate().map(axis).collect::<Option<_>>()?,
            groups: self.groups,
            transposed,
        })
    }
}

/// An attribute of one number for each axis; `None` where the node has none.
fn numbers(call: &mut Call<'_>, name: &str, count: usize) -> Result<Option<Vec<i64>>, ModelError> {
    let numbers = call.attributes.ints(name)?;
    if let Some(numbers) = &numbers
        && (numbers.len() != count || numbers.iter().any(|number| number.abs() > MAX_SIZE))
    {
        return Err(call.invalid(format!("{name} of {numbers:?}")));
    }
    Ok(numbers)
}

/// The same of numbers above zero.
fn sizes(call: &mut Call<'_>, name: &str, count: usize) -> Result<Option<Vec<usize>>, ModelError> {
    let Some(numbers) = numbers(call, name, count)? else {
        return Ok(None);
    };
    let sizes = numbers.iter().map(|&number| usize::try_from(number).ok());
    let sizes: Option<Vec<usize>> = sizes.map(|size| size.filter(|&size| size > 0)).collect();
    match sizes {
        Some(sizes) => Ok(Some(sizes)),
        None => Err(call.invalid(format!("{name} of {numbers:?}"))),
    }
}

/// The result of a node; operands that do not fit together are the file's mistake.
fn convolved(
    call: &mut Call<'_>,
    window: &Window,
    along: &[(i64, i64)],
    transposed: bool,
) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights, bias) = (call.operand(0)?, call.operand(1)?, call.optional(2));
    let (&[_, channels, ..], &[first, second, ..]) = (x.shape(), weights.shape()) else {
        return Err(call.invalid("operands without channels"));
    };
    let groups = window.groups;
    let (inner, outputs) = if transposed {
        (first, second.checked_mul(groups))
    } else {
        (
            second.saturating_mul(groups),
            Some(first).filter(|first| first % groups == 0),
        )
    };
    let outputs = outputs.filter(|_| inner == channels && first % groups == 0);
    let fits_bias = |outputs: usize| bias.as_ref().is_none_or(|bias| bias.shape() == [outputs]);
    if !outputs.is_some_and(fits_bias) {
        let message = format!(
            "weights {:?} and a bias {:?} in {groups} groups for {channels} channels",
            weights.shape(),
            bias.as_ref().map(Symbol::shape)
        );
        return Err(call.invalid(message));
    }
    let op = window.convolve(along, transposed);
    let op = op.ok_or_else(|| call.invalid(format!("its window does not fit on {:?}", x.shape())))?;
    let operands = Convolved {
        x: &x,
        weights: &weights,
        bias: bias.as_ref(),
    };
    Ok(vec![call.builder.convolve(&op, operands, &call.place)?])
}

pub fn conv(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights) = (call.operand(0)?, call.operand(1)?);
    let window = Window::read(call, &x, &weights)?;
    let mut along = Vec::new();
    for (axis, &size) in x.shape()[2..].iter().enumerate() {
        let (size, stride, span) = (size as i64, window.strides[axis] as i64, window.span(axis));
        let same = || ((size + stride - 1) / stride - 1) * stride + span - size;
        let [before, after] = match window.border {
            Border::Told => window.pads[axis],
            Border::Valid => [0, 0],
            Border::SameUpper => [same().max(0) / 2, same().max(0) - same().max(0) / 2],
            Border::SameLower => [same().max(0) - same().max(0) / 2, same().max(0) / 2],
        };
        let room = size + before + after - span;
        // A division would make one place of less than none.
        along.push((before, if room < 0 { -1 } else { room / stride + 1 }));
    }
    convolved(call, &window, &along, false)
}

/// `output_shape` decides what is left out around the result; without it, the border does. `output_padding` adds to the
/// result, behind.
pub fn conv_transpose(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights) = (call.operand(0)?, call.operand(1)?);
    let window = Window::read(call, &x, &weights)?;
    let n_axes = window.taps.len();
    let added = numbers(call, "output_padding", n_axes)?.unwrap_or_else(|| vec![0; n_axes]);
    let given = numbers(call, "output_shape", n_axes)?;
    let mut along = Vec::new();
    for (axis, &size) in x.shape()[2..].iter().enumerate() {
        let stride = window.strides[axis] as i64;
        let whole = (size as i64 - 1) * stride + window.span(axis) + added[axis];
        let wanted = match (&given, window.border) {
            (Some(given), _) => Some(given[axis]),
            (None, Border::SameUpper | Border::SameLower) => Some(size as i64 * stride),
            (None, Border::Told | Border::Valid) => None,
        };
        let Some(wanted) = wanted else {
            let [before, after] = window.pads[axis];
            along.push((before, whole - before - after));
            continue;
        };
        // What is left out. One element more than is computed stands behind; of more, readers of these files say where
        // differently.
        let total = whole.saturating_sub(wanted);
        let is_upper = window.border == Border::SameUpper;
        if wanted < 0 || total < if is_upper { 0 } else { -1 } {
            let message = format!("an output of {wanted} elements, of which {whole} are computed");
            return Err(call.unsupported(message));
        }
        let less = total.max(0) / 2;
        let before = if is_upper { less } else { total.max(0) - less };
        along.push((before, wanted));
    }
    convolved(call, &window, &along, true)
}
