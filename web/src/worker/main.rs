//! The engine's module. In a dedicated worker it serves its page at once, or, started by another engine to help it,
//! that engine; loaded into a page it waits for [`serve`] to be called with a port.

use plumbline_team::mate;
use plumbline_web::platform::channel::Channel;
use plumbline_web::worker::host;
use wasm_bindgen::prelude::*;

fn main() {
    if let Ok(scope) = js_sys::global().dyn_into::<web_sys::DedicatedWorkerGlobalScope>() {
        if mate::is_wanted(&scope) {
            mate::serve(&scope);
        } else {
            serve(scope.unchecked_into());
        }
    }
}

/// Serves a page over `channel`.
#[wasm_bindgen]
pub fn serve(channel: Channel) {
    let last_words = channel.clone();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        host::report_panic(&last_words, &info.to_string());
    }));
    host::serve(channel);
}
