//! A video file, played by the browser's own decoder from the person's disk.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, Url};

use super::file::PickedFile;
use super::video_frames::VideoFrames;
use super::{Reports, SourceEnd};
use crate::live::sentences;
use crate::live::session::OpenedSource;
use crate::platform::picture::Screen;
use crate::worker::protocol::FrameStamp;

/// A clip that is open.
pub struct Clip {
    video: HtmlVideoElement,
    address: String,
    name: String,
    _frames: VideoFrames,
    _on_ended: Closure<dyn Fn()>,
    _on_error: Closure<dyn Fn()>,
}

impl Clip {
    /// Opens a file on `video`. It does not play before [`Clip::play`].
    ///
    /// # Errors
    /// A sentence: not a video, a damaged one, or one without a picture.
    pub async fn open(file: &PickedFile, video: &HtmlVideoElement, reports: Reports) -> Result<Self, String> {
        let name = file.name();
        let address =
            Url::create_object_url_with_blob(&file.0).map_err(|_| sentences::clip_refused(&name, 0))?;
        video.set_src(&address);
        let loaded = loaded(video).await;
        let problem = if loaded.is_err() {
            Some(sentences::clip_refused(&name, error_code(video)))
        } else if video.video_width() == 0 || video.video_height() == 0 {
            Some(sentences::clip_without_picture(&name))
        } else {
            None
        };
        if let Some(sentence) = problem {
            release(video, &address);
            return Err(sentence);
        }
        let on_ended = {
            let ended = Rc::clone(&reports.ended);
            Closure::<dyn Fn()>::new(move || ended(SourceEnd::Finished))
        };
        let on_error = {
            let (ended, video, name) = (Rc::clone(&reports.ended), video.clone(), name.clone());
            Closure::<dyn Fn()>::new(move || {
                ended(SourceEnd::Lost(sentences::clip_refused(
                    &name,
                    error_code(&video),
                )));
            })
        };
        video.set_onended(Some(on_ended.as_ref().unchecked_ref()));
        video.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let (index, last_secs) = (Cell::new(0), Cell::new(f64::NEG_INFINITY));
        let frames = VideoFrames::watch(video, move |_, media_time_secs| {
            // Going back in time (by the browser's own keys, say) makes another beginning.
            let is_first = index.get() == 0 || media_time_secs < last_secs.get();
            let stamp = FrameStamp {
                index: index.get(),
                time_secs: media_time_secs,
                is_first,
            };
            index.set(index.get() + 1);
            last_secs.set(media_time_secs);
            (reports.shown)(stamp);
        });
        Ok(Self {
            video: video.clone(),
            address,
            name,
            _frames: frames,
            _on_ended: on_ended,
            _on_error: on_error,
        })
    }

    /// Its name, and the size of its frames.
    pub fn describe(&self) -> OpenedSource {
        OpenedSource {
            label: self.name.clone(),
            width_px: self.video.video_width(),
            height_px: self.video.video_height(),
        }
    }

    /// Where it shows itself.
    pub fn screen(&self) -> Screen {
        Screen::Video(self.video.clone())
    }

    /// Plays on.
    pub fn play(&self) {
        // The promise fails only when the clip is closed or paused in the meantime, which is no news.
        drop(self.video.play());
    }

    /// Stands still.
    pub fn pause(&self) {
        // Pausing does not fail.
        let _ = self.video.pause();
    }
}

impl Drop for Clip {
    fn drop(&mut self) {
        release(&self.video, &self.address);
    }
}

fn release(video: &HtmlVideoElement, address: &str) {
    video.set_onended(None);
    video.set_onerror(None);
    // Pausing, removing an attribute and revoking an address do not fail.
    let _ = video.pause();
    let _ = video.remove_attribute("src");
    video.load();
    let _ = Url::revoke_object_url(address);
}

/// Kept once the first frame is decoded, broken when the file cannot be played.
async fn loaded(video: &HtmlVideoElement) -> Result<(), JsValue> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        video.set_onloadeddata(Some(&resolve));
        video.set_onerror(Some(&reject));
        video.load();
    });
    let outcome = JsFuture::from(promise).await;
    video.set_onloadeddata(None);
    video.set_onerror(None);
    outcome.map(|_| ())
}

fn error_code(video: &HtmlVideoElement) -> u16 {
    video.error().map_or(0, |error| error.code())
}
