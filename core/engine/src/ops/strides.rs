//! Where the elements of operands lie that belong to the elements of a result: operands that stretch to its shape, as NumPy
//! broadcasts them, and operands that are read at other places.
//!
//! Goes in: shapes, or strides. Comes out: nested loops over the result, as few as possible, and for each operand how many elements
//! a step of each loop moves. Axes that lie one behind the other in all operands become one loop, so tensors of equal
//! shapes are one run.

use crate::graph::{Shape, bounded_element_count};

/// The shape to which both operands stretch: aligned at their innermost axes, a size of 1 or a missing axis takes the
/// other's size.
///
/// # Errors
/// A sentence without a place, when two sizes differ and neither is 1, or the result is too large.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Shape, String> {
    let rank = a.len().max(b.len());
    let size =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let sizes = (0..rank).map(|axis| match (size(a, axis), size(b, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    });
    let shape: Option<Shape> = sizes.collect();
    shape
        .filter(|shape| bounded_element_count(shape).is_some())
        .ok_or_else(|| format!("shapes {a:?} and {b:?} stretch to no common one"))
}

/// Which element of an operand belongs to the element at `index` of the result to whose shape it stretches.
pub(super) fn source(mut index: usize, result: &[usize], operand: &[usize]) -> usize {
    let (mut place, mut step) = (0, 1);
    for (axis, &size) in result.iter().rev().enumerate() {
        let own = operand.iter().rev().nth(axis).copied().unwrap_or(1);
        if own != 1 {
            place += index % size * step;
            step *= own;
        }
        index /= size;
    }
    place
}

/// Nested loops over a result in its order in memory, the outermost first, on some operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loops<const N: usize> {
    /// Which element of each operand belongs to the first of the result.
    offsets: [usize; N],
    loops: Vec<Loop<N>>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop<const N: usize> {
    /// Its steps; more than one.
    pub size: usize,
    /// How many elements a step moves in each operand; 0 where it stays.
    pub strides: [isize; N],
}

impl<const N: usize> Loops<N> {
    /// The loops over a result of this shape, to which the operands stretch.
    pub fn new(result: &[usize], operands: [&[usize]; N]) -> Self {
        let mut axes = Vec::with_capacity(result.len());
        // From the innermost axis to the outermost.
        let mut steps = [1; N];
        for (from_the_end, &size) in result.iter().rev().enumerate() {
            let mut strides = [0; N];
            for ((stride, step), shape) in strides.iter_mut().zip(&mut steps).zip(operands) {
                let own = shape.iter().rev().nth(from_the_end).copied().unwrap_or(1);
                if own != 1 {
                    *stride = *step;
                    *step *= own as isize;
                }
            }
            axes.push(Loop { size, strides });
        }
        axes.reverse();
        Self::of_axes([0; N], &axes)
    }

    /// The loops over a result with these axes, the outermost first.
    pub fn of_axes(offsets: [usize; N], axes: &[Loop<N>]) -> Self {
        let mut loops: Vec<Loop<N>> = Vec::new();
        for &Loop { size, strides } in axes.iter().rev() {
            let continues =
                |inner: &Loop<N>| (0..N).all(|i| strides[i] == inner.strides[i] * inner.size as isize);
            match loops.last_mut() {
                _ if size == 1 => {}
                Some(inner) if continues(inner) => inner.size *= size,
                _ => loops.push(Loop { size, strides }),
            }
        }
        loops.reverse();
        Self { offsets, loops }
    }

    /// The innermost loop; a single step for a scalar.
    pub fn innermost(&self) -> Loop<N> {
        self.loops.last().copied().unwrap_or(Loop {
            size: 1,
            strides: [1; N],
        })
    }

    /// The two innermost loops, the outer one first, where there are two.
    pub fn two_innermost(&self) -> Option<[Loop<N>; 2]> {
        self.loops.last_chunk().copied()
    }

    /// Where pass number `run` of the innermost loop starts in each operand.
    #[inline]
    pub fn starts(&self, run: usize) -> [usize; N] {
        self.starts_of(run, 1)
    }

    /// Where pass number `run` of the innermost loops starts in each operand, if so many are one.
    #[inline]
    pub fn starts_of(&self, run: usize, loops: usize) -> [usize; N] {
        let (mut rest, mut starts) = (run, self.offsets);
        for &Loop { size, strides } in self.loops.iter().rev().skip(loops) {
            let step = rest % size;
            rest /= size;
            for (start, stride) in starts.iter_mut().zip(strides) {
                *start = start.wrapping_add_signed(step as isize * stride);
            }
        }
        starts
    }

    /// Where the element at `index` of the result lies in each operand.
    #[inline]
    pub fn at(&self, index: usize) -> [usize; N] {
        let Loop { size, strides } = self.innermost();
        let (run, step) = match self.loops.len() {
            0 | 1 => (0, index),
            _ => (index / size, index % size),
        };
        let mut place = self.starts(run);
        for (place, stride) in place.iter_mut().zip(strides) {
            *place = place.wrapping_add_signed(step as isize * stride);
        }
        place
    }

    /// Whether operand number `operand` can be read in units of `lanes` elements along the innermost loop: they lie one
    /// behind the other, or are one.
    pub fn allow(&self, operand: usize, lanes: usize) -> bool {
        let innermost = self.innermost();
        let outer = &self.loops[..self.loops.len().saturating_sub(1)];
        innermost.size.is_multiple_of(lanes)
            && match innermost.strides[operand] {
                0 => true,
                1 => {
                    self.offsets[operand].is_multiple_of(lanes)
                        && outer
                            .iter()
                            .all(|level| level.strides[operand].unsigned_abs().is_multiple_of(lanes))
                }
                _ => false,
            }
    }

    /// WGSL: where operand number `operand` has what belongs to the element at `index` of the result, both counted in
    /// units of `lanes` elements along the innermost loop.
    pub fn wgsl(&self, operand: usize, index: &str, lanes: usize) -> String {
        // An operand that is read in units counts them along every other loop too.
        let unit = if self.innermost().strides[operand] == 0 {
            1
        } else {
            lanes
        };
        let mut place = String::new();
        let mut add = |is_forward: bool, term: &str| {
            let sign = match (place.is_empty(), is_forward) {
                // Words of a shader wrap around, so that what is taken away first is given back.
                (true, false) => "0u - ",
                (true, true) => "",
                (false, true) => " + ",
                (false, false) => " - ",
            };
            place.push_str(sign);
            place.push_str(term);
        };
        if self.offsets[operand] != 0 {
            add(true, &format!("{}u", self.offsets[operand] / unit));
        }
        let mut below = 1;
        for (level, &Loop { size, strides }) in self.loops.iter().enumerate().rev() {
            let is_innermost = level + 1 == self.loops.len();
            let (size, by) = if is_innermost {
                (size / lanes, 1)
            } else {
                (size, unit)
            };
            let mut coordinate = match below {
                1 => index.to_owned(),
                below => format!("{index} / {below}u"),
            };
            if level > 0 {
                coordinate = format!("{coordinate} % {size}u");
            }
            let stride = strides[operand];
            match stride.unsigned_abs() / by {
                0 => {}
                1 => add(stride > 0, &format!("({coordinate})")),
                distance => add(stride > 0, &format!("({coordinate}) * {distance}u")),
            }
            below *= size;
        }
        match place.is_empty() {
            true => "0u".into(),
            false => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_stretch_as_numpys_do() {
        type Sizes = &'static [usize];
        let cases: [(Sizes, Sizes, Option<Sizes>); 8] = [
            (&[], &[], Some(&[])),
            (&[3], &[], Some(&[3])),
            (&[2, 3], &[3], Some(&[2, 3])),
            (&[2, 1], &[4], Some(&[2, 4])),
            (&[1], &[0], Some(&[0])),
            (&[2, 3], &[2], None),
            (&[0], &[2], None),
            (&[1 << 20, 1], &[1 << 20], None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(broadcast(a, b).ok().as_deref(), expected, "{a:?} and {b:?}");
            assert_eq!(broadcast(b, a).ok().as_deref(), expected, "{b:?} and {a:?}");
        }
    }

    #[test]
    fn axes_that_lie_one_behind_the_other_are_one_loop() {
        let loops = |result: &[usize], a: &[usize], b: &[usize]| -> Vec<(usize, [isize; 2])> {
            let loops = Loops::new(result, [a, b]);
            let loops = loops.loops.iter();
            loops.map(|level| (level.size, level.strides)).collect()
        };
        assert_eq!(loops(&[2, 3, 4], &[2, 3, 4], &[2, 3, 4]), [(24, [1, 1])]);
        assert_eq!(loops(&[2, 3, 4], &[2, 3, 4], &[]), [(24, [1, 0])]);
        assert_eq!(loops(&[2, 3, 4], &[2, 3, 4], &[4]), [(6, [4, 0]), (4, [1, 1])]);
        assert_eq!(
            loops(&[2, 3, 4], &[3, 4], &[2, 1, 1]),
            [(2, [0, 1]), (12, [1, 0])]
        );
        assert_eq!(loops(&[1, 1], &[1], &[1, 1]), []);
    }
}
