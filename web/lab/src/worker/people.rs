//! BlazePose's detector, which finds people for models that look at one.

use js_sys::Uint8Array;
use plumbline_pipeline::{CpuInference, Target, plan_detector};
use plumbline_web::platform::scope;
use plumbline_web::platform::weights::{fetch_bytes, manifest};
use wasm_bindgen::JsCast;

/// Its name in the manifest of the page's own models.
const DETECTOR: &str = "detector";

/// Fetches the detector from the page's own server, checks it, and packs it for the CPU.
///
/// # Errors
/// A sentence.
pub async fn detector() -> Result<CpuInference, String> {
    let models = manifest().await?;
    let entry = models.iter().find(|entry| entry.name == DETECTOR);
    let entry =
        entry.ok_or("This build of the page holds no detector, which finds people for this model.")?;
    let bytes = fetch_bytes(&format!("models/{}", entry.file)).await?;
    let digest = scope::sha256(&Uint8Array::from(&bytes[..]).buffer().unchecked_into()).await;
    if digest.is_ok_and(|digest| scope::hexadecimal(&digest) != entry.sha256) {
        return Err(
            "The detector, which finds people for this model, is not the one that this page was built with. Load the \
             page again."
                .to_owned(),
        );
    }
    let plan = plan_detector(&bytes, Target::Cpu).map_err(|error| error.to_string())?;
    CpuInference::new(plan).map_err(|error| error.to_string())
}
