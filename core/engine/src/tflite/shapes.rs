//! Elements at other places: parts, orders, repetitions and borders of tensors, and tensors joined.

use super::call::Call;
use super::codes::*;
use super::images::paddings;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Constant, Shape, ValueId, bounded_element_count, element_count};
use crate::ops::{Border, Concat, Gather, Names, Pad, TensorOp, View};

/// Adds the operator's nodes, where it is of this kind; says whether it is.
pub fn translate(code: i32, call: &mut Call<'_, '_>) -> Result<bool, ModelError> {
    let is_of_this_kind = matches!(
        code,
        TRANSPOSE
            | SLICE
            | STRIDED_SLICE
            | SPLIT
            | SPLIT_V
            | UNPACK
            | PACK
            | CONCATENATION
            | GATHER
            | TILE
            | SPACE_TO_DEPTH
            | PAD
            | PADV2
            | MIRROR_PAD
            | RESIZE_NEAREST_NEIGHBOR
            | SHAPE
    );
    if !is_of_this_kind {
        return Ok(false);
    }
    let x = call.operand(0)?;
    match code {
        SPLIT | SPLIT_V | UNPACK => {
            split(code, call)?;
            return Ok(true);
        }
        _ => {}
    }
    let result = match code {
        TRANSPOSE => transposed(call, x)?,
        SLICE => {
            let (begin, size) = (operand_list(call, 1)?, operand_list(call, 2)?);
            slice(call, x, &begin, &size)?
        }
        STRIDED_SLICE => strided_slice(call, x)?,
        PACK => {
            let axis = call.int(1, 0, "axis")?;
            let axis = call.axis_of(axis, call.shape(x).len() + 1)?;
            let mut parts = Vec::with_capacity(call.inputs.len());
            for part in call.inputs.clone() {
                let mut shape = call.shape(part).to_vec();
                if axis > shape.len() {
                    return Err(call.invalid("its operands have different shapes"));
                }
                shape.insert(axis, 1);
                parts.push(call.reshaped(part, &shape)?);
            }
            call.tensor(TensorOp::Concat(Concat { axis }), parts)?
        }
        CONCATENATION => {
            let axis = call.axis_of(call.int(0, 0, "axis")?, call.shape(x).len())?;
            let parts = call.inputs.clone();
            let joined = call.tensor(TensorOp::Concat(Concat { axis }), parts)?;
            call.activated(joined, 1)?
        }
        GATHER => {
            if call.int(1, 0, "batch_dims")? != 0 {
                return Err(call.unsupported("batch_dims"));
            }
            let axis = call.axis_of(call.int(0, 0, "axis")?, call.shape(x).len())?;
            let names = Names::Slices;
            let operands = vec![x, call.operand(1)?];
            call.tensor(TensorOp::Gather(Gather { axis, names }), operands)?
        }
        TILE => tiled(call, x)?,
        SPACE_TO_DEPTH => {
            let block = call.count(0, 0, "block_size")?;
            let [batch, height, width, channels] = call.image_shape(x)?;
            if height % block != 0 || width % block != 0 {
                return Err(call.invalid(format!("blocks of {block} on {height} x {width}")));
            }
            let row = (width * channels) as isize;
            let (block_step, channels_step) = (block as isize, channels as isize);
            let view = View {
                shape: vec![batch, height / block, width / block, block, block, channels],
                offset: 0,
                strides: vec![
                    height as isize * row,
                    block_step * row,
                    block_step * channels_step,
                    row,
                    channels_step,
                    1,
                ],
            };
            call.tensor(TensorOp::View(view), vec![x])?
        }
        PAD | PADV2 => {
            let amounts = paddings(call)?;
            let value = match code {
                PADV2 => call.operand(2)?,
                _ => zero(call, x),
            };
            let border = Border::Value;
            call.tensor(TensorOp::Pad(Pad { border, amounts }), vec![x, value])?
        }
        MIRROR_PAD => {
            if call.byte(0, "mode")? != 0 {
                return Err(call.unsupported("the mode SYMMETRIC"));
            }
            let (amounts, border) = (paddings(call)?, Border::Reflect);
            call.tensor(TensorOp::Pad(Pad { border, amounts }), vec![x])?
        }
        RESIZE_NEAREST_NEIGHBOR => nearest(call, x)?,
        _ => {
            let sizes: Vec<i32> = call.shape(x).iter().map(|&size| size as i32).collect();
            let shape = vec![sizes.len()];
            let origin = call.origin;
            call.graph
                .add_value(origin, shape, Some(Constant::I32(sizes.into())))
        }
    };
    call.give(0, result)?;
    Ok(true)
}

/// A constant operand of integers.
fn operand_list(call: &Call<'_, '_>, index: usize) -> Result<Vec<i32>, ModelError> {
    Ok(call.constant_i32(call.operand(index)?)?.to_vec())
}

fn zero(call: &mut Call<'_, '_>, like: ValueId) -> ValueId {
    match call.graph.value(like).element {
        Element::F32 => call.floats("zero", vec![], vec![0.0]),
        _ => {
            let zero = Constant::I32([0].into());
            call.graph.add_value("zero", vec![], Some(zero))
        }
    }
}

/// How far neighbours along each axis of a shape are apart.
fn strides_of(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

fn transposed(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, ModelError> {
    let shape = call.shape(x).to_vec();
    let order = operand_list(call, 1)?;
    let axes: Option<Vec<usize>> = order
        .iter()
        .map(|&axis| call.axis_of(axis, shape.len()).ok())
        .collect();
    let axes = axes.filter(|axes| {
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        sorted.into_iter().eq(0..shape.len())
    });
    let axes = axes.ok_or_else(|| call.invalid(format!("{order:?} does not order the axes of {shape:?}")))?;
    let strides = strides_of(&shape);
    let view = View {
        shape: axes.iter().map(|&axis| shape[axis]).collect(),
        offset: 0,
        strides: axes.iter().map(|&axis| strides[axis]).collect(),
    };
    call.tensor(TensorOp::View(view), vec![x])
}

/// A part of an axis: where it begins, how many elements it has, and how far these are apart.
type Part = (usize, usize, isize);

fn view_of(call: &mut Call<'_, '_>, x: ValueId, parts: &[Part]) -> Result<ValueId, ModelError> {
    let strides = strides_of(call.shape(x));
    let offset = parts.iter().zip(&strides);
    let offset = offset.map(|(part, &stride)| part.0 * stride.unsigned_abs()).sum();
    let view = View {
        shape: parts.iter().map(|part| part.1).collect(),
        offset,
        strides: parts
            .iter()
            .zip(strides)
            .map(|(part, stride)| part.2 * stride)
            .collect(),
    };
    call.tensor(TensorOp::View(view), vec![x])
}

fn slice(call: &mut Call<'_, '_>, x: ValueId, begin: &[i32], size: &[i32]) -> Result<ValueId, ModelError> {
    let shape = call.shape(x);
    let refused = || call.invalid(format!("begin {begin:?} and size {size:?} of {shape:?}"));
    if begin.len() != shape.len() || size.len() != shape.len() {
        return Err(refused());
    }
    let mut parts = Vec::with_capacity(shape.len());
    for ((&begin, &size), &whole) in begin.iter().zip(size).zip(shape) {
        let begin = usize::try_from(begin).map_err(|_| refused())?;
        let room = whole.checked_sub(begin).ok_or_else(refused)?;
        let size = match size {
            -1 => room,
            size => usize::try_from(size).map_err(|_| refused())?,
        };
        if size == 0 || size > room {
            return Err(refused());
        }
        parts.push((begin, size, 1));
    }
    view_of(call, x, &parts)
}

/// Python's slices: masks say which ends are those of the axis, and which axes are single places.
fn strided_slice(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, ModelError> {
    let shape = call.shape(x).to_vec();
    let [begin, end, step] = [1, 2, 3].map(|index| operand_list(call, index));
    let (begin, end, step) = (begin?, end?, step?);
    let mask = |number: usize, what: &'static str| call.int(number, 0, what);
    let [begin_mask, end_mask, ellipsis, new_axes, shrink] = [
        mask(0, "begin_mask")?,
        mask(1, "end_mask")?,
        mask(2, "ellipsis_mask")?,
        mask(3, "new_axis_mask")?,
        mask(4, "shrink_axis_mask")?,
    ];
    if ellipsis != 0 || new_axes != 0 || call.flag(5, "offset")? {
        return Err(call.unsupported("an ellipsis, new axes or ends as offsets"));
    }
    let count = begin.len();
    if end.len() != count || step.len() != count || count > shape.len() {
        return Err(call.invalid(format!("{count} parts of {shape:?}")));
    }
    let is_in = |mask: i32, axis: usize| axis < 32 && mask >> axis & 1 == 1;
    let mut parts: Vec<Part> = Vec::with_capacity(shape.len());
    for (axis, &size) in shape.iter().enumerate() {
        if axis >= count {
            parts.push((0, size, 1));
            continue;
        }
        let (size, step) = (size as i64, i64::from(step[axis]));
        let refused = || call.invalid(format!("axis {axis}: part {begin:?} to {end:?} by {step:?}"));
        let from_front = |place: i32| match i64::from(place) {
            place if place < 0 => place + size,
            place => place,
        };
        if is_in(shrink, axis) {
            let place = usize::try_from(from_front(begin[axis])).map_err(|_| refused())?;
            if place >= shape[axis] {
                return Err(refused());
            }
            parts.push((place, 1, 1));
            continue;
        }
        // Backwards, the place before the first element is an end.
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let first = match is_in(begin_mask, axis) {
            true if step > 0 => low,
            true => high,
            false => from_front(begin[axis]).clamp(low, high),
        };
        let last = match is_in(end_mask, axis) {
            true if step > 0 => high,
            true => low,
            false => from_front(end[axis]).clamp(low, high),
        };
        let reach = if step > 0 { last - first } else { first - last };
        if step == 0 || reach <= 0 {
            return Err(refused());
        }
        let count = (reach as u64).div_ceil(step.unsigned_abs()) as usize;
        parts.push((first as usize, count, step as isize));
    }
    // The axes of single places are none of the file's result, whose shape holds.
    view_of(call, x, &parts)
}

/// One value for each result, side by side along an axis.
fn split(code: i32, call: &mut Call<'_, '_>) -> Result<(), ModelError> {
    let (x, axis) = match code {
        SPLIT => (call.operand(1)?, operand_list(call, 0)?),
        SPLIT_V => (call.operand(0)?, operand_list(call, 2)?),
        _ => (call.operand(0)?, vec![call.int(1, 0, "axis")?]),
    };
    let shape = call.shape(x).to_vec();
    let &[axis] = &*axis else {
        return Err(call.invalid("its axis is not one number"));
    };
    let axis = call.axis_of(axis, shape.len())?;
    let count = call.outputs.len();
    let mut start = 0;
    for index in 0..count {
        let size = match code {
            UNPACK => 1,
            SPLIT => shape[axis] / count,
            // The file says the sizes a second time, and there none is left open.
            _ => call.shape(call.outputs[index]).get(axis).copied().unwrap_or(0),
        };
        if size == 0 || start + size > shape[axis] {
            return Err(call.invalid(format!("{count} parts of {shape:?} along axis {axis}")));
        }
        let mut parts: Vec<Part> = shape.iter().map(|&size| (0, size, 1)).collect();
        parts[axis] = (start, size, 1);
        let part = view_of(call, x, &parts)?;
        call.give(index, part)?;
        start += size;
    }
    if start == shape[axis] {
        Ok(())
    } else {
        Err(call.invalid(format!("{count} parts of {shape:?} along axis {axis}")))
    }
}

fn tiled(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, ModelError> {
    let (shape, repeats) = (call.shape(x).to_vec(), operand_list(call, 1)?);
    let counts: Option<Vec<usize>> = repeats.iter().map(|&n| usize::try_from(n).ok()).collect();
    let counts = counts.filter(|counts| counts.len() == shape.len() && !counts.contains(&0));
    let counts = counts.ok_or_else(|| call.invalid(format!("{repeats:?} repeats of {shape:?}")))?;
    // An axis that is repeated is two: which repetition, and where in it.
    let (mut sizes, mut steps) = (Shape::new(), Vec::new());
    for ((count, size), stride) in counts.into_iter().zip(&shape).zip(strides_of(&shape)) {
        sizes.extend([count, *size]);
        steps.extend([0, stride]);
    }
    let view = View {
        shape: sizes,
        offset: 0,
        strides: steps,
    };
    call.tensor(TensorOp::View(view), vec![x])
}

/// Each pixel takes the one of the other size that is nearest to it, by TFLite's own rounding.
fn nearest(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, ModelError> {
    let align_corners = call.flag(0, "align_corners")?;
    let half_pixel_centers = call.flag(1, "half_pixel_centers")?;
    let [batch, height, width, channels] = call.image_shape(x)?;
    let [to_batch, to_height, to_width, to_channels] = call.image_shape(call.outputs[0])?;
    if [to_batch, to_channels] != [batch, channels] {
        let to = call.shape(call.outputs[0]);
        return Err(call.invalid(format!("a resize cannot turn {:?} into {to:?}", call.shape(x))));
    }
    let plain = !align_corners && !half_pixel_centers;
    if plain && to_height % height == 0 && to_width % width == 0 {
        // Each pixel becomes a block of itself.
        let [rows, columns] = [to_height / height, to_width / width];
        let row = (width * channels) as isize;
        let view = View {
            shape: vec![batch, height, rows, width, columns, channels],
            offset: 0,
            strides: vec![height as isize * row, row, 0, channels as isize, 0, 1],
        };
        return call.tensor(TensorOp::View(view), vec![x]);
    }
    let source = |place: usize, from: usize, to: usize| {
        let scale = if align_corners && to > 1 {
            (from - 1) as f32 / (to - 1) as f32
        } else {
            from as f32 / to as f32
        };
        let offset = if half_pixel_centers { 0.5 } else { 0.0 };
        let place = (place as f32 + offset) * scale;
        let place = if align_corners {
            place.round()
        } else {
            place.floor()
        };
        (place as usize).min(from - 1) as i32
    };
    let mut result = x;
    for (axis, from, to) in [(1, height, to_height), (2, width, to_width)] {
        let places: Vec<i32> = (0..to).map(|place| source(place, from, to)).collect();
        let origin = call.origin;
        let places = call
            .graph
            .add_value(origin, vec![to], Some(Constant::I32(places.into())));
        let names = Names::Slices;
        result = call.tensor(TensorOp::Gather(Gather { axis, names }), vec![result, places])?;
    }
    debug_assert!(bounded_element_count(call.shape(result)) == Some(element_count(call.shape(result))));
    Ok(result)
}
