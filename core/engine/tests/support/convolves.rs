//! Cases for convolutions in their general form: along one to three axes, in groups, dilated, transposed, of several
//! batches, with tiles that are full or not, and weights and biases that a frame brings or not.

use plumbline_engine::graph::{Constant, ValueId, element_count};
use plumbline_engine::ops::{Convolve, ConvolveAxis, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

/// Batch, groups, channels and outputs of a group; for each axis its size and taps, stride, dilation and what is before,
/// and the result's size.
type Sizes = ([usize; 4], &'static [([usize; 4], i64, usize)]);

const SIZES: [Sizes; 8] = [
    ([1, 1, 1, 1], &[([5, 3, 1, 1], 0, 3)]),
    ([2, 1, 3, 5], &[([9, 4, 2, 1], 1, 5)]),
    ([1, 1, 4, 16], &[([6, 3, 1, 2], 2, 6), ([5, 3, 2, 1], 1, 3)]),
    ([1, 2, 3, 20], &[([4, 2, 1, 1], -1, 3), ([7, 3, 3, 1], 4, 4)]),
    ([2, 5, 1, 1], &[([5, 3, 2, 1], 1, 3), ([6, 3, 1, 2], 1, 9)]),
    ([1, 24, 1, 1], &[([3, 2, 2, 1], 0, 5), ([4, 3, 1, 1], 2, 2)]),
    (
        [1, 2, 1, 4],
        &[([3, 2, 1, 1], 1, 3), ([3, 1, 1, 1], 0, 3), ([4, 3, 2, 2], 1, 2)],
    ),
    ([3, 1, 2, 4], &[([2, 1, 1, 1], 0, 0), ([3, 1, 1, 1], 0, 3)]),
];

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    [false, true].into_iter().map(convolutions)
}

/// Of inputs, and every third time with constants; every other time with a bias.
fn convolutions(transposed: bool) -> Case {
    let mut random = Random(31_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (index, ([batch, groups, channels, outputs], axes)) in SIZES.into_iter().enumerate() {
        let sizes: Vec<usize> = axes.iter().map(|&([size, ..], _, _)| size).collect();
        let taps: Vec<usize> = axes.iter().map(|&([_, taps, ..], _, _)| taps).collect();
        let x = build.input(&mut random, &[&[batch], &*sizes, &[groups * channels]].concat());
        let mut weights = |random: &mut Random, shape: Vec<usize>| -> ValueId {
            if index % 3 == 2 {
                let data = random.tensor(element_count(&shape));
                build
                    .graph
                    .add_value("constant", shape, Some(Constant::F32(data.into())))
            } else {
                build.input(random, &shape)
            }
        };
        let mut inputs = vec![
            x,
            weights(&mut random, [&*taps, &[channels, groups * outputs]].concat()),
        ];
        if index % 2 == 1 {
            inputs.push(weights(&mut random, vec![groups * outputs]));
        }
        let op = Convolve {
            axes: axes
                .iter()
                .map(|&([_, _, stride, dilation], before, size)| ConvolveAxis {
                    stride,
                    dilation,
                    before,
                    size,
                })
                .collect(),
            groups,
            transposed,
        };
        results.push(build.tensor(TensorOp::Convolve(op), inputs));
    }
    build.case(&results)
}
