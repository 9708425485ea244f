//! The shaders around the models, through wgpu: the crop against the CPU's, decoding and following against the CPU's
//! tracker, and the layout of shared words against naga's.
//!
//! Mesa's lavapipe serves where there is no GPU (`mesa-vulkan-drivers`, `VK_DRIVER_FILES`); without any adapter the
//! tests say so and pass.
#![cfg(feature = "native")]

use std::future::{Ready, ready};
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use plumbline_core::anchors::ANCHOR_COUNT;
use plumbline_core::detection::VALUES_PER_BOX;
use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::heatmap::HEATMAP_SIDE;
use plumbline_core::landmarks::{
    ALIGNMENT_CENTER, ALIGNMENT_SCALE_POINT, MODEL_LANDMARK_COUNT, VALUES_PER_LANDMARK,
};
use plumbline_core::pose::Pose;
use plumbline_core::preprocess::{
    DETECTOR_RANGE, DETECTOR_SIDE_PX, LANDMARK_RANGE, LANDMARK_SIDE_PX, letterbox,
};
use plumbline_core::roi::RotatedRect;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::{DetectorOutputs, LandmarkOutputs, Mode, PoseTracker, Request};
use plumbline_engine::encoding::{Encoding, Precision};
use plumbline_engine::gpu::native::{Gpu, PictureTexture, Reading, Replayer};
use plumbline_engine::gpu::{self, ARENA, Port, Recording};
use plumbline_engine::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, Node, Op, Padding, ValueId, element_count,
};
use plumbline_engine::half::f16_from_f32_exact;
use plumbline_engine::image::{Border, Frame, PixelFormat, Sampling, sample_region};
use plumbline_engine::plan::{Options, Plan};
use plumbline_pipeline::gpu::exchange::Parameters;
use plumbline_pipeline::gpu::layout::{ANSWER, PARAMETERS, REGION, STATE};
use plumbline_pipeline::gpu::program::{View, detector_program, landmark_program};
use plumbline_pipeline::gpu::{FrameGpu, GpuPosePipeline, Model, SLOTS};
use plumbline_pipeline::models;
use plumbline_pipeline::{InferenceError, PipelineError};

/// One device for all tests of this file; `None`, said once, when the machine has none.
fn device() -> Option<&'static Gpu> {
    static DEVICE: OnceLock<Option<Gpu>> = OnceLock::new();
    DEVICE
        .get_or_init(|| match Gpu::open() {
            Ok(gpu) => {
                eprintln!("GPU tests run on {}", gpu.adapter());
                Some(gpu)
            }
            Err(error) => {
                eprintln!("skipped: {error}");
                None
            }
        })
        .as_ref()
}

/// Numerical Recipes' generator: enough to vary a test, and the same everywhere.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }

    /// In [low, high).
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.below(1 << 20) as f32 / (1 << 20) as f32
    }
}

/// A model with BlazePose's tensors and nothing of its work: `outputs` by name and length.
fn stand_in(side_px: usize, outputs: &[(&str, usize)]) -> Plan {
    let options = Options {
        picture: Some(RANGE),
        ..Options::default()
    };
    Plan::with(stand_in_graph(side_px, outputs), &options).expect("a plan")
}

fn stand_in_graph(side_px: usize, outputs: &[(&str, usize)]) -> Graph {
    let mut graph = Graph::default();
    let image = graph.add_value("image", vec![1, side_px, side_px, 3], None);
    graph.inputs = vec![image];
    let node = |graph: &mut Graph, op: Op, inputs: Vec<ValueId>, output: ValueId| {
        graph.nodes.push(Node {
            origin: format!("operator {}", graph.nodes.len()),
            op,
            inputs,
            output,
        });
    };
    let resize = Op::ResizeBilinear(Bilinear {
        align_corners: false,
        half_pixel_centers: true,
    });
    let conv = Op::Conv2d(Conv2d {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::default(),
        activation: Activation::None,
        residual: None,
    });
    for &(name, len) in outputs {
        let pixel = graph.add_value(format!("{name} pixel"), vec![1, 1, 1, 3], None);
        node(&mut graph, resize.clone(), vec![image], pixel);
        let mut constant = |shape: Vec<usize>| {
            let zeros = vec![0.0; element_count(&shape)];
            graph.add_value("zeros", shape, Some(Constant::F32(zeros.into())))
        };
        let weights = constant(vec![len, 1, 1, 3]);
        let bias = constant(vec![len]);
        let output = graph.add_value(name, vec![1, 1, 1, len], None);
        node(&mut graph, conv.clone(), vec![pixel, weights, bias], output);
        graph.outputs.push(output);
    }
    graph
}

/// The same tensors, with heatmaps that are left to the decoder: computed from 40 channels, of which each landmark takes
/// its own and none of the others.
fn stand_in_with_deferred_heatmaps(precision: Precision) -> Plan {
    const CHANNELS: usize = MODEL_LANDMARK_COUNT + 1;
    let image = [1, HEATMAP_SIDE, HEATMAP_SIDE];
    let mut graph = stand_in_graph(LANDMARK_SIDE_PX, &LANDMARK_TENSORS[..3]);
    let shape = |channels| [&image[..], &[channels]].concat();
    let small = graph.add_value("small", shape(3), None);
    let source = graph.add_value("source", shape(CHANNELS), None);
    let heatmap = graph.add_value(models::HEATMAP, shape(MODEL_LANDMARK_COUNT), None);
    let own = (0..MODEL_LANDMARK_COUNT * CHANNELS).map(|at| f32::from(at % CHANNELS == at / CHANNELS));
    let mut constant = |shape: Vec<usize>, data: Vec<f32>| {
        graph.add_value("constant", shape, Some(Constant::F32(data.into())))
    };
    let spread = constant(vec![CHANNELS, 1, 1, 3], vec![0.0; CHANNELS * 3]);
    let no_bias = constant(vec![CHANNELS], vec![0.0; CHANNELS]);
    let own = constant(vec![MODEL_LANDMARK_COUNT, 1, 1, CHANNELS], own.collect());
    let bias = constant(vec![MODEL_LANDMARK_COUNT], vec![HEAT_BIAS; MODEL_LANDMARK_COUNT]);
    let node = |op: Op, inputs: Vec<ValueId>, output: ValueId| Node {
        origin: "heatmaps".to_owned(),
        op,
        inputs,
        output,
    };
    let [resize, conv] = [graph.nodes[0].op.clone(), graph.nodes[1].op.clone()];
    graph.nodes.push(node(resize, vec![graph.inputs[0]], small));
    graph
        .nodes
        .push(node(conv.clone(), vec![small, spread, no_bias], source));
    graph.nodes.push(node(conv, vec![source, own, bias], heatmap));
    graph.outputs.push(heatmap);
    let options = Options {
        precision,
        picture: Some(RANGE),
        deferred: &[models::HEATMAP],
        ..Options::default()
    };
    Plan::with(graph, &options).expect("a plan")
}

/// What the deferred heatmaps of the stand-in add to their source.
const HEAT_BIAS: f32 = -0.5;
/// What the stand-ins make of black and of white.
const RANGE: [f32; 2] = [-1.0, 1.0];
const LANDMARK_TENSORS: [(&str, usize); 4] = [
    (models::LANDMARKS, MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK),
    (models::POSE_SCORE, 1),
    (models::WORLD, MODEL_LANDMARK_COUNT * 3),
    (
        models::HEATMAP,
        HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT,
    ),
];

fn landmark_stand_in() -> Plan {
    stand_in(LANDMARK_SIDE_PX, &LANDMARK_TENSORS)
}

fn detector_stand_in() -> Plan {
    stand_in(
        DETECTOR_SIDE_PX,
        &[
            (models::DETECTOR_BOXES, ANCHOR_COUNT * VALUES_PER_BOX),
            (models::DETECTOR_SCORES, ANCHOR_COUNT),
        ],
    )
}

/// Of a program, only the dispatch of this name.
fn only(mut program: Recording, label: &str) -> Recording {
    program.dispatches.retain(|dispatch| dispatch.label == label);
    assert_eq!(program.dispatches.len(), 1, "{label}");
    program
}

#[test]
fn rust_and_wgsl_agree_on_every_offset() {
    use wgpu::naga;
    let program = landmark_program(&landmark_stand_in(), View::Texture).expect("a program");
    let decode = program.shaders.iter().find(|shader| shader.label == "decode");
    let text = &decode.expect("the program decodes").text;
    let module = naga::front::wgsl::parse_str(text).expect("the shader is WGSL");
    for block in [REGION, PARAMETERS, STATE, ANSWER] {
        let found = module
            .types
            .iter()
            .find(|(_, ty)| ty.name.as_deref() == Some(block.name));
        let (_, ty) = found.unwrap_or_else(|| panic!("{} is declared", block.name));
        let naga::TypeInner::Struct { members, span } = &ty.inner else {
            panic!("{} is a struct", block.name);
        };
        assert_eq!(*span as usize, block.len() * 4, "{}", block.name);
        assert_eq!(members.len(), block.fields.len(), "{}", block.name);
        for (member, (field, _)) in members.iter().zip(block.fields) {
            assert_eq!(member.name.as_deref(), Some(*field));
            assert_eq!(
                member.offset as usize,
                block.at(field) * 4,
                "{}.{field}",
                block.name
            );
        }
    }
}

/// The parts of a program keep the rules of every recording, and a frame reads back little.
#[test]
fn programs_are_sound_recordings() {
    let landmarks = landmark_program(&landmark_stand_in(), View::External).expect("a program");
    let detector = detector_program(&detector_stand_in(), View::Texture).expect("a program");
    assert!(
        landmarks.read_back_bytes < 1500,
        "{} bytes",
        landmarks.read_back_bytes
    );
    assert_eq!(landmarks.outputs.len(), 1);
    assert_eq!(
        detector.read_back_bytes as usize,
        ANCHOR_COUNT * (VALUES_PER_BOX + 1) * 4
    );
    for program in [landmarks, detector] {
        assert_eq!(program.dispatches[0].label, "ingest");
        assert_eq!(program.inputs.len(), 1, "the parameters are all that goes in");
        for group in &program.bind_groups {
            let accesses = &program.shaders[group.shader].bindings;
            let ranges = accesses.iter().filter(|access| access.is_buffer()).count();
            assert_eq!(group.bindings.len(), ranges);
            for range in &group.bindings {
                assert!(range.offset + range.bytes <= program.buffers[range.buffer].bytes);
                assert!(range.offset.is_multiple_of(gpu::BINDING_ALIGNMENT));
            }
        }
    }
}

#[test]
fn models_without_the_right_tensors_are_named() {
    let errors = [
        (
            landmark_program(&detector_stand_in(), View::Texture).err(),
            "the landmark model is not a BlazePose one: input has 50176 elements, 65536 are expected",
        ),
        (
            detector_program(
                &stand_in(DETECTOR_SIDE_PX, &[(models::DETECTOR_BOXES, 12)]),
                View::Texture,
            )
            .err(),
            "the detector is not a BlazePose one: Identity has 12 elements, 27048 are expected",
        ),
        (
            landmark_program(
                &stand_in(LANDMARK_SIDE_PX, &[(models::LANDMARKS, 195)]),
                View::Texture,
            )
            .err(),
            "the landmark model is not a BlazePose one: it has no tensor Identity_1",
        ),
    ];
    for (error, expected) in errors {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected));
    }
}

/// A program that only crops, and gives the model's input back, a word a pixel.
fn cropper(gpu: &Gpu, program: Recording, plan: &Plan) -> Replayer {
    let mut program = only(program, "ingest");
    let input = gpu::record(plan).expect("a recording").inputs[0].clone();
    assert_eq!(input.buffer, ARENA);
    program.read_back_bytes = input.len as u64 * 4;
    program.outputs = vec![input];
    Replayer::new(gpu, program).expect("the GPU takes the crop")
}

/// Noise, which shows every rounding, in both pixel formats, and every kind of region: inside, across the border, far
/// outside, tiny, huge, at all angles.
#[test]
fn the_crop_is_the_cpus_bit_for_bit() {
    let Some(gpu) = device() else { return };
    let (landmarks, detector) = (landmark_stand_in(), detector_stand_in());
    let landmark_crop = landmark_program(&landmarks, View::Texture).expect("a program");
    let detector_crop = detector_program(&detector, View::Texture).expect("a program");
    let mut croppers = [
        (
            cropper(gpu, landmark_crop, &landmarks),
            LANDMARK_SIDE_PX,
            LANDMARK_RANGE,
            Border::Replicate,
        ),
        (
            cropper(gpu, detector_crop, &detector),
            DETECTOR_SIDE_PX,
            DETECTOR_RANGE,
            Border::Zero,
        ),
    ];
    let mut random = Random(1);
    for (width_px, height_px, format) in [
        (640, 480, PixelFormat::Rgba8),
        (333, 500, PixelFormat::Rgb8),
        (1920, 1080, PixelFormat::Rgb8),
        (7, 3, PixelFormat::Rgba8),
        (1, 1, PixelFormat::Rgb8),
    ] {
        let stride = width_px * format.bytes_per_pixel() + 4;
        let pixels: Vec<u8> = (0..stride * height_px).map(|_| random.below(256) as u8).collect();
        let frame = Frame::new(&pixels, width_px, height_px, stride, format).expect("a whole frame");
        let image = ImageSize {
            width_px: width_px as u32,
            height_px: height_px as u32,
        };
        let mut picture = PictureTexture::new(gpu, width_px, height_px).expect("a texture");
        picture.write(&frame).expect("the pixels");
        let mut regions = vec![letterbox(image)];
        for round in 0..24 {
            let side_px = random.between(1.0, 30.0) * random.between(1.0, 60.0);
            regions.push(RotatedRect {
                center: Point2::new(
                    random.between(-0.3, 1.3) * width_px as f32,
                    random.between(-0.3, 1.3) * height_px as f32,
                ),
                width_px: side_px,
                height_px: side_px,
                rotation: if round % 4 == 0 {
                    0.0
                } else {
                    random.between(-3.2, 3.2)
                },
            });
        }
        for region in regions {
            for (replayer, side_px, range, border) in &mut croppers {
                let parameters = Parameters {
                    frame: 0,
                    time: Timestamp::from_micros(0),
                    image,
                    seed: Some(region),
                    forget: false,
                };
                let reading = replayer.start(Some(&picture), &[&parameters.words(*side_px)]);
                let found = reading.expect("a frame").wait_for_words().expect("a crop");
                let found: Vec<f32> = found
                    .iter()
                    .flat_map(|pixel| {
                        let [red, green, blue, rest] = pixel.to_bits().to_le_bytes();
                        assert_eq!(rest, 0);
                        let Encoding::Levels { scale, low } = Encoding::levels(*range) else {
                            panic!("pictures are kept as levels");
                        };
                        [red, green, blue].map(|level| f32::from(level) * scale + low)
                    })
                    .collect();
                let mut expected = vec![f32::NAN; found.len()];
                let sampling = Sampling {
                    frame_from_output: region.image_from_model(*side_px as f32).rows(),
                    width_px: *side_px,
                    height_px: *side_px,
                    range: *range,
                    border: *border,
                };
                sample_region(&frame, &sampling, &mut expected);
                let level = (range[1] - range[0]) / 255.0;
                let differing = found
                    .iter()
                    .zip(&expected)
                    .position(|(found, expected)| (found - expected).abs() > level / 100.0);
                assert_eq!(
                    differing.map(|at| (at, found[at], expected[at])),
                    None,
                    "{width_px}x{height_px} {format:?}, {region:?}"
                );
            }
        }
    }
}

/// One frame of a made-up sequence: what both models say, whatever they see.
struct Shot {
    image: ImageSize,
    time: Timestamp,
    boxes: Vec<f32>,
    scores: Vec<f32>,
    landmarks: Vec<f32>,
    score: f32,
    heatmap: Vec<f32>,
    world: Vec<f32>,
}

/// Sequences in which everything happens that the tracker distinguishes.
fn shots(seed: u32, count: usize) -> Vec<Shot> {
    let mut random = Random(seed);
    let mut micros: i64 = i64::from(u32::MAX) - 200_000;
    let mut image = ImageSize {
        width_px: 640,
        height_px: 480,
    };
    (0..count)
        .map(|frame| {
            // Mostly a camera; at times a repeated moment, a step back, or a pause.
            micros += match random.below(12) {
                0 => 0,
                1 => -20_000,
                2 => 900_000,
                _ => i64::from(random.below(20_000)) + 20_000,
            };
            if frame == count / 2 {
                image = ImageSize {
                    width_px: 480,
                    height_px: 640,
                };
            }
            let mut landmarks: Vec<f32> = (0..MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK)
                .map(|at| match at % VALUES_PER_LANDMARK {
                    0 | 1 => random.between(-20.0, 276.0),
                    2 => random.between(-100.0, 100.0),
                    _ => random.between(-12.0, 12.0),
                })
                .collect();
            let mut place = |point: usize, x: f32, y: f32| {
                landmarks[point * VALUES_PER_LANDMARK] = x;
                landmarks[point * VALUES_PER_LANDMARK + 1] = y;
            };
            let turn = random.between(-0.3, 0.3);
            let (center_x, center_y) = (random.between(118.0, 138.0), random.between(118.0, 138.0));
            let reach = random.between(96.0, 108.0);
            place(ALIGNMENT_CENTER, center_x, center_y);
            // One body in a while is a point: it cannot be followed.
            let reach = if random.below(20) == 0 { 0.0 } else { reach };
            place(
                ALIGNMENT_SCALE_POINT,
                center_x + reach * turn.sin(),
                center_y - reach * turn.cos(),
            );
            let mut heatmap = vec![0.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT];
            for point in 0..MODEL_LANDMARK_COUNT {
                // Some are sure, some are not, and the mass lies beside the landmark.
                let peak = random.between(-6.0, 6.0);
                let at = &landmarks[point * VALUES_PER_LANDMARK..];
                let (x, y) = (
                    at[0] / 4.0 + random.between(-2.0, 2.0),
                    at[1] / 4.0 + random.between(-2.0, 2.0),
                );
                // What cannot be followed is not moved apart either.
                let peak = if point >= ALIGNMENT_CENTER { -20.0 } else { peak };
                for cell in 0..HEATMAP_SIDE * HEATMAP_SIDE {
                    let (dx, dy) = ((cell % HEATMAP_SIDE) as f32 - x, (cell / HEATMAP_SIDE) as f32 - y);
                    // Binary16 holds eighths of this size exactly.
                    let logit = (peak - 0.4 * (dx * dx + dy * dy)).max(-100.0);
                    heatmap[cell * MODEL_LANDMARK_COUNT + point] = (logit * 8.0).round() / 8.0;
                }
            }
            let mut scores = vec![-10.0; ANCHOR_COUNT];
            let mut boxes = vec![0.0; ANCHOR_COUNT * VALUES_PER_BOX];
            if random.below(5) > 0 {
                // Anchor 2250 lies at 208 of 224; the hips are near the middle, the scale point is above.
                scores[2250] = 4.0;
                let (x, y) = (random.between(-106.0, -86.0), random.between(-106.0, -86.0));
                boxes[2250 * VALUES_PER_BOX..][..8].copy_from_slice(&[
                    x,
                    y,
                    20.0,
                    20.0,
                    x,
                    y,
                    x + 5.0,
                    y - 56.0,
                ]);
            }
            Shot {
                image,
                time: Timestamp::from_micros(micros),
                boxes,
                scores,
                landmarks,
                score: [0.9, 0.95, 0.99, 0.7, 0.8, 0.9, 0.3, 0.5, f32::NAN][random.below(9) as usize % 9],
                heatmap,
                world: (0..MODEL_LANDMARK_COUNT * 3)
                    .map(|_| random.between(-1.0, 1.0))
                    .collect(),
            }
        })
        .collect()
}

/// What the CPU's tracker makes of them.
fn tracked_on_cpu(shots: &[Shot]) -> Vec<Option<Pose>> {
    let mut tracker = PoseTracker::new(Mode::Tracking);
    shots
        .iter()
        .map(|shot| {
            let region = match tracker.request(shot.image) {
                Request::Landmarks(region) => region,
                Request::Detect(whole) => {
                    let outputs = DetectorOutputs {
                        boxes: &shot.boxes,
                        scores: &shot.scores,
                    };
                    tracker.locate(&whole, outputs)?
                }
            };
            let outputs = LandmarkOutputs {
                landmarks: &shot.landmarks,
                score: shot.score,
                heatmap: shot.heatmap.as_slice(),
                world: &shot.world,
            };
            tracker.advance(&region, outputs, shot.time)
        })
        .collect()
}

/// A GPU that decodes and follows, with what the models say given to it.
struct ToldGpu<'a> {
    shots: &'a [Shot],
    shown: [usize; SLOTS],
    decoder: Replayer,
    /// What the decoder is told of the heatmaps.
    heat: fn(&Shot) -> Vec<f32>,
    /// Nobody looks at it.
    picture: PictureTexture,
}

enum ToldReading {
    Detector(Ready<Vec<f32>>),
    Landmarks(Option<Reading>),
}

impl Future for ToldReading {
    type Output = Result<Vec<f32>, InferenceError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::task::Poll::Ready(match &mut *self {
            ToldReading::Detector(words) => Ok(words.clone().into_inner()),
            ToldReading::Landmarks(reading) => {
                let reading = reading.take().expect("polled once");
                reading
                    .wait_for_words()
                    .map_err(|error| InferenceError::new(error.to_string()))
            }
        })
    }
}

impl FrameGpu for ToldGpu<'_> {
    type Picture<'p> = usize;
    type Reading = ToldReading;

    fn show(&mut self, slot: usize, shot: usize) -> Result<ImageSize, InferenceError> {
        self.shown[slot] = shot;
        Ok(self.shots[shot].image)
    }

    fn start(
        &mut self,
        model: Model,
        slot: usize,
        parameters: &[f32],
    ) -> Result<ToldReading, InferenceError> {
        let shot = &self.shots[self.shown[slot]];
        match model {
            Model::Detector => Ok(ToldReading::Detector(ready(
                [&shot.boxes[..], &shot.scores].concat(),
            ))),
            Model::Landmarks => {
                let heat = (self.heat)(shot);
                let told = [parameters, &shot.landmarks, &[shot.score], &shot.world, &heat];
                let reading = self.decoder.start(Some(&self.picture), &told);
                Ok(ToldReading::Landmarks(Some(
                    reading.map_err(|error| InferenceError::new(error.to_string()))?,
                )))
            }
        }
    }

    fn release(&mut self, _slot: usize) {}
}

/// A program that only decodes; the model's outputs are its inputs.
fn decoder(gpu: &Gpu, plan: &Plan) -> Replayer {
    let mut program = only(
        landmark_program(plan, View::Texture).expect("a program"),
        "decode",
    );
    let outputs = gpu::record(plan).expect("a recording").outputs;
    let by_name = |name: &str| -> Port {
        let port = outputs.iter().find(|port| port.name == name);
        port.expect("the stand-in has it").clone()
    };
    let tensors = [models::LANDMARKS, models::POSE_SCORE, models::WORLD];
    program.inputs.extend(tensors.map(by_name));
    let deferred = program.deferred.first().map(|port| port.source.clone());
    let heat = deferred.unwrap_or_else(|| by_name(models::HEATMAP));
    program.inputs.push(heat);
    Replayer::new(gpu, program).expect("the GPU takes the decoder")
}

/// Heatmaps as the source that they are computed from: one channel more, and without the bias.
fn source_of(shot: &Shot) -> Vec<f32> {
    let pixel = |logits: &[f32]| -> Vec<f32> {
        let source = logits.iter().map(|logit| logit - HEAT_BIAS);
        source.chain([7.0]).collect()
    };
    shot.heatmap
        .chunks(MODEL_LANDMARK_COUNT)
        .flat_map(pixel)
        .collect()
}

/// The same as words of two binary16 each.
fn half_source_of(shot: &Shot) -> Vec<f32> {
    let source = source_of(shot);
    let half = |x: f32| u32::from(f16_from_f32_exact(x).expect("eighths are exact"));
    let pairs = source.as_chunks::<2>().0.iter();
    pairs
        .map(|&[low, high]| f32::from_bits(half(low) | half(high) << 16))
        .collect()
}

/// Heatmaps that are there, and heatmaps that the decoder computes itself.
#[test]
fn decoding_and_following_are_the_cpus() {
    let Some(gpu) = device() else { return };
    let whole: fn(&Shot) -> Vec<f32> = |shot| shot.heatmap.clone();
    let [single, half] = [Precision::Single, Precision::Half].map(stand_in_with_deferred_heatmaps);
    for (plan, heat, seeds) in [
        (landmark_stand_in(), whole, 1..=12),
        (single, source_of, 13..=15),
        (half, half_source_of, 16..=18),
    ] {
        follow_and_compare(gpu, &plan, heat, seeds);
    }
}

/// Sequences of frames, two on their way, against the CPU's tracker: who is found, where the region goes, and where all
/// landmarks are after smoothing.
fn follow_and_compare(gpu: &Gpu, plan: &Plan, heat: fn(&Shot) -> Vec<f32>, seeds: RangeInclusive<u32>) {
    let sequences = seeds.clone().count();
    let (mut poses, mut losses, mut worst_px) = (0, 0, 0.0_f32);
    for seed in seeds {
        let shots = shots(seed, 40);
        let expected = tracked_on_cpu(&shots);
        let told = ToldGpu {
            shots: &shots,
            shown: [0; SLOTS],
            decoder: decoder(gpu, plan),
            heat,
            picture: PictureTexture::new(gpu, 1, 1).expect("a texture"),
        };
        let mut pipeline = GpuPosePipeline::new(told, Mode::Tracking, Box::new(|| 0.0));
        let mut found: Vec<Option<Pose>> = Vec::new();
        let mut receive = |pipeline: &mut GpuPosePipeline<ToldGpu<'_>>| {
            let result: Result<_, PipelineError> = pollster::block_on(pipeline.receive());
            found.push(result.expect("the GPU decodes").pose);
        };
        for (index, shot) in shots.iter().enumerate() {
            pipeline.submit(index, shot.time).expect("room");
            if !pipeline.has_room() {
                receive(&mut pipeline);
            }
        }
        while pipeline.in_flight() > 0 {
            receive(&mut pipeline);
        }
        assert_eq!(found.len(), expected.len());
        for (frame, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let at = format!("sequence {seed}, frame {frame}");
            let (Some(found), Some(expected)) = (found, expected) else {
                assert_eq!(found.is_some(), expected.is_some(), "{at}");
                losses += 1;
                continue;
            };
            poses += 1;
            assert_eq!(found.score, expected.score, "{at}");
            assert!(
                found.region.center.distance(expected.region.center) < 0.01,
                "{at}"
            );
            assert!(
                (found.region.width_px - expected.region.width_px).abs() < 0.01,
                "{at}"
            );
            let turn = (found.region.rotation - expected.region.rotation).sin();
            assert!(turn.abs() < 1e-5, "{at}: turned by {turn}");
            for (point, (a, b)) in found.landmarks.iter().zip(&expected.landmarks).enumerate() {
                let off_px = [(a.x_px, b.x_px), (a.y_px, b.y_px), (a.z_px, b.z_px)]
                    .iter()
                    .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
                worst_px = worst_px.max(off_px);
                assert!(off_px < 0.02, "{at}, landmark {point}: {a:?} is not {b:?}");
                assert!(
                    (a.visibility - b.visibility).abs() < 1e-5,
                    "{at}, landmark {point}"
                );
                assert!((a.presence - b.presence).abs() < 1e-5, "{at}, landmark {point}");
            }
            for (point, (a, b)) in found.world.iter().zip(&expected.world).enumerate() {
                let off_m = (a.x_m - b.x_m).abs() + (a.y_m - b.y_m).abs() + (a.z_m - b.z_m).abs();
                assert!(off_m < 1e-4, "{at}, landmark {point}: {a:?} is not {b:?}");
            }
        }
    }
    eprintln!("measured: {poses} poses, {losses} frames without; at most {worst_px:.5} px from the CPU");
    assert!(
        poses > 12 * sequences && losses > 4 * sequences,
        "{poses} poses, {losses} losses: the sequences test little"
    );
}
