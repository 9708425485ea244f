//! Cases for rows combined with others at listed places, some of them named twice and some that are none; and for the
//! order of elements, among which are equal ones.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{Combine, Scatter, Sort, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

type Shape = &'static [usize];

/// Shapes, and how many updates there are.
const ROWS: [(Shape, usize); 8] = [
    (&[9], 4),
    (&[5, 4], 7),
    (&[3, 2, 3], 2),
    (&[1, 6], 3),
    (&[4, 3], 0),
    (&[4, 0], 2),
    (&[0, 3], 0),
    (&[300], 700),
];

/// Of every kind of element that each way to combine takes.
pub fn rows() -> impl Iterator<Item = Case> {
    let all = Combine::ALL.into_iter();
    all.flat_map(|f| Element::ALL.map(|element| (f, element)))
        .filter(|&(f, element)| match f {
            Combine::Replace => true,
            Combine::Add | Combine::Mul => matches!(element, Element::F32 | Element::I32),
            Combine::Max | Combine::Min => element != Element::Bool,
        })
        .map(|(f, element)| scatter(f, element))
}

fn scatter(f: Combine, element: Element) -> Case {
    let mut random = Random(33_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (shape, n) in ROWS {
        if f == Combine::Replace && n > shape[0] {
            // Of several that replace one, any may stay.
            continue;
        }
        let updates: Vec<usize> = [n].into_iter().chain(shape[1..].iter().copied()).collect();
        let [x, with] = [shape, &updates].map(|shape| {
            let data = words(&mut random, element, element_count(shape), f == Combine::Mul);
            build.words(element, shape, data)
        });
        // Those that replace name different rows, from either end.
        let size = shape[0] as i32;
        let place = |at: usize| match f {
            Combine::Replace => [at as i32, at as i32 - size][at % 2],
            _ => random.below(2 * shape[0] + 4) as i32 - size - 2,
        };
        let places = (0..n).map(place).map(i32::cast_unsigned).collect();
        let places = build.words(Element::I32, &[n], places);
        results.push(build.tensor(TensorOp::Scatter(Scatter { f }), vec![x, places, with]));
    }
    build.case(&results)
}

/// Along each axis, of few and of all, from either end.
pub fn orders() -> impl Iterator<Item = Case> {
    let kinds = [Element::F32, Element::I32, Element::U32];
    kinds.into_iter().map(|element| {
        let mut random = Random(34_000);
        let mut build = Build::default();
        let mut results = Vec::new();
        for (shape, axis) in [
            (&[70][..], 0),
            (&[4, 7, 3], 0),
            (&[4, 7, 3], 1),
            (&[4, 7, 3], 2),
            (&[0, 5], 1),
        ] {
            let data = words(&mut random, element, element_count(shape), false);
            let x = build.words(element, shape, data);
            for count in [0, 1, 2, shape[axis] / 2, shape[axis]] {
                for greatest in [false, true] {
                    let count = count.min(shape[axis]);
                    let op = Sort {
                        greatest,
                        axis,
                        count,
                    };
                    results.push(build.tensor(TensorOp::Sort(op), vec![x]));
                }
            }
        }
        build.case(&results)
    })
}

/// Few values, so that equal ones meet; what is multiplied keeps near 1.
fn words(random: &mut Random, element: Element, len: usize, is_factor: bool) -> Vec<u32> {
    let mut word = || match element {
        Element::F32 if is_factor => (0.9 + 0.1 * random.below(3) as f32).to_bits(),
        Element::F32 => ((random.below(65) as f32 - 32.0) / 8.0).to_bits(),
        Element::I32 | Element::U32 => (random.below(13) as i32 - 6).cast_unsigned(),
        Element::Bool => random.below(2) as u32,
    };
    (0..len).map(|_| word()).collect()
}
