//! How much of each pixel of an image is the person: from a model's logits to a mask of the whole image, soft at its
//! edges and calm over time.
//!
//! Sigmoid, projection and uncertainty are those of MediaPipe's pose graph: logits become probabilities in the model's
//! square input, these are brought back to the image by the inverse of the map that cut the input out, and what lies
//! outside of the square is nobody. A model that looks at the whole image ([`crate::selfie`]) has no outside.
//!
//! A mask stays in its model's input ([`RegionMask`]) until somebody needs it for each pixel of the image ([`Mask`]): there
//! it has as much detail as the model gave, and 65,536 values instead of a picture's million.

use crate::geometry::{Affine2, ImageSize, Point2};
use crate::people::PersonId;
use crate::roi::RotatedRect;
use crate::time::Timestamp;

/// How much of the mask before is mixed into uncertain pixels of a camera's 30 frames a second
/// (`combine_with_previous_ratio` of `pose_segmentation_filtering.pbtxt`).
const PREVIOUS_RATIO: f32 = 0.7;
/// The frames that the ratio is made for, per second.
const RATIO_RATE_HZ: f32 = 30.0;
/// The uncertainty of a probability p as a polynomial in (p - 0.5) squared, without its first coefficient, which is 0
/// (`segmentation_smoothing_calculator.cc`): 1 at p = 0.5, and 0 where p is near 0 or 1.
const CERTAINTY: [f32; 5] = [5.68842, -0.748_699, -57.8051, 291.309, -624.717];

/// Where an outline that is drawn in begins and ends. A choice by eye, on photos and on the drawn person.
const NOBODY_BELOW: f32 = 0.35;
const PERSON_FROM: f32 = 0.85;

/// The share of each pixel of a model's input that belongs to the person, 0 to 1, and where the input was cut out.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionMask {
    size: ImageSize,
    values: Vec<f32>,
    region: RotatedRect,
    /// What lies beyond the region.
    beyond: Beyond,
}

/// What is known of the pixels outside of a mask's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beyond {
    /// Nobody is there.
    Nobody,
    /// There are none: the region is the whole image, and its border is the image's. Pixels of the image whose middle lies
    /// beyond that of the outermost value have the nearest one.
    Nothing,
}

impl RegionMask {
    /// From `[side_px, side_px]` shares, row by row from the top, of an input that was cut out of an image at `region`.
    /// `None` where the region is not usable, or there are not `side_px * side_px` values, or none.
    pub fn new(values: Vec<f32>, side_px: usize, region: &RotatedRect) -> Option<Self> {
        let side = u32::try_from(side_px).ok()?;
        let size = ImageSize {
            width_px: side,
            height_px: side,
        };
        Self::of(values, size, region, Beyond::Nobody)
    }

    /// From shares of a model's input of this size, row by row from the top, of which `region` is the whole image. `None`
    /// as in [`Self::new`].
    pub fn of_whole_image(values: Vec<f32>, size: ImageSize, region: &RotatedRect) -> Option<Self> {
        Self::of(values, size, region, Beyond::Nothing)
    }

    fn of(values: Vec<f32>, size: ImageSize, region: &RotatedRect, beyond: Beyond) -> Option<Self> {
        let is_whole = !values.is_empty() && values.len() == pixel_count(size);
        (is_whole && region.is_usable()).then_some(Self {
            size,
            values,
            region: *region,
            beyond,
        })
    }

    /// The same from a model's logits.
    pub fn from_logits(logits: &[f32], side_px: usize, region: &RotatedRect) -> Option<Self> {
        let values = logits.iter().map(|&logit| sigmoid(logit)).collect();
        Self::new(values, side_px, region)
    }

    /// Columns and rows of the model's input.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// From the model's input to the image.
    pub fn image_from_input(&self) -> Affine2 {
        self.region.image_from_input(self.size)
    }

    /// Whether any pixel is more likely a person than not.
    pub fn shows_somebody(&self) -> bool {
        self.values.iter().any(|&share| share > 0.5)
    }

    /// Row by row from the top of the input.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Where the input was cut out of its image.
    pub fn region(&self) -> &RotatedRect {
        &self.region
    }

    /// The mask of the whole image. Pixels are looked up as the input was: at their indices, bilinearly. Nobody is
    /// outside of the region.
    pub fn in_image(&self, size: ImageSize) -> Mask {
        let mut mask = Mask::empty(size);
        let Some(model_from_image) = self.image_from_input().inverse() else {
            return mask;
        };
        for (y, row) in mask
            .values
            .chunks_exact_mut((size.width_px as usize).max(1))
            .enumerate()
        {
            for (x, value) in row.iter_mut().enumerate() {
                let place = model_from_image.apply(Point2::new(x as f32, y as f32));
                *value = self.at(place).unwrap_or(0.0);
            }
        }
        mask
    }

    /// The same mask with its outline drawn in, for putting something else behind the person: what is not more likely
    /// the person than not would bring a rim of the old background along. Shares up to 0.35 become nobody, from 0.85 on
    /// all of the pixel is the person, and between them they rise smoothly, t t (3 - 2 t).
    pub fn drawn_in(mut self) -> Self {
        for share in &mut self.values {
            let t = ((*share - NOBODY_BELOW) / (PERSON_FROM - NOBODY_BELOW)).clamp(0.0, 1.0);
            *share = t * t * (3.0 - 2.0 * t);
        }
        self
    }

    /// The same mask with edges that fade over about `radius_px` pixels of the image on both sides; a radius below half
    /// a pixel of the input changes nothing.
    pub fn feathered(mut self, radius_px: f32) -> Self {
        let [width, height] = [self.size.width_px, self.size.height_px].map(|side| side as usize);
        let radius = radius_px * width as f32 / self.region.width_px;
        crate::blur::blur(&mut self.values, width, height, 1, radius);
        self
    }

    /// The same mask of the same image, every length in it multiplied by `factor`.
    pub fn scaled(mut self, factor: f32) -> Self {
        // Pixels lie at their indices: the middle of the first is half a pixel from the image's corner.
        let place = |index: f32| (index + 0.5) * factor - 0.5;
        self.region = RotatedRect {
            center: Point2::new(place(self.region.center.x), place(self.region.center.y)),
            ..self.region.scaled(factor)
        };
        self
    }

    /// How unsure the model is of whom it shows: the share of the person's pixels that would be called wrongly if each
    /// pixel were called by what is more likely, as far as the model's own probabilities can be believed. 0 for a clear
    /// outline or for nobody; a mask that is grey all over has 1.
    pub fn doubt(&self) -> f32 {
        let (mut wrong, mut person) = (0.0, 0.0);
        for &share in &self.values {
            wrong += share.min(1.0 - share);
            person += share;
        }
        if person > 0.0 { wrong / person } else { 0.0 }
    }

    /// The share at a place of the input, pixels counted by their indices; `None` a pixel or more beyond its border,
    /// where nothing is known.
    fn at(&self, place: Point2) -> Option<f32> {
        let Point2 { mut x, mut y } = place;
        let [columns, rows] = [self.size.width_px, self.size.height_px];
        if self.beyond == Beyond::Nothing {
            x = x.clamp(0.0, columns as f32 - 1.0);
            y = y.clamp(0.0, rows as f32 - 1.0);
        }
        if !(x > -1.0 && y > -1.0 && x < columns as f32 && y < rows as f32) {
            return None;
        }
        let (left, top) = (x.floor(), y.floor());
        let (column, row) = (left as isize, top as isize);
        let [columns, rows] = [columns as isize, rows as isize];
        let value = |column: isize, row: isize| {
            if (0..columns).contains(&column) && (0..rows).contains(&row) {
                self.values[(row * columns + column) as usize]
            } else {
                0.0
            }
        };
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        let upper = mix(value(column, row), value(column + 1, row), x - left);
        let lower = mix(value(column, row + 1), value(column + 1, row + 1), x - left);
        Some(mix(upper, lower, y - top))
    }
}

/// The share of each pixel of an image that belongs to the person, 0 to 1.
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

    /// The same mask with whom another of the same size shows too: a pixel is of nobody as far as neither has it,
    /// `1 - (1 - a)(1 - b)`. One of another size adds nobody.
    pub fn joined(mut self, other: &Self) -> Self {
        if self.size == other.size {
            for (a, &b) in self.values.iter_mut().zip(&other.values) {
                *a += b - *a * b;
            }
        }
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

/// Calms the edges of masks that follow one another, where the model is unsure of them.
///
/// A share p is mixed with the one before, q, at the same place of the *image*, though the square that the model looks
/// at has moved: `p + (q - p) u(p) 0.7^(30 t)`, t seconds after the frame before. u is MediaPipe's uncertainty, 1 at
/// one half and 0 at 0 and at 1, so what the model is sure of is not late at all. At 30 frames a second this is
/// MediaPipe's own filter; at any other rate edges settle in the same time.
#[derive(Clone, Debug, Default)]
pub struct MaskSmoothing {
    previous: Option<(RegionMask, Timestamp)>,
}

impl MaskSmoothing {
    /// After so long, at most a twentieth of what the mask was before a sudden change is left in it, at any rate of
    /// frames: 0.7^(30 t) = 0.05.
    pub const SETTLING_SECS: f32 = 0.28;

    /// Forgets the mask before, for instance when another clip begins.
    pub fn reset(&mut self) {
        self.previous = None;
    }

    /// The mask of the frame taken at `time`, calmed. Nobody stays nobody, and whoever comes after that begins anew. A
    /// first mask passes as it is, and so does what lies beyond the square of the one before; a frame that is not later
    /// than the one before it comes back as it is and leaves no trace.
    pub fn apply(&mut self, found: Option<RegionMask>, time: Timestamp) -> Option<RegionMask> {
        let Some(mut mask) = found else {
            self.reset();
            return None;
        };
        if let Some((previous, before)) = &self.previous {
            let elapsed_secs = time.secs_since(*before) as f32;
            if elapsed_secs <= 0.0 {
                return Some(mask);
            }
            mix(
                &mut mask,
                previous,
                PREVIOUS_RATIO.powf(RATIO_RATE_HZ * elapsed_secs),
            );
        }
        self.previous = Some((mask.clone(), time));
        Some(mask)
    }
}

/// [`MaskSmoothing`] of several people, each with their own.
#[derive(Clone, Debug, Default)]
pub struct PeopleMaskSmoothing {
    /// Of those who were seen in the frame before.
    people: Vec<(PersonId, MaskSmoothing)>,
}

impl PeopleMaskSmoothing {
    /// Forgets the masks before.
    pub fn reset(&mut self) {
        self.people.clear();
    }

    /// The masks of the frame taken at `time`, calmed, in the order in which they were found. Who is not among them and
    /// comes back later begins anew.
    pub fn apply(&mut self, found: Vec<(PersonId, RegionMask)>, time: Timestamp) -> Vec<RegionMask> {
        let mut before = std::mem::take(&mut self.people);
        let mut calmed = Vec::with_capacity(found.len());
        for (id, mask) in found {
            let known = before.iter().position(|(other, _)| *other == id);
            let mut smoothing = known.map_or_else(MaskSmoothing::default, |at| before.swap_remove(at).1);
            calmed.extend(smoothing.apply(Some(mask), time));
            self.people.push((id, smoothing));
        }
        calmed
    }
}

/// Mixes `ratio` of a mask before, at most, into the uncertain pixels of another.
fn mix(mask: &mut RegionMask, previous: &RegionMask, ratio: f32) {
    let image_from_mask = mask.image_from_input();
    let Some(before_from_image) = previous.image_from_input().inverse() else {
        return;
    };
    let width = mask.size.width_px as usize;
    for (y, row) in mask.values.chunks_exact_mut(width).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let share = uncertainty(*value) * ratio;
            // Most pixels are certain, and are not looked up.
            if share < 1e-3 {
                continue;
            }
            let in_image = image_from_mask.apply(Point2::new(x as f32, y as f32));
            if let Some(before) = previous.at(before_from_image.apply(in_image)) {
                *value += (before - *value) * share;
            }
        }
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
        let mask = RegionMask::from_logits(&logits, 4, &square).expect("16 logits");
        for (index, &value) in mask.in_image(SIZE).values().iter().enumerate() {
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
        let mask = RegionMask::from_logits(&logits, 4, &square).expect("16 logits");
        let mask = mask.in_image(SIZE);
        let peak = (0..48).max_by(|&a, &b| mask.values()[a].total_cmp(&mask.values()[b]));
        assert_eq!(peak, Some(4 * 8 + 4));
    }

    #[test]
    fn outside_of_the_region_nobody_is() {
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        let mask = RegionMask::from_logits(&[100.0; 4], 2, &square).expect("four logits");
        let mask = mask.in_image(SIZE);
        assert_eq!(mask.values()[3 * 8 + 3], 1.0);
        assert_eq!(mask.values()[0], 0.0);
        assert_eq!(mask.values()[5 * 8 + 7], 0.0);
    }

    #[test]
    fn what_cannot_be_projected_is_no_mask() {
        let flat = region(Point2::new(3.0, 3.0), 0.0, 0.0);
        let undefined = region(Point2::new(f32::NAN, 3.0), 2.0, 0.0);
        assert_eq!(RegionMask::from_logits(&[1.0; 4], 2, &flat), None);
        assert_eq!(RegionMask::from_logits(&[1.0; 4], 2, &undefined), None);
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        assert_eq!(RegionMask::from_logits(&[1.0; 3], 2, &square), None);
        assert_eq!(RegionMask::from_logits(&[], 0, &square), None);
        assert_eq!(Mask::new(SIZE, vec![0.0; 47]), None);
        let nothing = ImageSize {
            width_px: 0,
            height_px: 6,
        };
        let mask = RegionMask::from_logits(&[1.0; 4], 2, &square).expect("four logits");
        assert_eq!(mask.in_image(nothing), Mask::empty(nothing));
    }

    #[test]
    fn a_mask_follows_its_image_into_another_size() {
        let square = region(Point2::new(3.5, 3.5), 8.0, 0.0);
        let ramp: Vec<f32> = (0..64).map(|index| (index % 8) as f32 / 8.0).collect();
        let mask = RegionMask::new(ramp, 8, &square).expect("64 values");
        let half = ImageSize {
            width_px: 3,
            height_px: 3,
        };
        // Columns 0.5, 2.5, 4.5 of the whole image, in which column x has (x + 0.5) / 8: the square begins at -0.5.
        let halved = mask.scaled(0.5).in_image(half);
        for (value, column) in halved.values().iter().zip([0.5, 2.5, 4.5].repeat(3)) {
            assert!((value - (column + 0.5) / 8.0).abs() < 1e-6, "{column}: {value}");
        }
    }

    #[test]
    fn an_outline_that_is_drawn_in_leaves_no_rim() {
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        let mask = RegionMask::new(vec![0.2, 0.35, 0.6, 0.9], 2, &square).expect("four values");
        let drawn_in = mask.drawn_in();
        for (value, expected) in drawn_in.values().iter().zip([0.0, 0.0, 0.5, 1.0]) {
            assert!((value - expected).abs() < 1e-6, "{value} instead of {expected}");
        }
    }

    #[test]
    fn a_clear_outline_leaves_no_doubt() {
        let square = region(Point2::new(3.0, 3.0), 2.0, 0.0);
        for (values, doubt) in [
            ([1.0, 0.0, 0.0, 1.0], 0.0),
            ([0.0; 4], 0.0),
            ([0.5; 4], 1.0),
            ([1.0, 1.0, 1.0, 0.25], 0.25 / 3.25),
            ([0.75, 1.0, 1.0, 0.25], 0.5 / 3.0),
        ] {
            let mask = RegionMask::new(values.to_vec(), 2, &square).expect("four values");
            assert!(
                (mask.doubt() - doubt).abs() < 1e-6,
                "{values:?}: {}",
                mask.doubt()
            );
        }
    }

    const STILL: RotatedRect = RotatedRect {
        center: Point2::new(8.0, 8.0),
        width_px: 16.0,
        height_px: 16.0,
        rotation: 0.0,
    };

    fn seconds(secs: f64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// Numerical Recipes' generator, in [0, 1).
    struct Random(u32);

    impl Random {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / (1 << 24) as f32
        }

        fn mask(&mut self) -> RegionMask {
            RegionMask::new((0..256).map(|_| self.next()).collect(), 16, &STILL).expect("16 by 16")
        }
    }

    /// Values of the published polynomial, worked out apart.
    #[test]
    fn at_thirty_frames_a_second_uncertain_pixels_are_mixed_as_mediapipe_mixes_them() {
        let square = region(Point2::new(1.0, 1.0), 2.0, 0.0);
        let mask = |values: [f32; 4]| RegionMask::new(values.to_vec(), 2, &square);
        let mut smoothing = MaskSmoothing::default();
        let first = mask([0.0, 1.0, 0.5, 0.0]);
        assert_eq!(smoothing.apply(first.clone(), seconds(0.0)), first);
        let smoothed = smoothing.apply(mask([0.5, 0.5, 0.7, 1.0]), seconds(1.0 / 30.0));
        // 1 - (5.68842 s - 0.748699 s^2 - 57.8051 s^3 + 291.309 s^4 - 624.717 s^5) at s = 0.04.
        let half_sure = 1.0 - (0.227_536_8 - 0.001_197_92 - 0.003_699_53 + 0.000_745_75 - 0.000_063_97);
        let expected = [0.15, 0.85, 0.7 - 0.2 * half_sure * 0.7, 1.0];
        for (value, expected) in smoothed.expect("a mask").values().iter().zip(expected) {
            // The polynomial is 0.99997 where it should be 1.
            assert!((value - expected).abs() < 1e-4, "{value} instead of {expected}");
        }
    }

    #[test]
    fn a_mask_that_stays_the_same_stays_as_it_is() {
        let mut random = Random(1);
        for _ in 0..20 {
            let (mut smoothing, mask, mut secs) = (MaskSmoothing::default(), random.mask(), 0.0);
            for _ in 0..30 {
                let smoothed = smoothing.apply(Some(mask.clone()), seconds(secs));
                let smoothed = smoothed.expect("a mask");
                for (value, expected) in smoothed.values().iter().zip(mask.values()) {
                    assert!((value - expected).abs() < 1e-4, "{value} instead of {expected}");
                }
                secs += f64::from(random.next()) * 0.1 + 1e-3;
            }
        }
    }

    /// Whatever was there before, and however often a frame comes.
    #[test]
    fn a_sudden_change_is_followed_within_the_settling_time() {
        let mut random = Random(2);
        for rate_hz in [5.0, 12.0, 30.0, 60.0, 120.0] {
            for _ in 0..10 {
                let (before, after) = (random.mask(), random.mask());
                let mut smoothing = MaskSmoothing::default();
                smoothing.apply(Some(before.clone()), seconds(0.0));
                let frames = (f64::from(MaskSmoothing::SETTLING_SECS) * rate_hz).ceil() as u32;
                let mut last = None;
                for frame in 1..=frames {
                    last = smoothing.apply(Some(after.clone()), seconds(f64::from(frame) / rate_hz));
                }
                let last = last.expect("a mask");
                let before_and_after = before.values().iter().zip(after.values());
                for (value, (before, after)) in last.values().iter().zip(before_and_after) {
                    let left = (value - after).abs();
                    assert!(
                        left <= 0.0501 * (before - after).abs() + 1e-4,
                        "{rate_hz} Hz: {left}"
                    );
                }
            }
        }
    }

    /// A soft disc that stands still in the image, seen through squares that wander over it.
    #[test]
    fn the_image_stands_still_though_the_square_moves() {
        let seen = |square: &RotatedRect| {
            let image_from_mask = square.image_from_model(64.0);
            let share = |index: usize| {
                let place = Point2::new((index % 64) as f32, (index / 64) as f32);
                let distance = image_from_mask.apply(place).distance(Point2::new(100.0, 90.0));
                sigmoid((50.0 - distance) / 6.0)
            };
            RegionMask::new((0..64 * 64).map(share).collect(), 64, square).expect("64 by 64")
        };
        let size = ImageSize {
            width_px: 200,
            height_px: 180,
        };
        let mut smoothing = MaskSmoothing::default();
        for frame in 0..30 {
            let phase = frame as f32 * 0.4;
            let center = Point2::new(100.0 + 8.0 * phase.sin(), 90.0 + 6.0 * (1.3 * phase).cos());
            let square = region(center, 170.0 + 12.0 * (0.7 * phase).sin(), 0.1 * phase.sin());
            let raw = seen(&square);
            let smoothed = smoothing.apply(Some(raw.clone()), seconds(f64::from(frame) / 30.0));
            let (smoothed, raw) = (smoothed.expect("a mask").in_image(size), raw.in_image(size));
            for (value, expected) in smoothed.values().iter().zip(raw.values()) {
                assert!((value - expected).abs() < 0.02, "{value} instead of {expected}");
            }
        }
    }

    #[test]
    fn nobody_stays_nobody_and_what_was_before_is_forgotten() {
        let mut random = Random(3);
        let (before, after) = (random.mask(), Some(random.mask()));
        let mut smoothing = MaskSmoothing::default();
        smoothing.apply(Some(before.clone()), seconds(0.0));
        assert_eq!(smoothing.apply(None, seconds(0.03)), None);
        assert_eq!(smoothing.apply(after.clone(), seconds(0.06)), after);
        // Time that does not pass mixes nothing, and the frame that came first counts on.
        let again = Some(before);
        assert_eq!(smoothing.apply(again.clone(), seconds(0.06)), again);
        let later = smoothing.apply(after.clone(), seconds(0.09)).expect("a mask");
        for (value, expected) in later.values().iter().zip(after.expect("a mask").values()) {
            assert!((value - expected).abs() < 1e-4);
        }
    }

    #[test]
    fn each_persons_mask_is_calmed_with_their_own() {
        let mut random = Random(7);
        let (mut one, mut other) = (MaskSmoothing::default(), MaskSmoothing::default());
        let mut people = PeopleMaskSmoothing::default();
        let [first, second] = [1, 2].map(PersonId);
        for (frame, found) in [
            &[first, second][..],
            &[second, first],
            &[second],
            &[first, second],
        ]
        .into_iter()
        .enumerate()
        {
            let time = seconds(frame as f64 / 30.0);
            let masks: Vec<_> = found.iter().map(|&id| (id, random.mask())).collect();
            let of = |id| {
                let mut masks = masks.iter().filter(|(other, _)| *other == id);
                masks.next().map(|(_, mask)| mask.clone())
            };
            let (of_first, of_second) = (one.apply(of(first), time), other.apply(of(second), time));
            let expected: Vec<_> = found
                .iter()
                .filter_map(|&id| {
                    if id == first {
                        of_first.clone()
                    } else {
                        of_second.clone()
                    }
                })
                .collect();
            assert_eq!(people.apply(masks, time), expected, "frame {frame}");
        }
    }

    #[test]
    fn people_together_are_shown_where_either_is() {
        let size = ImageSize {
            width_px: 4,
            height_px: 1,
        };
        let mask = |values: [f32; 4]| Mask::new(size, values.to_vec()).expect("four pixels");
        let one = mask([0.0, 0.3, 0.5, 1.0]);
        assert_eq!(Mask::empty(size).joined(&one), one);
        let both = one.clone().joined(&mask([0.2, 0.0, 0.5, 0.7]));
        assert_eq!(both.values(), [0.2, 0.3, 0.75, 1.0]);
        let wide = ImageSize {
            width_px: 2,
            height_px: 2,
        };
        assert_eq!(one.clone().joined(&Mask::empty(wide)), one);
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
