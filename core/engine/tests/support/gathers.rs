//! Cases for elements at places that another tensor says: along every axis, with indices of every rank, some of them
//! negative or none at all, and constants on either side.

use plumbline_engine::element::Element;
use plumbline_engine::graph::{ValueId, element_count};
use plumbline_engine::ops::{Gather, Names, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

type Shape = &'static [usize];

/// What an index names, the axis, and the shapes of the data and of the indices.
const SHAPES: [(Names, usize, Shape, Shape); 14] = [
    (Names::Slices, 0, &[5], &[]),
    (Names::Slices, 0, &[5, 4], &[3]),
    (Names::Slices, 1, &[5, 4], &[7]),
    (Names::Slices, 1, &[2, 3, 4], &[2, 5]),
    (Names::Slices, 2, &[2, 1, 6], &[1, 3]),
    (Names::Slices, 1, &[3, 2, 1, 3], &[]),
    (Names::Slices, 0, &[0, 4], &[0]),
    (Names::Slices, 1, &[2, 3, 0], &[4]),
    (Names::Elements, 0, &[5], &[9]),
    (Names::Elements, 0, &[4, 3], &[2, 3]),
    (Names::Elements, 1, &[4, 3], &[4, 8]),
    (Names::Elements, 1, &[3, 4, 5], &[2, 6, 3]),
    (Names::Elements, 2, &[1, 4, 5], &[1, 4, 1]),
    (Names::Elements, 0, &[2, 3], &[0, 3]),
];

pub fn cases() -> impl Iterator<Item = Case> {
    Element::ALL.into_iter().map(case)
}

/// On each pair of shapes; every third time the data are a constant, and every third time the indices.
fn case(element: Element) -> Case {
    let mut random = Random(21_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (number, (names, axis, of_x, of_indices)) in SHAPES.into_iter().enumerate() {
        let words: Vec<u32> = (0..element_count(of_x))
            .map(|_| match element {
                Element::F32 => random.unit().to_bits(),
                Element::I32 | Element::U32 => random.bits() as u32,
                Element::Bool => random.below(2) as u32,
            })
            .collect();
        let x = value(&mut build, element, of_x, words, number % 3 == 0);
        // From before the first to behind the last.
        let size = of_x[axis] as i32;
        let indices = (0..element_count(of_indices))
            .map(|_| (random.below(of_x[axis] * 2 + 4) as i32 - size - 2).cast_unsigned())
            .collect();
        let indices = value(&mut build, Element::I32, of_indices, indices, number % 3 == 1);
        results.push(build.tensor(TensorOp::Gather(Gather { axis, names }), vec![x, indices]));
    }
    build.case(&results)
}

fn value(
    build: &mut Build,
    element: Element,
    shape: &[usize],
    words: Vec<u32>,
    is_constant: bool,
) -> ValueId {
    if is_constant {
        build.constant_words(element, shape, words)
    } else {
        build.words(element, shape, words)
    }
}
