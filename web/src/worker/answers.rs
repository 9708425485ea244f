//! What the page is told of a frame: from the browser's picture to its people, and to the frame in front of another
//! background.

use plumbline_pipeline::PeopleResult;

use super::compositor::Compositor;
use super::masker::{FrameMasks, Masker};
use super::measurer::{CpuMeasurer, GpuMeasurer};
use super::pixels::PixelReader;
use super::protocol::{FrameStamp, FromEngine, Measurement};
use super::watcher::Watcher;
use crate::live::backend::Backend;
use crate::platform::page::now_millis;
use crate::platform::picture::Picture;

/// What a frame gave, and the frame in front of the background that is wanted; or a sentence.
pub type Measured = Result<(Measurement, Option<Picture>), String>;

/// A frame's picture while it is measured.
pub struct Taken {
    /// Stays open until then.
    pub picture: Picture,
    /// Whether it is another one than the page shows: spoiled on purpose.
    pub is_broken: bool,
}

impl Taken {
    /// The page's picture, or what whoever watches makes of it.
    pub async fn of(watcher: Option<&Watcher>, frame: &FrameStamp, picture: Picture) -> Self {
        let Some(watcher) = watcher else {
            return Self {
                picture,
                is_broken: false,
            };
        };
        let broken = watcher.broken(frame.index, &picture).await;
        let is_broken = broken.is_some();
        if is_broken {
            picture.close();
        }
        let picture = broken.unwrap_or(picture);
        watcher.show(frame.index, &picture);
        Self { picture, is_broken }
    }

    /// Once it is measured: the page shows what was measured, or the picture is closed.
    pub fn settle(self, measured: &mut Measured) {
        match measured {
            Ok((_, composed @ None)) if self.is_broken => *composed = Some(self.picture),
            _ => self.picture.close(),
        }
    }
}

/// Who finds people's outlines, and who draws what stands behind them.
#[derive(Default)]
pub struct Behind {
    /// Finds everybody in a frame, where the skeleton's model is not to.
    pub masker: Masker,
    /// Draws frames anew where another background is wanted.
    pub compositor: Compositor,
}

/// Measures a frame on the CPU, with at most `people` in it.
///
/// # Errors
/// A sentence.
pub async fn on_cpu(
    reader: &mut PixelReader,
    cpu: &mut CpuMeasurer,
    behind: &mut Behind,
    frame: FrameStamp,
    people: u32,
    picture: &Picture,
) -> Measured {
    let start_millis = now_millis();
    let pixels = reader.read(picture).await?;
    let pixels_millis = now_millis() - start_millis;
    let workers = cpu.workers();
    let result = cpu.measure(pixels, &frame, people).await?;
    let found = match behind.masker.is_wanted() {
        true => Some(behind.masker.find(pixels, &frame).await?),
        false => None,
    };
    let mut measured = composed(behind, frame, picture, result, found)?;
    measured.0.workers = workers;
    measured.0.pixels_millis = pixels_millis;
    measured.0.total_millis = now_millis() - start_millis;
    Ok(measured)
}

/// Goes on with what the GPU has found in a frame that it was given at `start_millis`. The picture's pixels are read only
/// for a model that makes masks on the CPU.
///
/// # Errors
/// A sentence, when the background cannot be drawn.
pub async fn after_gpu(
    reader: &mut PixelReader,
    behind: &mut Behind,
    frame: FrameStamp,
    picture: &Picture,
    start_millis: f64,
    result: PeopleResult,
) -> Measured {
    let found = match behind.masker.is_wanted() {
        true => Some(behind.masker.find(reader.read(picture).await?, &frame).await?),
        false => None,
    };
    let mut measured = composed(behind, frame, picture, result, found)?;
    measured.0.backend = Backend::Gpu;
    measured.0.total_millis = now_millis() - start_millis;
    Ok(measured)
}

/// Measures a frame on the GPU, with more than one and at most `people` in it.
///
/// # Errors
/// A sentence.
pub async fn on_gpu(
    reader: &mut PixelReader,
    gpu: &mut GpuMeasurer,
    behind: &mut Behind,
    frame: FrameStamp,
    people: u32,
    picture: &Picture,
) -> Measured {
    let start_millis = now_millis();
    let result = gpu.measure_people(picture, &frame, people).await?;
    after_gpu(reader, behind, frame, picture, start_millis, result).await
}

/// What the page is told of a frame.
pub fn answer(frame: FrameStamp, measured: Measured) -> FromEngine {
    match measured {
        Ok((measurement, composed)) => FromEngine::Measured {
            measurement: Box::new(measurement),
            composed,
        },
        Err(sentence) => FromEngine::FrameFailed { frame, sentence },
    }
}

/// As of one worker on the CPU that took no time. Masks are the skeletons' where no others were looked for.
fn composed(
    behind: &mut Behind,
    frame: FrameStamp,
    picture: &Picture,
    result: PeopleResult,
    found: Option<FrameMasks>,
) -> Measured {
    let size = picture.size();
    let found = found.unwrap_or_else(|| FrameMasks::of_skeletons(result.masks));
    let (cut, composed) = behind.compositor.stand_behind(&frame, picture, found)?;
    let measurement = Measurement {
        frame,
        width_px: size.width_px,
        height_px: size.height_px,
        people: result.people,
        backend: Backend::Cpu,
        workers: 1,
        pixels_millis: 0.0,
        timings: result.timings,
        cut,
        total_millis: 0.0,
    };
    Ok((measurement, composed))
}
