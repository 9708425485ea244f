//! The thread that this code runs on, page or worker, and the processors beside it.

use js_sys::Reflect;
use wasm_bindgen::JsCast;

/// How many processors the browser admits to; one where it does not say.
pub fn processors() -> u32 {
    let count = Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| Reflect::get(&navigator, &"hardwareConcurrency".into()));
    count.ok().and_then(|count| count.as_f64()).unwrap_or(1.0) as u32
}

/// The address of the script that this worker was started from; nothing in a page.
pub fn worker_script() -> Option<String> {
    let scope = js_sys::global()
        .dyn_into::<web_sys::DedicatedWorkerGlobalScope>()
        .ok()?;
    let location = Reflect::get(&scope, &"location".into()).ok()?;
    Reflect::get(&location, &"href".into()).ok()?.as_string()
}
