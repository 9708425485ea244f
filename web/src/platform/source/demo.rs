//! The drawn person: a clip of single JPEG pictures that ships with the page and needs no video decoder.
//!
//! In: `demo/person.json` (`fps`, `width`, `height`, `frames`) and `demo/person.mjpeg`. Plays in a loop at its own
//! pace, or, for tests, with every frame waiting for the result of the one before.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use futures_util::future;
use js_sys::{JSON, Reflect, Uint8Array};
use plumbline_pipeline::motion_jpeg;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag, HtmlCanvasElement, ImageBitmap};

use super::{Reports, SourceEnd};
use crate::live::options::Pace;
use crate::live::session::OpenedSource;
use crate::platform::failure::message_of;
use crate::platform::page::{now_millis, window};
use crate::platform::painter;
use crate::platform::picture::Screen;
use crate::platform::weights::fetch_bytes;
use crate::worker::protocol::FrameStamp;

/// The clip, playing or waiting. Dropping it ends it.
pub struct Demo {
    player: Rc<Player>,
}

/// What an animation frame calls.
type Tick = Closure<dyn Fn(f64)>;

struct Player {
    canvas: HtmlCanvasElement,
    reports: Reports,
    clip: Vec<u8>,
    /// Where each frame lies in it.
    pictures: Vec<Range<usize>>,
    frames_per_second: f64,
    pace: Pace,
    /// Counts on through the loops.
    next: Cell<u32>,
    /// When frame 0 was, or would have been, shown; moves on with every pause.
    origin_millis: Cell<f64>,
    is_playing: Cell<bool>,
    is_decoding: Cell<bool>,
    /// The first frame is on the canvas since the clip was opened, and nobody has been told.
    is_first_shown: Cell<bool>,
    is_closed: Cell<bool>,
    tick: RefCell<Option<Tick>>,
    /// The animation frame that is requested.
    tick_request: Cell<i32>,
}

impl Demo {
    /// Fetches the clip and shows its first frame.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(canvas: &HtmlCanvasElement, pace: Pace, reports: Reports) -> Result<Self, String> {
        let (description, clip) =
            future::try_join(fetch_bytes("demo/person.json"), fetch_bytes("demo/person.mjpeg")).await?;
        let frames_per_second = frames_per_second(&description)?;
        let pictures = motion_jpeg::split(&clip)?;
        let player = Rc::new(Player {
            canvas: canvas.clone(),
            reports,
            clip,
            pictures,
            frames_per_second,
            pace,
            next: Cell::new(0),
            origin_millis: Cell::new(0.0),
            is_playing: Cell::new(false),
            is_decoding: Cell::new(false),
            is_first_shown: Cell::new(true),
            is_closed: Cell::new(false),
            tick: RefCell::new(None),
            tick_request: Cell::new(0),
        });
        player.show(0).await?;
        let tick = {
            let player = Rc::downgrade(&player);
            Closure::<dyn Fn(f64)>::new(move |_| {
                if let Some(player) = player.upgrade() {
                    player.ticked();
                }
            })
        };
        *player.tick.borrow_mut() = Some(tick);
        Ok(Self { player })
    }

    /// Its name, and the size of its frames.
    pub fn describe(&self) -> OpenedSource {
        OpenedSource {
            label: "The drawn person".to_owned(),
            width_px: self.player.canvas.width(),
            height_px: self.player.canvas.height(),
        }
    }

    /// Where it is shown.
    pub fn screen(&self) -> Screen {
        Screen::Canvas(self.player.canvas.clone())
    }

    /// Plays on.
    pub fn play(&self) {
        let player = &self.player;
        if player.is_playing.replace(true) {
            return;
        }
        if player.pace != Pace::Clock {
            player.step();
        } else {
            player
                .origin_millis
                .set(now_millis() - player.millis_of(player.next.get()));
            player.request_tick();
            if player.next.get() == 0 && !player.is_decoding.get() {
                player.show_and_report(0);
            }
        }
    }

    /// Stands still.
    pub fn pause(&self) {
        self.player.is_playing.set(false);
    }

    /// The result of the last frame is drawn.
    pub fn result_drawn(&self) {
        if self.player.pace != Pace::Clock && self.player.is_playing.get() {
            self.player.step();
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.player.is_playing.set(false);
        self.player.is_closed.set(true);
        // Fails only in windows that are closing.
        let _ = window().cancel_animation_frame(self.player.tick_request.get());
        // An empty canvas frees the picture.
        self.player.canvas.set_width(0);
        self.player.canvas.set_height(0);
    }
}

impl Player {
    fn len(&self) -> u32 {
        self.pictures.len() as u32
    }

    fn millis_of(&self, frame: u32) -> f64 {
        f64::from(frame) * 1e3 / self.frames_per_second
    }

    fn request_tick(&self) {
        if let Some(tick) = self.tick.borrow().as_ref() {
            // Who pauses and goes on within a frame still has a request open. A second loop would be the consequence, and
            // a call after the end, because only one request is known to be withdrawn then. Both fail only in windows that
            // are closing.
            let _ = window().cancel_animation_frame(self.tick_request.get());
            let request = window().request_animation_frame(tick.as_ref().unchecked_ref());
            self.tick_request.set(request.unwrap_or(0));
        }
    }

    /// Shows the frame that is due, skipping those that are late.
    fn ticked(self: &Rc<Self>) {
        if !self.is_playing.get() {
            return;
        }
        self.request_tick();
        let due = ((now_millis() - self.origin_millis.get()) * self.frames_per_second / 1e3)
            .floor()
            .max(0.0) as u32;
        if due < self.next.get() || self.is_decoding.get() {
            return;
        }
        // A tab that was hidden for hours goes on where it would be, and does not count hours of frames.
        let skipped = due - self.next.get();
        if skipped > self.len() {
            self.origin_millis
                .set(now_millis() - self.millis_of(self.next.get()));
            self.show_and_report(self.next.get());
        } else {
            self.show_and_report(due);
        }
    }

    /// Shows the next frame, or ends after the last.
    fn step(self: &Rc<Self>) {
        if self.next.get() >= self.len() && self.pace == Pace::EveryOnce {
            self.is_playing.set(false);
            (self.reports.ended)(SourceEnd::Finished);
        } else if !self.is_decoding.get() {
            self.show_and_report(self.next.get());
        }
    }

    fn show_and_report(self: &Rc<Self>, frame: u32) {
        let player = Rc::clone(self);
        player.is_decoding.set(true);
        let starts_loop = frame / self.len() != self.next.get().wrapping_sub(1) / self.len();
        spawn_local(async move {
            let shown = if frame == 0 && player.is_first_shown.take() {
                Ok(())
            } else {
                player.show(frame).await
            };
            player.is_decoding.set(false);
            if player.is_closed.get() {
                return;
            }
            match shown {
                Ok(()) => {
                    player.next.set(frame + 1);
                    (player.reports.shown)(FrameStamp {
                        index: frame,
                        time_secs: f64::from(frame) / player.frames_per_second,
                        is_first: frame == 0 || starts_loop,
                    });
                }
                Err(sentence) => (player.reports.ended)(SourceEnd::Lost(sentence)),
            }
        });
    }

    async fn show(&self, frame: u32) -> Result<(), String> {
        let range = self.pictures[(frame % self.len()) as usize].clone();
        let picture = picture(&self.clip[range])?;
        let broken = |thrown: JsValue| {
            format!(
                "Frame {frame} of the drawn person cannot be decoded: {}.",
                message_of(&thrown)
            )
        };
        let promise = window().create_image_bitmap_with_blob(&picture).map_err(broken)?;
        let bitmap: ImageBitmap = JsFuture::from(promise).await.map_err(broken)?.unchecked_into();
        // Closed while decoding: the canvas is empty and stays so.
        let drawn = if self.is_closed.get() {
            Ok(())
        } else {
            painter::show(&self.canvas, &bitmap)
        };
        bitmap.close();
        drawn
    }
}

fn picture(jpeg: &[u8]) -> Result<Blob, String> {
    let parts = js_sys::Array::of1(&Uint8Array::from(jpeg));
    let options = BlobPropertyBag::new();
    options.set_type("image/jpeg");
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(|thrown| {
        format!(
            "The drawn person cannot be kept in memory: {}.",
            message_of(&thrown)
        )
    })
}

fn frames_per_second(description: &[u8]) -> Result<f64, String> {
    std::str::from_utf8(description)
        .ok()
        .and_then(|text| JSON::parse(text).ok())
        .and_then(|parsed| Reflect::get(&parsed, &"fps".into()).ok())
        .and_then(|fps| fps.as_f64())
        .filter(|fps| fps.is_finite() && *fps > 0.0)
        .ok_or_else(|| "“demo/person.json” does not say how fast the drawn person moves.".to_owned())
}
