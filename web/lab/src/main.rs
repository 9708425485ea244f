//! The interface's module. It does nothing by itself: the page that has loaded it says where it may draw.

use plumbline_lab::interface;
use plumbline_web::platform::page;
use wasm_bindgen::prelude::*;

fn main() {
    page::on_panic(|message| page::show_fatal(&message));
}

/// Draws into the element with this id.
#[wasm_bindgen]
pub fn mount(id: &str) {
    interface::mount(id);
}

/// Takes everything away that was drawn, and ends the worker.
#[wasm_bindgen]
pub fn unmount() {
    interface::unmount();
}
