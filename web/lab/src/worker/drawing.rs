//! A picture with what a model found in it, drawn in the worker: the interface only shows it.

use plumbline_core::decoders::{Found, Keypoint, KeypointPose, Rect};
use plumbline_core::geometry::ImageSize;
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::Placement;
use plumbline_web::platform::failure::message_of;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{ImageBitmap, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::protocol::Palette;
use crate::tried::SURE;

/// The longer side of what is drawn, at most.
const MAX_SIDE_PX: f64 = 1280.0;

/// Widths in pixels of the drawing.
const LINE_PX: f64 = 3.0;
const CASING_PX: f64 = 1.5;
const POINT_PX: f64 = 4.0;

/// How much of a pixel the mask covers where it is sure.
const MASK_SHARE: f32 = 0.6;

/// Draws a picture and what was found in it.
///
/// # Errors
/// A sentence, when the browser offers no canvas here.
pub fn draw(
    bitmap: &ImageBitmap,
    found: &Found,
    manifest: &Manifest,
    placement: &Placement,
    palette: &Palette,
) -> Result<JsValue, String> {
    let failed = |thrown: JsValue| format!("The result cannot be drawn: {}.", message_of(&thrown));
    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
    let scale = (MAX_SIDE_PX / width.max(height)).min(1.0);
    let size = (
        (width * scale).round().max(1.0),
        (height * scale).round().max(1.0),
    );
    let canvas = OffscreenCanvas::new(size.0 as u32, size.1 as u32).map_err(failed)?;
    let context = canvas.get_context("2d").map_err(failed)?;
    let context: OffscreenCanvasRenderingContext2d = context.ok_or("no canvas")?.unchecked_into();
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, size.0, size.1)
        .map_err(failed)?;
    let drawing = Drawing {
        context: &context,
        scale,
        palette,
    };
    match found {
        Found::Poses(poses) => poses
            .iter()
            .for_each(|pose| drawing.pose(pose, manifest.keypoints)),
        Found::Boxes(boxes) => boxes.iter().for_each(|found| drawing.rect(&found.rect)),
        Found::Mask(mask) => {
            // The last class where there are several is not more of interest than the first; what is not background is.
            let class = usize::from(mask.classes > 1);
            let shares = mask.in_image(class, manifest.preprocessing.size, placement);
            drawing.mask(&shares, placement.image, size).map_err(failed)?;
        }
        Found::Classes(_) | Found::Embedding(_) => {}
    }
    canvas
        .transfer_to_image_bitmap()
        .map(JsValue::from)
        .map_err(failed)
}

struct Drawing<'a> {
    context: &'a OffscreenCanvasRenderingContext2d,
    /// From pixels of the picture to those of the drawing.
    scale: f64,
    palette: &'a Palette,
}

impl Drawing<'_> {
    fn pose(&self, pose: &KeypointPose, set: Option<KeypointSet>) {
        let set = set.unwrap_or_else(|| KeypointSet::of_count(pose.keypoints.len()));
        for &(from, to) in set.bones() {
            if let (Some(from), Some(to)) = (pose.keypoints.get(from), pose.keypoints.get(to))
                && from.score.min(to.score) >= SURE
            {
                self.line(&[from, to].map(|point| self.place(point)));
            }
        }
        for point in &pose.keypoints {
            let (x, y) = self.place(point);
            let context = self.context;
            context.begin_path();
            // A positive radius cannot fail.
            let _ = context.arc(x, y, POINT_PX, 0.0, std::f64::consts::TAU);
            context.set_line_width(2.0 * CASING_PX);
            context.set_stroke_style_str(&self.palette.casing);
            context.stroke();
            if point.score >= SURE {
                context.set_fill_style_str(&self.palette.mark);
                context.fill();
            } else {
                context.set_line_width(CASING_PX);
                context.set_stroke_style_str(&self.palette.mark);
                context.stroke();
            }
        }
    }

    fn place(&self, point: &Keypoint) -> (f64, f64) {
        (
            f64::from(point.x_px) * self.scale,
            f64::from(point.y_px) * self.scale,
        )
    }

    fn line(&self, places: &[(f64, f64)]) {
        let context = self.context;
        for (width, colour) in [
            (LINE_PX + 2.0 * CASING_PX, &self.palette.casing),
            (LINE_PX, &self.palette.mark),
        ] {
            context.set_line_width(width);
            context.set_stroke_style_str(colour);
            context.begin_path();
            for (index, &(x, y)) in places.iter().enumerate() {
                if index == 0 {
                    context.move_to(x, y);
                } else {
                    context.line_to(x, y);
                }
            }
            context.stroke();
        }
    }

    fn rect(&self, rect: &Rect) {
        let [left, top] = [rect.min.x, rect.min.y].map(|side| f64::from(side) * self.scale);
        let [right, bottom] = [rect.max.x, rect.max.y].map(|side| f64::from(side) * self.scale);
        self.line(&[
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ]);
    }

    /// The mark's colour where the mask is, through a canvas of its own, because pixels that are put cover what is there.
    fn mask(&self, shares: &[f32], image: ImageSize, size: (f64, f64)) -> Result<(), JsValue> {
        let layer = OffscreenCanvas::new(image.width_px, image.height_px)?;
        let Some(context) = layer.get_context("2d")? else {
            return Ok(());
        };
        let context: OffscreenCanvasRenderingContext2d = context.unchecked_into();
        context.set_fill_style_str(&self.palette.mark);
        context.fill_rect(0.0, 0.0, f64::from(image.width_px), f64::from(image.height_px));
        let colour = context.get_image_data(0.0, 0.0, 1.0, 1.0)?.data();
        let pixels: Vec<u8> = shares
            .iter()
            .flat_map(|share| {
                let alpha = (255.0 * MASK_SHARE * share.clamp(0.0, 1.0)) as u8;
                [colour[0], colour[1], colour[2], alpha]
            })
            .collect();
        let data = ImageData::new_with_u8_clamped_array(Clamped(&pixels), image.width_px)?;
        context.put_image_data(&data, 0.0, 0.0)?;
        self.context
            .draw_image_with_offscreen_canvas_and_dw_and_dh(&layer, 0.0, 0.0, size.0, size.1)
    }
}
