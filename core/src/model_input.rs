//! How a picture becomes the input of any model: resizing, colours, numbers; and the way back to the picture.
//!
//! ```text
//! picture -> resize (stretch, letterbox, centre crop) -> colour order -> range -> (value - mean) / std -> input
//!                          Placement: which point of the picture a point of the input is
//! ```
//!
//! Here stand the types and the geometry; pixels are moved by `plumbline_pipeline::model_input`.

use serde::{Deserialize, Serialize};

use crate::geometry::{Affine2, ImageSize, Point2};

/// How a picture of any size becomes one of the model's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Each axis by its own factor; the picture is distorted.
    #[default]
    Stretch,
    /// The whole picture by one factor, in the middle, with a border of [`Preprocessing::border`]. Sizes and places are
    /// rounded as in Ultralytics' `LetterBox`: the picture is `round(side * factor)` large, and of an odd rest the
    /// smaller half stands above and to the left.
    Letterbox,
    /// The same, but the picture in the upper left corner (YOLOX, MMDetection's `Pad`).
    LetterboxCorner,
    /// The picture by one factor until its shorter side has [`Preprocessing::shorter_side_px`], then the middle of it
    /// (torchvision's `Resize` and `CenterCrop`).
    CentreCrop,
}

/// How pixels between pixels are found. What is found is rounded to 8 bits, as it is where models are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// From the four neighbours, however much the picture shrinks; pixel centres lie at one half on both sides (OpenCV's
    /// `resize` with `INTER_LINEAR`).
    #[default]
    Bilinear,
    /// The same where the picture grows; where it shrinks from all pixels that an output pixel covers, weighted by a
    /// triangle (Pillow's `BILINEAR`, and so torchvision's).
    Antialiased,
    /// From the four neighbours, with no half pixel added: output pixel i reads the picture at i times the factor, in
    /// black where that is outside (OpenCV's `warpAffine`, with which MMPose cuts people out).
    Warp,
    /// The pixel at or before i times the factor (OpenCV's `resize` with `INTER_NEAREST`).
    Nearest,
}

/// Which component of a pixel comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads pictures.
    Bgr,
}

/// How the numbers of an input lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[1, height, width, 3]`: components innermost.
    Nhwc,
    /// `[1, 3, height, width]`: a plane for each component.
    Nchw,
}

/// The size and the layout of an input that takes pictures; nothing for shapes that hold no picture of three components.
/// `[1, 3, H, W]` counts as planes even where `W` is 3.
pub fn picture_input(shape: &[usize]) -> Option<(Layout, ImageSize)> {
    let (layout, height, width) = match *shape {
        [1, 3, height, width] => (Layout::Nchw, height, width),
        [1, height, width, 3] => (Layout::Nhwc, height, width),
        _ => return None,
    };
    let size = ImageSize {
        width_px: u32::try_from(width).ok()?,
        height_px: u32::try_from(height).ok()?,
    };
    (1..=MAX_SIDE_PX)
        .contains(&size.width_px.min(size.height_px))
        .then_some((layout, size))
        .filter(|(_, size)| size.width_px.max(size.height_px) <= MAX_SIDE_PX)
}

/// No input may have more columns or rows.
pub const MAX_SIDE_PX: u32 = 8192;

/// What happens to a picture before a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Columns and rows of the input.
    pub size: ImageSize,
    /// How the picture gets that size.
    pub resize: Resize,
    /// For [`Resize::CentreCrop`]: the shorter side before the middle is cut out; the input's own without it.
    pub shorter_side_px: Option<u32>,
    /// What stands beside the picture in a letterbox: red, green, blue.
    pub border: [u8; 3],
    /// How pixels between pixels are found.
    pub interpolation: Interpolation,
    /// Which component comes first.
    pub colours: ColourOrder,
    /// What the levels 0 and 255 become before mean and deviation.
    pub range: [f32; 2],
    /// Subtracted from each component, in the order of the input.
    pub mean: [f32; 3],
    /// What each component is divided by afterwards, in the order of the input.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// Mean and deviation of ImageNet's training set for pixels in 0 to 1, red first, as torchvision's models take them.
    pub const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// Stretched, red first, 0 to 1.
    pub fn plain(size: ImageSize) -> Self {
        Self {
            size,
            resize: Resize::Stretch,
            shorter_side_px: None,
            border: [0; 3],
            interpolation: Interpolation::Bilinear,
            colours: ColourOrder::Rgb,
            range: [0.0, 1.0],
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }

    /// For each component of the input, factor and summand: `value = level * factor + summand` for levels 0 to 255.
    pub fn value_of_level(&self) -> [(f32, f32); 3] {
        let [low, high] = self.range.map(f64::from);
        [0, 1, 2].map(|component| {
            let (mean, std) = (f64::from(self.mean[component]), f64::from(self.std[component]));
            (((high - low) / 255.0 / std) as f32, ((low - mean) / std) as f32)
        })
    }

    /// Where a picture stands in the input.
    ///
    /// # Errors
    /// [`PlacementError`] for a picture without pixels, or one so long that nothing of its shorter side would be left.
    pub fn placement(&self, image: ImageSize) -> Result<Placement, PlacementError> {
        let input = self.size;
        if image.width_px == 0 || image.height_px == 0 || input.width_px == 0 || input.height_px == 0 {
            return Err(PlacementError { image, input });
        }
        let (width, height) = (f64::from(image.width_px), f64::from(image.height_px));
        let (scaled, left_px, top_px) = match self.resize {
            Resize::Stretch => (input, 0, 0),
            Resize::Letterbox | Resize::LetterboxCorner => {
                let factor = (f64::from(input.width_px) / width).min(f64::from(input.height_px) / height);
                let scaled = ImageSize {
                    width_px: round_half_even(width * factor),
                    height_px: round_half_even(height * factor),
                };
                let rest = |whole: u32, part: u32| (i64::from(whole) - i64::from(part)) / 2;
                match self.resize {
                    Resize::Letterbox => (
                        scaled,
                        rest(input.width_px, scaled.width_px),
                        rest(input.height_px, scaled.height_px),
                    ),
                    _ => (scaled, 0, 0),
                }
            }
            Resize::CentreCrop => {
                let shorter = self
                    .shorter_side_px
                    .unwrap_or(input.width_px.max(input.height_px));
                // torchvision cuts the longer side to whole pixels, and rounds where the middle begins.
                let longer = |long: u32, short: u32| u64::from(shorter) * u64::from(long) / u64::from(short);
                let longer = |long, short| u32::try_from(longer(long, short)).unwrap_or(u32::MAX);
                let scaled = if image.width_px <= image.height_px {
                    ImageSize {
                        width_px: shorter,
                        height_px: longer(image.height_px, image.width_px),
                    }
                } else {
                    ImageSize {
                        width_px: longer(image.width_px, image.height_px),
                        height_px: shorter,
                    }
                };
                let begin = |whole: u32, part: u32| {
                    let half = (f64::from(whole) - f64::from(part)) / 2.0;
                    -(half.round_ties_even() as i64)
                };
                (
                    scaled,
                    begin(scaled.width_px, input.width_px),
                    begin(scaled.height_px, input.height_px),
                )
            }
        };
        if scaled.width_px == 0
            || scaled.height_px == 0
            || scaled.width_px.max(scaled.height_px) > MAX_SCALED_SIDE_PX
        {
            return Err(PlacementError { image, input });
        }
        Ok(Placement {
            image,
            scaled,
            left_px,
            top_px,
        })
    }
}

/// Pictures whose longer side becomes longer than this by resizing are refused.
const MAX_SCALED_SIDE_PX: u32 = 1 << 20;

/// As Python's `round`.
fn round_half_even(value: f64) -> u32 {
    value.round_ties_even() as u32
}

/// A picture that cannot be brought to the input's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementError {
    image: ImageSize,
    input: ImageSize,
}

impl std::fmt::Display for PlacementError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { image, input } = self;
        write!(
            f,
            "a picture of {}x{} px cannot become an input of {}x{} px; cut or scale it first",
            image.width_px, image.height_px, input.width_px, input.height_px
        )
    }
}

impl std::error::Error for PlacementError {}

/// Where a picture stands in an input: scaled to a size, its upper left corner at a place, which lies outside of the
/// input where the middle is cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The picture's own size.
    pub image: ImageSize,
    /// Its size in the input.
    pub scaled: ImageSize,
    /// Columns of the input to the left of it.
    pub left_px: i64,
    /// Rows of the input above it.
    pub top_px: i64,
}

impl Placement {
    /// From pixels of the input to pixels of the picture, edges to edges.
    pub fn image_from_model(&self) -> Affine2 {
        let along = |image: u32, scaled: u32, before: i64| {
            let factor = f64::from(image) / f64::from(scaled);
            (factor as f32, (-(before as f64) * factor) as f32)
        };
        let (xx, x0) = along(self.image.width_px, self.scaled.width_px, self.left_px);
        let (yy, y0) = along(self.image.height_px, self.scaled.height_px, self.top_px);
        Affine2 {
            xx,
            xy: 0.0,
            x0,
            yx: 0.0,
            yy,
            y0,
        }
    }

    /// A point of the input, in its pixels, as a point of the picture.
    pub fn point_in_image(&self, point_in_model: Point2) -> Point2 {
        self.image_from_model().apply(point_in_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(width_px: u32, height_px: u32) -> ImageSize {
        ImageSize { width_px, height_px }
    }

    #[test]
    fn shapes_of_pictures_are_told_from_others() {
        for (shape, expected) in [
            (&[1, 3, 224, 200][..], Some((Layout::Nchw, size(200, 224)))),
            (&[1, 224, 200, 3], Some((Layout::Nhwc, size(200, 224)))),
            (&[1, 3, 64, 3], Some((Layout::Nchw, size(3, 64)))),
            (&[2, 3, 64, 64], None),
            (&[1, 1, 64, 64], None),
            (&[1, 3, 0, 64], None),
            (&[1, 3, usize::MAX, 64], None),
            (&[1, 3, 64, 9000], None),
            (&[3, 64, 64], None),
            (&[], None),
        ] {
            assert_eq!(picture_input(shape), expected, "{shape:?}");
        }
    }

    /// Sizes and places by the formulas of Ultralytics' `LetterBox`, torchvision's `Resize` and `CenterCrop` and
    /// YOLOX's `preproc`.
    #[test]
    fn pictures_are_placed_as_where_models_are_trained() {
        let with = |resize, shorter_side_px, input| Preprocessing {
            resize,
            shorter_side_px,
            ..Preprocessing::plain(input)
        };
        for (resize, shorter, input, image, scaled, left_px, top_px) in [
            (
                Resize::Stretch,
                None,
                size(10, 20),
                size(640, 480),
                size(10, 20),
                0,
                0,
            ),
            (
                Resize::Letterbox,
                None,
                size(640, 640),
                size(1280, 720),
                size(640, 360),
                0,
                140,
            ),
            (
                Resize::Letterbox,
                None,
                size(640, 640),
                size(333, 500),
                size(426, 640),
                107,
                0,
            ),
            (
                Resize::Letterbox,
                None,
                size(64, 64),
                size(64, 63),
                size(64, 63),
                0,
                0,
            ),
            (
                Resize::Letterbox,
                None,
                size(192, 256),
                size(640, 480),
                size(192, 144),
                0,
                56,
            ),
            (
                Resize::LetterboxCorner,
                None,
                size(640, 640),
                size(1280, 720),
                size(640, 360),
                0,
                0,
            ),
            (
                Resize::CentreCrop,
                Some(256),
                size(224, 224),
                size(640, 480),
                size(341, 256),
                -58,
                -16,
            ),
            (
                Resize::CentreCrop,
                Some(256),
                size(224, 224),
                size(333, 500),
                size(256, 384),
                -16,
                -80,
            ),
            (
                Resize::CentreCrop,
                None,
                size(224, 224),
                size(500, 333),
                size(336, 224),
                -56,
                0,
            ),
        ] {
            let found = with(resize, shorter, input).placement(image).expect("it fits");
            let expected = Placement {
                image,
                scaled,
                left_px,
                top_px,
            };
            assert_eq!(found, expected, "{resize:?} of {image:?}");
        }
    }

    #[test]
    fn points_go_back_to_the_picture() {
        let letterbox = Preprocessing {
            resize: Resize::Letterbox,
            ..Preprocessing::plain(size(640, 640))
        };
        let placement = letterbox.placement(size(1280, 720)).expect("it fits");
        for ((x, y), expected) in [
            ((0.0, 140.0), (0.0, 0.0)),
            ((640.0, 500.0), (1280.0, 720.0)),
            ((320.0, 0.0), (640.0, -280.0)),
        ] {
            let point = placement.point_in_image(Point2::new(x, y));
            assert_eq!((point.x, point.y), expected);
        }
    }

    #[test]
    fn what_cannot_be_placed_is_refused() {
        let letterbox = Preprocessing {
            resize: Resize::Letterbox,
            ..Preprocessing::plain(size(640, 640))
        };
        for image in [size(0, 10), size(10, 0), size(u32::MAX, 1)] {
            assert!(letterbox.placement(image).is_err(), "{image:?}");
        }
        let crop = Preprocessing {
            resize: Resize::CentreCrop,
            ..letterbox
        };
        let error = crop
            .placement(size(1, u32::MAX))
            .expect_err("a line of millions of pixels");
        assert_eq!(
            error.to_string(),
            "a picture of 1x4294967295 px cannot become an input of 640x640 px; cut or scale it first"
        );
    }

    #[test]
    fn levels_become_values() {
        let (mean, std) = Preprocessing::IMAGENET;
        let imagenet = Preprocessing {
            mean,
            std,
            ..Preprocessing::plain(size(1, 1))
        };
        let signed = Preprocessing {
            range: [-1.0, 1.0],
            ..Preprocessing::plain(size(1, 1))
        };
        // ImageNet's by hand: (100 / 255 - 0.485) / 0.229, (1 - 0.406) / 0.225
        for (preprocessing, component, level, expected) in [
            (&imagenet, 0, 100.0, -0.405_429),
            (&imagenet, 2, 255.0, 2.64),
            (&signed, 0, 0.0, -1.0),
            (&signed, 1, 127.5, 0.0),
            (&signed, 2, 255.0, 1.0),
        ] {
            let (factor, summand) = preprocessing.value_of_level()[component];
            let value: f32 = level * factor + summand;
            assert!((value - expected).abs() < 1e-5, "{value} is not {expected}");
        }
    }
}
