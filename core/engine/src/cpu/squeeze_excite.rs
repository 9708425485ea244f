//! The two halves of a squeeze-and-excitation that are no convolutions: the mean of all pixels of each channel, and each
//! channel multiplied by a number of its own. Both read memory and compute next to nothing; the loops are such that the
//! compiler makes vectors of four of them, which are as fast here as longer ones.

/// Channels that are summed side by side: a cache line of them.
const BLOCK: usize = 16;

/// Writes the mean of each channel of `x`, an image of the shape `from`. Rows are summed apart, so that sums of large
/// images keep their digits.
pub fn global_average(x: &[f32], from: &[usize], out: &mut [f32]) {
    let (width, channels) = (from[2], from[3]);
    let row_len = width * channels;
    let share = 1.0 / (x.len() / channels) as f32;
    for (number, out) in out.chunks_mut(BLOCK).enumerate() {
        let first = number * BLOCK;
        let mut totals = [0.0; BLOCK];
        for row in x.chunks_exact(row_len) {
            let pixels = row.chunks_exact(channels).map(|pixel| &pixel[first..]);
            let sums = match out.len() {
                BLOCK => pixels.fold([0.0; BLOCK], |sums, pixel| sum(sums, &pixel[..BLOCK])),
                len => pixels.fold([0.0; BLOCK], |sums, pixel| sum(sums, &pixel[..len])),
            };
            totals = sum(totals, &sums);
        }
        for (mean, total) in out.iter_mut().zip(totals) {
            *mean = total * share;
        }
    }
}

#[inline(always)]
fn sum(mut sums: [f32; BLOCK], x: &[f32]) -> [f32; BLOCK] {
    for (sum, x) in sums.iter_mut().zip(x) {
        *sum += x;
    }
    sums
}

/// Writes `x` with each channel multiplied by its number of `scale`.
pub fn scale_channels(x: &[f32], scale: &[f32], out: &mut [f32]) {
    let channels = scale.len();
    for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
        for ((out, x), scale) in out.iter_mut().zip(x).zip(scale) {
            *out = x * scale;
        }
    }
}
