//! Layers along a sequence on the CPU: one unit after the other, whose weights lie one behind the other. The state is kept
//! where the result has it.

use super::{Cell, Gate, Recurrent};
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Recurrent {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let shapes = [0, 1, 2, 3, 4].map(|index| node.operand(index).shape);
        let sizes = self.sizes(shapes);
        let [steps, batch, units] =
            sizes.map_err(|message| ModelError::unsupported(&node.node.origin, message))?;
        Ok(Box::new(Kernel {
            op: *self,
            steps,
            batch,
            units,
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    op: Recurrent,
    steps: usize,
    batch: usize,
    units: usize,
}

/// What one step of one sequence is computed from.
struct Step<'a> {
    op: Recurrent,
    units: usize,
    x: &'a [f32],
    weights: &'a [f32],
    biases: &'a [f32],
}

impl Gate {
    fn apply(self, x: f32) -> f32 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::Softsign => x / (1.0 + x.abs()),
            // Without an overflow of the exponential.
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Affine(a, b) => a * x + b,
            Self::ScaledTanh(a, b) => a * (b * x).tanh(),
            Self::HardSigmoid(a, b) => (a * x + b).clamp(0.0, 1.0),
            Self::LeakyRelu(a) if x < 0.0 => a * x,
            Self::ThresholdedRelu(a) if x < a => 0.0,
            Self::Elu(a) if x < 0.0 => a * x.exp_m1(),
            Self::LeakyRelu(_) | Self::ThresholdedRelu(_) | Self::Elu(_) => x,
        }
    }
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let [x, weights, biases, state] = [0, 1, 2, 3].map(|index| operands.words(index).f32());
        let (lengths, out) = (operands.words(4).i32(), out.f32());
        let &Self {
            op,
            steps,
            batch,
            units,
        } = self;
        out.fill(0.0);
        let row = batch * units;
        let (rows, ends) = out.split_at_mut(steps * row);
        let (own, cell) = ends.split_at_mut(row);
        own.copy_from_slice(&state[..row]);
        if let Cell::Lstm { .. } = op.cell {
            cell.copy_from_slice(&state[row..]);
        }
        let width = op.cell.gates() * units;
        for (line, &length) in lengths.iter().enumerate() {
            let length = usize::try_from(length).unwrap_or(0).min(steps);
            let units_of = line * units..(line + 1) * units;
            let (own, cell) = (&mut own[units_of.clone()], &mut cell[units_of.clone()]);
            for step in 0..length {
                let step = if op.reverse { length - 1 - step } else { step };
                let new = &mut rows[step * row..][units_of.clone()];
                let step = Step {
                    op,
                    units,
                    x: &x[(step * batch + line) * width..][..width],
                    weights,
                    biases,
                };
                step.run(own, cell, new);
                own.copy_from_slice(new);
            }
            if let Cell::Gru { .. } = op.cell {
                cell.fill(0.0);
            }
        }
    }
}

impl Step<'_> {
    fn product(&self, gate: usize, unit: usize, state: &[f32]) -> f32 {
        dot(
            &self.weights[(gate * self.units + unit) * self.units..][..self.units],
            state,
        )
    }

    fn input(&self, gate: usize, unit: usize) -> f32 {
        self.x[gate * self.units + unit]
    }

    fn bias(&self, row: usize, unit: usize) -> f32 {
        self.biases[row * self.units + unit]
    }

    fn sum(&self, gate: usize, unit: usize, state: &[f32]) -> f32 {
        self.input(gate, unit) + self.product(gate, unit, state) + self.bias(gate, unit)
    }

    fn activated(&self, gate: Gate, sum: f32) -> f32 {
        gate.apply(match self.op.clip {
            None => sum,
            Some(clip) => sum.clamp(-clip, clip),
        })
    }

    /// The units after the step; `cell` is what a cell keeps, and room for the reset units of another.
    fn run(&self, own: &[f32], cell: &mut [f32], new: &mut [f32]) {
        let [f, g, h] = self.op.activations;
        match self.op.cell {
            Cell::Plain => {
                for (unit, new) in new.iter_mut().enumerate() {
                    *new = self.activated(f, self.sum(0, unit, own));
                }
            }
            Cell::Gru { linear_before_reset } => {
                for (unit, reset) in cell.iter_mut().enumerate() {
                    *reset = self.activated(f, self.sum(1, unit, own));
                    if !linear_before_reset {
                        *reset *= own[unit];
                    }
                }
                for (unit, new) in new.iter_mut().enumerate() {
                    let update = self.activated(f, self.sum(0, unit, own));
                    let sum = if linear_before_reset {
                        let product = self.product(2, unit, own) + self.bias(2, unit);
                        self.input(2, unit) + cell[unit] * product
                    } else {
                        self.sum(2, unit, cell)
                    };
                    *new = (1.0 - update) * self.activated(g, sum) + update * own[unit];
                }
            }
            Cell::Lstm { couples } => {
                for (unit, (new, cell)) in new.iter_mut().zip(cell).enumerate() {
                    let opened = |gate: usize, cell: f32| {
                        let sum = self.sum(gate, unit, own) + self.bias(4 + gate, unit) * cell;
                        self.activated(f, sum)
                    };
                    let input = opened(0, *cell);
                    let forget = if couples { 1.0 - input } else { opened(2, *cell) };
                    *cell = forget * *cell + input * self.activated(g, self.sum(3, unit, own));
                    *new = opened(1, *cell) * h.apply(*cell);
                }
            }
        }
    }
}

/// Products that are added side by side.
const LANES: usize = 16;

/// The sum of products, in lanes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (chunks_a, rest_a) = a.as_chunks::<LANES>();
    let (chunks_b, rest_b) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
