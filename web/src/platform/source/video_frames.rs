//! Reports each frame that a `video` element shows, by `requestVideoFrameCallback`; where the browser has none, by
//! looking once per painted frame whether the video's time has moved.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlVideoElement;

use crate::platform::page::window;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = HtmlVideoElement)]
    type FrameVideo;

    #[wasm_bindgen(method, js_name = requestVideoFrameCallback)]
    fn request_video_frame_callback(this: &FrameVideo, callback: &Function) -> i32;

    #[wasm_bindgen(method, js_name = cancelVideoFrameCallback)]
    fn cancel_video_frame_callback(this: &FrameVideo, request: i32);
}

/// The loop of reports; it ends when this is dropped.
pub struct VideoFrames {
    video: HtmlVideoElement,
    has_callback: bool,
    callback: Callback,
    /// The number of the request that is under way.
    request: Rc<Cell<i32>>,
}

/// The closure holds itself, so that it can be requested again.
type Callback = Rc<RefCell<Option<Closure<dyn FnMut(f64, JsValue)>>>>;

impl VideoFrames {
    /// Calls `shown(now_millis, media_time_secs)` for each frame that `video` shows.
    pub fn watch(video: &HtmlVideoElement, shown: impl Fn(f64, f64) + 'static) -> Self {
        let has_callback = Reflect::has(video, &"requestVideoFrameCallback".into()).unwrap_or(false);
        let callback: Callback = Rc::new(RefCell::new(None));
        let pending = Rc::new(Cell::new(0));
        let step = {
            let (video, pending, callback) = (video.clone(), Rc::clone(&pending), Rc::clone(&callback));
            let mut last_time_secs = -1.0;
            Closure::<dyn FnMut(f64, JsValue)>::new(move |now_millis: f64, metadata: JsValue| {
                let media_time_secs = media_time(&metadata).unwrap_or_else(|| video.current_time());
                if has_callback || media_time_secs != last_time_secs {
                    last_time_secs = media_time_secs;
                    shown(now_millis, media_time_secs);
                }
                // Whoever was told may have ended the loop.
                if let Some(step) = callback.borrow().as_ref() {
                    pending.set(request(&video, has_callback, step.as_ref().unchecked_ref()));
                }
            })
        };
        pending.set(request(video, has_callback, step.as_ref().unchecked_ref()));
        *callback.borrow_mut() = Some(step);
        Self {
            video: video.clone(),
            has_callback,
            callback,
            request: pending,
        }
    }
}

impl Drop for VideoFrames {
    fn drop(&mut self) {
        if self.has_callback {
            self.video
                .unchecked_ref::<FrameVideo>()
                .cancel_video_frame_callback(self.request.get());
        } else {
            // Fails only in windows that are closing.
            let _ = window().cancel_animation_frame(self.request.get());
        }
        // The closure holds itself; taken out, it is freed.
        drop(self.callback.borrow_mut().take());
    }
}

fn request(video: &HtmlVideoElement, has_callback: bool, step: &Function) -> i32 {
    if has_callback {
        video
            .unchecked_ref::<FrameVideo>()
            .request_video_frame_callback(step)
    } else {
        // Fails only in windows that are closing; then nothing is to be cancelled either.
        window().request_animation_frame(step).unwrap_or(0)
    }
}

fn media_time(metadata: &JsValue) -> Option<f64> {
    if !metadata.is_object() {
        return None;
    }
    Reflect::get(metadata, &"mediaTime".into()).ok()?.as_f64()
}
