//! The worker's loop.

use plumbline_web::platform::channel::Channel;
use wasm_bindgen::JsCast;

/// Serves whoever started this worker, for as long as it lives.
pub fn serve() {
    std::panic::set_hook(Box::new(console_error_panic_hook::hook));
    let Ok(scope) = js_sys::global().dyn_into::<web_sys::DedicatedWorkerGlobalScope>() else {
        return;
    };
    let page: Channel = scope.unchecked_into();
    page.on_message(|_| {});
}
