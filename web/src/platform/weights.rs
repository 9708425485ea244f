//! The weights of the models: which there are, downloading them with progress, keeping them in the browser's cache,
//! checking that they are what the manifest names, deleting them. Works in a page and in a worker; the engine loads what
//! it runs by itself.
//!
//! In: `models/manifest.json` as the build writes it, and the files beside it. Out: verified bytes. Stored copies are
//! keyed by address and SHA-256, so a new release never meets old weights.

use js_sys::{ArrayBuffer, JSON, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, Cache, Request, RequestInit, Response};

use super::failure::{is_abort, message_of};
use super::{ahead, scope};

/// The cache's name in the browser's storage.
const CACHE_NAME: &str = "plumbline-weights";

/// The bytes of a file, in the browser's memory: they can change hands between threads without a copy.
pub type Bytes = ArrayBuffer;

/// A model as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// `detector`, `lite`, `full`, `heavy`, `selfie`, `selfie-landscape`.
    pub name: String,
    /// What it does.
    pub task: String,
    /// The package that the weights come from.
    pub package: String,
    /// Its version.
    pub version: String,
    /// SPDX identifier.
    pub licence: String,
    /// File beside the manifest.
    pub file: String,
    /// Size.
    pub bytes: u64,
    /// Of the file, in hexadecimal.
    pub sha256: String,
    /// Of the published weights that the file was made of.
    pub source_sha256: String,
}

impl ModelEntry {
    /// Where the file is served.
    fn address(&self) -> String {
        format!("{}models/{}", ahead::base(), self.file)
    }

    /// Under which name it is stored. `ahead.js` makes the same.
    fn key(&self) -> String {
        format!("{}?sha256={}", self.address(), self.sha256)
    }
}

/// The bytes as a vector in this module's own memory.
pub fn to_vec(bytes: &Bytes) -> Vec<u8> {
    Uint8Array::new(bytes).to_vec()
}

/// Why weights are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsError {
    /// The person cancelled.
    Cancelled,
    /// A sentence.
    Failed(String),
}

/// Stops downloads.
#[derive(Clone, Debug)]
pub struct CancelHandle(AbortController);

impl CancelHandle {
    /// A handle for downloads that have not begun.
    pub fn new() -> Self {
        Self(AbortController::new().expect("every browser that runs this page has AbortController"))
    }

    /// Stops them.
    pub fn cancel(&self) {
        self.0.abort();
    }
}

impl Default for CancelHandle {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads the manifest.
///
/// # Errors
/// A sentence, when it cannot be fetched or read.
pub async fn manifest() -> Result<Vec<ModelEntry>, String> {
    let unreadable = |what: &str| format!("The list of models cannot be read: {what}.");
    let address = format!("{}models/manifest.json", ahead::base());
    let response = fetch(&address, None).await.map_err(|thrown| {
        format!(
            "The list of models could not be fetched: {}. Check the connection and try again.",
            message_of(&thrown)
        )
    })?;
    if !response.ok() {
        return Err(unreadable(&format!("the server answered {}", response.status())));
    }
    let text = response
        .text()
        .map_err(|thrown| unreadable(&message_of(&thrown)))?;
    let text = JsFuture::from(text)
        .await
        .map_err(|thrown| unreadable(&message_of(&thrown)))?;
    let parsed = JSON::parse(&text.as_string().unwrap_or_default())
        .map_err(|thrown| unreadable(&message_of(&thrown)))?;
    let models = Reflect::get(&parsed, &"models".into())
        .ok()
        .and_then(|models| models.dyn_into::<js_sys::Array>().ok())
        .ok_or_else(|| unreadable("it has no models"))?;
    models
        .iter()
        .map(|model| entry(&model).ok_or_else(|| unreadable("a model lacks a field")))
        .collect()
}

fn entry(model: &JsValue) -> Option<ModelEntry> {
    let text = |field: &str| Reflect::get(model, &field.into()).ok()?.as_string();
    Some(ModelEntry {
        name: text("name")?,
        task: text("task")?,
        package: text("package")?,
        version: text("version")?,
        licence: text("licence")?,
        file: text("file")?,
        bytes: Reflect::get(model, &"bytes".into()).ok()?.as_f64()? as u64,
        sha256: text("sha256")?,
        source_sha256: text("source_sha256")?,
    })
}

/// The verified bytes of one model, if reading them from the cache has begun ([`super::ahead`]).
pub async fn read_ahead(model: &ModelEntry) -> Option<Bytes> {
    let (bytes, digest) = ahead::stored(&model.key()).await?;
    (u64::from(bytes.byte_length()) == model.bytes && scope::hexadecimal(&digest) == model.sha256)
        .then_some(bytes)
}

/// The verified bytes of one model: from the cache where it is stored, else from the server with
/// `on_progress(bytes so far)`.
///
/// # Errors
/// [`WeightsError::Cancelled`] after `cancel`; a sentence when the download fails or the bytes are not the manifest's.
pub async fn load(
    model: &ModelEntry,
    cancel: &CancelHandle,
    on_progress: &dyn Fn(u64),
) -> Result<Bytes, WeightsError> {
    let address = model.address();
    let key = model.key();
    if let Some(bytes) = read_ahead(model).await {
        on_progress(model.bytes);
        return Ok(bytes);
    }
    let cache = open_cache().await;
    if let Some(cache) = &cache
        && let Some(bytes) = stored(cache, &key).await
    {
        if matches(&bytes, model).await {
            on_progress(model.bytes);
            return Ok(bytes);
        }
        // A damaged copy is replaced below.
        drop(JsFuture::from(cache.delete_with_str(&key)).await);
    }
    let bytes = download(&address, model, cancel, on_progress)
        .await
        .map_err(|thrown| {
            if is_abort(&thrown) {
                WeightsError::Cancelled
            } else {
                WeightsError::Failed(format!(
                    "The weights of “{}” could not be downloaded: {}. Check the connection and start again.",
                    model.name,
                    message_of(&thrown)
                ))
            }
        })?;
    if !matches(&bytes, model).await {
        return Err(WeightsError::Failed(format!(
            "The weights of “{}” are not the ones that this page was built with (size or SHA-256 differ), so they are \
             not used. Start again; if it stays, the server holds a wrong file.",
            model.name
        )));
    }
    if let Some(cache) = cache {
        store(cache, key, &bytes);
    }
    Ok(bytes)
}

/// Deletes all stored weights.
///
/// # Errors
/// A sentence, when the browser refuses.
pub async fn delete_stored() -> Result<(), String> {
    let refused = |thrown: JsValue| {
        format!(
            "The stored weights could not be deleted: {}.",
            message_of(&thrown)
        )
    };
    let Some(caches) = scope::caches() else {
        return Ok(());
    };
    JsFuture::from(caches.delete(CACHE_NAME)).await.map_err(refused)?;
    Ok(())
}

/// Deletes stored weights that `models` does not list: those of earlier releases.
pub async fn delete_outdated(models: &[ModelEntry]) {
    let kept: Vec<String> = models.iter().map(ModelEntry::key).collect();
    for (cache, request) in stored_requests().await {
        if !kept.iter().any(|key| request.url().ends_with(key.as_str())) {
            // What cannot be deleted now is tried again after the next download.
            drop(JsFuture::from(cache.delete_with_request(&request)).await);
        }
    }
}

/// Addresses and sizes of the stored weights.
pub async fn list_stored() -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for (cache, request) in stored_requests().await {
        let address = request.url();
        let size = stored(&cache, &address)
            .await
            .map_or(0, |bytes| u64::from(bytes.byte_length()));
        let name = address
            .split('?')
            .next()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or(&address);
        found.push((name.to_owned(), size));
    }
    found
}

/// Everything that is stored, each with the cache that it is in.
async fn stored_requests() -> Vec<(Cache, Request)> {
    if !has_cache().await {
        return Vec::new();
    }
    let Some(cache) = open_cache().await else {
        return Vec::new();
    };
    let Ok(keys) = JsFuture::from(cache.keys()).await else {
        return Vec::new();
    };
    js_sys::Array::from(&keys)
        .iter()
        .filter_map(|request| Some((cache.clone(), request.dyn_into().ok()?)))
        .collect()
}

/// Whether the cache exists already; opening it would make it.
async fn has_cache() -> bool {
    let Some(caches) = scope::caches() else {
        return false;
    };
    JsFuture::from(caches.has(CACHE_NAME))
        .await
        .is_ok_and(|has| has.is_truthy())
}

/// The cache, where the browser has one and lets this page use it; a page without it downloads at each visit.
async fn open_cache() -> Option<Cache> {
    let caches = scope::caches()?;
    JsFuture::from(caches.open(CACHE_NAME))
        .await
        .ok()?
        .dyn_into()
        .ok()
}

async fn stored(cache: &Cache, key: &str) -> Option<ArrayBuffer> {
    let response: Response = JsFuture::from(cache.match_with_str(key))
        .await
        .ok()?
        .dyn_into()
        .ok()?;
    JsFuture::from(response.array_buffer().ok()?)
        .await
        .ok()?
        .dyn_into()
        .ok()
}

/// Keeps a copy, while the caller goes on with the bytes. A full disk or a forbidden storage only means that the next
/// visit downloads again.
fn store(cache: Cache, key: String, bytes: &ArrayBuffer) {
    // The response has its own copy: the bytes may change hands before the cache has written them.
    if let Ok(response) = Response::new_with_opt_buffer_source(Some(bytes)) {
        spawn_local(async move { drop(JsFuture::from(cache.put_with_str(&key, &response)).await) });
    }
}

/// Whether size and SHA-256 are the manifest's. Outside of secure contexts browsers compute no hashes; there, only the
/// size is compared, and the page says that the address is not secure.
async fn matches(bytes: &ArrayBuffer, model: &ModelEntry) -> bool {
    if u64::from(bytes.byte_length()) != model.bytes {
        return false;
    }
    if !scope::is_secure() {
        return true;
    }
    match scope::sha256(bytes).await {
        Ok(digest) => scope::hexadecimal(&digest) == model.sha256,
        Err(_) => false,
    }
}

async fn fetch(address: &str, cancel: Option<&CancelHandle>) -> Result<Response, JsValue> {
    let signal = cancel.map(|cancel| cancel.0.signal());
    if let Some(response) = ahead::response(address, signal.as_ref()).await {
        return response;
    }
    let init = RequestInit::new();
    init.set_signal(signal.as_ref());
    scope::fetch(address, &init).await
}

/// Streams a file into one buffer of the size that the manifest names.
async fn download(
    address: &str,
    model: &ModelEntry,
    cancel: &CancelHandle,
    on_progress: &dyn Fn(u64),
) -> Result<ArrayBuffer, JsValue> {
    let response = fetch(address, Some(cancel)).await?;
    if !response.ok() {
        return Err(js_sys::Error::new(&format!("the server answered {}", response.status())).into());
    }
    let body = response
        .body()
        .ok_or_else(|| js_sys::Error::new("the answer is empty"))?;
    let reader: web_sys::ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    let whole = Uint8Array::new_with_length(u32::try_from(model.bytes).unwrap_or(0));
    let mut received = 0_u32;
    loop {
        let step = JsFuture::from(reader.read()).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            break;
        }
        let chunk: Uint8Array = Reflect::get(&step, &"value".into())?.dyn_into()?;
        if received + chunk.length() > whole.length() {
            cancel.cancel();
            return Err(js_sys::Error::new("the file is longer than the manifest says").into());
        }
        whole.set(&chunk, received);
        received += chunk.length();
        on_progress(u64::from(received));
    }
    if received < whole.length() {
        return Err(js_sys::Error::new("the connection ended early").into());
    }
    Ok(whole.buffer().unchecked_into())
}

/// A file of the page as bytes, for the demo clip.
///
/// # Errors
/// A sentence.
pub async fn fetch_bytes(relative: &str) -> Result<Vec<u8>, String> {
    let failed = |what: String| {
        format!("“{relative}” could not be fetched: {what}. Check the connection and try again.")
    };
    let response = fetch(&format!("{}{relative}", ahead::base()), None)
        .await
        .map_err(|thrown| failed(message_of(&thrown)))?;
    if !response.ok() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let buffer = response
        .array_buffer()
        .map_err(|thrown| failed(message_of(&thrown)))?;
    let buffer = JsFuture::from(buffer)
        .await
        .map_err(|thrown| failed(message_of(&thrown)))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
