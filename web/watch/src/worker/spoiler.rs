//! Spoils pictures as a person has asked for, before anything is measured in them.

use std::collections::BTreeMap;

use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::picture::Picture;
use plumbline_web::worker::pixels::PixelReader;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// Decides the noise, together with each frame's number: the same clip is spoiled the same way every time.
const SEED: u64 = 5;

/// What is done to pictures, and what that needs.
pub struct Spoiler {
    severities: Vec<(Corruption, Severity)>,
    corruptor: Corruptor,
    reader: PixelReader,
    canvas: Option<(OffscreenCanvas, OffscreenCanvasRenderingContext2d)>,
}

impl Default for Spoiler {
    fn default() -> Self {
        Self {
            severities: Vec::new(),
            corruptor: Corruptor::new(SEED),
            reader: PixelReader::default(),
            canvas: None,
        }
    }
}

impl Spoiler {
    /// Does this from now on, in the order in which scene, camera and line would; unknown names and severities are left out.
    pub fn set(&mut self, severities: &BTreeMap<String, u8>) {
        let wanted = Corruption::ALL.into_iter().filter_map(|corruption| {
            let level = *severities.get(corruption.id())?;
            Some((corruption, Severity::new(level)?))
        });
        self.severities = wanted.collect();
    }

    /// Whether anything is done.
    pub fn is_on(&self) -> bool {
        !self.severities.is_empty()
    }

    /// A picture, spoiled. The one that was given stays open.
    ///
    /// # Errors
    /// A sentence, when the browser offers no way to read or make pictures here.
    pub async fn spoil(&mut self, index: u32, picture: &Picture) -> Result<Picture, String> {
        let pixels = self.reader.read(picture).await?;
        let (mut rgba, size) = (pixels.rgba.clone(), pixels.size());
        for &(corruption, severity) in &self.severities {
            let applied = self.corruptor.apply(corruption, severity, index, &mut rgba, size);
            applied.map_err(|error| format!("The picture cannot be spoiled: {error}."))?;
        }
        let failed =
            |thrown: JsValue| format!("The spoiled picture cannot be drawn: {}.", message_of(&thrown));
        self.draw(&rgba, size.width_px, size.height_px).map_err(failed)
    }

    fn draw(&mut self, rgba: &[u8], width_px: u32, height_px: u32) -> Result<Picture, JsValue> {
        let (canvas, context) = match self.canvas.take() {
            Some(kept) => kept,
            None => new_canvas()?,
        };
        if (canvas.width(), canvas.height()) != (width_px, height_px) {
            canvas.set_width(width_px);
            canvas.set_height(height_px);
        }
        let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), width_px, height_px)?;
        context.put_image_data(&data, 0.0, 0.0)?;
        let bitmap = canvas.transfer_to_image_bitmap()?;
        self.canvas = Some((canvas, context));
        Ok(Picture::Bitmap(bitmap))
    }
}

fn new_canvas() -> Result<(OffscreenCanvas, OffscreenCanvasRenderingContext2d), JsValue> {
    let canvas = OffscreenCanvas::new(1, 1)?;
    let context = canvas.get_context("2d")?;
    let context = context.ok_or_else(|| JsValue::from("there is no canvas"))?;
    Ok((canvas, context.unchecked_into()))
}
