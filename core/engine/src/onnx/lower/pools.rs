//! Operators that make one number of each window over an image.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Fold, Pool, Slide};

/// Numbers for each of the axes behind batch and channels, which are not below `least`.
fn numbers(
    call: &mut Call<'_>,
    name: &str,
    n: usize,
    least: usize,
) -> Result<Option<Vec<usize>>, ModelError> {
    let Some(numbers) = call.attributes.ints(name)? else {
        return Ok(None);
    };
    let sizes = numbers.iter().map(|&number| usize::try_from(number).ok());
    let sizes: Option<Vec<usize>> = sizes.collect();
    let is_one_each = |sizes: &Vec<usize>| sizes.len() == n && sizes.iter().all(|&size| size >= least);
    let message = || format!("attribute '{name}' is {numbers:?}, for windows along {n} axes");
    Ok(Some(
        sizes.filter(is_one_each).ok_or_else(|| call.invalid(message()))?,
    ))
}

/// How windows go along each axis of x, `[batch, channels, ..]`, by the attributes that all such operators share.
fn slides(call: &mut Call<'_>, x: &[usize]) -> Result<Vec<Slide>, ModelError> {
    let Some(n) = x.len().checked_sub(2).filter(|&n| n > 0) else {
        return Err(call.invalid(format!("shape {x:?} has no axes for windows")));
    };
    let windows = numbers(call, "kernel_shape", n, 1)?;
    let windows = windows.ok_or_else(|| call.invalid("attribute 'kernel_shape' is missing"))?;
    let strides = numbers(call, "strides", n, 1)?.unwrap_or_else(|| vec![1; n]);
    let dilations = numbers(call, "dilations", n, 1)?.unwrap_or_else(|| vec![1; n]);
    let pads = numbers(call, "pads", 2 * n, 0)?.unwrap_or_else(|| vec![0; 2 * n]);
    let rounds_up = call.attributes.int("ceil_mode")?.unwrap_or(0) != 0;
    let auto = call.attributes.text("auto_pad")?;
    let mut slides = vec![Slide::still(x[0]), Slide::still(x[1])];
    for axis in 0..n {
        let (size, window, stride, dilation) = (x[axis + 2], windows[axis], strides[axis], dilations[axis]);
        let too_large = || call.unsupported(format!("a window of {window} over an axis of {size}"));
        let reach = (window - 1)
            .checked_mul(dilation)
            .and_then(|reach| reach.checked_add(1));
        let reach = reach.ok_or_else(too_large)?;
        let (before, after, rounds_up) = match auto.as_deref() {
            None | Some("NOTSET" | "") => (pads[axis], pads[n + axis], rounds_up),
            Some("VALID") => (0, 0, false),
            Some(mode @ ("SAME_UPPER" | "SAME_LOWER")) => {
                let last = size.div_ceil(stride).saturating_sub(1);
                let covered = last.checked_mul(stride).and_then(|last| last.checked_add(reach));
                let total = covered.ok_or_else(too_large)?.saturating_sub(size);
                let less = total / 2;
                match mode {
                    "SAME_UPPER" => (less, total - less, false),
                    _ => (total - less, less, false),
                }
            }
            Some(other) => return Err(call.invalid(format!("there is no border '{other}'"))),
        };
        let around = before
            .checked_add(after)
            .and_then(|around| around.checked_add(size));
        let room = around.ok_or_else(too_large)?;
        let count = match room.checked_sub(reach) {
            Some(room) if rounds_up => {
                let count = room.div_ceil(stride) + 1;
                // A last window that would begin in the border behind is none.
                let begins = (count - 1).checked_mul(stride).ok_or_else(too_large)?;
                count - usize::from(begins >= size + before)
            }
            Some(room) => room / stride + 1,
            // The only window begins within and reaches beyond what is there.
            None if rounds_up && reach - room < stride && size > 0 => 1,
            None => return Err(call.invalid(format!("windows of {reach} over {room} places"))),
        };
        slides.push(Slide {
            window,
            stride,
            dilation,
            before,
            after,
            count,
        });
    }
    Ok(slides)
}

fn pooled(call: &mut Call<'_>, f: Pool) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let slides = slides(call, x.shape())?;
    Ok(vec![call.builder.window(f, &x, &slides, &call.place)?])
}

/// The second result is where the greatest elements stand in the whole operand, counted along its axes from the last to
/// the first, or, of the axes behind the channels, from the first to the last.
pub fn max_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let by_columns = call.attributes.int("storage_order")?.unwrap_or(0) != 0;
    let slides = slides(call, x.shape())?;
    let mut results = vec![call.builder.window(Pool::Max, &x, &slides, &call.place)?];
    if call.n_results > 1 {
        let mut axes: Vec<usize> = (0..x.shape().len()).collect();
        if by_columns {
            axes[2..].reverse();
        }
        let (mut steps, mut step) = (vec![0; axes.len()], 1);
        for axis in axes.into_iter().rev() {
            steps[axis] = step;
            step *= x.shape()[axis];
        }
        let f = Pool::MaxPlace { steps };
        results.push(call.builder.window(f, &x, &slides, &call.place)?);
    }
    Ok(results)
}

pub fn average_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let border_counts = call.attributes.int("count_include_pad")?.unwrap_or(0) != 0;
    let x = call.operand(0)?;
    let slides = slides(call, x.shape())?;
    let is_whole = |(slide, &size): (&Slide, &usize)| {
        let whole = Slide {
            window: size,
            stride: slide.stride,
            ..Slide::still(1)
        };
        *slide == whole
    };
    let axes: Vec<usize> = (2..slides.len()).collect();
    if slides.iter().zip(x.shape()).skip(2).all(is_whole) {
        return Ok(vec![call.builder.reduce(Fold::Mean, &x, &axes, &call.place)?]);
    }
    let f = Pool::Average { border_counts };
    Ok(vec![call.builder.window(f, &x, &slides, &call.place)?])
}

/// The order of a norm, which is a float in the first operator set.
fn order(call: &mut Call<'_>) -> Result<f32, ModelError> {
    if call.opset < 2 {
        return call.float_or("p", 2.0);
    }
    Ok(call.attributes.int("p")?.unwrap_or(2) as f32)
}

pub fn lp_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let p = order(call)?;
    pooled(call, Pool::Power(p))
}

pub fn global_lp_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let p = order(call)?;
    let x = call.operand(0)?;
    let axes: Vec<usize> = (2..x.shape().len()).collect();
    let fold = match p {
        1.0 => Fold::L1,
        2.0 => Fold::L2,
        _ => {
            let slides = x.shape().iter().enumerate().map(|(axis, &size)| match axis {
                0 | 1 => Slide::still(size),
                _ => Slide {
                    window: size,
                    ..Slide::still(1)
                },
            });
            let slides: Vec<Slide> = slides.collect();
            let f = Pool::Power(p);
            return Ok(vec![call.builder.window(f, &x, &slides, &call.place)?]);
        }
    };
    Ok(vec![call.builder.reduce(fold, &x, &axes, &call.place)?])
}
