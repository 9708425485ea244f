//! f32 numbers kept in fewer bytes without loss: as binary16, and of tensors with many zeros only the rest.
//!
//! Weights of a graph file stay in this form until a kernel packs them. Widening them all at once would fill twice the
//! memory of the packed weights, and memory that is touched for the first time costs more than the arithmetic: for two
//! models a tenth of a start.

use std::sync::Arc;

use crate::half::widen;

/// Elements that are spread at once. A browser optimises a function after many calls and never in the middle of one, so
/// the loop over a whole tensor would run slow code to its end.
const BLOCK: usize = 512;

/// A tensor of f32 elements, all of which binary16 holds exactly.
#[derive(Clone, Debug)]
pub struct Compact {
    len: usize,
    /// One bit for each element, lowest first: whether it is kept. None where all are.
    mask: Option<Arc<[u8]>>,
    /// The kept elements, little-endian; all others are zero.
    kept: Arc<[[u8; 2]]>,
}

impl Compact {
    /// Keeps every element.
    pub fn dense(elements: &[[u8; 2]]) -> Self {
        Self {
            len: elements.len(),
            mask: None,
            kept: elements.into(),
        }
    }

    /// `len` elements of which `mask` names those that are kept; `None` where it does not name as many as there are in
    /// `kept`, or one beyond the end.
    pub fn sparse(len: usize, mask: &[u8], kept: &[[u8; 2]]) -> Option<Self> {
        let beyond = mask.last().is_some_and(|&last| match len % 8 {
            0 => false,
            used => last >> used != 0,
        });
        let fits = mask.len() == len.div_ceil(8) && !beyond && Self::count(mask) == kept.len();
        fits.then(|| Self {
            len,
            mask: Some(mask.into()),
            kept: kept.into(),
        })
    }

    /// How many elements a mask names.
    pub fn count(mask: &[u8]) -> usize {
        mask.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// The part of the elements that is kept.
    pub fn density(&self) -> f64 {
        self.kept.len() as f64 / self.len as f64
    }

    /// One bit for each element, lowest first: whether it is kept. None where all are.
    pub fn mask(&self) -> Option<&[u8]> {
        self.mask.as_deref()
    }

    /// The kept elements.
    pub fn kept(&self) -> Vec<f32> {
        let mut kept = vec![0.0; self.kept.len()];
        widen(&self.kept, &mut kept);
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
}
