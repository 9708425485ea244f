//! Masks of everybody in a frame, by a model of its own: selfie segmentation. It needs no skeleton, so it also works where
//! nobody's is found, and the skeleton's models run as if it were not there.
//!
//! It runs on the CPU, whatever finds the skeleton: a frame takes it a few milliseconds there. It is fetched when it is
//! first wanted, beside the frames; until it is here nobody knows who is in them, and the background covers everything.

use std::cell::RefCell;
use std::rc::Rc;

use plumbline_core::mask::RegionMask;
use plumbline_core::people::PersonId;
use plumbline_core::selfie::SelfieModel;
use plumbline_pipeline::{CpuInference, MaskPipeline, Target, plan_selfie};
use wasm_bindgen_futures::spawn_local;

use super::measurer::{failed, frame_of, time_of};
use super::pixels::Pixels;
use super::protocol::FrameStamp;
use crate::live::background::MaskModel;
use crate::platform::page::{mark, now_millis};
use crate::platform::weights::{self, CancelHandle, ModelEntry, WeightsError};

/// Which pixels of a frame are people, and what finding that out took.
pub struct FrameMasks {
    /// Nothing where nobody is; one of everybody where they were not told apart.
    pub masks: Vec<(PersonId, RegionMask)>,
    /// The model that makes masks, from the picture's pixels on; nothing where the skeleton's makes them.
    pub millis: Option<f64>,
    /// Whether the model that is to say so is still on its way.
    pub is_awaited: bool,
}

impl FrameMasks {
    /// What the model gave that finds skeletons.
    pub fn of_skeletons(masks: Vec<(PersonId, RegionMask)>) -> Self {
        Self {
            masks,
            millis: None,
            is_awaited: false,
        }
    }
}

/// Whose mask it is that shows everybody.
const EVERYBODY: PersonId = PersonId(0);

type Pipeline = MaskPipeline<CpuInference>;

/// The model that is wanted, and the one that is here.
#[derive(Default)]
pub struct Masker {
    wanted: Option<SelfieModel>,
    loaded: Rc<RefCell<Option<(SelfieModel, Pipeline)>>>,
    /// Stops the download under way.
    cancel: CancelHandle,
}

impl Masker {
    /// Takes this model from now on, or none: what is here stays for the next time. `said` hears of the download, of its
    /// end, and why it failed. One that failed is tried again once something else was wanted.
    pub fn want(&mut self, wanted: Option<(SelfieModel, ModelEntry)>, said: impl Fn(MaskModel) + 'static) {
        let model = wanted.as_ref().map(|(model, _)| *model);
        if self.wanted == model {
            return;
        }
        self.wanted = model;
        std::mem::take(&mut self.cancel).cancel();
        let Some((model, entry)) = wanted else { return };
        if self.is_here() {
            said(MaskModel::Here);
            return;
        }
        let (loaded, cancel) = (Rc::clone(&self.loaded), self.cancel.clone());
        spawn_local(async move {
            match load(model, &entry, &cancel, &said).await {
                Ok(pipeline) => {
                    *loaded.borrow_mut() = Some((model, pipeline));
                    mark("plumbline:mask");
                    said(MaskModel::Here);
                }
                // Another one is wanted by now, or none.
                Err(WeightsError::Cancelled) => {}
                Err(WeightsError::Failed(sentence)) => said(MaskModel::Missing(sentence)),
            }
        });
    }

    /// Whether masks are this one's affair.
    pub fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    fn is_here(&self) -> bool {
        let loaded = self.loaded.borrow();
        loaded.as_ref().map(|(model, _)| *model) == self.wanted
    }

    /// Everybody in a frame.
    ///
    /// # Errors
    /// A sentence.
    pub async fn find(&mut self, pixels: &Pixels, stamp: &FrameStamp) -> Result<FrameMasks, String> {
        let start_millis = now_millis();
        // Out of its place while it runs: a download may end meanwhile.
        let here = self.is_here().then(|| self.loaded.borrow_mut().take()).flatten();
        let Some((model, mut pipeline)) = here else {
            return Ok(FrameMasks {
                masks: Vec::new(),
                millis: None,
                is_awaited: true,
            });
        };
        let found = pipeline.process(&frame_of(pixels)?, time_of(stamp)).await;
        self.loaded.borrow_mut().get_or_insert((model, pipeline));
        Ok(FrameMasks {
            masks: found
                .map_err(failed)?
                .mask
                .map(|mask| (EVERYBODY, mask))
                .into_iter()
                .collect(),
            millis: Some(now_millis() - start_millis),
            is_awaited: false,
        })
    }
}

async fn load(
    model: SelfieModel,
    entry: &ModelEntry,
    cancel: &CancelHandle,
    said: &impl Fn(MaskModel),
) -> Result<Pipeline, WeightsError> {
    let bytes = weights::load(entry, cancel, &|received| {
        said(MaskModel::OnItsWay((received * 100 / entry.bytes.max(1)) as u8));
    })
    .await?;
    let plan = plan_selfie(&weights::to_vec(&bytes), model, Target::Cpu);
    let unusable =
        |what: String| WeightsError::Failed(format!("The model “{}” cannot be used: {what}.", entry.name));
    let inference = plan.and_then(CpuInference::new);
    let inference = inference.map_err(|error| unusable(error.to_string()))?;
    MaskPipeline::new(model, inference, Box::new(now_millis)).map_err(|error| unusable(error.to_string()))
}
