//! Operators that read images around places which the frame says: pooling of regions, convolutions whose taps wander.
//!
//! Both are samples between elements, taken all at once by a grid, and sums of them.

use super::places::number;
use crate::builder::{Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::bounded_element_count;
use crate::onnx::call::Call;
use crate::ops::{Between, Beyond, Binary, Fold, GridSample, Names, Unary};
use crate::tensor::{Data, Scalar, Tensor};

/// Known numbers of the type that `like` has.
fn floats(
    call: &mut Call<'_>,
    like: FileType,
    shape: &[usize],
    values: Vec<f32>,
) -> Result<Symbol, ModelError> {
    let tensor = Tensor::new(FileType::F32, shape.to_vec(), Data::Float(values.into()));
    let tensor = tensor.map_err(|message| call.unsupported(message))?;
    call.builder
        .map(Unary::Cast(like), &Symbol::Known(tensor), &call.place)
}

/// The value and a number, joined by a function.
fn with(call: &mut Call<'_>, f: Binary, x: &Symbol, value: f32) -> Result<Symbol, ModelError> {
    let value = number(call, x.file_type(), Scalar::Float(value))?;
    call.builder.zip(f, x, &value, &call.place)
}

/// Places between elements of an axis, counted from the middle of its first, as `GridSample` has them: -1 and 1 are the
/// middles of the first and last element, or their outer edges.
fn normalised(
    call: &mut Call<'_>,
    places: &Symbol,
    size: usize,
    align_corners: bool,
) -> Result<Symbol, ModelError> {
    let (scale, first) = match align_corners {
        true => (2.0 / (size - 1) as f32, -1.0),
        false => (2.0 / size as f32, 1.0 / size as f32 - 1.0),
    };
    let scaled = with(call, Binary::Mul, places, scale)?;
    with(call, Binary::Add, &scaled, first)
}

/// Rows and columns of the same shape as pairs, the column first.
fn pairs(call: &mut Call<'_>, rows: &Symbol, columns: &Symbol) -> Result<Symbol, ModelError> {
    let mut shape = rows.shape().to_vec();
    shape.push(1);
    let rows = call.builder.reshape(rows, shape.clone(), &call.place)?;
    let columns = call.builder.reshape(columns, shape.clone(), &call.place)?;
    call.builder
        .concat(&[columns, rows], shape.len() - 1, &call.place)
}

/// A size of an attribute, at least one.
fn size(call: &mut Call<'_>, name: &str) -> Result<usize, ModelError> {
    let size = call.attributes.int(name)?.unwrap_or(1);
    let fits = usize::try_from(size)
        .ok()
        .filter(|size| (1..1 << 20).contains(size));
    fits.ok_or_else(|| call.invalid(format!("{name} is {size}")))
}

/// What the bins of a region are made of along one axis.
struct Bins {
    /// Places of samples, `[regions, bins * samples]`, within the image.
    places: Symbol,
    /// Whether the image reaches so far, as 0 or 1.
    is_inside: Symbol,
}

/// Regions of an image, each in bins of equal size that hold the mean, or the greatest part, of samples in them.
///
/// After He et al., *Mask R-CNN* (2017). A sample more than an element beyond the image is 0, and a nearer one the nearest
/// element's. The greatest is, as in the definition's code, that of the four weighted elements around each sample.
pub fn roi_align(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, regions, images) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let bins = [size(call, "output_height")?, size(call, "output_width")?];
    let scale = call.float_or("spatial_scale", 1.0)?;
    let is_greatest = match call.attributes.text("mode")?.as_deref() {
        None | Some("avg") => false,
        Some("max") => true,
        Some(other) => return Err(call.invalid(format!("there is no mode '{other}'"))),
    };
    let default = if call.opset < 16 {
        "output_half_pixel"
    } else {
        "half_pixel"
    };
    let mode = call.attributes.text("coordinate_transformation_mode")?;
    let offset = match mode.as_deref().unwrap_or(default) {
        "half_pixel" => -0.5,
        "output_half_pixel" => 0.0,
        other => return Err(call.invalid(format!("there are no coordinates '{other}'"))),
    };
    let samples = match call.attributes.int("sampling_ratio")?.unwrap_or(0) {
        0 => {
            let message = "a sampling_ratio of 0: the size of a region decides how many samples it has";
            return Err(call.unsupported(message));
        }
        samples => usize::try_from(samples).ok().filter(|&samples| samples < 1 << 10),
    };
    let samples = samples.ok_or_else(|| call.invalid("a sampling_ratio that is no number of samples"))?;
    let (&[batch, channels, height, width], &[count, 4]) = (x.shape(), regions.shape()) else {
        let message = format!("regions {:?} of an image {:?}", regions.shape(), x.shape());
        return Err(call.invalid(message));
    };
    let points = [bins[0] * samples, bins[1] * samples];
    let whole = bounded_element_count(&[count.max(1), channels.max(1), points[0], points[1]]);
    if images.shape() != [count] || height == 0 || width == 0 || whole.is_none() {
        let message = format!(
            "{count} regions in {points:?} samples of an image {:?}",
            x.shape()
        );
        return Err(call.unsupported(message));
    }
    let place = call.place.clone();
    let of = x.file_type();
    let corners = with(call, Binary::Mul, &regions, scale)?;
    let corners = with(call, Binary::Add, &corners, offset)?;
    let along = |call: &mut Call<'_>, axis: usize, size: usize| -> Result<Bins, ModelError> {
        let own = |at: usize| [Part::of(0, count), Part::of(at, 1)];
        // Left, upper, right, lower.
        let start = call.builder.slice(&corners, &own(1 - axis), &place)?;
        let end = call.builder.slice(&corners, &own(3 - axis), &place)?;
        let mut length = call.builder.zip(Binary::Sub, &end, &start, &place)?;
        if offset == 0.0 {
            length = with(call, Binary::Max, &length, 1.0)?;
        }
        let parts = (0..points[axis]).map(|at| (at as f32 + 0.5) / points[axis] as f32);
        let parts = floats(call, of, &[1, points[axis]], parts.collect())?;
        let way = call.builder.zip(Binary::Mul, &length, &parts, &place)?;
        let places = call.builder.zip(Binary::Add, &start, &way, &place)?;
        let low = number(call, of, Scalar::Float(-1.0))?;
        let high = number(call, of, Scalar::Float(size as f32))?;
        let is_low = call.builder.zip(Binary::GreaterOrEqual, &places, &low, &place)?;
        let is_high = call.builder.zip(Binary::LessOrEqual, &places, &high, &place)?;
        let is_inside = call.builder.zip(Binary::And, &is_low, &is_high, &place)?;
        let is_inside = call.builder.map(Unary::Cast(of), &is_inside, &place)?;
        let places = with(call, Binary::Max, &places, 0.0)?;
        let places = with(call, Binary::Min, &places, (size - 1) as f32)?;
        Ok(Bins { places, is_inside })
    };
    let (rows, columns) = (along(call, 0, height)?, along(call, 1, width)?);

    // Where there is one image, the regions are rows of one grid; else each has an image of its own.
    let source = match batch {
        1 => x.clone(),
        _ => call.builder.gather(&x, &images, 0, Names::Slices, &place)?,
    };
    let sampled = |call: &mut Call<'_>,
                   between: Between,
                   rows: &Symbol,
                   columns: &Symbol|
     -> Result<Symbol, ModelError> {
        let rows = normalised(call, rows, height, false)?;
        let columns = normalised(call, columns, width, false)?;
        let rows = call.builder.reshape(&rows, vec![count, points[0], 1], &place)?;
        let columns = call
            .builder
            .reshape(&columns, vec![count, 1, points[1]], &place)?;
        let whole = [count, points[0], points[1]];
        let rows = call.builder.expand(&rows, &whole, &place)?;
        let columns = call.builder.expand(&columns, &whole, &place)?;
        let grid = pairs(call, &rows, &columns)?;
        let shape = match batch {
            1 => vec![1, count * points[0], points[1], 2],
            _ => vec![count, points[0], points[1], 2],
        };
        let grid = call.builder.reshape(&grid, shape, &place)?;
        let op = GridSample {
            between,
            beyond: Beyond::Edge,
            align_corners: false,
        };
        let values = call.builder.grid_sample(op, &source, &grid, &place)?;
        if batch != 1 {
            return Ok(values);
        }
        let shape = vec![channels, count, points[0], points[1]];
        let values = call.builder.reshape(&values, shape, &place)?;
        call.builder.transpose(&values, &[1, 0, 2, 3], &place)
    };
    let weigh = |call: &mut Call<'_>,
                 values: &Symbol,
                 rows: &Symbol,
                 columns: &Symbol|
     -> Result<Symbol, ModelError> {
        let rows = call.builder.reshape(rows, vec![count, 1, points[0], 1], &place)?;
        let columns = call
            .builder
            .reshape(columns, vec![count, 1, 1, points[1]], &place)?;
        let values = call.builder.zip(Binary::Mul, values, &rows, &place)?;
        call.builder.zip(Binary::Mul, &values, &columns, &place)
    };
    let values = if is_greatest {
        // The element before a place and the one behind it, with their weights.
        let around =
            |call: &mut Call<'_>, bins: &Bins, size: usize| -> Result<[(Symbol, Symbol); 2], ModelError> {
                let low = call.builder.map(Unary::Floor, &bins.places, &place)?;
                let high = with(call, Binary::Add, &low, 1.0)?;
                let high = with(call, Binary::Min, &high, (size - 1) as f32)?;
                let way = call.builder.zip(Binary::Sub, &bins.places, &low, &place)?;
                let one = number(call, of, Scalar::Float(1.0))?;
                let rest = call.builder.zip(Binary::Sub, &one, &way, &place)?;
                let way = call.builder.zip(Binary::Mul, &way, &bins.is_inside, &place)?;
                let rest = call.builder.zip(Binary::Mul, &rest, &bins.is_inside, &place)?;
                Ok([(low, rest), (high, way)])
            };
        let (above, beside) = (around(call, &rows, height)?, around(call, &columns, width)?);
        let mut greatest: Option<Symbol> = None;
        for (row, row_weight) in &above {
            for (column, column_weight) in &beside {
                let corner = sampled(call, Between::Nearest, row, column)?;
                let corner = weigh(call, &corner, row_weight, column_weight)?;
                greatest = Some(match greatest {
                    None => corner,
                    Some(greatest) => call.builder.zip(Binary::Max, &greatest, &corner, &place)?,
                });
            }
        }
        greatest.ok_or_else(|| call.invalid("no corners"))?
    } else {
        let values = sampled(call, Between::Linear, &rows.places, &columns.places)?;
        weigh(call, &values, &rows.is_inside, &columns.is_inside)?
    };
    let split = vec![count, channels, bins[0], samples, bins[1], samples];
    let split = call.builder.reshape(&values, split, &place)?;
    let fold = if is_greatest { Fold::Max } else { Fold::Mean };
    let pooled = call.builder.reduce(fold, &split, &[3, 5], &place)?;
    let shape = vec![count, channels, bins[0], bins[1]];
    Ok(vec![call.builder.reshape(&pooled, shape, &place)?])
}

/// A convolution whose taps each lie where an operand moves them, times what another operand says of them.
///
/// After Zhu et al., *Deformable ConvNets v2* (2019). Beyond the image there are zeros.
pub fn deform_conv(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights, offsets) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let (bias, mask) = (call.optional(3), call.optional(4));
    let groups = size(call, "group")?;
    let offset_groups = size(call, "offset_group")?;
    let two = |call: &mut Call<'_>, name: &str, default: &[i64]| -> Result<Vec<i64>, ModelError> {
        let numbers = call.attributes.ints(name)?.unwrap_or_else(|| default.to_vec());
        let fits = numbers.len() == default.len() && numbers.iter().all(|number| number.abs() < 1 << 20);
        fits.then_some(numbers)
            .ok_or_else(|| call.invalid(format!("{name} is not of {} small numbers", default.len())))
    };
    if x.shape().len() != 4 {
        let message = format!("a convolution whose taps wander, of shape {:?}", x.shape());
        return Err(call.unsupported(message));
    }
    let [strides, dilations] = ["strides", "dilations"].map(|name| two(call, name, &[1, 1]));
    let (strides, dilations, pads) = (strides?, dilations?, two(call, "pads", &[0; 4])?);
    let kernel = call.attributes.ints("kernel_shape")?;
    let (&[batch, channels, height, width], &[outputs, own, taps_y, taps_x], &[_, _, rows, columns]) =
        (x.shape(), weights.shape(), offsets.shape())
    else {
        let message = format!("weights {:?} and offsets {:?}", weights.shape(), offsets.shape());
        return Err(call.invalid(message));
    };
    let taps = taps_y * taps_x;
    let fits = |extent: [usize; 2], axis: usize, out: usize| {
        let span = (extent[1] as i64 - 1) * dilations[axis] + 1;
        let room = extent[0] as i64 + pads[axis] + pads[axis + 2] - span;
        strides[axis] > 0 && room >= 0 && room / strides[axis] + 1 == out as i64
    };
    let of_offsets = offset_groups.saturating_mul(taps);
    let is_whole = channels == own.saturating_mul(groups)
        && outputs.is_multiple_of(groups)
        && channels.is_multiple_of(offset_groups)
        && kernel.is_none_or(|kernel| kernel == [taps_y as i64, taps_x as i64])
        && offsets.shape() == [batch, of_offsets.saturating_mul(2), rows, columns]
        && mask
            .as_ref()
            .is_none_or(|mask| mask.shape() == [batch, of_offsets, rows, columns])
        && bias.as_ref().is_none_or(|bias| bias.shape() == [outputs])
        && fits([height, taps_y], 0, rows)
        && fits([width, taps_x], 1, columns);
    if !is_whole || [height, width, taps, channels, outputs].contains(&0) {
        let message = format!(
            "weights {:?} in {groups} groups and offsets {:?} in {offset_groups} for {:?}",
            weights.shape(),
            offsets.shape(),
            x.shape()
        );
        return Err(call.invalid(message));
    }
    let place = call.place.clone();
    let of = x.file_type();
    // Elements are hit exactly more often so; an axis of one element has no two middles.
    let align_corners = height > 1 && width > 1;
    let shape = vec![batch, offset_groups, taps, 2, rows, columns];
    let moved = call.builder.reshape(&offsets, shape, &place)?;
    let along = |call: &mut Call<'_>, axis: usize| -> Result<Symbol, ModelError> {
        let mut parts: Vec<Part> = moved.shape().iter().map(|&size| Part::of(0, size)).collect();
        parts[3] = Part::of(axis, 1);
        let own = call.builder.slice(&moved, &parts, &place)?;
        let own = call
            .builder
            .reshape(&own, vec![batch, offset_groups, taps, rows, columns], &place)?;
        let at = |tap: usize, out: usize| {
            let tap = if axis == 0 { tap / taps_x } else { tap % taps_x };
            (out as i64 * strides[axis] - pads[axis] + tap as i64 * dilations[axis]) as f32
        };
        let (shape, count) = if axis == 0 {
            ([taps, rows, 1], rows)
        } else {
            ([taps, 1, columns], columns)
        };
        let still = (0..taps).flat_map(|tap| (0..count).map(move |out| (tap, out)));
        let still = still.map(|(tap, out)| at(tap, out)).collect();
        let still = floats(call, of, &shape, still)?;
        let places = call.builder.zip(Binary::Add, &own, &still, &place)?;
        normalised(call, &places, [height, width][axis], align_corners)
    };
    let (down, right) = (along(call, 0)?, along(call, 1)?);
    let grid = pairs(call, &down, &right)?;
    let grid = call.builder.reshape(
        &grid,
        vec![batch * offset_groups, taps * rows, columns, 2],
        &place,
    )?;
    let parted = vec![batch * offset_groups, channels / offset_groups, height, width];
    let parted = call.builder.reshape(&x, parted, &place)?;
    let op = GridSample {
        between: Between::Linear,
        beyond: Beyond::Zeros,
        align_corners,
    };
    let mut samples = call.builder.grid_sample(op, &parted, &grid, &place)?;
    if let Some(mask) = mask {
        let shape = vec![
            batch,
            offset_groups,
            channels / offset_groups,
            taps * rows,
            columns,
        ];
        samples = call.builder.reshape(&samples, shape, &place)?;
        let shape = vec![batch, offset_groups, 1, taps * rows, columns];
        let mask = call.builder.reshape(&mask, shape, &place)?;
        samples = call.builder.zip(Binary::Mul, &samples, &mask, &place)?;
    }
    let lines = vec![batch, groups, own * taps, rows * columns];
    let samples = call.builder.reshape(&samples, lines, &place)?;
    let factors = vec![1, groups, outputs / groups, own * taps];
    let weights = call.builder.reshape(&weights, factors, &place)?;
    let product = call.builder.matmul(&weights, &samples, &place)?;
    let product = call
        .builder
        .reshape(&product, vec![batch, outputs, rows, columns], &place)?;
    let Some(bias) = bias else {
        return Ok(vec![product]);
    };
    let bias = call.builder.reshape(&bias, vec![1, outputs, 1, 1], &place)?;
    Ok(vec![call.builder.zip(Binary::Add, &product, &bias, &place)?])
}
