//! One number of each window over a tensor: pools.
//!
//! Definitions follow the ONNX operators `MaxPool`, `AveragePool` and `LpPool`, up to opset 22 (onnx.ai/onnx/operators).
//! A window says for each axis how it goes along it, so it makes no difference in which order the axes lie.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// One number of each window; inputs `[x]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Which number.
    pub f: Pool,
    /// How windows go along each axis of x.
    pub slides: Vec<Slide>,
}

/// A number of what a window covers.
#[derive(Clone, Debug, PartialEq)]
pub enum Pool {
    /// The greatest element; of any kind but bool.
    Max,
    /// Where the greatest element stands, as i32: the sum over all axes of its coordinate times what a step there counts.
    /// Of equal ones, the first.
    MaxPlace {
        /// What a step along each axis counts.
        steps: Vec<usize>,
    },
    /// The mean; of f32.
    Average {
        /// Whether the border counts, as zeros.
        border_counts: bool,
    },
    /// The p-th root of the sum of |x|^p; of f32.
    Power(f32),
}

/// How windows go along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Elements that a window covers.
    pub window: usize,
    /// From one window to the next.
    pub stride: usize,
    /// From one element of a window to the next.
    pub dilation: usize,
    /// Border before the first element, in which the first window begins. It is never the greatest.
    pub before: usize,
    /// Border behind the last element, which counts where borders do. A window may go beyond it.
    pub after: usize,
    /// Windows.
    pub count: usize,
}

/// No number of a slide is greater, so that places along an axis have room in an i32.
const MOST: usize = 1 << 28;

impl Slide {
    /// Each of so many elements is a window.
    pub fn still(count: usize) -> Self {
        Self {
            window: 1,
            stride: 1,
            dilation: 1,
            before: 0,
            after: 0,
            count,
        }
    }

    /// Whether each element of an axis of this size is a window.
    fn is_still(self, size: usize) -> bool {
        self == Self::still(size)
    }

    /// The place along the axis, which may lie in the border, of element `tap` of a window.
    fn place(self, output: usize, tap: usize) -> isize {
        (output * self.stride + tap * self.dilation) as isize - self.before as isize
    }

    /// Which elements of a window lie before place `end`, from place 0 on or, with the border, from the first on.
    fn taps(self, output: usize, end: usize, border: bool) -> std::ops::Range<usize> {
        let start = self.place(output, 0);
        let first = match border {
            true => 0,
            false => ((-start).max(0) as usize).div_ceil(self.dilation),
        };
        let reach = (end as isize - start).max(0) as usize;
        first..self.window.min(reach.div_ceil(self.dilation)).max(first)
    }

    /// Whether every window covers an element of an axis of this size, and all places have room in an i32.
    fn fits(self, size: usize) -> bool {
        let numbers = [self.window, self.stride, self.dilation, self.before, self.after];
        let is_possible = self.window > 0 && self.stride > 0 && self.dilation > 0;
        let are_small = numbers.into_iter().chain([self.count, size]).all(|n| n <= MOST);
        let reaches = |steps: usize, step: usize| steps.checked_mul(step).is_some_and(|reach| reach <= MOST);
        is_possible
            && are_small
            && reaches(self.count, self.stride)
            && reaches(self.window, self.dilation)
            && (0..self.count).all(|output| !self.taps(output, size, false).is_empty())
    }
}

impl Window {
    fn shape(&self, x: &[usize]) -> Result<Shape, String> {
        let refused = || format!("{} of shape {x:?} by {:?}", self.name(), self.slides);
        if self.slides.len() != x.len() || bounded_element_count(x).is_none() {
            return Err(refused());
        }
        let shape: Shape = self.slides.iter().map(|slide| slide.count).collect();
        let reads = bounded_element_count(&shape).is_some_and(|elements| elements > 0);
        let fits = self.slides.iter().zip(x).all(|(slide, &size)| slide.fits(size));
        let is_possible = match &self.f {
            Pool::Max | Pool::Average { .. } => true,
            Pool::MaxPlace { steps } => {
                let last = steps.iter().zip(x).try_fold(0usize, |sum, (&step, &size)| {
                    sum.checked_add(step.checked_mul(size.saturating_sub(1))?)
                });
                steps.len() == x.len() && last.is_some_and(|last| last <= MOST)
            }
            Pool::Power(p) => p.is_finite() && *p > 0.0,
        };
        match bounded_element_count(&shape) {
            Some(_) if is_possible && (fits || !reads) => Ok(shape),
            _ => Err(refused()),
        }
    }

    /// Elements that a window covers at most.
    pub(crate) fn taps(&self) -> usize {
        let sizes = self.slides.iter().map(|slide| slide.window);
        sizes.fold(1usize, usize::saturating_mul)
    }
}

impl Family for Window {
    fn name(&self) -> &'static str {
        match self.f {
            Pool::Max => "MaxPool",
            Pool::MaxPlace { .. } => "MaxPoolPlaces",
            Pool::Average { .. } => "AveragePool",
            Pool::Power(_) => "LpPool",
        }
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let is_taken = match self.f {
            Pool::Max | Pool::MaxPlace { .. } => x.element != Element::Bool,
            Pool::Average { .. } | Pool::Power(_) => x.element == Element::F32,
        };
        if !is_taken {
            return Err(format!("{} of {}", self.name(), x.element));
        }
        let element = match self.f {
            Pool::MaxPlace { .. } => Element::I32,
            _ => x.element,
        };
        let shape = self.shape(x.shape)?;
        Ok(Type { element, shape })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        match &self.f {
            Pool::Max => file.number(0),
            Pool::MaxPlace { steps } => {
                file.number(1);
                file.numbers(steps);
            }
            Pool::Average { border_counts } => {
                file.number(2);
                file.number(usize::from(*border_counts));
            }
            Pool::Power(p) => {
                file.number(3);
                file.float(*p);
            }
        }
        file.number(self.slides.len());
        for slide in &self.slides {
            let &Slide {
                window,
                stride,
                dilation,
                before,
                after,
                count,
            } = slide;
            [window, stride, dilation, before, after, count]
                .into_iter()
                .for_each(|number| file.number(number));
        }
    }
}

impl Definition for Window {
    /// Places are of [`FileType::I64`], as in files.
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = TypeRef {
            element: x.file_type().element().unwrap_or_default(),
            shape: x.shape(),
        };
        let shape = self.infer(&[of])?.shape;
        let to = match self.f {
            Pool::MaxPlace { .. } => FileType::I64,
            _ => x.file_type(),
        };
        let elements = (0..element_count(&shape)).map(|index| {
            let covered = self.covered(index, x.shape());
            let element = self.number(x, &covered);
            element.ok_or_else(|| format!("{} of {}", self.name(), x.file_type()))
        });
        Tensor::from_scalars(to, shape.clone(), elements)
    }
}

/// What a window covers: for each of its places its coordinates, or `None` in the border or beyond.
struct Covered {
    inside: Vec<Vec<usize>>,
    in_border: usize,
}

impl Window {
    /// What a window covers of a tensor of shape `x`, by going through all its places.
    fn covered(&self, index: usize, x: &[usize]) -> Covered {
        let mut output = vec![0; x.len()];
        let mut rest = index;
        for (axis, slide) in self.slides.iter().enumerate().rev() {
            output[axis] = rest % slide.count;
            rest /= slide.count;
        }
        let (mut inside, mut in_border) = (Vec::new(), 0);
        for tap in 0..self.taps() {
            let (mut rest, mut places) = (tap, vec![0; x.len()]);
            for (axis, slide) in self.slides.iter().enumerate().rev() {
                places[axis] = slide.place(output[axis], rest % slide.window);
                rest /= slide.window;
            }
            let along = || places.iter().zip(x).zip(&self.slides);
            if along().all(|((&place, &size), _)| (0..size as isize).contains(&place)) {
                inside.push(places.iter().map(|place| place.unsigned_abs()).collect());
            } else if along().all(|((&place, &size), slide)| place < (size + slide.after) as isize) {
                in_border += 1;
            }
        }
        Covered { inside, in_border }
    }

    fn number(&self, x: &Tensor, covered: &Covered) -> Option<Scalar> {
        let at = |places: &Vec<usize>| {
            let sizes = x.shape().iter().zip(places);
            x.get(sizes.fold(0, |sum, (size, place)| sum * size + place))
        };
        let mut best = None;
        for places in &covered.inside {
            let is_better = match (at(places)?, best) {
                (_, None) => true,
                (x, Some((best, _))) => is_greater(x, best)?,
            };
            if is_better {
                best = Some((at(places)?, places));
            }
        }
        let floats = || {
            covered.inside.iter().map(|places| match at(places) {
                Some(Scalar::Float(x)) => Some(f64::from(x)),
                _ => None,
            })
        };
        let round = |y: f64| Scalar::Float(x.file_type().round(y as f32));
        match &self.f {
            Pool::Max => best.map(|(x, _)| x),
            Pool::MaxPlace { steps } => {
                let (_, places) = best?;
                let place: usize = places.iter().zip(steps).map(|(place, step)| place * step).sum();
                Some(Scalar::Int(place as i64))
            }
            Pool::Average { border_counts } => {
                let counted = if *border_counts { covered.in_border } else { 0 };
                let sum: f64 = floats().sum::<Option<f64>>()?;
                Some(round(sum / (covered.inside.len() + counted) as f64))
            }
            Pool::Power(p) => {
                let p = f64::from(*p);
                let sum: f64 = floats().map(|x| Some(x?.abs().powf(p))).sum::<Option<f64>>()?;
                Some(round(sum.powf(1.0 / p)))
            }
        }
    }
}

/// Whether x is the greater of two of a kind. What is not a number is beyond every number, as in NumPy.
fn is_greater(x: Scalar, best: Scalar) -> Option<bool> {
    match (x, best) {
        (Scalar::Float(x), Scalar::Float(best)) => Some(x > best || (x.is_nan() && !best.is_nan())),
        (Scalar::Int(x), Scalar::Int(best)) => Some(x > best),
        _ => None,
    }
}

impl Window {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let f = match file.below(4, origin)? {
            0 => Pool::Max,
            1 => Pool::MaxPlace {
                steps: file.numbers(origin)?,
            },
            2 => Pool::Average {
                border_counts: file.flag(origin)?,
            },
            _ => Pool::Power(file.float(origin)?),
        };
        let slides = (0..file.count(origin)?).map(|_| {
            Ok(Slide {
                window: file.number(origin)?,
                stride: file.number(origin)?,
                dilation: file.number(origin)?,
                before: file.number(origin)?,
                after: file.number(origin)?,
                count: file.number(origin)?,
            })
        });
        let slides = slides.collect::<Result<_, ModelError>>()?;
        Ok(Self { f, slides })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    fn floats(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
    }

    fn slide(window: usize, stride: usize, dilation: usize, border: [usize; 2], count: usize) -> Slide {
        Slide {
            window,
            stride,
            dilation,
            before: border[0],
            after: border[1],
            count,
        }
    }

    /// Results of onnx 1.23.2 for `x = [[1, -2, 3, 4], [8, 7, -6, 5], [0, 9, 2, 2]]`:
    /// `onnx.reference.ReferenceEvaluator(node).run(None, {"x": x[None, None]})` of a node with these attributes.
    #[test]
    fn numbers_are_those_of_onnx() {
        let x = floats(
            &[3, 4],
            &[1.0, -2.0, 3.0, 4.0, 8.0, 7.0, -6.0, 5.0, 0.0, 9.0, 2.0, 2.0],
        );
        // kernel_shape [2, 3], strides [1, 2], pads [1, 1, 0, 0]
        let slides = vec![slide(2, 1, 1, [1, 0], 3), slide(3, 2, 1, [1, 0], 2)];
        let cases: [(Pool, [f32; 6]); 5] = [
            (Pool::Max, [1.0, 4.0, 8.0, 7.0, 9.0, 9.0]),
            (
                Pool::Average { border_counts: false },
                [-0.5, 5.0 / 3.0, 3.5, 11.0 / 6.0, 6.0, 19.0 / 6.0],
            ),
            (
                Pool::Average { border_counts: true },
                [-1.0 / 6.0, 5.0 / 6.0, 14.0 / 6.0, 11.0 / 6.0, 4.0, 19.0 / 6.0],
            ),
            (Pool::Power(1.0), [3.0, 9.0, 18.0, 27.0, 24.0, 31.0]),
            (
                Pool::Power(2.0),
                [
                    2.236_068, 5.385_165, 10.862_78, 11.789_826, 13.928_389, 14.106_736,
                ],
            ),
        ];
        for (f, expected) in cases {
            let window = Window {
                f,
                slides: slides.clone(),
            };
            let result = window.evaluate(std::slice::from_ref(&x)).expect("a pool");
            assert_eq!(result.shape(), [3, 2]);
            for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
                assert!(
                    (y - expected).abs() <= 1e-6 * expected.abs(),
                    "{window:?}: {y}, {expected}"
                );
            }
        }
        let place = |steps: [usize; 2]| {
            let window = Window {
                f: Pool::MaxPlace {
                    steps: steps.to_vec(),
                },
                slides: slides.clone(),
            };
            let result = window.evaluate(std::slice::from_ref(&x)).expect("places");
            result.ints().expect("integers").into_owned()
        };
        assert_eq!(place([4, 1]), [0, 3, 4, 5, 9, 9]);
        assert_eq!(place([1, 3]), [0, 9, 1, 4, 5, 5]);
    }

    /// By hand: a window that reaches beyond the border counts what lies within it.
    #[test]
    fn what_lies_beyond_the_border_never_counts() {
        let x = floats(&[5], &[1.0, 2.0, 3.0, 4.0, 6.0]);
        let of = |border_counts: bool, slide: Slide| {
            let f = Pool::Average { border_counts };
            let window = Window {
                f,
                slides: vec![slide],
            };
            let result = window.evaluate(std::slice::from_ref(&x)).expect("a pool");
            result.floats().expect("f32").into_owned()
        };
        // Windows of three begin at -1 and 2.
        let reaching = slide(3, 3, 1, [1, 1], 2);
        assert_eq!(of(true, reaching), [1.0, 13.0 / 3.0]);
        assert_eq!(of(false, reaching), [1.5, 13.0 / 3.0]);
        // The second window covers the last two elements, one of the border, and one place beyond.
        let beyond = slide(4, 3, 1, [0, 1], 2);
        assert_eq!(of(true, beyond), [2.5, 10.0 / 3.0]);
        assert_eq!(of(false, beyond), [2.5, 5.0]);
        let apart = slide(3, 1, 2, [1, 1], 3);
        assert_eq!(of(true, apart), [2.0, 10.0 / 3.0, 2.0]);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let of = |element: Element| TypeRef { element, shape: &[5] };
        let max = |slide: Slide| Window {
            f: Pool::Max,
            slides: vec![slide],
        };
        assert!(max(slide(3, 1, 1, [1, 1], 5)).infer(&[of(Element::I32)]).is_ok());
        for wrong in [
            slide(0, 1, 1, [0, 0], 5),
            slide(3, 0, 1, [0, 0], 1),
            slide(3, 1, 0, [0, 0], 3),
            // The last begins behind the last element, the first ends before the first.
            slide(1, 1, 1, [0, 1], 6),
            slide(2, 1, 1, [2, 0], 6),
            slide(usize::MAX, 1, 1, [0, 0], 1),
            slide(3, 1, usize::MAX, [0, 0], 1),
            slide(1, 1, 1, [0, 0], MOST + 1),
        ] {
            assert!(max(wrong).infer(&[of(Element::F32)]).is_err(), "{wrong:?}");
        }
        let good = slide(3, 1, 1, [0, 0], 3);
        assert!(max(good).infer(&[of(Element::Bool)]).is_err() && max(good).infer(&[]).is_err());
        for f in [
            Pool::Power(0.0),
            Pool::Power(f32::NAN),
            Pool::MaxPlace { steps: vec![] },
            Pool::MaxPlace {
                steps: vec![usize::MAX],
            },
        ] {
            let window = Window {
                f,
                slides: vec![good],
            };
            assert!(window.infer(&[of(Element::F32)]).is_err(), "{window:?}");
        }
    }
}
