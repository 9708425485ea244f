//! What `src/ahead.js` has begun while the module of the page, or of the engine's worker, was still loading: requests,
//! reads of stored weights, the worker, and the words that were spoken to it. Each is taken once; where nothing was
//! begun, the caller begins it.

use js_sys::{Array, ArrayBuffer, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, MessagePort, Response, Worker};

#[wasm_bindgen]
extern "C" {
    /// The object that `ahead.js` leaves.
    type Ahead;

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = plumblineAhead)]
    static AHEAD: Option<Ahead>;

    #[wasm_bindgen(method, getter)]
    fn base(this: &Ahead) -> String;

    #[wasm_bindgen(method, js_name = takeResponse)]
    fn take_response(this: &Ahead, address: &str, signal: Option<&AbortSignal>) -> Option<Promise>;

    #[wasm_bindgen(method, js_name = takeStored)]
    fn take_stored(this: &Ahead, key: &str) -> Promise;

    #[wasm_bindgen(method, js_name = takeHeard)]
    fn take_heard(this: &Ahead) -> Array;

    #[wasm_bindgen(method, js_name = takeEngine)]
    fn take_engine(this: &Ahead) -> Option<EarlyEngine>;

    #[wasm_bindgen(method, catch, js_name = startWorker)]
    fn start_worker_again(this: &Ahead) -> Result<Worker, JsValue>;

    #[wasm_bindgen(method, catch, js_name = startWorkerOf)]
    fn start_worker_of(this: &Ahead, program: &str) -> Result<Worker, JsValue>;

    #[wasm_bindgen(method, js_name = loadProgram)]
    fn load_program(this: &Ahead, name: &str) -> Promise;

    #[wasm_bindgen(method, js_name = startInPage)]
    fn start_engine_in_page(this: &Ahead, port: &MessagePort) -> Promise;

    type StoredWeights;

    #[wasm_bindgen(method, getter)]
    fn bytes(this: &StoredWeights) -> ArrayBuffer;

    #[wasm_bindgen(method, getter)]
    fn digest(this: &StoredWeights) -> ArrayBuffer;

    /// A worker that nobody listens to yet.
    pub type EarlyEngine;

    /// The worker.
    #[wasm_bindgen(method, getter)]
    pub fn worker(this: &EarlyEngine) -> Worker;

    /// What it has said.
    #[wasm_bindgen(method, getter)]
    pub fn said(this: &EarlyEngine) -> Array;
}

/// Where everything is served, ending in a slash; in page and worker alike.
pub fn base() -> String {
    AHEAD
        .with(|ahead| ahead.as_ref().map(Ahead::base))
        .unwrap_or_else(|| "/".to_owned())
}

/// The answer to a request for `address` that has begun. From now on `signal` stops it.
pub async fn response(address: &str, signal: Option<&AbortSignal>) -> Option<Result<Response, JsValue>> {
    let begun = AHEAD.with(|ahead| ahead.as_ref()?.take_response(address, signal))?;
    Some(JsFuture::from(begun).await.map(JsCast::unchecked_into))
}

/// Stored weights that are being read, and their SHA-256. None where none are, or where they cannot be read.
pub async fn stored(key: &str) -> Option<(ArrayBuffer, ArrayBuffer)> {
    let reading = AHEAD.with(|ahead| Some(ahead.as_ref()?.take_stored(key)))?;
    let read = JsFuture::from(reading).await.ok()?;
    if read.is_undefined() {
        return None;
    }
    let read: StoredWeights = read.unchecked_into();
    Some((read.bytes(), read.digest()))
}

/// In the worker: what the page has said before the engine listened.
pub fn heard() -> Array {
    AHEAD
        .with(|ahead| ahead.as_ref().map(Ahead::take_heard))
        .unwrap_or_default()
}

/// The engine's worker, if it was started with the page and has not failed.
pub fn engine() -> Option<EarlyEngine> {
    AHEAD.with(|ahead| ahead.as_ref()?.take_engine())
}

/// Starts a worker with the engine.
///
/// # Errors
/// What the browser throws.
pub fn start_worker() -> Result<Worker, JsValue> {
    AHEAD.with(|ahead| ahead.as_ref().ok_or_else(absent)?.start_worker_again())
}

/// Starts a worker with another program than the engine's, as `lab_worker`.
///
/// # Errors
/// What the browser throws.
pub fn start_worker_of(program: &str) -> Result<Worker, JsValue> {
    AHEAD.with(|ahead| ahead.as_ref().ok_or_else(absent)?.start_worker_of(program))
}

/// Loads a program into this page, as `lab`.
///
/// # Errors
/// That the page's own scripts did not run.
pub fn load_program(name: &str) -> Result<Promise, JsValue> {
    AHEAD.with(|ahead| Ok(ahead.as_ref().ok_or_else(absent)?.load_program(name)))
}

/// Loads the engine's module into this page and has it listen on `port`.
///
/// # Errors
/// What the browser throws.
pub async fn start_in_page(port: &MessagePort) -> Result<(), JsValue> {
    let started = AHEAD.with(|ahead| {
        let ahead = ahead.as_ref().ok_or_else(absent)?;
        Ok::<_, JsValue>(ahead.start_engine_in_page(port))
    })?;
    JsFuture::from(started).await?;
    Ok(())
}

fn absent() -> JsValue {
    js_sys::Error::new("the page's own scripts did not run").into()
}
