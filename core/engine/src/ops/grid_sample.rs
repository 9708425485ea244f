//! Elements of images at places between them, which another tensor says.
//!
//! Definition: the ONNX operator `GridSample`, operator set 20 (onnx.ai/onnx/operators). Channels lie last, so that all of
//! a pixel have one place.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// Images at places between elements; inputs `[x, grid]` of f32: x of `[batch, .., channels]` with one to three axes
/// between, grid of `[batch, .., n]`, where n is their number. The result is `[batch, .., channels]` with the grid's axes
/// between. A place is -1 at one end of an axis and 1 at the other, that of the last axis first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridSample {
    /// What a place between elements is made of.
    pub between: Between,
    /// What stands beyond the ends.
    pub beyond: Beyond,
    /// Whether -1 and 1 are the middles of the first and last element, or their outer edges.
    pub align_corners: bool,
}

/// What a place between elements is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// The nearest element, of two equally near ones the even one.
    Nearest,
    /// Two along each axis, by their distance.
    Linear,
    /// Four along each axis, by the filter of Keys (1981) with a = -0.75.
    Cubic,
}

/// What stands beyond the ends of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Zeros.
    Zeros,
    /// The last element.
    Edge,
    /// The image again, turned around.
    Reflection,
}

impl Between {
    /// Every way; the places here are the numbers in graph files.
    pub const ALL: [Self; 3] = [Self::Nearest, Self::Linear, Self::Cubic];

    /// Elements along an axis.
    fn taps(self) -> usize {
        match self {
            Self::Nearest => 1,
            Self::Linear => 2,
            Self::Cubic => 4,
        }
    }

    /// How far the first element lies before the place, rounded down.
    fn before(self) -> isize {
        match self {
            Self::Nearest | Self::Linear => 0,
            Self::Cubic => 1,
        }
    }

    /// The weights of the elements, for a place at this part of the way between two.
    fn weights(self, way: f32) -> [f32; 4] {
        let a = -0.75;
        let near = |x: f32| ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
        let far = |x: f32| ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
        match self {
            Self::Nearest => [1.0, 0.0, 0.0, 0.0],
            Self::Linear => [1.0 - way, way, 0.0, 0.0],
            Self::Cubic => [far(1.0 + way), near(way), near(1.0 - way), far(2.0 - way)],
        }
    }
}

impl Beyond {
    /// Every way; the places here are the numbers in graph files.
    pub const ALL: [Self; 3] = [Self::Zeros, Self::Edge, Self::Reflection];
}

/// A place turned around at two ends until it lies between them.
fn reflected(place: f32, low: f32, high: f32) -> f32 {
    let span = high - low;
    if span <= 0.0 {
        return low;
    }
    let way = if place < low { low - place } else { place - low };
    let times = (way / span).floor();
    let rest = way - times * span;
    if times % 2.0 == 0.0 {
        low + rest
    } else {
        high - rest
    }
}

impl GridSample {
    /// The ends at which an axis of this size is turned around.
    fn ends(self, size: usize) -> [f32; 2] {
        match self.align_corners {
            true => [0.0, size as f32 - 1.0],
            false => [-0.5, size as f32 - 0.5],
        }
    }

    /// Where a place of the grid lies on an axis of this size.
    fn place(self, grid: f32, size: usize) -> f32 {
        let length = size as f32;
        let place = match self.align_corners {
            true => (grid + 1.0) / 2.0 * (length - 1.0),
            false => ((grid + 1.0) * length - 1.0) / 2.0,
        };
        let place = match self.between {
            Between::Nearest => place.round_ties_even(),
            Between::Linear | Between::Cubic => place,
        };
        let [low, high] = self.ends(size);
        match self.beyond {
            _ if (low..=high).contains(&place) => place,
            // Far away everything is the same.
            Beyond::Zeros => place.clamp(-8.0, length + 8.0),
            Beyond::Edge => place.clamp(0.0, length - 1.0),
            Beyond::Reflection => reflected(place, low, high),
        }
    }

    /// Which element stands at a whole place; `None` for zero.
    fn source(self, place: isize, size: usize) -> Option<usize> {
        let last = size as isize - 1;
        let source = match self.beyond {
            _ if (0..=last).contains(&place) => place,
            Beyond::Zeros => return None,
            Beyond::Edge => place,
            Beyond::Reflection => {
                let [low, high] = self.ends(size);
                reflected(place as f32, low, high) as isize
            }
        };
        Some(source.clamp(0, last).unsigned_abs())
    }

    fn shape(self, x: &[usize], grid: &[usize]) -> Result<Shape, String> {
        let refused = || format!("GridSample of shape {x:?} at {grid:?}");
        let ([batch, between @ .., channels], [of_grid, outer @ .., n]) = (x, grid) else {
            return Err(refused());
        };
        let fits = batch == of_grid && *n == between.len() && outer.len() == *n && (1..=3).contains(n);
        let mut shape = vec![*batch];
        shape.extend(outer);
        shape.push(*channels);
        let is_empty = between.contains(&0) && element_count(&shape) > 0;
        // So that every place has room in an f32.
        let is_large = between.iter().any(|&size| size >= 1 << 22);
        match bounded_element_count(&shape) {
            Some(_) if fits && !is_empty && !is_large => Ok(shape),
            _ => Err(refused()),
        }
    }
}

impl Family for GridSample {
    fn name(&self) -> &'static str {
        "GridSample"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x, grid] = operands else {
            return Err(format!("{} operands of GridSample", operands.len()));
        };
        if [x.element, grid.element] != [Element::F32; 2] {
            return Err(format!("GridSample of {} at {}", x.element, grid.element));
        }
        Ok(Type {
            element: Element::F32,
            shape: self.shape(x.shape, grid.shape)?,
        })
    }

    fn macs(&self, operands: &[TypeRef<'_>], result: &Type) -> u64 {
        let axes = operands.first().map_or(0, |x| x.shape.len().saturating_sub(2));
        let taps = (self.between.taps() as u64).saturating_pow(axes as u32);
        taps.saturating_mul(element_count(&result.shape) as u64)
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.between as usize);
        file.number(self.beyond as usize);
        file.number(usize::from(self.align_corners));
    }
}

impl Definition for GridSample {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, grid] = operands else {
            return Err(format!("{} operands of GridSample", operands.len()));
        };
        let shape = self.shape(x.shape(), grid.shape())?;
        let (Some(data), Some(places)) = (x.floats(), grid.floats()) else {
            return Err(format!("GridSample of {} at {}", x.file_type(), grid.file_type()));
        };
        let (sizes, channels) = (&x.shape()[1..x.shape().len() - 1], x.shape()[x.shape().len() - 1]);
        let (n, taps) = (sizes.len(), self.between.taps());
        let outputs = element_count(&shape[1..shape.len() - 1]);
        let elements = (0..element_count(&shape)).map(|index| {
            let (channel, pixel) = (index % channels, index / channels);
            let at: Vec<f32> = (0..n)
                .map(|axis| self.place(places[pixel * n + n - 1 - axis], sizes[axis]))
                .collect();
            let mut sum = 0.0;
            for combination in 0..taps.pow(n as u32) {
                let (mut rest, mut weight, mut source) = (combination, 1.0, Some(pixel / outputs));
                for axis in 0..n {
                    let tap = rest % taps;
                    rest /= taps;
                    let first = at[axis].floor();
                    weight *= f64::from(self.between.weights(at[axis] - first)[tap]);
                    let place = first as isize - self.between.before() + tap as isize;
                    let own = self.source(place, sizes[axis]);
                    source = source.zip(own).map(|(source, own)| source * sizes[axis] + own);
                }
                let element = source.map_or(0.0, |source| data[source * channels + channel]);
                sum += weight * f64::from(element);
            }
            Ok(Scalar::Float(x.file_type().round(sum as f32)))
        });
        Tensor::from_scalars(x.file_type(), shape.clone(), elements)
    }
}

impl GridSample {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            between: Between::ALL[file.below(Between::ALL.len(), origin)?],
            beyond: Beyond::ALL[file.below(Beyond::ALL.len(), origin)?],
            align_corners: file.flag(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    /// Results of onnx 1.23.2: `onnx.reference.ReferenceEvaluator` of a node `GridSample` of operator set 20, for
    /// three rows of the pixels [1, 2, 4, 8], at COLUMNS of the one in the middle.
    #[test]
    fn elements_are_those_of_onnx() {
        let floats = |shape: &[usize], data: &[f32]| {
            Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
        };
        let x = floats(&[1, 3, 4, 1], &[[1.0, 2.0, 4.0, 8.0]; 3].concat());
        let grid: Vec<f32> = COLUMNS.iter().flat_map(|&column| [column, 0.0]).collect();
        let grid = floats(&[1, 1, COLUMNS.len(), 2], &grid);
        for (between, beyond, align_corners, expected) in KNOWN {
            let op = GridSample {
                between,
                beyond,
                align_corners,
            };
            let result = op.evaluate(&[x.clone(), grid.clone()]).expect("pixels");
            for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
                assert!((y - expected).abs() < 1e-5, "{op:?}: {y} instead of {expected}");
            }
        }
    }

    const COLUMNS: [f32; 7] = [-1.0, -0.6, 0.1, 0.9, 1.0, -1.7, 2.3];

    const KNOWN: [(Between, Beyond, bool, [f32; 7]); 18] = [
        (
            Between::Nearest,
            Beyond::Zeros,
            false,
            [1.0, 1.0, 4.0, 8.0, 0.0, 0.0, 0.0],
        ),
        (
            Between::Nearest,
            Beyond::Zeros,
            true,
            [1.0, 2.0, 4.0, 8.0, 8.0, 0.0, 0.0],
        ),
        (
            Between::Nearest,
            Beyond::Edge,
            false,
            [1.0, 1.0, 4.0, 8.0, 8.0, 1.0, 8.0],
        ),
        (
            Between::Nearest,
            Beyond::Edge,
            true,
            [1.0, 2.0, 4.0, 8.0, 8.0, 1.0, 8.0],
        ),
        (
            Between::Nearest,
            Beyond::Reflection,
            false,
            [1.0, 1.0, 4.0, 8.0, 8.0, 2.0, 2.0],
        ),
        (
            Between::Nearest,
            Beyond::Reflection,
            true,
            [1.0, 2.0, 4.0, 8.0, 8.0, 2.0, 2.0],
        ),
        (
            Between::Linear,
            Beyond::Zeros,
            false,
            [0.5, 1.3, 3.4, 5.6, 4.0, 0.0, 0.0],
        ),
        (
            Between::Linear,
            Beyond::Zeros,
            true,
            [1.0, 1.6, 3.3, 7.4, 8.0, 0.0, 0.0],
        ),
        (
            Between::Linear,
            Beyond::Edge,
            false,
            [1.0, 1.3, 3.4, 8.0, 8.0, 1.0, 8.0],
        ),
        (
            Between::Linear,
            Beyond::Edge,
            true,
            [1.0, 1.6, 3.3, 7.4, 8.0, 1.0, 8.0],
        ),
        (
            Between::Linear,
            Beyond::Reflection,
            false,
            [1.0, 1.3, 3.4, 8.0, 8.0, 1.9, 1.9],
        ),
        (
            Between::Linear,
            Beyond::Reflection,
            true,
            [1.0, 1.6, 3.3, 7.4, 8.0, 2.1, 2.1],
        ),
        (
            Between::Cubic,
            Beyond::Zeros,
            false,
            [0.406_25, 1.294_75, 3.048_252, 6.209_002, 4.375, -0.006_75, 0.0],
        ),
        (
            Between::Cubic,
            Beyond::Zeros,
            true,
            [1.0, 1.467_999, 2.950_222, 8.168_188, 8.0, -0.033_844, -0.014_252],
        ),
        (
            Between::Cubic,
            Beyond::Edge,
            false,
            [0.906_25, 1.184_5, 3.048_252, 8.441, 8.375, 1.0, 8.0],
        ),
        (
            Between::Cubic,
            Beyond::Edge,
            true,
            [1.0, 1.395_999, 2.950_222, 7.517_937, 8.0, 1.0, 8.0],
        ),
        (
            Between::Cubic,
            Beyond::Reflection,
            false,
            [0.812_5, 1.184_5, 3.048_252, 8.630_001, 8.75, 1.796_501, 1.796_501],
        ),
        (
            Between::Cubic,
            Beyond::Reflection,
            true,
            [1.0, 1.323_999, 2.950_222, 7.843_062, 8.0, 2.105_34, 2.105_343],
        ),
    ];

    #[test]
    fn what_has_no_such_pixels_is_refused() {
        let of = |shape: &'static [usize]| TypeRef {
            element: Element::F32,
            shape,
        };
        let op = GridSample {
            between: Between::Linear,
            beyond: Beyond::Edge,
            align_corners: false,
        };
        let x = of(&[2, 4, 5, 3]);
        assert_eq!(
            op.infer(&[x, of(&[2, 7, 6, 2])]).expect("pixels").shape,
            [2, 7, 6, 3]
        );
        for operands in [
            vec![x],
            vec![x, of(&[1, 7, 6, 2])],
            vec![x, of(&[2, 7, 6, 3])],
            vec![x, of(&[2, 7, 2])],
            vec![of(&[2, 0, 5, 3]), of(&[2, 7, 6, 2])],
            vec![of(&[2, 1, 1, 1, 1, 3]), of(&[2, 1, 1, 1, 1, 4])],
        ] {
            assert!(op.infer(&operands).is_err(), "{operands:?}");
        }
    }
}
