//! Plumbline's side of the bench page: the engine and the pipeline as a few JavaScript classes.
//!
//! In: bytes of a model, then numbers or pixels. Out: numbers. Nothing here decides or computes; each class hands
//! over to the code that the product runs, so that what is timed is the product.
//!
//! | class | what it runs |
//! |---|---|
//! | [`cpu::CpuModel`] | one model on the CPU |
//! | [`gpu::GpuModel`] | the recording of one model, for `web/src/platform/replayer.js` |
//! | [`pose::Pose`] | whole frames on either backend, tracking, as the page's worker measures them |

pub mod cpu;
pub mod gpu;
pub mod pose;

use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::{ModelError, read_model};
use plumbline_pipeline::plan_model;
use wasm_bindgen::prelude::*;

/// Makes a panic readable in the browser's console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A model planned for the named outputs, or for all that it has where no name is given, and their names in order.
fn plan(bytes: &[u8], outputs: &[String]) -> Result<(Plan, Vec<String>), ModelError> {
    let names: Vec<String> = if outputs.is_empty() {
        let graph = read_model(bytes)?;
        let of_graph = graph.outputs.iter().map(|&id| graph.value(id).name.clone());
        of_graph.collect()
    } else {
        outputs.to_vec()
    };
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok((plan_model(bytes, &named, &Options::default())?, names))
}

/// An error of the engine or the pipeline as a JavaScript `Error`.
fn thrown(error: impl std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}
