//! A checkbox whose state somebody else decides.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

/// Puts a checkbox that was clicked back to how things stand, until they change.
pub fn put_back(event: &Event, is_on: bool) {
    let input = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    if let Some(input) = input {
        input.set_checked(is_on);
    }
}
