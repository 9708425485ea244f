//! A recording: everything that a GPU needs for one model, as plain data. Nothing here knows wgpu or a
//! browser.
//!
//! A replayer creates the buffers, the pipelines and the bind groups once. A frame is then: write the inputs,
//! issue the dispatches in order inside one compute pass, copy the outputs to a read-back buffer. Everything that
//! depends on a shape is a constant in the shader text, so a model's frame needs no uniforms.
//!
//! [`record`](super::record) writes down a model. Because the result is data, whoever knows what the tensors mean can
//! put work around it: shaders that fill the model's input from a picture, shaders that read its outputs, buffers
//! that keep state from frame to frame. A picture is the one thing that a recording does not own: the replayer is
//! given one with each frame, and binds it where a shader asks for [`Access::Texture`] or
//! [`Access::ExternalTexture`].
//!
//! The limits are the defaults that every WebGPU implementation guarantees (WebGPU, W3C, section 3.6.2).

use super::deferred::DeferredPort;

/// Largest range that one storage binding may cover, in bytes.
pub const MAX_BINDING_BYTES: u64 = 128 << 20;
/// Largest buffer, in bytes.
pub const MAX_BUFFER_BYTES: u64 = 256 << 20;
/// How large weights may be before they are divided, in bytes. The tensors of a frame are never divided: they keep what
/// every adapter guarantees, or the model is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightLimits {
    /// What one binding covers.
    pub binding_bytes: u64,
    /// What one buffer holds, a multiple of [`BINDING_ALIGNMENT`].
    pub buffer_bytes: u64,
}

impl WeightLimits {
    /// What every WebGPU adapter guarantees.
    pub const GUARANTEED: Self = Self {
        binding_bytes: MAX_BINDING_BYTES,
        buffer_bytes: MAX_BUFFER_BYTES,
    };
}

/// Storage buffers that one shader may name.
pub const MAX_BINDINGS: usize = 8;
/// Columns and rows of a texture.
pub const MAX_TEXTURE_SIDE_PX: usize = 8192;
/// Workgroups along one axis of a dispatch.
pub const MAX_WORKGROUPS: u32 = 65_535;
/// Alignment of the offset of a storage binding, in bytes.
pub const BINDING_ALIGNMENT: u64 = 256;

/// Position of the arena in [`Recording::buffers`].
pub const ARENA: usize = 0;
/// Position of the first buffer of weights in [`Recording::buffers`]; models larger than a buffer have more behind it.
pub const WEIGHTS: usize = 1;

/// How a shader sees what is bound. WebGPU forbids one buffer to be both read-only and writable within one
/// dispatch, so the arena is always read-write and the weights are always read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    ReadWrite,
    /// `texture_2d<f32>`: the frame's picture, 8 bits a channel, red first.
    Texture,
    /// `texture_external`: the frame's picture as the browser's decoder left it.
    ExternalTexture,
}

impl Access {
    /// True for a range of a buffer, false for the frame's picture.
    pub fn is_buffer(self) -> bool {
        match self {
            Access::Read | Access::ReadWrite => true,
            Access::Texture | Access::ExternalTexture => false,
        }
    }

    /// As [`Recording::layout_words`] states it.
    fn word(self) -> u32 {
        match self {
            Access::Read => 0,
            Access::ReadWrite => 1,
            Access::Texture => 2,
            Access::ExternalTexture => 3,
        }
    }
}

/// One WGSL module with an entry point named `main`. Nodes of equal shape share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shader {
    /// Family and shapes, for profilers and messages.
    pub label: String,
    /// The WGSL text.
    pub text: String,
    /// Access of the bindings 0, 1, 2.. of group 0.
    pub bindings: Vec<Access>,
}

/// A storage buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// For profilers and messages.
    pub label: &'static str,
    /// Size in bytes, a multiple of [`BINDING_ALIGNMENT`].
    pub bytes: u64,
    /// What it holds before the first frame, from its start; empty means zeros.
    pub contents: Vec<u8>,
}

/// A range of a buffer, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// Index into [`Recording::buffers`].
    pub buffer: usize,
    /// A multiple of [`BINDING_ALIGNMENT`].
    pub offset: u64,
    /// Length, exactly what the shader declares.
    pub bytes: u64,
}

/// The ranges that one dispatch works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindGroup {
    /// The shader whose layout it follows.
    pub shader: usize,
    /// Bindings 0, 1, 2.. of the shader, those of a picture left out.
    pub bindings: Vec<Binding>,
}

/// One kernel launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The node of the model that it computes.
    pub label: String,
    /// Index into [`Recording::shaders`].
    pub shader: usize,
    /// Index into [`Recording::bind_groups`].
    pub bind_group: usize,
    /// Workgroups along x, y and z.
    pub workgroups: [u32; 3],
}

/// Numbers that cross the border between caller and GPU: a tensor, or a block of words whose meaning caller and
/// shader share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the model file.
    pub name: String,
    /// Shape of the tensor, outermost axis first.
    pub shape: Vec<usize>,
    /// Index into [`Recording::buffers`]: [`ARENA`] for the tensors of a model, one of the weights for an output that is
    /// a constant.
    pub buffer: usize,
    /// Where it starts in that buffer, in bytes.
    pub offset: u64,
    /// Where it starts in the read-back buffer, in bytes; inputs have 0.
    pub read_back_offset: u64,
    /// Number of words of 32 bits: elements, unless the plan keeps the tensor in another encoding.
    pub len: usize,
}

/// A model, ready for any replayer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Distinct WGSL modules.
    pub shaders: Vec<Shader>,
    /// [`ARENA`], the weights from [`WEIGHTS`] on, then what was put around the model.
    pub buffers: Vec<Buffer>,
    /// One for each dispatch, unless two dispatches work on the same ranges.
    pub bind_groups: Vec<BindGroup>,
    /// In execution order.
    pub dispatches: Vec<Dispatch>,
    /// What the caller writes before the dispatches.
    pub inputs: Vec<Port>,
    /// What the caller reads after them.
    pub outputs: Vec<Port>,
    /// What whoever reads the outputs on the GPU computes itself.
    pub deferred: Vec<DeferredPort>,
    /// Size of a read-back buffer in bytes.
    pub read_back_bytes: u64,
}

/// The same data as flat words, for a replayer on the other side of a language border: each table crosses in
/// one typed array, and nothing is serialised.
impl Recording {
    /// Per shader: number of bindings, then four bits for each, the lowest for binding 0: 0 for [`Access::Read`], 1
    /// for [`Access::ReadWrite`], 2 for [`Access::Texture`], 3 for [`Access::ExternalTexture`].
    pub fn layout_words(&self) -> Vec<u32> {
        self.shaders
            .iter()
            .flat_map(|shader| {
                let kinds = shader.bindings.iter().enumerate();
                let word = kinds.fold(0, |word, (i, access)| word | access.word() << (4 * i));
                [shader.bindings.len() as u32, word]
            })
            .collect()
    }

    /// Per bind group: shader, number of ranges, then (buffer, offset, bytes) for each binding.
    pub fn bind_group_words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        for group in &self.bind_groups {
            words.extend([group.shader as u32, group.bindings.len() as u32]);
            for binding in &group.bindings {
                words.extend([binding.buffer as u32, binding.offset as u32, binding.bytes as u32]);
            }
        }
        words
    }

    /// Per dispatch: shader, bind group, workgroups along x, y and z.
    pub fn commands(&self) -> Vec<u32> {
        self.dispatches
            .iter()
            .flat_map(|dispatch| {
                let [x, y, z] = dispatch.workgroups;
                [dispatch.shader as u32, dispatch.bind_group as u32, x, y, z]
            })
            .collect()
    }

    /// Per input: buffer, offset in it in bytes, number of elements.
    pub fn input_words(&self) -> Vec<u32> {
        self.inputs
            .iter()
            .flat_map(|port| [port.buffer as u32, port.offset as u32, port.len as u32])
            .collect()
    }

    /// Per output: buffer, offset in it in bytes, offset in the read-back buffer in bytes, number of elements.
    pub fn output_words(&self) -> Vec<u32> {
        self.outputs
            .iter()
            .flat_map(|port| {
                [
                    port.buffer as u32,
                    port.offset as u32,
                    port.read_back_offset as u32,
                    port.len as u32,
                ]
            })
            .collect()
    }
}
