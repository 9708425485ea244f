//! What a page and a worker both have: requests, the cache, hashes, time.

use js_sys::{ArrayBuffer, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CacheStorage, Crypto, RequestInit, Response};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch_with(address: &str, init: &RequestInit) -> Promise;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, millis: u32) -> JsValue;

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = caches)]
    static CACHES: Option<CacheStorage>;

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = crypto)]
    static CRYPTO: Option<Crypto>;

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = isSecureContext)]
    static IS_SECURE: Option<bool>;
}

/// Sends a request.
///
/// # Errors
/// What the browser throws.
pub async fn fetch(address: &str, init: &RequestInit) -> Result<Response, JsValue> {
    JsFuture::from(fetch_with(address, init)).await?.dyn_into()
}

/// The caches of this origin, where the browser offers them here.
pub fn caches() -> Option<CacheStorage> {
    CACHES.with(Clone::clone)
}

/// Whether the browser trusts the way on which this came; elsewhere it computes no hashes.
pub fn is_secure() -> bool {
    IS_SECURE.with(|secure| secure.unwrap_or(false))
}

/// SHA-256 of some bytes.
///
/// # Errors
/// What the browser throws, or that it computes no hashes here.
pub async fn sha256(bytes: &ArrayBuffer) -> Result<JsValue, JsValue> {
    let crypto = CRYPTO.with(Clone::clone).ok_or("no hashes are computed here")?;
    let digest = crypto
        .subtle()
        .digest_with_str_and_buffer_source("SHA-256", bytes)?;
    JsFuture::from(digest).await
}

/// A digest as text.
pub fn hexadecimal(digest: &JsValue) -> String {
    let bytes = js_sys::Uint8Array::new(digest).to_vec();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits. Messages that have come are received before this resolves.
pub async fn pause(millis: u32) {
    let over = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, millis);
    });
    // It is never refused.
    let _ = JsFuture::from(over).await;
}
