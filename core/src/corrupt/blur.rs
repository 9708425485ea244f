//! A Gaussian as three extended box filters, along rows and along columns (Gwosdek, Grewenig, Bruhn and Weickert,
//! *Theoretical Foundations of Gaussian Convolution by Extended Box Filtering*, 2011). A box whose two outermost values
//! count by a share has exactly the variance that is asked for, and its time does not depend on the radius. Pillow's
//! `GaussianBlur` is the same, with 8 bits between passes, so its values are the reference.

/// Passes along each axis.
const PASSES: usize = 3;

/// Weights of a box, in 2^-24.
struct Box {
    /// Whole pixels on either side.
    radius: usize,
    /// Of each of them, and of the middle.
    inner: u32,
    /// Of the pixel beyond, on either side.
    outer: u32,
}

impl Box {
    /// One of [`PASSES`] boxes whose variances add up to that of a Gaussian.
    fn of_deviation(deviation_px: f32) -> Self {
        let variance = deviation_px * deviation_px / PASSES as f32;
        let length = (12.0 * variance + 1.0).sqrt();
        let whole = ((length - 1.0) / 2.0).floor();
        let share = (2.0 * whole + 1.0) * (whole * (whole + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (whole + 1.0) * (whole + 1.0)));
        let one = (1_u32 << 24) as f32;
        let inner = (one / (2.0 * (whole + share) + 1.0)) as u32;
        Self {
            radius: whole as usize,
            inner,
            // What is left of 1 when the inner ones are taken away.
            outer: ((1 << 24) - (2 * whole as u32 + 1) * inner) / 2,
        }
    }
}

/// Blurs red, green and blue. Beyond the border the nearest pixels repeat.
pub fn blur(rgba: &mut [u8], width: usize, deviation_px: f32, scratch: &mut Vec<u8>) {
    let filter = Box::of_deviation(deviation_px);
    let mut sums = Vec::new();
    for _ in 0..PASSES {
        for row in rgba.chunks_exact_mut(4 * width) {
            along(row, 4, &filter, scratch, &mut sums);
        }
    }
    for _ in 0..PASSES {
        along(rgba, 4 * width, &filter, scratch, &mut sums);
    }
}

/// One pass along an axis on which neighbours lie `step` bytes apart: a row's pixels, or whole rows.
fn along(values: &mut [u8], step: usize, filter: &Box, before: &mut Vec<u8>, sums: &mut Vec<u32>) {
    before.clear();
    before.extend_from_slice(values);
    let count = values.len() / step;
    let at = |index: isize| {
        let index = index.clamp(0, count as isize - 1) as usize;
        &before[index * step..(index + 1) * step]
    };
    let reach = filter.radius as isize;
    sums.clear();
    sums.resize(step, 0);
    for index in -reach..=reach {
        for (sum, &value) in sums.iter_mut().zip(at(index)) {
            *sum += u32::from(value);
        }
    }
    for (index, out) in values.chunks_exact_mut(step).enumerate() {
        let index = index as isize;
        let (left, right) = (at(index - reach - 1), at(index + reach + 1));
        let leaving = at(index - reach);
        for byte in (0..step).filter(|byte| byte % 4 != 3) {
            let outer = u32::from(left[byte]) + u32::from(right[byte]);
            let sum = sums[byte] * filter.inner + outer * filter.outer;
            out[byte] = ((sum + (1 << 23)) >> 24) as u8;
            sums[byte] = sums[byte] + u32::from(right[byte]) - u32::from(leaving[byte]);
        }
    }
}
