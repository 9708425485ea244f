//! The two models, planned and ready on a backend, with the tracker that joins them.

use plumbline_core::people::MAX_PEOPLE;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_engine::plan::Plan;
use plumbline_pipeline::gpu::{GpuPeople, GpuPosePipeline, Model, View};
use plumbline_pipeline::models::{DETECTOR_OUTPUTS, HEATMAP, LANDMARK_AND_MASK_OUTPUTS, LANDMARK_OUTPUTS};
use plumbline_pipeline::{
    PeoplePipeline, PeopleResult, PipelineError, Target, Variant, plan_detector, plan_landmarks,
    plan_landmarks_and_mask,
};
use plumbline_team::lead::{Lead, ModelFile, Terms};
use plumbline_team::model::SharedModel;

use super::pixels::Pixels;
use super::protocol::FrameStamp;
use crate::live::backend::{Backend, GpuProbe, UNNAMED};
use crate::platform::page::{mark, now_millis};
use crate::platform::picture::Picture;
use crate::platform::replayer::{GpuDevice, GpuFrames, GpuReading};
use crate::platform::thread::worker_script;

/// Both models as they were downloaded.
pub struct Models {
    /// The detector's file.
    pub detector: Vec<u8>,
    /// The landmark model's file.
    pub landmarks: Vec<u8>,
    /// On the GPU, whether frames are copied where they could be looked at as they are.
    pub copies_frames: bool,
}

impl Models {
    /// The plans of the detector and of the landmark model, with or without the person's mask.
    fn plans(&self, target: Target, has_mask: bool) -> Result<(Plan, Plan), String> {
        let detector = plan_detector(&self.detector, target).map_err(|error| error.to_string())?;
        let plan = if has_mask {
            plan_landmarks_and_mask
        } else {
            plan_landmarks
        };
        let landmarks = plan(&self.landmarks, target).map_err(|error| error.to_string())?;
        Ok((detector, landmarks))
    }
}

/// Measures frames on one backend.
pub enum Measurer {
    /// WebAssembly: one frame after the other.
    Cpu(CpuMeasurer),
    /// WebGPU: a frame is submitted before the one before it is read.
    Gpu(GpuMeasurer),
}

impl Measurer {
    /// Makes both models ready, with the person's mask where it is wanted.
    ///
    /// # Errors
    /// A sentence: the bytes are not the models that the pipeline needs, or the GPU refuses them.
    pub async fn prepare(backend: Backend, models: &Models, has_mask: bool) -> Result<Self, String> {
        match backend {
            Backend::Cpu => CpuMeasurer::prepare(models, has_mask).map(Self::Cpu),
            Backend::Gpu => GpuMeasurer::prepare(models, None, has_mask)
                .await
                .map(Self::Gpu)
                .map_err(|what| no_gpu(&what)),
        }
    }

    /// Plans the models anew, with the mask or without, in the way in which they ran. What was made of them goes first:
    /// two heavy ones together would need half a gigabyte. The CPU goes on with whom it followed, and a second worker has
    /// to be recruited again; the GPU looks for the person again.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub async fn replanned(self, models: &Models, has_mask: bool) -> Result<Self, String> {
        match self {
            Self::Cpu(cpu) => {
                let tracker = cpu.pipeline.into_tracker();
                drop(cpu.lead);
                let mut fresh = CpuMeasurer::prepare(models, has_mask)?;
                fresh.pipeline.follow_on(tracker);
                Ok(Self::Cpu(fresh))
            }
            Self::Gpu(gpu) => {
                let variant = gpu.variant;
                drop(gpu);
                let fresh = GpuMeasurer::prepare(models, Some(variant), has_mask).await;
                fresh.map(Self::Gpu).map_err(|what| no_gpu(&what))
            }
        }
    }

    /// Whether frames have a mask.
    pub fn has_mask(&self) -> bool {
        match self {
            Self::Cpu(cpu) => cpu.pipeline.has_mask(),
            Self::Gpu(gpu) => gpu.has_mask,
        }
    }
}

/// How an adapter runs on which nothing was timed. One that does not say what it is gets what is never slow: fused kernels
/// take a software adapter ten times as long to compile and to run.
fn untimed_variant(adapter: &GpuProbe) -> Variant {
    match adapter {
        GpuProbe::Hardware { name } if name != UNNAMED => Variant::HARDWARE,
        GpuProbe::NoWebGpu | GpuProbe::NoAdapter | GpuProbe::Software { .. } | GpuProbe::Hardware { .. } => {
            Variant::SOFTWARE
        }
    }
}

/// Both models in WebAssembly.
pub struct CpuMeasurer {
    pipeline: Box<PeoplePipeline<SharedModel>>,
    lead: Lead,
}

impl CpuMeasurer {
    fn prepare(models: &Models, has_mask: bool) -> Result<Self, String> {
        let plans = models.plans(Target::Cpu, has_mask);
        let (detector, landmarks) = plans.map_err(|what| unusable(&what))?;
        mark("plumbline:planned");
        Self::new(detector, landmarks)
    }

    fn new(detector: Plan, landmarks: Plan) -> Result<Self, String> {
        let lead = Lead::alone(Box::new(now_millis));
        // The landmark model runs most.
        let model = |plan, counts| {
            SharedModel::new(plan, lead.clone(), counts).map_err(|error| unusable(&error.to_string()))
        };
        let (detector, landmarks) = (model(detector, false)?, model(landmarks, true)?);
        let pipeline = PeoplePipeline::new(detector, landmarks, Mode::Tracking, 1, Box::new(now_millis))
            .map_err(|error| unusable(&error.to_string()))?;
        Ok(Self {
            pipeline: Box::new(pipeline),
            lead,
        })
    }

    /// How many workers compute the next frame.
    pub fn workers(&self) -> u32 {
        if self.lead.is_shared() { 2 } else { 1 }
    }

    /// Starts a second worker, where this one can.
    pub fn recruit(&mut self, terms: Terms, models: &Models) {
        let Some(address) = worker_script() else {
            return;
        };
        let detector = ModelFile {
            bytes: &models.detector,
            outputs: &DETECTOR_OUTPUTS,
            deferred: &[],
        };
        let outputs: &[&str] = if self.pipeline.has_mask() {
            &LANDMARK_AND_MASK_OUTPUTS
        } else {
            &LANDMARK_OUTPUTS
        };
        let landmarks = ModelFile {
            bytes: &models.landmarks,
            outputs,
            deferred: &[HEATMAP],
        };
        self.lead.start_mate(&address, terms, &[detector, landmarks]);
    }

    /// Runs one of the models, so that the browser compiles what the first frame will call.
    pub async fn rehearse(&mut self, model: Model) {
        // A model that fails here fails on the first frame too, and then there is somebody to tell.
        let _ = self.pipeline.rehearse(model).await;
    }

    /// Finds at most `limit` people in a frame.
    ///
    /// # Errors
    /// A sentence.
    pub async fn measure(
        &mut self,
        pixels: &Pixels,
        stamp: &FrameStamp,
        limit: u32,
    ) -> Result<PeopleResult, String> {
        let frame = frame_of(pixels)?;
        // On the first frame after a reset the smoothing passes its input on, so a single picture is measured as in
        // static mode.
        if stamp.is_first {
            self.pipeline.reset();
        }
        self.pipeline.set_limit(limit as usize);
        self.pipeline
            .process(&frame, time_of(stamp))
            .await
            .map_err(failed)
    }
}

/// Both models on a GPU.
pub struct GpuMeasurer {
    pipeline: Box<GpuPosePipeline<GpuFrames>>,
    /// Follows where more than one person is wanted.
    people: GpuPeople,
    /// In which way the models run.
    variant: Variant,
    has_mask: bool,
    /// Given back when the measurer goes.
    _device: OpenDevice,
}

/// A device that closes itself.
struct OpenDevice(GpuDevice);

impl OpenDevice {
    async fn new() -> Result<Self, String> {
        GpuDevice::open().await.map(Self)
    }
}

impl Drop for OpenDevice {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl GpuMeasurer {
    /// Makes both models ready, to run in this way; nothing for the way that is taken where none was timed.
    ///
    /// # Errors
    /// What the browser or the engine says.
    pub async fn prepare(models: &Models, variant: Option<Variant>, has_mask: bool) -> Result<Self, String> {
        let mut device = OpenDevice::new().await?;
        let variant = variant.unwrap_or_else(|| untimed_variant(&device.0.probe()));
        let (detector, landmarks) = models.plans(Target::Gpu(variant), has_mask)?;
        let mut view = View::Texture;
        if !models.copies_frames {
            match device.0.view_of_frames().await {
                Ok(possible) => view = possible,
                // A device that did not survive the question is replaced, and not asked again.
                Err(_) => device = OpenDevice::new().await?,
            }
        }
        let frames = GpuFrames::load(&device.0, &detector, &landmarks, view).await?;
        let pipeline = GpuPosePipeline::new(frames, Mode::Tracking, Box::new(now_millis));
        Ok(Self {
            pipeline: Box::new(pipeline),
            people: GpuPeople::new(Mode::Tracking, MAX_PEOPLE, Box::new(now_millis)),
            variant,
            has_mask,
            _device: device,
        })
    }

    /// Finds the person in a frame, and waits for it: no other frame may be on its way.
    ///
    /// # Errors
    /// What the pipeline says.
    pub async fn measure(&mut self, picture: &Picture, stamp: &FrameStamp) -> Result<PeopleResult, String> {
        if stamp.is_first {
            self.pipeline.reset();
        }
        let submitted = self.pipeline.submit(picture, time_of(stamp));
        submitted.map_err(|error| error.to_string())?;
        let result = self.pipeline.receive().await;
        result.map(PeopleResult::from).map_err(|error| error.to_string())
    }

    /// Finds at most `limit` people in a frame, more than one, and waits for them: no other frame may be on its way.
    ///
    /// # Errors
    /// A sentence.
    pub async fn measure_people(
        &mut self,
        picture: &Picture,
        stamp: &FrameStamp,
        limit: u32,
    ) -> Result<PeopleResult, String> {
        if stamp.is_first {
            self.people.reset();
        }
        // It shares the models, and does not know what became of them.
        self.pipeline.reset();
        self.people.set_limit(limit as usize);
        let found = self
            .people
            .process(self.pipeline.gpu_mut(), picture, time_of(stamp));
        found.await.map_err(failed)
    }

    /// Frames that were submitted and not answered.
    pub fn in_flight(&self) -> usize {
        self.pipeline.in_flight()
    }

    /// Whether another frame can be submitted.
    pub fn has_room(&self) -> bool {
        self.pipeline.has_room()
    }

    /// Submits a frame; the picture must stay open until it is answered.
    ///
    /// # Errors
    /// A sentence. Frames that were on their way may be lost with it: [`Self::in_flight`] tells.
    pub fn submit(&mut self, picture: &Picture, stamp: &FrameStamp) -> Result<(), String> {
        if stamp.is_first {
            self.pipeline.reset();
        }
        self.people.reset();
        self.pipeline.submit(picture, time_of(stamp)).map_err(failed)
    }

    /// What the oldest frame waits for, unless somebody waits for it already.
    pub fn take_reading(&mut self) -> Option<GpuReading> {
        self.pipeline.take_reading()
    }

    /// Takes what the oldest frame has read back; gives its result, unless it goes on.
    ///
    /// # Errors
    /// A sentence. All frames on their way are lost with it.
    pub fn accept(&mut self, read: Read) -> Result<Option<PeopleResult>, String> {
        let result = self.pipeline.accept(read).map_err(failed)?;
        Ok(result.map(PeopleResult::from))
    }
}

/// What a [`GpuReading`] gives.
pub type Read = <GpuReading as Future>::Output;

/// When a frame was taken.
pub fn time_of(stamp: &FrameStamp) -> Timestamp {
    Timestamp::from_secs(stamp.time_secs)
}

/// A frame's pixels as the pipelines take them.
///
/// # Errors
/// A sentence.
pub fn frame_of(pixels: &Pixels) -> Result<Frame<'_>, String> {
    let Pixels {
        width_px,
        height_px,
        rgba,
    } = pixels;
    Frame::packed(rgba, *width_px, *height_px, PixelFormat::Rgba8)
        .map_err(|error| format!("This frame cannot be measured: {error}."))
}

/// What a pipeline says of a frame, as a sentence.
pub fn failed(error: PipelineError) -> String {
    format!("The models failed on this frame: {error}.")
}

fn unusable(what: &str) -> String {
    format!("The models cannot be used: {what}.")
}

fn no_gpu(what: &str) -> String {
    format!(
        "The GPU cannot run the models: {}. Choose the CPU under Backend.",
        what.trim_end_matches('.')
    )
}
