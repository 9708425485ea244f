//! From the name of a landmark model to both models' files: begun before the page asks, loaded when it does.
//!
//! A visit that finds its weights stored reads, checks and plans them here while the page still builds its interface;
//! when the page asks for them, a CPU that can answer is there already.

use futures_util::future;
use wasm_bindgen_futures::spawn_local;

use super::measurer::{Measurer, Models};
use crate::live::backend::Backend;
use crate::live::options::ModelName;
use crate::platform::weights::{self, Bytes, CancelHandle, ModelEntry, WeightsError};

/// What was fetched or made before it was asked for.
#[derive(Default)]
pub struct Loader {
    manifest: Option<Vec<ModelEntry>>,
    early: Option<Loaded>,
}

/// Both models.
pub struct Loaded {
    /// SHA-256 of the files of the detector and of the landmark model.
    pub weights: [String; 2],
    /// The files.
    pub models: Models,
    /// A CPU that is ready to run them, where one was made in advance.
    pub on_cpu: Option<Measurer>,
}

impl Loader {
    /// Makes ready what is stored. Says nothing of what is missing or wrong: that is found out again when the model is
    /// asked for.
    pub async fn begin(&mut self, model: ModelName) {
        let Ok(pair) = self.pair(model).await else { return };
        let (detector, landmarks) =
            future::join(weights::read_ahead(&pair[0]), weights::read_ahead(&pair[1])).await;
        if let (Some(detector), Some(landmarks)) = (detector, landmarks) {
            let mut loaded = loaded(pair, &detector, &landmarks);
            loaded.on_cpu = Measurer::prepare(Backend::Cpu, &loaded.models, false).await.ok();
            self.early = Some(loaded);
        }
    }

    /// What was made in advance, so that it can be tried out.
    pub fn early_on_cpu(&mut self) -> Option<&mut Measurer> {
        self.early.as_mut()?.on_cpu.as_mut()
    }

    /// Loads both models, telling of `(bytes so far, bytes in all)`.
    ///
    /// # Errors
    /// [`WeightsError::Cancelled`] after `cancel`; a sentence when they cannot be had.
    pub async fn load(
        &mut self,
        model: ModelName,
        cancel: &CancelHandle,
        on_progress: impl Fn(u64, u64),
    ) -> Result<Loaded, WeightsError> {
        let early = self.early.take();
        let pair = self.pair(model).await?;
        if let Some(early) = early.filter(|early| early.weights == hashes(&pair)) {
            return Ok(early);
        }
        let received = [std::cell::Cell::new(0), std::cell::Cell::new(0)];
        let total = pair[0].bytes + pair[1].bytes;
        let progress = |part: usize, bytes: u64| {
            received[part].set(bytes);
            on_progress(received[0].get() + received[1].get(), total);
        };
        progress(0, 0);
        let (detector, landmarks) = future::try_join(
            weights::load(&pair[0], cancel, &|bytes| progress(0, bytes)),
            weights::load(&pair[1], cancel, &|bytes| progress(1, bytes)),
        )
        .await?;
        let listed = self.manifest.clone().unwrap_or_default();
        spawn_local(async move { weights::delete_outdated(&listed).await });
        Ok(loaded(pair, &detector, &landmarks))
    }

    /// What the manifest says of a model.
    ///
    /// # Errors
    /// A sentence, when it cannot be read or does not list the model.
    pub async fn entry(&mut self, name: &str) -> Result<ModelEntry, String> {
        if self.manifest.is_none() {
            self.manifest = Some(weights::manifest().await?);
        }
        let mut entries = self.manifest.iter().flatten();
        entries.find(|entry| entry.name == name).cloned().ok_or_else(|| {
            format!("This build of the page holds no weights for “{name}”. Choose another model.")
        })
    }

    /// What it says of the detector and of a landmark model.
    async fn pair(&mut self, model: ModelName) -> Result<[ModelEntry; 2], WeightsError> {
        let detector = self.entry("detector").await.map_err(WeightsError::Failed)?;
        let landmarks = self.entry(model.id()).await.map_err(WeightsError::Failed)?;
        Ok([detector, landmarks])
    }
}

fn hashes(pair: &[ModelEntry; 2]) -> [String; 2] {
    [pair[0].sha256.clone(), pair[1].sha256.clone()]
}

fn loaded(pair: [ModelEntry; 2], detector: &Bytes, landmarks: &Bytes) -> Loaded {
    Loaded {
        weights: hashes(&pair),
        models: Models {
            detector: weights::to_vec(detector),
            landmarks: weights::to_vec(landmarks),
            copies_frames: false,
        },
        on_cpu: None,
    }
}
