//! Properties of recordings that need no GPU: the same plan gives the same text, equal shapes share a shader,
//! every binding keeps the limits that each WebGPU adapter guarantees, and each step is one dispatch.

use plumbline_engine::ErrorKind;
use plumbline_engine::gpu::{
    self, ARENA, Access, BINDING_ALIGNMENT, MAX_BINDING_BYTES, MAX_BINDINGS, MAX_WORKGROUPS,
};
use plumbline_engine::graph::{
    Activation, Constant, Conv2d, Graph, Node, Op, Padding, Residual, ValueId, element_count,
};
use plumbline_engine::plan::Plan;

/// `blocks` equal residual blocks (1x1 to three times the channels, depthwise 3x3, 1x1 back plus the block's
/// input) over an image of `edge` x `edge` x `channels`.
fn residual_network(edge: usize, channels: usize, blocks: usize, half: bool) -> Graph {
    let mut seed = 1;
    let mut graph = Graph::default();
    let mut constant = |graph: &mut Graph, shape: Vec<usize>| {
        seed = (seed * 48_271) % 2_147_483_647u64;
        let step = if half { 1.0 / 64.0 } else { 0.001 };
        let data: Vec<f32> = (0..element_count(&shape) as u64)
            .map(|i| ((seed + i * 7919) % 251) as f32 * step)
            .collect();
        graph.add_value("weights", shape, Some(Constant::F32(data.into())))
    };
    let mut x = graph.add_value("image", vec![1, edge, edge, channels], None);
    graph.inputs.push(x);
    let plain = Conv2d {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::default(),
        activation: Activation::Relu6,
        residual: None,
    };
    let around = Padding {
        top: 1,
        bottom: 1,
        left: 1,
        right: 1,
    };
    let wide = 3 * channels;
    for block in 0..blocks {
        let mut layer =
            |op: Op, input: ValueId, weights: Vec<usize>, channels: usize, residual: Option<ValueId>| {
                let weights = constant(&mut graph, weights);
                let bias = constant(&mut graph, vec![channels]);
                let output = graph.add_value(format!("block {block}"), vec![1, edge, edge, channels], None);
                let inputs = [Some(input), Some(weights), Some(bias), residual]
                    .into_iter()
                    .flatten()
                    .collect();
                graph.nodes.push(Node {
                    origin: format!("block {block}"),
                    op,
                    inputs,
                    output,
                });
                output
            };
        let expanded = layer(Op::Conv2d(plain), x, vec![wide, 1, 1, channels], wide, None);
        let depthwise = Op::DepthwiseConv2d(Conv2d {
            padding: around,
            ..plain
        });
        let filtered = layer(depthwise, expanded, vec![1, 3, 3, wide], wide, None);
        let sum = Residual {
            upsample: None,
            inner: Activation::None,
            activation: Activation::None,
        };
        let projection = Op::Conv2d(Conv2d {
            activation: Activation::None,
            residual: Some(sum),
            ..plain
        });
        x = layer(
            projection,
            filtered,
            vec![channels, 1, 1, wide],
            channels,
            Some(x),
        );
    }
    graph.outputs.push(x);
    graph
}

#[test]
fn the_same_plan_gives_the_same_recording() {
    let plan = Plan::new(residual_network(12, 8, 3, true)).expect("a plan");
    let first = gpu::record(&plan).expect("a recording");
    assert_eq!(first, gpu::record(&plan).expect("a recording"));
    let again = Plan::new(residual_network(12, 8, 3, true)).expect("a plan");
    assert_eq!(
        first,
        gpu::record(&again).expect("a recording"),
        "nothing depends on addresses or on time"
    );
}

#[test]
fn blocks_of_equal_shape_share_their_shaders() {
    let plan = Plan::new(residual_network(12, 8, 5, true)).expect("a plan");
    let recording = gpu::record(&plan).expect("a recording");
    assert_eq!(recording.shaders.len(), 3);
    assert_eq!(recording.dispatches.len(), 15);
    assert_eq!(recording.dispatches.len(), plan.cost.dispatches as usize);
}

#[test]
fn weights_that_binary16_holds_take_half_the_bytes() {
    let contents = |half| {
        let plan = Plan::new(residual_network(6, 16, 2, half)).expect("a plan");
        let recording = gpu::record(&plan).expect("a recording");
        recording.buffers[gpu::WEIGHTS].contents.len()
    };
    let (full, half) = (contents(false), contents(true));
    assert!(
        half * 10 < full * 7,
        "{half} against {full} bytes, biases and alignment included"
    );
}

#[test]
fn bindings_keep_the_limits_of_every_adapter() {
    for (edge, channels) in [(7, 3), (16, 8), (33, 5), (64, 24)] {
        let recording = gpu::record(&Plan::new(residual_network(edge, channels, 2, true)).expect("a plan"))
            .expect("a recording");
        for group in &recording.bind_groups {
            let shader = &recording.shaders[group.shader];
            assert_eq!(group.bindings.len(), shader.bindings.len());
            assert!(group.bindings.len() <= MAX_BINDINGS);
            let mut written: Vec<(u64, u64)> = Vec::new();
            for (binding, access) in group.bindings.iter().zip(&shader.bindings) {
                assert!(binding.offset.is_multiple_of(BINDING_ALIGNMENT));
                assert!(
                    binding.bytes > 0
                        && binding.bytes.is_multiple_of(4)
                        && binding.bytes <= MAX_BINDING_BYTES
                );
                assert!(binding.offset + binding.bytes <= recording.buffers[binding.buffer].bytes);
                // One access for each buffer, or a dispatch would bind it both read-only and writable.
                assert_eq!(*access == Access::ReadWrite, binding.buffer == ARENA);
                if binding.buffer == ARENA {
                    written.push((binding.offset, binding.offset + binding.bytes));
                }
            }
            written.sort_unstable();
            assert!(
                written.windows(2).all(|pair| pair[0].1 <= pair[1].0),
                "writable bindings overlap: {written:?}"
            );
        }
        for dispatch in &recording.dispatches {
            assert!(
                dispatch
                    .workgroups
                    .iter()
                    .all(|&count| (1..=MAX_WORKGROUPS).contains(&count))
            );
            assert_eq!(recording.bind_groups[dispatch.bind_group].shader, dispatch.shader);
        }
    }
}

#[test]
fn flat_words_say_the_same_as_the_tables() {
    let recording =
        gpu::record(&Plan::new(residual_network(9, 4, 2, true)).expect("a plan")).expect("a recording");
    let commands = recording.commands();
    assert_eq!(commands.len(), recording.dispatches.len() * 5);
    for (words, dispatch) in commands.chunks(5).zip(&recording.dispatches) {
        assert_eq!(words[..2], [dispatch.shader as u32, dispatch.bind_group as u32]);
        assert_eq!(words[2..], dispatch.workgroups);
    }
    let layouts = recording.layout_words();
    for (words, shader) in layouts.chunks(2).zip(&recording.shaders) {
        assert_eq!(words[0] as usize, shader.bindings.len());
        for (i, access) in shader.bindings.iter().enumerate() {
            assert_eq!(words[1] >> (4 * i) & 15, u32::from(*access == Access::ReadWrite));
        }
    }
    let mut words = recording.bind_group_words().into_iter();
    for group in &recording.bind_groups {
        assert_eq!(words.next(), Some(group.shader as u32));
        assert_eq!(words.next(), Some(group.bindings.len() as u32));
        for binding in &group.bindings {
            let expected = [binding.buffer as u32, binding.offset as u32, binding.bytes as u32];
            assert_eq!([words.next(), words.next(), words.next()], expected.map(Some));
        }
    }
    assert_eq!(words.next(), None);
    assert_eq!(
        recording.input_words(),
        [ARENA as u32, recording.inputs[0].offset as u32, 9 * 9 * 4]
    );
    assert_eq!(
        recording.output_words(),
        [ARENA as u32, recording.outputs[0].offset as u32, 0, 9 * 9 * 4]
    );
    assert_eq!(recording.read_back_bytes, 9 * 9 * 4 * 4);
}

#[test]
fn a_tensor_beyond_the_limits_is_unsupported() {
    // 6000 x 6000 x 1 f32 is 137 MiB; WebGPU binds 128.
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 6000, 6000, 1], None);
    let y = graph.add_value("y", vec![1, 6000, 6000, 1], None);
    graph.inputs = vec![x];
    graph.outputs = vec![y];
    let op = Op::Activation(Activation::Relu);
    graph.nodes.push(Node {
        origin: "operator 3 (RELU)".into(),
        op,
        inputs: vec![x],
        output: y,
    });
    let error = gpu::record(&Plan::new(graph).expect("a plan")).expect_err("too large for WebGPU");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.place(), "operator 3 (RELU)");
}
