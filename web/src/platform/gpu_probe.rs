//! Whether there is WebGPU here, and what is behind it. Works in a page and in a worker.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::live::backend::GpuProbe;

/// The fields of `GPUAdapterInfo` that tell one adapter from another.
const INFO_FIELDS: [&str; 4] = ["vendor", "architecture", "device", "description"];

/// Asks for the fastest adapter. Takes no device, so nothing is reserved.
pub async fn probe() -> GpuProbe {
    let Some(gpu) = gpu() else {
        return GpuProbe::NoWebGpu;
    };
    match request_adapter(&gpu).await {
        Some(adapter) => describe(&adapter),
        None => GpuProbe::NoAdapter,
    }
}

fn gpu() -> Option<JsValue> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    Reflect::get(&navigator, &"gpu".into())
        .ok()
        .filter(|gpu| gpu.is_object())
}

async fn request_adapter(gpu: &JsValue) -> Option<JsValue> {
    let options = js_sys::Object::new();
    Reflect::set(&options, &"powerPreference".into(), &"high-performance".into()).ok()?;
    let request: Function = Reflect::get(gpu, &"requestAdapter".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let promise: Promise = request.call1(gpu, &options).ok()?.dyn_into().ok()?;
    JsFuture::from(promise)
        .await
        .ok()
        .filter(|adapter| adapter.is_object())
}

/// Judges an adapter, or anything else with an `info` like an adapter's.
pub fn describe(adapter: &JsValue) -> GpuProbe {
    let info = Reflect::get(adapter, &"info".into()).unwrap_or(JsValue::UNDEFINED);
    let text = |name: &str| {
        Reflect::get(&info, &name.into())
            .ok()
            .and_then(|value| value.as_string())
    };
    let words: Vec<String> = INFO_FIELDS
        .iter()
        .filter_map(|name| text(name))
        .filter(|word| !word.is_empty())
        .collect();
    // The flag moved from the adapter to its info; both places are looked at.
    let is_fallback = [&info, adapter].iter().any(|object| {
        Reflect::get(object, &"isFallbackAdapter".into()).is_ok_and(|flag| flag.as_bool() == Some(true))
    });
    GpuProbe::of_adapter(&words.join(" "), is_fallback)
}
