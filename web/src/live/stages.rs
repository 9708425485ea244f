//! Where the time of a frame goes: the median of each stage over the last second.

use std::collections::VecDeque;

use plumbline_pipeline::Timings;

use crate::live::backend::Backend;
use crate::live::frame_times::median;
use crate::worker::protocol::Measurement;

/// How far back the medians look.
const WINDOW_MILLIS: f64 = 1_000.0;

/// A part of the way from the picture to the skeleton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameStage {
    /// The picture becomes numbers that the backend can read.
    Picture,
    /// The models' inputs are cut out.
    Crop,
    /// The detector looks for a person.
    Detector,
    /// The landmark model looks at the person.
    Landmarks,
    /// The models' outputs become points, and points are smoothed.
    Decode,
    /// A model of its own says who is in the picture.
    Mask,
    /// The person is put in front of another background.
    Background,
    /// From the picture's arrival to the result.
    Total,
}

impl FrameStage {
    /// In the order in which a frame passes them.
    pub const ALL: [Self; 8] = [
        Self::Picture,
        Self::Crop,
        Self::Detector,
        Self::Landmarks,
        Self::Decode,
        Self::Mask,
        Self::Background,
        Self::Total,
    ];

    /// As in `data-stage`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Crop => "crop",
            Self::Detector => "detector",
            Self::Landmarks => "landmarks",
            Self::Decode => "decode",
            Self::Mask => "mask",
            Self::Background => "background",
            Self::Total => "total",
        }
    }

    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Picture => "Picture in",
            Self::Crop => "Crop",
            Self::Detector => "Detector",
            Self::Landmarks => "Landmarks",
            Self::Decode => "Decode and smooth",
            Self::Mask => "Selfie segmentation",
            Self::Background => "Background",
            Self::Total => "Whole frame",
        }
    }

    /// How long a frame took there; nothing where it did not pass, or where it cannot be told apart. On the GPU the
    /// pipeline's crop is only the picture's handing over; cutting out is a part of the models' runs, and so is most of
    /// what decodes and follows.
    fn millis(self, measurement: &Measurement) -> Option<f64> {
        let Timings {
            crop_millis,
            detector_millis,
            landmarks_millis,
            decode_millis,
            ..
        } = measurement.timings;
        match self {
            Self::Picture if measurement.backend == Backend::Gpu => Some(crop_millis),
            Self::Picture => Some(measurement.pixels_millis),
            Self::Crop => (measurement.backend == Backend::Cpu).then_some(crop_millis),
            Self::Detector => detector_millis,
            Self::Landmarks => landmarks_millis,
            Self::Decode => Some(decode_millis),
            Self::Mask => measurement.cut.and_then(|cut| cut.mask_millis),
            Self::Background => measurement.cut.map(|cut| cut.millis),
            Self::Total => Some(measurement.total_millis),
        }
    }
}

/// The median of each stage, in milliseconds, in the order of [`FrameStage::ALL`]; nothing for a stage that no frame passed.
pub type StageMedians = [Option<f64>; FrameStage::ALL.len()];

/// Collects the stages of drawn results.
#[derive(Clone, Debug, Default)]
pub struct StageMeter {
    backend: Option<Backend>,
    /// (when drawn, the stages), oldest first.
    samples: VecDeque<(f64, StageMedians)>,
}

impl StageMeter {
    /// Notes a result drawn at `now_millis` (any steady clock). The newest one always counts, however slow it is.
    pub fn record(&mut self, now_millis: f64, measurement: &Measurement) {
        // Stages of different backends are different work.
        if self.backend.replace(measurement.backend) != Some(measurement.backend) {
            self.samples.clear();
        }
        self.samples.retain(|&(at, _)| now_millis - at <= WINDOW_MILLIS);
        let stages = FrameStage::ALL.map(|stage| stage.millis(measurement));
        self.samples.push_back((now_millis, stages));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.samples.clear();
    }

    /// The medians; each over the frames that passed its stage.
    pub fn medians(&self) -> StageMedians {
        std::array::from_fn(|stage| {
            let passed: Vec<f64> = self
                .samples
                .iter()
                .filter_map(|(_, stages)| stages[stage])
                .collect();
            (!passed.is_empty()).then(|| median(passed.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::protocol::FrameStamp;

    fn measurement(backend: Backend, total_millis: f64, detector_millis: Option<f64>) -> Measurement {
        Measurement {
            frame: FrameStamp {
                index: 0,
                time_secs: 0.0,
                is_first: false,
            },
            width_px: 4,
            height_px: 3,
            people: Vec::new(),
            backend,
            workers: 1,
            timings: Timings {
                crop_millis: 2.0,
                detector_millis,
                landmarks_millis: Some(20.0),
                decode_millis: 0.5,
                total_millis: 0.0,
            },
            pixels_millis: 1.0,
            cut: None,
            total_millis,
        }
    }

    #[test]
    fn each_stage_has_the_median_of_the_frames_that_passed_it() {
        let mut meter = StageMeter::default();
        assert_eq!(meter.medians(), [None; 8]);
        for (at, total, detector) in [(0.0, 24.0, Some(7.0)), (40.0, 90.0, None), (80.0, 25.0, None)] {
            meter.record(at, &measurement(Backend::Cpu, total, detector));
        }
        assert_eq!(
            meter.medians(),
            [
                Some(1.0),
                Some(2.0),
                Some(7.0),
                Some(20.0),
                Some(0.5),
                None,
                None,
                Some(25.0)
            ]
        );
    }

    #[test]
    fn only_the_last_second_counts_and_always_the_last_frame() {
        let mut meter = StageMeter::default();
        meter.record(0.0, &measurement(Backend::Cpu, 100.0, Some(7.0)));
        meter.record(1_001.0, &measurement(Backend::Cpu, 10.0, None));
        let medians = meter.medians();
        assert_eq!((medians[7], medians[2]), (Some(10.0), None));
        meter.record(9_000.0, &measurement(Backend::Cpu, 4_000.0, None));
        assert_eq!(meter.medians()[7], Some(4_000.0));
        meter.clear();
        assert_eq!(meter.medians(), [None; 8]);
    }

    #[test]
    fn backends_are_not_mixed_and_the_gpu_has_no_crop_of_its_own() {
        let mut meter = StageMeter::default();
        meter.record(0.0, &measurement(Backend::Cpu, 100.0, None));
        meter.record(10.0, &measurement(Backend::Gpu, 4.0, None));
        let medians = meter.medians();
        assert_eq!((medians[7], medians[1]), (Some(4.0), None));
    }
}
