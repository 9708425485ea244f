//! How much of each pixel of an image is the person: from a model's logits to a mask of the whole image, soft at its
//! edges and calm over time.
//!
//! Sigmoid, projection and smoothing are those of MediaPipe's pose graph: logits become probabilities in the model's
//! square input, these are brought back to the image by the inverse of the map that cut the input out, and what lies
//! outside of the square is nobody.

use crate::geometry::{ImageSize, Point2};
use crate::roi::RotatedRect;

/// How much of the mask before is mixed into uncertain pixels (`combine_with_previous_ratio` of
/// `pose_segmentation_filtering.pbtxt`).
const PREVIOUS_RATIO: f32 = 0.7;
/// The uncertainty of a probability p as a polynomial in (p - 0.5) squared, without its first coefficient, which is 0
/// (`segmentation_smoothing_calculator.cc`): 1 at p = 0.5, and 0 where p is near 0 or 1.
const CERTAINTY: [f32; 5] = [5.68842, -0.748_699, -57.8051, 291.309, -624.717];

/// The share of each pixel that belongs to the person, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    size: ImageSize,
    values: Vec<f32>,
}

impl Mask {
    /// A mask from its values, row by row from the top; `None` where these are not as many as the image has pixels.
    pub fn new(size: ImageSize, values: Vec<f32>) -> Option<Self> {
        (values.len() == pixel_count(size)).then_some(Self { size, values })
    }

    /// Nobody anywhere.
    pub fn empty(size: ImageSize) -> Self {
        Self {
            size,
            values: vec![0.0; pixel_count(size)],
        }
    }

    /// Brings `logits`, `[side_px, side_px]` in the model's input, back to the image that the input was cut out of at
    /// `region`. Pixels are looked up as the input was: at their indices, bilinearly. Nobody is outside of the region,
    /// and nowhere when the region is not usable or there are not `side_px * side_px` logits.
    pub fn from_logits(logits: &[f32], side_px: usize, region: &RotatedRect, size: ImageSize) -> Self {
        let mut mask = Self::empty(size);
        let Some(model_from_image) = region.image_from_model(side_px as f32).inverse() else {
            return mask;
        };
        if !region.is_usable() || logits.len() != side_px * side_px {
            return mask;
        }
        let probabilities: Vec<f32> = logits.iter().map(|&logit| sigmoid(logit)).collect();
        let probability = |column: i64, row: i64| {
            let side = side_px as i64;
            if (0..side).contains(&column) && (0..side).contains(&row) {
                probabilities[row as usize * side_px + column as usize]
            } else {
                0.0
            }
        };
        let side = side_px as f32;
        for (y, row) in mask.values.chunks_exact_mut(size.width_px as usize).enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                let Point2 { x, y } = model_from_image.apply(Point2::new(x as f32, y as f32));
                if !(x > -1.0 && y > -1.0 && x < side && y < side) {
                    continue;
                }
                let (left, top) = (x.floor(), y.floor());
                let (column, row) = (left as i64, top as i64);
                let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
                *value = mix(
                    mix(probability(column, row), probability(column + 1, row), x - left),
                    mix(
                        probability(column, row + 1),
                        probability(column + 1, row + 1),
                        x - left,
                    ),
                    y - top,
                );
            }
        }
        mask
    }

    /// Of the image that it belongs to.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// Row by row from the top.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same mask with edges that fade over about `radius_px` pixels on both sides; a radius below half a pixel
    /// changes nothing.
    pub fn feathered(mut self, radius_px: f32) -> Self {
        let [width, height] = [self.size.width_px, self.size.height_px].map(|side| side as usize);
        crate::blur::blur(&mut self.values, width, height, 1, radius_px);
        self
    }

    /// How alike two masks of one size are: twice what both call the person (more than half of a pixel) over the sum
    /// of what each does; 1 where neither sees anybody, `None` for masks of different sizes.
    pub fn dice(&self, other: &Self) -> Option<f64> {
        if self.size != other.size {
            return None;
        }
        let (mut both, mut sum) = (0_u64, 0_u64);
        for (&a, &b) in self.values.iter().zip(&other.values) {
            let (a, b) = (a > 0.5, b > 0.5);
            both += u64::from(a && b);
            sum += u64::from(a) + u64::from(b);
        }
        Some(if sum == 0 {
            1.0
        } else {
            2.0 * both as f64 / sum as f64
        })
    }
}

/// Mixes uncertain pixels with those of the mask before, so that edges do not flicker.
#[derive(Clone, Debug, Default)]
pub struct MaskSmoothing {
    previous: Option<Mask>,
}

impl MaskSmoothing {
    /// Forgets the mask before, for instance when another clip begins.
    pub fn reset(&mut self) {
        self.previous = None;
    }

    /// The mask of the next frame, smoothed. A first mask, or one of another size than the one before, passes as it
    /// is.
    pub fn apply(&mut self, mut mask: Mask) -> Mask {
        if let Some(previous) = self
            .previous
            .as_ref()
            .filter(|previous| previous.size == mask.size)
        {
            for (value, &before) in mask.values.iter_mut().zip(&previous.values) {
                *value += (before - *value) * uncertainty(*value) * PREVIOUS_RATIO;
            }
        }
        self.previous = Some(mask.clone());
        mask
    }
}

/// 1 for a probability of one half, 0 for those that are certain.
fn uncertainty(probability: f32) -> f32 {
    let square = (probability - 0.5).powi(2);
    let certainty = CERTAINTY
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * square);
    1.0 - certainty.min(1.0)
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn pixel_count(size: ImageSize) -> usize {
    size.width_px as usize * size.height_px as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize {
        width_px: 8,
        height_px: 6,
    };

    fn region(center: Point2, side_px: f32, rotation: f32) -> RotatedRect {
        RotatedRect {
            center,
            width_px: side_px,
            height_px: side_px,
            rotation,
        }
    }

    #[test]
    fn logits_land_where_the_input_was_cut_out() {
        // A square of 4 px around (4, 3): one model pixel a pixel, from (2, 1) on.
        let square = region(Point2::new(4.0, 3.0), 4.0, 0.0);
        let mut logits = vec![-100.0; 16];
        logits[4 + 2] = 100.0;
        let mask = Mask::from_logits(&logits, 4, &square, SIZE);
        for (index, &value) in mask.values().iter().enumerate() {
            let expected = if index == 2 * 8 + 4 { 1.0 } else { 0.0 };
            assert!((value - expected).abs() < 1e-6, "pixel {index}: {value}");
        }
    }

    #[test]
    fn a_turned_region_turns_its_mask() {
        // Upside down, column and row of the model count from the opposite corner.
        let square = region(Point2::new(4.0, 3.0), 4.0, std::f32::consts::PI);
        let mut logits = vec![-100.0; 16];
        logits[4 + 2] = 100.0;
        let mask = Mask::from_logits(&logits, 4, &square, SIZE);
        let peak = (0..48).max_by(|&a, &b| mask.values()[a].total_cmp(&mask.values()[b]));
        assert_eq!(peak, Some(4 * 8 + 4));
    }

    #[test]
    fn outside_of_the_region_nobody_is() {
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        let mask = Mask::from_logits(&[100.0; 4], 2, &square, SIZE);
        assert_eq!(mask.values()[3 * 8 + 3], 1.0);
        assert_eq!(mask.values()[0], 0.0);
        assert_eq!(mask.values()[5 * 8 + 7], 0.0);
    }

    #[test]
    fn what_cannot_be_projected_shows_nobody() {
        let nobody = Mask::empty(SIZE);
        let flat = region(Point2::new(3.0, 3.0), 0.0, 0.0);
        let undefined = region(Point2::new(f32::NAN, 3.0), 2.0, 0.0);
        assert_eq!(Mask::from_logits(&[1.0; 4], 2, &flat, SIZE), nobody);
        assert_eq!(Mask::from_logits(&[1.0; 4], 2, &undefined, SIZE), nobody);
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        assert_eq!(Mask::from_logits(&[1.0; 3], 2, &square, SIZE), nobody);
        assert_eq!(Mask::new(SIZE, vec![0.0; 47]), None);
    }

    /// Values of the published polynomial, worked out apart.
    #[test]
    fn uncertain_pixels_are_mixed_with_the_mask_before() {
        let size = ImageSize {
            width_px: 4,
            height_px: 1,
        };
        let mut smoothing = MaskSmoothing::default();
        let first = Mask::new(size, vec![0.0, 1.0, 0.5, 0.0]).expect("four pixels");
        assert_eq!(smoothing.apply(first.clone()), first);
        let second = Mask::new(size, vec![0.5, 0.5, 0.7, 1.0]).expect("four pixels");
        let smoothed = smoothing.apply(second);
        // 1 - (5.68842 s - 0.748699 s^2 - 57.8051 s^3 + 291.309 s^4 - 624.717 s^5) at s = 0.04.
        let half_sure = 1.0 - (0.227_536_8 - 0.001_197_92 - 0.003_699_53 + 0.000_745_75 - 0.000_063_97);
        let expected = [0.15, 0.85, 0.7 - 0.2 * half_sure * 0.7, 1.0];
        for (value, expected) in smoothed.values().iter().zip(expected) {
            // The polynomial is 0.99997 where it should be 1.
            assert!((value - expected).abs() < 1e-4, "{value} instead of {expected}");
        }
        smoothing.reset();
        assert_eq!(smoothing.apply(first.clone()), first);
    }

    #[test]
    fn masks_are_compared_by_what_they_call_the_person() {
        let mask = |values: [f32; 4]| {
            let size = ImageSize {
                width_px: 2,
                height_px: 2,
            };
            Mask::new(size, values.to_vec()).expect("four pixels")
        };
        let one = mask([0.9, 0.6, 0.4, 0.0]);
        assert_eq!(one.dice(&one), Some(1.0));
        assert_eq!(one.dice(&mask([0.9, 0.0, 0.0, 0.0])), Some(2.0 / 3.0));
        assert_eq!(mask([0.0; 4]).dice(&mask([0.5; 4])), Some(1.0));
        assert_eq!(one.dice(&Mask::empty(SIZE)), None);
    }
}
