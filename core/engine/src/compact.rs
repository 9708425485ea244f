//! f32 numbers kept in fewer bytes: as binary16 or as 8-bit codes, and of tensors with many zeros only the rest.
//!
//! Weights of a graph file stay in this form until a kernel packs them. Widening them all at once would fill twice the
//! memory of the packed weights, and memory that is touched for the first time costs more than the arithmetic: for two
//! models a tenth of a start.

use std::sync::Arc;

use crate::half::widen;

/// Elements that are spread at once. A browser optimises a function after many calls and never in the middle of one, so
/// the loop over a whole tensor would run slow code to its end.
const BLOCK: usize = 512;

/// A tensor of f32 elements, all of which binary16 holds exactly or codes stand for.
#[derive(Clone, Debug)]
pub struct Compact {
    len: usize,
    /// One bit for each element, lowest first: whether it is kept. None where all are.
    mask: Option<Arc<[u8]>>,
    /// All others are zero.
    kept: Kept,
}

/// The elements that are kept, in their order.
#[derive(Clone, Debug)]
enum Kept {
    /// Little-endian binary16.
    Halves(Arc<[[u8; 2]]>),
    /// Multiples of a step.
    Codes(Arc<[i8]>, Steps),
}

/// What one unit of a code is worth: a number for each channel.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Little-endian binary16, a step for each channel.
    pub sizes: Arc<[[u8; 2]]>,
    /// How many elements lie between two places where the channel changes; it starts again after the last.
    pub run: usize,
}

impl Steps {
    /// Whether channels divide `len` elements without a rest.
    fn suit(&self, len: usize) -> bool {
        let cycle = self.run.checked_mul(self.sizes.len());
        cycle.is_some_and(|cycle| cycle > 0 && len.is_multiple_of(cycle))
    }

    fn to_f32(&self) -> Vec<f32> {
        let mut sizes = vec![0.0; self.sizes.len()];
        widen(&self.sizes, &mut sizes);
        sizes
    }
}

impl Compact {
    /// Keeps every element.
    pub fn dense(elements: &[[u8; 2]]) -> Self {
        Self {
            len: elements.len(),
            mask: None,
            kept: Kept::Halves(elements.into()),
        }
    }

    /// `len` elements of which `mask` names those that are kept; `None` where it does not name as many as there are in
    /// `kept`, or one beyond the end.
    pub fn sparse(len: usize, mask: &[u8], kept: &[[u8; 2]]) -> Option<Self> {
        names(mask, len, kept.len()).then(|| Self {
            len,
            mask: Some(mask.into()),
            kept: Kept::Halves(kept.into()),
        })
    }

    /// `len` elements that are codes times the step of their channel; all of them, or those that `mask` names. `None`
    /// where their numbers do not fit together.
    pub fn coded(len: usize, mask: Option<&[u8]>, codes: &[i8], steps: Steps) -> Option<Self> {
        let fits = mask.map_or(codes.len() == len, |mask| names(mask, len, codes.len()));
        (fits && steps.suit(len)).then(|| Self {
            len,
            mask: mask.map(Into::into),
            kept: Kept::Codes(codes.into(), steps),
        })
    }

    /// How many elements a mask names.
    pub fn count(mask: &[u8]) -> usize {
        mask.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// The part of the elements that is kept.
    pub fn density(&self) -> f64 {
        let kept = match &self.kept {
            Kept::Halves(halves) => halves.len(),
            Kept::Codes(codes, _) => codes.len(),
        };
        kept as f64 / self.len as f64
    }

    /// One bit for each element, lowest first: whether it is kept. None where all are.
    pub fn mask(&self) -> Option<&[u8]> {
        self.mask.as_deref()
    }

    /// The codes and what they are worth, when these are the form.
    pub fn codes(&self) -> Option<(&[i8], &Steps)> {
        match &self.kept {
            Kept::Halves(_) => None,
            Kept::Codes(codes, steps) => Some((codes, steps)),
        }
    }

    /// The kept elements.
    pub fn kept(&self) -> Vec<f32> {
        let (codes, steps) = match &self.kept {
            Kept::Halves(halves) => {
                let mut kept = vec![0.0; halves.len()];
                widen(halves, &mut kept);
                return kept;
            }
            Kept::Codes(codes, steps) => (codes, steps),
        };
        let sizes = steps.to_f32();
        let mut kept = Vec::with_capacity(codes.len());
        let mut codes = &codes[..];
        for (run, &size) in (0..self.len / steps.run).zip(sizes.iter().cycle()) {
            let n_kept = match &self.mask {
                Some(mask) => count_between(mask, run * steps.run, (run + 1) * steps.run),
                None => steps.run,
            };
            let (these, rest) = codes.split_at(n_kept);
            kept.extend(these.iter().map(|&code| f32::from(code) * size));
            codes = rest;
        }
        kept
    }

    /// All elements.
    pub fn to_f32(&self) -> Vec<f32> {
        let kept = self.kept();
        let Some(mask) = &self.mask else { return kept };
        let mut dense = vec![0.0; self.len];
        let mut rest = &kept[..];
        for (mask, dense) in mask.chunks(BLOCK / 8).zip(dense.chunks_mut(BLOCK)) {
            rest = spread(mask, rest, dense);
        }
        dense
    }
}

/// Whether a mask of `len` elements names exactly `count` of them, and none beyond the end.
fn names(mask: &[u8], len: usize, count: usize) -> bool {
    let beyond = mask.last().is_some_and(|&last| match len % 8 {
        0 => false,
        used => last >> used != 0,
    });
    mask.len() == len.div_ceil(8) && !beyond && Compact::count(mask) == count
}

/// How many elements a mask names from one place on up to another.
fn count_between(mask: &[u8], from: usize, to: usize) -> usize {
    let (first, last) = (from / 8, to / 8);
    // Those of the byte at `place` that lie before it.
    let before = |place: usize| match place % 8 {
        0 => 0,
        bits => (mask[place / 8] & ((1 << bits) - 1)).count_ones() as usize,
    };
    Compact::count(&mask[first..last]) + before(to) - before(from)
}

/// Moves elements to the places that `mask` names, and gives those that are left.
#[inline(never)]
fn spread<'a>(mask: &[u8], mut kept: &'a [f32], dense: &mut [f32]) -> &'a [f32] {
    for (&bits, eight) in mask.iter().zip(dense.chunks_mut(8)) {
        let mut bits = bits;
        while bits != 0 {
            if let (Some(place), Some((&first, rest))) =
                (eight.get_mut(bits.trailing_zeros() as usize), kept.split_first())
            {
                *place = first;
                kept = rest;
            }
            bits &= bits - 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: [u8; 2] = [0x00, 0x3c];
    const TWO: [u8; 2] = [0x00, 0x40];

    #[test]
    fn elements_come_to_the_places_that_the_mask_names() {
        let dense = Compact::dense(&[ONE, TWO]);
        assert_eq!(dense.to_f32(), [1.0, 2.0]);
        let sparse = Compact::sparse(10, &[0b1000_0001, 0b10], &[ONE, TWO, ONE]).expect("it fits");
        assert_eq!(
            sparse.to_f32(),
            [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 1.0]
        );
        let len = 3 * BLOCK + 5;
        let mask: Vec<u8> = (0..len.div_ceil(8))
            .map(|byte| if byte % 3 == 0 { 0x10 } else { 0 })
            .collect();
        let kept = vec![TWO; Compact::count(&mask)];
        let many = Compact::sparse(len, &mask, &kept).expect("it fits").to_f32();
        let expected: Vec<f32> = (0..len).map(|i| if i % 24 == 4 { 2.0 } else { 0.0 }).collect();
        assert_eq!(many, expected);
    }

    #[test]
    fn masks_that_do_not_fit_are_refused() {
        assert!(
            Compact::sparse(10, &[0, 0b100], &[ONE]).is_none(),
            "beyond the end"
        );
        assert!(Compact::sparse(10, &[1], &[ONE]).is_none(), "too short");
        assert!(
            Compact::sparse(8, &[0b11], &[ONE]).is_none(),
            "more places than elements"
        );
    }

    #[test]
    fn codes_are_multiples_of_the_step_of_their_channel() {
        let steps = |sizes: &[[u8; 2]], run| Steps {
            sizes: sizes.into(),
            run,
        };
        let rows = Compact::coded(6, None, &[1, -2, 3, 4, 0, -128], steps(&[ONE, TWO], 3)).expect("it fits");
        assert_eq!(rows.to_f32(), [1.0, -2.0, 3.0, 8.0, 0.0, -256.0]);
        let columns = Compact::coded(6, None, &[1, 1, 2, 2, 3, 3], steps(&[ONE, TWO], 1)).expect("it fits");
        assert_eq!(columns.to_f32(), [1.0, 2.0, 2.0, 4.0, 3.0, 6.0]);
        // Channels change within a byte of the mask, after one, and between runs that keep nothing.
        for run in [1, 3, 5, 8, 11] {
            let len = 8 * run;
            let is_kept = |place: usize| place % 3 == 1 && place / run != 1;
            let mask: Vec<u8> = (0..len.div_ceil(8))
                .map(|byte| {
                    (0..8).fold(0, |bits, bit| {
                        let place = 8 * byte + bit;
                        bits | u8::from(place < len && is_kept(place)) << bit
                    })
                })
                .collect();
            let codes: Vec<i8> = (0..len)
                .filter(|&place| is_kept(place))
                .map(|place| place as i8)
                .collect();
            let sparse = Compact::coded(len, Some(&mask), &codes, steps(&[ONE, TWO], run)).expect("it fits");
            let expected: Vec<f32> = (0..len)
                .map(|place| match (is_kept(place), place / run % 2) {
                    (false, _) => 0.0,
                    (true, 0) => place as f32,
                    (true, _) => 2.0 * place as f32,
                })
                .collect();
            assert_eq!(sparse.to_f32(), expected, "runs of {run}");
        }
    }

    #[test]
    fn codes_that_do_not_fit_are_refused() {
        let coded = |len, mask, codes: &[i8], sizes: &[[u8; 2]], run| {
            let sizes = sizes.into();
            Compact::coded(len, mask, codes, Steps { sizes, run }).is_some()
        };
        assert!(coded(4, None, &[0; 4], &[ONE, ONE], 2));
        assert!(!coded(4, None, &[0; 3], &[ONE, ONE], 2), "too few");
        assert!(
            !coded(4, None, &[0; 4], &[ONE, ONE, ONE], 1),
            "a channel is cut off"
        );
        assert!(!coded(4, None, &[0; 4], &[], 4), "no channels");
        assert!(!coded(4, None, &[0; 4], &[ONE], 0), "empty runs");
        assert!(
            !coded(4, None, &[0; 4], &[ONE, ONE], usize::MAX),
            "runs without end"
        );
        assert!(
            !coded(4, Some(&[0b11]), &[0; 4], &[ONE], 4),
            "fewer places than codes"
        );
    }
}
