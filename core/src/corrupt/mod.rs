//! Twelve ways to spoil a picture on purpose, in five severities each: what a monitor must notice and a model may fail at.
//!
//! Goes in: a frame as RGBA, changed in place. Comes out: the frame as a bad lens, a dark room, a bad line or another
//! camera would have shown it, the same on every machine: seeded, without a clock, and with operations that IEEE 754
//! rounds exactly. [`Corruption::moves`] takes the truth along, so that what a model loses is the model's loss and not the
//! label's. Severities of blur, noise, brightness, contrast and JPEG are those of ImageNet-C (Hendrycks and Dietterich,
//! *Benchmarking Neural Network Robustness to Common Corruptions and Perturbations*, 2019), as the package
//! imagecorruptions 1.1.2 states them; the others are ours.

mod blur;
mod jpeg;
mod levels;
mod noise;
mod placement;

use std::fmt;

use crate::geometry::{ImageSize, Point2};

use self::noise::Noise;

/// A way to spoil a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Corruption {
    /// A Gaussian of 1, 2, 3, 4, 6 px.
    Blur,
    /// Gaussian, of .08, .12, .18, .26, .38 of the scale.
    Noise,
    /// Times .8, .6, .45, .3, .2.
    Dark,
    /// .1 to .5 of the scale more in every channel.
    Bright,
    /// Times .4, .3, .2, .1, .05 about each channel's mean.
    Contrast,
    /// Quality 25, 18, 15, 10, 7.
    Jpeg,
    /// A grey bar before the middle, .1 to .5 of the height.
    Occlusion,
    /// 5, 10, 20, 30, 45 degrees, black beyond.
    Rotation,
    /// .8, .6, .45, .3, .2 of the size, black around.
    Scale,
    /// Only every 2nd, 3rd, 5th, 8th, 15th frame is new; the others show it again.
    LowFrameRate,
    /// Left and right exchanged, at every severity.
    Mirrored,
    /// Green and blue times .95, .9, .85, .8, .75.
    ColourCast,
}

impl Corruption {
    /// All, in the order in which they are applied where there are several: what the scene does, then the camera, then
    /// the line.
    pub const ALL: [Self; 12] = [
        Self::Mirrored,
        Self::Scale,
        Self::Rotation,
        Self::Occlusion,
        Self::Dark,
        Self::Bright,
        Self::Contrast,
        Self::ColourCast,
        Self::Blur,
        Self::Noise,
        Self::Jpeg,
        Self::LowFrameRate,
    ];

    /// As in files and addresses.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::Noise => "noise",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Contrast => "contrast",
            Self::Jpeg => "jpeg",
            Self::Occlusion => "occlusion",
            Self::Rotation => "rotation",
            Self::Scale => "scale",
            Self::LowFrameRate => "low-frame-rate",
            Self::Mirrored => "mirrored",
            Self::ColourCast => "colour-cast",
        }
    }

    /// The corruption of a name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|corruption| corruption.id() == id)
    }

    /// Whether it has severities, or is only on or off.
    #[must_use]
    pub fn has_severities(self) -> bool {
        self != Self::Mirrored
    }

    /// Where a point of the clean picture lies in the spoiled one. A point under the bar stays where it is; so does one in
    /// a frame that is shown again, because truth is of the moment and the picture is late.
    #[must_use]
    pub fn moves(self, severity: Severity, size: ImageSize, point: Point2) -> Point2 {
        match self {
            Self::Rotation => placement::rotated(point, size, severity),
            Self::Scale => placement::scaled(point, size, severity),
            Self::Mirrored => Point2::new(size.width_px as f32 - point.x, point.y),
            _ => point,
        }
    }

    /// Whether what was somebody's left is their right in the spoiled picture.
    #[must_use]
    pub fn swaps_sides(self) -> bool {
        self == Self::Mirrored
    }
}

/// How strongly: 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Severity(u8);

impl Severity {
    /// All, rising.
    pub const ALL: [Self; 5] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// Nothing outside of 1 to 5.
    #[must_use]
    pub fn new(level: u8) -> Option<Self> {
        (1..=5).contains(&level).then_some(Self(level))
    }

    /// 1 to 5.
    #[must_use]
    pub fn level(self) -> u8 {
        self.0
    }

    fn of<T: Copy>(self, table: [T; 5]) -> T {
        table[usize::from(self.0 - 1)]
    }
}

/// The buffer is not the picture that was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSize {
    /// Bytes that there are.
    pub bytes: usize,
    /// What was announced.
    pub size: ImageSize,
}

impl fmt::Display for WrongSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImageSize { width_px, height_px } = self.size;
        let bytes = self.bytes;
        write!(
            f,
            "a picture of {width_px} x {height_px} pixels as RGBA has four bytes a pixel, and not {bytes} bytes"
        )
    }
}

impl std::error::Error for WrongSize {}

/// Spoils one frame after the other, and keeps what that needs: the frame that is shown again, and room to work in.
#[derive(Clone, Debug)]
pub struct Corruptor {
    seed: u64,
    noise: Noise,
    held: Option<Held>,
    scratch: Vec<u8>,
}

/// A frame that is shown again.
#[derive(Clone, Debug)]
struct Held {
    index: u32,
    size: ImageSize,
    rgba: Vec<u8>,
}

impl Corruptor {
    /// The seed decides the noise, together with each frame's number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            noise: Noise::default(),
            held: None,
            scratch: Vec::new(),
        }
    }

    /// Spoils a frame in place. Alpha stays as it is. Frames are counted from 0 by `frame_index`, which may leave some
    /// out.
    ///
    /// # Errors
    /// [`WrongSize`] where `rgba` is not four bytes a pixel.
    pub fn apply(
        &mut self,
        corruption: Corruption,
        severity: Severity,
        frame_index: u32,
        rgba: &mut [u8],
        size: ImageSize,
    ) -> Result<(), WrongSize> {
        let [width, height] = [size.width_px, size.height_px].map(|side| side as usize);
        let expected = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(4));
        if expected != Some(rgba.len()) {
            let bytes = rgba.len();
            return Err(WrongSize { bytes, size });
        }
        if rgba.is_empty() {
            return Ok(());
        }
        match corruption {
            Corruption::Blur => {
                blur::blur(
                    rgba,
                    width,
                    severity.of([1.0, 2.0, 3.0, 4.0, 6.0]),
                    &mut self.scratch,
                );
            }
            Corruption::Noise => {
                let deviation = 255.0 * severity.of([0.08, 0.12, 0.18, 0.26, 0.38]);
                self.noise.add(rgba, deviation, self.seed, frame_index);
            }
            Corruption::Dark => levels::multiply(rgba, [severity.of([0.8, 0.6, 0.45, 0.3, 0.2]); 3]),
            Corruption::Bright => levels::brighten(rgba, 25.5 * f32::from(severity.level())),
            Corruption::Contrast => levels::flatten(rgba, severity.of([0.4, 0.3, 0.2, 0.1, 0.05])),
            Corruption::Jpeg => jpeg::compress(rgba, width, severity.of([25, 18, 15, 10, 7])),
            Corruption::Occlusion => placement::occlude(rgba, width, severity),
            Corruption::Rotation => placement::rotate(rgba, size, severity, &mut self.scratch),
            Corruption::Scale => placement::shrink(rgba, size, severity),
            Corruption::LowFrameRate => self.show_again(rgba, size, severity, frame_index),
            Corruption::Mirrored => placement::mirror(rgba, width),
            Corruption::ColourCast => {
                let factor = severity.of([0.95, 0.9, 0.85, 0.8, 0.75]);
                levels::multiply(rgba, [1.0, factor, factor]);
            }
        }
        Ok(())
    }

    /// Shows the first frame of each group in place of the others.
    fn show_again(&mut self, rgba: &mut [u8], size: ImageSize, severity: Severity, index: u32) {
        let period = severity.of([2, 3, 5, 8, 15]);
        let is_of_group = |held: &Held| held.size == size && held.index / period == index / period;
        match &self.held {
            // A source that begins anew counts anew.
            Some(held) if is_of_group(held) && held.index <= index => rgba.copy_from_slice(&held.rgba),
            _ => {
                let rgba = rgba.to_vec();
                self.held = Some(Held { index, size, rgba });
            }
        }
    }
}

/// A value as 8 bits: rounded, and cut where it leaves the scale.
fn level(value: f32) -> u8 {
    // A conversion cuts off what it cannot hold, and digits after the point.
    (value + 0.5) as u8
}

#[cfg(test)]
mod test_card;
#[cfg(test)]
mod tests;
