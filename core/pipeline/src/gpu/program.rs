//! Puts work around a model's recording, so that a picture goes in and an answer comes out.
//!
//! The engine's recording of a model is data, and stays as it is: what is added here are further shaders, buffers, bind
//! groups and dispatches, before the model's own (ingest) and after them (decode). Constants of the pose logic are
//! written into the shaders from the CPU's own, so that there is one of each.
//!
//! Plans are those of [`crate::models`] for a GPU: their input is a picture of 8-bit levels.

use plumbline_core::anchors::ANCHOR_COUNT;
use plumbline_core::detection::VALUES_PER_BOX;
use plumbline_core::heatmap::{HEATMAP_SIDE, MIN_CONFIDENCE, REACH};
use plumbline_core::landmarks::{ALIGNMENT_CENTER, MODEL_LANDMARK_COUNT, VALUES_PER_LANDMARK};
use plumbline_core::preprocess::{DETECTOR_SIDE_PX, LANDMARK_SIDE_PX};
use plumbline_core::roi::REGION_MARGIN;
use plumbline_core::skeleton::LANDMARK_COUNT;
use plumbline_core::smoothing::ALIGNMENT_SMOOTHING;
use plumbline_core::tracker::MIN_POSE_SCORE;
use plumbline_engine::gpu::{
    self, ARENA, Access, BINDING_ALIGNMENT, BindGroup, Binding, Buffer, Dispatch, Port, Recording, Shader,
};
use plumbline_engine::image::Border;
use plumbline_engine::plan::Plan;

use super::layout::{ANSWER, Block, LAYOUT_VERSION, PARAMETERS, REGION, STATE, flag, status};
use crate::error::PipelineError;
use crate::inference::InferenceError;
use crate::models::{DETECTOR_BOXES, DETECTOR_SCORES, HEATMAP, LANDMARKS, MASK, POSE_SCORE, WORLD};
use crate::pose::{DETECTOR, LANDMARK_MODEL};

const REGION_TEXT: &str = include_str!("region.wgsl");
const INGEST_TEXT: &str = include_str!("ingest.wgsl");
const DECODE_TEXT: &str = include_str!("decode.wgsl");
const MASK_TEXT: &str = include_str!("mask.wgsl");

/// Words of a mask that is read back: a byte a pixel of the landmark model's input.
pub const MASK_WORDS: usize = LANDMARK_SIDE_PX * LANDMARK_SIDE_PX / 4;
/// Threads of a workgroup that packs it.
const MASK_THREADS: usize = 64;

/// Threads of the decoding workgroup: what every adapter guarantees.
const DECODE_THREADS: u32 = 256;
/// Threads of an ingest workgroup along each axis, as in `ingest.wgsl`.
const INGEST_TILE: usize = 8;

/// How a shader sees the frame's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As a texture that the frame was copied into.
    Texture,
    /// As the browser's decoder left it.
    External,
}

impl View {
    fn access(self) -> Access {
        match self {
            View::Texture => Access::Texture,
            View::External => Access::ExternalTexture,
        }
    }

    fn wgsl(self) -> &'static str {
        match self {
            View::Texture => "texture_2d<f32>",
            View::External => "texture_external",
        }
    }

    /// Its function `load_pixel`.
    fn loader(self) -> &'static str {
        match self {
            View::Texture => {
                "fn load_pixel(at: vec2<u32>) -> vec4<f32> { return textureLoad(picture, at, 0); }\n"
            }
            View::External => {
                "fn load_pixel(at: vec2<u32>) -> vec4<f32> { return textureLoad(picture, at); }\n"
            }
        }
    }
}

/// From a picture and the letterbox around it to the detector's boxes and scores, which are read back: in that order,
/// [`ANCHOR_COUNT`] rows of [`VALUES_PER_BOX`] and as many logits.
///
/// # Errors
/// [`PipelineError::WrongModel`], and [`PipelineError::Inference`] for what the recorder does not support.
pub fn detector_program(plan: &Plan, view: View) -> Result<Recording, PipelineError> {
    let mut program = Program::new(DETECTOR, plan)?;
    let crop = Crop {
        side_px: DETECTOR_SIDE_PX,
        border: Border::Zero,
        view,
    };
    program.ingest(&crop, None)?;
    let boxes = program.tensor(DETECTOR_BOXES, ANCHOR_COUNT * VALUES_PER_BOX)?;
    let scores = program.tensor(DETECTOR_SCORES, ANCHOR_COUNT)?;
    Ok(program.answering([boxes, scores]))
}

/// From a picture to the [`ANSWER`], which is read back, and the [`STATE`], which is not. A plan that has the person's
/// mask gives that too, after the answer: [`MASK_WORDS`] words.
///
/// # Errors
/// As [`detector_program`].
pub fn landmark_program(plan: &Plan, view: View) -> Result<Recording, PipelineError> {
    let mut program = Program::new(LANDMARK_MODEL, plan)?;
    let crop = Crop {
        side_px: LANDMARK_SIDE_PX,
        border: Border::Replicate,
        view,
    };
    let state = program.buffer("state", STATE);
    let answer = program.buffer("answer", ANSWER);
    program.ingest(&crop, Some(state))?;
    program.decode(state, answer)?;
    let port = program.block_port("answer", answer, ANSWER);
    let mask = program.mask()?;
    Ok(program.answering([port].into_iter().chain(mask)))
}

/// How a model's input is cut out.
struct Crop {
    side_px: usize,
    border: Border,
    view: View,
}

/// A recording under construction.
struct Program {
    role: &'static str,
    recording: Recording,
    parameters: usize,
}

impl Program {
    fn new(role: &'static str, plan: &Plan) -> Result<Self, PipelineError> {
        let recording = gpu::record(plan).map_err(|error| PipelineError::Inference {
            role,
            source: InferenceError::new(error.to_string()),
        })?;
        let mut program = Self {
            role,
            recording,
            parameters: 0,
        };
        program.parameters = program.buffer("parameters", PARAMETERS);
        Ok(program)
    }

    /// Adds a buffer of zeros for a block; gives its index.
    fn buffer(&mut self, label: &'static str, block: Block) -> usize {
        self.words(label, block.len())
    }

    /// Adds a buffer of so many zeros; gives its index.
    fn words(&mut self, label: &'static str, len: usize) -> usize {
        self.recording.buffers.push(Buffer {
            label,
            bytes: (len as u64 * 4).next_multiple_of(BINDING_ALIGNMENT),
            contents: Vec::new(),
        });
        self.recording.buffers.len() - 1
    }

    /// One of the model's tensors, of this many elements.
    fn tensor(&self, tensor: &'static str, expected: usize) -> Result<Port, PipelineError> {
        let mut ports = self.recording.outputs.iter();
        // What does not depend on the picture is no answer to it.
        match ports.find(|port| port.name == tensor && port.buffer == ARENA) {
            Some(port) if port.len == expected => Ok(port.clone()),
            other => Err(PipelineError::WrongModel {
                role: self.role,
                tensor,
                expected,
                found: other.map(|port| port.len),
            }),
        }
    }

    fn block_port(&self, name: &str, buffer: usize, block: Block) -> Port {
        self.port(name, buffer, block.len())
    }

    fn port(&self, name: &str, buffer: usize, len: usize) -> Port {
        Port {
            name: name.to_owned(),
            shape: vec![len],
            buffer,
            offset: 0,
            read_back_offset: 0,
            len,
        }
    }

    /// The finished recording: the parameters go in, these ports come out one after the other.
    fn answering(mut self, outputs: impl IntoIterator<Item = Port>) -> Recording {
        self.recording.inputs = vec![self.block_port("parameters", self.parameters, PARAMETERS)];
        self.recording.read_back_bytes = 0;
        self.recording.outputs = outputs
            .into_iter()
            .map(|mut port| {
                port.read_back_offset = self.recording.read_back_bytes;
                self.recording.read_back_bytes += port.len as u64 * 4;
                port
            })
            .collect();
        self.recording
    }

    /// Puts the crop before everything else. With a state, the region comes from there unless the frame brings one.
    fn ingest(&mut self, crop: &Crop, state: Option<usize>) -> Result<(), PipelineError> {
        // A word a pixel, as plans for pictures keep it.
        let expected = crop.side_px * crop.side_px;
        let input = match self.recording.inputs.as_slice() {
            [input] if input.len == expected => input.offset / 4,
            other => {
                return Err(PipelineError::WrongModel {
                    role: self.role,
                    tensor: "input",
                    expected,
                    found: other.first().map(|port| port.len),
                });
            }
        };
        let mut text = ShaderText::new("cut the input out of the picture");
        text.constant("SIDE", &format!("{}u", crop.side_px));
        text.constant("INPUT_AT", &format!("{input}u"));
        text.constant("EDGE_REPEATS", &(crop.border == Border::Replicate).to_string());
        self.bind_arena(&mut text);
        self.bind_parameters(&mut text);
        self.region_source(&mut text, state, Access::Read);
        text.picture(crop.view);
        text.add(INGEST_TEXT);
        let tiles = crop.side_px.div_ceil(INGEST_TILE) as u32;
        let dispatch = self.dispatch("ingest", text, [tiles, tiles, 1]);
        self.recording.dispatches.insert(0, dispatch);
        Ok(())
    }

    /// Puts the decoding after everything else.
    fn decode(&mut self, state: usize, answer: usize) -> Result<(), PipelineError> {
        let mut text = ShaderText::new("landmarks, and the region of the next frame");
        for (name, tensor, len) in [
            (
                "LANDMARKS_AT",
                LANDMARKS,
                MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK,
            ),
            ("SCORE_AT", POSE_SCORE, 1),
            ("WORLD_AT", WORLD, MODEL_LANDMARK_COUNT * 3),
        ] {
            text.constant(name, &format!("{}u", self.tensor(tensor, len)?.offset / 4));
        }
        // The shader takes the alignment points to follow the body's.
        const { assert!(ALIGNMENT_CENTER == LANDMARK_COUNT && VALUES_PER_LANDMARK == 5) };
        for (name, value) in [
            ("BODY_POINTS", format!("{LANDMARK_COUNT}u")),
            ("GRID", format!("{HEATMAP_SIDE}")),
            ("REACH", format!("{REACH}")),
            ("INPUT_SIDE", float(LANDMARK_SIDE_PX as f32)),
            ("MIN_CONFIDENCE", float(MIN_CONFIDENCE)),
            ("MIN_POSE_SCORE", float(MIN_POSE_SCORE)),
            ("REGION_MARGIN", float(REGION_MARGIN)),
            ("MIN_CUTOFF_HZ", float(ALIGNMENT_SMOOTHING.min_cutoff_hz as f32)),
            ("BETA", float(ALIGNMENT_SMOOTHING.beta as f32)),
            (
                "SPEED_CUTOFF_HZ",
                float(ALIGNMENT_SMOOTHING.speed_cutoff_hz as f32),
            ),
            ("FORGET", format!("{}u", flag::FORGET)),
            ("LOOKED", format!("{}u", status::LOOKED)),
            ("PERSON", format!("{}u", status::PERSON)),
            ("FOLLOWED", format!("{}u", status::FOLLOWED)),
            ("HAS_NEXT", format!("{}u", status::HAS_NEXT)),
            ("LAYOUT_VERSION", format!("{LAYOUT_VERSION}u")),
            ("THREADS", format!("{DECODE_THREADS}u")),
        ] {
            text.constant(name, &value);
        }
        self.bind_arena(&mut text);
        self.bind_parameters(&mut text);
        self.region_source(&mut text, Some(state), Access::ReadWrite);
        text.block(ANSWER);
        text.bind(
            "answer",
            ANSWER.name,
            Access::ReadWrite,
            self.whole_block(answer, ANSWER),
        );
        self.heat(&mut text)?;
        text.add(REGION_TEXT);
        text.add(DECODE_TEXT);
        let dispatch = self.dispatch("decode", text, [1, 1, 1]);
        self.recording.dispatches.push(dispatch);
        Ok(())
    }

    /// Puts the packing of the mask after everything else, where the plan has one.
    fn mask(&mut self) -> Result<Option<Port>, PipelineError> {
        if self.recording.outputs.iter().all(|port| port.name != MASK) {
            return Ok(None);
        }
        let tensor = self.tensor(MASK, 4 * MASK_WORDS)?;
        let packed = self.words("mask", MASK_WORDS);
        let mut text = ShaderText::new("the person's mask, a byte a pixel");
        for (name, value) in [
            ("MASK_AT", (tensor.offset / 4) as usize),
            ("WORDS", MASK_WORDS),
            ("THREADS", MASK_THREADS),
        ] {
            text.constant(name, &format!("{value}u"));
        }
        self.bind_arena(&mut text);
        let whole = Binding {
            buffer: packed,
            offset: 0,
            bytes: MASK_WORDS as u64 * 4,
        };
        text.bind(
            "mask",
            &format!("array<u32, {MASK_WORDS}>"),
            Access::ReadWrite,
            whole,
        );
        text.add(MASK_TEXT);
        let workgroups = MASK_WORDS.div_ceil(MASK_THREADS) as u32;
        let dispatch = self.dispatch("mask", text, [workgroups, 1, 1]);
        self.recording.dispatches.push(dispatch);
        Ok(Some(self.port("mask", packed, MASK_WORDS)))
    }

    /// Defines `heat(cell, point)`, the logits of the heatmaps: read, or computed where the plan has left that to us.
    fn heat(&self, text: &mut ShaderText) -> Result<(), PipelineError> {
        const SHAPE: [usize; 4] = [1, HEATMAP_SIDE, HEATMAP_SIDE, MODEL_LANDMARK_COUNT];
        let deferred = self.recording.deferred.iter().find(|port| port.name == HEATMAP);
        if let Some(port) = deferred.filter(|port| port.shape == SHAPE) {
            let weights = format!("array<u32, {}>", port.weights.bytes / 4);
            text.bind("weights", &weights, Access::Read, port.weights);
            text.add(&port.wgsl("heat", "arena", "weights"));
            return Ok(());
        }
        let at = self.tensor(HEATMAP, SHAPE.iter().product())?.offset / 4;
        text.add(&format!(
            "fn heat(cell: u32, point: u32) -> f32 {{\n  \
             return tensor({at}u + cell * {MODEL_LANDMARK_COUNT}u + point);\n}}\n"
        ));
        Ok(())
    }

    /// Declares all of the model's tensors, as words, and `tensor(at)` for those that are f32.
    fn bind_arena(&self, text: &mut ShaderText) {
        let bytes = self.recording.buffers[ARENA].bytes;
        let whole = Binding {
            buffer: ARENA,
            offset: 0,
            bytes,
        };
        text.bind(
            "arena",
            &format!("array<u32, {}>", bytes / 4),
            Access::ReadWrite,
            whole,
        );
        text.add("fn tensor(at: u32) -> f32 { return bitcast<f32>(arena[at]); }\n");
    }

    fn bind_parameters(&self, text: &mut ShaderText) {
        text.block(REGION);
        text.block(PARAMETERS);
        let whole = self.whole_block(self.parameters, PARAMETERS);
        text.bind("parameters", PARAMETERS.name, Access::Read, whole);
    }

    /// Declares `has_region` and `region_to_see`.
    fn region_source(&self, text: &mut ShaderText, state: Option<usize>, access: Access) {
        let Some(state) = state else {
            text.add(
                "fn has_region() -> bool { return true; }\n\
                 fn region_to_see() -> Region { return parameters.seed; }\n",
            );
            return;
        };
        text.block(STATE);
        text.bind("state", STATE.name, access, self.whole_block(state, STATE));
        text.constant("SEED", &format!("{}u", flag::SEED));
        text.add(
            "fn is_seeded() -> bool { return (parameters.flags & SEED) != 0u; }\n\
             fn has_region() -> bool { return is_seeded() || state.has_region != 0u; }\n\
             fn region_to_see() -> Region {\n  if (is_seeded()) { return parameters.seed; }\n  \
             return state.region;\n}\n",
        );
    }

    fn whole_block(&self, buffer: usize, block: Block) -> Binding {
        Binding {
            buffer,
            offset: 0,
            bytes: block.len() as u64 * 4,
        }
    }

    /// Adds the shader and its bind group; the caller places the dispatch.
    fn dispatch(&mut self, label: &str, text: ShaderText, workgroups: [u32; 3]) -> Dispatch {
        let shader = self.recording.shaders.len();
        self.recording.shaders.push(Shader {
            label: label.to_owned(),
            text: text.text,
            bindings: text.accesses,
        });
        self.recording.bind_groups.push(BindGroup {
            shader,
            bindings: text.ranges,
        });
        Dispatch {
            label: label.to_owned(),
            shader,
            bind_group: self.recording.bind_groups.len() - 1,
            workgroups,
        }
    }
}

/// A shader's text with its bindings.
struct ShaderText {
    text: String,
    accesses: Vec<Access>,
    ranges: Vec<Binding>,
}

impl ShaderText {
    fn new(title: &str) -> Self {
        Self {
            text: format!("// {title}\n"),
            accesses: Vec::new(),
            ranges: Vec::new(),
        }
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn constant(&mut self, name: &str, value: &str) {
        self.add(&format!("const {name} = {value};\n"));
    }

    fn block(&mut self, block: Block) {
        self.add(&block.wgsl());
    }

    fn bind(&mut self, name: &str, wgsl: &str, access: Access, range: Binding) {
        let mode = if access == Access::ReadWrite {
            "read_write"
        } else {
            "read"
        };
        let binding = self.accesses.len();
        self.add(&format!(
            "@group(0) @binding({binding}) var<storage, {mode}> {name}: {wgsl};\n"
        ));
        self.accesses.push(access);
        self.ranges.push(range);
    }

    fn picture(&mut self, view: View) {
        let binding = self.accesses.len();
        self.add(&format!(
            "@group(0) @binding({binding}) var picture: {};\n",
            view.wgsl()
        ));
        self.add(view.loader());
        self.accesses.push(view.access());
    }
}

/// A literal of WGSL that is exactly this number.
fn float(value: f32) -> String {
    format!("{value:?}f")
}
