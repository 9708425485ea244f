//! The way to what `/models` loads apart: `web/lab`, an interface of its own with a worker of its own. The app knows only
//! how to fetch it, and where it may draw.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::ahead;
use super::failure::message_of;

#[wasm_bindgen]
extern "C" {
    /// The lab's module, running.
    type LabModule;

    #[wasm_bindgen(method)]
    fn mount(this: &LabModule, id: &str);

    #[wasm_bindgen(method)]
    fn unmount(this: &LabModule);
}

/// The lab, drawing. It goes when this is dropped.
pub struct MountedLab(LabModule);

impl Drop for MountedLab {
    fn drop(&mut self) {
        self.0.unmount();
    }
}

/// Fetches the lab, unless it is here already, and has it draw into an element.
///
/// # Errors
/// A sentence, when it cannot be fetched.
pub async fn open(id: &str) -> Result<MountedLab, String> {
    let failed = |thrown: JsValue| {
        format!(
            "This page could not be loaded whole: {}. Check the connection and load it again.",
            message_of(&thrown)
        )
    };
    let loading: Promise = ahead::load_lab().map_err(failed)?;
    let module: LabModule = JsFuture::from(loading).await.map_err(failed)?.unchecked_into();
    module.mount(id);
    Ok(MountedLab(module))
}
