//! The functions through which a kernel reads and writes its tensors, as WGSL: one text for each way of keeping them.
//!
//! Goes in: an operand, its binding and where it starts there. Comes out: `load_NAME`, `store_NAME` and their kin, as
//! [`Form`] describes them.

use super::shader::{Direction, Element, Form, Operand, Place};
use crate::element::Element as Word;
use crate::encoding::Encoding;

/// The access functions of a weight inside a binding of `vec4<u32>`, from vector `start` on. Only tiles may be binary16
/// there: half a vector cannot be addressed.
pub(super) fn merged_weights(operand: &Operand, slot: usize, half: bool, start: usize) -> String {
    let name = &operand.name;
    let vector = |index: &str| format!("bitcast<vec4<f32>>(b{slot}[{index}])");
    match operand.form {
        Form::Tiles { .. } if half => format!(
            "fn tile_{name}(index: u32) -> mat4x4<f32> {{\n  let p = b{slot}[index * 2u + {start}u];\n  \
             let q = b{slot}[index * 2u + {next}u];\n{HALF_TILE}}}\n",
            next = start + 1
        ),
        Form::Tiles { .. } => format!(
            "fn tile_{name}(index: u32) -> mat4x4<f32> {{\n  let at = index * 4u + {start}u;\n  \
             return mat4x4<f32>({}, {}, {}, {});\n}}\n",
            vector("at"),
            vector("at + 1u"),
            vector("at + 2u"),
            vector("at + 3u")
        ),
        Form::Taps => format!(
            "fn tap_{name}(index: u32) -> vec4<f32> {{ return {}; }}\n",
            vector(&format!("index + {start}u"))
        ),
        Form::Image { .. } | Form::Flat { .. } | Form::Words(_) => format!(
            "fn load_{name}(pixel: u32, block: u32) -> vec4<f32> {{ return {}; }}\n",
            vector(&format!("block + {start}u"))
        ),
    }
}

/// Widens a tile from the vectors `p` and `q` of binary16 pairs.
const HALF_TILE: &str = "  return mat4x4<f32>(
    vec4<f32>(unpack2x16float(p.x), unpack2x16float(p.y)),
    vec4<f32>(unpack2x16float(p.z), unpack2x16float(p.w)),
    vec4<f32>(unpack2x16float(q.x), unpack2x16float(q.y)),
    vec4<f32>(unpack2x16float(q.z), unpack2x16float(q.w)),
  );
";

/// The access functions of one operand over binding `slot`, starting at element `start`.
pub(super) fn functions_of(operand: &Operand, slot: usize, element: Element, start: usize) -> String {
    let name = &operand.name;
    let plus = |offset: usize| {
        if offset == 0 {
            String::new()
        } else {
            format!(" + {offset}u")
        }
    };
    match (operand.form, operand.direction) {
        (Form::Image { channels }, Direction::In) if element == Element::F32x4 => format!(
            "fn load_{name}(pixel: u32, block: u32) -> vec4<f32> {{ return b{slot}[pixel * {blocks}u + block{at}]; }}\n",
            blocks = channels / 4,
            at = plus(start / 4),
        ),
        (Form::Image { channels }, Direction::Out) if element == Element::F32x4 => format!(
            "fn store_{name}(pixel: u32, block: u32, v: vec4<f32>) {{ b{slot}[pixel * {blocks}u + block{at}] = v; }}\n",
            blocks = channels / 4,
            at = plus(start / 4),
        ),
        (Form::Image { channels }, Direction::In) if element == Element::U32 => {
            levels_function(operand, slot, channels, &plus(start))
        }
        // binary16 ends at 65504; a sum beyond that stays there instead of becoming infinite.
        (Form::Image { channels }, Direction::In) if element == Element::U32x2 => format!(
            "fn load_{name}(pixel: u32, block: u32) -> vec4<f32> {{\n  \
             let p = b{slot}[pixel * {blocks}u + block{at}];\n  \
             return vec4<f32>(unpack2x16float(p.x), unpack2x16float(p.y));\n}}\n",
            blocks = channels / 4,
            at = plus(start / 2),
        ),
        (Form::Image { channels }, Direction::Out) if element == Element::U32x2 => format!(
            "fn store_{name}(pixel: u32, block: u32, v: vec4<f32>) {{\n  \
             let h = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));\n  \
             b{slot}[pixel * {blocks}u + block{at}] = vec2<u32>(pack2x16float(h.xy), pack2x16float(h.zw));\n}}\n",
            blocks = channels / 4,
            at = plus(start / 2),
        ),
        (Form::Image { channels }, Direction::In) => format!(
            "fn load_{name}(pixel: u32, block: u32) -> vec4<f32> {{\n  let at = pixel * {channels}u + block * 4u{};\n  \
             var v = vec4<f32>(b{slot}[at], 0.0, 0.0, 0.0);\n{}  return v;\n}}\n",
            plus(start),
            upper_lanes(channels, |lane| format!("v[{lane}u] = b{slot}[at + {lane}u];")),
        ),
        (Form::Image { channels }, Direction::Out) => format!(
            "fn store_{name}(pixel: u32, block: u32, v: vec4<f32>) {{\n  let at = pixel * {channels}u + block * 4u{};\n  \
             b{slot}[at] = v.x;\n{}}}\n",
            plus(start),
            upper_lanes(channels, |lane| format!("b{slot}[at + {lane}u] = v[{lane}u];")),
        ),
        (Form::Flat { lanes: 4 }, Direction::In) if element == Element::F32x4 => {
            format!(
                "fn get_{name}(index: u32) -> vec4<f32> {{ return b{slot}[index{}]; }}\n",
                plus(start / 4)
            )
        }
        (Form::Flat { lanes: 4 }, Direction::Out) if element == Element::F32x4 => {
            format!(
                "fn put_{name}(index: u32, v: vec4<f32>) {{ b{slot}[index{}] = v; }}\n",
                plus(start / 4)
            )
        }
        (Form::Flat { lanes: 4 }, Direction::In) => format!(
            "fn get_{name}(index: u32) -> vec4<f32> {{\n  let at = index * 4u{};\n  \
             return vec4<f32>(b{slot}[at], b{slot}[at + 1u], b{slot}[at + 2u], b{slot}[at + 3u]);\n}}\n",
            plus(start)
        ),
        (Form::Flat { lanes: 4 }, Direction::Out) => format!(
            "fn put_{name}(index: u32, v: vec4<f32>) {{\n  let at = index * 4u{};\n  b{slot}[at] = v.x;\n  \
             b{slot}[at + 1u] = v.y;\n  b{slot}[at + 2u] = v.z;\n  b{slot}[at + 3u] = v.w;\n}}\n",
            plus(start)
        ),
        (Form::Flat { .. }, Direction::In) => {
            format!(
                "fn get_{name}(index: u32) -> f32 {{ return b{slot}[index{}]; }}\n",
                plus(start)
            )
        }
        (Form::Flat { .. }, Direction::Out) => {
            format!(
                "fn put_{name}(index: u32, v: f32) {{ b{slot}[index{}] = v; }}\n",
                plus(start)
            )
        }
        (Form::Words(kind), direction) => {
            let word = match kind {
                Word::I32 => "i32",
                Word::F32 | Word::U32 | Word::Bool => "u32",
            };
            let at = plus(start);
            match direction {
                Direction::In => format!(
                    "fn get_{name}(index: u32) -> {word} {{ return bitcast<{word}>(b{slot}[index{at}]); }}\n"
                ),
                Direction::Out => format!(
                    "fn put_{name}(index: u32, v: {word}) {{ b{slot}[index{at}] = bitcast<u32>(v); }}\n"
                ),
            }
        }
        (Form::Tiles { first }, _) if element == Element::U32x4 => format!(
            "fn tile_{name}(index: u32) -> mat4x4<f32> {{\n  let p = b{slot}[{tile} * 2u];\n  \
             let q = b{slot}[{tile} * 2u + 1u];\n{HALF_TILE}}}\n",
            tile = tile_after(first),
        ),
        (Form::Tiles { first }, _) => format!(
            "fn tile_{name}(index: u32) -> mat4x4<f32> {{\n  let at = {tile} * 4u;\n  \
             return mat4x4<f32>(b{slot}[at], b{slot}[at + 1u], b{slot}[at + 2u], b{slot}[at + 3u]);\n}}\n",
            tile = tile_after(first),
        ),
        (Form::Taps, _) if element == Element::U32x2 => format!(
            "fn tap_{name}(index: u32) -> vec4<f32> {{\n  let p = b{slot}[index];\n  \
             return vec4<f32>(unpack2x16float(p.x), unpack2x16float(p.y));\n}}\n"
        ),
        (Form::Taps, _) => format!("fn tap_{name}(index: u32) -> vec4<f32> {{ return b{slot}[index]; }}\n"),
    }
}

/// Where tile `index` lies in a binding that begins with tile number `first`.
fn tile_after(first: usize) -> String {
    match first {
        0 => "index".to_owned(),
        first => format!("(index - {first}u)"),
    }
}

/// Reads a pixel of a picture of up to four channels; those that it does not have are zero.
fn levels_function(operand: &Operand, slot: usize, channels: usize, plus: &str) -> String {
    let (scale, low) = match operand.place {
        Place::Arena {
            encoding: Encoding::Levels { scale, low },
            ..
        } => (scale, low),
        Place::Arena { .. } | Place::Weights { .. } => (1.0, 0.0),
    };
    let lanes: Vec<String> = (0..4)
        .map(|lane| match lane < channels {
            true => format!("f32((p >> {}u) & 255u) * {scale:?} + {low:?}", 8 * lane),
            false => "0.0".to_owned(),
        })
        .collect();
    format!(
        "fn load_{}(pixel: u32, block: u32) -> vec4<f32> {{\n  let p = b{slot}[pixel{plus}];\n  \
         return vec4<f32>({});\n}}\n",
        operand.name,
        lanes.join(", ")
    )
}

/// One statement for each of the lanes 1 to 3 of a block, guarded where the last block is not full.
fn upper_lanes(channels: usize, statement: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for lane in 1..4 {
        let statement = statement(lane);
        text += &if channels.is_multiple_of(4) {
            format!("  {statement}\n")
        } else {
            format!("  if (block * 4u + {lane}u < {channels}u) {{ {statement} }}\n")
        };
    }
    text
}
