//! Cases for images at places between elements: along one to three axes, inside and far outside.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{Between, Beyond, GridSample, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

type Shape = &'static [usize];

/// Images and grids.
const SHAPES: [(Shape, Shape); 6] = [
    (&[1, 6, 3], &[1, 9, 1]),
    (&[2, 4, 5, 3], &[2, 3, 7, 2]),
    (&[1, 5, 3, 8], &[1, 4, 4, 2]),
    (&[1, 3, 2, 4, 2], &[1, 2, 3, 2, 3]),
    (&[2, 1, 1, 1], &[2, 2, 2, 2]),
    (&[1, 4, 4, 2], &[1, 0, 3, 2]),
];

pub fn cases() -> impl Iterator<Item = Case> {
    let all = Between::ALL.into_iter();
    all.flat_map(|between| Beyond::ALL.map(|beyond| (between, beyond)))
        .map(|(between, beyond)| {
            let mut random = Random(32_000);
            let mut build = Build::default();
            let mut results = Vec::new();
            for (of_x, of_grid) in SHAPES {
                for align_corners in [false, true] {
                    let x = build.input(&mut random, of_x);
                    // Odd thousandths, which are never halfway between elements.
                    let mut place = || (random.below(4001) as f32 * 2.0 - 4001.0 + 0.37) / 2000.0;
                    let places = (0..element_count(of_grid)).map(|_| place().to_bits()).collect();
                    let grid = build.words(Element::F32, of_grid, places);
                    let op = GridSample {
                        between,
                        beyond,
                        align_corners,
                    };
                    results.push(build.tensor(TensorOp::GridSample(op), vec![x, grid]));
                }
            }
            build.case(&results)
        })
}
