//! Cases for numbers of many: each of every kind of element that it takes, along inner, outer, several, all and no axes,
//! of few elements and many, of none; places of extremes; running sums and products; elements by a common measure.

use plumbline_engine::element::Element;
use plumbline_engine::graph::element_count;
use plumbline_engine::ops::{ArgReduce, Fold, Measure, Norm, Reduce, Scan, TensorOp};

use super::random::Random;
use super::suite::{Build, Case};

/// Shapes and axes. The long ones are those that a workgroup shares, whole and with a rest.
const SHAPES: [(&[usize], &[usize]); 17] = [
    (&[], &[]),
    (&[7], &[]),
    (&[7], &[0]),
    (&[3, 5], &[0]),
    (&[3, 5], &[1]),
    (&[2, 3, 4], &[0, 2]),
    (&[2, 3, 4], &[1]),
    (&[2, 3, 4], &[0, 1, 2]),
    (&[2, 70, 2, 40], &[1, 3]),
    (&[100, 33], &[0]),
    (&[3, 1, 513], &[2]),
    (&[2, 1030, 18], &[1]),
    (&[40, 17, 3], &[0, 1]),
    (&[3, 0], &[1]),
    (&[0, 3], &[1]),
    (&[1, 4, 1], &[0, 2]),
    (&[129, 2], &[0]),
];

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    let folds = Fold::ALL
        .into_iter()
        .flat_map(|f| Element::ALL.map(|element| (f, element)))
        .filter(|&(f, element)| f.takes(element))
        .map(|(f, element)| reductions(f, element));
    let places = [Element::F32, Element::I32, Element::U32].into_iter().map(places);
    let scans = [Element::F32, Element::I32].into_iter().map(scans);
    folds.chain(places).chain(scans).chain(MEASURES.map(norms))
}

const MEASURES: [Measure; 6] = [
    Measure::Softmax,
    Measure::LogSoftmax,
    Measure::Standard(1e-5),
    Measure::RootMeanSquare(1e-3),
    Measure::L1,
    Measure::L2,
];

/// Along each set of axes; of zeros too, which have no size.
fn norms(f: Measure) -> Case {
    let mut random = Random(28_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    let range = match f {
        Measure::Softmax | Measure::LogSoftmax => [-60.0, 60.0],
        _ => [-3.0, 5.0],
    };
    for (shape, axes) in SHAPES {
        let data = floats(&mut random, element_count(shape), range);
        let x = build.words(Element::F32, shape, data);
        let axes = axes.to_vec();
        results.push(build.tensor(TensorOp::Norm(Norm { f, axes }), vec![x]));
    }
    let zeros = build.words(Element::F32, &[4, 3], vec![0; 12]);
    let norm = Norm { f, axes: vec![1] };
    results.push(build.tensor(TensorOp::Norm(norm), vec![zeros]));
    build.case(&results)
}

fn reductions(f: Fold, element: Element) -> Case {
    let mut random = Random(25_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (shape, axes) in SHAPES {
        let data = match (f, element) {
            // Products of many stay numbers, and sums have a logarithm.
            (Fold::Prod, Element::F32) => floats(&mut random, element_count(shape), [0.97, 1.03]),
            (Fold::LogSum, _) => floats(&mut random, element_count(shape), [0.5, 1.5]),
            (Fold::LogSumExp, _) => floats(&mut random, element_count(shape), [-95.0, 95.0]),
            _ => words(&mut random, element, element_count(shape)),
        };
        let x = build.words(element, shape, data);
        let axes = axes.to_vec();
        results.push(build.tensor(TensorOp::Reduce(Reduce { f, axes }), vec![x]));
    }
    build.case(&results)
}

/// A tenth is no f32, and a million of them, one after the other, are 100958.34 (NumPy 2.4, `numpy.cumsum`). Along either
/// axis, for one result and for many.
#[allow(dead_code, reason = "graph files are not about digits")]
pub fn long_sums() -> impl Iterator<Item = Case> {
    let shapes = [([1, 1_000_000], 1), ([1_000_000, 1], 0), ([50_000, 20], 0)];
    shapes.into_iter().map(|(shape, axis)| {
        let mut build = Build::default();
        let x = build.words(Element::F32, &shape, vec![0.1f32.to_bits(); 1_000_000]);
        let sum = Reduce {
            f: Fold::Sum,
            axes: vec![axis],
        };
        let sum = build.tensor(TensorOp::Reduce(sum), vec![x]);
        let mut case = build.case(&[sum]);
        case.tolerance = 2e-6;
        case
    })
}

fn places(element: Element) -> Case {
    let mut random = Random(26_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (shape, axis) in [
        (&[9][..], 0),
        (&[4, 7, 3], 0),
        (&[4, 7, 3], 1),
        (&[4, 7, 3], 2),
        (&[0, 5], 1),
    ] {
        let data = words(&mut random, element, element_count(shape));
        let x = build.words(element, shape, data);
        for (greatest, last) in [(false, false), (false, true), (true, false), (true, true)] {
            let op = ArgReduce { greatest, axis, last };
            results.push(build.tensor(TensorOp::ArgReduce(op), vec![x]));
        }
    }
    build.case(&results)
}

fn scans(element: Element) -> Case {
    let mut random = Random(27_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    for (shape, axis) in [
        (&[9][..], 0),
        (&[3, 5, 2], 0),
        (&[3, 5, 2], 1),
        (&[3, 5, 2], 2),
        (&[2, 0], 1),
    ] {
        for index in 0..8 {
            let [product, exclusive, reverse] = [1, 2, 4].map(|bit| index & bit != 0);
            let data = match element {
                Element::F32 if product => floats(&mut random, element_count(shape), [0.5, 1.5]),
                _ => words(&mut random, element, element_count(shape)),
            };
            let x = build.words(element, shape, data);
            let op = Scan {
                product,
                axis,
                exclusive,
                reverse,
            };
            results.push(build.tensor(TensorOp::Scan(op), vec![x]));
        }
    }
    build.case(&results)
}

fn floats(random: &mut Random, len: usize, [low, high]: [f32; 2]) -> Vec<u32> {
    let mut float = || low + (high - low) * (0.5 + 0.5 * random.unit());
    (0..len).map(|_| float().to_bits()).collect()
}

/// Few values, so that equal ones meet; floats are eighths, and so are their sums; of integers the ends too.
fn words(random: &mut Random, element: Element, len: usize) -> Vec<u32> {
    let ends = [i32::MIN, i32::MAX, -1].map(i32::cast_unsigned);
    let mut word = || match element {
        Element::F32 => ((random.below(65) as f32 - 32.0) / 8.0).to_bits(),
        Element::I32 | Element::U32 if random.below(4) == 0 => random.pick(&ends),
        Element::I32 | Element::U32 => (random.below(13) as i32 - 6).cast_unsigned(),
        Element::Bool => random.below(2) as u32,
    };
    (0..len).map(|_| word()).collect()
}
