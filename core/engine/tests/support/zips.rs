//! Cases for functions of two elements: every function of every kind of element, on operands of equal shapes, rows,
//! columns, scalars and tensors without elements that stretch over each other; with constants and between images.

use plumbline_engine::element::Element;
use plumbline_engine::graph::{ValueId, element_count};
use plumbline_engine::ops::{Binary, TensorOp, Zip};

use super::random::Random;
use super::suite::{Build, Case};

/// Pairs of shapes; the number of elements of some is a multiple of four along the innermost run, of others not.
const SHAPES: [[&[usize]; 2]; 12] = [
    [&[], &[]],
    [&[13], &[13]],
    [&[3, 1, 4, 2], &[3, 1, 4, 2]],
    [&[2, 3, 4], &[]],
    [&[1], &[5, 8]],
    [&[2, 3, 8], &[8]],
    [&[8], &[2, 3, 8]],
    [&[2, 3, 4], &[3, 1]],
    [&[4, 1, 3, 1], &[1, 2, 1, 4]],
    [&[2, 1, 12], &[2, 5, 1]],
    [&[1, 3, 1, 5], &[2, 1, 4, 1]],
    [&[2, 0, 3], &[2, 1, 1]],
];

/// Every function with every kind of element that it takes.
pub fn functions() -> impl Iterator<Item = (Binary, Element)> {
    let pairs = Binary::ALL
        .into_iter()
        .flat_map(|f| Element::ALL.map(|from| (f, from)));
    pairs.filter(|&(f, from)| f.result(from).is_some())
}

/// The function on operands of each pair of shapes, the second of which is a constant every third time.
pub fn case(f: Binary, from: Element) -> Case {
    let mut random = Random(19_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (index, shapes) in SHAPES.into_iter().enumerate() {
        let [a, b] = [0, 1].map(|operand| {
            let shape = shapes[operand];
            let words = words(&mut random, f, from, element_count(shape));
            if operand == 0 || index % 3 > 0 {
                build.words(from, shape, words)
            } else {
                build.constant_words(from, shape, words)
            }
        });
        results.push(build.tensor(TensorOp::Zip(Zip { f }), vec![a, b]));
        // Of a value with itself.
        results.push(build.tensor(TensorOp::Zip(Zip { f }), vec![b, b]));
    }
    build.case(&results)
}

/// Functions of f32 where NaN comes in, of which a GPU promises nothing.
#[allow(dead_code, reason = "only the CPU backend promises anything")]
pub fn not_a_number() -> Case {
    let mut build = Build::default();
    let words = |data: [f32; 4]| data.map(f32::to_bits).to_vec();
    let a = build.words(
        Element::F32,
        &[4],
        words([f32::NAN, 1.0, f32::NAN, f32::INFINITY]),
    );
    let b = build.words(
        Element::F32,
        &[4],
        words([1.0, f32::NAN, f32::NAN, f32::NEG_INFINITY]),
    );
    let of_floats = Binary::ALL
        .into_iter()
        .filter(|f| f.result(Element::F32).is_some());
    let results: Vec<ValueId> = of_floats
        .map(|f| build.tensor(TensorOp::Zip(Zip { f }), vec![a, b]))
        .collect();
    build.case(&results)
}

/// Quarters, so that equal ones meet and remainders are exact; of integers the ends too.
fn words(random: &mut Random, f: Binary, from: Element, len: usize) -> Vec<u32> {
    let ends = [i32::MIN, -1, 0, i32::MAX, 7, -7, 1, 3, -3].map(i32::cast_unsigned);
    let divides = matches!(f, Binary::Div | Binary::Mod | Binary::Fmod) && from == Element::F32;
    let mut word = || match from {
        Element::F32 => {
            let quarters = random.below(33) as f32 - 16.0;
            let quarters = if divides && quarters == 0.0 { 1.0 } else { quarters };
            (quarters / 4.0).to_bits()
        }
        Element::I32 | Element::U32 if random.below(3) == 0 => random.pick(&ends),
        Element::I32 | Element::U32 => (random.below(41) as i32 - 20).cast_unsigned(),
        Element::Bool => random.below(2) as u32,
    };
    (0..len).map(|_| word()).collect()
}
