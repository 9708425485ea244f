//! The picture as a list of numbers, for comparing it with others.
//!
//! A row is taken as it is. Of an image of features, the mean over its pixels is taken for each channel (global average
//! pooling). Numbers are not scaled; [`similarity`] does not need it.

use super::tensor::{DecodeError, Tensor};
use crate::model_input::Layout;

/// No embedding may have more numbers.
const MAX_LENGTH: usize = 1 << 16;

/// The row, or the mean of each channel of `[1, H, W, C]` or `[1, C, H, W]`, whichever `layout` says.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(output: &Tensor<'_>, layout: Layout) -> Result<Vec<f32>, DecodeError> {
    let expected = "a row, or an image of features with at most 65,536 channels";
    let values = output.finite()?;
    let channels = match (output.row_length(), output.shape(), layout) {
        (Some(length), ..) if length <= MAX_LENGTH => return Ok(values.to_vec()),
        (_, &[1, _, _, channels], Layout::Nhwc) | (_, &[1, channels, _, _], Layout::Nchw) => channels,
        _ => return Err(output.unexpected("an embedding", expected)),
    };
    if channels == 0 || channels > MAX_LENGTH || values.is_empty() {
        return Err(output.unexpected("an embedding", expected));
    }
    let pixels = values.len() / channels;
    let mut sums = vec![0.0_f64; channels];
    for (index, &value) in values.iter().enumerate() {
        let channel = match layout {
            Layout::Nhwc => index % channels,
            Layout::Nchw => index / pixels,
        };
        sums[channel] += f64::from(value);
    }
    Ok(sums.into_iter().map(|sum| (sum / pixels as f64) as f32).collect())
}

/// The cosine of the angle between two embeddings, -1 to 1; `None` where their lengths differ or one is all zeros.
pub fn similarity(a: &[f32], b: &[f32]) -> Option<f32> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
        products.sum()
    };
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    (a.len() == b.len() && norm > 0.0 && norm.is_finite()).then(|| (dot(a, b) / norm) as f32)
}
