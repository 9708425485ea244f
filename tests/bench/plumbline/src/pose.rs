//! A whole frame: a picture of the browser's in, 33 landmarks out, tracking from the second frame on. It is measured by
//! the code of the page's worker, on the CPU or on the GPU, where the frame stays.

use js_sys::Float32Array;
use plumbline_web::live::backend::Backend;
use plumbline_web::platform::picture::Picture;
use plumbline_web::worker::measurer::{Measurer, Models};
use plumbline_web::worker::pixels::PixelReader;
use plumbline_web::worker::protocol::FrameStamp;
use wasm_bindgen::prelude::*;

use crate::thrown;

/// The pipeline on one backend.
#[wasm_bindgen]
pub struct Pose {
    measurer: Measurer,
    reader: PixelReader,
    frames: u32,
}

#[wasm_bindgen]
impl Pose {
    /// Makes both models ready on the GPU or on the CPU.
    ///
    /// # Errors
    /// What the engine says of the bytes, or the browser of its GPU.
    pub async fn open(on_gpu: bool, detector: Vec<u8>, landmarks: Vec<u8>) -> Result<Pose, JsError> {
        let models = Models {
            detector,
            landmarks,
            copies_frames: false,
        };
        let backend = if on_gpu { Backend::Gpu } else { Backend::Cpu };
        Ok(Self {
            measurer: Measurer::prepare(backend, &models, false).await.map_err(thrown)?,
            reader: PixelReader::default(),
            frames: 0,
        })
    }

    /// Landmarks of a frame, a `VideoFrame` or an `ImageBitmap`, as x_px, y_px, visibility; empty where nobody is seen.
    /// The frame is closed.
    ///
    /// # Errors
    /// When it is neither, or cannot be measured.
    pub async fn measure(&mut self, picture: JsValue, time_secs: f64) -> Result<Float32Array, JsError> {
        let picture = Picture::from_js(picture).ok_or_else(|| JsError::new("this is no picture"))?;
        let measured = self.measure_picture(&picture, time_secs).await;
        picture.close();
        measured.map_err(thrown)
    }

    async fn measure_picture(&mut self, picture: &Picture, time_secs: f64) -> Result<Float32Array, String> {
        let stamp = FrameStamp {
            index: self.frames,
            time_secs,
            is_first: self.frames == 0,
        };
        self.frames += 1;
        let result = match &mut self.measurer {
            Measurer::Cpu(cpu) => cpu.measure(self.reader.read(picture).await?, &stamp, 1).await?,
            Measurer::Gpu(gpu) => gpu.measure(picture, &stamp).await?,
        };
        let points: Vec<f32> = result
            .people
            .iter()
            .flat_map(|person| person.pose.landmarks.iter())
            .flat_map(|mark| [mark.x_px, mark.y_px, mark.visibility])
            .collect();
        Ok(Float32Array::from(&points[..]))
    }
}
