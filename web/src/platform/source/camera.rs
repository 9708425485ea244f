//! Cameras: which there are, opening one, letting it go.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    HtmlVideoElement, MediaDeviceInfo, MediaDeviceKind, MediaDevices, MediaStream, MediaStreamConstraints,
    MediaStreamTrack,
};

use super::video_frames::VideoFrames;
use super::{Reports, SourceEnd};
use crate::live::sentences;
use crate::live::session::OpenedSource;
use crate::platform::failure::name_of;
use crate::platform::page::window;
use crate::platform::picture::Screen;
use crate::worker::protocol::FrameStamp;

/// A camera in the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraInfo {
    /// The browser's name for it.
    pub id: String,
    /// The maker's; a number until the person has allowed a camera once.
    pub label: String,
}

/// What is asked of a camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraWish {
    /// Which one; the browser's choice where empty.
    pub id: String,
    /// Rows; the camera's own choice where absent.
    pub height_px: Option<u32>,
}

/// A camera that is on.
pub struct Camera {
    video: HtmlVideoElement,
    stream: MediaStream,
    label: String,
    _frames: VideoFrames,
    _on_lost: Closure<dyn Fn()>,
}

/// The cameras of this device.
pub async fn list() -> Vec<CameraInfo> {
    let Some(devices) = media_devices() else {
        return Vec::new();
    };
    let Ok(promise) = devices.enumerate_devices() else {
        return Vec::new();
    };
    let Ok(found) = JsFuture::from(promise).await else {
        return Vec::new();
    };
    js_sys::Array::from(&found)
        .iter()
        .filter_map(|device| device.dyn_into::<MediaDeviceInfo>().ok())
        .filter(|device| device.kind() == MediaDeviceKind::Videoinput && !device.device_id().is_empty())
        .enumerate()
        .map(|(index, device)| CameraInfo {
            id: device.device_id(),
            label: if device.label().is_empty() {
                format!("Camera {}", index + 1)
            } else {
                device.label()
            },
        })
        .collect()
}

/// Calls `handler` when a camera comes or goes, for the life of the page.
pub fn on_devices_changed(handler: impl Fn() + 'static) {
    if let Some(devices) = media_devices() {
        let closure = Closure::<dyn Fn()>::new(handler);
        devices.set_ondevicechange(Some(closure.as_ref().unchecked_ref()));
        closure.forget();
    }
}

fn media_devices() -> Option<MediaDevices> {
    let navigator = window().navigator();
    // Absent outside of secure contexts.
    Reflect::get(&navigator, &"mediaDevices".into())
        .ok()?
        .dyn_into()
        .ok()
}

impl Camera {
    /// Turns a camera on and shows it on `video`.
    ///
    /// # Errors
    /// A sentence for the person.
    pub async fn open(wish: &CameraWish, video: &HtmlVideoElement, reports: Reports) -> Result<Self, String> {
        let devices =
            media_devices().ok_or_else(|| sentences::no_camera_api(window().is_secure_context()))?;
        let refused = |thrown: JsValue| sentences::camera_refused(&name_of(&thrown));
        let constraints = MediaStreamConstraints::new();
        constraints.set_audio(&false.into());
        constraints.set_video(&video_constraints(wish));
        let promise = devices
            .get_user_media_with_constraints(&constraints)
            .map_err(refused)?;
        let stream: MediaStream = JsFuture::from(promise).await.map_err(refused)?.unchecked_into();
        // From here on every way out turns the camera off again.
        let shown = show(video, &stream).await;
        let (Ok(()), Some(track)) = (&shown, track_of(&stream)) else {
            stop(&stream);
            video.set_src_object(None);
            return Err(shown
                .err()
                .map_or_else(|| sentences::camera_refused("NotFoundError"), refused));
        };
        let on_lost = {
            let ended = Rc::clone(&reports.ended);
            Closure::<dyn Fn()>::new(move || ended(SourceEnd::Lost(sentences::camera_lost())))
        };
        track.set_onended(Some(on_lost.as_ref().unchecked_ref()));
        let index = Cell::new(0);
        let frames = VideoFrames::watch(video, move |now_millis, _| {
            let stamp = FrameStamp {
                index: index.get(),
                time_secs: now_millis / 1e3,
                is_first: index.get() == 0,
            };
            index.set(index.get() + 1);
            (reports.shown)(stamp);
        });
        let label = if track.label().is_empty() {
            "Camera".to_owned()
        } else {
            track.label()
        };
        Ok(Self {
            video: video.clone(),
            stream,
            label,
            _frames: frames,
            _on_lost: on_lost,
        })
    }

    /// Its name, and the size of its frames.
    pub fn describe(&self) -> OpenedSource {
        OpenedSource {
            label: self.label.clone(),
            width_px: self.video.video_width(),
            height_px: self.video.video_height(),
        }
    }

    /// Where it shows itself.
    pub fn screen(&self) -> Screen {
        Screen::Video(self.video.clone())
    }

    /// Freezes the picture; the camera stays on.
    pub fn freeze(&self) {
        // Pausing does not fail.
        let _ = self.video.pause();
    }

    /// Lets the picture move again.
    pub fn resume(&self) {
        if self.video.paused() {
            // The promise fails only when the source is closed in the meantime, which is no news.
            drop(self.video.play());
        }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        if let Some(track) = track_of(&self.stream) {
            track.set_onended(None);
        }
        stop(&self.stream);
        self.video.set_src_object(None);
    }
}

async fn show(video: &HtmlVideoElement, stream: &MediaStream) -> Result<(), JsValue> {
    video.set_src_object(Some(stream));
    // The promise is kept once the first frame plays, when the size is known.
    JsFuture::from(video.play()?).await?;
    Ok(())
}

fn track_of(stream: &MediaStream) -> Option<MediaStreamTrack> {
    stream
        .get_video_tracks()
        .iter()
        .next()
        .and_then(|track| track.dyn_into().ok())
}

fn stop(stream: &MediaStream) {
    for track in stream.get_tracks().iter() {
        if let Ok(track) = track.dyn_into::<MediaStreamTrack>() {
            track.stop();
        }
    }
}

/// Everything is a wish (`ideal`), so that a camera without that size still opens. Frames are wanted as the camera
/// makes them: a browser that crops or scales them would change what is measured.
fn video_constraints(wish: &CameraWish) -> Object {
    let constraints = Object::new();
    let set = |object: &Object, name: &str, value: JsValue| {
        Reflect::set(object, &name.into(), &value).expect("a new object takes any member");
    };
    let ideal = |value: JsValue| {
        let object = Object::new();
        set(&object, "ideal", value);
        JsValue::from(object)
    };
    if !wish.id.is_empty() {
        let exact = Object::new();
        set(&exact, "exact", wish.id.as_str().into());
        set(&constraints, "deviceId", exact.into());
    }
    if let Some(height_px) = wish.height_px {
        set(&constraints, "height", ideal(height_px.into()));
    }
    set(&constraints, "frameRate", ideal(30.into()));
    set(&constraints, "resizeMode", ideal("none".into()));
    constraints
}
