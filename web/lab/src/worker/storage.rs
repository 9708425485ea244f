//! Keeping a file under its hash.

use js_sys::ArrayBuffer;
use plumbline_web::platform::model_store;

/// What is said where nothing can be kept.
pub const UNAVAILABLE: &str = "This browser keeps no files for this page, as in private windows. The model stays open until you leave it.";

/// Writes a file and its record.
///
/// # Errors
/// A sentence.
pub async fn keep(sha256: &str, file: &ArrayBuffer, record: &str) -> Result<(), String> {
    if !model_store::is_available().await {
        return Err(UNAVAILABLE.to_owned());
    }
    model_store::keep(sha256, file, record).await
}
