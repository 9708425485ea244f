//! Cases for operators that move elements, of every kind of element: views over whole, ragged and empty tensors and
//! constants, in every direction; tensors one behind the other along every axis; every border.

use plumbline_engine::element::Element;
use plumbline_engine::graph::{Shape, element_count};
use plumbline_engine::ops::{Border, Concat, Pad, TensorOp, View};

use super::random::Random;
use super::suite::{Build, Case};

/// Views of an input that has 2 x 3 x 8 elements.
const VIEWS: [(&[usize], usize, &[isize]); 14] = [
    (&[], 47, &[]),
    (&[2, 3, 8], 0, &[24, 8, 1]),
    (&[8, 3, 2], 0, &[1, 8, 24]),
    (&[3, 2, 8], 0, &[8, 24, 1]),
    (&[2, 8, 3], 0, &[24, 1, 8]),
    (&[2, 3, 4], 4, &[24, 8, 1]),
    (&[2, 3, 3], 2, &[24, 8, 2]),
    (&[2, 3, 8], 47, &[-24, -8, -1]),
    (&[2, 2, 5], 23, &[24, -16, -1]),
    (&[4, 3, 8], 8, &[0, 0, 1]),
    (&[3, 5, 4], 5, &[16, 1, 0]),
    (&[16], 31, &[0]),
    (&[5, 1, 3], 1, &[8, 0, 5]),
    (&[2, 0, 8], 0, &[24, 8, 1]),
];

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    let all = |element| [views(element), concats(element), pads(element)];
    Element::ALL.into_iter().flat_map(all)
}

/// Views of an input and of a constant.
fn views(element: Element) -> Case {
    let mut random = Random(22_000);
    let mut build = Build::default();
    let shape = [2, 3, 8];
    let input = words(&mut random, element, element_count(&shape));
    let kept = words(&mut random, element, element_count(&shape));
    let sources = [
        build.words(element, &shape, input),
        build.constant_words(element, &shape, kept),
    ];
    let mut results = Vec::new();
    for (index, (shape, offset, strides)) in VIEWS.into_iter().enumerate() {
        let view = View {
            shape: Shape::from(shape),
            offset,
            strides: strides.to_vec(),
        };
        let source = sources[usize::from(index % 4 == 3)];
        results.push(build.tensor(TensorOp::View(view), vec![source]));
    }
    let nothing = build.words(element, &[0, 4], Vec::new());
    let view = View {
        shape: vec![4, 0],
        offset: 0,
        strides: vec![1, 4],
    };
    results.push(build.tensor(TensorOp::View(view), vec![nothing]));
    build.case(&results)
}

/// Of inputs, constants and tensors without elements, and of a tensor with itself; more than a shader has bindings.
fn concats(element: Element) -> Case {
    let mut random = Random(23_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (axis, common, sizes) in [
        (0, &[0][..], &[3, 1, 0, 5][..]),
        (0, &[0, 4], &[2, 1, 3]),
        (1, &[3, 0, 2], &[2, 4, 8]),
        (1, &[3, 0, 2], &[1, 2, 0, 3]),
        (2, &[2, 3, 0], &[1; 11]),
        (2, &[2, 0, 0], &[1, 2]),
    ] {
        let mut operands = Vec::new();
        for (index, &size) in sizes.iter().enumerate() {
            let mut shape = common.to_vec();
            shape[axis] = size;
            let words = words(&mut random, element, element_count(&shape));
            operands.push(if index % 3 == 1 {
                build.constant_words(element, &shape, words)
            } else {
                build.words(element, &shape, words)
            });
        }
        operands.push(operands[0]);
        results.push(build.tensor(TensorOp::Concat(Concat { axis }), operands));
    }
    build.case(&results)
}

/// Around inputs, with a value that is a constant or an input; around a single element; around nothing.
fn pads(element: Element) -> Case {
    let mut random = Random(24_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for border in Border::ALL {
        for (shape, amounts) in [
            (&[][..], &[][..]),
            (&[4], &[(3, 2)]),
            (&[3], &[(7, 8)]),
            (&[2, 3, 4], &[(0, 0), (1, 2), (0, 0)]),
            (&[2, 3, 4], &[(1, 1), (0, 0), (3, 1)]),
            (&[1, 2, 1], &[(2, 1), (1, 0), (0, 3)]),
            (&[3, 0, 2], &[(1, 2), (0, 0), (1, 0)]),
            (&[2, 0], &[(1, 0), (1, 2)]),
        ] {
            if border != Border::Value && shape == [2, 0] {
                continue;
            }
            let data = words(&mut random, element, element_count(shape));
            let mut operands = vec![build.words(element, shape, data)];
            if border == Border::Value {
                let value = words(&mut random, element, 1);
                operands.push(if shape.len() > 1 {
                    build.constant_words(element, &[], value)
                } else {
                    build.words(element, &[1], value)
                });
            }
            let amounts = amounts.to_vec();
            results.push(build.tensor(TensorOp::Pad(Pad { border, amounts }), operands));
        }
    }
    build.case(&results)
}

/// Words that all differ where there are so many.
fn words(random: &mut Random, element: Element, len: usize) -> Vec<u32> {
    let word = |index: usize| match element {
        Element::F32 => (index as f32 + 0.5 * random.unit()).to_bits(),
        Element::I32 => (random.bits() as i32).cast_unsigned(),
        Element::U32 => random.bits() as u32,
        Element::Bool => random.below(2) as u32,
    };
    (0..len).map(word).collect()
}
