//! What a session leaves for a reference: means of its blocks, how frames scatter and remember, how blocks spread over cells.
//!
//! Goes in: rows of frames and the blocks they became. Comes out: numbers of bounded size, from which
//! [`super::profile`] makes a reference. The first 24 blocks say where the cells of the histograms lie (quantiles of a sample
//! of their frames), the blocks after them are counted in these; of 480 blocks on (40 minutes of 5 s) nothing is added.

use crate::drift::null::{BlockSums, CELLS, whole_shares};
use crate::monitor::blocks::{Block, BlockCells};
use crate::monitor::features::{FEATURE_COUNT, FEATURES, Feature, FeatureRow};
use crate::monitor::verdict::Proxy;
use crate::statistics::histogram::{ALL_CELLS, INNER_CELLS};
use crate::statistics::{Cells, Dyadic, Moments, quantile_of_sorted};

/// Blocks that one session gives to a reference.
pub const MAX_SESSION_BLOCKS: usize = 480;
/// Blocks after which the cells are known, and from which on there are charts.
pub const CHART_BLOCKS: u64 = 24;
/// Frames of which the cells are made.
const SAMPLES: usize = 256;
/// Pairs of cells, the order left out.
const PAIRS: usize = CELLS * (CELLS + 1) / 2;

/// [`BlockSums`] of one session in a third of the memory: 32 bits suffice for its blocks, and products have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SessionSums {
    blocks: u32,
    pairs: u32,
    sum: [u32; CELLS],
    /// Cells (0,0), (1,0), (1,1), (2,0)...
    products: Box<[u32; PAIRS]>,
    /// Row by row.
    lagged: Box<[u32; CELLS * CELLS]>,
    before: Option<[u16; CELLS]>,
}

impl Default for SessionSums {
    fn default() -> Self {
        Self {
            blocks: 0,
            pairs: 0,
            sum: [0; CELLS],
            products: Box::new([0; PAIRS]),
            lagged: Box::new([0; CELLS * CELLS]),
            before: None,
        }
    }
}

impl SessionSums {
    /// Takes a block. One without a value is no neighbour of the next.
    fn add(&mut self, counts: &[u16; ALL_CELLS]) {
        let before = self.before.take();
        let Some(shares) = whole_shares(&counts.map(u64::from)) else {
            return;
        };
        let shares: [u16; CELLS] = std::array::from_fn(|cell| shares[cell] as u16);
        self.blocks += 1;
        let mut place = 0;
        for (cell, &share) in shares.iter().enumerate() {
            self.sum[cell] += u32::from(share);
            for &other in &shares[..=cell] {
                self.products[place] += u32::from(share) * u32::from(other);
                place += 1;
            }
        }
        if let Some(before) = before {
            self.pairs += 1;
            for (row, &first) in self.lagged.chunks_exact_mut(CELLS).zip(&before) {
                for (sum, &second) in row.iter_mut().zip(&shares) {
                    *sum += u32::from(first) * u32::from(second);
                }
            }
        }
        self.before = Some(shares);
    }

    fn whole(&self) -> BlockSums {
        let product = |place: usize| {
            let (a, b) = (place / CELLS, place % CELLS);
            let (row, column) = (a.max(b), a.min(b));
            u64::from(self.products[row * (row + 1) / 2 + column])
        };
        BlockSums::counted(
            u64::from(self.blocks),
            u64::from(self.pairs),
            self.sum.iter().map(|&sum| u64::from(sum)).collect(),
            (0..CELLS * CELLS).map(product).collect(),
            self.lagged.iter().map(|&sum| u64::from(sum)).collect(),
        )
        .unwrap_or_default()
    }
}

/// How the values of a feature scatter and remember, frame by frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameScatter {
    /// Of all frames that had it.
    pub moments: Moments,
    /// Correlation time, seconds; none where too few frames had it or it never moved.
    pub tau_secs: Option<f64>,
}

/// What a session has left so far.
#[derive(Clone, Debug)]
pub struct Learning {
    /// Block means by block; NaN stands for none, and a row of nothing else for a gap.
    means: Vec<[f32; FEATURE_COUNT]>,
    /// Estimated accuracy by block: by certainty and by the mirrored picture.
    accuracy: Vec<[f32; 2]>,
    blocks: u64,
    frames: u64,
    seconds: f64,
    scatter: Box<[Moments; FEATURE_COUNT]>,
    memory: Box<[Dyadic; FEATURE_COUNT]>,
    samples: Vec<[f32; FEATURE_COUNT]>,
    stride: u64,
    cells: Option<Box<[Cells; FEATURE_COUNT]>>,
    sums: Vec<SessionSums>,
    last_secs: Option<f64>,
}

impl Default for Learning {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Learning {
    /// A session that begins; with the cells of a reference where there is one.
    pub fn new(cells: Option<Box<[Cells; FEATURE_COUNT]>>) -> Self {
        Self {
            means: Vec::new(),
            accuracy: Vec::new(),
            blocks: 0,
            frames: 0,
            seconds: 0.0,
            scatter: Box::new([Moments::default(); FEATURE_COUNT]),
            memory: Box::new(std::array::from_fn(|_| Dyadic::default())),
            samples: Vec::new(),
            stride: 1,
            cells,
            sums: vec![SessionSums::default(); FEATURE_COUNT],
            last_secs: None,
        }
    }

    /// Takes a frame.
    pub fn observe(&mut self, row: &FeatureRow) {
        if self.is_full() {
            return;
        }
        for ((&value, moments), memory) in row
            .values
            .iter()
            .zip(self.scatter.iter_mut())
            .zip(self.memory.iter_mut())
        {
            if !value.is_nan() {
                moments.add(f64::from(value));
                memory.add(f64::from(value));
            }
        }
        if self.cells.is_none() && self.frames.is_multiple_of(self.stride) {
            if self.samples.len() == SAMPLES {
                let mut place = 0;
                self.samples.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
            if self.frames.is_multiple_of(self.stride) {
                self.samples.push(row.values);
            }
        }
        self.frames += 1;
    }

    /// Time was lost: what comes next is no neighbour of what came before.
    pub fn gap(&mut self) {
        self.memory.iter_mut().for_each(Dyadic::skip_gap);
        self.break_off();
    }

    fn break_off(&mut self) {
        self.sums.iter_mut().for_each(|sums| sums.before = None);
        self.last_secs = None;
        let is_gap = |row: &[f32; FEATURE_COUNT]| row.iter().all(|mean| mean.is_nan());
        if self.means.last().is_some_and(|row| !is_gap(row)) && self.means.len() < MAX_SESSION_BLOCKS {
            self.means.push([f32::NAN; FEATURE_COUNT]);
            self.accuracy.push([f32::NAN; 2]);
        }
    }

    /// Takes a block.
    pub fn end_block(&mut self, block: &Block) {
        if self.is_full() {
            return;
        }
        if self
            .last_secs
            .is_some_and(|last| (block.start_secs - last).abs() > 0.5 * block.seconds)
        {
            self.break_off();
            if self.is_full() {
                return;
            }
        }
        self.last_secs = Some(block.start_secs + block.seconds);
        self.means.push(
            block
                .means()
                .map(|mean| mean.map_or(f32::NAN, |mean| mean as f32)),
        );
        let estimates = [block.certainty.mean(), flip_estimate(block)];
        self.accuracy
            .push(estimates.map(|estimate| estimate.map_or(f32::NAN, |estimate| estimate as f32)));
        self.blocks += 1;
        self.seconds += block.seconds;
        if let (Some(counts), true) = (&block.cells, self.cells.is_some()) {
            self.count(counts);
        }
        if self.cells.is_none() && self.blocks >= CHART_BLOCKS {
            self.cells = Some(Box::new(cells_of(&self.samples)));
            self.samples = Vec::new();
        }
    }

    fn count(&mut self, counts: &BlockCells) {
        for (sums, counts) in self.sums.iter_mut().zip(counts) {
            sums.add(counts);
        }
    }

    /// Whether nothing more is added.
    pub fn is_full(&self) -> bool {
        self.means.len() >= MAX_SESSION_BLOCKS
    }

    /// Blocks so far.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Time that the blocks cover, seconds.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Means of a feature by block, with a gap where time was lost.
    pub fn means(&self, feature: Feature) -> impl Iterator<Item = Option<f32>> + '_ {
        let place = feature.index();
        self.means
            .iter()
            .map(move |row| Some(row[place]).filter(|mean| !mean.is_nan()))
    }

    /// Estimated accuracy by block, with a gap where time was lost.
    pub fn accuracy(&self, proxy: Proxy) -> impl Iterator<Item = Option<f32>> + '_ {
        let place = match proxy {
            Proxy::Certainty => 0,
            Proxy::Flip => 1,
        };
        self.accuracy
            .iter()
            .map(move |row| Some(row[place]).filter(|mean| !mean.is_nan()))
    }

    /// How a feature's frames scatter. Time is that of all frames, so that features of samples have their own pace.
    pub fn scatter(&self, feature: Feature) -> FrameScatter {
        let moments = self.scatter[feature.index()];
        let dt_secs = self.seconds / moments.n().max(1) as f64;
        FrameScatter {
            moments,
            tau_secs: self.memory[feature.index()].correlation_secs(dt_secs),
        }
    }

    /// Where cells lie, once that is known.
    pub fn cells(&self) -> Option<&[Cells; FEATURE_COUNT]> {
        self.cells.as_deref()
    }

    /// How blocks spread over them.
    pub fn sums(&self, feature: Feature) -> BlockSums {
        self.sums[feature.index()].whole()
    }

    /// Counts in other cells from here on; what was counted in the old ones is forgotten.
    pub fn use_cells(&mut self, cells: Box<[Cells; FEATURE_COUNT]>) {
        if self.cells.as_ref() != Some(&cells) {
            self.cells = Some(cells);
            self.samples = Vec::new();
            self.sums.fill(SessionSums::default());
        }
    }

    /// Upper quartile of the features' correlation times, seconds: that of a block's length. Longer memories are left to
    /// the charts, which know that blocks correlate.
    pub fn tau_secs(&self) -> Option<f64> {
        let mut found: Vec<f64> = Feature::ALL
            .into_iter()
            .filter_map(|feature| self.scatter(feature).tau_secs)
            .collect();
        found.sort_unstable_by(f64::total_cmp);
        quantile_of_sorted(&found, 0.75)
    }

    /// Memory when it is full.
    pub fn bytes(&self) -> usize {
        let sums = size_of::<SessionSums>() + 4 * (PAIRS + CELLS * CELLS);
        let row = size_of::<[f32; FEATURE_COUNT]>();
        size_of::<Self>()
            + self.means.capacity() * row
            + self.accuracy.capacity() * size_of::<[f32; 2]>()
            + self.samples.capacity() * row
            + FEATURE_COUNT * (size_of::<Moments>() + size_of::<Dyadic>() + size_of::<Cells>())
            + FEATURE_COUNT * sums
    }
}

/// Accuracy of a block by the mirrored picture: calibrated where there is a calibration, else the agreement itself.
pub fn flip_estimate(block: &Block) -> Option<f64> {
    block.flip_accuracy.mean().or(block.mean(Feature::FlipOks))
}

/// Cells between the quantiles of some frames, at least a floor apart: a feature that never moved has its value in the
/// middle of a cell that is one floor wide.
fn cells_of(samples: &[[f32; FEATURE_COUNT]]) -> [Cells; FEATURE_COUNT] {
    std::array::from_fn(|place| {
        let spec = &FEATURES[place];
        let [low, high] = spec.range;
        let mut sorted: Vec<f64> = samples
            .iter()
            .map(|row| f64::from(row[place]))
            .filter(|value| (low..=high).contains(value))
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = |edge: usize| {
            let share = (edge + 1) as f64 / INNER_CELLS as f64;
            quantile_of_sorted(&sorted, share).unwrap_or(low + (high - low) * share)
        };
        // From the middle outwards, each at least a floor from the one before.
        const MIDDLE: usize = INNER_CELLS / 2 - 1;
        let mut edges = [quantile(MIDDLE) + 0.5 * spec.floor; INNER_CELLS - 1];
        for edge in MIDDLE + 1..edges.len() {
            edges[edge] = quantile(edge).max(edges[edge - 1] + spec.floor);
        }
        for edge in (0..MIDDLE).rev() {
            edges[edge] = quantile(edge).min(edges[edge + 1] - spec.floor);
        }
        let edges = edges.map(|edge| edge.clamp(low, high));
        Cells::new(spec.range, edges).expect("ranges of the table are not empty, and edges rise in them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::blocks::{Beside, BlockBuilder, BlockLength};
    use crate::statistics::Random;

    /// A session of some blocks of ten frames; `value` gives all features of a frame.
    fn session(n_blocks: u64, mut value: impl FnMut(u64) -> f32) -> Learning {
        let mut learning = Learning::default();
        let mut builder = BlockBuilder::new(BlockLength::Frames(10));
        for frame in 0..=n_blocks * 10 {
            let row = FeatureRow {
                time_secs: frame as f64 * 0.1,
                values: std::array::from_fn(|place| {
                    let [low, high] = FEATURES[place].range;
                    low as f32 + value(frame) * (high - low) as f32
                }),
            };
            if let Some(block) = builder.add(&row, Beside::default(), learning.cells()) {
                learning.end_block(&block);
            }
            if frame < n_blocks * 10 {
                learning.observe(&row);
            }
        }
        learning
    }

    fn noise(seed: u64) -> impl FnMut(u64) -> f32 {
        let mut random = Random::new(seed);
        move |_| random.uniform() as f32
    }

    #[test]
    fn cells_are_known_after_the_first_blocks_and_hold_equally_many() {
        assert!(session(CHART_BLOCKS - 1, noise(1)).cells().is_none());
        let learning = session(200, noise(1));
        let cells = learning.cells().expect("there were enough blocks");
        assert!(cells.iter().all(|cells| cells.inner().is_sorted()));
        let sums = learning.sums(Feature::VisibilityMean);
        assert_eq!(sums.n_blocks(), 200 - CHART_BLOCKS);
        for share in &sums.shares().expect("there are blocks")[..INNER_CELLS] {
            assert!((0.02..0.16).contains(share), "{:?}", sums.shares());
        }
    }

    #[test]
    fn what_never_moved_lies_in_the_middle_of_a_cell() {
        let learning = session(30, |_| 0.5);
        for (feature, cells) in Feature::ALL
            .into_iter()
            .zip(learning.cells().expect("enough blocks"))
        {
            let (spec, value) = (feature.spec(), learning.means(feature).flatten().next());
            let value = f64::from(value.expect("there are blocks"));
            let cell = cells.of(value);
            assert_eq!(cell, cells.of(value + 0.4 * spec.floor), "{}", spec.name);
            assert_eq!(cell, cells.of(value - 0.4 * spec.floor), "{}", spec.name);
            assert_ne!(cell, cells.of(value + 0.6 * spec.floor), "{}", spec.name);
            let further = [1.6, 2.6].map(|floors| cells.of(value + floors * spec.floor));
            assert_eq!(
                further,
                [cell + 2, cell + 3],
                "{}: cells are a floor wide",
                spec.name
            );
            assert_eq!(learning.scatter(feature).tau_secs, None);
        }
    }

    #[test]
    fn a_full_session_takes_no_more() {
        let learning = session(600, noise(2));
        assert_eq!(learning.blocks(), MAX_SESSION_BLOCKS as u64);
        assert!(
            learning.is_full() && learning.bytes() < 200 * 1024,
            "{} bytes",
            learning.bytes()
        );
    }

    #[test]
    fn a_gap_parts_neighbours() {
        let mut learning = session(40, noise(3));
        let place = Feature::Jitter.index();
        let before = learning.sums[place].pairs;
        learning.gap();
        learning.gap();
        let mut builder = BlockBuilder::new(BlockLength::Frames(2));
        for time_secs in [90.0, 90.1, 90.2, 90.3, 90.4] {
            let row = FeatureRow {
                time_secs,
                values: [0.5; FEATURE_COUNT],
            };
            if let Some(block) = builder.add(&row, Beside::default(), learning.cells()) {
                learning.end_block(&block);
            }
        }
        assert_eq!(learning.sums[place].pairs, before + 1);
        let means: Vec<Option<f32>> = learning.means(Feature::Jitter).collect();
        assert_eq!((means.len(), means[40], means[41].is_some()), (43, None, true));
    }

    /// The same sums as those of [`BlockSums`], which keeps 64 bits.
    #[test]
    fn sums_in_little_memory_are_the_same() {
        let mut random = Random::new(4);
        let (mut little, mut whole) = (SessionSums::default(), BlockSums::default());
        for block in 0..40 {
            let counts: [u16; ALL_CELLS] =
                std::array::from_fn(|_| if block == 17 { 0 } else { random.below(9) as u16 });
            little.add(&counts);
            whole.add(&counts.map(u64::from));
        }
        whole.end_session();
        assert_eq!(little.whole(), whole);
        assert_eq!((little.blocks, little.pairs), (39, 37));
    }
}
