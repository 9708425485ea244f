//! A drawing that the worker made, and the colours that it draws with.

use plumbline_web::platform::page::window;
use plumbline_web::platform::painter;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlCanvasElement, ImageBitmap};

use crate::protocol::Palette;

/// A drawing. Its memory is freed when it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing(ImageBitmap);

impl Drawing {
    /// Recognises a received object.
    pub fn from_js(value: JsValue) -> Option<Self> {
        value.dyn_into().ok().map(Self)
    }

    /// Frees its memory without showing it.
    pub fn discard(&self) {
        self.0.close();
    }

    /// Shows it.
    ///
    /// # Errors
    /// A sentence, when the browser refuses.
    pub fn show(&self, canvas: &HtmlCanvasElement) -> Result<(), String> {
        painter::show(canvas, &self.0)?;
        self.0.close();
        Ok(())
    }
}

/// The colours of a canvas, which cannot read tokens: those of marks, and its caret's for everything else.
pub fn palette(canvas: &HtmlCanvasElement) -> Palette {
    let style = window().get_computed_style(canvas).ok().flatten();
    let found = style.and_then(|style| style.get_property_value("caret-color").ok());
    Palette {
        marks: painter::Palette::of_canvas(canvas),
        found: found.unwrap_or_default(),
    }
}
