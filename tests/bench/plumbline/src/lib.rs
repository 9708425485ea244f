//! Plumbline's side of the bench page: the engine and the pipeline as a few JavaScript classes.
//!
//! In: bytes of a model, then numbers or pixels. Out: numbers. Nothing here decides or computes; each class hands
//! over to the code that the product runs, so that what is timed is the product.
//!
//! | class | what it runs |
//! |---|---|
//! | [`cpu::CpuModel`] | one model on the CPU |
//! | [`gpu::GpuModel`] | the recording of one model, for `web/src/platform/replayer.js` |
//! | [`pose::CpuPose`], [`pose::GpuPose`] | a whole frame through `PosePipeline`, tracking |

pub mod cpu;
pub mod gpu;
pub mod pose;

use plumbline_engine::plan::Plan;
use plumbline_engine::{ModelError, passes, read_model};
use wasm_bindgen::prelude::*;

/// Makes a panic readable in the browser's console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A model planned for the named outputs, or for all that it has where no name is given, and their names in order.
fn plan(bytes: &[u8], outputs: &[String]) -> Result<(Plan, Vec<String>), ModelError> {
    let mut graph = read_model(bytes)?;
    let names: Vec<String> = if outputs.is_empty() {
        let of_graph = graph.outputs.iter().map(|&id| graph.value(id).name.clone());
        of_graph.collect()
    } else {
        outputs.to_vec()
    };
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    passes::select_outputs(&mut graph, &named)?;
    passes::optimise(&mut graph)?;
    Ok((Plan::new(graph)?, names))
}

/// An error of the engine or the pipeline as a JavaScript `Error`.
fn thrown(error: impl std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}
