//! Where a program draws that a page loads apart: an element of a page that is not its own.

use std::cell::RefCell;

use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::page::document;

thread_local! {
    /// Takes away what is drawn.
    static DRAWN: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Draws into the element with this id, in place of what was drawn before.
pub fn mount<V: IntoView + 'static>(id: &str, app: impl FnOnce() -> V + 'static) {
    unmount();
    let element = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    // Without it the page was left before this was loaded.
    let Some(element) = element else { return };
    let drawn = mount_to(element, app);
    DRAWN.with(|kept| *kept.borrow_mut() = Some(Box::new(move || drop(drawn))));
}

/// Takes away what was drawn.
pub fn unmount() {
    if let Some(take_away) = DRAWN.with(|kept| kept.borrow_mut().take()) {
        take_away();
    }
}
