//! What stands behind the person: nothing, a colour, another picture, or the same picture out of focus.

use crate::blur::blur;
use crate::geometry::ImageSize;
use crate::mask::Mask;

/// A picture in RGB, a byte a channel, row by row without gaps.
#[derive(Clone, Copy, Debug)]
pub struct Rgb<'a> {
    size: ImageSize,
    pixels: &'a [u8],
}

impl<'a> Rgb<'a> {
    /// `None` where the bytes are not three for each pixel, or there are none.
    pub fn new(size: ImageSize, pixels: &'a [u8]) -> Option<Self> {
        let expected = size.width_px as usize * size.height_px as usize * 3;
        (expected > 0 && pixels.len() == expected).then_some(Self { size, pixels })
    }

    /// The pixel at a place inside, or the nearest one.
    fn nearest(&self, column: f32, row: f32) -> [u8; 3] {
        let index = |place: f32, side: u32| place.round().clamp(0.0, side as f32 - 1.0) as usize;
        let start = (index(row, self.size.height_px) * self.size.width_px as usize
            + index(column, self.size.width_px))
            * 3;
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }
}

/// What takes the place of everything but the person.
#[derive(Clone, Copy, Debug)]
pub enum Backdrop<'a> {
    /// The person is cut out; the mask becomes the alpha channel.
    Nothing,
    /// One colour: red, green, blue.
    Colour([u8; 3]),
    /// Another picture, enlarged until it covers all, its middle in the middle.
    Picture(Rgb<'a>),
    /// The picture itself, blurred with this standard deviation in pixels. The person does not shine into it.
    Blur(f32),
}

/// Puts the person of a picture in front of a backdrop: RGBA, a byte a channel, alpha not multiplied in. `None` where
/// the mask is of another size than the picture.
pub fn compose(picture: Rgb<'_>, mask: &Mask, backdrop: Backdrop<'_>) -> Option<Vec<u8>> {
    if mask.size() != picture.size {
        return None;
    }
    let width = picture.size.width_px as usize;
    let pixels = picture.pixels.as_chunks::<3>().0.iter().zip(mask.values());
    let over = |behind: &dyn Fn(usize) -> [f32; 3]| {
        pixels
            .clone()
            .enumerate()
            .flat_map(|(index, (pixel, &share))| {
                let behind = behind(index);
                let [r, g, b] = [0, 1, 2].map(|channel| {
                    let front = f32::from(pixel[channel]);
                    (behind[channel] + (front - behind[channel]) * share).round() as u8
                });
                [r, g, b, u8::MAX]
            })
            .collect()
    };
    Some(match backdrop {
        Backdrop::Nothing => pixels
            .clone()
            .flat_map(|(&[r, g, b], share)| [r, g, b, (share * 255.0).round() as u8])
            .collect(),
        Backdrop::Colour(colour) => over(&|_| colour.map(f32::from)),
        Backdrop::Picture(behind) => {
            let sides = [picture.size, behind.size].map(|size| [size.width_px as f32, size.height_px as f32]);
            let [[to_w, to_h], [from_w, from_h]] = sides;
            let scale = (to_w / from_w).max(to_h / from_h);
            over(&|index| {
                let (column, row) = ((index % width) as f32 + 0.5, (index / width) as f32 + 0.5);
                let place = |at: f32, to: f32, from: f32| (at - to / 2.0) / scale + from / 2.0 - 0.5;
                behind
                    .nearest(place(column, to_w, from_w), place(row, to_h, from_h))
                    .map(f32::from)
            })
        }
        Backdrop::Blur(deviation_px) => {
            let pixels = picture.pixels.as_chunks::<3>().0.iter().copied();
            let blurred = blurred_without_person(pixels, mask, deviation_px);
            over(&|index| blurred[index])
        }
    })
}

/// Puts a picture of the mask's size, RGBA, out of focus with this standard deviation in pixels, as if the person were
/// not there; alpha stays. What lies deep inside of the person is left as it is: a backdrop is never seen there. `None`,
/// and nothing done, where the bytes are not four for each pixel of the mask.
pub fn put_out_of_focus(rgba: &mut [u8], mask: &Mask, deviation_px: f32) -> Option<()> {
    let (pixels, rest) = rgba.as_chunks_mut::<4>();
    if pixels.len() != mask.values().len() || !rest.is_empty() {
        return None;
    }
    let colours = pixels.iter().map(|&[r, g, b, _]| [r, g, b]);
    let blurred = blurred_without_person(colours, mask, deviation_px);
    for (pixel, colour) in pixels.iter_mut().zip(blurred) {
        let [r, g, b] = colour.map(|level| level.round() as u8);
        *pixel = [r, g, b, pixel[3]];
    }
    Some(())
}

/// Pixels of the mask's size out of focus, as if the person were not there: each counts by how little of it is the
/// person, and sums are divided by the sum of what counted.
fn blurred_without_person(
    pixels: impl Iterator<Item = [u8; 3]> + Clone,
    mask: &Mask,
    deviation_px: f32,
) -> Vec<[f32; 3]> {
    let [width, height] = [mask.size().width_px, mask.size().height_px].map(|side| side as usize);
    let mut weighted: Vec<f32> = pixels
        .clone()
        .zip(mask.values())
        .flat_map(|(pixel, share)| {
            let weight = 1.0 - share;
            let [r, g, b] = pixel.map(|level| f32::from(level) * weight);
            [r, g, b, weight]
        })
        .collect();
    blur(&mut weighted, width, height, 4, deviation_px);
    weighted
        .as_chunks::<4>()
        .0
        .iter()
        .zip(pixels)
        .map(|(&[r, g, b, weight], pixel)| {
            // Deep inside of the person nothing counts, and nothing of the backdrop is seen.
            if weight > 1e-3 {
                [r, g, b].map(|sum| (sum / weight).clamp(0.0, 255.0))
            } else {
                pixel.map(f32::from)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize {
        width_px: 4,
        height_px: 2,
    };

    /// The left half is the person, with an edge of one half.
    fn mask() -> Mask {
        Mask::new(SIZE, [1.0, 0.5, 0.0, 0.0].repeat(2)).expect("eight pixels")
    }

    fn rgba(pixels: &[u8], backdrop: Backdrop<'_>) -> Vec<[u8; 4]> {
        let picture = Rgb::new(SIZE, pixels).expect("eight pixels");
        let bytes = compose(picture, &mask(), backdrop).expect("one size");
        bytes.as_chunks::<4>().0.to_vec()
    }

    #[test]
    fn a_person_is_cut_out_or_stands_before_a_colour() {
        let pixels = [200, 100, 0].repeat(8);
        let cut = rgba(&pixels, Backdrop::Nothing);
        assert_eq!(
            cut[..4],
            [
                [200, 100, 0, 255],
                [200, 100, 0, 128],
                [200, 100, 0, 0],
                [200, 100, 0, 0]
            ]
        );
        let coloured = rgba(&pixels, Backdrop::Colour([0, 0, 100]));
        assert_eq!(
            coloured[..4],
            [
                [200, 100, 0, 255],
                [100, 50, 50, 255],
                [0, 0, 100, 255],
                [0, 0, 100, 255]
            ]
        );
    }

    #[test]
    fn another_picture_covers_all() {
        let pixels = [0; 24];
        // Two by two: the rows above and below the middle are cut off.
        let size = ImageSize {
            width_px: 2,
            height_px: 2,
        };
        let behind = [[10, 0, 0], [20, 0, 0], [30, 0, 0], [40, 0, 0]].concat();
        let behind = Rgb::new(size, &behind).expect("four pixels");
        let composed = rgba(&pixels, Backdrop::Picture(behind));
        assert_eq!([composed[2], composed[3]], [[20, 0, 0, 255]; 2]);
        assert_eq!([composed[6], composed[7]], [[40, 0, 0, 255]; 2]);
    }

    #[test]
    fn the_person_does_not_shine_into_the_blur() {
        let pixels = [[250, 250, 250], [250, 250, 250], [40, 40, 40], [40, 40, 40]]
            .concat()
            .repeat(2);
        let size = SIZE;
        let sharp = Mask::new(size, [1.0, 1.0, 0.0, 0.0].repeat(2)).expect("eight pixels");
        let picture = Rgb::new(size, &pixels).expect("eight pixels");
        let bytes = compose(picture, &sharp, Backdrop::Blur(3.0)).expect("one size");
        let composed = bytes.as_chunks::<4>().0;
        assert_eq!(
            composed[..4],
            [
                [250, 250, 250, 255],
                [250, 250, 250, 255],
                [40, 40, 40, 255],
                [40, 40, 40, 255]
            ]
        );
    }

    /// The same out of focus, pixel for pixel, in the form in which a browser has it.
    #[test]
    fn a_browsers_picture_gets_the_same_blur() {
        let colours: Vec<[u8; 3]> = (0..8).map(|index| [index * 30, 255 - index * 20, 90]).collect();
        let mask = Mask::new(SIZE, [1.0, 0.4, 0.0, 0.0].repeat(2)).expect("eight pixels");
        let mut rgba: Vec<u8> = colours.iter().flat_map(|&[r, g, b]| [r, g, b, 77]).collect();
        assert_eq!(put_out_of_focus(&mut rgba, &mask, 1.5), Some(()));
        let nobody = Mask::empty(SIZE);
        let blurred = blurred_without_person(colours.iter().copied(), &mask, 1.5);
        for (found, expected) in rgba.as_chunks::<4>().0.iter().zip(&blurred) {
            let [r, g, b] = expected.map(|level| level.round() as u8);
            assert_eq!(*found, [r, g, b, 77]);
        }
        assert_ne!(
            blurred,
            blurred_without_person(colours.iter().copied(), &nobody, 1.5)
        );
        assert_eq!(put_out_of_focus(&mut rgba[..31], &mask, 1.5), None);
        assert_eq!(put_out_of_focus(&mut rgba[..28], &mask, 1.5), None);
    }

    #[test]
    fn sizes_must_agree() {
        assert!(Rgb::new(SIZE, &[0; 23]).is_none());
        assert!(
            Rgb::new(
                ImageSize {
                    width_px: 0,
                    height_px: 2
                },
                &[]
            )
            .is_none()
        );
        let picture = Rgb::new(SIZE, &[0; 24]).expect("eight pixels");
        let other = Mask::empty(ImageSize {
            width_px: 2,
            height_px: 4,
        });
        assert!(compose(picture, &other, Backdrop::Nothing).is_none());
    }
}
