//! The numbers of a running session in bounded memory: frames come in, blocks go out.
//!
//! Goes in: facts of frames. Comes out: a block whenever one has ended, percentiles of latency, counts of frames that were
//! measured, dropped, repeated or searched anew, gauges of memory and GPU time, and what the session leaves for a
//! reference ([`Learning`]). Nothing is allocated for a frame, and all of it stays below 256 KiB.

use crate::metrics::isotonic::Isotonic;
use crate::monitor::blocks::{Beside, Block, BlockBuilder, BlockLength};
use crate::monitor::features::{FEATURE_COUNT, Feature, FrameFacts};
use crate::monitor::latency::LatencyHistogram;
use crate::monitor::learning::Learning;
use crate::monitor::pose_features::{Extractor, GAP_SECS, LARGE_JOINTS};
use crate::monitor::snapshot::Numbers;
use crate::pose::Pose;
use crate::statistics::Cells;

/// What turns a model's certainty into the chance that it is right. Made on pictures with truth, for one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CertaintyMap {
    /// From visibility times presence of a joint to the chance that it is right.
    pub joint: Option<Isotonic>,
    /// From agreement with the mirrored picture to the similarity to the truth.
    pub flip: Option<Isotonic>,
}

impl CertaintyMap {
    /// Estimated share of right joints of a pose, mean over the twelve large ones.
    pub fn share_right(&self, pose: &Pose) -> Option<f64> {
        let joint = self.joint.as_ref()?;
        let mut sum = 0.0;
        for place in LARGE_JOINTS {
            let landmark = &pose.landmarks[place];
            sum += joint.predict(f64::from(landmark.visibility) * f64::from(landmark.presence))?;
        }
        Some(sum / LARGE_JOINTS.len() as f64)
    }
}

/// Counts of a session.
#[derive(Clone, Debug)]
pub struct Online {
    extractor: Extractor,
    builder: BlockBuilder,
    learning: Learning,
    /// Of the reference, where there is one.
    cells: Option<Box<[Cells; FEATURE_COUNT]>>,
    certainty: CertaintyMap,
    latency: LatencyHistogram,
    gpu: LatencyHistogram,
    frames: u64,
    dropped: u64,
    repeated: u64,
    detector_runs: u64,
    undefined_frames: u64,
    memory_bytes: Option<u64>,
    last_secs: Option<f64>,
    frames_per_sec: Option<f64>,
}

impl Online {
    /// A session that begins.
    pub fn new(length: BlockLength) -> Self {
        Self {
            extractor: Extractor::default(),
            builder: BlockBuilder::new(length),
            learning: Learning::default(),
            cells: None,
            certainty: CertaintyMap::default(),
            latency: LatencyHistogram::default(),
            gpu: LatencyHistogram::default(),
            frames: 0,
            dropped: 0,
            repeated: 0,
            detector_runs: 0,
            undefined_frames: 0,
            memory_bytes: None,
            last_secs: None,
            frames_per_sec: None,
        }
    }

    /// Takes the next frame; gives the block that ended before it, if one did.
    pub fn observe(&mut self, facts: &FrameFacts<'_>) -> Option<Block> {
        let interval_secs = self.last_secs.map(|last| facts.time_secs - last);
        if interval_secs.is_some_and(|secs| !(secs > 0.0 && secs <= GAP_SECS)) {
            self.learning.gap();
        }
        self.last_secs = Some(facts.time_secs);
        let row = self.extractor.row(facts);
        self.frames += 1;
        self.dropped += u64::from(facts.dropped_before);
        self.repeated += u64::from(row.values[Feature::RepeatedShare.index()] == 1.0);
        self.detector_runs += u64::from(facts.ran_detector);
        self.memory_bytes = facts.memory_bytes.or(self.memory_bytes);
        self.latency.add(facts.total_millis);
        facts
            .gpu_millis
            .into_iter()
            .for_each(|millis| self.gpu.add(millis));
        let flip = facts.flip_oks.zip(self.certainty.flip.as_ref());
        let is_undefined = facts.pose.is_some_and(is_undefined);
        self.undefined_frames += u64::from(is_undefined);
        let beside = Beside {
            is_undefined,
            certainty: facts.pose.and_then(|pose| self.certainty.share_right(pose)),
            flip_accuracy: flip.and_then(|(oks, map)| map.predict(oks)),
            total_millis: facts.total_millis,
        };
        let cells = self.cells.as_deref().or(self.learning.cells());
        let block = self.builder.add(&row, beside, cells);
        if let Some(block) = &block {
            self.take_block(block);
        }
        self.learning.observe(&row);
        block
    }

    /// Ends the block at the end of a clip; gives it if it counts.
    pub fn finish(&mut self) -> Option<Block> {
        let block = self.builder.finish();
        if let Some(block) = &block {
            self.take_block(block);
        }
        block
    }

    fn take_block(&mut self, block: &Block) {
        self.learning.end_block(block);
        self.frames_per_sec = (block.seconds > 0.0).then(|| f64::from(block.frames) / block.seconds);
    }

    /// Another source, model or backend: nothing of before is a neighbour of what comes.
    pub fn interrupt(&mut self) {
        self.extractor.reset();
        self.builder.reset();
        self.learning.gap();
        self.last_secs = None;
    }

    /// Begins what a reference is made of anew: another model, or a person asked for it.
    pub fn forget_session(&mut self) {
        self.interrupt();
        self.learning = Learning::new(self.cells.clone());
    }

    /// Counts in the cells of a reference from here on.
    pub fn use_reference_cells(&mut self, cells: Box<[Cells; FEATURE_COUNT]>) {
        self.builder.reset();
        self.learning.use_cells(cells.clone());
        self.cells = Some(cells);
    }

    /// Estimates accuracy by a map from here on; without one, not at all.
    pub fn use_certainty_map(&mut self, map: CertaintyMap) {
        self.certainty = map;
    }

    /// What the session leaves for a reference.
    pub fn learning(&self) -> &Learning {
        &self.learning
    }

    /// Frames whose result had numbers that are none.
    pub fn undefined_frames(&self) -> u64 {
        self.undefined_frames
    }

    /// How long blocks are.
    pub fn block_length(&self) -> BlockLength {
        self.builder.length()
    }

    /// Time of the last frame, seconds.
    pub fn last_secs(&self) -> Option<f64> {
        self.last_secs
    }

    /// Latency, throughput, memory.
    pub fn numbers(&self) -> Numbers {
        let all = self.frames + self.dropped;
        Numbers {
            latency: self.latency.percentiles(),
            gpu: self.gpu.percentiles(),
            frames: self.frames,
            dropped: self.dropped,
            dropped_share: (all > 0).then(|| self.dropped as f64 / all as f64),
            repeated: self.repeated,
            detector_runs: self.detector_runs,
            frames_per_sec: self.frames_per_sec,
            memory_bytes: self.memory_bytes,
            monitor_bytes: self.bytes() as u64,
            cost: None,
        }
    }

    /// Memory that it uses.
    pub fn bytes(&self) -> usize {
        let cells = self.cells.as_ref().map_or(0, |cells| size_of_val(cells.as_ref()));
        size_of::<Self>()
            + self.builder.bytes()
            + self.learning.bytes()
            + cells
            + self.latency.bytes()
            + self.gpu.bytes()
    }
}

/// Whether a pose has numbers that are none.
fn is_undefined(pose: &Pose) -> bool {
    let is_defined = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
    let landmarks = pose.landmarks.iter().all(|point| {
        is_defined(&[
            point.x_px,
            point.y_px,
            point.z_px,
            point.visibility,
            point.presence,
        ])
    });
    let world = pose
        .world
        .iter()
        .all(|point| is_defined(&[point.x_m, point.y_m, point.z_m]));
    !(landmarks && world && pose.score.is_finite())
}
