//! Convolutions of images by known weights, which the tuned operators take: over all channels, each channel apart, in a few
//! groups one after the other, and transposed.
//!
//! A transposed convolution by strides of s is one over the small image to s times s as many outputs, a block of each
//! pixel, which then moves to space: output q s + r reads those taps r + s j of the elements q - j.

use super::convolutions::Convolved;
use super::order::Order;
use super::{Builder, Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Activation, Conv2d, Op, Padding, ValueId, bounded_element_count};
use crate::ops::{Convolve, ConvolveAxis};
use crate::tensor::{Data, Scalar, Tensor};

/// Groups that are convolved one after the other; more are left to the general form.
const MOST_GROUPS: usize = 8;

/// An axis along which nothing happens.
const STILL: ConvolveAxis = ConvolveAxis {
    stride: 1,
    dilation: 1,
    before: 0,
    size: 1,
};

impl Builder {
    /// A convolution, which is one, by an operator on images; `None` where there is none for it.
    pub(super) fn image_convolution(
        &mut self,
        op: &Convolve,
        operands: Convolved<'_>,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let Convolved { x, weights, bias } = operands;
        let is_known = weights.known().is_some_and(|weights| !weights.is_empty())
            && bias.is_none_or(|bias| bias.known().is_some());
        if !is_known || !Self::is_image(x) || op.axes.iter().any(|axis| axis.size == 0) {
            return Ok(None);
        }
        match *op.axes {
            [along] => {
                // An image of one row.
                let row = |symbol: &Symbol| {
                    let mut shape = symbol.shape().to_vec();
                    shape.insert(2, 1);
                    shape
                };
                let (in_row, taps) = (row(x), row(weights));
                let (x, weights) = (
                    self.reshape(x, in_row, place)?,
                    self.reshape(weights, taps, place)?,
                );
                let op = Convolve {
                    axes: vec![STILL, along],
                    ..*op
                };
                let operands = Convolved {
                    x: &x,
                    weights: &weights,
                    bias,
                };
                let Some(y) = self.image_convolution(&op, operands, place)? else {
                    return Ok(None);
                };
                let mut shape = y.shape().to_vec();
                shape.remove(2);
                self.reshape(&y, shape, place).map(Some)
            }
            [rows, columns] => {
                let axes = [rows, columns];
                let (channels, outputs) = (x.shape()[1], weights.shape()[0]);
                let is_apart = !op.transposed && (op.groups, outputs) == (channels, channels);
                match op.groups {
                    2..=MOST_GROUPS if !is_apart => self.in_parts(op, operands, place),
                    1 if op.transposed => self.spread(axes, operands, place),
                    groups if groups == 1 || is_apart => self.gathered(axes, operands, place),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Over all channels, or each apart where the weights have but one.
    fn gathered(
        &mut self,
        axes: [ConvolveAxis; 2],
        Convolved { x, weights, bias }: Convolved<'_>,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let Some(padding) = padding(axes, &x.shape()[2..], &weights.shape()[2..]) else {
            return Ok(None);
        };
        let conv = Conv2d {
            stride: axes.map(|axis| axis.stride),
            dilation: axes.map(|axis| axis.dilation),
            padding,
            activation: Activation::None,
            residual: None,
        };
        let Some(image) = self.image(x, place)? else {
            return Ok(None);
        };
        let outputs = weights.shape()[0];
        let (op, order) = if weights.shape()[1] == x.shape()[1] {
            (Op::Conv2d(conv), Order::channels_last(4))
        } else {
            let last = Order::new(vec![1, 2, 3, 0]);
            (
                Op::DepthwiseConv2d(conv),
                last.unwrap_or_else(|| Order::identity(4)),
            )
        };
        let weights = self.operand(weights, &order, place)?;
        let bias = match bias {
            Some(bias) => self.operand(bias, &Order::identity(1), place)?,
            None => self.repeated(0.0, outputs, place)?,
        };
        let shape = [1, outputs, axes[0].size, axes[1].size];
        let inputs = vec![image, weights, bias];
        self.image_node(op, inputs, x.file_type(), &shape, place)
            .map(Some)
    }

    /// One group after the other.
    fn in_parts(
        &mut self,
        op: &Convolve,
        Convolved { x, weights, bias }: Convolved<'_>,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let mut results = Vec::with_capacity(op.groups);
        for group in 0..op.groups {
            let mut part = |symbol: &Symbol, axis: usize| {
                let mut parts: Vec<Part> = symbol.shape().iter().map(|&size| Part::of(0, size)).collect();
                let size = parts[axis].size / op.groups;
                parts[axis] = Part::of(group * size, size);
                self.slice(symbol, &parts, place)
            };
            let (x, weights) = (part(x, 1)?, part(weights, 0)?);
            let bias = bias.map(|bias| part(bias, 0)).transpose()?;
            let operands = Convolved {
                x: &x,
                weights: &weights,
                bias: bias.as_ref(),
            };
            let op = Convolve {
                groups: 1,
                ..op.clone()
            };
            match self.image_convolution(&op, operands, place)? {
                Some(result) => results.push(result),
                // None of them is one; what the first has made of its part nobody reads.
                None => return Ok(None),
            }
        }
        self.concat(&results, 1, place).map(Some)
    }

    /// A transposed convolution in one group.
    fn spread(
        &mut self,
        axes: [ConvolveAxis; 2],
        Convolved { x, weights, bias }: Convolved<'_>,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let &[channels, outputs, ref taps @ ..] = weights.shape() else {
            return Ok(None);
        };
        let is_row = x.shape()[2] == 1 && taps[0] == 1 && axes[0] == STILL;
        let is_dense = axes
            .iter()
            .zip(taps)
            .all(|(axis, &taps)| axis.dilation == 1 || taps == 1);
        let steps = axes.map(|axis| axis.stride);
        if !is_dense || !(is_row || steps[0] == steps[1]) {
            return Ok(None);
        }
        let blocks = steps[0] * steps[1];
        // Elements that one output reads along each axis, and from which to which block outputs lie.
        let reach = [0, 1].map(|axis| taps[axis].div_ceil(steps[axis]));
        let first = [0, 1].map(|axis| axes[axis].before.div_euclid(steps[axis] as i64));
        let small = [0, 1].map(|axis| {
            let ConvolveAxis { before, size, .. } = axes[axis];
            let last = (before + size as i64 - 1).div_euclid(steps[axis] as i64);
            ConvolveAxis {
                before: reach[axis] as i64 - 1 - first[axis],
                size: (last - first[axis] + 1) as usize,
                ..STILL
            }
        });
        let shape = vec![blocks * outputs, channels, reach[0], reach[1]];
        let count = bounded_element_count(&shape);
        let (Some(count), Some(source)) = (count, weights.known().and_then(Tensor::floats)) else {
            return Ok(None);
        };
        self.compute(count, place)?;
        let mut turned = Vec::with_capacity(count);
        for output in 0..blocks * outputs {
            let (block, output) = (output / outputs, output % outputs);
            let phase = [block / steps[1], block % steps[1]];
            for channel in 0..channels {
                for tap in 0..reach[0] * reach[1] {
                    let at = [tap / reach[1], tap % reach[1]];
                    let tap = [0, 1].map(|axis| phase[axis] + steps[axis] * (reach[axis] - 1 - at[axis]));
                    let is_inside = tap[0] < taps[0] && tap[1] < taps[1];
                    let index = ((channel * outputs + output) * taps[0] + tap[0]) * taps[1] + tap[1];
                    turned.push(if is_inside { source[index] } else { 0.0 });
                }
            }
        }
        let weights = self.known(weights.file_type(), shape, turned, place)?;
        let bias = match bias.and_then(|bias| bias.known()?.floats()) {
            Some(bias) => {
                Some(self.known(x.file_type(), vec![blocks * outputs], bias.repeat(blocks), place)?)
            }
            None => None,
        };
        let operands = Convolved {
            x,
            weights: &weights,
            bias: bias.as_ref(),
        };
        let Some(y) = self.gathered(small, operands, place)? else {
            return Ok(None);
        };
        let sizes = [0, 1].map(|axis| small[axis].size * steps[axis]);
        let whole = vec![1, outputs, sizes[0], sizes[1]];
        let whole = if blocks == 1 {
            y
        } else if is_row {
            // Blocks of one row lie in memory as they do in space.
            let split = self.reshape(&y, vec![1, blocks, outputs, small[1].size], place)?;
            let turned = self.transpose(&split, &[0, 2, 3, 1], place)?;
            self.reshape(&turned, whole, place)?
        } else {
            let op = Op::DepthToSpace { block: steps[0] };
            let Some(image) = self.image(&y, place)? else {
                return Ok(None);
            };
            self.image_node(op, vec![image], x.file_type(), &whole, place)?
        };
        let start = |axis: usize| (axes[axis].before - first[axis] * steps[axis] as i64) as usize;
        let parts = [
            Part::of(0, 1),
            Part::of(0, outputs),
            Part::of(start(0), axes[0].size),
            Part::of(start(1), axes[1].size),
        ];
        self.slice(&whole, &parts, place).map(Some)
    }

    /// The product of `[.., m, k]` with a known `[k, n]`, and a known bias `[n]` added, as a convolution of the rows;
    /// `None` where it is none.
    ///
    /// # Errors
    /// *Unsupported* where too much would be computed.
    pub fn dense(
        &mut self,
        a: &Symbol,
        b: &Symbol,
        bias: Option<&Symbol>,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let (&[ref front @ .., k], &[own, n]) = (a.shape(), b.shape()) else {
            return Ok(None);
        };
        let rows: usize = front.iter().product();
        let image = vec![1, k, 1, rows];
        if front.is_empty() || own != k || n == 0 || b.known().is_none() || a.known().is_some() {
            return Ok(None);
        }
        if a.file_type() != b.file_type() || !a.order().matches(&Order::identity(a.shape().len()), a.shape())
        {
            return Ok(None);
        }
        let mut shape = front.to_vec();
        shape.push(n);
        let lines = self.reshape(a, vec![rows, k], place)?;
        let columns = self.transpose(&lines, &[1, 0], place)?;
        let x = self.reshape(&columns, image, place)?;
        let weights = self.transpose(b, &[1, 0], place)?;
        let weights = self.reshape(&weights, vec![n, k, 1, 1], place)?;
        let along = ConvolveAxis { size: rows, ..STILL };
        let op = Convolve {
            axes: vec![STILL, along],
            groups: 1,
            transposed: false,
        };
        let operands = Convolved {
            x: &x,
            weights: &weights,
            bias,
        };
        let Some(y) = self.image_convolution(&op, operands, place)? else {
            return Ok(None);
        };
        let lines = self.reshape(&y, vec![n, rows], place)?;
        let lines = self.transpose(&lines, &[1, 0], place)?;
        self.reshape(&lines, shape, place).map(Some)
    }

    /// A constant of one number.
    pub(super) fn repeated(&mut self, value: f32, count: usize, place: &str) -> Result<ValueId, ModelError> {
        let tensor = Tensor::new(FileType::F32, vec![count], Data::Splat(Scalar::Float(value)));
        let tensor = tensor.map_err(|message| ModelError::unsupported(place, message))?;
        self.operand(&Symbol::Known(tensor), &Order::identity(1), place)
    }

    /// What is known.
    fn known(
        &self,
        of: FileType,
        shape: Vec<usize>,
        data: Vec<f32>,
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let tensor = Tensor::new(of, shape, Data::Float(data.into()));
        let tensor = tensor.map_err(|message| ModelError::unsupported(place, message))?;
        Ok(Symbol::Known(tensor))
    }
}

/// Zeros around an image, so that there are as many outputs as an axis says; `None` where they would have to be taken away.
fn padding(axes: [ConvolveAxis; 2], sizes: &[usize], taps: &[usize]) -> Option<Padding> {
    let around = |axis: usize| {
        let ConvolveAxis {
            stride,
            dilation,
            before,
            size,
        } = axes[axis];
        let before = usize::try_from(before).ok()?;
        let span = (taps[axis] - 1) * dilation + 1;
        let end = (size - 1) * stride + span;
        let after = end.saturating_sub(sizes[axis] + before);
        let room = (sizes[axis] + before + after).checked_sub(span)?;
        (room / stride + 1 == size).then_some((before, after))
    };
    let ((top, bottom), (left, right)) = (around(0)?, around(1)?);
    Some(Padding {
        top,
        bottom,
        left,
        right,
    })
}
