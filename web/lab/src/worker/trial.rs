//! A model on a picture: the picture becomes its input as the manifest says, it runs on the CPU, and its outputs are read.

use plumbline_core::decoders::{self, Found, Tensor};
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{Placement, picture_input};
use plumbline_core::task::Role;
use plumbline_engine::cpu::Session;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_pipeline::model_input::write_input;
use plumbline_web::platform::page::now_millis;
use plumbline_web::worker::pixels::Pixels;

/// What came of it.
pub struct Trial {
    /// What was found.
    pub found: Found,
    /// Where the picture stood in the input.
    pub placement: Placement,
    /// Of the model alone.
    pub millis: f64,
}

/// Runs a model once.
///
/// # Errors
/// A sentence: the manifest is not of this model, or its outputs are not what the manifest says.
pub fn run(session: &mut Session, manifest: &Manifest, pixels: &Pixels) -> Result<Trial, String> {
    let graph = &session.plan().graph;
    let names = graph.inputs.iter().map(|&id| graph.value(id));
    let (index, input) = match &manifest.input {
        None => (0, names.into_iter().next()),
        Some(name) => {
            let found = names.enumerate().find(|(_, value)| value.name == *name);
            found.map_or((0, None), |(index, value)| (index, Some(value)))
        }
    };
    let input = input.ok_or_else(|| {
        format!(
            "The model has no input “{}”, which the manifest names.",
            manifest.input.as_deref().unwrap_or_default()
        )
    })?;
    let (layout, _) = picture_input(&input.shape)
        .ok_or_else(|| format!("The input “{}” takes no picture of three components.", input.name))?;
    let frame = Frame::packed(
        &pixels.rgba,
        pixels.width_px,
        pixels.height_px,
        PixelFormat::Rgba8,
    )
    .map_err(|error| format!("This picture cannot be used: {error}."))?;
    let placement = write_input(&frame, &manifest.preprocessing, layout, session.input_mut(index))
        .map_err(|error| format!("This picture cannot be used: {error}."))?;
    let begin = now_millis();
    session.run();
    let millis = now_millis() - begin;
    let graph = &session.plan().graph;
    // A task that reads the only output need not name it.
    let named: Vec<(Role, &str)> = if manifest.outputs.is_empty() {
        let only = graph.outputs.first().map(|&id| graph.value(id).name.as_str());
        manifest
            .task
            .needs()
            .first()
            .copied()
            .zip(only)
            .into_iter()
            .collect()
    } else {
        manifest
            .outputs
            .iter()
            .map(|(role, name)| (*role, name.as_str()))
            .collect()
    };
    let mut outputs = Vec::new();
    for (role, name) in named {
        let missing =
            || format!("The model has no output “{name}” of float numbers, which the manifest names.");
        let value = graph.value(graph.output_named(name).ok_or_else(missing)?);
        let numbers = session.output(name).ok_or_else(missing)?;
        let tensor =
            Tensor::new(&value.shape, numbers).map_err(|error| format!("Output “{name}”: {error}."))?;
        outputs.push((role, tensor));
    }
    let found = decoders::decode(manifest, layout, &placement, &outputs)
        .map_err(|error| format!("The outputs are not what this task gives: {error}."))?;
    Ok(Trial {
        found,
        placement,
        millis,
    })
}
