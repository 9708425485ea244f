//! The way to programs that single pages load apart, as `web/lab` for `/models`: an interface of its own with workers of
//! its own. The app knows only how to fetch it, and where it may draw.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessagePort;

use super::ahead;
use super::failure::message_of;

#[wasm_bindgen]
extern "C" {
    /// The program's module, running.
    type Module;

    /// Programs of one page look at nothing but the id.
    #[wasm_bindgen(method)]
    fn mount(this: &Module, id: &str, page: &str, port: Option<MessagePort>);

    #[wasm_bindgen(method)]
    fn unmount(this: &Module);
}

/// A program, drawing. It goes when this is dropped.
pub struct Mounted(Module);

impl Drop for Mounted {
    fn drop(&mut self) {
        self.0.unmount();
    }
}

/// Fetches a program, unless it is here already, and has it draw what it has for `page` into an element. The port is
/// its own line to a worker of the app.
///
/// # Errors
/// A sentence, when it cannot be fetched.
pub async fn open(program: &str, id: &str, page: &str, port: Option<MessagePort>) -> Result<Mounted, String> {
    let failed = |thrown: JsValue| {
        format!(
            "This page could not be loaded whole: {}. Check the connection and load it again.",
            message_of(&thrown)
        )
    };
    let loading: Promise = ahead::load_program(program).map_err(failed)?;
    let module: Module = JsFuture::from(loading).await.map_err(failed)?.unchecked_into();
    module.mount(id, page, port);
    Ok(Mounted(module))
}
