//! The page's line to the worker that watches: the port that the app hands it.

use js_sys::Array;
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::{download, message};
use wasm_bindgen::JsCast;
use web_sys::{Blob, MessagePort};

use crate::protocol::{FromMonitor, ToMonitor};

/// A port, and what is said over it.
#[derive(Clone)]
pub struct MonitorLink(MessagePort);

impl MonitorLink {
    /// Over this port.
    pub fn new(port: MessagePort) -> Self {
        Self(port)
    }

    /// Hands everything that is heard to `listener`; files go to the person first.
    pub fn listen(&self, listener: impl Fn(FromMonitor) + 'static) {
        let channel: &Channel = self.0.unchecked_ref();
        channel.on_message(move |posted| {
            // A message of another build is none for this page.
            let Ok((heard, load)) = message::decode::<FromMonitor>(&posted) else {
                return;
            };
            if let FromMonitor::File { name } = &heard
                && let Ok(contents) = Blob::new_with_buffer_source_sequence(&Array::of1(&load))
            {
                download::save(name, &contents);
            }
            listener(heard);
        });
    }

    /// Says something.
    pub fn post(&self, request: &ToMonitor) {
        // Texts can always be posted.
        let _ = self
            .0
            .unchecked_ref::<Channel>()
            .post(&message::encode(request, None), &Array::new());
    }

    /// Hears nothing more.
    pub fn end(&self) {
        self.0.unchecked_ref::<Channel>().silence();
    }
}
