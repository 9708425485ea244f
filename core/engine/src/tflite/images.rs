//! Operators on images, and of weights.

use super::call::{Call, MAX_OPTION};
use super::codes::*;
use crate::error::ModelError;
use crate::graph::{Activation, Bilinear, Conv2d, Op, Padding, Pool2d, Residual, ValueId, element_count};

/// The name under which MediaPipe's files have a transposed convolution.
pub const TRANSPOSED_CONVOLUTION: &str = "Convolution2DTransposeBias";

/// Adds the operator's nodes, where operators on images can do it; says whether they can.
pub fn translate(code: i32, call: &mut Call<'_, '_>) -> Result<bool, ModelError> {
    let x = match code {
        TRANSPOSE_CONV => call.operand(2)?,
        _ => call.operand(0)?,
    };
    match code {
        DEQUANTIZE => call.finish(Op::Dequantize, vec![x]),
        DENSIFY => call.finish(Op::Densify, vec![x]),
        RESHAPE | SQUEEZE | EXPAND_DIMS => {
            if call.constant_i32(x).is_ok() {
                // Shapes that a file computes are known while it is read.
                call.give(0, x)?;
            } else {
                call.finish(Op::Reshape, vec![x]);
            }
        }
        LOGISTIC | RELU | RELU6 | HARD_SWISH if call.is_image(x) => {
            let activation = match code {
                LOGISTIC => Activation::Sigmoid,
                RELU => Activation::Relu,
                RELU6 => Activation::Relu6,
                _ => Activation::HardSwish,
            };
            call.finish(Op::Activation(activation), vec![x]);
        }
        ADD => {
            let b = call.operand(1)?;
            let are_images = call.is_image(x) && call.is_image(b) && call.shape(x) == call.shape(b);
            let Ok(activation) = call.activation(0) else {
                return Ok(false);
            };
            if !are_images {
                return Ok(false);
            }
            let residual = Residual {
                upsample: None,
                inner: Activation::None,
                activation,
            };
            call.finish(Op::Add(residual), vec![x, b]);
        }
        CONV_2D => {
            let stride = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let dilation = [call.count(5, 1, "dilation_h")?, call.count(4, 1, "dilation_w")?];
            convolution(call, stride, dilation, 3, Op::Conv2d)?;
        }
        DEPTHWISE_CONV_2D => {
            let stride = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let dilation = [call.count(6, 1, "dilation_h")?, call.count(5, 1, "dilation_w")?];
            let [.., channels] = call.image_shape(x)?;
            let [.., outputs] = call.image_shape(call.operand(1)?)?;
            if channels != outputs {
                return Err(call.unsupported(format!(
                    "depth multiplier other than 1 ({channels} to {outputs} channels)"
                )));
            }
            convolution(call, stride, dilation, 4, Op::DepthwiseConv2d)?;
        }
        TRANSPOSE_CONV => {
            let stride = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let activation = call.activation(3)?;
            let (weights, bias) = (call.operand(1)?, call.inputs.get(3).copied());
            enlarged(call, x, weights, bias, stride, activation)?;
        }
        CUSTOM if call.custom_name == TRANSPOSED_CONVOLUTION => {
            let stride = stride_of_custom(call)?;
            let (weights, bias) = (call.operand(1)?, call.inputs.get(2).copied());
            enlarged(call, x, weights, bias, stride, Activation::None)?;
        }
        FULLY_CONNECTED => return fully_connected(call, x),
        MAX_POOL_2D => {
            let (window, stride) = pool_window(call)?;
            let padding = call.padding(x, window, stride, [1, 1])?;
            let activation = call.activation(5)?;
            let pool = Pool2d {
                window,
                stride,
                padding,
                activation,
            };
            call.finish(Op::MaxPool2d(pool), vec![x]);
        }
        RESIZE_BILINEAR => {
            let bilinear = Bilinear {
                align_corners: call.flag(2, "align_corners")?,
                half_pixel_centers: call.flag(3, "half_pixel_centers")?,
            };
            if bilinear.align_corners && bilinear.half_pixel_centers {
                return Err(call.invalid("align_corners together with half_pixel_centers"));
            }
            call.finish(Op::ResizeBilinear(bilinear), vec![x]);
        }
        DEPTH_TO_SPACE => {
            let block = call.count(0, 0, "block_size")?;
            call.finish(Op::DepthToSpace { block }, vec![x]);
        }
        PAD if call.is_image(x) => {
            let amounts = paddings(call)?;
            call.finish(Op::Pad(amounts), vec![x]);
        }
        CONCATENATION => {
            let are_images = call.inputs.iter().all(|&id| call.is_image(id));
            if !are_images || call.byte(1, "fused activation")? != 0 {
                return Ok(false);
            }
            let axis = call.axis_of(call.int(0, 0, "axis")?, call.shape(x).len())?;
            call.finish(Op::Concat { axis }, call.inputs.clone());
        }
        AVERAGE_POOL_2D => {
            let (window, stride) = pool_window(call)?;
            let padding = call.padding(x, window, stride, [1, 1])?;
            let is_whole = call.shape(x).get(1..3) == Some(&window[..]) && padding == Padding::default();
            let Ok(activation) = call.activation(5) else {
                return Ok(false);
            };
            return if is_whole {
                global_average(call, x, activation)
            } else {
                Ok(false)
            };
        }
        MEAN => {
            let axes = call.constant_i32(call.operand(1)?);
            let is_whole = matches!(axes, Ok([1 | -3, 2 | -2] | [2 | -2, 1 | -3]));
            return if is_whole {
                global_average(call, x, Activation::None)
            } else {
                Ok(false)
            };
        }
        MUL => {
            let b = call.operand(1)?;
            let (image, scale) = if is_scale_of(call, x, b) { (b, x) } else { (x, b) };
            let Ok(activation) = call.activation(0) else {
                return Ok(false);
            };
            if !is_scale_of(call, scale, image) {
                return Ok(false);
            }
            let shape = call.shape(image).to_vec();
            let scaled = call.image(Op::ScaleChannels, vec![image, scale], shape)?;
            activated(call, scaled, activation)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The mean of all pixels, if it is an image that has some.
fn global_average(call: &mut Call<'_, '_>, x: ValueId, activation: Activation) -> Result<bool, ModelError> {
    let &[1, height, width, channels] = call.shape(x) else {
        return Ok(false);
    };
    if !call.is_image(x) || height * width * channels == 0 {
        return Ok(false);
    }
    let mean = call.image(Op::GlobalAveragePool, vec![x], vec![1, 1, 1, channels])?;
    activated(call, mean, activation)?;
    Ok(true)
}

/// Whether `scale` is a number for each channel of `image`, both brought by the frame.
fn is_scale_of(call: &Call<'_, '_>, scale: ValueId, image: ValueId) -> bool {
    let are_images = call.is_image(scale) && call.is_image(image);
    match (call.shape(scale), call.shape(image)) {
        ([1, 1, 1, numbers], image @ [1, _, _, channels]) => {
            are_images && numbers == channels && element_count(image) > 0
        }
        _ => false,
    }
}

/// Gives the operator's result, after its activation.
fn activated(call: &mut Call<'_, '_>, x: ValueId, activation: Activation) -> Result<(), ModelError> {
    let result = match activation {
        Activation::None => x,
        _ => {
            let shape = call.shape(x).to_vec();
            call.image(Op::Activation(activation), vec![x], shape)?
        }
    };
    call.give(0, result)
}

/// Rows and columns of a pooling window, and between windows.
pub fn pool_window(call: &Call<'_, '_>) -> Result<([usize; 2], [usize; 2]), ModelError> {
    let stride = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
    let window = [
        call.count(4, 1, "filter_height")?,
        call.count(3, 1, "filter_width")?,
    ];
    Ok((window, stride))
}

/// How much comes before and after each axis.
pub fn paddings(call: &Call<'_, '_>) -> Result<Vec<(usize, usize)>, ModelError> {
    let amounts = call.constant_i32(call.operand(1)?)?;
    let pairs = amounts.chunks_exact(2).map(|pair| {
        let amount = |n: i32| usize::try_from(n).ok().filter(|&n| n <= MAX_OPTION);
        Some((amount(pair[0])?, amount(pair[1])?))
    });
    let pairs: Option<Vec<_>> = pairs.collect();
    let pairs = pairs.ok_or_else(|| call.invalid("a padding amount is negative or absurdly large"))?;
    if amounts.len() != 2 * call.shape(call.operand(0)?).len() {
        return Err(call.invalid("the paddings do not match the rank of the input"));
    }
    Ok(pairs)
}

fn convolution(
    call: &mut Call<'_, '_>,
    stride: [usize; 2],
    dilation: [usize; 2],
    activation_field: usize,
    op: fn(Conv2d) -> Op,
) -> Result<(), ModelError> {
    let (x, weights) = (call.operand(0)?, call.operand(1)?);
    let [outputs, kernel_h, kernel_w, channels] = call.image_shape(weights)?;
    if kernel_h > MAX_OPTION || kernel_w > MAX_OPTION {
        return Err(call.invalid(format!("a kernel of {kernel_h} x {kernel_w}")));
    }
    let padding = call.padding(x, [kernel_h, kernel_w], stride, dilation)?;
    let op = op(Conv2d {
        stride,
        dilation,
        padding,
        activation: call.activation(activation_field)?,
        residual: None,
    });
    let len = match op {
        Op::DepthwiseConv2d(_) => channels,
        _ => outputs,
    };
    let bias = bias(call, call.inputs.get(2).copied(), len);
    call.finish(op, vec![x, weights, bias]);
    Ok(())
}

/// The bias, zeros where there is none.
fn bias(call: &mut Call<'_, '_>, bias: Option<ValueId>, len: usize) -> ValueId {
    bias.unwrap_or_else(|| call.floats("zero bias", vec![len], vec![0.0; len]))
}

/// A 1x1 convolution.
fn pointwise(activation: Activation) -> Op {
    Op::Conv2d(Conv2d {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::default(),
        activation,
        residual: None,
    })
}

/// Known weights of every output for every input are a 1x1 convolution, of which the rows of numbers are the pixels.
fn fully_connected(call: &mut Call<'_, '_>, x: ValueId) -> Result<bool, ModelError> {
    let weights = call.operand(1)?;
    let &[outputs, channels] = call.shape(weights) else {
        return Err(call.invalid(format!("weights of shape {:?}", call.shape(weights))));
    };
    if call.byte(1, "weights_format")? != 0 {
        return Err(call.unsupported("shuffled weights"));
    }
    let count = element_count(call.shape(x));
    if !count.is_multiple_of(channels) {
        let message = format!("weights for {channels} numbers on {:?}", call.shape(x));
        return Err(call.invalid(message));
    }
    let Ok(activation) = call.activation(0) else {
        return Ok(false);
    };
    if !call.is_known(weights) || call.is_known(x) {
        return Ok(false);
    }
    let bias = bias(call, call.inputs.get(2).copied(), outputs);
    let pixels = count / channels;
    let x = call.reshaped(x, &[1, 1, pixels, channels])?;
    let weights = call.reshaped(weights, &[outputs, 1, 1, channels])?;
    let result = call.image(
        pointwise(activation),
        vec![x, weights, bias],
        vec![1, 1, pixels, outputs],
    )?;
    call.give(0, result)?;
    Ok(true)
}

/// Rows and columns between windows, from the options of [`TRANSPOSED_CONVOLUTION`]: three little-endian words, the
/// padding (1 is SAME, 2 VALID), then columns, then rows.
fn stride_of_custom(call: &Call<'_, '_>) -> Result<[usize; 2], ModelError> {
    let (words, rest) = call.custom_options.as_chunks::<4>();
    let (&[padding, columns, rows], []) = (words, rest) else {
        let message = format!("{} bytes of options; 12 are expected", call.custom_options.len());
        return Err(call.invalid(message));
    };
    let [padding, columns, rows] = [padding, columns, rows].map(u32::from_le_bytes);
    let is_stride = |stride: u32| (1..=MAX_OPTION as u32).contains(&stride);
    if !(1..=2).contains(&padding) || !is_stride(columns) || !is_stride(rows) {
        return Err(call.invalid(format!("padding {padding}, strides {rows} and {columns}")));
    }
    Ok([rows as usize, columns as usize])
}

/// A transposed convolution whose windows do not overlap: each pixel becomes a block of pixels, which a 1x1 convolution
/// computes as channels. Neither padding is one then.
fn enlarged(
    call: &mut Call<'_, '_>,
    x: ValueId,
    weights: ValueId,
    own_bias: Option<ValueId>,
    stride: [usize; 2],
    activation: Activation,
) -> Result<(), ModelError> {
    let [outputs, rows, columns, channels] = call.image_shape(weights)?;
    let [_, height, width, _] = call.image_shape(x)?;
    if [rows, columns] != stride || rows != columns {
        return Err(call.unsupported(format!(
            "a transposed convolution with a window of {rows} x {columns} and strides of {stride:?}; only square \
             windows that do not overlap are handled"
        )));
    }
    let missing = || "its weights are not constant f32 or f16 tensors";
    // Depth to space takes channels in the order of rows, columns, outputs.
    let (own, taps) = (
        call.weights(weights).ok_or_else(|| call.unsupported(missing()))?,
        rows * columns,
    );
    let mut by_tap = Vec::with_capacity(own.len());
    for tap in 0..taps {
        for output in 0..outputs {
            by_tap.extend_from_slice(&own[(output * taps + tap) * channels..][..channels]);
        }
    }
    let biases = match own_bias {
        Some(id) => call
            .weights(id)
            .ok_or_else(|| call.unsupported(missing()))?
            .into_owned(),
        None => vec![0.0; outputs],
    };
    if biases.len() != outputs {
        return Err(call.invalid(format!("a bias of {} for {outputs} channels", biases.len())));
    }
    let weights = call.floats("weights", vec![taps * outputs, 1, 1, channels], by_tap);
    let bias = call.floats("bias", vec![taps * outputs], biases.repeat(taps));
    let blocks = call.image(
        pointwise(activation),
        vec![x, weights, bias],
        vec![1, height, width, taps * outputs],
    )?;
    call.finish(Op::DepthToSpace { block: rows }, vec![blocks]);
    Ok(())
}
