//! The parts of a graph file, written.

use super::Storage;
use crate::compact::Steps;
use crate::error::ModelError;
use crate::graph::{Activation, Bilinear, Constant, Conv2d, Node, Op, Padding, Residual, ValueId};
use crate::half::f16_from_f32_exact;

/// Appends to the bytes of a file.
pub(crate) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(crate) fn float(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u32).to_le_bytes());
    }

    pub(crate) fn numbers(&mut self, numbers: &[usize]) {
        self.number(numbers.len());
        for &number in numbers {
            self.number(number);
        }
    }

    pub(super) fn ids(&mut self, ids: &[ValueId]) {
        self.number(ids.len());
        for id in ids {
            self.number(id.index());
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The contents, in the smallest form that is exact; none for a form that folding removes.
    pub(super) fn constant(&mut self, constant: &Constant) -> Option<Storage> {
        match constant {
            Constant::F32(data) => Some(self.floats(data)),
            Constant::Compact(data) => Some(match data.codes() {
                Some((codes, steps)) => self.codes(data.mask(), codes, steps),
                None => self.floats(&data.to_f32()),
            }),
            Constant::I32(data) => {
                self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
                Some(Storage::I32)
            }
            Constant::U32(data) => {
                self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
                Some(Storage::U32)
            }
            Constant::F16(_) | Constant::SparseF16 { .. } => None,
        }
    }

    fn codes(&mut self, mask: Option<&[u8]>, codes: &[i8], steps: &Steps) -> Storage {
        self.number(steps.run);
        self.number(steps.sizes.len());
        self.0.extend_from_slice(steps.sizes.as_flattened());
        self.0.extend_from_slice(mask.unwrap_or_default());
        self.0.extend_from_slice(bytemuck::cast_slice(codes));
        if mask.is_some() {
            Storage::SparseCodes
        } else {
            Storage::Codes
        }
    }

    fn floats(&mut self, data: &[f32]) -> Storage {
        let halves: Option<Vec<u16>> = data.iter().map(|&value| f16_from_f32_exact(value)).collect();
        let Some(halves) = halves else {
            self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
            return Storage::F32;
        };
        // Minus zero has a bit set, so it is kept.
        let kept = halves.iter().filter(|&&half| half != 0).count();
        if data.len().div_ceil(8) + 2 * kept >= 2 * data.len() {
            self.0.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
            return Storage::F16;
        }
        self.0.extend(halves.chunks(8).map(|eight| {
            let bits = eight.iter().enumerate();
            bits.fold(0u8, |bits, (place, &half)| bits | u8::from(half != 0) << place)
        }));
        let stored = halves.iter().filter(|&&half| half != 0);
        self.0.extend(stored.flat_map(|half| half.to_le_bytes()));
        Storage::SparseF16
    }

    pub(super) fn op(&mut self, node: &Node) -> Result<(), ModelError> {
        match &node.op {
            Op::Dequantize | Op::Densify => {
                let message = "its operand was not folded before the graph was written";
                return Err(ModelError::unsupported(&node.origin, message));
            }
            Op::Conv2d(conv) => {
                self.number(0);
                self.convolution(conv);
            }
            Op::DepthwiseConv2d(conv) => {
                self.number(1);
                self.convolution(conv);
            }
            Op::Pad(amounts) => {
                self.number(2);
                self.numbers(
                    &amounts
                        .iter()
                        .flat_map(|&(before, after)| [before, after])
                        .collect::<Vec<_>>(),
                );
            }
            Op::Add(residual) => {
                self.number(3);
                self.residual(residual);
            }
            Op::Activation(activation) => {
                self.number(4);
                self.activation(*activation);
            }
            Op::MaxPool2d(pool) => {
                self.number(5);
                self.pair(pool.window);
                self.pair(pool.stride);
                self.padding(pool.padding);
                self.activation(pool.activation);
            }
            Op::ResizeBilinear(bilinear) => {
                self.number(6);
                self.bilinear(*bilinear);
            }
            Op::Reshape => self.number(7),
            Op::Concat { axis } => {
                self.number(8);
                self.number(*axis);
            }
            Op::DepthToSpace { block } => {
                self.number(9);
                self.number(*block);
            }
            Op::GlobalAveragePool => self.number(10),
            Op::ScaleChannels => self.number(11),
            Op::Tensor(op) => op.write(self),
        }
        Ok(())
    }

    // Structs are taken apart whole, so that the compiler names the place where a new field is to be written.

    fn convolution(&mut self, conv: &Conv2d) {
        let &Conv2d {
            stride,
            dilation,
            padding,
            activation,
            residual,
        } = conv;
        self.pair(stride);
        self.pair(dilation);
        self.padding(padding);
        self.activation(activation);
        self.number(usize::from(residual.is_some()));
        if let Some(residual) = &residual {
            self.residual(residual);
        }
    }

    fn residual(&mut self, residual: &Residual) {
        let &Residual {
            upsample,
            inner,
            activation,
        } = residual;
        self.number(usize::from(upsample.is_some()));
        if let Some(bilinear) = upsample {
            self.bilinear(bilinear);
        }
        self.activation(inner);
        self.activation(activation);
    }

    fn pair(&mut self, [rows, columns]: [usize; 2]) {
        self.number(rows);
        self.number(columns);
    }

    fn padding(&mut self, padding: Padding) {
        self.pair([padding.top, padding.bottom]);
        self.pair([padding.left, padding.right]);
    }

    fn bilinear(&mut self, bilinear: Bilinear) {
        self.number(usize::from(bilinear.align_corners));
        self.number(usize::from(bilinear.half_pixel_centers));
    }

    fn activation(&mut self, activation: Activation) {
        self.number(match activation {
            Activation::None => 0,
            Activation::Relu => 1,
            Activation::Relu6 => 2,
            Activation::Sigmoid => 3,
            Activation::HardSwish => 4,
            Activation::Swish => 5,
        });
    }
}
