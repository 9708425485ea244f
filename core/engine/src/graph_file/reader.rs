//! The parts of a graph file, read: every length, index and number is checked before it is used.

use super::Storage;
use crate::compact::{Compact, Steps};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{
    Activation, Bilinear, Constant, Conv2d, Node, Op, Padding, Pool2d, Residual, Value, ValueId,
    bounded_element_count,
};
use crate::ops::TensorOp;

/// Strides, windows, paddings and blocks beyond this occur in no real model and would overflow index arithmetic.
const MAX_OPTION: usize = 4096;

/// Most dimensions of a value.
const MAX_RANK: usize = 8;

/// Reads a file from its start to its end.
pub(crate) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes read so far.
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn broken(&self, what: &str) -> ModelError {
        ModelError::invalid(
            what,
            format!(
                "it cannot be read (byte {}); the file is truncated or damaged",
                self.at
            ),
        )
    }

    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], ModelError> {
        let end = self.at.checked_add(len);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.broken(what))?;
        self.at += len;
        Ok(taken)
    }

    pub(crate) fn float(&mut self, what: &str) -> Result<f32, ModelError> {
        Ok(f32::from_bits(self.number(what)? as u32))
    }

    pub(crate) fn number(&mut self, what: &str) -> Result<usize, ModelError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    /// The length of a list, each element of which takes four bytes at least.
    pub(crate) fn count(&mut self, what: &str) -> Result<usize, ModelError> {
        let count = self.number(what)?;
        if count > (self.bytes.len() - self.at) / 4 {
            return Err(self.broken(what));
        }
        Ok(count)
    }

    /// A list of numbers after its length.
    pub(crate) fn numbers(&mut self, what: &str) -> Result<Vec<usize>, ModelError> {
        (0..self.count(what)?).map(|_| self.number(what)).collect()
    }

    /// A number from 0 to below `limit`.
    pub(crate) fn below(&mut self, limit: usize, what: &str) -> Result<usize, ModelError> {
        let number = self.number(what)?;
        if number < limit {
            Ok(number)
        } else {
            Err(self.broken(what))
        }
    }

    fn option(&mut self, what: &str) -> Result<usize, ModelError> {
        self.below(MAX_OPTION + 1, what)
    }

    pub(crate) fn flag(&mut self, what: &str) -> Result<bool, ModelError> {
        Ok(self.below(2, what)? == 1)
    }

    fn text(&mut self, what: &str) -> Result<String, ModelError> {
        let len = self.number(what)?;
        let bytes = self.take(len, what)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.broken(what))
    }

    pub(super) fn ids(&mut self, what: &str, n_values: usize) -> Result<Vec<ValueId>, ModelError> {
        let count = self.count(what)?;
        (0..count).map(|_| self.id(what, n_values)).collect()
    }

    fn id(&mut self, what: &str, n_values: usize) -> Result<ValueId, ModelError> {
        Ok(ValueId(self.below(n_values, what)? as u32))
    }

    pub(super) fn value(&mut self) -> Result<(Value, Storage), ModelError> {
        let name = self.text("name of a value")?;
        let what = format!("value {name}");
        let rank = self.below(MAX_RANK + 1, &what)?;
        let shape = (0..rank)
            .map(|_| self.number(&what))
            .collect::<Result<Vec<_>, _>>()?;
        if bounded_element_count(&shape).is_none() {
            return Err(ModelError::invalid(what, format!("shape {shape:?}")));
        }
        let element = Element::ALL[self.below(Element::ALL.len(), &what)?];
        let storage = Storage::ALL[self.below(Storage::ALL.len(), &what)?];
        let value = Value {
            name,
            shape,
            element,
            constant: None,
        };
        Ok((value, storage))
    }

    pub(super) fn constant(
        &mut self,
        elements: usize,
        storage: Storage,
    ) -> Result<Option<Constant>, ModelError> {
        let what = "contents of a constant";
        Ok(match storage {
            Storage::None => None,
            Storage::F32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::F32(
                    words.iter().map(|&word| f32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::I32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::I32(
                    words.iter().map(|&word| i32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::U32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::U32(
                    words.iter().map(|&word| u32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::F16 => {
                let halves = self.take(2 * elements, what)?.as_chunks::<2>().0;
                Some(Constant::Compact(Compact::dense(halves)))
            }
            Storage::SparseF16 => {
                let mask = self.take(elements.div_ceil(8), what)?;
                let kept = self.take(2 * Compact::count(mask), what)?.as_chunks::<2>().0;
                let compact = Compact::sparse(elements, mask, kept).ok_or_else(|| self.broken(what))?;
                Some(Constant::Compact(compact))
            }
            Storage::Codes | Storage::SparseCodes => {
                let run = self.number(what)?;
                let channels = self.number(what)?;
                let sizes = self
                    .take(channels.saturating_mul(2), what)?
                    .as_chunks::<2>()
                    .0
                    .into();
                let mask = match storage {
                    Storage::SparseCodes => Some(self.take(elements.div_ceil(8), what)?),
                    _ => None,
                };
                let codes = bytemuck::cast_slice(self.take(mask.map_or(elements, Compact::count), what)?);
                let compact = Compact::coded(elements, mask, codes, Steps { sizes, run });
                Some(Constant::Compact(compact.ok_or_else(|| self.broken(what))?))
            }
        })
    }

    pub(super) fn node(&mut self, n_values: usize) -> Result<Node, ModelError> {
        let origin = self.text("origin of a node")?;
        let op = self.op(&origin)?;
        let inputs = self.ids(&origin, n_values)?;
        let fits = operand_count(&op).map_or(!inputs.is_empty(), |count| inputs.len() == count);
        if !fits {
            let message = format!("{} operands of {}", inputs.len(), op.name());
            return Err(ModelError::invalid(origin, message));
        }
        let output = self.id(&origin, n_values)?;
        Ok(Node {
            origin,
            op,
            inputs,
            output,
        })
    }

    fn op(&mut self, origin: &str) -> Result<Op, ModelError> {
        Ok(match self.number(origin)? {
            0 => Op::Conv2d(self.convolution(origin)?),
            1 => Op::DepthwiseConv2d(self.convolution(origin)?),
            2 => {
                let rank = self.below(2 * MAX_RANK + 1, origin)? / 2;
                let amounts = (0..rank).map(|_| self.pair(origin).map(|[before, after]| (before, after)));
                Op::Pad(amounts.collect::<Result<_, _>>()?)
            }
            3 => Op::Add(self.residual(origin)?),
            4 => Op::Activation(self.activation(origin)?),
            5 => Op::MaxPool2d(Pool2d {
                window: self.pair(origin)?,
                stride: self.pair(origin)?,
                padding: self.padding(origin)?,
                activation: self.activation(origin)?,
            }),
            6 => Op::ResizeBilinear(self.bilinear(origin)?),
            7 => Op::Reshape,
            8 => Op::Concat {
                axis: self.below(MAX_RANK, origin)?,
            },
            9 => Op::DepthToSpace {
                block: self.option(origin)?,
            },
            10 => Op::GlobalAveragePool,
            11 => Op::ScaleChannels,
            family => match TensorOp::read(family, self, origin)? {
                Some(op) => Op::Tensor(op),
                None => return Err(self.broken(origin)),
            },
        })
    }

    fn convolution(&mut self, origin: &str) -> Result<Conv2d, ModelError> {
        Ok(Conv2d {
            stride: self.pair(origin)?,
            dilation: self.pair(origin)?,
            padding: self.padding(origin)?,
            activation: self.activation(origin)?,
            residual: match self.flag(origin)? {
                true => Some(self.residual(origin)?),
                false => None,
            },
        })
    }

    fn residual(&mut self, origin: &str) -> Result<Residual, ModelError> {
        Ok(Residual {
            upsample: match self.flag(origin)? {
                true => Some(self.bilinear(origin)?),
                false => None,
            },
            inner: self.activation(origin)?,
            activation: self.activation(origin)?,
        })
    }

    fn pair(&mut self, origin: &str) -> Result<[usize; 2], ModelError> {
        Ok([self.option(origin)?, self.option(origin)?])
    }

    fn padding(&mut self, origin: &str) -> Result<Padding, ModelError> {
        let [top, bottom] = self.pair(origin)?;
        let [left, right] = self.pair(origin)?;
        Ok(Padding {
            top,
            bottom,
            left,
            right,
        })
    }

    fn bilinear(&mut self, origin: &str) -> Result<Bilinear, ModelError> {
        Ok(Bilinear {
            align_corners: self.flag(origin)?,
            half_pixel_centers: self.flag(origin)?,
        })
    }

    fn activation(&mut self, origin: &str) -> Result<Activation, ModelError> {
        Ok(match self.number(origin)? {
            0 => Activation::None,
            1 => Activation::Relu,
            2 => Activation::Relu6,
            3 => Activation::Sigmoid,
            4 => Activation::HardSwish,
            5 => Activation::Swish,
            _ => return Err(self.broken(origin)),
        })
    }
}

/// How many operands an operator has; a concatenation has any number, and a tensor operator checks for itself.
fn operand_count(op: &Op) -> Option<usize> {
    match op {
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => Some(3 + usize::from(conv.residual.is_some())),
        Op::Add(_) | Op::ScaleChannels => Some(2),
        Op::Concat { .. } => None,
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::ResizeBilinear(_)
        | Op::Reshape
        | Op::DepthToSpace { .. }
        | Op::GlobalAveragePool => Some(1),
        // `validate` asks the family.
        Op::Tensor(_) => None,
    }
}
