//! Cases for elements made of their neighbours along an axis: weighted sums at listed places, and elements by those near
//! them.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{LocalNorm, Resample, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

type Shape = &'static [usize];

/// Shapes with an axis, results and taps along it.
const SUMS: [(Shape, usize, usize, usize); 9] = [
    (&[5], 0, 9, 2),
    (&[2, 6, 4], 1, 3, 4),
    (&[2, 6, 3], 1, 13, 1),
    (&[1, 3, 2, 7], 3, 5, 3),
    (&[4, 8], 0, 6, 2),
    (&[3, 4], 1, 0, 2),
    (&[3, 4], 1, 2, 0),
    (&[0, 4], 1, 3, 2),
    (&[2, 1, 8], 1, 4, 5),
];

/// Once with tables of constants, once with tables of the frame.
pub fn sums() -> impl Iterator<Item = Case> {
    [false, true].into_iter().map(|are_constants| {
        let mut random = Random(31_000);
        let mut build = Build::default();
        let mut results = Vec::new();
        for (shape, axis, n, taps) in SUMS {
            let x = build.input(&mut random, shape);
            // From before the first to behind the last.
            let mut place = || random.below(shape[axis] * 2 + 4) as i32 - shape[axis] as i32 - 2;
            let places = (0..n * taps).map(|_| place().cast_unsigned()).collect();
            let weights = random.tensor(n * taps).into_iter().map(f32::to_bits).collect();
            let mut table = |element: Element, words: Vec<u32>| match are_constants {
                true => build.constant_words(element, &[n, taps], words),
                false => build.words(element, &[n, taps], words),
            };
            let (places, weights) = (table(Element::I32, places), table(Element::F32, weights));
            let op = TensorOp::Resample(Resample { axis });
            results.push(build.tensor(op, vec![x, places, weights]));
        }
        build.case(&results)
    })
}

/// Of few neighbours and of more than there are, along each axis, with each way to take the power.
pub fn norms() -> impl Iterator<Item = Case> {
    [0.5, 0.75, 1.0, 1.3].into_iter().map(|beta| {
        let mut random = Random(30_000);
        let mut build = Build::default();
        let mut results = Vec::new();
        for (shape, axis) in [
            (&[1, 4, 3, 7][..], 3),
            (&[2, 6, 3], 1),
            (&[5], 0),
            (&[0, 3], 1),
            (&[3, 0], 1),
        ] {
            for size in [1, 2, 5, 6, 40] {
                let words = (0..element_count(shape)).map(|_| (4.0 * random.unit()).to_bits());
                let x = build.words(Element::F32, shape, words.collect());
                let op = LocalNorm {
                    axis,
                    size,
                    alpha: 0.5,
                    beta,
                    bias: 1.5,
                };
                results.push(build.tensor(TensorOp::LocalNorm(op), vec![x]));
            }
        }
        build.case(&results)
    })
}
