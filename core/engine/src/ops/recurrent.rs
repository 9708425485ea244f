//! Layers that go along a sequence and carry a state: plain, gated and long short-term memory.
//!
//! Definitions follow the ONNX operators `RNN`, `GRU` and `LSTM`, operator set 14 (onnx.ai/onnx/operators), for one
//! direction. What does not depend on the state is computed before, as one product for all steps.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// A layer along a sequence; inputs `[x, weights, biases, state, lengths]`, all of f32 but the lengths, which are i32.
///
/// With H units and G gates: x is `[steps, batch, G H]`, the products of inputs and weights with their biases; weights
/// `[G H, H]` are those of the state, biases `[G, H]` those added to its products, and for [`Cell::Lstm`] `[7, H]`, the
/// last three of which are the weights by which the cell opens the input, output and forget gates; the state is
/// `[1, batch, H]`, and for [`Cell::Lstm`] `[2, batch, H]` with the cell; lengths are `[batch]`.
///
/// The result is `[steps + 2, batch, H]`: the units after each step, 0 behind the end of a sequence, then the units after
/// the last step, then the cell, which is 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrent {
    /// What a unit is.
    pub cell: Cell,
    /// Whether the last step is the first.
    pub reverse: bool,
    /// What goes into an activation of a gate is between this and its negative.
    pub clip: Option<f32>,
    /// The activations of gates, of what is taken in, and of what is given out; a cell uses as many as it has.
    pub activations: [Gate; 3],
}

/// What a unit is; its gates in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// One sum.
    Plain,
    /// Update, reset and new.
    Gru {
        /// Whether the state is multiplied by the weights before it is reset.
        linear_before_reset: bool,
    },
    /// Input, output, forget and new.
    Lstm {
        /// Whether what is forgotten is what is not taken in.
        couples: bool,
    },
}

impl Cell {
    /// How many gates there are.
    fn gates(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::Gru { .. } => 3,
            Self::Lstm { .. } => 4,
        }
    }

    /// Rows of the biases, and parts of the state.
    fn parts(self) -> [usize; 2] {
        match self {
            Self::Plain | Self::Gru { .. } => [self.gates(), 1],
            Self::Lstm { .. } => [self.gates() + 3, 2],
        }
    }
}

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// 1 / (1 + e^(-x))
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// max(x, 0)
    Relu,
    /// x / (1 + |x|)
    Softsign,
    /// log(1 + e^x)
    Softplus,
    /// The first number times x, and the second added.
    Affine(f32, f32),
    /// The first number times the hyperbolic tangent of the second times x.
    ScaledTanh(f32, f32),
    /// The first number times x and the second added, at least 0 and at most 1.
    HardSigmoid(f32, f32),
    /// x where it is not negative, else this times x.
    LeakyRelu(f32),
    /// x where it is not below this, else 0.
    ThresholdedRelu(f32),
    /// x where it is not negative, else this times (e^x - 1).
    Elu(f32),
}

impl Gate {
    /// Its number in graph files, and its parameters.
    fn parts(self) -> (usize, [f32; 2]) {
        match self {
            Self::Sigmoid => (0, [0.0; 2]),
            Self::Tanh => (1, [0.0; 2]),
            Self::Relu => (2, [0.0; 2]),
            Self::Softsign => (3, [0.0; 2]),
            Self::Softplus => (4, [0.0; 2]),
            Self::Affine(a, b) => (5, [a, b]),
            Self::ScaledTanh(a, b) => (6, [a, b]),
            Self::HardSigmoid(a, b) => (7, [a, b]),
            Self::LeakyRelu(a) => (8, [a, 0.0]),
            Self::ThresholdedRelu(a) => (9, [a, 0.0]),
            Self::Elu(a) => (10, [a, 0.0]),
        }
    }

    fn of_parts(number: usize, [a, b]: [f32; 2]) -> Self {
        match number {
            0 => Self::Sigmoid,
            1 => Self::Tanh,
            2 => Self::Relu,
            3 => Self::Softsign,
            4 => Self::Softplus,
            5 => Self::Affine(a, b),
            6 => Self::ScaledTanh(a, b),
            7 => Self::HardSigmoid(a, b),
            8 => Self::LeakyRelu(a),
            9 => Self::ThresholdedRelu(a),
            _ => Self::Elu(a),
        }
    }

    /// Of a real number.
    fn real(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Softplus => x.exp().ln_1p(),
            Self::Affine(a, b) => f64::from(a) * x + f64::from(b),
            Self::ScaledTanh(a, b) => f64::from(a) * (f64::from(b) * x).tanh(),
            Self::HardSigmoid(a, b) => (f64::from(a) * x + f64::from(b)).clamp(0.0, 1.0),
            Self::LeakyRelu(a) if x < 0.0 => f64::from(a) * x,
            Self::ThresholdedRelu(a) if x < f64::from(a) => 0.0,
            Self::Elu(a) if x < 0.0 => f64::from(a) * x.exp_m1(),
            Self::LeakyRelu(_) | Self::ThresholdedRelu(_) | Self::Elu(_) => x,
        }
    }
}

/// Steps, batch and units.
type Sizes = [usize; 3];

impl Recurrent {
    fn sizes(&self, [x, weights, biases, state, lengths]: [&[usize]; 5]) -> Result<Sizes, String> {
        let refused = || {
            let shapes = [x, weights, biases, state, lengths];
            format!("{:?} of shapes {shapes:?}", self.cell)
        };
        let (&[steps, batch, width], &[_, units]) = (x, weights) else {
            return Err(refused());
        };
        let gates = self.cell.gates();
        let [n_biases, n_states] = self.cell.parts();
        let fits = Some(width) == units.checked_mul(gates)
            && weights == [width, units]
            && biases == [n_biases, units]
            && state == [n_states, batch, units]
            && lengths == [batch];
        let numbers = self.activations.iter().flat_map(|gate| gate.parts().1);
        let are_numbers =
            numbers.chain(self.clip).all(f32::is_finite) && self.clip.is_none_or(|clip| clip > 0.0);
        if !fits || !are_numbers {
            return Err(refused());
        }
        Ok([steps, batch, units])
    }
}

impl Family for Recurrent {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Plain => "RNN",
            Cell::Gru { .. } => "GRU",
            Cell::Lstm { .. } => "LSTM",
        }
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x, weights, biases, state, lengths] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let floats = [x, weights, biases, state];
        if floats.iter().any(|operand| operand.element != Element::F32) || lengths.element != Element::I32 {
            return Err(format!(
                "{} of {} and {}",
                self.name(),
                x.element,
                lengths.element
            ));
        }
        let [steps, batch, units] =
            self.sizes([x.shape, weights.shape, biases.shape, state.shape, lengths.shape])?;
        let shape: Shape = vec![steps + 2, batch, units];
        match bounded_element_count(&shape) {
            Some(_) => Ok(Type {
                element: Element::F32,
                shape,
            }),
            None => Err(format!("{} of shape {shape:?}", self.name())),
        }
    }

    fn macs(&self, operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        let units = operands.get(1).and_then(|weights| weights.shape.last());
        let sizes = operands.first().map_or(&[][..], |x| x.shape).iter().chain(units);
        sizes.fold(1u64, |product, &size| product.saturating_mul(size as u64))
    }

    fn write(&self, file: &mut Writer) {
        file.number(match self.cell {
            Cell::Plain => 0,
            Cell::Gru { linear_before_reset } => 1 + usize::from(linear_before_reset),
            Cell::Lstm { couples } => 3 + usize::from(couples),
        });
        file.number(usize::from(self.reverse));
        file.number(usize::from(self.clip.is_some()));
        file.float(self.clip.unwrap_or(0.0));
        for gate in self.activations {
            let (number, [a, b]) = gate.parts();
            file.number(number);
            file.float(a);
            file.float(b);
        }
    }
}

impl Definition for Recurrent {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, weights, biases, state, lengths] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = x.file_type();
        let shapes = [x, weights, biases, state, lengths].map(Tensor::shape);
        let [steps, batch, units] = self.sizes(shapes)?;
        let floats = [x, weights, biases, state].map(Tensor::floats);
        let ([Some(x), Some(weights), Some(biases), Some(state)], Some(lengths)) = (floats, lengths.ints())
        else {
            return Err(format!("{} of {of}", self.name()));
        };
        let width = self.cell.gates() * units;
        let clipped = |sum: f64| match self.clip {
            None => sum,
            Some(clip) => sum.clamp(-f64::from(clip), f64::from(clip)),
        };
        let [f, g, h] = self.activations;
        let mut results = vec![0.0; (steps + 2) * batch * units];
        for line in 0..batch {
            let part = |part: usize| -> Vec<f64> {
                let first = (part * batch + line) * units;
                state[first..first + units].iter().map(|&x| x.into()).collect()
            };
            let mut own = part(0);
            let mut cell = match self.cell {
                Cell::Lstm { .. } => part(1),
                Cell::Plain | Cell::Gru { .. } => vec![0.0; units],
            };
            let length = lengths[line].clamp(0, steps as i64) as usize;
            for step in 0..length {
                let step = if self.reverse { length - 1 - step } else { step };
                let input = |gate: usize, unit: usize| -> f64 {
                    x[(step * batch + line) * width + gate * units + unit].into()
                };
                let bias = |row: usize, unit: usize| f64::from(biases[row * units + unit]);
                let product = |gate: usize, unit: usize, state: &[f64]| -> f64 {
                    let row = &weights[(gate * units + unit) * units..][..units];
                    row.iter()
                        .zip(state)
                        .map(|(&weight, x)| f64::from(weight) * x)
                        .sum()
                };
                let sum = |gate: usize, unit: usize, state: &[f64]| {
                    input(gate, unit) + product(gate, unit, state) + bias(gate, unit)
                };
                let each = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..units).map(of).collect() };
                own = match self.cell {
                    Cell::Plain => each(&|unit| f.real(clipped(sum(0, unit, &own)))),
                    Cell::Gru { linear_before_reset } => {
                        let reset = each(&|unit| f.real(clipped(sum(1, unit, &own))));
                        let kept: Vec<f64> = own.iter().zip(&reset).map(|(own, reset)| own * reset).collect();
                        each(&|unit| {
                            let update = f.real(clipped(sum(0, unit, &own)));
                            let new = if linear_before_reset {
                                input(2, unit) + reset[unit] * (product(2, unit, &own) + bias(2, unit))
                            } else {
                                sum(2, unit, &kept)
                            };
                            (1.0 - update) * g.real(clipped(new)) + update * own[unit]
                        })
                    }
                    Cell::Lstm { couples } => {
                        let opened = |gate: usize, unit: usize, cell: &[f64]| {
                            let sum = sum(gate, unit, &own) + bias(4 + gate, unit) * cell[unit];
                            f.real(clipped(sum))
                        };
                        let old = cell.clone();
                        cell = each(&|unit| {
                            let input = opened(0, unit, &old);
                            let forget = if couples {
                                1.0 - input
                            } else {
                                opened(2, unit, &old)
                            };
                            forget * old[unit] + input * g.real(clipped(sum(3, unit, &own)))
                        });
                        each(&|unit| opened(1, unit, &cell) * h.real(cell[unit]))
                    }
                };
                let first = (step * batch + line) * units;
                results[first..first + units].copy_from_slice(&own);
            }
            for (row, values) in [(steps, &own), (steps + 1, &cell)] {
                let first = (row * batch + line) * units;
                results[first..first + units].copy_from_slice(values);
            }
        }
        let elements = results.into_iter().map(|y| Ok(Scalar::Float(of.round(y as f32))));
        Tensor::from_scalars(of, vec![steps + 2, batch, units], elements)
    }
}

impl Recurrent {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let cell = match file.below(5, origin)? {
            0 => Cell::Plain,
            number @ (1 | 2) => Cell::Gru {
                linear_before_reset: number == 2,
            },
            number => Cell::Lstm { couples: number == 4 },
        };
        let reverse = file.flag(origin)?;
        let has_clip = file.flag(origin)?;
        let clip = file.float(origin)?;
        let mut activations = [Gate::Sigmoid; 3];
        for gate in &mut activations {
            let number = file.below(11, origin)?;
            *gate = Gate::of_parts(number, [file.float(origin)?, file.float(origin)?]);
        }
        Ok(Self {
            cell,
            reverse,
            clip: has_clip.then_some(clip),
            activations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    fn floats(shape: &[usize], data: Vec<f32>) -> Tensor {
        Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
    }

    /// Results of onnxruntime 1.31.1 for nodes `RNN`, `GRU` and `LSTM` of two units over two steps of one sequence, whose
    /// input weights are the unit matrix, and whose other numbers are those below: the units after each step and after the
    /// last, and the cell.
    #[test]
    fn layers_are_those_of_onnx() {
        for (cell, clip, expected) in KNOWN {
            let (gates, [n_biases, n_states]) = (cell.gates(), cell.parts());
            let mut numbers = (0..).map(|at: i32| ((at * 37 % 19) - 9) as f32 / 8.0);
            let mut take = |shape: &[usize]| {
                let len = shape.iter().product();
                floats(shape, numbers.by_ref().take(len).collect())
            };
            let operands = [
                take(&[2, 1, gates * 2]),
                take(&[gates * 2, 2]),
                take(&[n_biases, 2]),
                take(&[n_states, 1, 2]),
                Tensor::new(FileType::I64, vec![1], Data::Int([2].into())).expect("a tensor"),
            ];
            let op = Recurrent {
                cell,
                reverse: false,
                clip,
                activations: match cell {
                    Cell::Plain => [Gate::Tanh; 3],
                    Cell::Gru { .. } | Cell::Lstm { .. } => [Gate::Sigmoid, Gate::Tanh, Gate::Tanh],
                },
            };
            let result = op.evaluate(&operands).expect("a layer");
            let result = result.floats().expect("f32");
            for (y, expected) in result.iter().zip(expected) {
                assert!(
                    (y - expected).abs() < 1e-5,
                    "{op:?}: {result:?} instead of {expected:?}"
                );
            }
        }
    }

    const KNOWN: [(Cell, Option<f32>, [f32; 8]); 10] = [
        (
            Cell::Plain,
            None,
            [
                -0.741_195, 0.834_605, 0.838_391, 0.736_314, 0.838_391, 0.736_314, 0.0, 0.0,
            ],
        ),
        (
            Cell::Plain,
            Some(0.75),
            [
                -0.635_149, 0.635_149, 0.635_149, 0.635_149, 0.635_149, 0.635_149, 0.0, 0.0,
            ],
        ),
        (
            Cell::Gru {
                linear_before_reset: false,
            },
            None,
            [
                0.246_071, -0.166_472, 0.235_689, -0.134_372, 0.235_689, -0.134_372, 0.0, 0.0,
            ],
        ),
        (
            Cell::Gru {
                linear_before_reset: false,
            },
            Some(0.75),
            [
                0.271_442, -0.041_542, 0.274_786, -0.027_019, 0.274_786, -0.027_019, 0.0, 0.0,
            ],
        ),
        (
            Cell::Gru {
                linear_before_reset: true,
            },
            None,
            [
                0.234_864, -0.166_191, 0.212_344, -0.139_952, 0.212_344, -0.139_952, 0.0, 0.0,
            ],
        ),
        (
            Cell::Gru {
                linear_before_reset: true,
            },
            Some(0.75),
            [
                0.254_342, -0.041_542, 0.244_495, -0.035_051, 0.244_495, -0.035_051, 0.0, 0.0,
            ],
        ),
        (
            Cell::Lstm { couples: false },
            None,
            [
                -0.050_927, 0.265_955, -0.122_993, 0.100_294, -0.122_993, 0.100_294, -0.392_238, 0.280_361,
            ],
        ),
        (
            Cell::Lstm { couples: false },
            Some(0.75),
            [
                -0.111_299, 0.179_606, -0.097_661, 0.095_014, -0.097_661, 0.095_014, -0.314_371, 0.286_193,
            ],
        ),
        (
            Cell::Lstm { couples: true },
            None,
            [
                -0.050_927, 0.262_672, -0.128_391, 0.151_736, -0.128_391, 0.151_736, -0.418_624, 0.415_153,
            ],
        ),
        (
            Cell::Lstm { couples: true },
            Some(0.75),
            [
                -0.111_299, 0.176_214, -0.111_014, 0.117_472, -0.111_014, 0.117_472, -0.360_928, 0.349_795,
            ],
        ),
    ];

    #[test]
    fn what_is_no_layer_is_refused() {
        let of = |shape: &'static [usize]| TypeRef {
            element: Element::F32,
            shape,
        };
        let lengths = TypeRef {
            element: Element::I32,
            shape: &[2],
        };
        let op = |cell: Cell, clip: Option<f32>| Recurrent {
            cell,
            reverse: false,
            clip,
            activations: [Gate::Tanh; 3],
        };
        let good = [of(&[5, 2, 3]), of(&[3, 3]), of(&[1, 3]), of(&[1, 2, 3]), lengths];
        let layer = op(Cell::Plain, None);
        assert_eq!(layer.infer(&good).expect("a layer").shape, [7, 2, 3]);
        assert!(op(Cell::Lstm { couples: false }, None).infer(&good).is_err());
        assert!(op(Cell::Plain, Some(-1.0)).infer(&good).is_err() && layer.infer(&good[..4]).is_err());
        for (index, wrong) in [
            (0, of(&[5, 2, 4])),
            (1, of(&[3, 2])),
            (2, of(&[2, 3])),
            (3, of(&[1, 1, 3])),
            (4, of(&[2])),
        ] {
            let mut operands = good;
            operands[index] = wrong;
            assert!(layer.infer(&operands).is_err(), "{operands:?}");
        }
    }
}
