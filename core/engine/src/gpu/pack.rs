//! Weights as the kernels read them: regrouped into tiles of four channels, and kept as binary16 where that
//! is exact.
//!
//! After fusion weights are most of what a small network reads, so half the bytes count on every adapter.
//! BlazePose ships its weights as binary16; such a constant goes back to 16 bits without loss and is widened
//! in the shader by `unpack2x16float`, which needs no optional feature. Any other constant stays f32.

use crate::half::f16_from_f32_exact;

/// One packed constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed {
    /// The bytes for the weight buffer.
    pub bytes: Vec<u8>,
    /// True when each element takes two bytes.
    pub half: bool,
}

/// Packs elements as pairs of binary16, if all of them are exact in it, else as f32.
pub(super) fn pack(elements: &[f32]) -> Packed {
    let halves: Option<Vec<u16>> = elements.iter().map(|&x| f16_from_f32_exact(x)).collect();
    match halves {
        Some(halves) if halves.len().is_multiple_of(2) => pack_halves(&halves),
        _ => pack_f32(elements),
    }
}

/// Whether all elements are exact in binary16.
pub(super) fn is_half(elements: &[f32]) -> bool {
    elements.iter().all(|&x| f16_from_f32_exact(x).is_some())
}

/// Packs elements as pairs of binary16, which they have to be exact in, or as f32.
pub(super) fn pack_as(elements: &[f32], half: bool) -> Packed {
    if !half {
        return pack_f32(elements);
    }
    let exact = elements.iter().map(|&x| f16_from_f32_exact(x).unwrap_or(0));
    pack_halves(&exact.collect::<Vec<u16>>())
}

fn pack_halves(halves: &[u16]) -> Packed {
    Packed {
        bytes: bytemuck::cast_slice(halves).to_vec(),
        half: true,
    }
}

/// Packs elements as f32.
pub(super) fn pack_f32(elements: &[f32]) -> Packed {
    Packed {
        bytes: bytemuck::cast_slice(elements).to_vec(),
        half: false,
    }
}

/// Weights `[out][kernel_h][kernel_w][in]` as `[out / 4][kernel_h][kernel_w][in / 4]` tiles of 4x4, both
/// channel counts padded with zeros. A tile holds the four outputs of its first input, then those of the
/// second, and so on: the columns of the matrix that the shader multiplies with four inputs.
pub(super) fn dense_tiles(weights: &[f32], out_channels: usize, taps: usize, in_channels: usize) -> Vec<f32> {
    let (out_blocks, in_blocks) = (out_channels.div_ceil(4), in_channels.div_ceil(4));
    let mut tiles = vec![0.0; out_blocks * taps * in_blocks * 16];
    for out in 0..out_channels {
        for tap in 0..taps {
            for input in 0..in_channels {
                let tile = (out / 4 * taps + tap) * in_blocks + input / 4;
                tiles[tile * 16 + input % 4 * 4 + out % 4] =
                    weights[(out * taps + tap) * in_channels + input];
            }
        }
    }
    tiles
}

/// Rows of `channels` elements, each padded with zeros to a multiple of four.
pub(super) fn padded_rows(elements: &[f32], channels: usize) -> Vec<f32> {
    let padded = channels.next_multiple_of(4);
    let mut rows = Vec::with_capacity(elements.len() / channels.max(1) * padded);
    for row in elements.chunks(channels) {
        rows.extend_from_slice(row);
        rows.resize(rows.len().next_multiple_of(padded), 0.0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_inexact_element_keeps_the_constant_in_f32() {
        assert!(pack(&[1.0, 0.5]).half);
        assert!(!pack(&[1.0, 0.1]).half);
        assert_eq!(pack(&[1.0, 0.1]).bytes.len(), 8);
    }

    #[test]
    fn tiles_put_outputs_of_one_input_side_by_side() {
        // Two outputs, one tap, three inputs: w[out][in] = 10 out + in.
        let tiles = dense_tiles(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0], 2, 1, 3);
        let expected = [
            0.0, 10.0, 0.0, 0.0, 1.0, 11.0, 0.0, 0.0, 2.0, 12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ];
        assert_eq!(tiles, expected);
    }

    #[test]
    fn rows_are_padded_one_by_one() {
        assert_eq!(
            padded_rows(&[1.0, 2.0, 3.0, 4.0], 2),
            [1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]
        );
    }
}
