//! The Rust side of `model_store.js`: the models that a person keeps in this browser.

use js_sys::{Array, ArrayBuffer, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::failure::message_of;

#[wasm_bindgen(module = "/src/platform/model_store.js")]
extern "C" {
    #[wasm_bindgen(js_name = available)]
    fn available_promise() -> Promise;
    #[wasm_bindgen(js_name = list)]
    fn list_promise() -> Promise;
    #[wasm_bindgen(js_name = open)]
    fn open_promise(sha256: &str) -> Promise;
    #[wasm_bindgen(js_name = keep)]
    fn keep_promise(sha256: &str, bytes: &ArrayBuffer, record: &str) -> Promise;
    #[wasm_bindgen(js_name = remove)]
    fn remove_promise(sha256: &str) -> Promise;
    #[wasm_bindgen(js_name = removeAll)]
    fn remove_all_promise() -> Promise;
    #[wasm_bindgen(js_name = recorded)]
    fn recorded_promise() -> Promise;
}

/// A model that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptModel {
    /// Of its file, in hexadecimal; also its place.
    pub sha256: String,
    /// Of its file.
    pub bytes: u64,
    /// What is said of it, as JSON.
    pub record: String,
}

/// Whether models can be kept here.
pub async fn is_available() -> bool {
    JsFuture::from(available_promise())
        .await
        .is_ok_and(|answer| answer.is_truthy())
}

/// All models that are kept. None where nothing can be kept.
pub async fn list() -> Vec<KeptModel> {
    let Ok(listed) = JsFuture::from(list_promise()).await else {
        return Vec::new();
    };
    Array::from(&listed)
        .iter()
        .filter_map(|model| {
            let model = Array::from(&model);
            Some(KeptModel {
                sha256: model.get(0).as_string()?,
                bytes: model.get(1).as_f64()? as u64,
                record: model.get(2).as_string()?,
            })
        })
        .collect()
}

/// The file of a model that is kept.
///
/// # Errors
/// A sentence.
pub async fn open(sha256: &str) -> Result<File, String> {
    let opened = JsFuture::from(open_promise(sha256)).await;
    opened.map(JsCast::unchecked_into).map_err(|thrown| {
        format!(
            "The stored model cannot be opened: {}. It may have been deleted in another window.",
            message_of(&thrown)
        )
    })
}

/// Keeps a model; only in a worker.
///
/// # Errors
/// A sentence.
pub async fn keep(sha256: &str, bytes: &ArrayBuffer, record: &str) -> Result<(), String> {
    let kept = JsFuture::from(keep_promise(sha256, bytes, record)).await;
    kept.map(drop).map_err(|thrown| {
        format!(
            "The model could not be stored: {}. It stays open on this page; nothing else is changed.",
            message_of(&thrown)
        )
    })
}

/// Deletes a model.
///
/// # Errors
/// A sentence.
pub async fn remove(sha256: &str) -> Result<(), String> {
    deleted(JsFuture::from(remove_promise(sha256)).await)
}

/// Deletes all models.
///
/// # Errors
/// A sentence.
pub async fn remove_all() -> Result<(), String> {
    deleted(JsFuture::from(remove_all_promise()).await)
}

fn deleted(outcome: Result<JsValue, JsValue>) -> Result<(), String> {
    let refused = |thrown: JsValue| format!("A stored model could not be deleted: {}.", message_of(&thrown));
    outcome.map(drop).map_err(refused)
}

/// Bytes of what watching has recorded on this device.
pub async fn recorded_bytes() -> u64 {
    let recorded = JsFuture::from(recorded_promise()).await;
    recorded.ok().and_then(|bytes| bytes.as_f64()).unwrap_or_default() as u64
}
