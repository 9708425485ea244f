//! Cases for one of two elements by a third: every kind of element, on operands of equal shapes, rows, columns, scalars
//! and tensors without elements that stretch over each other; with constants and infinities.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{Select, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

/// Shapes of the condition and of what it chooses between: each stays along the innermost run or lies there.
const SHAPES: [[&[usize]; 3]; 11] = [
    [&[], &[], &[]],
    [&[13], &[13], &[13]],
    [&[2, 3, 4], &[2, 3, 4], &[]],
    [&[2, 3, 4], &[], &[2, 3, 4]],
    [&[5, 3], &[], &[1]],
    [&[], &[5, 3], &[3]],
    [&[2, 3, 1], &[3, 4], &[2, 1, 4]],
    [&[2, 1, 1], &[], &[1, 3, 4]],
    [&[1, 4], &[3, 1], &[2, 1, 1]],
    [&[3], &[2, 1], &[4, 1, 1]],
    [&[2, 0, 3], &[2, 1, 1], &[3]],
];

pub fn cases() -> impl Iterator<Item = Case> {
    Element::ALL.into_iter().map(case)
}

/// On each triple of shapes; every third time the condition is a constant, and every third time what is chosen where it
/// holds.
fn case(element: Element) -> Case {
    let mut random = Random(20_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (index, shapes) in SHAPES.into_iter().enumerate() {
        let mut operands = Vec::new();
        for (operand, shape) in shapes.into_iter().enumerate() {
            let element = if operand == 0 { Element::Bool } else { element };
            let words: Vec<u32> = (0..element_count(shape))
                .map(|_| word(&mut random, element))
                .collect();
            operands.push(if operand < 2 && index % 3 == operand {
                build.constant_words(element, shape, words)
            } else {
                build.words(element, shape, words)
            });
        }
        results.push(build.tensor(TensorOp::Select(Select), operands));
    }
    build.case(&results)
}

fn word(random: &mut Random, element: Element) -> u32 {
    let ends = [f32::INFINITY, f32::NEG_INFINITY, 0.0, -1.5];
    match element {
        Element::F32 if random.below(3) == 0 => random.pick(&ends).to_bits(),
        Element::F32 => random.unit().to_bits(),
        Element::I32 | Element::U32 => random.bits() as u32,
        Element::Bool => random.below(2) as u32,
    }
}
