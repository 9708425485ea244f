//! Convolutions in their general form: along one to three axes, in groups, dilated, transposed, of any batch, with weights
//! that may come with the frame.
//!
//! Images of one batch with known weights have operators of their own in [`Op`](crate::graph::Op), which are faster.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{MAX_ELEMENTS, Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// Axes that a kernel walks over, at most.
const MAX_AXES: usize = 3;

/// Sums of products of elements and the weights around them; inputs `[x, weights]` or `[x, weights, bias]` of f32. x is
/// `[batch, sizes.., channels]`, the weights are `[taps.., channels / groups, outputs]`, the bias is `[outputs]` and the
/// result `[batch, sizes.., outputs]`.
///
/// Without `transposed` the result at o is the sum over taps t of x at o stride + t dilation - before, times the weights
/// of t; transposed, element i of x adds to the result at i stride + t dilation - before. There is nothing beyond the
/// border of x. An output reads the channels of its own group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolve {
    /// One for each axis between batch and channels.
    pub axes: Vec<ConvolveAxis>,
    /// In how many equal parts channels and outputs are divided.
    pub groups: usize,
    /// Whether the weights spread elements instead of gathering them.
    pub transposed: bool,
}

/// How a convolution goes along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolveAxis {
    /// From an output to the next; transposed, between the outputs of two neighbours.
    pub stride: usize,
    /// Between two taps.
    pub dilation: usize,
    /// Where the first tap of the first output begins: that many elements before the first of x.
    pub before: i64,
    /// Size of the result.
    pub size: usize,
}

/// An axis with the sizes of the operands.
#[derive(Clone, Copy, Debug)]
struct Walk {
    axis: ConvolveAxis,
    taps: usize,
    /// Size of x.
    from: usize,
    transposed: bool,
}

impl Walk {
    /// Where in x an output finds what a tap multiplies.
    #[inline(always)]
    fn source(&self, output: usize, tap: usize) -> Option<usize> {
        let ConvolveAxis {
            stride,
            dilation,
            before,
            ..
        } = self.axis;
        let (output, reach, stride) = (output as i64, tap as i64 * dilation as i64, stride as i64);
        let place = if self.transposed {
            let spread = output + before - reach;
            if spread % stride != 0 {
                return None;
            }
            spread / stride
        } else {
            output * stride + reach - before
        };
        usize::try_from(place).ok().filter(|&place| place < self.from)
    }
}

/// The sizes of a convolution, along as many axes as a kernel walks over.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    walks: [Walk; MAX_AXES],
    groups: usize,
    /// Of one group.
    channels: usize,
    /// Of one group.
    outputs: usize,
}

impl Sizes {
    /// Elements of the result, channels aside.
    fn pixels(&self) -> usize {
        self.batch * self.walks.iter().map(|walk| walk.axis.size).product::<usize>()
    }
}

impl Convolve {
    /// The shape of the result, and the sizes.
    fn sizes(&self, x: &[usize], weights: &[usize]) -> Result<(Shape, Sizes), String> {
        let refused = || format!("{self:?} of shapes {x:?} and {weights:?}");
        let rank = self.axes.len();
        let (&[batch, ref from @ .., channels], &[ref taps @ .., in_group, outputs]) = (x, weights) else {
            return Err(refused());
        };
        let fits = (1..=MAX_AXES).contains(&rank)
            && (from.len(), taps.len()) == (rank, rank)
            && in_group > 0
            && in_group.checked_mul(self.groups) == Some(channels)
            && outputs.is_multiple_of(self.groups);
        if !fits {
            return Err(refused());
        }
        let none = Walk {
            axis: ConvolveAxis {
                stride: 1,
                dilation: 1,
                before: 0,
                size: 1,
            },
            taps: 1,
            from: 1,
            transposed: self.transposed,
        };
        let mut walks = [none; MAX_AXES];
        let own = walks[MAX_AXES - rank..].iter_mut();
        for (walk, ((&axis, &from), &taps)) in own.zip(self.axes.iter().zip(from).zip(taps)) {
            // Places are counted in 32 bits on a GPU, and none is further away than this.
            let small = |size: usize| (1..=MAX_ELEMENTS).contains(&size).then_some(size as u64);
            let reach = small(axis.stride)
                .zip(small(axis.dilation))
                .and_then(|(stride, dilation)| {
                    let along =
                        small(axis.size.max(1))?.checked_mul(if self.transposed { 1 } else { stride })?;
                    let across = small(taps)?.checked_mul(dilation)?;
                    along.checked_add(across)?.checked_add(axis.before.unsigned_abs())
                });
            if from == 0 || reach.is_none_or(|reach| reach >= 1 << 31) {
                return Err(refused());
            }
            *walk = Walk {
                axis,
                taps,
                from,
                transposed: self.transposed,
            };
        }
        let mut shape = vec![batch];
        shape.extend(self.axes.iter().map(|axis| axis.size));
        shape.push(outputs);
        bounded_element_count(&shape).ok_or_else(refused)?;
        let sizes = Sizes {
            batch,
            walks,
            groups: self.groups,
            channels: in_group,
            outputs: outputs / self.groups,
        };
        Ok((shape, sizes))
    }
}

impl Family for Convolve {
    fn name(&self) -> &'static str {
        "Convolve"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let (&[x, weights] | &[x, weights, _]) = operands else {
            return Err(format!("{} operands of Convolve", operands.len()));
        };
        if let Some(other) = operands.iter().find(|operand| operand.element != Element::F32) {
            return Err(format!("Convolve of {}", other.element));
        }
        let (shape, sizes) = self.sizes(x.shape, weights.shape)?;
        if let Some(bias) = operands.get(2)
            && bias.shape != [sizes.groups * sizes.outputs]
        {
            return Err(format!("a bias of shape {:?} for {shape:?}", bias.shape));
        }
        Ok(Type {
            element: Element::F32,
            shape,
        })
    }

    fn macs(&self, operands: &[TypeRef<'_>], result: &Type) -> u64 {
        let (&[x, weights] | &[x, weights, _]) = operands else {
            return 0;
        };
        let Some((&outputs, taps)) = weights.shape.split_last() else {
            return 0;
        };
        // Of each output, or of each element that is spread.
        let (of, each) = if self.transposed {
            (
                x.shape,
                element_count(&taps[..taps.len() - 1]) * (outputs / self.groups.max(1)),
            )
        } else {
            (&*result.shape, element_count(taps))
        };
        element_count(of) as u64 * each as u64
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.axes.len());
        for axis in &self.axes {
            file.number(axis.stride);
            file.number(axis.dilation);
            file.number(usize::from(axis.before < 0));
            file.number(usize::try_from(axis.before.unsigned_abs()).unwrap_or(usize::MAX));
            file.number(axis.size);
        }
        file.number(self.groups);
        file.number(usize::from(self.transposed));
    }
}

impl Definition for Convolve {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let ([x, weights] | [x, weights, _]) = operands else {
            return Err(format!("{} operands of Convolve", operands.len()));
        };
        let of = x.file_type();
        let floats = |tensor: &'_ Tensor| -> Result<Vec<f32>, String> {
            let floats = tensor.floats().filter(|_| tensor.file_type() == of);
            let floats = floats.ok_or_else(|| format!("Convolve of {of} and {}", tensor.file_type()))?;
            Ok(floats.into_owned())
        };
        let types: Vec<TypeRef<'_>> = operands
            .iter()
            .map(|operand| TypeRef {
                element: Element::F32,
                shape: operand.shape(),
            })
            .collect();
        let shape = self.infer(&types)?.shape;
        let (_, sizes) = self.sizes(x.shape(), weights.shape())?;
        let bias = operands.get(2).map(floats).transpose()?;
        let (x, weights) = (floats(x)?, floats(weights)?);
        let Sizes {
            walks,
            groups,
            channels,
            outputs,
            ..
        } = sizes;
        let elements = (0..element_count(&shape)).map(|index| {
            let (pixel, output) = (index / (groups * outputs), index % (groups * outputs));
            let first_channel = output / outputs * channels;
            let mut rest = pixel;
            let mut at = [0; MAX_AXES];
            for (at, walk) in at.iter_mut().zip(&walks).rev() {
                *at = rest % walk.axis.size;
                rest /= walk.axis.size;
            }
            let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[output]));
            let taps: usize = walks.iter().map(|walk| walk.taps).product();
            for tap in 0..taps {
                let (mut rest, mut place, mut step, mut is_inside) = (tap, 0, 1, true);
                for (walk, &at) in walks.iter().zip(&at).rev() {
                    match walk.source(at, rest % walk.taps) {
                        Some(source) => place += source * step,
                        None => is_inside = false,
                    }
                    rest /= walk.taps;
                    step *= walk.from;
                }
                if !is_inside {
                    continue;
                }
                place += rest_of_batch(pixel, &walks) * step;
                for channel in 0..channels {
                    let x = x[place * groups * channels + first_channel + channel];
                    let weight = weights[(tap * channels + channel) * groups * outputs + output];
                    sum += f64::from(x) * f64::from(weight);
                }
            }
            Ok(Scalar::Float(of.round(sum as f32)))
        });
        Tensor::from_scalars(of, shape.clone(), elements)
    }
}

/// To which of the batch an element of the result belongs, channels aside.
fn rest_of_batch(pixel: usize, walks: &[Walk; MAX_AXES]) -> usize {
    pixel / walks.iter().map(|walk| walk.axis.size).product::<usize>()
}

impl Convolve {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let mut axes = Vec::new();
        for _ in 0..file.count(origin)? {
            let (stride, dilation) = (file.number(origin)?, file.number(origin)?);
            let is_below = file.flag(origin)?;
            let before = file.below(1 << 31, origin)? as i64;
            axes.push(ConvolveAxis {
                stride,
                dilation,
                before: if is_below { -before } else { before },
                size: file.number(origin)?,
            });
        }
        Ok(Self {
            axes,
            groups: file.number(origin)?,
            transposed: file.flag(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    fn floats(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
    }

    fn axis(stride: usize, dilation: usize, before: i64, size: usize) -> ConvolveAxis {
        ConvolveAxis {
            stride,
            dilation,
            before,
            size,
        }
    }

    /// Results of `Conv` and `ConvTranspose` in onnxruntime 1.31, of [1, 2, 3, 4] with [1, 10, 100].
    #[test]
    fn elements_are_gathered_and_spread() {
        let x = floats(&[1, 4, 1], &[1.0, 2.0, 3.0, 4.0]);
        let weights = floats(&[3, 1, 1], &[1.0, 10.0, 100.0]);
        for (transposed, axis, expected) in [
            (false, axis(1, 1, 1, 4), &[210.0, 321.0, 432.0, 43.0][..]),
            (false, axis(2, 1, 1, 2), &[210.0, 432.0]),
            (false, axis(1, 2, 2, 4), &[310.0, 420.0, 31.0, 42.0]),
            (true, axis(1, 1, 0, 6), &[1.0, 12.0, 123.0, 234.0, 340.0, 400.0]),
            (
                true,
                axis(2, 1, 1, 7),
                &[10.0, 102.0, 20.0, 203.0, 30.0, 304.0, 40.0],
            ),
            (true, axis(1, 2, 2, 4), &[13.0, 24.0, 130.0, 240.0]),
        ] {
            let op = Convolve {
                axes: vec![axis],
                groups: 1,
                transposed,
            };
            let result = op.evaluate(&[x.clone(), weights.clone()]);
            assert_eq!(result, Ok(floats(&[1, expected.len(), 1], expected)), "{op:?}");
        }
    }

    /// Each output reads the channels of its own group.
    #[test]
    fn groups_stay_apart() {
        let x = floats(&[1, 1, 4], &[1.0, 2.0, 3.0, 4.0]);
        let weights = floats(&[1, 2, 4], &[1.0, 10.0, 1.0, 10.0, 0.0, 1.0, -1.0, 0.0]);
        let bias = floats(&[4], &[0.5, 0.0, 0.0, -0.5]);
        let op = Convolve {
            axes: vec![axis(1, 1, 0, 1)],
            groups: 2,
            transposed: false,
        };
        // [1, 2] by [[1, 0], [10, 1]] and [3, 4] by [[1, -1], [10, 0]].
        let expected = floats(&[1, 1, 4], &[1.5, 12.0, -1.0, 29.5]);
        assert_eq!(op.evaluate(&[x, weights, bias]), Ok(expected));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let f32 = |shape: &'static [usize]| of(Element::F32, shape);
        let op = |axis: ConvolveAxis, groups: usize| Convolve {
            axes: vec![axis],
            groups,
            transposed: false,
        };
        let good = axis(1, 1, 0, 3);
        let (x, weights) = (f32(&[1, 5, 4]), f32(&[3, 4, 6]));
        assert!(op(good, 1).infer(&[x, weights, f32(&[6])]).is_ok());
        for (op, operands) in [
            (op(good, 1), vec![x]),
            (op(good, 1), vec![x, weights, f32(&[5])]),
            (op(good, 1), vec![x, of(Element::I32, &[3, 4, 6])]),
            (op(good, 1), vec![f32(&[1, 0, 4]), weights]),
            (op(good, 1), vec![f32(&[1, 5, 5, 4]), weights]),
            (op(good, 1), vec![x, f32(&[3, 0, 6])]),
            (op(good, 2), vec![x, weights]),
            (op(good, 4), vec![x, f32(&[3, 1, 6])]),
            (op(good, 0), vec![x, weights]),
            (op(axis(0, 1, 0, 3), 1), vec![x, weights]),
            (op(axis(1, 0, 0, 3), 1), vec![x, weights]),
            (op(axis(1 << 24, 1, 0, 300), 1), vec![x, weights]),
            (op(axis(1, 1, 0, 1 << 26), 1), vec![x, weights]),
        ] {
            assert!(op.infer(&operands).is_err(), "{op:?} of {operands:?}");
        }
    }
}
