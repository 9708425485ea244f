//! MediaPipe's selfie segmentation: one model that says of each pixel of the whole picture whether it is a person.
//!
//! Sizes, range and that the picture is stretched are those of `selfie_segmentation_cpu.pbtxt` and its GPU twin; the output
//! is a share already (`activation: NONE` there). The middle of the first pixel of the input is that of the first share of
//! the picture, which is how the GPU twin looks pixels up; the CPU graph is off by half of a pixel of the input each way,
//! once when it cuts and once when it enlarges.

use crate::geometry::{ImageSize, Point2};
use crate::mask::RegionMask;
use crate::roi::RotatedRect;

/// What black and white become in the model's input.
pub const SELFIE_RANGE: [f32; 2] = [0.0, 1.0];

/// The two models. They differ in the shape of their input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SelfieModel {
    /// For pictures of any shape, near squares best.
    General,
    /// For wide pictures, in five ninths of the time.
    Landscape,
}

impl SelfieModel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::General, Self::Landscape];

    /// Columns and rows of the input, and of the output.
    pub fn input_size(self) -> ImageSize {
        ImageSize {
            width_px: 256,
            height_px: match self {
                Self::General => 256,
                Self::Landscape => 144,
            },
        }
    }

    /// The part of an image that the input is: all of it. In the convention of [`RotatedRect::image_from_input`], in which
    /// pixels lie at their indices, so that middles of pixels meet.
    pub fn region(self, image: ImageSize) -> RotatedRect {
        let input = self.input_size();
        let middle = |image: u32, input: u32| {
            let (image, scale) = (image as f32, image as f32 / input as f32);
            image / 2.0 + (scale - 1.0) / 2.0
        };
        RotatedRect {
            center: Point2::new(
                middle(image.width_px, input.width_px),
                middle(image.height_px, input.height_px),
            ),
            width_px: image.width_px as f32,
            height_px: image.height_px as f32,
            rotation: 0.0,
        }
    }

    /// The mask of an image from the model's output. `None` where that has another length, or the image no pixel.
    pub fn mask(self, output: &[f32], image: ImageSize) -> Option<RegionMask> {
        RegionMask::of_whole_image(output.to_vec(), self.input_size(), &self.region(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand: each input pixel is as many pixels of the image as it is smaller, and its middle is theirs.
    #[test]
    fn the_whole_picture_is_stretched_with_its_middles_in_place() {
        for (model, image, cases) in [
            (
                SelfieModel::General,
                [512, 1024],
                [((0.0, 0.0), (0.5, 1.5)), ((255.0, 255.0), (510.5, 1021.5))],
            ),
            (
                SelfieModel::Landscape,
                [256, 144],
                [((0.0, 0.0), (0.0, 0.0)), ((255.0, 143.0), (255.0, 143.0))],
            ),
            (
                SelfieModel::Landscape,
                [64, 288],
                [((0.0, 0.0), (-0.375, 0.5)), ((128.0, 72.0), (31.625, 144.5))],
            ),
        ] {
            let [width_px, height_px] = image;
            let size = ImageSize { width_px, height_px };
            let image_from_input = model.region(size).image_from_input(model.input_size());
            for ((x, y), (image_x, image_y)) in cases {
                let found = image_from_input.apply(Point2::new(x, y));
                assert!(
                    found.distance(Point2::new(image_x, image_y)) < 1e-3,
                    "{model:?}: {found:?}"
                );
            }
        }
    }

    /// A person at the border of the picture does not fade there, and one in the middle stays in the middle.
    #[test]
    fn shares_reach_the_border_of_the_picture() {
        let image = ImageSize {
            width_px: 300,
            height_px: 1000,
        };
        for model in SelfieModel::ALL {
            let input = model.input_size();
            let columns = input.width_px as usize;
            let shares = (0..columns * input.height_px as usize).map(|index| {
                // The right half of the picture.
                if index % columns >= columns / 2 { 1.0 } else { 0.0 }
            });
            let mask = model
                .mask(&shares.collect::<Vec<f32>>(), image)
                .expect("a share for each pixel");
            assert!(mask.shows_somebody());
            let whole = mask.in_image(image);
            for (index, &value) in whole.values().iter().enumerate() {
                let expected = match index % 300 {
                    ..148 => 0.0,
                    152.. => 1.0,
                    _ => continue,
                };
                assert!(
                    (value - expected).abs() < 1e-5,
                    "{model:?}: pixel {index} has {value}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_output_is_no_mask() {
        let image = ImageSize {
            width_px: 30,
            height_px: 20,
        };
        let nothing = ImageSize {
            width_px: 0,
            height_px: 20,
        };
        let model = SelfieModel::Landscape;
        assert_eq!(model.mask(&[0.0; 256 * 256], image), None);
        assert_eq!(model.mask(&[0.0; 256 * 144], nothing), None);
        let nobody = model
            .mask(&[0.0; 256 * 144], image)
            .expect("a share for each pixel");
        assert!(!nobody.shows_somebody());
    }
}
