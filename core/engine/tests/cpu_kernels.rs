//! Each CPU kernel against the naive interpreter, on random shapes, paddings, strides and epilogues.
//!
//! Runs natively and, with `wasm-pack`-style runners, in a browser: there it checks the simd128 code.

#[path = "support/random.rs"]
mod random;

use plumbline_engine::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, Node, Op, Padding, Pool2d, Residual, ValueId,
    element_count,
};
use plumbline_engine::plan::Plan;
use plumbline_engine::{cpu, reference, validate};
use random::Random;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Rounds of each kernel; each draws its own shapes.
const ROUNDS: u64 = 120;

/// Runs a one-node graph on both and compares; `residual` adds a last operand.
fn check(random: &mut Random, op: Op, operands: &[(&[usize], bool)], out: Vec<usize>) {
    let mut graph = Graph::default();
    let mut inputs = Vec::new();
    for (shape, constant) in operands {
        let data = random.tensor(element_count(shape));
        let known = constant.then(|| Constant::F32(data.clone().into()));
        let id = graph.add_value("operand", shape.to_vec(), known);
        if !constant {
            graph.inputs.push(id);
            inputs.push(data.into_iter().map(|x| x * 4.0).collect::<Vec<f32>>());
        }
    }
    let output = graph.add_value("result", out, None);
    let operands = (0..output.0).map(ValueId).collect();
    graph.nodes.push(Node {
        origin: format!("{op:?}"),
        op,
        inputs: operands,
        output,
    });
    graph.outputs.push(output);
    validate::validate(&graph).expect("the test builds valid graphs");

    let expected = reference::run(&graph, &inputs).expect("the reference runs it");
    let mut session = cpu::Session::new(Plan::new(graph.clone()).expect("a plan")).expect("a session");
    for (index, data) in inputs.iter().enumerate() {
        session.input_mut(index).copy_from_slice(data);
    }
    session.run();
    let actual = session.output("result").expect("the output exists");
    for (index, (&actual, &expected)) in actual.iter().zip(&expected[&output]).enumerate() {
        let error = (actual - expected).abs();
        assert!(
            error <= 2e-5 * (1.0 + expected.abs()),
            "element {index}: {actual} instead of {expected} in {:?} of {:?}",
            graph.nodes[0].op,
            graph.values.iter().map(|value| &value.shape).collect::<Vec<_>>()
        );
    }
}

fn activation(random: &mut Random) -> Activation {
    random.pick(&[
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::Sigmoid,
    ])
}

fn bilinear(random: &mut Random) -> Bilinear {
    random.pick(&[
        Bilinear {
            align_corners: false,
            half_pixel_centers: true,
        },
        Bilinear {
            align_corners: false,
            half_pixel_centers: false,
        },
        Bilinear {
            align_corners: true,
            half_pixel_centers: false,
        },
    ])
}

/// A residual for a result of `out`, with the shape of its operand.
fn residual(random: &mut Random, out: &[usize]) -> Option<(Residual, Vec<usize>)> {
    let small = vec![1, 1 + random.below(out[1]), 1 + random.below(out[2]), out[3]];
    let activation = activation(random);
    match random.below(3) {
        0 => None,
        1 => Some((
            Residual {
                upsample: None,
                activation,
            },
            out.to_vec(),
        )),
        _ => Some((
            Residual {
                upsample: Some(bilinear(random)),
                activation,
            },
            small,
        )),
    }
}

fn convolutions(seed: u64, depthwise: bool, pointwise: bool) {
    let mut random = Random(seed);
    let channels = random.pick(&[1, 2, 3, 4, 7, 8, 12, 16, 24, 33]);
    let outputs = if depthwise {
        channels
    } else {
        random.pick(&[1, 2, 4, 6, 8, 9, 16, 20, 39])
    };
    let kernel = if pointwise {
        [1, 1]
    } else {
        [random.pick(&[1, 2, 3, 5]), random.pick(&[1, 3, 3, 5])]
    };
    let kernel = if depthwise {
        random.pick(&[[3, 3], [5, 5], kernel])
    } else {
        kernel
    };
    let stride = if pointwise {
        [1, 1]
    } else {
        random.pick(&[[1, 1], [2, 2], [2, 1]])
    };
    let dilation = random.pick(&[[1, 1], [1, 1], [1, 1], [2, 1]]);
    let mut pad = || if pointwise { 0 } else { random.below(3) };
    let padding = Padding {
        top: pad(),
        bottom: pad(),
        left: pad(),
        right: pad(),
    };
    let size = [5 + random.below(14), 5 + random.below(14)];
    let axis = |axis: usize, before: usize, after: usize| {
        let span = (kernel[axis] - 1) * dilation[axis] + 1;
        (size[axis] + before + after)
            .checked_sub(span)
            .map(|room| room / stride[axis] + 1)
    };
    let (Some(height), Some(width)) = (
        axis(0, padding.top, padding.bottom),
        axis(1, padding.left, padding.right),
    ) else {
        return;
    };
    let out = vec![1, height, width, outputs];
    let activation = activation(&mut random);
    let residual = residual(&mut random, &out);
    let conv = Conv2d {
        stride,
        dilation,
        padding,
        activation,
        residual: residual.as_ref().map(|r| r.0),
    };
    let weights = if depthwise {
        vec![1, kernel[0], kernel[1], channels]
    } else {
        vec![outputs, kernel[0], kernel[1], channels]
    };
    let input = [1, size[0], size[1], channels];
    let bias = [outputs];
    let mut operands: Vec<(&[usize], bool)> = vec![(&input, false), (&weights, true), (&bias, true)];
    if let Some((_, shape)) = &residual {
        operands.push((shape, false));
    }
    let op = if depthwise {
        Op::DepthwiseConv2d(conv)
    } else {
        Op::Conv2d(conv)
    };
    check(&mut random, op, &operands, out);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn pointwise_convolutions() {
    (0..ROUNDS).for_each(|seed| convolutions(seed, false, true));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn general_convolutions() {
    (0..ROUNDS).for_each(|seed| convolutions(1000 + seed, false, false));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn depthwise_convolutions() {
    (0..2 * ROUNDS).for_each(|seed| convolutions(2000 + seed, true, false));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn additions_resizes_and_activations() {
    for seed in 0..ROUNDS {
        let mut random = Random(3000 + seed);
        let shape = vec![1, 1 + random.below(9), 1 + random.below(9), 1 + random.below(13)];
        if let Some((residual, small)) = residual(&mut random, &shape) {
            check(
                &mut random,
                Op::Add(residual),
                &[(&shape, false), (&small, false)],
                shape.clone(),
            );
        }
        let larger = vec![1, 1 + random.below(20), 1 + random.below(20), shape[3]];
        let op = Op::ResizeBilinear(bilinear(&mut random));
        check(&mut random, op, &[(&shape, false)], larger);
        let op = Op::Activation(activation(&mut random));
        check(&mut random, op, &[(&shape, false)], shape.clone());
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn pools() {
    for seed in 0..ROUNDS {
        let mut random = Random(4000 + seed);
        let window = random.pick(&[[2, 2], [3, 3], [3, 2]]);
        let stride = random.pick(&[[1, 1], [2, 2], [2, 1]]);
        let size = [3 + random.below(9), 3 + random.below(9)];
        let channels = 1 + random.below(13);
        // Padding below the window, as in TFLite: each window touches the image.
        let padding = Padding {
            top: random.below(2),
            bottom: random.below(2),
            left: random.below(2),
            right: 0,
        };
        let height = (size[0] + padding.top + padding.bottom - window[0]) / stride[0] + 1;
        let width = (size[1] + padding.left - window[1]) / stride[1] + 1;
        let pool = Pool2d {
            window,
            stride,
            padding,
            activation: activation(&mut random),
        };
        let input = [1, size[0], size[1], channels];
        check(
            &mut random,
            Op::MaxPool2d(pool),
            &[(&input, false)],
            vec![1, height, width, channels],
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn movers() {
    for seed in 0..ROUNDS {
        let mut random = Random(5000 + seed);
        let shape = [1, 1 + random.below(6), 1 + random.below(6), 1 + random.below(9)];
        let amounts: Vec<(usize, usize)> = (0..4)
            .map(|axis| {
                if axis == 0 {
                    (0, 0)
                } else {
                    (random.below(3), random.below(3))
                }
            })
            .collect();
        let out = shape
            .iter()
            .zip(&amounts)
            .map(|(size, (before, after))| size + before + after)
            .collect();
        check(&mut random, Op::Pad(amounts), &[(&shape, false)], out);

        let block = 1 + random.below(3);
        let deep = [1, shape[1], shape[2], shape[3] * block * block];
        let out = vec![1, shape[1] * block, shape[2] * block, shape[3]];
        check(&mut random, Op::DepthToSpace { block }, &[(&deep, false)], out);

        let axis = 1 + random.below(3);
        let mut other = shape;
        other[axis] = 1 + random.below(5);
        let mut out = shape.to_vec();
        out[axis] += other[axis];
        check(
            &mut random,
            Op::Concat { axis },
            &[(&shape, false), (&other, false)],
            out,
        );
    }
}
