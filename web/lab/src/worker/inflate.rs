//! Compressed files of an archive, by the browser's own decompressor.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader, ReadableWritablePair};

#[wasm_bindgen]
extern "C" {
    /// Of the Compression Standard, 5.
    type DecompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// Inflates a file that becomes so many bytes.
///
/// # Errors
/// A sentence: the browser cannot, the bytes are damaged, or they become another number than was said.
pub async fn inflate(name: &str, compressed: &[u8], bytes: u64) -> Result<Vec<u8>, String> {
    let damaged = |_: JsValue| format!("“{name}” is damaged inside the archive.");
    let stream = DecompressionStream::new("deflate-raw").map_err(|_| {
        format!(
            "“{name}” is compressed inside the archive, and this browser has no means to inflate it. Unpack the archive and \
             choose that file."
        )
    })?;
    let parts = Array::of1(&Uint8Array::from(compressed));
    let blob = Blob::new_with_u8_array_sequence(&parts).map_err(damaged)?;
    let pair: &ReadableWritablePair = stream.unchecked_ref();
    let inflated = blob.stream().pipe_through(pair);
    let reader: ReadableStreamDefaultReader = inflated.get_reader().unchecked_into();
    let mut whole = Vec::with_capacity(bytes as usize);
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(damaged)?;
        if Reflect::get(&step, &"done".into()).map_err(damaged)?.is_truthy() {
            break;
        }
        let chunk: Uint8Array = Reflect::get(&step, &"value".into())
            .map_err(damaged)?
            .unchecked_into();
        // What says less than it is may be anything.
        if whole.len() as u64 + u64::from(chunk.length()) > bytes {
            return Err(damaged(JsValue::NULL));
        }
        let start = whole.len();
        whole.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut whole[start..]);
    }
    if whole.len() as u64 == bytes {
        Ok(whole)
    } else {
        Err(damaged(JsValue::NULL))
    }
}
