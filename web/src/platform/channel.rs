//! Anything that posts and receives messages: a worker seen from the page, the page seen from a worker, a port.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `Worker`, `DedicatedWorkerGlobalScope` or `MessagePort`: all three have these two members.
    #[derive(Clone)]
    pub type Channel;

    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post_message(this: &Channel, message: &JsValue, transfer: &js_sys::Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter, js_name = onmessage)]
    fn set_onmessage(this: &Channel, handler: Option<&js_sys::Function>);
}

impl Channel {
    /// Posts a message; the objects of `transfer` change owner.
    ///
    /// # Errors
    /// What the browser throws, for example when an object cannot be transferred.
    pub fn post(&self, message: &JsValue, transfer: &js_sys::Array) -> Result<(), JsValue> {
        self.post_message(message, transfer)
    }

    /// Hands every message's data to `handler`, for as long as this page or worker lives.
    pub fn on_message(&self, handler: impl Fn(JsValue) + 'static) {
        let closure = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            handler(event.data())
        });
        self.set_onmessage(Some(closure.as_ref().unchecked_ref()));
        // The handler lives as long as the channel, and the channel as long as the realm.
        closure.forget();
    }

    /// Hears no more messages.
    pub fn silence(&self) {
        self.set_onmessage(None);
    }
}
