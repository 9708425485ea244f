//! An output that the plan leaves to its reader, as a shader around the recording goes on with it: one channel of one
//! pixel, when it is asked for.

use super::pack;
use super::record::Recorder;
use super::recording::{ARENA, Binding, Port};
use super::shader::Place;
use crate::deferral::Deferred;
use crate::encoding::Encoding;
use crate::error::ModelError;
use crate::graph::Constant;

/// Where the pixels and the weights of a deferred output lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredPort {
    /// Name of the output in the model file.
    pub name: String,
    /// Its shape, `[1, height, width, channels]`.
    pub shape: Vec<usize>,
    /// What it is computed from; in words of the arena.
    pub source: Port,
    /// A range of the weights, for a binding: the bias as f32, then a row of weights for each channel.
    pub weights: Binding,
    has_half_source: bool,
    /// Blocks of four channels of the source.
    blocks: usize,
    /// Where the rows begin in the range, in words.
    rows_at: usize,
    has_half_rows: bool,
}

impl DeferredPort {
    /// Stores the weights where the reader finds them.
    pub(super) fn of(
        recorder: &mut Recorder<'_>,
        deferred: &Deferred,
        source: Port,
    ) -> Result<Self, ModelError> {
        let graph = &recorder.plan.graph;
        let has_half_source = recorder.plan.encodings[deferred.source.index()] == Encoding::Half;
        let channels = graph.shape(deferred.source).last().copied().unwrap_or(0);
        if !channels.is_multiple_of(4) {
            let message = format!("is deferred and reads {channels} channels, which are no whole vectors");
            return Err(ModelError::unsupported(&deferred.name, message));
        }
        let constant = |id| {
            let data = graph.value(id).constant.as_ref().and_then(Constant::to_f32);
            data.ok_or_else(|| ModelError::unsupported(&deferred.name, "its weights are no f32 constant"))
        };
        let rows = pack::pack(&constant(deferred.weights)?);
        let mut packed = pack::pack_f32(&pack::padded_rows(&constant(deferred.bias)?, 4));
        let rows_at = packed.bytes.len() / 4;
        packed.bytes.extend_from_slice(&rows.bytes);
        let Place::Weights { buffer, bytes, .. } = recorder.store(packed) else {
            unreachable!("constants are stored among the weights")
        };
        Ok(Self {
            name: deferred.name.clone(),
            shape: deferred.shape.clone(),
            source,
            weights: Binding {
                buffer,
                offset: bytes.start as u64,
                bytes: bytes.len() as u64,
            },
            has_half_source,
            blocks: channels / 4,
            rows_at,
            has_half_rows: rows.half,
        })
    }

    /// Defines `NAME(pixel: u32, channel: u32) -> f32` over two bindings of `array<u32>`: the whole arena, and
    /// [`DeferredPort::weights`].
    pub fn wgsl(&self, name: &str, arena: &str, weights: &str) -> String {
        debug_assert_eq!(self.source.buffer, ARENA, "tensors live in the arena");
        let blocks = self.blocks;
        let source = Words {
            buffer: arena,
            start: self.source.offset as usize / 4,
            is_half: self.has_half_source,
        };
        let rows = Words {
            buffer: weights,
            start: self.rows_at,
            is_half: self.has_half_rows,
        };
        format!(
            "fn {name}(pixel: u32, channel: u32) -> f32 {{\n  \
             var sum = bitcast<f32>({weights}[channel]);\n  \
             for (var block = 0u; block < {blocks}u; block++) {{\n    \
             let p = pixel * {blocks}u + block;\n    let w = channel * {blocks}u + block;\n    \
             sum += dot({}, {});\n  }}\n  return sum;\n}}\n",
            source.vector("p"),
            rows.vector("w"),
        )
    }
}

/// Four elements at a time out of an `array<u32>`.
struct Words<'a> {
    buffer: &'a str,
    start: usize,
    is_half: bool,
}

impl Words<'_> {
    /// Vector number `index`.
    fn vector(&self, index: &str) -> String {
        let Self { buffer, start, .. } = *self;
        if self.is_half {
            return format!(
                "vec4<f32>(unpack2x16float({buffer}[{index} * 2u + {start}u]), \
                 unpack2x16float({buffer}[{index} * 2u + {}u]))",
                start + 1
            );
        }
        let lanes: Vec<String> = (start..start + 4)
            .map(|at| format!("{buffer}[{index} * 4u + {at}u]"))
            .collect();
        format!("bitcast<vec4<f32>>(vec4<u32>({}))", lanes.join(", "))
    }
}
