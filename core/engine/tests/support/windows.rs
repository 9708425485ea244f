//! Cases for numbers of windows: along one to three axes, which lie before the others or behind them, with strides,
//! dilations and borders of every kind.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{Pool, Slide, TensorOp, Window};

use super::random::Random;
use super::suite::{Build, Case};

fn slide(window: usize, stride: usize, dilation: usize, [before, after]: [usize; 2], count: usize) -> Slide {
    Slide {
        window,
        stride,
        dilation,
        before,
        after,
        count,
    }
}

/// A shape, and the windows over it.
fn windows() -> Vec<(Vec<usize>, Vec<Slide>)> {
    let still = Slide::still;
    vec![
        (vec![], vec![]),
        (vec![5], vec![still(5)]),
        (vec![9], vec![slide(3, 2, 1, [1, 1], 5)]),
        // Channels behind the windows: four of them, and a number that is no multiple.
        (
            vec![1, 7, 6, 4],
            vec![
                still(1),
                slide(3, 2, 1, [0, 1], 3),
                slide(2, 1, 2, [1, 1], 6),
                still(4),
            ],
        ),
        (
            vec![2, 6, 5, 3],
            vec![
                still(2),
                slide(2, 3, 1, [0, 0], 2),
                slide(3, 1, 1, [1, 1], 5),
                still(3),
            ],
        ),
        // Channels before the windows.
        (
            vec![2, 3, 8, 9],
            vec![
                still(2),
                still(3),
                slide(3, 3, 2, [2, 2], 3),
                slide(4, 2, 1, [1, 2], 5),
            ],
        ),
        (
            vec![1, 2, 4, 5, 6],
            vec![
                still(1),
                still(2),
                slide(2, 2, 1, [0, 0], 2),
                slide(3, 2, 1, [1, 1], 3),
                slide(2, 1, 3, [1, 1], 5),
            ],
        ),
        // The last window reaches beyond the border.
        (
            vec![4, 5],
            vec![slide(3, 2, 1, [0, 0], 2), slide(3, 3, 1, [1, 1], 2)],
        ),
        (vec![6, 1], vec![slide(6, 1, 1, [0, 0], 1), still(1)]),
        (vec![0, 4], vec![still(0), slide(2, 1, 1, [0, 0], 3)]),
        // Windows that leave the first elements only.
        (
            vec![6, 4],
            vec![slide(1, 2, 1, [0, 0], 3), slide(1, 1, 1, [0, 0], 2)],
        ),
    ]
}

pub fn cases() -> impl Iterator<Item = Case> {
    let floats = [
        Pool::Max,
        Pool::Average { border_counts: false },
        Pool::Average { border_counts: true },
        Pool::Power(1.0),
        Pool::Power(2.0),
        Pool::Power(3.5),
    ];
    let floats = floats.into_iter().map(|f| case(Some(f), Element::F32));
    let kinds = [Element::I32, Element::U32];
    let integers = kinds.into_iter().map(|element| case(Some(Pool::Max), element));
    let places = [Element::F32, Element::I32, Element::U32].map(|element| case(None, element));
    floats.chain(integers).chain(places)
}

/// Over each shape; without a function, the places of the greatest, along the axes either way.
fn case(f: Option<Pool>, element: Element) -> Case {
    let mut random = Random(29_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (shape, slides) in windows() {
        // Few values, so that equal ones meet.
        let mut word = || match element {
            Element::F32 => ((random.below(65) as f32 - 40.0) / 8.0).to_bits(),
            _ => (random.below(13) as i32 - 6).cast_unsigned(),
        };
        let words = (0..element_count(&shape)).map(|_| word()).collect();
        let x = build.words(element, &shape, words);
        let forwards: Vec<usize> = (0..shape.len())
            .map(|axis| element_count(&shape[axis + 1..]))
            .collect();
        let backwards = (0..shape.len())
            .map(|axis| element_count(&shape[..axis]))
            .collect();
        let functions = match &f {
            Some(f) => vec![f.clone()],
            None => [forwards, backwards].map(|steps| Pool::MaxPlace { steps }).into(),
        };
        for f in functions {
            let slides = slides.clone();
            results.push(build.tensor(TensorOp::Window(Window { f, slides }), vec![x]));
        }
    }
    build.case(&results)
}
