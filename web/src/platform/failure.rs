//! From what JavaScript throws to text.

use wasm_bindgen::{JsCast, JsValue};

/// The `name` of a thrown `DOMException` or `Error`; `unknown error` for anything else.
pub fn name_of(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.name()),
        None => "unknown error".to_owned(),
    }
}

/// Its message, or its name, or whatever it is as text.
pub fn message_of(thrown: &JsValue) -> String {
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        let message = String::from(error.message());
        return if message.is_empty() {
            String::from(error.name())
        } else {
            message
        };
    }
    thrown.as_string().unwrap_or_else(|| "unknown error".to_owned())
}

/// Whether it says that something was aborted on purpose.
pub fn is_abort(thrown: &JsValue) -> bool {
    name_of(thrown) == "AbortError"
}
