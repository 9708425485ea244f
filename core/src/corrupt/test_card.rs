//! The picture that tests spoil, natively and in a browser (`web/tests/corruptions.rs` includes this file).

/// Steps, a gradient and grain, as RGBA.
pub fn picture(width_px: u32, height_px: u32) -> Vec<u8> {
    // The generator of Numerical Recipes, whose upper bits are the better ones.
    let mut seed = 7_u32;
    let mut rgba = Vec::new();
    for y in 0..height_px {
        for x in 0..width_px {
            for channel in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let edge = if (x / 9 + y / 7) % 2 == 1 { 90 } else { 0 };
                let slope = if channel == 1 { y } else { 0 };
                rgba.push((20 + x + slope + edge + (seed >> 27)) as u8);
            }
            rgba.push(200);
        }
    }
    rgba
}

/// FNV-1a of 64 bits.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
