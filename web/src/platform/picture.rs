//! One frame as a browser object that can change hands between threads without a copy.

use js_sys::Reflect;
use plumbline_core::geometry::ImageSize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlCanvasElement, HtmlVideoElement, ImageBitmap, VideoFrame, VideoFrameInit};

use super::failure::message_of;
use super::page::window;

/// A frame on its way to the engine. It holds decoder or graphics memory until [`Picture::close`].
#[derive(Clone, Debug)]
pub enum Picture {
    /// WebCodecs: may still be in the camera's own format.
    Frame(VideoFrame),
    /// Where there is no `VideoFrame`.
    Bitmap(ImageBitmap),
}

impl Picture {
    /// Recognises a received object.
    pub fn from_js(value: JsValue) -> Option<Self> {
        // Where the class does not exist, `instanceof` would throw.
        if is_known("VideoFrame") && value.is_instance_of::<VideoFrame>() {
            return Some(Self::Frame(value.unchecked_into()));
        }
        value.dyn_into::<ImageBitmap>().ok().map(Self::Bitmap)
    }

    /// The object itself, to be posted and transferred.
    pub fn as_js(&self) -> &JsValue {
        match self {
            Self::Frame(frame) => frame,
            Self::Bitmap(bitmap) => bitmap,
        }
    }

    /// Columns and rows, as it is shown.
    pub fn size(&self) -> ImageSize {
        let (width_px, height_px) = match self {
            Self::Frame(frame) => (frame.display_width(), frame.display_height()),
            Self::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
        };
        ImageSize { width_px, height_px }
    }

    /// Frees the memory behind it.
    pub fn close(&self) {
        match self {
            Self::Frame(frame) => frame.close(),
            Self::Bitmap(bitmap) => bitmap.close(),
        }
    }
}

/// What a source draws itself into; frames are captured from there.
#[derive(Clone, Debug)]
pub enum Screen {
    /// Cameras and clips.
    Video(HtmlVideoElement),
    /// Pictures and the drawn person.
    Canvas(HtmlCanvasElement),
}

impl Screen {
    /// What is shown right now, stamped with its time.
    ///
    /// # Errors
    /// A sentence, when the browser refuses.
    pub async fn capture(&self, time_secs: f64) -> Result<Picture, String> {
        let refused = |thrown: JsValue| format!("The frame could not be captured: {}.", message_of(&thrown));
        if is_known("VideoFrame") {
            let init = VideoFrameInit::new();
            init.set_timestamp_f64((time_secs * 1e6).round());
            let frame = match self {
                Self::Video(video) => {
                    VideoFrame::new_with_html_video_element_and_video_frame_init(video, &init)
                }
                Self::Canvas(canvas) => {
                    VideoFrame::new_with_html_canvas_element_and_video_frame_init(canvas, &init)
                }
            };
            return frame.map(Picture::Frame).map_err(refused);
        }
        let promise = match self {
            Self::Video(video) => window().create_image_bitmap_with_html_video_element(video),
            Self::Canvas(canvas) => window().create_image_bitmap_with_html_canvas_element(canvas),
        };
        let bitmap = JsFuture::from(promise.map_err(refused)?).await.map_err(refused)?;
        Ok(Picture::Bitmap(bitmap.unchecked_into()))
    }
}

/// Whether the global scope (page or worker) has this name.
pub fn is_known(name: &str) -> bool {
    Reflect::has(&js_sys::global(), &JsValue::from_str(name)).unwrap_or(false)
}
