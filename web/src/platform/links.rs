//! Clicks on the app's own links, so that following one loads nothing.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use super::page::{on_window_event, origin};

/// Calls `handler` with the path of each followed link of this origin; where it says yes, the browser stays on the
/// page. Clicks that ask for another tab or a download are the browser's.
pub fn on_followed(handler: impl Fn(&str) -> bool + 'static) {
    let origin = origin();
    on_window_event("click", move |event| {
        let Some(click) = event.dyn_ref::<MouseEvent>() else {
            return;
        };
        let is_plain = click.button() == 0
            && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key())
            && !click.default_prevented();
        let link = click
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten())
            .and_then(|anchor| anchor.dyn_into::<HtmlAnchorElement>().ok());
        let Some(link) = link.filter(|_| is_plain) else {
            return;
        };
        let is_elsewhere = link.origin() != origin
            || !link.target().is_empty()
            || link.has_attribute("download")
            || link
                .get_attribute("href")
                .is_some_and(|href| href.starts_with('#'));
        if !is_elsewhere && handler(&link.pathname()) {
            click.prevent_default();
        }
    });
}
