//! Where the elements of operands lie that stretch to the shape of a result, as NumPy broadcasts them.
//!
//! Goes in: shapes. Comes out: nested loops over the result, as few as possible, and for each operand how many elements
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

/// Nested loops over a result in its order in memory, the outermost first, on two operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loops(pub Vec<Loop>);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Its steps; more than one.
    pub size: usize,
    /// How many elements a step moves in each operand; 0 where it stays.
    pub strides: [usize; 2],
}

impl Loops {
    /// The loops over a result of this shape, to which the operands stretch.
    pub fn new(result: &[usize], operands: [&[usize]; 2]) -> Self {
        let mut loops: Vec<Loop> = Vec::new();
        // From the innermost axis to the outermost.
        let mut steps = [1; 2];
        for (from_the_end, &size) in result.iter().rev().enumerate() {
            let mut strides = [0; 2];
            for ((stride, step), shape) in strides.iter_mut().zip(&mut steps).zip(operands) {
                let own = shape.iter().rev().nth(from_the_end).copied().unwrap_or(1);
                if own != 1 {
                    *stride = *step;
                    *step *= own;
                }
            }
            let continues = |inner: &Loop| (0..2).all(|i| strides[i] == inner.strides[i] * inner.size);
            match loops.last_mut() {
                _ if size == 1 => {}
                Some(inner) if continues(inner) => inner.size *= size,
                _ => loops.push(Loop { size, strides }),
            }
        }
        loops.reverse();
        Self(loops)
    }

    /// The innermost loop; a single step for a scalar.
    pub fn innermost(&self) -> Loop {
        self.0.last().copied().unwrap_or(Loop {
            size: 1,
            strides: [1; 2],
        })
    }

    /// Where pass number `run` of the innermost loop starts in each operand.
    #[inline]
    pub fn starts(&self, run: usize) -> [usize; 2] {
        let (mut rest, mut starts) = (run, [0; 2]);
        for &Loop { size, strides } in self.0.iter().rev().skip(1) {
            let step = rest % size;
            rest /= size;
            starts = [starts[0] + step * strides[0], starts[1] + step * strides[1]];
        }
        starts
    }

    /// WGSL: where operand number `operand` has what belongs to the element at `index` of the result, both counted in
    /// units of `lanes` elements along the innermost loop.
    pub fn wgsl(&self, operand: usize, index: &str, lanes: usize) -> String {
        let mut terms = Vec::new();
        let mut below = 1;
        for (level, &Loop { size, strides }) in self.0.iter().enumerate().rev() {
            let is_innermost = level + 1 == self.0.len();
            let size = if is_innermost { size / lanes } else { size };
            let stride = match strides[operand] {
                // An operand that is read in units counts them along every other loop too.
                stride if !is_innermost && self.innermost().strides[operand] != 0 => stride / lanes,
                stride => stride,
            };
            let mut coordinate = match below {
                1 => index.to_owned(),
                below => format!("{index} / {below}u"),
            };
            if level > 0 {
                coordinate = format!("{coordinate} % {size}u");
            }
            match stride {
                0 => {}
                1 => terms.push(format!("({coordinate})")),
                stride => terms.push(format!("({coordinate}) * {stride}u")),
            }
            below *= size;
        }
        match terms.is_empty() {
            true => "0u".into(),
            false => terms.join(" + "),
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
        let loops = |result: &[usize], a: &[usize], b: &[usize]| -> Vec<(usize, [usize; 2])> {
            let loops = Loops::new(result, [a, b]);
            loops.0.iter().map(|level| (level.size, level.strides)).collect()
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
