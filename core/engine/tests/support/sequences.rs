//! Cases for layers along sequences: every cell, either direction, sequences of all lengths, and each activation.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{Cell, Gate, Recurrent, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

const CELLS: [Cell; 5] = [
    Cell::Plain,
    Cell::Gru {
        linear_before_reset: false,
    },
    Cell::Gru {
        linear_before_reset: true,
    },
    Cell::Lstm { couples: false },
    Cell::Lstm { couples: true },
];

const ACTIVATIONS: [[Gate; 3]; 5] = [
    [Gate::Sigmoid, Gate::Tanh, Gate::Tanh],
    [Gate::HardSigmoid(0.2, 0.5), Gate::Softsign, Gate::LeakyRelu(0.1)],
    [Gate::Softplus, Gate::Relu, Gate::Elu(0.5)],
    [Gate::Affine(0.3, 0.1), Gate::ScaledTanh(0.8, 1.5), Gate::Sigmoid],
    [Gate::Tanh, Gate::ThresholdedRelu(0.2), Gate::Softsign],
];

/// Steps, sequences and units.
const SIZES: [[usize; 3]; 5] = [[4, 3, 5], [3, 1, 70], [1, 2, 1], [0, 2, 3], [2, 0, 3]];

pub fn cases() -> impl Iterator<Item = Case> {
    CELLS.into_iter().zip(ACTIVATIONS).map(|(cell, activations)| {
        let mut random = Random(35_000);
        let mut build = Build::default();
        let mut results = Vec::new();
        let (gates, biases, states) = match cell {
            Cell::Plain => (1, 1, 1),
            Cell::Gru { .. } => (3, 3, 1),
            Cell::Lstm { .. } => (4, 7, 2),
        };
        for [steps, batch, units] in SIZES {
            for (reverse, clip) in [(false, None), (true, None), (true, Some(0.5))] {
                let shapes: [&[usize]; 4] = [
                    &[steps, batch, gates * units],
                    &[gates * units, units],
                    &[biases, units],
                    &[states, batch, units],
                ];
                let mut operands: Vec<_> = shapes
                    .into_iter()
                    .map(|shape| {
                        let words = (0..element_count(shape)).map(|_| (0.4 * random.unit()).to_bits());
                        let words = words.collect();
                        build.words(Element::F32, shape, words)
                    })
                    .collect();
                // Some are longer than there are steps, one has none.
                let lengths = (0..batch).map(|line| [steps + 2, steps / 2, 0][line % 3] as u32);
                operands.push(build.words(Element::I32, &[batch], lengths.collect()));
                for activations in [activations, ACTIVATIONS[0]] {
                    let op = Recurrent {
                        cell,
                        reverse,
                        clip,
                        activations,
                    };
                    results.push(build.tensor(TensorOp::Recurrent(op), operands.clone()));
                }
            }
        }
        build.case(&results)
    })
}
