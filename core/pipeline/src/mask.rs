//! A frame becomes a mask of all people in it, by a model that looks at the whole frame and at nothing else.
//!
//! [`FrameResult::mask`](crate::FrameResult::mask) is the other mask: of one person, from the model that finds their
//! landmarks. This one needs no detector and keeps nothing from frame to frame; whoever wants edges that stand still calms
//! them with [`MaskSmoothing`](plumbline_core::mask::MaskSmoothing).

use plumbline_core::mask::RegionMask;
use plumbline_core::selfie::{SELFIE_RANGE, SelfieModel};
use plumbline_core::time::Timestamp;
use plumbline_engine::image::{Border, Frame, Sampling, sample_region};

use crate::error::PipelineError;
use crate::inference::Inference;
use crate::models::selfie_mask;
use crate::pose::{Clock, image_size};

/// The model's name in errors.
pub(crate) const MASK_MODEL: &str = "mask model";

/// What a frame gave.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskResult {
    /// When the frame was taken whose mask this is.
    pub time: Timestamp,
    /// Which pixels of this very frame are people, not smoothed. Nothing where nobody is more likely there than not.
    pub mask: Option<RegionMask>,
    /// Stretching the frame to the model's input.
    pub crop_millis: f64,
    /// The model, until its output could be read.
    pub model_millis: f64,
}

/// Finds the pixels of frames that are people.
pub struct MaskPipeline<I> {
    model: SelfieModel,
    inference: I,
    clock: Clock,
}

impl<I: Inference> MaskPipeline<I> {
    /// A pipeline over a model, made from the plan of [`crate::plan_selfie`].
    ///
    /// # Errors
    /// [`PipelineError::WrongModel`] when a tensor is missing or has another size.
    pub fn new(model: SelfieModel, mut inference: I, clock: Clock) -> Result<Self, PipelineError> {
        let pixels = pixel_count(model);
        let wrong = |tensor, expected, found| PipelineError::WrongModel {
            role: MASK_MODEL,
            tensor,
            expected,
            found,
        };
        let found = inference.input_mut().len();
        if found != 3 * pixels {
            return Err(wrong("input", 3 * pixels, Some(found)));
        }
        let tensor = selfie_mask(model);
        let found = inference.output(tensor).map(<[f32]>::len);
        if found != Some(pixels) {
            return Err(wrong(tensor, pixels, found));
        }
        Ok(Self {
            model,
            inference,
            clock,
        })
    }

    /// The mask of a frame that was taken at `time`.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails; the next frame may be tried.
    pub async fn process(&mut self, frame: &Frame<'_>, time: Timestamp) -> Result<MaskResult, PipelineError> {
        let start = (self.clock)();
        let (image, input) = (image_size(frame), self.model.input_size());
        let sampling = Sampling {
            frame_from_output: self.model.region(image).image_from_input(input).rows(),
            width_px: input.width_px as usize,
            height_px: input.height_px as usize,
            range: SELFIE_RANGE,
            border: Border::Replicate,
        };
        sample_region(frame, &sampling, self.inference.input_mut());
        let cropped = (self.clock)();
        let failed = |source| PipelineError::Inference {
            role: MASK_MODEL,
            source,
        };
        self.inference.run().await.map_err(failed)?;
        let output = self.inference.output(selfie_mask(self.model));
        let mask = output.and_then(|shares| self.model.mask(shares, image));
        Ok(MaskResult {
            time,
            mask: mask.filter(RegionMask::shows_somebody),
            crop_millis: cropped - start,
            model_millis: (self.clock)() - cropped,
        })
    }
}

fn pixel_count(model: SelfieModel) -> usize {
    let size = model.input_size();
    size.width_px as usize * size.height_px as usize
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use plumbline_engine::image::PixelFormat;

    use super::*;
    use crate::inference::InferenceError;

    /// Says of each pixel that it is a person if it is bright, and nothing once it is broken.
    struct Bright {
        input: Vec<f32>,
        output: Vec<f32>,
        is_broken: bool,
    }

    impl Bright {
        fn new(pixels: usize) -> Self {
            Self {
                input: vec![0.0; 3 * pixels],
                output: vec![0.0; pixels],
                is_broken: false,
            }
        }
    }

    impl Inference for Bright {
        fn input_mut(&mut self) -> &mut [f32] {
            &mut self.input
        }

        async fn run(&mut self) -> Result<(), InferenceError> {
            for (share, pixel) in self.output.iter_mut().zip(self.input.as_chunks::<3>().0) {
                *share = pixel[0];
            }
            if self.is_broken {
                return Err(InferenceError::new("device lost"));
            }
            Ok(())
        }

        fn output(&self, name: &str) -> Option<&[f32]> {
            SelfieModel::ALL
                .map(selfie_mask)
                .contains(&name)
                .then_some(&self.output)
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("nothing waits here"),
        }
    }

    #[test]
    fn a_mask_lies_over_its_own_frame() {
        for model in SelfieModel::ALL {
            let inference = Bright::new(pixel_count(model));
            let mut pipeline = MaskPipeline::new(model, inference, Box::new(|| 0.0)).expect("a model");
            let (width, height) = (90, 60);
            for (index, left) in [20, 40].into_iter().enumerate() {
                let is_bright = |x: usize, y: usize| (left..left + 30).contains(&x) && y >= 15;
                let pixels: Vec<u8> = (0..width * height)
                    .flat_map(|pixel| {
                        [if is_bright(pixel % width, pixel / width) {
                            255
                        } else {
                            0
                        }; 3]
                    })
                    .collect();
                let frame = Frame::packed(&pixels, width, height, PixelFormat::Rgb8).expect("a whole frame");
                let time = Timestamp::from_micros(index as i64 * 33_333);
                let result = block_on(pipeline.process(&frame, time)).expect("it runs");
                assert_eq!(result.time, time);
                let mask = result
                    .mask
                    .expect("somebody is bright")
                    .in_image(image_size(&frame));
                for (pixel, &share) in mask.values().iter().enumerate() {
                    let (x, y) = (pixel % width, pixel / width);
                    let is_edge = |place: usize, edge: usize| place + 2 > edge && place < edge + 2;
                    if is_edge(x, left) || is_edge(x, left + 30) || is_edge(y, 15) {
                        continue;
                    }
                    let expected = f32::from(u8::from(is_bright(x, y)));
                    assert!((share - expected).abs() < 0.01, "{model:?}: {share} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn where_nobody_is_likely_there_is_no_mask_and_failures_are_told() {
        let model = SelfieModel::General;
        let inference = Bright::new(pixel_count(model));
        let mut pipeline = MaskPipeline::new(model, inference, Box::new(|| 0.0)).expect("a model");
        let pixels = [100; 9 * 3];
        let frame = Frame::packed(&pixels, 3, 3, PixelFormat::Rgb8).expect("a whole frame");
        let result = block_on(pipeline.process(&frame, Timestamp::from_micros(0))).expect("it runs");
        assert_eq!(result.mask, None);
        pipeline.inference.is_broken = true;
        let error = block_on(pipeline.process(&frame, Timestamp::from_micros(1))).expect_err("it is broken");
        assert_eq!(error.to_string(), "the mask model did not run: device lost");
    }

    #[test]
    fn wrong_models_are_named() {
        let wide = Bright::new(pixel_count(SelfieModel::Landscape));
        let error = MaskPipeline::new(SelfieModel::General, wide, Box::new(|| 0.0)).err();
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some(
                "the mask model is not a selfie segmentation one: input has 110592 elements, 196608 are expected"
            )
        );
    }
}
