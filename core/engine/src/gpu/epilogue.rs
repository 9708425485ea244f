//! What happens to a sum before it is stored: activation, residual, activation. And bilinear sampling, which
//! the residual and the resize operator share.
//!
//! Fusing these into the kernel that computes the sum saves a dispatch and a round trip through memory each;
//! a residual of lower resolution is sampled on the fly, so that the enlarged tensor is never written.
//! Conventions of sampling: TensorFlow Lite's `ResizeBilinear` (see [`Bilinear`]).

use crate::graph::{Activation, Bilinear, Residual};

/// Height and width of an image.
pub(super) type Extent = [usize; 2];

/// A WGSL expression that applies the activation to the `vec4` expression `v`.
pub(super) fn activate(activation: Activation, v: &str) -> String {
    match activation {
        Activation::None => v.to_string(),
        Activation::Relu => format!("max({v}, vec4<f32>(0.0))"),
        Activation::Relu6 => format!("clamp({v}, vec4<f32>(0.0), vec4<f32>(6.0))"),
        // exp(80) still fits an f32; shader compilers may assume that nothing overflows.
        Activation::Sigmoid => {
            format!("vec4<f32>(1.0) / (vec4<f32>(1.0) + exp(-clamp({v}, vec4<f32>(-80.0), vec4<f32>(80.0))))")
        }
        Activation::HardSwish => {
            format!("{v} * (clamp({v} + vec4<f32>(3.0), vec4<f32>(0.0), vec4<f32>(6.0)) * (1.0 / 6.0))")
        }
        Activation::Swish => {
            format!("{v} / (vec4<f32>(1.0) + exp(-clamp({v}, vec4<f32>(-80.0), vec4<f32>(80.0))))")
        }
    }
}

/// Defines `finish(v, pixel, block) -> vec4<f32>` for results of extent `out`. A residual of extent
/// `residual.1` is read through the operand `r`.
pub(super) fn finish(activation: Activation, residual: Option<(Residual, Extent)>, out: Extent) -> String {
    let first = activate(activation, "v");
    let Some((residual, from)) = residual else {
        return format!(
            "fn finish(v: vec4<f32>, pixel: u32, block: u32) -> vec4<f32> {{ return {first}; }}\n"
        );
    };
    let (sampler, second) = match residual.upsample {
        None => (String::new(), "load_r(pixel, block)".to_string()),
        Some(bilinear) => {
            let width = out[1];
            (
                sample("r", bilinear, from, out),
                format!("sample_r(pixel / {width}u, pixel % {width}u, block)"),
            )
        }
    };
    let second = activate(residual.inner, &second);
    let sum = activate(residual.activation, &format!("({first} + {second})"));
    format!("{sampler}fn finish(v: vec4<f32>, pixel: u32, block: u32) -> vec4<f32> {{ return {sum}; }}\n")
}

/// Defines `sample_NAME(y, x, block) -> vec4<f32>`: the operand of extent `from` as if it had extent `to`.
pub(super) fn sample(name: &str, bilinear: Bilinear, from: Extent, to: Extent) -> String {
    let [source_y, source_x] = [0, 1].map(|axis| source(bilinear, from[axis], to[axis], ["y", "x"][axis]));
    let [height, width] = from;
    format!(
        "fn sample_{name}(y: u32, x: u32, block: u32) -> vec4<f32> {{\n  \
         let fy = {source_y};\n  let fx = {source_x};\n  \
         let y0 = u32(fy);\n  let x0 = u32(fx);\n  \
         let upper = y0 * {width}u;\n  let lower = min(y0 + 1u, {last_y}u) * {width}u;\n  \
         let x1 = min(x0 + 1u, {last_x}u);\n  \
         let wx = fx - f32(x0);\n  \
         return mix(\n    mix(load_{name}(upper + x0, block), load_{name}(upper + x1, block), wx),\n    \
         mix(load_{name}(lower + x0, block), load_{name}(lower + x1, block), wx),\n    fy - f32(y0),\n  );\n}}\n",
        last_y = height - 1,
        last_x = width - 1,
    )
}

/// The coordinate along one axis of the source, clamped to it, as a WGSL expression of an output coordinate.
fn source(bilinear: Bilinear, from: usize, to: usize, axis: &str) -> String {
    let last = (from - 1) as f32;
    if bilinear.align_corners && to > 1 {
        return format!("min(f32({axis}) * {:?}, {last:?})", last / (to - 1) as f32);
    }
    let scale = from as f32 / to as f32;
    if bilinear.half_pixel_centers {
        format!("clamp((f32({axis}) + 0.5) * {scale:?} - 0.5, 0.0, {last:?})")
    } else {
        format!("min(f32({axis}) * {scale:?}, {last:?})")
    }
}
