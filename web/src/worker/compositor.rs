//! Puts the people of a frame in front of another background, in the engine's thread, from the very picture that was
//! measured. So what the page shows, its mask and its skeleton are of one frame, whatever was dropped in between.
//!
//! The mask stays as small as the model gave it; a canvas places, scales and mixes. Where the browser draws canvases on
//! a GPU, the frame never leaves it. Only a blurred room is read back, at a short side of 108 px, because the person
//! must not shine into it ([`put_out_of_focus`]).

use js_sys::Reflect;
use plumbline_core::backdrop::put_out_of_focus;
use plumbline_core::geometry::ImageSize;
use plumbline_core::mask::{Mask, PeopleMaskSmoothing, RegionMask};
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use super::masker::FrameMasks;
use super::measurer::time_of;
use super::protocol::{CutReport, FrameStamp};
use crate::live::background::{Background, BackgroundKind, MaskSource};
use crate::platform::failure::message_of;
use crate::platform::page::now_millis;
use crate::platform::picture::{Picture, is_known};

/// The short side of the copy that a room is blurred in.
const BLURRED_SIDE_PX: u32 = 108;
/// How strongly, in pixels of that copy: a thirty-sixth of the picture's short side. Faces and writing are gone.
const BLUR_PX: f32 = 3.0;

/// Keeps what is wanted, its canvases and the mask before.
#[derive(Default)]
pub struct Compositor {
    background: Background,
    /// What stands behind the person, where that is a picture.
    behind: Option<Picture>,
    smoothing: PeopleMaskSmoothing,
    whole: Option<Canvas>,
    mask: Option<Canvas>,
    room: Option<Canvas>,
}

impl Compositor {
    /// What is wanted from the next frame on.
    pub fn set(&mut self, background: Background, behind: Option<Picture>) {
        if (background.is_on(), background.mask) != (self.background.is_on(), self.background.mask) {
            self.smoothing.reset();
        }
        self.background = background;
        if let Some(before) = std::mem::replace(&mut self.behind, behind) {
            before.close();
        }
        if !background.is_on() {
            (self.whole, self.mask, self.room) = (None, None, None);
        }
    }

    /// Whether frames are drawn anew.
    pub fn is_on(&self) -> bool {
        self.background.is_on()
    }

    /// Whether the model that finds the skeleton is to make masks.
    pub fn takes_mask_of_skeleton(&self) -> bool {
        self.is_on() && self.background.mask == MaskSource::Skeleton
    }

    /// A frame with the background that is wanted, to be transferred: from its own picture, which stays open, and its
    /// own masks, all of whose people stand in front. Where nobody was found, or nobody knows yet, there is only
    /// background: the room is what was not to be seen. Nothing where no background is wanted.
    ///
    /// # Errors
    /// A sentence, when the browser does not draw.
    pub fn stand_behind(
        &mut self,
        frame: &FrameStamp,
        picture: &Picture,
        found: FrameMasks,
    ) -> Result<(Option<CutReport>, Option<Picture>), String> {
        if !self.is_on() {
            return Ok((None, None));
        }
        let start_millis = now_millis();
        if frame.is_first {
            self.smoothing.reset();
        }
        let masks = self.smoothing.apply(found.masks, time_of(frame));
        // Of several the outline that is seen worst.
        let doubt = masks.iter().map(RegionMask::doubt).reduce(f32::max);
        let softness_px = self.background.softness_px as f32;
        let drawn = masks
            .into_iter()
            .map(|mask| mask.drawn_in().feathered(softness_px))
            .collect::<Vec<_>>();
        let picture = self.draw(picture, &drawn).map_err(|thrown| {
            // Whatever state it was left in.
            self.whole = None;
            format!("The background could not be drawn: {}.", message_of(&thrown))
        })?;
        let millis = now_millis() - start_millis;
        let report = CutReport {
            millis,
            mask_millis: found.millis,
            doubt,
        };
        Ok(((!found.is_awaited).then_some(report), Some(picture)))
    }

    fn draw(&mut self, picture: &Picture, masks: &[RegionMask]) -> Result<Picture, JsValue> {
        let size = picture.size();
        let [width, height] = [size.width_px, size.height_px].map(f64::from);
        if self.background.kind == BackgroundKind::Blur {
            let room = Canvas::of(&mut self.room, blurred_size(size), true)?;
            blur_room(room, picture, size, masks)?;
        }
        let whole = Canvas::of(&mut self.whole, size, false)?;
        let context = &whole.context;
        context.clear_rect(0.0, 0.0, width, height);
        for mask in masks {
            let stencil = Canvas::of(&mut self.mask, mask.size(), true)?;
            stencil.fill_with(mask)?;
            place(context, mask)?;
            // Over each other, masks join as `Mask::joined` joins them.
            context.draw_image_with_offscreen_canvas(&stencil.canvas, 0.0, 0.0)?;
            context.reset_transform()?;
        }
        if !masks.is_empty() {
            context.set_global_composite_operation("source-in")?;
            draw_picture(context, picture, [0.0, 0.0, width, height])?;
            context.set_global_composite_operation("destination-over")?;
        }
        match (self.background.kind, &self.behind, &self.room) {
            (BackgroundKind::AsItIs | BackgroundKind::CutOut, ..) => {}
            (BackgroundKind::Blur, _, Some(room)) => {
                context.draw_image_with_offscreen_canvas_and_dw_and_dh(
                    &room.canvas,
                    0.0,
                    0.0,
                    width,
                    height,
                )?;
            }
            (BackgroundKind::Picture, Some(behind), _) => {
                draw_picture(context, behind, cover(behind.size(), [width, height]))?;
            }
            (BackgroundKind::Blur | BackgroundKind::Colour | BackgroundKind::Picture, ..) => {
                context.set_fill_style_str(&self.background.colour_text());
                context.fill_rect(0.0, 0.0, width, height);
            }
        }
        context.set_global_composite_operation("source-over")?;
        whole.canvas.transfer_to_image_bitmap().map(Picture::Bitmap)
    }
}

/// Draws the room small and out of focus, without whom the masks show.
fn blur_room(room: &Canvas, picture: &Picture, size: ImageSize, masks: &[RegionMask]) -> Result<(), JsValue> {
    let small = blurred_size(size);
    let [width, height] = [small.width_px, small.height_px].map(f64::from);
    // Each pixel of the copy is the mean of those that it stands for.
    Reflect::set(&room.context, &"imageSmoothingQuality".into(), &"medium".into())?;
    room.context.clear_rect(0.0, 0.0, width, height);
    draw_picture(&room.context, picture, [0.0, 0.0, width, height])?;
    let mut rgba = room.context.get_image_data(0.0, 0.0, width, height)?.data().0;
    let factor = small.width_px as f32 / size.width_px as f32;
    let mask = masks.iter().fold(Mask::empty(small), |all, mask| {
        all.joined(&mask.clone().scaled(factor).in_image(small))
    });
    put_out_of_focus(&mut rgba, &mask, BLUR_PX).ok_or("the copy is of another size")?;
    let data = ImageData::new_with_u8_clamped_array(Clamped(&rgba), small.width_px)?;
    room.context.put_image_data(&data, 0.0, 0.0)
}

/// Places a mask's pixels where they lie in the image. A mask counts pixels by their indices and a canvas from their
/// corners, half a pixel apart in either.
fn place(context: &OffscreenCanvasRenderingContext2d, mask: &RegionMask) -> Result<(), JsValue> {
    let [xx, xy, x0, yx, yy, y0] = mask.image_from_input().rows().map(f64::from);
    let (left, top) = (0.5 + x0 - (xx + xy) / 2.0, 0.5 + y0 - (yx + yy) / 2.0);
    context.set_transform(xx, yx, xy, yy, left, top)
}

/// Draws a whole picture into `[left, top, width, height]`.
fn draw_picture(
    context: &OffscreenCanvasRenderingContext2d,
    picture: &Picture,
    [left, top, width, height]: [f64; 4],
) -> Result<(), JsValue> {
    match picture {
        Picture::Frame(frame) => {
            context.draw_image_with_video_frame_and_dw_and_dh(frame, left, top, width, height)
        }
        Picture::Bitmap(bitmap) => {
            context.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, left, top, width, height)
        }
    }
}

/// Where a picture lies that is enlarged until it covers all, its middle in the middle.
fn cover(size: ImageSize, [width, height]: [f64; 2]) -> [f64; 4] {
    let [own_width, own_height] = [size.width_px, size.height_px].map(|side| f64::from(side.max(1)));
    let scale = (width / own_width).max(height / own_height);
    let (shown_width, shown_height) = (own_width * scale, own_height * scale);
    [
        (width - shown_width) / 2.0,
        (height - shown_height) / 2.0,
        shown_width,
        shown_height,
    ]
}

fn blurred_size(size: ImageSize) -> ImageSize {
    let short = size.width_px.min(size.height_px).max(1);
    let scale = (f64::from(BLURRED_SIDE_PX) / f64::from(short)).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    ImageSize {
        width_px: scaled(size.width_px),
        height_px: scaled(size.height_px),
    }
}

/// A canvas that nobody sees.
struct Canvas {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
}

impl Canvas {
    /// The canvas that is kept, of this size. One that is read or written pixel by pixel stays in main memory.
    fn of(kept: &mut Option<Self>, size: ImageSize, is_read: bool) -> Result<&Self, JsValue> {
        let canvas = match kept.take() {
            Some(canvas) => canvas,
            None => Self::new(size, is_read)?,
        };
        if (canvas.canvas.width(), canvas.canvas.height()) != (size.width_px, size.height_px) {
            canvas.canvas.set_width(size.width_px);
            canvas.canvas.set_height(size.height_px);
        }
        Ok(kept.insert(canvas))
    }

    fn new(size: ImageSize, is_read: bool) -> Result<Self, JsValue> {
        if !is_known("OffscreenCanvas") {
            return Err("this browser has no OffscreenCanvas".into());
        }
        let canvas = OffscreenCanvas::new(size.width_px, size.height_px)?;
        let settings = js_sys::Object::new();
        Reflect::set(&settings, &"willReadFrequently".into(), &is_read.into())?;
        let context = canvas.get_context_with_context_options("2d", &settings)?;
        let context = context
            .ok_or("this browser draws on no OffscreenCanvas")?
            .dyn_into()?;
        Ok(Self { canvas, context })
    }

    /// Its pixels become as opaque as the mask says.
    fn fill_with(&self, mask: &RegionMask) -> Result<(), JsValue> {
        let opaque = mask.values().iter().map(|&share| (share * 255.0).round() as u8);
        let rgba: Vec<u8> = opaque.flat_map(|alpha| [0, 0, 0, alpha]).collect();
        let data = ImageData::new_with_u8_clamped_array(Clamped(&rgba), mask.size().width_px)?;
        self.context.put_image_data(&data, 0.0, 0.0)
    }
}
