//! A file that the person chose or dropped.

use wasm_bindgen::JsCast;
use web_sys::{DragEvent, Event, File, FileList, HtmlInputElement};

/// A file. Its bytes stay where they are until the browser decodes them.
#[derive(Clone, Debug)]
pub struct PickedFile(pub(super) File);

impl PickedFile {
    /// Its name.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Its media type as the browser guesses it; often empty.
    pub fn media_type(&self) -> String {
        self.0.type_()
    }

    /// The browser's object.
    pub fn as_file(&self) -> &File {
        &self.0
    }

    /// A file that came in another way.
    pub fn new(file: File) -> Self {
        Self(file)
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.0.size() as u64
    }

    /// The first file of an `input`, from its `change` event. The input is emptied, so that the same file can be
    /// chosen again.
    pub fn from_input(event: &Event) -> Option<Self> {
        let input: HtmlInputElement = event.target()?.dyn_into().ok()?;
        let file = first(input.files());
        input.set_value("");
        file
    }

    /// The first file of a drop. The browser is kept from opening it itself.
    pub fn from_drop(event: &DragEvent) -> Option<Self> {
        event.prevent_default();
        first(event.data_transfer()?.files())
    }
}

fn first(files: Option<FileList>) -> Option<PickedFile> {
    files?.get(0).map(PickedFile)
}
