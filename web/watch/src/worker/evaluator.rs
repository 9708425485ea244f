//! Evaluates files for a page: one request after the other, each answered once. A page that no longer wants an answer ends
//! the worker.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::{message, scope};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, File};

use crate::evaluation::messages::{FromEvaluator, Stage, ToEvaluator};
use crate::evaluation::recognise::{HEAD_BYTES, recognise};
use crate::evaluation::run::{Contents, run};

/// What serves one page.
#[derive(Clone)]
pub struct Evaluator(Rc<Inner>);

struct Inner {
    page: Channel,
    waiting: RefCell<VecDeque<(ToEvaluator, JsValue)>>,
    is_busy: RefCell<bool>,
}

impl Evaluator {
    /// Listens to nobody yet; [`Self::hear`] hands it what was posted.
    pub fn new(page: Channel) -> Self {
        Self(Rc::new(Inner {
            page,
            waiting: RefCell::default(),
            is_busy: RefCell::default(),
        }))
    }

    /// Tells the page what this worker dies of.
    pub fn last_words(page: &Channel, what: String) {
        // Nobody is left to hear that this failed.
        let _ = page.post(
            &message::encode(&FromEvaluator::Died { what }, None),
            &Array::new(),
        );
    }

    /// Takes a request.
    pub fn hear(&self, posted: &JsValue) {
        match message::decode(posted) {
            Ok(request) => self.0.waiting.borrow_mut().push_back(request),
            Err(what) => self.say(&FromEvaluator::Failed {
                sentence: format!("The page and its worker are of different builds ({what})."),
            }),
        }
        if self.0.is_busy.replace(true) {
            return;
        }
        let evaluator = self.clone();
        spawn_local(async move {
            loop {
                let next = evaluator.0.waiting.borrow_mut().pop_front();
                let Some((request, load)) = next else { break };
                let answer = evaluator.answer(request, &load).await;
                evaluator.say(&answer.unwrap_or_else(|sentence| FromEvaluator::Failed { sentence }));
            }
            evaluator.0.is_busy.replace(false);
        });
    }

    fn say(&self, answer: &FromEvaluator) {
        // Texts can always be posted.
        let _ = self.0.page.post(&message::encode(answer, None), &Array::new());
    }

    async fn answer(&self, request: ToEvaluator, load: &JsValue) -> Result<FromEvaluator, String> {
        let files: Vec<File> = Array::from(load)
            .iter()
            .filter_map(|file| file.dyn_into().ok())
            .collect();
        match request {
            ToEvaluator::Look => {
                let mut looked = Vec::new();
                for file in &files {
                    let head = file.slice_with_f64_and_f64(0.0, HEAD_BYTES as f64);
                    let head = head.map_err(|thrown| unreadable(&file.name(), &thrown))?;
                    let head = Uint8Array::new(&bytes_of(&head, &file.name()).await?.into()).to_vec();
                    looked.push(recognise(&file.name(), file.size() as u64, &head));
                }
                Ok(FromEvaluator::Looked(looked))
            }
            ToEvaluator::Evaluate { task, files: known } => {
                let mut contents = Vec::new();
                for (file, known) in files.iter().zip(known) {
                    self.sign(Stage::Opening, 0, 0);
                    let whole = bytes_of(file, &known.name).await?;
                    self.sign(Stage::Hashing, 0, 0);
                    // Pages without a secure address cannot compute hashes.
                    let digest = scope::sha256(&whole).await.ok();
                    let sha256 = digest.map(|digest| scope::hexadecimal(&digest));
                    let bytes = Uint8Array::new(&whole).to_vec();
                    contents.push(Contents { known, sha256, bytes });
                }
                let report = run(&task, &contents, &mut |stage, done, total| {
                    self.sign(stage, done, total)
                })?;
                Ok(FromEvaluator::Done(Box::new(report)))
            }
        }
    }

    fn sign(&self, stage: Stage, done: u64, total: u64) {
        self.say(&FromEvaluator::Sign { stage, done, total });
    }
}

async fn bytes_of(file: &Blob, name: &str) -> Result<ArrayBuffer, String> {
    let bytes = JsFuture::from(file.array_buffer()).await;
    Ok(bytes
        .map_err(|thrown| unreadable(name, &thrown))?
        .unchecked_into())
}

fn unreadable(name: &str, thrown: &JsValue) -> String {
    format!(
        "“{name}” cannot be read: {}. It may have been moved or changed; choose it again.",
        message_of(thrown)
    )
}
