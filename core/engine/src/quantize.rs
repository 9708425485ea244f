//! Weights in fewer bytes than the model's own: rounded to binary16, or to 8-bit codes.
//!
//! Only what is stored becomes smaller. Whoever packs weights for a kernel widens them again, so every kernel computes
//! in f32 as before, with weights that are a little off.
//!
//! Codes are symmetric, -127 to 127, with one step for each output channel of a convolution, so that a zero stays a
//! zero (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
//! arXiv 1712.05877, section 2.1, without a zero point; Krishnamoorthi, arXiv 1806.08342, section 2.3 on channels). A
//! step has four significant bits. Times a code of seven that makes eleven, those of binary16: a GPU keeps the widened
//! weights as binary16 without another rounding. Of the steps near `largest / 127`, the one with the least squared
//! error is taken, which may cut a few large weights off.
//!
//! What is off in a layer whose numbers become an output is corrected by no other layer ([`output_layers`]). Of BlazePose
//! heavy's 170 tensors the one that writes the landmarks alone moved them by 55 px at the 95th percentile, and every other
//! one by at most 1.3; so whoever rounds a model measures those layers one by one, and keeps 16 bits where one alone
//! shows.

use std::collections::BTreeSet;

use crate::compact::{Compact, Steps};
use crate::graph::{Constant, Graph, Op, ValueId};
use crate::half::{f16_from_f32_exact, round_to_f16};

/// Tensors with fewer elements stay as they are: first layers, depthwise layers and biases suffer most and weigh least.
pub const LEAST_ELEMENTS: usize = 1024;

/// The largest code; -128 is left out, so that a code has a sign and seven bits.
const LARGEST_CODE: f32 = 127.0;

/// How far below `largest / 127` steps are tried: half of it.
const LEAST_STEP: f32 = 0.5;

/// How a weight is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Binary16, to nearest even.
    Half,
    /// 8-bit codes with a step for each channel.
    Byte,
}

/// What became of one tensor of weights.
#[derive(Clone, Debug)]
pub struct Rounded {
    /// Which one.
    pub value: ValueId,
    /// Its name in the model.
    pub name: String,
    /// How many elements it has.
    pub elements: usize,
    /// How it is stored now.
    pub format: Format,
    /// Root of the mean square of what was changed, as a share of that of the weights.
    pub relative_error: f64,
}

/// Rounds the weights of a graph whose constants are folded: constants of two axes or more, [`LEAST_ELEMENTS`] or more
/// elements, all of them finite and within the range of the format. Those of `kept` become binary16 whatever the format
/// is. Gives what was changed, in the order of the values. What has no such form stays as it is.
pub fn quantize(graph: &mut Graph, format: Format, kept: &BTreeSet<ValueId>) -> Vec<Rounded> {
    let mut changed = Vec::new();
    for index in 0..graph.values.len() {
        let value = &graph.values[index];
        let Some(weights) = value.constant.as_ref().and_then(Constant::to_f32) else {
            continue;
        };
        let suits = value.shape.len() >= 2 && weights.len() >= LEAST_ELEMENTS;
        if !suits || weights.iter().any(|weight| !weight.is_finite()) {
            continue;
        }
        let id = ValueId(index as u32);
        let format = if kept.contains(&id) { Format::Half } else { format };
        let rounded = match format {
            Format::Half => to_halves(&weights),
            Format::Byte => channels(graph, id)
                .and_then(|(count, run)| to_codes(&weights, count, run))
                .map(Constant::Compact),
        };
        let Some(rounded) = rounded else { continue };
        let relative_error = relative_error(&weights, &rounded.to_f32().unwrap_or_default());
        changed.push(Rounded {
            value: id,
            name: value.name.clone(),
            elements: weights.len(),
            format,
            relative_error,
        });
        graph.values[index].constant = Some(rounded);
    }
    changed
}

/// The weights of the layers behind which no other layer stands: what they compute becomes an output, at most reshaped,
/// cut, added up or passed through an activation.
pub fn output_layers(graph: &Graph) -> BTreeSet<ValueId> {
    let mut outputs: BTreeSet<ValueId> = graph.outputs.iter().copied().collect();
    let mut layers = BTreeSet::new();
    // Nodes are in execution order, so one walk backwards meets the writer of what each node reads.
    for node in graph.nodes.iter().rev() {
        if !outputs.contains(&node.output) {
            continue;
        }
        let is_weights = |id: &&ValueId| {
            let value = graph.value(**id);
            value.constant.is_some() && value.shape.len() >= 2
        };
        match node.inputs.get(1).filter(is_weights) {
            Some(&weights) => {
                layers.insert(weights);
            }
            None => outputs.extend(&node.inputs),
        }
    }
    layers
}

/// `None` where one is beyond the largest that binary16 has, and where all are binary16 already.
fn to_halves(weights: &[f32]) -> Option<Constant> {
    let halves: Vec<f32> = weights.iter().copied().map(round_to_f16).collect();
    let fits = halves.iter().all(|half| half.is_finite()) && halves != weights;
    fits.then(|| Constant::F32(halves.into()))
}

/// How many channels the weights have, and how many elements follow each other that belong to the same; `None` where
/// nobody reads them who has output channels.
fn channels(graph: &Graph, weights: ValueId) -> Option<(usize, usize)> {
    let shape = graph.shape(weights);
    let mut readers = graph
        .nodes
        .iter()
        .filter(|node| node.inputs.get(1) == Some(&weights));
    readers.find_map(|reader| match reader.op {
        // [outputs, rows, columns, inputs]
        Op::Conv2d(_) => Some((shape[0], shape[1..].iter().product())),
        // [1, rows, columns, channels]
        Op::DepthwiseConv2d(_) => shape.last().map(|&channels| (channels, 1)),
        _ => None,
    })
}

/// Codes with a step for each channel; `None` where a step is beyond the range of binary16.
fn to_codes(weights: &[f32], channels: usize, run: usize) -> Option<Compact> {
    let channel = |place: usize| place / run % channels;
    let mut elements: Vec<Vec<f32>> = vec![Vec::new(); channels];
    for (place, &weight) in weights.iter().enumerate() {
        elements[channel(place)].push(weight);
    }
    let steps: Vec<f32> = elements.iter().map(|elements| step_of(elements)).collect();
    let sizes = steps
        .iter()
        .map(|&step| f16_from_f32_exact(step).map(u16::to_le_bytes));
    let sizes: Vec<[u8; 2]> = sizes.collect::<Option<_>>()?;
    let mut codes: Vec<i8> = vec![0; weights.len()];
    for (channel, (elements, &step)) in elements.iter().zip(&steps).enumerate() {
        // Where each element of the channel lies.
        let places = (0..elements.len()).map(|index| (index / run * channels + channel) * run + index % run);
        for (place, code) in places.zip(codes_of(elements, step)) {
            codes[place] = code;
        }
    }
    let steps = Steps {
        sizes: sizes.into(),
        run,
    };
    // A mask takes a bit of each element and saves a byte of each zero.
    let kept: Vec<i8> = codes.iter().copied().filter(|&code| code != 0).collect();
    if weights.len().div_ceil(8) + kept.len() >= weights.len() {
        return Compact::coded(weights.len(), None, &codes, steps);
    }
    let mask = codes.chunks(8).map(|eight| {
        let places = eight.iter().enumerate();
        places.fold(0u8, |bits, (place, &code)| bits | u8::from(code != 0) << place)
    });
    Compact::coded(weights.len(), Some(&mask.collect::<Vec<_>>()), &kept, steps)
}

/// The nearest code, within the range.
fn code(weight: f32, step: f32) -> i8 {
    (weight / step)
        .round_ties_even()
        .clamp(-LARGEST_CODE, LARGEST_CODE) as i8
}

/// Codes of one channel whose sum is that of the weights, within half a step: of the nearest codes, those that were
/// rounded furthest the wrong way are moved to their other neighbour. What goes into a layer seldom has a mean of 0, and
/// then errors that all go one way shift the channel (Guo et al., "SQuant: On-the-Fly Data-Free Quantization via Diagonal
/// Hessian Approximation", arXiv 2202.07471).
fn codes_of(weights: &[f32], step: f32) -> Vec<i8> {
    let mut codes: Vec<i8> = weights.iter().map(|&weight| code(weight, step)).collect();
    let mut left: Vec<(f32, usize)> = codes
        .iter()
        .zip(weights)
        .map(|(&code, &weight)| weight / step - f32::from(code))
        .zip(0..)
        .collect();
    let sum = left.iter().map(|&(left, _)| f64::from(left)).sum::<f64>().round();
    left.sort_by(|(a, _), (b, _)| if sum > 0.0 { b.total_cmp(a) } else { a.total_cmp(b) });
    let direction = sum.signum() as i8;
    let movable = left.iter().filter(|&&(left, place)| {
        left * f32::from(direction) > 0.0 && f32::from(codes[place] * direction) < LARGEST_CODE
    });
    let moved: Vec<usize> = movable
        .map(|&(_, place)| place)
        .take(sum.abs() as usize)
        .collect();
    for place in moved {
        codes[place] += direction;
    }
    codes
}

/// The step of four significant bits that changes the elements least.
fn step_of(elements: &[f32]) -> f32 {
    let largest = elements
        .iter()
        .fold(0.0f32, |largest, element| largest.max(element.abs()));
    let exact = largest / LARGEST_CODE;
    let squared_error = |step: f32| -> f64 {
        let errors = elements.iter().map(|&element| {
            let error = f64::from(element) - f64::from(code(element, step)) * f64::from(step);
            error * error
        });
        errors.sum()
    };
    let candidates = short_numbers(
        exact
            * std::env::var("LEAST")
                .ok()
                .and_then(|l| l.parse().ok())
                .unwrap_or(LEAST_STEP),
        exact,
    );
    let best = candidates
        .map(|step| (squared_error(step), step))
        .min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or(SMALLEST_STEP, |(_, step)| step)
}

/// What a step is a multiple of; the smallest number of binary16.
const SMALLEST_STEP: f32 = 1.0 / (1 << 24) as f32;

/// The numbers of four significant bits from `low` on, up to the first that is not below `high`.
fn short_numbers(low: f32, high: f32) -> impl Iterator<Item = f32> {
    let low = (low / SMALLEST_STEP).max(1.0).floor() * SMALLEST_STEP;
    let first = f32::from_bits(low.to_bits() & !((1 << 20) - 1));
    let mut last = None;
    std::iter::successors(Some(first), |&number| {
        // Above the smallest numbers the next one is an eighth of the power of two further.
        let power = f32::from_bits(number.to_bits() & 0xff80_0000);
        Some(number + (power / 8.0).max(SMALLEST_STEP))
    })
    .take_while(move |&number| {
        let is_wanted = last.is_none_or(|last| last < high);
        last = Some(number);
        is_wanted
    })
}

/// Root mean square of the differences, as a share of that of the weights.
fn relative_error(weights: &[f32], rounded: &[f32]) -> f64 {
    let power = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let differences = weights
        .iter()
        .zip(rounded)
        .map(|(&a, &b)| f64::from(a) - f64::from(b));
    let signal = power(&mut weights.iter().map(|&weight| f64::from(weight)));
    let noise = power(&mut differences.into_iter());
    if signal > 0.0 {
        (noise / signal).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Conv2d, Node, Padding};
    use crate::graph_file;

    const SOURCE: graph_file::SourceHash = [3; 32];

    /// Of mean 0 and variance 1, all alike every time: sums of twelve numbers between -1/2 and 1/2.
    fn normal(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            f64::from(state) / f64::from(u32::MAX) - 0.5
        };
        (0..count)
            .map(|_| (0..12).map(|_| next()).sum::<f64>() as f32)
            .collect()
    }

    /// A convolution, or with `depthwise` one of each channel, over weights of this shape.
    fn graph(shape: &[usize; 4], weights: Vec<f32>, depthwise: bool) -> Graph {
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
            residual: None,
        };
        let (inputs, outputs) = if depthwise {
            (shape[3], shape[3])
        } else {
            (shape[3], shape[0])
        };
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 16, 16, inputs], None);
        let w = graph.add_value("weights", shape.to_vec(), Some(Constant::F32(weights.into())));
        let bias = Constant::F32(vec![0.1; outputs].into());
        let b = graph.add_value("bias", vec![outputs], Some(bias));
        let y = graph.add_value("y", vec![1, 17 - shape[1], 17 - shape[2], outputs], None);
        graph.inputs.push(x);
        graph.outputs.push(y);
        graph.nodes.push(Node {
            origin: "conv".to_owned(),
            op: if depthwise {
                Op::DepthwiseConv2d(conv)
            } else {
                Op::Conv2d(conv)
            },
            inputs: vec![x, w, b],
            output: y,
        });
        graph
    }

    fn weights_of(graph: &Graph) -> Vec<f32> {
        let constant = graph.values[1].constant.as_ref();
        constant.and_then(Constant::to_f32).expect("weights").into_owned()
    }

    #[test]
    fn codes_are_near_their_weights_and_exact_in_binary16() {
        for (shape, depthwise) in [([16, 3, 3, 24], false), ([1, 5, 5, 64], true)] {
            // Channels differ a thousandfold; one step for all would lose the small ones.
            let channel_of = |place: usize| if depthwise { place % 64 } else { place / (9 * 24) };
            let weights: Vec<f32> = normal(shape.iter().product(), 7)
                .iter()
                .enumerate()
                .map(|(place, weight)| weight * 10f32.powi(-(channel_of(place) as i32 % 4)))
                .collect();
            let mut graph = graph(&shape, weights.clone(), depthwise);
            let changed = quantize(&mut graph, Format::Byte, &BTreeSet::new());
            assert_eq!(changed.len(), 1);
            assert_eq!(
                (changed[0].name.as_str(), changed[0].elements),
                ("weights", weights.len())
            );
            // A uniform error of one step has a root mean square of 0.29 steps, and the largest of some hundred normal
            // numbers is about three times their own.
            assert!(changed[0].relative_error < 0.009, "{}", changed[0].relative_error);
            let rounded = weights_of(&graph);
            assert!(rounded.iter().all(|&weight| f16_from_f32_exact(weight).is_some()));
            for (place, (weight, rounded)) in weights.iter().zip(&rounded).enumerate() {
                let largest = weights
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| channel_of(*other) == channel_of(place));
                let largest = largest.fold(0.0f32, |largest, (_, weight)| largest.max(weight.abs()));
                assert!(
                    (weight - rounded).abs() <= 0.1 * largest,
                    "{weight} became {rounded}"
                );
            }
        }
    }

    #[test]
    fn the_sum_of_a_channel_stays_within_half_a_step() {
        for seed in 1..40 {
            let weights: Vec<f32> = normal(50, seed)
                .iter()
                .map(|weight| weight.abs() + 0.02)
                .collect();
            let step = step_of(&weights);
            let codes = codes_of(&weights, step);
            let sums = [
                weights.iter().map(|&weight| weight / step).sum::<f32>(),
                codes.iter().map(|&code| f32::from(code)).sum(),
            ];
            assert!((sums[0] - sums[1]).abs() <= 0.51, "{sums:?} of seed {seed}");
            for (weight, code) in weights.iter().zip(codes) {
                let moved = weight / step - f32::from(code);
                assert!(
                    moved.abs() <= 1.0 || code == 127,
                    "{weight} became {code} steps of {step}"
                );
            }
        }
    }

    #[test]
    fn a_file_of_codes_gives_the_same_weights_in_a_quarter_of_the_bytes() {
        let mut weights = normal(64 * 64, 9);
        for (name, keeps) in [("dense", 1), ("sparse", 3)] {
            for (place, weight) in weights.iter_mut().enumerate() {
                *weight = if place % keeps == 0 { *weight } else { 0.0 };
            }
            let mut graph = graph(&[64, 1, 1, 64], weights.clone(), false);
            let whole = graph_file::write(&graph, &SOURCE).expect("it is folded").len();
            quantize(&mut graph, Format::Byte, &BTreeSet::new());
            let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
            let (again, _) = graph_file::read(&bytes).expect("just written");
            assert_eq!(weights_of(&again), weights_of(&graph), "{name}");
            assert!(
                bytes.len() < whole / 3,
                "{name}: {} bytes of {whole}",
                bytes.len()
            );
            for (weight, again) in weights.iter().zip(weights_of(&again)) {
                assert!(*weight != 0.0 || again == 0.0, "zeros stay zeros");
            }
            let cut = graph_file::read(&bytes[..bytes.len() - 1]).expect_err("a code is missing");
            assert!(cut.to_string().contains("truncated"), "{cut}");
        }
    }

    #[test]
    fn damaged_codes_are_refused_or_read() {
        let mut weights = normal(1024, 3);
        weights.iter_mut().step_by(2).for_each(|weight| *weight = 0.0);
        let mut graph = graph(&[32, 1, 1, 32], weights, false);
        quantize(&mut graph, Format::Byte, &BTreeSet::new());
        let good = graph_file::write(&graph, &SOURCE).expect("it is folded");
        let mut read = 0;
        // What is said of the codes stands before them, and the bias behind.
        for at in good.len().saturating_sub(1000)..good.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = byte;
                if let Ok((graph, _)) = graph_file::read(&bytes) {
                    assert_eq!(weights_of(&graph).len(), 1024);
                    read += 1;
                }
            }
        }
        assert!((1000..4000).contains(&read), "{read} of 4000 were read");
    }

    #[test]
    fn halves_are_the_nearest() {
        let mut weights = normal(1024, 5);
        weights[3] = 1e-9;
        let mut halved = graph(&[32, 1, 1, 32], weights.clone(), false);
        let changed = quantize(&mut halved, Format::Half, &BTreeSet::new());
        assert!(changed[0].relative_error < 3e-4, "{}", changed[0].relative_error);
        let expected: Vec<f32> = weights.iter().map(|&weight| round_to_f16(weight)).collect();
        assert_eq!(weights_of(&halved), expected);
    }

    /// Too small, infinite, beyond binary16, binary16 already: each stays, bit for bit.
    #[test]
    fn what_has_no_such_form_stays() {
        let mut large = normal(1024, 5);
        large[0] = 1e6;
        let mut odd = normal(1024, 5);
        odd[7] = f32::INFINITY;
        let cases = [
            ("small", [31, 1, 1, 33], normal(31 * 33, 5), vec![]),
            ("infinite", [32, 1, 1, 32], odd, vec![]),
            ("large", [32, 1, 1, 32], large, vec![Format::Byte]),
            ("binary16", [32, 1, 1, 32], vec![0.5; 1024], vec![Format::Byte]),
        ];
        for (what, shape, weights, changes) in cases {
            for format in [Format::Half, Format::Byte] {
                let mut graph = graph(&shape, weights.clone(), false);
                let changed = quantize(&mut graph, format, &BTreeSet::new());
                assert_eq!(
                    changed.is_empty(),
                    !changes.contains(&format),
                    "{what} as {format:?}"
                );
                if changed.is_empty() {
                    assert_eq!(weights_of(&graph), weights, "{what} as {format:?}");
                }
            }
        }
    }

    #[test]
    fn zeros_alone_are_codes_too() {
        let mut graph = graph(&[32, 1, 1, 32], vec![0.0; 1024], false);
        assert!(
            quantize(&mut graph, Format::Byte, &BTreeSet::new())[0]
                .relative_error
                .abs()
                < f64::EPSILON
        );
        assert!(weights_of(&graph).iter().all(|&weight| weight == 0.0));
    }

    #[test]
    fn steps_have_four_significant_bits() {
        let steps: Vec<f32> = short_numbers(0.5, 1.0).collect();
        assert_eq!(
            steps,
            [0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.875, 0.9375, 1.0]
        );
        let smallest: Vec<f32> = short_numbers(0.0, 9.0 * SMALLEST_STEP)
            .map(|step| step / SMALLEST_STEP)
            .collect();
        assert_eq!(smallest, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    }
}
