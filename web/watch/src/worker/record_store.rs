//! What is kept on this device: files in the origin's private file system, in a folder of their own. Works in a worker only,
//! because the handle that every browser writes with is there.
//!
//! ```text
//! records/log/2026-11-22.plb    blocks of that day, appended
//! records/audit.jsonl           the audit log
//! records/profiles/ID.json      references
//! ```
//!
//! The page's `model_store.js` knows the folder's name: `/privacy` says how large it is, and deletes it.

use js_sys::{AsyncIterator, IteratorNext, Object, Promise, Reflect, Uint8Array};
use plumbline_web::platform::failure::message_of;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, WorkerGlobalScope};

/// The folder of everything.
const FOLDER: &str = "records";

#[wasm_bindgen]
extern "C" {
    type StorageManager;

    #[wasm_bindgen(method, catch, js_name = getDirectory)]
    fn get_directory(this: &StorageManager) -> Result<Promise, JsValue>;

    /// `FileSystemDirectoryHandle`.
    #[derive(Clone, Debug)]
    type Directory;

    #[wasm_bindgen(method, js_name = getDirectoryHandle)]
    fn get_directory_handle(this: &Directory, name: &str, options: &JsValue) -> Promise;

    #[wasm_bindgen(method, js_name = getFileHandle)]
    fn get_file_handle(this: &Directory, name: &str, options: &JsValue) -> Promise;

    #[wasm_bindgen(method, js_name = removeEntry)]
    fn remove_entry(this: &Directory, name: &str) -> Promise;

    #[wasm_bindgen(method)]
    fn values(this: &Directory) -> AsyncIterator;

    /// `FileSystemFileHandle`.
    type FileHandle;

    #[wasm_bindgen(method, getter)]
    fn name(this: &FileHandle) -> String;

    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &FileHandle) -> Promise;

    #[wasm_bindgen(method, js_name = createSyncAccessHandle)]
    fn create_sync_access_handle(this: &FileHandle) -> Promise;

    /// `FileSystemSyncAccessHandle`.
    type Access;

    #[wasm_bindgen(method, catch)]
    fn write(this: &Access, bytes: &Uint8Array, options: &JsValue) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn truncate(this: &Access, size: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = getSize)]
    fn get_size(this: &Access) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn flush(this: &Access) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn close(this: &Access);
}

/// A file of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// The folder. Paths are names with `/` between folders.
#[derive(Clone, Debug)]
pub struct RecordStore(Directory);

impl RecordStore {
    /// The folder; none where the browser offers no such storage or refuses it, as in private windows.
    pub async fn open() -> Option<Self> {
        let scope: WorkerGlobalScope = js_sys::global().dyn_into().ok()?;
        let storage = Reflect::get(&scope.navigator(), &"storage".into()).ok()?;
        if storage.is_undefined() {
            return None;
        }
        let root = storage.unchecked_into::<StorageManager>().get_directory().ok()?;
        let root: Directory = JsFuture::from(root).await.ok()?.unchecked_into();
        Some(Self(folder(&root, FOLDER, true).await.ok()?))
    }

    /// Adds bytes at a file's end; a file that is not there begins with them.
    ///
    /// # Errors
    /// A sentence, when the disk is full or the browser refuses.
    pub async fn append(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        self.put(path, bytes, false).await
    }

    /// Writes a whole file in place of what was there.
    ///
    /// # Errors
    /// A sentence, when the disk is full or the browser refuses.
    pub async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        self.put(path, bytes, true).await
    }

    /// All bytes of a file; none where there is no such file.
    pub async fn read(&self, path: &str) -> Option<Vec<u8>> {
        let file: FileHandle = self.handle(path, false).await.ok()?;
        let file: File = JsFuture::from(file.get_file()).await.ok()?.unchecked_into();
        let bytes = JsFuture::from(file.array_buffer()).await.ok()?;
        Some(Uint8Array::new(&bytes).to_vec())
    }

    /// The files of a folder.
    pub async fn list(&self, path: &str) -> Vec<Stored> {
        let mut found = Vec::new();
        let Ok(folder) = folder(&self.0, path, false).await else {
            return found;
        };
        let values = folder.values();
        while let Ok(next) = values.next() {
            let Ok(next) = JsFuture::from(next).await else {
                break;
            };
            let next: IteratorNext = next.unchecked_into();
            if next.done() {
                break;
            }
            let file: FileHandle = next.value().unchecked_into();
            if let Ok(contents) = JsFuture::from(file.get_file()).await {
                found.push(Stored {
                    name: file.name(),
                    bytes: contents.unchecked_into::<File>().size() as u64,
                });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Deletes a file, if it is there.
    pub async fn remove(&self, path: &str) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = match parent {
            "" => Ok(self.0.clone()),
            parent => folder(&self.0, parent, false).await,
        };
        if let Ok(parent) = parent {
            let _ = JsFuture::from(parent.remove_entry(name)).await;
        }
    }

    async fn put(&self, path: &str, bytes: &[u8], is_whole: bool) -> Result<(), String> {
        let failed = |thrown: JsValue| {
            format!(
                "Nothing more is kept on this device: {}. Watching goes on.",
                message_of(&thrown)
            )
        };
        let file: FileHandle = self.handle(path, true).await.map_err(failed)?;
        let access = JsFuture::from(file.create_sync_access_handle())
            .await
            .map_err(failed)?;
        let access: Access = access.unchecked_into();
        let written = write_to(&access, bytes, is_whole);
        access.close();
        written.map_err(failed)
    }

    async fn handle(&self, path: &str, creates: bool) -> Result<FileHandle, JsValue> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = match parent {
            "" => self.0.clone(),
            parent => folder(&self.0, parent, creates).await?,
        };
        let handle =
            JsFuture::from(parent.get_file_handle(name, &options("create", &creates.into()))).await?;
        Ok(handle.unchecked_into())
    }
}

fn write_to(access: &Access, bytes: &[u8], is_whole: bool) -> Result<(), JsValue> {
    if is_whole {
        access.truncate(0.0)?;
    }
    let at = access.get_size()?;
    let written = access.write(&Uint8Array::from(bytes), &options("at", &at.into()))?;
    if written < bytes.len() as f64 {
        // A part of a row would be damage.
        access.truncate(at)?;
        return Err(js_sys::Error::new("the disk is full").into());
    }
    access.flush()
}

async fn folder(parent: &Directory, name: &str, creates: bool) -> Result<Directory, JsValue> {
    let handle =
        JsFuture::from(parent.get_directory_handle(name, &options("create", &creates.into()))).await?;
    Ok(handle.unchecked_into())
}

fn options(name: &str, value: &JsValue) -> JsValue {
    let options = Object::new();
    Reflect::set(&options, &name.into(), value).expect("a new object takes any member");
    options.into()
}
