//! The interface's module. It does nothing by itself: the page that has loaded it says where it may draw, and what.

use plumbline_watch::interface::{self, Page};
use plumbline_watch::platform::monitor_link::MonitorLink;
use plumbline_web::platform::page;
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

fn main() {
    page::on_panic(|message| page::show_fatal(&message));
}

/// Draws a page (`monitor` or `evaluate`) into the element with this id. On `/monitor` the port leads to the worker that
/// watches the session.
#[wasm_bindgen]
pub fn mount(id: &str, page: &str, port: Option<MessagePort>) {
    if let Some(page) = Page::from_id(page) {
        interface::mount(id, page, port.map(MonitorLink::new));
    }
}

/// Takes everything away that was drawn.
#[wasm_bindgen]
pub fn unmount() {
    interface::unmount();
}
