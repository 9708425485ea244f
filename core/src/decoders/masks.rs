//! What each pixel shows: from numbers for each pixel to probabilities for each class and pixel.
//!
//! One plane is how probably a pixel belongs to what the model looks for: `[1, 1, H, W]`, `[1, H, W, 1]`, `[1, H, W]`.
//! Numbers outside of 0 to 1 get a sigmoid. Whole numbers beyond 1 are the numbers of classes, as models give them that
//! end in ArgMax. Several planes are a distribution for each pixel: `[1, C, H, W]` or, where the input has components
//! innermost, `[1, H, W, C]`. Where a pixel's numbers are no distribution, all pixels get a softmax. A manifest's
//! `scores` overrules this.

use super::classes::{SUM_TOLERANCE, ScoreForm, softmax};
use super::tensor::{DecodeError, Tensor};
use crate::detection::sigmoid;
use crate::geometry::{ImageSize, Point2};
use crate::model_input::{Layout, Placement};
use crate::proposal::planes;

/// No mask may have more numbers.
const MAX_VALUES: usize = 1 << 26;
/// Of models that give numbers of classes.
const MAX_NUMBERED_CLASSES: usize = 512;

/// Probabilities for each class and pixel of a model's output.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelScores {
    /// Columns and rows of the output.
    pub size: ImageSize,
    /// Classes; a single one is what the model looks for, and the rest of 1 is everything else.
    pub classes: usize,
    /// Plane by plane, each row by row.
    pub probabilities: Vec<f32>,
    /// What the model gave; after [`ScoreForm::Logits`] sigmoid or softmax were applied here.
    pub form: ScoreForm,
}

/// Probabilities from a mask's numbers; `form` overrules what they look like.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(
    output: &Tensor<'_>,
    layout: Layout,
    form: Option<ScoreForm>,
) -> Result<PixelScores, DecodeError> {
    let expected = "[1, 1, height, width], [1, height, width, 1] or a plane for each class";
    let (classes, height, width) =
        planes(output.shape(), layout).ok_or_else(|| output.unexpected("a mask", expected))?;
    if output.values().len() > MAX_VALUES {
        return Err(output.unexpected("a mask", "of at most 67 million numbers"));
    }
    let values = output.finite()?;
    let size = ImageSize {
        width_px: width as u32,
        height_px: height as u32,
    };
    if classes == 1 {
        return one_plane(values, size, form);
    }
    // As `planes` reads the shape: components innermost only where the input has them there.
    let is_innermost = layout == Layout::Nhwc;
    let pixels = width * height;
    let at = |class: usize, pixel: usize| {
        if is_innermost {
            values[pixel * classes + class]
        } else {
            values[class * pixels + pixel]
        }
    };
    let is_distribution = || {
        values.iter().all(|value| (0.0..=1.0).contains(value))
            && (0..pixels).all(|pixel| {
                let sum: f32 = (0..classes).map(|class| at(class, pixel)).sum();
                (sum - 1.0).abs() <= SUM_TOLERANCE
            })
    };
    let form = form.unwrap_or_else(|| {
        if is_distribution() {
            ScoreForm::Distribution
        } else {
            ScoreForm::Logits
        }
    });
    let mut probabilities = vec![0.0; values.len()];
    let mut scores = vec![0.0; classes];
    for pixel in 0..pixels {
        for (class, score) in scores.iter_mut().enumerate() {
            *score = at(class, pixel);
        }
        if form == ScoreForm::Logits {
            softmax(&mut scores);
        }
        for (class, &score) in scores.iter().enumerate() {
            probabilities[class * pixels + pixel] = score;
        }
    }
    Ok(PixelScores {
        size,
        classes,
        probabilities,
        form,
    })
}

fn one_plane(values: &[f32], size: ImageSize, form: Option<ScoreForm>) -> Result<PixelScores, DecodeError> {
    let greatest = values.iter().copied().fold(0.0, f32::max);
    let are_numbers = || values.iter().all(|&value| value >= 0.0 && value.fract() == 0.0);
    if form.is_none() && greatest > 1.0 && are_numbers() {
        let too_many = || {
            DecodeError::new(format!(
                "a mask of whole numbers up to {greatest}; numbers of classes go to {}",
                MAX_NUMBERED_CLASSES - 1
            ))
        };
        if greatest >= MAX_NUMBERED_CLASSES as f32 {
            return Err(too_many());
        }
        let classes = greatest as usize + 1;
        if values.len() * classes > MAX_VALUES {
            return Err(too_many());
        }
        let mut probabilities = vec![0.0; values.len() * classes];
        for (pixel, &class) in values.iter().enumerate() {
            probabilities[class as usize * values.len() + pixel] = 1.0;
        }
        return Ok(PixelScores {
            size,
            classes,
            probabilities,
            form: ScoreForm::Distribution,
        });
    }
    let form = form.unwrap_or_else(|| {
        if values.iter().all(|value| (0.0..=1.0).contains(value)) {
            ScoreForm::Independent
        } else {
            ScoreForm::Logits
        }
    });
    let probabilities = match form {
        ScoreForm::Logits => values.iter().map(|&logit| sigmoid(logit)).collect(),
        ScoreForm::Distribution | ScoreForm::Independent => values.to_vec(),
    };
    Ok(PixelScores {
        size,
        classes: 1,
        probabilities,
        form,
    })
}

impl PixelScores {
    /// The probabilities of a class, row by row; nothing for classes that are not there.
    pub fn plane(&self, class: usize) -> &[f32] {
        let pixels = self.size.width_px as usize * self.size.height_px as usize;
        let start = class.saturating_mul(pixels);
        self.probabilities
            .get(start..start.saturating_add(pixels))
            .unwrap_or_default()
    }

    /// What each pixel shows most probably, row by row: a class, the first of equals; with a single class the class 0
    /// where it is more probable than not, and nothing elsewhere.
    pub fn greatest(&self) -> Vec<Option<usize>> {
        if self.classes == 1 {
            let is_shown = |&score: &f32| (score > 0.5).then_some(0);
            return self.plane(0).iter().map(is_shown).collect();
        }
        let mut best: Vec<f32> = self.plane(0).to_vec();
        let mut found = vec![Some(0); best.len()];
        for class in 1..self.classes {
            let scores = self.plane(class).iter();
            for ((score, best), found) in scores.zip(&mut best).zip(&mut found) {
                if score > best {
                    (*best, *found) = (*score, Some(class));
                }
            }
        }
        found
    }

    /// For each class the share of pixels that show it most probably, as [`Self::greatest`] says.
    pub fn shares(&self) -> Vec<f32> {
        let greatest = self.greatest();
        let mut counts = vec![0_usize; self.classes];
        for &class in greatest.iter().flatten() {
            counts[class] += 1;
        }
        let share = |&count: &usize| count as f32 / greatest.len() as f32;
        counts.iter().map(share).collect()
    }

    /// For each class that some pixel shows most probably, the class and the place in the output, in its pixels, of the one
    /// of those pixels that is nearest to the middle of them all: where its name may stand.
    pub fn places(&self) -> Vec<(usize, Point2)> {
        let greatest = self.greatest();
        let width = self.size.width_px.max(1) as usize;
        let place = |pixel: usize| Point2::new((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5);
        let mut sums = vec![(0.0_f64, 0.0_f64, 0_usize); self.classes];
        for (pixel, &class) in greatest.iter().enumerate() {
            let Some(class) = class else { continue };
            let (at, sum) = (place(pixel), &mut sums[class]);
            *sum = (sum.0 + f64::from(at.x), sum.1 + f64::from(at.y), sum.2 + 1);
        }
        let mut nearest = vec![None::<(f32, Point2)>; self.classes];
        for (pixel, &class) in greatest.iter().enumerate() {
            let Some(class) = class else { continue };
            let (x, y, count) = sums[class];
            let middle = Point2::new((x / count as f64) as f32, (y / count as f64) as f32);
            let distance = place(pixel).distance(middle);
            if nearest[class].is_none_or(|(least, _)| distance < least) {
                nearest[class] = Some((distance, place(pixel)));
            }
        }
        let found = nearest.into_iter().enumerate();
        found
            .filter_map(|(class, nearest)| nearest.map(|(_, at)| (class, at)))
            .collect()
    }

    /// A class's probability for each pixel of the picture, row by row, between pixels bilinearly with centres at one
    /// half; what was cut off is 0. `input` is the size of the model's input, which the output covers.
    pub fn in_image(&self, class: usize, input: ImageSize, placement: &Placement) -> Vec<f32> {
        let image = placement.image;
        let plane = self.plane(class);
        let (width, height) = (self.size.width_px as usize, self.size.height_px as usize);
        let mut found = Vec::with_capacity(image.width_px as usize * image.height_px as usize);
        let Some(model_from_image) = placement
            .image_from_model()
            .inverse()
            .filter(|_| !plane.is_empty())
        else {
            return found;
        };
        let x_scale = width as f32 / input.width_px.max(1) as f32;
        let y_scale = height as f32 / input.height_px.max(1) as f32;
        for y in 0..image.height_px {
            for x in 0..image.width_px {
                let place = model_from_image.apply(Point2::new(x as f32 + 0.5, y as f32 + 0.5));
                let (x, y) = (place.x * x_scale, place.y * y_scale);
                let is_inside = x >= 0.0 && y >= 0.0 && x <= width as f32 && y <= height as f32;
                let along = |place: f32, size: usize| {
                    let place = (place - 0.5).clamp(0.0, (size - 1) as f32);
                    let before = place as usize;
                    (before, (before + 1).min(size - 1), place.fract())
                };
                let (left, right, x_share) = along(x, width);
                let (top, bottom, y_share) = along(y, height);
                let row =
                    |y: usize| plane[y * width + left] * (1.0 - x_share) + plane[y * width + right] * x_share;
                found.push(if is_inside {
                    row(top) * (1.0 - y_share) + row(bottom) * y_share
                } else {
                    0.0
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes on four columns and three rows: class 1 is the corner below on the left, an L around the middle.
    fn scores(classes: usize, probabilities: Vec<f32>) -> PixelScores {
        PixelScores {
            size: ImageSize {
                width_px: 4,
                height_px: 3,
            },
            classes,
            probabilities,
            form: ScoreForm::Distribution,
        }
    }

    #[test]
    fn each_pixel_shows_one_class_and_each_class_has_a_place_inside() {
        let one = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let other = one.map(|share: f32| 1.0 - share);
        let mask = scores(2, [other, one].concat());
        assert_eq!(mask.shares(), [7.0 / 12.0, 5.0 / 12.0]);
        let places = mask.places();
        assert_eq!(places.iter().map(|(class, _)| *class).collect::<Vec<_>>(), [0, 1]);
        for (class, at) in places {
            let pixel = at.y as usize * 4 + at.x as usize;
            assert_eq!(mask.greatest()[pixel], Some(class), "{at:?}");
        }
        let single = scores(1, one.to_vec());
        assert_eq!(single.shares(), [5.0 / 12.0]);
        assert_eq!(single.greatest()[1], None);
        assert_eq!(single.places().len(), 1);
    }
}
