//! A clip as a monitor sees it: its frames through the pipeline, and what they leave for a reference.
//!
//! Frames keep the times of the clip. The time that a frame takes is left out: it tells about this machine and not about the
//! clip. Once a second a frame is measured a second time with its mirror image, for the agreement of both.

use plumbline_core::geometry::ImageSize;
use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::features::{FEATURE_COUNT, FrameFacts};
use plumbline_core::monitor::learning::Learning;
use plumbline_core::monitor::online::Online;
use plumbline_core::monitor::probe::ImageProbe;
use plumbline_core::statistics::Cells;
use plumbline_core::tracker::Mode;
use plumbline_pipeline::mirrored::both_sides;
use plumbline_pipeline::{CpuInference, PosePipeline};

use crate::Outcome;
use crate::backend::{AnyPipeline, Backend, Device, LandmarkModel, pose_pipeline};
use crate::clip::ClipFrame;

/// How pictures become the models' input, as profiles call it.
pub const PREPROCESSING: &str = "blazepose-1";

/// Models that look at clips.
pub struct Eyes {
    device: Device,
    model: LandmarkModel,
    backend: Backend,
    /// Between looks at the mirror image, seconds; none without.
    mirror_every_secs: Option<f64>,
}

impl Eyes {
    /// Opens a backend.
    ///
    /// # Errors
    /// No usable GPU.
    pub fn open(model: LandmarkModel, backend: Backend, mirror_every_secs: Option<f64>) -> Outcome<Self> {
        Ok(Self {
            device: Device::open(backend)?,
            model,
            backend,
            mirror_every_secs,
        })
    }

    /// Which model.
    pub fn model(&self) -> LandmarkModel {
        self.model
    }

    /// Which backend.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Watches the frames of a clip to their end. `cells` are those of a reference, where there is one.
    ///
    /// # Errors
    /// Frames that cannot be read, models that are missing or fail.
    pub fn watch(
        &self,
        frames: impl Iterator<Item = Outcome<ClipFrame>>,
        length: BlockLength,
        cells: Option<Box<[Cells; FEATURE_COUNT]>>,
    ) -> Outcome<Learning> {
        let mut pipeline = pose_pipeline(&self.device, self.model, Mode::Tracking)?;
        let mut mirror = self.mirror()?;
        let mut online = Online::new(length);
        if let Some(cells) = cells {
            online.use_reference_cells(cells);
        }
        let mut next_mirror_secs = f64::NEG_INFINITY;
        for frame in frames {
            let ClipFrame { picture, time } = frame?;
            let input = picture.frame().map_err(|error| error.to_string())?;
            let result =
                pollster::block_on(pipeline.process(&input, time)).map_err(|error| error.to_string())?;
            let image = ImageSize {
                width_px: picture.width_px as u32,
                height_px: picture.height_px as u32,
            };
            let mut facts = FrameFacts {
                pose: result.pose.as_ref(),
                probe: ImageProbe::of(&picture.rgb, image, 3),
                ran_detector: result.timings.detector_millis.is_some(),
                ..FrameFacts::bare(time.secs(), image, f64::NAN)
            };
            if let (Some((mirror, every_secs)), true) = (&mut mirror, time.secs() >= next_mirror_secs) {
                let both =
                    pollster::block_on(both_sides(mirror, &input)).map_err(|error| error.to_string())?;
                facts.flip_oks = both.similarity;
                next_mirror_secs = time.secs() + *every_secs;
            }
            online.observe(&facts);
        }
        online.finish();
        Ok(online.learning().clone())
    }

    /// A second pipeline, for whole pictures.
    fn mirror(&self) -> Outcome<Option<(Box<PosePipeline<CpuInference>>, f64)>> {
        let Some(every_secs) = self.mirror_every_secs else {
            return Ok(None);
        };
        match pose_pipeline(&Device::Cpu, self.model, Mode::Static)? {
            AnyPipeline::Cpu(pipeline) => Ok(Some((pipeline, every_secs))),
            AnyPipeline::Gpu(_) => Ok(None),
        }
    }
}
