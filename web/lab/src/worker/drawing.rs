//! A picture with what a model found in it, drawn in the worker: the interface only shows it.

use plumbline_core::decoders::{DetectedBox, Found, PixelScores};
use plumbline_core::geometry::Point2;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::Placement;
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::painter::paint_marks;
use plumbline_web::platform::picture::Picture;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, ImageData, OffscreenCanvas};

use crate::marks::marks;
use crate::protocol::Palette;
use crate::tried::{class_colour, label_of, percent};

/// The longer side of what is drawn, at most.
const MAX_SIDE_PX: f64 = 1280.0;

/// About how wide the drawing stands on the page: lines have their width there.
const SHOWN_PX: f64 = 720.0;

/// Widths in units of the drawing.
const LINE: f64 = 3.0;
const CASING: f64 = 1.0;
const FONT: &str = "600 14px system-ui, sans-serif";
const LINE_OF_TEXT: f64 = 18.0;

/// How much of a pixel the mask covers where it is sure.
const MASK_SHARE: f32 = 0.6;

/// Draws picture after picture.
#[derive(Default)]
pub struct Drawer {
    canvas: Option<Canvas>,
    /// For masks: pixels that are put cover what is there.
    layer: Option<Canvas>,
}

struct Canvas {
    canvas: OffscreenCanvas,
    context: CanvasRenderingContext2d,
}

impl Canvas {
    fn new() -> Result<Self, JsValue> {
        let canvas = OffscreenCanvas::new(1, 1)?;
        let context = canvas.get_context("2d")?;
        let context = context.ok_or_else(|| JsValue::from("there is no canvas"))?;
        Ok(Self {
            canvas,
            // Everything that is drawn with here is a member of both contexts.
            context: context.unchecked_into(),
        })
    }

    /// Empties it.
    fn resize(&self, width_px: u32, height_px: u32) {
        self.canvas.set_width(width_px);
        self.canvas.set_height(height_px);
    }
}

impl Drawer {
    /// Draws a picture and what was found in it, as an `ImageBitmap`.
    ///
    /// # Errors
    /// A sentence, when the browser offers no canvas here.
    pub fn draw(
        &mut self,
        picture: &Picture,
        found: &Found,
        manifest: &Manifest,
        placement: &Placement,
        palette: &Palette,
    ) -> Result<JsValue, String> {
        let failed = |thrown: JsValue| format!("The result cannot be drawn: {}.", message_of(&thrown));
        let size = picture.size();
        let (width, height) = (f64::from(size.width_px), f64::from(size.height_px));
        let scale = (MAX_SIDE_PX / width.max(height)).min(1.0);
        let (width, height) = (
            (width * scale).round().max(1.0),
            (height * scale).round().max(1.0),
        );
        let Canvas { canvas, context } = or_new(&mut self.canvas).map_err(failed)?;
        canvas.set_width(width as u32);
        canvas.set_height(height as u32);
        let drawn = match picture {
            Picture::Frame(frame) => {
                context.draw_image_with_video_frame_and_dw_and_dh(frame, 0.0, 0.0, width, height)
            }
            Picture::Bitmap(bitmap) => {
                context.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, width, height)
            }
        };
        drawn.map_err(failed)?;
        if let Found::Mask(mask) = found {
            let layer = or_new(&mut self.layer).map_err(failed)?;
            put_mask(layer, mask, palette).map_err(failed)?;
            let image_from_model = placement.image_from_model();
            let input = manifest.preprocessing.size;
            let corner = |x: u32, y: u32| image_from_model.apply(Point2::new(x as f32, y as f32));
            let (from, to) = (corner(0, 0), corner(input.width_px, input.height_px));
            let place = [from.x, from.y, to.x - from.x, to.y - from.y].map(|side| f64::from(side) * scale);
            let [x, y, across, down] = place;
            context
                .draw_image_with_offscreen_canvas_and_dw_and_dh(&layer.canvas, x, y, across, down)
                .map_err(failed)?;
        }
        let unit = (width / SHOWN_PX).max(1.0);
        // Scaling by a positive number cannot fail.
        let _ = context.scale(unit, unit);
        let scale = (scale / unit) as f32;
        let pen = Pen {
            context,
            scale,
            palette,
        };
        match found {
            Found::Poses(poses) => {
                paint_marks(context, &marks(poses, manifest.keypoints, scale), &palette.marks)
            }
            Found::Boxes(boxes) => boxes.iter().for_each(|found| pen.object(found, manifest)),
            Found::Mask(mask) => pen.names(mask, manifest, placement),
            Found::Classes(_) | Found::Embedding(_) => {}
        }
        canvas
            .transfer_to_image_bitmap()
            .map(JsValue::from)
            .map_err(failed)
    }
}

fn or_new(place: &mut Option<Canvas>) -> Result<&Canvas, JsValue> {
    if place.is_none() {
        *place = Some(Canvas::new()?);
    }
    place.as_ref().ok_or(JsValue::NULL)
}

/// Fills the layer with a pixel for each of the mask's: in one colour as much as it is sure, or in the colour of the class
/// that it shows most probably.
fn put_mask(layer: &Canvas, mask: &PixelScores, palette: &Palette) -> Result<(), JsValue> {
    let colour_of = |colour: &str| -> Result<[u8; 3], JsValue> {
        layer.resize(1, 1);
        layer.context.set_fill_style_str(colour);
        layer.context.fill_rect(0.0, 0.0, 1.0, 1.0);
        let pixel = layer.context.get_image_data(0.0, 0.0, 1.0, 1.0)?.data();
        Ok([pixel[0], pixel[1], pixel[2]])
    };
    let mut pixels = Vec::with_capacity(4 * mask.plane(0).len());
    let mut put = |[red, green, blue]: [u8; 3], share: f32| {
        let alpha = (255.0 * MASK_SHARE * share.clamp(0.0, 1.0)) as u8;
        pixels.extend([red, green, blue, alpha]);
    };
    if mask.classes == 1 {
        let colour = colour_of(&palette.found)?;
        mask.plane(0).iter().for_each(|&share| put(colour, share));
    } else {
        let colours = (0..mask.classes).map(|class| class_colour(class).map(colour_of).transpose());
        let colours = colours.collect::<Result<Vec<_>, _>>()?;
        for class in mask.greatest() {
            match class.and_then(|class| colours[class]) {
                Some(colour) => put(colour, 1.0),
                None => put([0; 3], 0.0),
            }
        }
    }
    layer.resize(mask.size.width_px, mask.size.height_px);
    let data = ImageData::new_with_u8_clamped_array(Clamped(&pixels), mask.size.width_px)?;
    layer.context.put_image_data(&data, 0.0, 0.0)
}

struct Pen<'a> {
    context: &'a CanvasRenderingContext2d,
    /// From pixels of the picture to units of the drawing.
    scale: f32,
    palette: &'a Palette,
}

impl Pen<'_> {
    fn object(&self, found: &DetectedBox, manifest: &Manifest) {
        let context = self.context;
        let (min, max) = (found.rect.min, found.rect.max);
        let [left, top, right, bottom] =
            [min.x, min.y, max.x, max.y].map(|place| f64::from(place * self.scale));
        for (width, colour) in [
            (LINE + 2.0 * CASING, &self.palette.marks.casing),
            (LINE, &self.palette.found),
        ] {
            context.set_line_width(width);
            context.set_stroke_style_str(colour);
            context.stroke_rect(left, top, right - left, bottom - top);
        }
        let text = format!("{} {}", label_of(manifest, found.class), percent(found.score));
        context.set_text_align("left");
        self.text(
            &text,
            left + LINE,
            (top - LINE_OF_TEXT / 2.0).max(LINE_OF_TEXT / 2.0),
        );
    }

    /// The name of each class of several where the class is.
    fn names(&self, mask: &PixelScores, manifest: &Manifest, placement: &Placement) {
        if mask.classes == 1 {
            return;
        }
        self.context.set_text_align("center");
        let input = manifest.preprocessing.size;
        let image_from_model = placement.image_from_model();
        for (class, place) in mask.places() {
            if class_colour(class).is_none() {
                continue;
            }
            let along = |place: f32, from: u32, to: u32| place * to as f32 / from.max(1) as f32;
            let point_in_model = Point2::new(
                along(place.x, mask.size.width_px, input.width_px),
                along(place.y, mask.size.height_px, input.height_px),
            );
            let at = image_from_model.apply(point_in_model);
            let (x, y) = (at.x * self.scale, at.y * self.scale);
            self.text(&label_of(manifest, class), f64::from(x), f64::from(y));
        }
    }

    fn text(&self, text: &str, x: f64, y: f64) {
        let context = self.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_line_join("round");
        context.set_line_width(3.0 * CASING);
        context.set_stroke_style_str(&self.palette.marks.casing);
        context.set_fill_style_str(&self.palette.found);
        // Text without a maximum width cannot fail.
        let _ = context.stroke_text(text, x, y);
        let _ = context.fill_text(text, x, y);
    }
}
