//! Several files at once, chosen or dropped.

use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::source::file::PickedFile;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, Event, FileList, HtmlInputElement};

/// All files of an `input`, from its `change` event. The input is emptied, so that the same files can be chosen again.
pub fn from_input(event: &Event) -> Vec<PickedFile> {
    let input = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else {
        return Vec::new();
    };
    let files = all(input.files());
    input.set_value("");
    files
}

/// All files of a drop. The browser is kept from opening one itself.
pub fn from_drop(event: &DragEvent) -> Vec<PickedFile> {
    event.prevent_default();
    all(event.data_transfer().and_then(|transfer| transfer.files()))
}

fn all(files: Option<FileList>) -> Vec<PickedFile> {
    let Some(files) = files else {
        return Vec::new();
    };
    (0..files.length())
        .filter_map(|at| files.get(at))
        .map(PickedFile::new)
        .collect()
}

/// Largest text that is read in the page itself.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// A file's text.
///
/// # Errors
/// A sentence.
pub async fn text_of(file: &PickedFile) -> Result<String, String> {
    if file.bytes() > MAX_TEXT_BYTES {
        return Err(format!(
            "“{}” has more than 16 MiB; no reference has.",
            file.name()
        ));
    }
    let text = JsFuture::from(file.as_file().text()).await;
    let text =
        text.map_err(|thrown| format!("“{}” cannot be read: {}.", file.name(), message_of(&thrown)))?;
    Ok(text.as_string().unwrap_or_default())
}
