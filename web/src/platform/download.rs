//! Handing a file to the person: the browser saves it where downloads go.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, Url};

use super::page::document;

/// Saves a text as a file.
pub fn save_text(name: &str, text: &str) {
    if let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&text.into())) {
        save(name, &blob);
    }
}

/// Saves a file. A browser that forbids downloads says so itself.
pub fn save(name: &str, contents: &Blob) {
    let saved = || -> Result<(), JsValue> {
        let address = Url::create_object_url_with_blob(contents)?;
        let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
        link.set_href(&address);
        link.set_download(name);
        link.click();
        // The download has the file by now.
        Url::revoke_object_url(&address)
    };
    let _ = saved();
}
