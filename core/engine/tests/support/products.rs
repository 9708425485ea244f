//! Cases for products of matrices: single ones and stretched batches, transposed or not, smaller and larger than a tile,
//! of long sums and of nothing.

use plumbline_engine::element::Element;
use plumbline_engine::graph::{Constant, element_count};
use plumbline_engine::ops::{MatMul, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

/// Axes before the matrices of either operand, and m, k and n.
const SIZES: [(&[usize], &[usize], [usize; 3]); 11] = [
    (&[], &[], [1, 1, 1]),
    (&[], &[], [3, 5, 7]),
    (&[], &[], [4, 8, 16]),
    (&[], &[], [9, 300, 36]),
    (&[], &[], [8, 3, 33]),
    (&[2, 3], &[2, 3], [4, 2, 4]),
    (&[2, 1], &[3], [2, 4, 5]),
    (&[3], &[], [5, 6, 20]),
    (&[], &[2, 2], [1, 7, 8]),
    (&[2], &[2], [3, 0, 4]),
    (&[0], &[1], [3, 2, 4]),
];

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    [[false, false], [false, true], [true, false], [true, true]]
        .into_iter()
        .map(products)
}

/// Of inputs, and every third time with a constant.
fn products(transposed: [bool; 2]) -> Case {
    let mut random = Random(29_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (index, (front_a, front_b, [m, k, n])) in SIZES.into_iter().enumerate() {
        let shape = |front: &[usize], [rows, columns]: [usize; 2], is_transposed: bool| {
            let matrix = if is_transposed {
                [columns, rows]
            } else {
                [rows, columns]
            };
            [front, &matrix].concat()
        };
        let a = build.input(&mut random, &shape(front_a, [m, k], transposed[0]));
        let shape = shape(front_b, [k, n], transposed[1]);
        let b = if index % 3 == 2 {
            let data = random.tensor(element_count(&shape));
            build
                .graph
                .add_value("constant", shape, Some(Constant::F32(data.into())))
        } else {
            build.input(&mut random, &shape)
        };
        results.push(build.tensor(TensorOp::MatMul(MatMul { transposed }), vec![a, b]));
    }
    assert_eq!(build.graph.value(results[0]).element, Element::F32);
    build.case(&results)
}
