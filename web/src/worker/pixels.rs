//! A received picture as RGBA bytes, upright, in the engine's thread.
//!
//! The straight way is `VideoFrame.copyTo` with `format: "RGBA"`; where the browser does not convert, or the frame
//! stands on its side, a canvas draws it.

use js_sys::{Reflect, Uint8Array};
use plumbline_core::geometry::ImageSize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d, VideoFrame, VideoFrameCopyToOptions,
    VideoPixelFormat,
};

use crate::platform::failure::message_of;
use crate::platform::picture::{Picture, is_known};

/// The engine's only copy of the frame: RGBA, rows from the top, no padding.
#[derive(Default)]
pub struct Pixels {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// `4 * width_px * height_px` bytes.
    pub rgba: Vec<u8>,
}

impl Pixels {
    /// Columns and rows.
    pub fn size(&self) -> ImageSize {
        ImageSize {
            width_px: self.width_px as u32,
            height_px: self.height_px as u32,
        }
    }
}

/// Turns pictures into pixels, keeping its buffers from frame to frame.
#[derive(Default)]
pub struct PixelReader {
    pixels: Pixels,
    /// Outside of WebAssembly's memory, which may move while a copy is under way.
    staging: Option<Uint8Array>,
    canvas: Option<(OffscreenCanvas, OffscreenCanvasRenderingContext2d)>,
    copies_refused: bool,
}

impl PixelReader {
    /// Those of the picture that was read last.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// The picture's pixels. The picture stays open.
    ///
    /// # Errors
    /// A sentence, when the browser offers no way.
    pub async fn read(&mut self, picture: &Picture) -> Result<&Pixels, String> {
        match picture {
            Picture::Frame(frame) => {
                let copied = !self.copies_refused && is_plain(frame) && self.copy(frame).await;
                if !copied {
                    let (width, height) = (frame.display_width(), frame.display_height());
                    self.draw(width, height, |context| {
                        context.draw_image_with_video_frame(frame, 0.0, 0.0)
                    })?;
                }
            }
            Picture::Bitmap(bitmap) => self.draw_bitmap(bitmap)?,
        }
        Ok(&self.pixels)
    }

    /// Copies with conversion; false where the browser does not convert, which is then not tried again.
    async fn copy(&mut self, frame: &VideoFrame) -> bool {
        let (width_px, height_px) = (frame.display_width(), frame.display_height());
        let len = width_px * height_px * 4;
        let staging = match self.staging.take() {
            Some(staging) if staging.length() == len => staging,
            _ => Uint8Array::new_with_length(len),
        };
        let options = VideoFrameCopyToOptions::new();
        options.set_format(VideoPixelFormat::Rgba);
        let is_right_size = frame.allocation_size_with_options(&options) == Ok(len);
        let promise = frame.copy_to_with_buffer_source_and_options(staging.unchecked_ref(), &options);
        let copied = is_right_size && JsFuture::from(promise).await.is_ok();
        if copied {
            self.pixels.rgba.resize(len as usize, 0);
            staging.copy_to(&mut self.pixels.rgba);
            self.pixels.width_px = width_px as usize;
            self.pixels.height_px = height_px as usize;
        }
        self.copies_refused = !copied;
        self.staging = Some(staging);
        copied
    }

    fn draw_bitmap(&mut self, bitmap: &ImageBitmap) -> Result<(), String> {
        self.draw(bitmap.width(), bitmap.height(), |context| {
            context.draw_image_with_image_bitmap(bitmap, 0.0, 0.0)
        })
    }

    fn draw(
        &mut self,
        width_px: u32,
        height_px: u32,
        paint: impl FnOnce(&OffscreenCanvasRenderingContext2d) -> Result<(), JsValue>,
    ) -> Result<(), String> {
        let refused = |thrown: JsValue| format!("The frame could not be read: {}.", message_of(&thrown));
        let (canvas, context) = match self.canvas.take() {
            Some(kept) => kept,
            None => new_canvas(width_px, height_px)?,
        };
        if (canvas.width(), canvas.height()) != (width_px, height_px) {
            canvas.set_width(width_px);
            canvas.set_height(height_px);
        }
        paint(&context).map_err(refused)?;
        let data = context
            .get_image_data(0.0, 0.0, f64::from(width_px), f64::from(height_px))
            .map_err(refused)?;
        self.pixels.rgba = data.data().0;
        self.pixels.width_px = width_px as usize;
        self.pixels.height_px = height_px as usize;
        self.canvas = Some((canvas, context));
        Ok(())
    }
}

fn new_canvas(
    width_px: u32,
    height_px: u32,
) -> Result<(OffscreenCanvas, OffscreenCanvasRenderingContext2d), String> {
    let absent =
        || "This browser offers no way to read a frame's pixels (OffscreenCanvas is missing).".to_owned();
    if !is_known("OffscreenCanvas") {
        return Err(absent());
    }
    let canvas = OffscreenCanvas::new(width_px, height_px).map_err(|_| absent())?;
    let settings = js_sys::Object::new();
    // Keeps the canvas in main memory, where it is read.
    Reflect::set(&settings, &"willReadFrequently".into(), &true.into()).map_err(|_| absent())?;
    let context = canvas
        .get_context_with_context_options("2d", &settings)
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into().ok())
        .ok_or_else(absent)?;
    Ok((canvas, context))
}

/// Whether the frame's stored pixels are its shown pixels: not rotated, not flipped, not stretched.
fn is_plain(frame: &VideoFrame) -> bool {
    let is_set = |name: &str| Reflect::get(frame, &name.into()).is_ok_and(|value| value.is_truthy());
    let is_unscaled = frame.visible_rect().is_some_and(|rect| {
        rect.width() == f64::from(frame.display_width()) && rect.height() == f64::from(frame.display_height())
    });
    is_unscaled && !is_set("rotation") && !is_set("flip")
}
