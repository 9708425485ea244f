//! One image file, decoded off the main thread and shown on a canvas.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlCanvasElement, HtmlImageElement, ImageBitmap, ImageBitmapOptions, Url};

use super::Reports;
use super::file::PickedFile;
use crate::live::sentences;
use crate::live::session::OpenedSource;
use crate::live::source::measured_size;
use crate::platform::page::window;
use crate::platform::painter;
use crate::platform::picture::{Picture, Screen};
use crate::worker::protocol::FrameStamp;

/// A picture that is shown.
pub struct Still {
    canvas: HtmlCanvasElement,
    label: String,
    reports: Reports,
}

impl Still {
    /// Decodes a file and shows it on `canvas`, scaled down where it is larger than the page measures.
    ///
    /// # Errors
    /// A sentence: not a picture, none at all, or too large.
    pub async fn open(
        file: &PickedFile,
        canvas: &HtmlCanvasElement,
        reports: Reports,
    ) -> Result<Self, String> {
        let (bitmap, (width_px, height_px)) = decode(file).await?;
        let is_scaled = (bitmap.width(), bitmap.height()) != (width_px, height_px);
        let shown = painter::show(canvas, &bitmap);
        bitmap.close();
        shown?;
        let name = file.name();
        let label = if is_scaled {
            format!("{name} (scaled down from {width_px} × {height_px})")
        } else {
            name
        };
        Ok(Self {
            canvas: canvas.clone(),
            label,
            reports,
        })
    }

    /// Its name, and its size as measured.
    pub fn describe(&self) -> OpenedSource {
        OpenedSource {
            label: self.label.clone(),
            width_px: self.canvas.width(),
            height_px: self.canvas.height(),
        }
    }

    /// Where it is shown.
    pub fn screen(&self) -> Screen {
        Screen::Canvas(self.canvas.clone())
    }

    /// Reports its one frame.
    pub fn report(&self) {
        (self.reports.shown)(FrameStamp {
            index: 0,
            time_secs: 0.0,
            is_first: true,
        });
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        // An empty canvas frees the picture.
        self.canvas.set_width(0);
        self.canvas.set_height(0);
    }
}

/// Decodes a file for the place behind the person.
///
/// # Errors
/// A sentence: not a picture, none at all, or too large.
pub async fn background(file: &PickedFile) -> Result<Picture, String> {
    decode(file).await.map(|(bitmap, _)| Picture::Bitmap(bitmap))
}

/// A file's picture, scaled down where it is larger than the page measures, and the size that it has.
async fn decode(file: &PickedFile) -> Result<(ImageBitmap, (u32, u32)), String> {
    let name = file.name();
    let refused = |_: JsValue| sentences::picture_refused(&name);
    // An element reads the size without decoding, so that an absurd picture is refused before it fills the memory.
    let (width_px, height_px) = size(file).await.map_err(refused)?;
    let shown = measured_size(width_px, height_px)?;
    let options = ImageBitmapOptions::new();
    if shown != (width_px, height_px) {
        options.set_resize_width(shown.0);
        options.set_resize_height(shown.1);
    }
    let promise = window()
        .create_image_bitmap_with_blob_and_image_bitmap_options(&file.0, &options)
        .map_err(refused)?;
    let bitmap = JsFuture::from(promise).await.map_err(refused)?;
    Ok((bitmap.unchecked_into(), (width_px, height_px)))
}

async fn size(file: &PickedFile) -> Result<(u32, u32), JsValue> {
    let image = HtmlImageElement::new()?;
    let address = Url::create_object_url_with_blob(&file.0)?;
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        image.set_onload(Some(&resolve));
        image.set_onerror(Some(&reject));
        image.set_src(&address);
    });
    let loaded = JsFuture::from(promise).await;
    Url::revoke_object_url(&address)?;
    loaded?;
    Ok((image.natural_width(), image.natural_height()))
}
