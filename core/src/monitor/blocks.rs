//! Frames become blocks of some seconds: what is compared with a reference is the mean of a block, never a frame.
//!
//! Neighbouring frames of a video are nearly the same picture, and any test that takes them for independent raises alarms
//! by the hundred. Goes in: rows of features. Comes out: for each block and feature how many frames had it, their mean and
//! standard deviation, and how they spread over fixed cells.
//!
//! A block ends by time (or by frames, where a clip has no time to speak of). It counts only if frames cover 60 % of it, and
//! a feature of it only if enough of its frames had it ([`Basis`]); a pause, another source, model or backend begins anew.

use crate::monitor::features::{Basis, FEATURE_COUNT, FEATURES, Feature, FeatureRow};
use crate::monitor::latency::LatencyHistogram;
use crate::monitor::pose_features::GAP_SECS;
use crate::statistics::histogram::ALL_CELLS;
use crate::statistics::{Cells, Moments};

/// Share of a block that frames must cover.
const COVERAGE: f64 = 0.6;
/// Values that a sampled feature needs.
const LEAST_SAMPLES: u64 = 2;

/// How long a block is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BlockLength {
    /// In time.
    Seconds(f64),
    /// In frames.
    Frames(u32),
}

impl Default for BlockLength {
    fn default() -> Self {
        Self::Seconds(5.0)
    }
}

/// How the frames of a block spread over the cells of each feature.
pub type BlockCells = [[u16; ALL_CELLS]; FEATURE_COUNT];

/// A block that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Time of its first frame, seconds.
    pub start_secs: f64,
    /// How long it lasted.
    pub seconds: f64,
    /// Frames in it.
    pub frames: u32,
    /// Frames whose result had numbers that are none.
    pub undefined_frames: u32,
    /// Of the values that its frames had, by feature.
    pub moments: [Moments; FEATURE_COUNT],
    /// Their spread, where cells were known.
    pub cells: Option<Box<BlockCells>>,
    /// Estimated share of right joints in each frame with a person, where the model is calibrated.
    pub certainty: Moments,
    /// Calibrated agreement with the mirrored picture, where there is a calibration for it.
    pub flip_accuracy: Moments,
    /// 95th percentile of the time of its frames, milliseconds.
    pub p95_millis: Option<f64>,
}

impl Block {
    /// The mean of a feature; none where too few frames had it.
    pub fn mean(&self, feature: Feature) -> Option<f64> {
        let moments = &self.moments[feature.index()];
        let is_enough = match feature.spec().basis {
            Basis::Frame | Basis::Person => 2 * moments.n() >= u64::from(self.frames),
            Basis::Sample => moments.n() >= LEAST_SAMPLES,
        };
        moments.mean().filter(|_| is_enough)
    }

    /// All means, in the table's order.
    pub fn means(&self) -> [Option<f64>; FEATURE_COUNT] {
        Feature::ALL.map(|feature| self.mean(feature))
    }
}

/// What of a frame is no feature and still belongs to its block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// Whether its result has numbers that are none.
    pub is_undefined: bool,
    /// Estimated share of its joints that are right.
    pub certainty: Option<f64>,
    /// Calibrated agreement with the mirrored picture.
    pub flip_accuracy: Option<f64>,
    /// From the frame to its result.
    pub total_millis: f64,
}

/// Gathers rows until a block is whole.
#[derive(Clone, Debug)]
pub struct BlockBuilder {
    length: BlockLength,
    last_secs: Option<f64>,
    covered_secs: f64,
    latency: LatencyHistogram,
    block: Block,
}

impl BlockBuilder {
    /// Blocks of a length. Lengths that are none become the shortest: a tenth of a second, or one frame.
    pub fn new(length: BlockLength) -> Self {
        let length = match length {
            BlockLength::Seconds(secs) if secs >= 0.1 && secs.is_finite() => length,
            BlockLength::Seconds(_) => BlockLength::Seconds(0.1),
            BlockLength::Frames(frames) => BlockLength::Frames(frames.max(1)),
        };
        Self {
            length,
            last_secs: None,
            covered_secs: 0.0,
            latency: LatencyHistogram::default(),
            block: empty(0.0),
        }
    }

    /// How long blocks are.
    pub fn length(&self) -> BlockLength {
        self.length
    }

    /// Drops the block that was begun.
    pub fn reset(&mut self) {
        self.last_secs = None;
        self.begin(0.0);
    }

    /// Takes the next row; gives the block that ended with the frame before it, if one did and it counts. `cells` say how
    /// values spread, where that is known.
    pub fn add(
        &mut self,
        row: &FeatureRow,
        beside: Beside,
        cells: Option<&[Cells; FEATURE_COUNT]>,
    ) -> Option<Block> {
        let time_secs = row.time_secs;
        let ended = self.end_before(time_secs);
        self.last_secs = Some(time_secs);
        if self.block.frames == 0 && self.block.start_secs == 0.0 {
            self.block.start_secs = time_secs;
        }
        if let Some(cells) = cells {
            let counts = self
                .block
                .cells
                .get_or_insert_with(|| Box::new([[0; ALL_CELLS]; FEATURE_COUNT]));
            for ((counts, cells), &value) in counts.iter_mut().zip(cells).zip(&row.values) {
                let cell = &mut counts[cells.of(f64::from(value))];
                *cell = cell.saturating_add(1);
            }
        }
        for (moments, &value) in self.block.moments.iter_mut().zip(&row.values) {
            if !value.is_nan() {
                moments.add(f64::from(value));
            }
        }
        self.block.frames = self.block.frames.saturating_add(1);
        self.block.undefined_frames += u32::from(beside.is_undefined);
        beside
            .certainty
            .into_iter()
            .for_each(|share| self.block.certainty.add(share));
        let flip = beside.flip_accuracy.into_iter();
        flip.for_each(|similarity| self.block.flip_accuracy.add(similarity));
        self.latency.add(beside.total_millis);
        ended
    }

    /// Ends the block at the end of a clip, if it counts.
    pub fn finish(&mut self) -> Option<Block> {
        let block = self.close();
        self.reset();
        block
    }

    fn end_before(&mut self, time_secs: f64) -> Option<Block> {
        let last_secs = self.last_secs?;
        let interval_secs = time_secs - last_secs;
        if !(interval_secs > 0.0 && interval_secs <= GAP_SECS) {
            let block = self.close();
            self.begin(time_secs);
            return block;
        }
        self.covered_secs += interval_secs;
        match self.length {
            BlockLength::Seconds(secs) => {
                // Stamps are microseconds, whose sums miss a round length by a rounding.
                let end_secs = self.block.start_secs + secs - 1e-6;
                if time_secs < end_secs {
                    return None;
                }
                let block = self.close();
                let is_next = time_secs < end_secs + secs;
                let start_secs = if is_next {
                    self.block.start_secs + secs
                } else {
                    time_secs
                };
                self.begin(start_secs);
                block
            }
            BlockLength::Frames(frames) => {
                if self.block.frames < frames {
                    return None;
                }
                let block = self.close();
                self.begin(time_secs);
                block
            }
        }
    }

    /// The block so far, if it counts.
    fn close(&self) -> Option<Block> {
        if self.block.frames == 0 {
            return None;
        }
        let (seconds, counts) = match self.length {
            BlockLength::Seconds(secs) => (secs, self.covered_secs >= COVERAGE * secs),
            BlockLength::Frames(frames) => (
                self.covered_secs,
                f64::from(self.block.frames) >= COVERAGE * f64::from(frames),
            ),
        };
        counts.then(|| Block {
            seconds,
            p95_millis: self.latency.percentile_millis(0.95),
            ..self.block.clone()
        })
    }

    fn begin(&mut self, start_secs: f64) {
        self.block = empty(start_secs);
        self.covered_secs = 0.0;
        self.latency.clear();
    }

    /// Memory.
    pub fn bytes(&self) -> usize {
        let cells = self.block.cells.as_ref().map_or(0, |_| size_of::<BlockCells>());
        size_of::<Self>() + cells + self.latency.bytes()
    }
}

fn empty(start_secs: f64) -> Block {
    Block {
        start_secs,
        seconds: 0.0,
        frames: 0,
        undefined_frames: 0,
        moments: [Moments::default(); FEATURE_COUNT],
        cells: None,
        certainty: Moments::default(),
        flip_accuracy: Moments::default(),
        p95_millis: None,
    }
}

/// A difference that means nothing is none: the standard deviation of a feature, at least its floor.
pub fn floored_sd(feature: Feature, sd: f64) -> f64 {
    sd.max(FEATURES[feature.index()].floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(time_secs: f64, value: f32) -> FeatureRow {
        FeatureRow {
            time_secs,
            values: [value; FEATURE_COUNT],
        }
    }

    fn blocks(length: BlockLength, times: impl IntoIterator<Item = f64>) -> Vec<Block> {
        let mut builder = BlockBuilder::new(length);
        let mut found: Vec<Block> = times
            .into_iter()
            .filter_map(|time| builder.add(&row(time, time as f32), Beside::default(), None))
            .collect();
        found.extend(builder.finish());
        found
    }

    #[test]
    fn blocks_end_by_time() {
        let found = blocks(
            BlockLength::Seconds(1.0),
            (0..25).map(|frame| f64::from(frame) * 0.1),
        );
        let starts: Vec<f64> = found.iter().map(|block| block.start_secs).collect();
        let frames: Vec<u32> = found.iter().map(|block| block.frames).collect();
        assert_eq!((starts, frames), (vec![0.0, 1.0], vec![10, 10]));
        let mean = found[1].mean(Feature::PersonShare).expect("every frame has it");
        assert!((mean - 1.45).abs() < 1e-6);
    }

    #[test]
    fn blocks_end_by_frames() {
        let found = blocks(
            BlockLength::Frames(4),
            (0..11).map(|frame| f64::from(frame) * 0.5),
        );
        let frames: Vec<u32> = found.iter().map(|block| block.frames).collect();
        assert_eq!(frames, [4, 4, 3]);
        assert_eq!(found[1].start_secs, 2.0);
    }

    #[test]
    fn a_pause_begins_anew_and_thin_blocks_do_not_count() {
        // .4 s of a second, then a pause: dropped. After it .7 s: counts.
        let times = (0..5).chain(100..108).map(|frame| f64::from(frame) * 0.1);
        let found = blocks(BlockLength::Seconds(1.0), times);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start_secs, found[0].frames), (10.0, 8));
        // Time that goes back begins anew as well.
        let times = (0..10).chain(0..10).map(|frame| f64::from(frame) * 0.1);
        assert_eq!(blocks(BlockLength::Seconds(1.0), times).len(), 2);
    }

    #[test]
    fn a_feature_counts_if_enough_frames_had_it() {
        let mut builder = BlockBuilder::new(BlockLength::Seconds(1.0));
        for frame in 0..11 {
            let mut row = row(f64::from(frame) * 0.1, 1.0);
            if frame >= 4 {
                row.values[Feature::PoseScore.index()] = f32::NAN;
            }
            if frame >= 2 {
                row.values[Feature::FlipOks.index()] = f32::NAN;
            }
            if frame >= 1 {
                row.values[Feature::LumaMean.index()] = f32::NAN;
            }
            if let Some(block) = builder.add(&row, Beside::default(), None) {
                assert_eq!(block.mean(Feature::PoseScore), None);
                assert_eq!(block.mean(Feature::FlipOks), Some(1.0));
                assert_eq!(block.mean(Feature::LumaMean), None);
                assert_eq!(block.mean(Feature::Jitter), Some(1.0));
                return;
            }
        }
        panic!("no block ended");
    }

    #[test]
    fn values_are_counted_in_cells() {
        let cells: [Cells; FEATURE_COUNT] = std::array::from_fn(|place| {
            Cells::of_quantiles(FEATURES[place].range, &[]).expect("ranges are not empty")
        });
        let mut builder = BlockBuilder::new(BlockLength::Frames(3));
        for time in [0.0, 0.1, 0.2] {
            let mut row = row(time, 0.5);
            row.values[0] = f32::NAN;
            builder.add(&row, Beside::default(), Some(&cells));
        }
        let block = builder.finish().expect("three frames are a block");
        let counts = block.cells.expect("cells were given");
        assert!(counts.iter().all(|cells| cells.iter().sum::<u16>() == 3));
        assert_eq!(counts[0][ALL_CELLS - 1], 3);
    }

    #[test]
    fn lengths_that_are_none_do_no_harm() {
        for length in [
            BlockLength::Seconds(f64::NAN),
            BlockLength::Seconds(-1.0),
            BlockLength::Frames(0),
        ] {
            assert!(blocks(length, (0..40).map(|frame| f64::from(frame) * 0.04)).len() > 3);
        }
        assert!(blocks(BlockLength::Seconds(1.0), [f64::NAN; 20]).is_empty());
    }
}
