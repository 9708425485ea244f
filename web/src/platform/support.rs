//! What this browser can do, found by asking and not by its name.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use super::page::window;
use super::picture::is_known;
use crate::live::sentences::Support;

/// What it can do. It is asked once: asking takes milliseconds, and the answers stay.
pub fn support() -> Support {
    thread_local! {
        static ANSWERS: OnceCell<Support> = const { OnceCell::new() };
    }
    ANSWERS.with(|answers| *answers.get_or_init(ask))
}

fn ask() -> Support {
    let window = window();
    let secure_context = window.is_secure_context();
    let has = |object: &JsValue, name: &str| Reflect::has(object, &name.into()).unwrap_or(false);
    Support {
        secure_context,
        camera: secure_context && has(&window.navigator(), "mediaDevices"),
        module_workers: has_module_workers(),
        frame_transfer: is_known("VideoFrame") || is_known("OffscreenCanvas"),
        cache_storage: secure_context && is_known("caches"),
    }
}

/// A browser that knows module workers reads the option `type`; an older one does not look at it. The worker's address
/// is invalid on purpose, so that none starts.
fn has_module_workers() -> bool {
    if !is_known("Worker") {
        return false;
    }
    let asked = Rc::new(Cell::new(false));
    let options = Object::new();
    let getter = {
        let asked = Rc::clone(&asked);
        Closure::<dyn FnMut() -> JsValue>::new(move || {
            asked.set(true);
            JsValue::from_str("module")
        })
    };
    let descriptor = Object::new();
    let defined = Reflect::set(&descriptor, &"get".into(), getter.as_ref())
        .and_then(|_| Reflect::define_property(&options, &"type".into(), &descriptor));
    if defined.is_err() {
        return false;
    }
    // The call throws because of the address; whether `type` was read before that is the answer.
    if let Ok(worker) = web_sys::Worker::new_with_options("http://:0", options.unchecked_ref()) {
        worker.terminate();
    }
    asked.get()
}
