//! The styles that only these pages have. They come with their program and not with the app, which most visits load alone.

use std::cell::Cell;

use plumbline_web::platform::page::document;
use wasm_bindgen::prelude::*;

/// What is added to the page.
const STYLES: &str = include_str!("../../../../static/styles/watch.css");

#[wasm_bindgen]
extern "C" {
    type CSSStyleSheet;

    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<CSSStyleSheet, JsValue>;

    #[wasm_bindgen(method, catch, js_name = replaceSync)]
    fn replace_sync(this: &CSSStyleSheet, text: &str) -> Result<(), JsValue>;

    type WithSheets;

    #[wasm_bindgen(method, getter, js_name = adoptedStyleSheets)]
    fn adopted_style_sheets(this: &WithSheets) -> js_sys::Array;

    #[wasm_bindgen(method, setter, js_name = adoptedStyleSheets)]
    fn set_adopted_style_sheets(this: &WithSheets, sheets: &js_sys::Array);
}

/// Adds the styles to the page, once. A browser that knows no such sheets shows plain tables and lines.
pub fn adopt() {
    thread_local! {
        static IS_ADOPTED: Cell<bool> = const { Cell::new(false) };
    }
    if IS_ADOPTED.replace(true) {
        return;
    }
    let adopted = || -> Result<(), JsValue> {
        let sheet = CSSStyleSheet::new()?;
        sheet.replace_sync(STYLES)?;
        let page: WithSheets = document().unchecked_into();
        let sheets = page.adopted_style_sheets();
        let with_it = sheets.concat(&js_sys::Array::of1(&sheet));
        page.set_adopted_style_sheets(&with_it);
        Ok(())
    };
    let _ = adopted();
}
