//! The two canvases of the stage: the picture of sources that are no video, and the skeleton above it; and marks on any
//! other canvas.

use js_sys::Array;
use plumbline_core::geometry::Point2;
use plumbline_core::skeleton::Side;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap};

use super::page::window;
use super::picture::Screen;
use crate::live::skeleton_drawing::Mark;

/// Width of a bone, its casing on either side, and of a doubtful bone.
const BONE_PX: f64 = 3.0;
const CASING_PX: f64 = 1.0;
const DOUBTFUL_BONE_PX: f64 = 1.5;
const DOUBTFUL_ALPHA: f64 = 0.6;
const JOINT_RADIUS_PX: f64 = 4.0;
const LABEL_FONT: &str = "600 14px system-ui, sans-serif";

/// The right side is dashed, 6 on and 3 off; with the round caps of a 3 px line the gap needs their width on top.
const DASH_PX: [f64; 2] = [6.0, 6.0];

/// Draws skeletons.
#[derive(Clone, Debug)]
pub struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

/// The colours of marks, as the browser writes them. They live in the style sheet: the canvas carries them as properties
/// of its own, because a canvas cannot read `light-dark()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// Of the subject's left.
    pub left: String,
    /// Of the right.
    pub right: String,
    /// Of what is on neither side.
    pub middle: String,
    /// Around all of it.
    pub casing: String,
}

impl Painter {
    /// A painter on `canvas`, or nothing where the browser gives no 2D context.
    pub fn new(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        Some(Self { canvas, context })
    }

    /// Size of the stage in CSS pixels.
    pub fn stage_size(&self) -> (f32, f32) {
        (
            self.canvas.client_width() as f32,
            self.canvas.client_height() as f32,
        )
    }

    /// Leaves the stage empty.
    pub fn clear(&self) {
        self.context.clear_rect(
            0.0,
            0.0,
            f64::from(self.canvas.width()),
            f64::from(self.canvas.height()),
        );
    }

    /// Replaces what is drawn.
    pub fn paint(&self, marks: &[Mark]) {
        let density = window().device_pixel_ratio();
        let (width, height) = self.stage_size();
        let (width, height) = (
            (f64::from(width) * density) as u32,
            (f64::from(height) * density) as u32,
        );
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let context = &self.context;
        // Scaling by a positive number cannot fail.
        let _ = context.set_transform(density, 0.0, 0.0, density, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        paint_marks(context, marks, &Palette::of_canvas(&self.canvas));
    }
}

/// Draws marks with a canvas's present transform.
pub fn paint_marks(context: &CanvasRenderingContext2d, marks: &[Mark], palette: &Palette) {
    context.set_line_cap("round");
    context.set_font(LABEL_FONT);
    context.set_text_align("center");
    context.set_text_baseline("middle");
    let pen = Pen { context, palette };
    for mark in marks {
        pen.paint_mark(mark);
    }
    context.set_global_alpha(1.0);
}

/// A context with the colours to draw in.
struct Pen<'a> {
    context: &'a CanvasRenderingContext2d,
    palette: &'a Palette,
}

impl Pen<'_> {
    fn paint_mark(&self, mark: &Mark) {
        let Self { context, palette } = self;
        match *mark {
            Mark::Bone {
                from,
                to,
                side,
                doubtful,
            } => {
                let width = if doubtful { DOUBTFUL_BONE_PX } else { BONE_PX };
                context.set_global_alpha(if doubtful { DOUBTFUL_ALPHA } else { 1.0 });
                self.line(from, to, width + 2.0 * CASING_PX, &palette.casing, false);
                self.line(from, to, width, palette.of(side), side == Side::Right);
            }
            Mark::Joint { at, side, doubtful } => {
                context.set_global_alpha(1.0);
                context.begin_path();
                // A positive radius cannot fail.
                let _ = context.arc(
                    f64::from(at.x),
                    f64::from(at.y),
                    JOINT_RADIUS_PX,
                    0.0,
                    std::f64::consts::TAU,
                );
                let colour = palette.of(side);
                if doubtful {
                    context.set_line_width(DOUBTFUL_BONE_PX);
                    context.set_stroke_style_str(colour);
                    context.stroke();
                } else {
                    context.set_line_width(2.0 * CASING_PX);
                    context.set_stroke_style_str(&palette.casing);
                    context.stroke();
                    context.set_fill_style_str(colour);
                    context.fill();
                }
            }
            Mark::Label { at, text, side } => self.text(at, text, palette.of(side)),
            Mark::Tag { at, id, is_measured } => {
                let more = if is_measured { ", measured" } else { "" };
                self.text(at, &format!("{}{more}", id.0), &palette.middle);
            }
        }
    }

    fn text(&self, at: Point2, text: &str, colour: &str) {
        let context = self.context;
        context.set_global_alpha(1.0);
        context.set_line_width(3.0 * CASING_PX);
        context.set_line_join("round");
        context.set_stroke_style_str(&self.palette.casing);
        context.set_fill_style_str(colour);
        let (x, y) = (f64::from(at.x), f64::from(at.y));
        // Text without a maximum width cannot fail.
        let _ = context.stroke_text(text, x, y);
        let _ = context.fill_text(text, x, y);
    }

    fn line(&self, from: Point2, to: Point2, width_px: f64, colour: &str, dashed: bool) {
        let context = self.context;
        let pattern: Array = DASH_PX
            .iter()
            .filter(|_| dashed)
            .map(|&length| JsValue::from(length))
            .collect();
        // A pattern of positive numbers, or of none, cannot fail.
        let _ = context.set_line_dash(&pattern);
        context.set_line_width(width_px);
        context.set_stroke_style_str(colour);
        context.begin_path();
        context.move_to(f64::from(from.x), f64::from(from.y));
        context.line_to(f64::from(to.x), f64::from(to.y));
        context.stroke();
        let _ = context.set_line_dash(&Array::new());
    }
}

impl Palette {
    /// That of a canvas: its text, outline, upper border and text decoration.
    pub fn of_canvas(canvas: &HtmlCanvasElement) -> Self {
        let style = window().get_computed_style(canvas).ok().flatten();
        let colour = |property: &str| {
            style
                .as_ref()
                .and_then(|style| style.get_property_value(property).ok())
                .unwrap_or_default()
        };
        Self {
            left: colour("color"),
            right: colour("outline-color"),
            middle: colour("border-top-color"),
            casing: colour("text-decoration-color"),
        }
    }

    fn of(&self, side: Side) -> &str {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
            Side::Middle => &self.middle,
        }
    }
}

/// Takes away what a canvas shows, and the memory that it took.
pub fn empty(canvas: &HtmlCanvasElement) {
    canvas.set_width(0);
    canvas.set_height(0);
}

/// Shows a picture on a canvas of the picture's own size.
///
/// # Errors
/// A sentence, when the browser gives no 2D context.
pub fn show(canvas: &HtmlCanvasElement, bitmap: &ImageBitmap) -> Result<(), String> {
    let (width, height) = (bitmap.width(), bitmap.height());
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context: Option<CanvasRenderingContext2d> = canvas
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into().ok());
    let drawn = context.map(|context| {
        // The picture before would show through one that is transparent in parts.
        context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        context.draw_image_with_image_bitmap(bitmap, 0.0, 0.0)
    });
    match drawn {
        Some(Ok(())) => Ok(()),
        _ => Err("The picture could not be drawn: the browser gives no canvas of this size.".to_owned()),
    }
}

/// Copies what the stage shows, mirrored where the stage is, and the skeleton above it onto one canvas: videos are
/// blank on paper.
pub fn snapshot(target: &HtmlCanvasElement, screen: &Screen, skeleton: &HtmlCanvasElement, mirrored: bool) {
    let (width, height) = (skeleton.width(), skeleton.height());
    target.set_width(width);
    target.set_height(height);
    let Some(context) = target
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|found| found.dyn_into::<CanvasRenderingContext2d>().ok())
    else {
        return;
    };
    let (stage_width, stage_height) = (f64::from(width), f64::from(height));
    let (picture_width, picture_height) = match screen {
        Screen::Video(video) => (f64::from(video.video_width()), f64::from(video.video_height())),
        Screen::Canvas(canvas) => (f64::from(canvas.width()), f64::from(canvas.height())),
    };
    if picture_width == 0.0 || picture_height == 0.0 {
        return;
    }
    let scale = (stage_width / picture_width).min(stage_height / picture_height);
    let (shown_width, shown_height) = (picture_width * scale, picture_height * scale);
    let (left, top) = (
        (stage_width - shown_width) / 2.0,
        (stage_height - shown_height) / 2.0,
    );
    // A print without a picture is still a print: drawing errors leave it blank.
    if mirrored {
        let _ = context.set_transform(-1.0, 0.0, 0.0, 1.0, stage_width, 0.0);
    }
    let _ = match screen {
        Screen::Video(video) => context.draw_image_with_html_video_element_and_dw_and_dh(
            video,
            left,
            top,
            shown_width,
            shown_height,
        ),
        Screen::Canvas(canvas) => context.draw_image_with_html_canvas_element_and_dw_and_dh(
            canvas,
            left,
            top,
            shown_width,
            shown_height,
        ),
    };
    let _ = context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
    let _ = context.draw_image_with_html_canvas_element(skeleton, 0.0, 0.0);
}
