//! Images in other sizes: `Resize` and `Upsample`.
//!
//! Along each axis, a table says of which elements a result is made: one, for the nearest, or several with weights. So
//! the rules of coordinates and interpolation are here, and kernels know none of them. Rules: the ONNX operator `Resize`,
//! operator sets 10 to 19; where it leaves one open, its reference implementation. The cubic filter is that of Keys,
//! *Cubic convolution interpolation for digital image processing* (1981).

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Bilinear, bounded_element_count};
use crate::onnx::call::Call;
use crate::ops::Names;
use crate::tensor::{Data, Scalar, Tensor};

/// Where a place of the result lies on the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    TfHalfPixelForNn,
    AlignCorners,
    Asymmetric,
    CropAndResize,
}

/// How a place between elements becomes one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nearest {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
}

/// What a result is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Filter {
    Nearest(Nearest),
    Linear,
    /// With the parameter of the filter.
    Cubic(f64),
}

/// An axis in another size.
#[derive(Clone, Copy, Debug)]
struct Axis {
    axis: usize,
    from: usize,
    to: usize,
    scale: f64,
    /// The size before it became a whole number.
    length: f64,
    /// The part that is taken, in parts of the whole.
    part: [f64; 2],
}

impl Axis {
    /// Where place `to` of the result lies.
    fn place(self, coordinates: Coordinates, to: usize) -> f64 {
        let (x, from) = (to as f64, self.from as f64);
        let half_pixel = (x + 0.5) / self.scale - 0.5;
        match coordinates {
            Coordinates::HalfPixel => half_pixel,
            Coordinates::HalfPixelSymmetric => from / 2.0 * (1.0 - self.to as f64 / self.length) + half_pixel,
            Coordinates::PytorchHalfPixel if self.to <= 1 => 0.0,
            Coordinates::PytorchHalfPixel => half_pixel,
            Coordinates::TfHalfPixelForNn => (x + 0.5) / self.scale,
            Coordinates::AlignCorners if self.length == 1.0 => 0.0,
            Coordinates::AlignCorners => x * (from - 1.0) / (self.length - 1.0),
            Coordinates::Asymmetric => x / self.scale,
            Coordinates::CropAndResize => {
                let [start, end] = self.part;
                let way = if self.length == 1.0 {
                    (end - start) * (from - 1.0) / 2.0
                } else {
                    x * (end - start) * (from - 1.0) / (self.length - 1.0)
                };
                way + start * (from - 1.0)
            }
        }
    }

    /// Which element is nearest to a place.
    fn nearest(self, place: f64, rule: Nearest) -> i64 {
        let fraction = place - place.floor();
        let up = match rule {
            Nearest::PreferFloor => fraction > 0.5,
            Nearest::PreferCeil => fraction >= 0.5,
            Nearest::Floor => false,
            Nearest::Ceil => fraction > 0.0,
        };
        let nearest = if up { place.ceil() } else { place.floor() };
        nearest.clamp(0.0, (self.from - 1) as f64) as i64
    }
}

/// The weight of an element at a distance.
fn weight(filter: Filter, distance: f64) -> f64 {
    let x = distance.abs();
    match filter {
        Filter::Nearest(_) => 0.0,
        Filter::Linear => (1.0 - x).max(0.0),
        Filter::Cubic(a) if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        Filter::Cubic(a) if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        Filter::Cubic(_) => 0.0,
    }
}

/// Everything that a node says.
struct Resize {
    coordinates: Coordinates,
    filter: Filter,
    /// Shrinking widens the filter.
    antialias: bool,
    /// Elements beyond the ends have no weight; else the last ones stand for them.
    exclude_outside: bool,
    /// What stands where a place lies outside of what is taken.
    outside: Option<f32>,
    axes: Vec<Axis>,
}

impl Resize {
    /// The places and weights of all results along an axis: `[results, taps]` each.
    fn tables(&self, call: &mut Call<'_>, axis: Axis) -> Result<[Tensor; 2], ModelError> {
        let shrinks = if self.antialias { axis.scale.min(1.0) } else { 1.0 };
        let radius = match self.filter {
            Filter::Cubic(_) => 2.0,
            Filter::Nearest(_) | Filter::Linear => 1.0,
        } / shrinks;
        let taps = (2.0 * radius).ceil() as usize;
        call.builder.compute(taps.saturating_mul(axis.to), &call.place)?;
        let (mut places, mut weights) = (Vec::new(), Vec::new());
        for to in 0..axis.to {
            let place = axis.place(self.coordinates, to);
            let first = (place - radius).floor() + 1.0;
            let own = (0..taps).map(|tap| first + tap as f64);
            let last = axis.from as f64 - 1.0;
            let weigh = |at: f64| match self.exclude_outside && !(0.0..=last).contains(&at) {
                true => 0.0,
                false => weight(self.filter, (at - place) * shrinks),
            };
            let sum: f64 = own.clone().map(weigh).sum();
            let is_scaled = (self.antialias || self.exclude_outside) && sum != 0.0;
            for at in own {
                places.push(at.clamp(0.0, last) as i64);
                weights.push((weigh(at) / if is_scaled { sum } else { 1.0 }) as f32);
            }
        }
        let shape = vec![axis.to, taps];
        let places = Tensor::new(FileType::I64, shape.clone(), Data::Int(places.into()));
        let weights = Tensor::new(FileType::F32, shape, Data::Float(weights.into()));
        let table = |tensor: Result<Tensor, String>| tensor.map_err(|message| call.unsupported(message));
        Ok([table(places)?, table(weights)?])
    }

    /// The nearest element of each result along an axis.
    fn indices(&self, axis: Axis, rule: Nearest) -> Vec<i64> {
        let place = |to| axis.nearest(axis.place(self.coordinates, to), rule);
        (0..axis.to).map(place).collect()
    }

    fn lower(&self, call: &mut Call<'_>, x: &Symbol) -> Result<Symbol, ModelError> {
        if x.shape().contains(&0) {
            return Err(call.unsupported(format!("an image of shape {:?}", x.shape())));
        }
        let mut shape = x.shape().to_vec();
        self.axes.iter().for_each(|axis| shape[axis.axis] = axis.to);
        if bounded_element_count(&shape).is_none_or(|len| len == 0) {
            return Err(call.unsupported(format!("an image of shape {shape:?}")));
        }
        let mut y = match self.filter {
            Filter::Nearest(rule) => self.nearest(call, x, rule)?,
            Filter::Linear | Filter::Cubic(_) => self.interpolated(call, x)?,
        };
        let Some(outside) = self.outside else {
            return Ok(y);
        };
        for &axis in &self.axes {
            let last = axis.from as f64 - 1.0;
            let places = (0..axis.to).map(|to| axis.place(self.coordinates, to));
            let inside: Vec<bool> = places.map(|place| (0.0..=last).contains(&place)).collect();
            if inside.iter().all(|&inside| inside) {
                continue;
            }
            let mut shape = vec![1; y.shape().len()];
            shape[axis.axis] = axis.to;
            let known = |tensor: Result<Tensor, String>| tensor.map(Symbol::Known);
            let mask = known(Tensor::new(FileType::Bool, shape, Data::Bool(inside.into())));
            let value = known(Tensor::new(
                y.file_type(),
                vec![],
                Data::Splat(Scalar::Float(outside)),
            ));
            let [mask, value] =
                [mask, value].map(|tensor| tensor.map_err(|message| call.unsupported(message)));
            y = call.builder.select(&mask?, &y, &value?, &call.place)?;
        }
        Ok(y)
    }

    fn nearest(&self, call: &mut Call<'_>, x: &Symbol, rule: Nearest) -> Result<Symbol, ModelError> {
        let (mut y, mut repeats) = (x.clone(), vec![1; x.shape().len()]);
        for &axis in &self.axes {
            call.builder.compute(axis.to, &call.place)?;
            let indices = self.indices(axis, rule);
            let times = axis.to / axis.from;
            let is_repeated = axis.to.is_multiple_of(axis.from)
                && (0..).zip(&indices).all(|(to, &index)| to / times as i64 == index);
            if is_repeated {
                repeats[axis.axis] = times;
                continue;
            }
            let indices = Tensor::new(FileType::I64, vec![axis.to], Data::Int(indices.into()));
            let indices = Symbol::Known(indices.map_err(|message| call.unsupported(message))?);
            y = call
                .builder
                .gather(&y, &indices, axis.axis, Names::Slices, &call.place)?;
        }
        call.builder.repeat(&y, &repeats, &call.place)
    }

    fn interpolated(&self, call: &mut Call<'_>, x: &Symbol) -> Result<Symbol, ModelError> {
        if let Some((bilinear, size)) = self.bilinear(x)
            && let Some(image) = call.builder.resize_image(x, bilinear, size, &call.place)?
        {
            return Ok(image);
        }
        let mut y = x.clone();
        let mut axes = self.axes.clone();
        // What shrinks comes first, so that less is left for the others.
        axes.sort_by(|a, b| a.scale.total_cmp(&b.scale));
        for axis in axes {
            let tables = self.tables(call, axis)?;
            y = call.builder.resample(&y, axis.axis, tables, &call.place)?;
        }
        Ok(y)
    }

    /// The rule of the operator on images that is this one, and the size; `None` where there is none.
    fn bilinear(&self, x: &Symbol) -> Option<(Bilinear, [usize; 2])> {
        let &[_, _, rows, columns] = x.shape() else {
            return None;
        };
        let bilinear = |align_corners, half_pixel_centers| Bilinear {
            align_corners,
            half_pixel_centers,
        };
        let rule = match self.coordinates {
            Coordinates::HalfPixel | Coordinates::HalfPixelSymmetric => bilinear(false, true),
            Coordinates::PytorchHalfPixel if self.axes.iter().all(|axis| axis.to > 1) => {
                bilinear(false, true)
            }
            Coordinates::Asymmetric => bilinear(false, false),
            Coordinates::AlignCorners => bilinear(true, false),
            _ => return None,
        };
        let is_plain = |axis: &Axis| {
            let is_whole = axis.to as f64 == axis.length && axis.scale == axis.to as f64 / axis.from as f64;
            axis.axis > 1 && is_whole
        };
        let shrinks = self.axes.iter().any(|axis| axis.scale < 1.0);
        let is_linear = self.filter == Filter::Linear && !(self.antialias && shrinks);
        let size = |axis: usize, from: usize| {
            let axis = self.axes.iter().find(|other| other.axis == axis);
            axis.map_or(from, |axis| axis.to)
        };
        let is_same = is_linear && self.axes.iter().all(is_plain);
        is_same.then(|| (rule, [size(2, rows), size(3, columns)]))
    }
}

/// The sizes of axes by scales; without a scale an axis stays as it is.
fn scaled(call: &Call<'_>, x: &Symbol, axes: &[usize], scales: &[f32]) -> Result<Vec<Axis>, ModelError> {
    if scales.len() != axes.len() {
        return Err(call.invalid(format!("{} scales for {} axes", scales.len(), axes.len())));
    }
    let sized = axes.iter().zip(scales).map(|(&axis, &scale)| {
        let from = x.shape()[axis];
        // In f32, as the format's own inference of shapes has it.
        let to = (from as f32 * scale).floor();
        if !(scale > 0.0 && to < (1u32 << 26) as f32) {
            return Err(call.unsupported(format!("a scale of {scale} for {from} elements")));
        }
        Ok(Axis {
            axis,
            from,
            to: to as usize,
            scale: scale.into(),
            length: f64::from(scale) * from as f64,
            part: [0.0, 1.0],
        })
    });
    sized.collect()
}

/// The sizes of axes as they are given, or by the scale that keeps the sides of an image in proportion.
fn sized(call: &mut Call<'_>, x: &Symbol, axes: &[usize], sizes: &[i64]) -> Result<Vec<Axis>, ModelError> {
    let policy = call.attributes.text("keep_aspect_ratio_policy")?;
    let sizes: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let sizes = sizes.filter(|sizes| sizes.len() == axes.len() && sizes.iter().all(|&size| size < 1 << 26));
    let sizes = sizes.ok_or_else(|| call.invalid(format!("its sizes for {} axes", axes.len())))?;
    let scales = axes
        .iter()
        .zip(&sizes)
        .map(|(&axis, &to)| to as f64 / x.shape()[axis] as f64);
    let common = match policy.as_deref() {
        None | Some("stretch") => None,
        Some("not_larger") => scales.clone().reduce(f64::min),
        Some("not_smaller") => scales.clone().reduce(f64::max),
        Some(other) => return Err(call.invalid(format!("there is no policy '{other}'"))),
    };
    let sized = axes.iter().zip(&sizes).zip(scales).map(|((&axis, &to), scale)| {
        let from = x.shape()[axis];
        let (scale, length) = match common {
            None => (scale, to as f64),
            Some(common) => (common, common * from as f64),
        };
        Axis {
            axis,
            from,
            to: if common.is_some() {
                (length + 0.5).floor() as usize
            } else {
                to
            },
            scale,
            length,
            part: [0.0, 1.0],
        }
    });
    Ok(sized.collect())
}

fn coordinates(call: &mut Call<'_>) -> Result<Coordinates, ModelError> {
    let text = call.attributes.text("coordinate_transformation_mode")?;
    Ok(match text.as_deref() {
        None | Some("half_pixel") => Coordinates::HalfPixel,
        Some("half_pixel_symmetric") => Coordinates::HalfPixelSymmetric,
        Some("pytorch_half_pixel") => Coordinates::PytorchHalfPixel,
        Some("tf_half_pixel_for_nn") => Coordinates::TfHalfPixelForNn,
        Some("align_corners") => Coordinates::AlignCorners,
        Some("asymmetric") => Coordinates::Asymmetric,
        Some("tf_crop_and_resize") => Coordinates::CropAndResize,
        Some(other) => return Err(call.invalid(format!("there are no coordinates '{other}'"))),
    })
}

fn filter(call: &mut Call<'_>) -> Result<Filter, ModelError> {
    let rule = match call.attributes.text("nearest_mode")?.as_deref() {
        None | Some("round_prefer_floor") => Nearest::PreferFloor,
        Some("round_prefer_ceil") => Nearest::PreferCeil,
        Some("floor") => Nearest::Floor,
        Some("ceil") => Nearest::Ceil,
        Some(other) => return Err(call.invalid(format!("there is no nearest mode '{other}'"))),
    };
    let a = call.float_or("cubic_coeff_a", -0.75)?;
    Ok(match call.attributes.text("mode")?.as_deref() {
        None | Some("nearest") => Filter::Nearest(rule),
        Some("linear" | "bilinear") => Filter::Linear,
        Some("cubic") => Filter::Cubic(a.into()),
        Some(other) => return Err(call.invalid(format!("there is no mode '{other}'"))),
    })
}

/// Axes that change.
fn changed(axes: Vec<Axis>, coordinates: Coordinates) -> Vec<Axis> {
    let changes = |axis: &Axis| {
        let is_whole = coordinates != Coordinates::CropAndResize || axis.part == [0.0, 1.0];
        axis.to != axis.from || (axis.scale - 1.0).abs() > 1e-9 || !is_whole
    };
    axes.into_iter().filter(changes).collect()
}

pub fn resize(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    if call.opset < 11 {
        return upsample(call);
    }
    let coordinates = coordinates(call)?;
    let filter = filter(call)?;
    let antialias = call.attributes.int("antialias")?.unwrap_or(0) != 0;
    let exclude_outside = call.attributes.int("exclude_outside")?.unwrap_or(0) != 0;
    let outside = call.float_or("extrapolation_value", 0.0)?;
    let axes = match call.attributes.ints("axes")? {
        Some(axes) => call.axes(&axes, rank)?,
        None => (0..rank).collect(),
    };
    let floats = |call: &Call<'_>, index: usize| -> Result<Option<Vec<f32>>, ModelError> {
        let Some(tensor) = call.known(index)? else {
            return Ok(None);
        };
        let floats = tensor.floats().map(|floats| floats.into_owned());
        let floats =
            floats.ok_or_else(|| call.invalid(format!("operand {index} is {}", tensor.file_type())))?;
        Ok(Some(floats).filter(|floats| !floats.is_empty()))
    };
    let sizes = call.known_ints(3)?.filter(|sizes| !sizes.is_empty());
    let mut resized = match (floats(call, 2)?, sizes) {
        (Some(scales), None) => {
            call.attributes.text("keep_aspect_ratio_policy")?;
            scaled(call, &x, &axes, &scales)?
        }
        (None, Some(sizes)) => sized(call, &x, &axes, &sizes)?,
        _ => return Err(call.invalid("it takes either scales or sizes")),
    };
    if coordinates == Coordinates::CropAndResize {
        let part = floats(call, 1)?.filter(|part| part.len() == 2 * axes.len());
        let part = part.ok_or_else(|| call.invalid("it does not say which part is taken"))?;
        for (index, axis) in resized.iter_mut().enumerate() {
            axis.part = [part[index].into(), part[axes.len() + index].into()];
        }
    }
    if antialias && matches!(filter, Filter::Nearest(_)) {
        return Err(call.invalid("the nearest element has no wider filter"));
    }
    let resize = Resize {
        coordinates,
        filter,
        antialias,
        exclude_outside,
        outside: (coordinates == Coordinates::CropAndResize).then_some(outside),
        axes: changed(resized, coordinates),
    };
    Ok(vec![resize.lower(call, &x)?])
}

/// `Upsample`, and `Resize` as operator set 10 has it: both begin at the first elements. Scales are an attribute until
/// operator set 8, then an operand.
pub fn upsample(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let scales = match call.opset {
        ..7 => return Err(call.unsupported("as operator sets before 7 have it")),
        7 | 8 => call.attributes.floats("scales")?,
        _ => {
            let tensor = call.known(1)?;
            tensor.and_then(|tensor| tensor.floats().map(|floats| floats.into_owned()))
        }
    };
    let scales = scales.ok_or_else(|| call.invalid("the scales are missing"))?;
    let filter = match filter(call)? {
        Filter::Nearest(_) => Filter::Nearest(Nearest::Floor),
        other => other,
    };
    let axes: Vec<usize> = (0..x.shape().len()).collect();
    let axes = scaled(call, &x, &axes, &scales)?;
    if matches!(filter, Filter::Nearest(_)) && axes.iter().any(|axis| axis.scale < 1.0) {
        return Err(
            call.unsupported("the nearest elements of fewer, whose rounding operator set 10 leaves open")
        );
    }
    let coordinates = Coordinates::Asymmetric;
    let resize = Resize {
        coordinates,
        filter,
        antialias: false,
        exclude_outside: false,
        outside: None,
        axes: changed(axes, coordinates),
    };
    Ok(vec![resize.lower(call, &x)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of results on an axis of four elements, by hand from the formulas of the operator.
    #[test]
    fn places_follow_their_rules() {
        let axis = |to: usize, scale: f64| Axis {
            axis: 0,
            from: 4,
            to,
            scale,
            length: 4.0 * scale,
            part: [0.25, 0.75],
        };
        let cases: [(Coordinates, Axis, &[f64]); 8] = [
            (Coordinates::HalfPixel, axis(2, 0.5), &[0.5, 2.5]),
            (Coordinates::HalfPixelSymmetric, axis(2, 0.625), &[0.7, 2.3]),
            (Coordinates::PytorchHalfPixel, axis(1, 0.25), &[0.0]),
            (Coordinates::TfHalfPixelForNn, axis(2, 0.5), &[1.0, 3.0]),
            (Coordinates::AlignCorners, axis(3, 0.75), &[0.0, 1.5, 3.0]),
            (Coordinates::Asymmetric, axis(8, 2.0), &[0.0, 0.5, 1.0, 1.5]),
            (
                Coordinates::CropAndResize,
                axis(4, 1.0),
                &[0.75, 1.25, 1.75, 2.25],
            ),
            (Coordinates::CropAndResize, axis(1, 0.25), &[1.5]),
        ];
        for (coordinates, axis, expected) in cases {
            for (to, expected) in expected.iter().enumerate() {
                let place = axis.place(coordinates, to);
                assert!(
                    (place - expected).abs() < 1e-12,
                    "{coordinates:?}: {place}, {expected}"
                );
            }
        }
        let of = |place: f64| {
            let rules = [
                Nearest::PreferFloor,
                Nearest::PreferCeil,
                Nearest::Floor,
                Nearest::Ceil,
            ];
            rules.map(|rule| axis(4, 1.0).nearest(place, rule))
        };
        assert_eq!(of(1.5), [1, 2, 1, 2]);
        assert_eq!([of(2.0), of(-0.7), of(9.5)], [[2; 4], [0; 4], [3; 4]]);
    }
}
