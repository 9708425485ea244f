//! A model on pictures: made ready once for a manifest and a backend, then run on one picture after the other.

use plumbline_core::decoders::Found;
use plumbline_core::geometry::ImageSize;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::Placement;
use plumbline_core::people::MAX_PEOPLE;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::graph::Graph;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_pipeline::any_model::{AnyModel, AnyModelError, prepare, wants_a_person};
use plumbline_pipeline::{CpuInference, Inference, InferenceError, Target, TopDown, TopDownError, Variant};
use plumbline_web::platform::page::now_millis;
use plumbline_web::platform::replayer::GpuDevice;
use plumbline_web::worker::pixels::Pixels;

use super::gpu::{GpuInference, open_gpu};
use super::people::detector;
use crate::protocol::{Backend, Stage};

/// A model that is ready for pictures.
pub struct Trial {
    manifest: Manifest,
    backend: Backend,
    moves: bool,
    model: Looker,
    /// Where it runs, after "Ran ".
    pub place: String,
    device: Option<GpuDevice>,
}

/// How it looks at a picture.
enum Looker {
    /// At the whole of it.
    Whole(Box<AnyModel<LabInference>>),
    /// At one person after the other.
    People(Box<TopDown<CpuInference, LabInference>>),
}

/// What was found in a picture.
pub struct Looked {
    /// In pixels of the picture.
    pub found: Found,
    /// Where the picture stood in the input; where it looked at people, the picture itself.
    pub placement: Placement,
    /// The model, for all people together.
    pub model_millis: f64,
}

impl Trial {
    /// Plans a graph as a manifest says, and packs or compiles it; of pictures that `moves`, people are followed from one
    /// to the next. `on_stage` hears what it is at.
    ///
    /// # Errors
    /// A sentence: the manifest is not of this model, or the backend does not take it.
    pub async fn begin(
        graph: &Graph,
        manifest: &Manifest,
        backend: Backend,
        moves: bool,
        on_stage: impl Fn(Stage),
    ) -> Result<Self, String> {
        let prepared = |target| prepare(graph.clone(), manifest, target).map_err(|error| of_manifest(&error));
        let (inference, borders, place, device) = match backend {
            Backend::Cpu => {
                on_stage(Stage::Packing);
                let (plan, borders) = prepared(Target::Cpu)?;
                let inference = CpuInference::new(plan).map_err(|error| error.to_string())?;
                (
                    LabInference::Cpu(Box::new(inference)),
                    borders,
                    "on the CPU".to_owned(),
                    None,
                )
            }
            Backend::Gpu => {
                on_stage(Stage::Compiling);
                let (device, adapter) = open_gpu()
                    .await
                    .map_err(|sentence| format!("There is no GPU for it here: {sentence} Choose the CPU."))?;
                let (variant, place) = if adapter.is_software {
                    let place = format!("on “{}”, a program on the processor and no GPU", adapter.name);
                    (Variant::SOFTWARE, place)
                } else {
                    (Variant::HARDWARE, format!("on the GPU ({})", adapter.name))
                };
                let (plan, borders) = prepared(Target::Gpu(variant))?;
                let inference = GpuInference::load(&device, &plan).await?;
                (LabInference::Gpu(inference), borders, place, Some(device))
            }
        };
        let model = AnyModel::new(inference, borders, manifest.clone(), Box::new(now_millis));
        let model = if wants_a_person(manifest.task) {
            let mode = if moves { Mode::Tracking } else { Mode::Static };
            let people = TopDown::new(detector().await?, model, mode, MAX_PEOPLE, Box::new(now_millis));
            Looker::People(Box::new(people.map_err(|error| error.to_string())?))
        } else {
            Looker::Whole(Box::new(model))
        };
        Ok(Self {
            manifest: manifest.clone(),
            backend,
            moves,
            model,
            place,
            device,
        })
    }

    /// Whether this is what such a trial needs. Who is followed belongs to one source.
    pub fn suits(&self, manifest: &Manifest, backend: Backend, moves: bool) -> bool {
        !moves && !self.moves && self.backend == backend && self.manifest == *manifest
    }

    /// What is said of the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it does while it looks.
    pub fn stage(&self) -> Stage {
        match self.backend {
            Backend::Cpu => Stage::OnCpu,
            Backend::Gpu => Stage::OnGpu,
        }
    }

    /// Looks at a picture that was taken at this moment.
    ///
    /// # Errors
    /// A sentence: the picture does not become an input, the backend fails, or the outputs are not the manifest's.
    pub async fn look(&mut self, pixels: &Pixels) -> Result<Looked, String> {
        let frame = Frame::packed(
            &pixels.rgba,
            pixels.width_px,
            pixels.height_px,
            PixelFormat::Rgba8,
        )
        .map_err(|error| format!("This picture cannot be used: {error}."))?;
        match &mut self.model {
            Looker::Whole(model) => {
                let seen = model
                    .process(&frame, None)
                    .await
                    .map_err(|error| of_run(&error))?;
                Ok(Looked {
                    found: seen.found,
                    placement: seen.placement,
                    model_millis: seen.model_millis,
                })
            }
            Looker::People(people) => {
                let time = Timestamp::from_secs(now_millis() / 1e3);
                let seen = people.process(&frame, time).await.map_err(|error| match &error {
                    TopDownError::Detector(_) => format!("People cannot be found: {error}."),
                    TopDownError::Model(error) => of_run(error),
                })?;
                let image = ImageSize {
                    width_px: pixels.width_px as u32,
                    height_px: pixels.height_px as u32,
                };
                Ok(Looked {
                    found: Found::Poses(seen.people.into_iter().map(|(_, pose)| pose).collect()),
                    placement: Placement {
                        image,
                        scaled: image,
                        left_px: 0,
                        top_px: 0,
                    },
                    model_millis: seen.model_millis,
                })
            }
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(device) = &self.device {
            device.close();
        }
    }
}

fn of_manifest(error: &AnyModelError) -> String {
    match error {
        AnyModelError::Mismatch(what) => format!("The manifest is not of this model: {what}."),
        _ => format!("The model cannot be run: {error}."),
    }
}

fn of_run(error: &AnyModelError) -> String {
    match error {
        AnyModelError::Input(_) => format!("This picture cannot be used: {error}."),
        AnyModelError::Decode(_) => format!("The outputs are not what this task gives: {error}."),
        AnyModelError::Mismatch(_) | AnyModelError::Model(_) => of_manifest(error),
        AnyModelError::Inference(error) => format!("The model did not run: {error}."),
    }
}

/// A model on whichever backend was chosen.
enum LabInference {
    Cpu(Box<CpuInference>),
    Gpu(GpuInference),
}

impl Inference for LabInference {
    fn input_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Cpu(model) => model.input_mut(),
            Self::Gpu(model) => model.input_mut(),
        }
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        match self {
            Self::Cpu(model) => model.run().await,
            Self::Gpu(model) => model.run().await,
        }
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        match self {
            Self::Cpu(model) => model.output(name),
            Self::Gpu(model) => model.output(name),
        }
    }

    fn output_words(&self, name: &str) -> Option<&[u32]> {
        match self {
            Self::Cpu(model) => model.output_words(name),
            Self::Gpu(model) => model.output_words(name),
        }
    }
}
