//! Whether the histogram of some blocks is that of a reference, where frames of a block move together.
//!
//! Formulas for independent values call 63 to 100 of 100 unchanged streams of video changed, and one effective sample size
//! does not help, because the *cells* of a block move together too. So the null is that of blocks: a mean of m block
//! histograms scatters about the reference's shares p as a normal vector with covariance `S (1/n + 1/m)`, where S is the
//! long-run covariance of block histograms, `S = G0 + G1 + G1ᵀ` (lag 0 and 1; blocks remember no longer). Negative
//! eigenvalues, which an estimate may have, count as 0. Every distance is compared with its values at draws of that vector.
//! An estimated S is too small by about 3/n, once for each lag and side, which is put right; and it is uncertain, so draws
//! are of Student's t with n - 1 degrees of freedom, as for a mean whose scatter is estimated.
//!
//! Sums are of integers (a block's shares in 1/1024), so two sets of blocks join to the same bits in any order. What is
//! lagged is counted inside a session; a session is never split.

use super::DriftError;
use super::sieve::LEAST_BLOCKS;
use super::two_sample::{LEAST_SHARE, jensen_shannon, population_stability};
use crate::statistics::Random;
use crate::statistics::histogram::{ALL_CELLS, MISSING};
use crate::statistics::symmetric::covariance_root;
use serde::{Deserialize, Serialize};

/// Cells that are compared: those inside of the range, below and above it. Values that are missing are no value.
pub const CELLS: usize = MISSING;
/// A block's shares are whole numbers of this.
pub const WHOLE: u64 = 1024;
/// Blocks of stored sums: as many as a hundred of them can be joined without running over.
const MAX_BLOCKS: u64 = 1 << 32;
/// Draws of a null: the least p is one in 1,001.
pub const DRAWS: usize = 1000;

/// Block histograms, summed. Joins exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct BlockSums {
    n_blocks: u64,
    n_pairs: u64,
    /// Σ q.
    sum: Vec<u64>,
    /// Σ q qᵀ, row by row.
    products: Vec<u64>,
    /// Σ q_t q_{t+1}ᵀ, row by row.
    lagged: Vec<u64>,
    /// The block before, of the session that goes on.
    before: Option<Vec<u64>>,
}

/// How sums are stored: a session that went on ends with it.
#[derive(Serialize, Deserialize)]
struct Form {
    n_blocks: u64,
    n_pairs: u64,
    sum: Vec<u64>,
    products: Vec<u64>,
    lagged: Vec<u64>,
}

impl TryFrom<Form> for BlockSums {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let Form {
            n_blocks,
            n_pairs,
            sum,
            products,
            lagged,
        } = form;
        let sizes = [sum.len(), products.len(), lagged.len()];
        if sizes != [CELLS, CELLS * CELLS, CELLS * CELLS] {
            return Err(format!(
                "sums of block histograms have {CELLS} cells; {sizes:?} numbers were found"
            ));
        }
        // Each block adds exactly one whole.
        let total = sum
            .iter()
            .try_fold(0u64, |total, count| total.checked_add(*count));
        if total.is_none() || total != n_blocks.checked_mul(WHOLE) || n_pairs > n_blocks {
            return Err("sums of block histograms do not add up to their blocks".to_owned());
        }
        let largest = n_blocks.checked_mul(WHOLE * WHOLE);
        let is_possible = |product: &u64| largest.is_some_and(|largest| *product <= largest);
        if n_blocks > MAX_BLOCKS || !products.iter().chain(&lagged).all(is_possible) {
            return Err("products of block histograms are larger than their blocks allow".to_owned());
        }
        Ok(Self {
            n_blocks,
            n_pairs,
            sum,
            products,
            lagged,
            before: None,
        })
    }
}

impl From<BlockSums> for Form {
    fn from(sums: BlockSums) -> Self {
        let BlockSums {
            n_blocks,
            n_pairs,
            sum,
            products,
            lagged,
            ..
        } = sums;
        Self {
            n_blocks,
            n_pairs,
            sum,
            products,
            lagged,
        }
    }
}

impl Default for BlockSums {
    fn default() -> Self {
        Self {
            n_blocks: 0,
            n_pairs: 0,
            sum: vec![0; CELLS],
            products: vec![0; CELLS * CELLS],
            lagged: vec![0; CELLS * CELLS],
            before: None,
        }
    }
}

impl BlockSums {
    /// Sums that were counted elsewhere, in shares as [`whole_shares`] gives them.
    ///
    /// # Errors
    /// Lists of other lengths, or sums that do not add up.
    pub fn counted(
        n_blocks: u64,
        n_pairs: u64,
        sum: Vec<u64>,
        products: Vec<u64>,
        lagged: Vec<u64>,
    ) -> Result<Self, String> {
        Self::try_from(Form {
            n_blocks,
            n_pairs,
            sum,
            products,
            lagged,
        })
    }

    /// Takes the counts of the next block of a session. One without a measured value ends the session.
    pub fn add(&mut self, counts: &[u64; ALL_CELLS]) {
        let Some(block) = whole_shares(counts) else {
            return self.end_session();
        };
        self.n_blocks += 1;
        for (row, q) in block.iter().enumerate() {
            self.sum[row] += q;
            let line = row * CELLS..(row + 1) * CELLS;
            for (product, other) in self.products[line.clone()].iter_mut().zip(&block) {
                *product += q * other;
            }
            if let Some(before) = &self.before {
                for (product, other) in self.lagged[line].iter_mut().zip(&block) {
                    *product += before[row] * other;
                }
            }
        }
        self.n_pairs += u64::from(self.before.is_some());
        self.before = Some(block);
    }

    /// The next block does not follow the last one.
    pub fn end_session(&mut self) {
        self.before = None;
    }

    /// Adds the blocks of another.
    pub fn merge(&mut self, other: &Self) {
        self.end_session();
        self.n_blocks += other.n_blocks;
        self.n_pairs += other.n_pairs;
        let sums = [
            (&mut self.sum, &other.sum),
            (&mut self.products, &other.products),
            (&mut self.lagged, &other.lagged),
        ];
        for (mine, theirs) in sums {
            for (sum, more) in mine.iter_mut().zip(theirs) {
                *sum += more;
            }
        }
    }

    /// Blocks.
    #[must_use]
    pub fn n_blocks(&self) -> u64 {
        self.n_blocks
    }

    /// The mean share of each cell; none without blocks.
    #[must_use]
    pub fn shares(&self) -> Option<Vec<f64>> {
        let whole = (self.n_blocks * WHOLE) as f64;
        (self.n_blocks > 0).then(|| self.sum.iter().map(|sum| *sum as f64 / whole).collect())
    }
}

/// Counts in shares of [`WHOLE`] that add up to it: differences of rounded running sums. None of none.
#[must_use]
pub fn whole_shares(counts: &[u64; ALL_CELLS]) -> Option<Vec<u64>> {
    let total: u64 = counts[..CELLS].iter().sum();
    let mut running = 0;
    let mut given = 0;
    let share = |count: &u64| {
        running += count;
        let up_to = (running * WHOLE * 2 + total) / (2 * total);
        let share = up_to - given;
        given = up_to;
        share
    };
    (total > 0).then(|| counts[..CELLS].iter().map(share).collect())
}

/// A distance between two rows of shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// The population stability index, natural logarithms.
    PopulationStability,
    /// The distance of Jensen and Shannon, base 2.
    JensenShannon,
    /// The largest distance between distribution functions, at edges of cells.
    KolmogorovSmirnov,
    /// How many cells values must move on average.
    Wasserstein,
    /// `Σ (p - q)²/p`.
    ChiSquare,
}

impl Distance {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PopulationStability,
        Self::JensenShannon,
        Self::KolmogorovSmirnov,
        Self::Wasserstein,
        Self::ChiSquare,
    ];

    /// The distance of two rows of shares as [`BlockSums`] gives them, whose last two are those below and above the range.
    #[must_use]
    pub fn between(self, p: &[f64], q: &[f64]) -> f64 {
        match self {
            Self::PopulationStability => population_stability(p, q),
            Self::JensenShannon => jensen_shannon(p, q),
            Self::KolmogorovSmirnov => steps(p, q).fold(0.0, f64::max),
            Self::Wasserstein => steps(p, q).sum(),
            Self::ChiSquare => p
                .iter()
                .zip(q)
                .map(|(p, q)| (p - q) * (p - q) / p.max(LEAST_SHARE))
                .sum(),
        }
    }
}

/// Distances of the running sums from below the range to above it.
fn steps<'a>(p: &'a [f64], q: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    let n = p.len().min(q.len());
    let inside = n.saturating_sub(2);
    // Below the range comes first; what lies above is all that is left and ends at 0.
    let order = (inside < n).then_some(inside).into_iter().chain(0..inside);
    order.scan(0.0, move |sum: &mut f64, place| {
        *sum += p[place] - q[place];
        Some(sum.abs())
    })
}

/// A distance, and what chance makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BlockTest {
    /// Which distance.
    pub distance: Distance,
    /// Its value.
    pub value: f64,
    /// What it is above by chance with the probability `level` of the test; then `p` is at most the level.
    pub threshold: f64,
    /// The chance of such a value.
    pub p: f64,
}

/// What the block histograms of a reference say of chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Null {
    n_blocks: f64,
    shares: Vec<f64>,
    /// A root of S.
    root: Vec<f64>,
}

impl Null {
    /// Of a reference.
    ///
    /// # Errors
    /// It has fewer than [`LEAST_BLOCKS`] blocks.
    pub fn of(reference: &BlockSums) -> Result<Self, DriftError> {
        let too_few = DriftError::TooFew {
            what: "blocks of a reference",
            found: reference.n_blocks as usize,
            needed: LEAST_BLOCKS,
        };
        let shares = reference.shares().ok_or(too_few.clone())?;
        if reference.n_blocks < LEAST_BLOCKS as u64 {
            return Err(too_few);
        }
        let whole = (WHOLE * WHOLE) as f64;
        let n = reference.n_blocks as f64;
        let covariance: Vec<f64> = (0..CELLS * CELLS)
            .map(|place| {
                let (row, column) = (place / CELLS, place % CELLS);
                let expected = shares[row] * shares[column];
                let both_lags = reference.lagged[place] + reference.lagged[column * CELLS + row];
                let at_once = reference.products[place] as f64 / whole - n * expected;
                let lagged = both_lags as f64 / whole - 2.0 * reference.n_pairs as f64 * expected;
                (at_once + lagged) / (n - 3.0)
            })
            .collect();
        Ok(Self {
            n_blocks: n,
            root: covariance_root(&covariance, CELLS),
            shares,
        })
    }

    /// All distances of some blocks from the reference, with their chance. `level` is the probability of a false alarm.
    ///
    /// # Errors
    /// There are no blocks, or the level is not between 0 and 1.
    pub fn test(&self, current: &BlockSums, level: f64, seed: u64) -> Result<Vec<BlockTest>, DriftError> {
        let is_level = (0.001..=0.5).contains(&level);
        super::demand(
            is_level,
            "a test of histograms",
            "level",
            level,
            "from .001 to .5",
        )?;
        let found = current.shares().ok_or(DriftError::TooFew {
            what: "blocks",
            found: 0,
            needed: 1,
        })?;
        // So many draws may be as large, which with the value itself are the share of the level.
        let n_allowed = ((level * (DRAWS + 1) as f64) as usize).clamp(1, DRAWS);
        let mut random = Random::new(seed);
        let scale = (1.0 / self.n_blocks + 1.0 / current.n_blocks as f64).sqrt();
        let mut by_chance = vec![Vec::with_capacity(DRAWS); Distance::ALL.len()];
        for _ in 0..DRAWS {
            let drawn = self.drawn(scale, &mut random);
            for (values, distance) in by_chance.iter_mut().zip(Distance::ALL) {
                values.push(distance.between(&self.shares, &drawn));
            }
        }
        let test = |(distance, values): (Distance, &mut Vec<f64>)| {
            values.sort_unstable_by(f64::total_cmp);
            let value = distance.between(&self.shares, &found);
            let n_as_large = DRAWS - values.partition_point(|by_chance| *by_chance < value);
            BlockTest {
                distance,
                value,
                threshold: values[DRAWS - n_allowed],
                p: (n_as_large + 1) as f64 / (DRAWS + 1) as f64,
            }
        };
        Ok(Distance::ALL.into_iter().zip(&mut by_chance).map(test).collect())
    }

    /// The root of a chi-square number over its degrees of freedom (Wilson and Hilferty, PNAS 17, 1931).
    fn drawn_scatter(&self, random: &mut Random) -> f64 {
        let ninth = 2.0 / (9.0 * (self.n_blocks - 1.0));
        let cube_root = 1.0 - ninth + ninth.sqrt() * random.normal();
        cube_root.max(0.1).powi(3).sqrt()
    }

    /// Shares as chance makes them.
    fn drawn(&self, scale: f64, random: &mut Random) -> Vec<f64> {
        let scale = scale / self.drawn_scatter(random);
        let normal: Vec<f64> = (0..CELLS).map(|_| scale * random.normal()).collect();
        let mut drawn: Vec<f64> = self
            .root
            .chunks(CELLS)
            .zip(&self.shares)
            .map(|(row, share)| (share + row.iter().zip(&normal).map(|(a, b)| a * b).sum::<f64>()).max(0.0))
            .collect();
        let total: f64 = drawn.iter().sum();
        drawn.iter_mut().for_each(|share| *share /= total);
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Cells, Histogram};

    const FRAMES: usize = 150;

    /// A remembering stream in blocks of five seconds, each a histogram.
    fn blocks(phi: f64, n: usize, shift: f64, cells: &Cells, random: &mut Random) -> Vec<[u64; ALL_CELLS]> {
        let fresh = (1.0 - phi * phi).sqrt();
        let mut x = random.normal();
        (0..n)
            .map(|_| {
                let mut histogram = Histogram::new(cells.clone());
                for _ in 0..FRAMES {
                    x = phi * x + fresh * random.normal();
                    histogram.add(x + shift);
                }
                *histogram.counts()
            })
            .collect()
    }

    fn sums(blocks: &[[u64; ALL_CELLS]]) -> BlockSums {
        let mut sums = BlockSums::default();
        blocks.iter().for_each(|block| sums.add(block));
        sums
    }

    fn sixteen_cells() -> Cells {
        let quantile = |i: usize| {
            crate::statistics::distributions::normal_quantile((i + 1) as f64 / 16.0).expect("a share")
        };
        Cells::new([-4.0, 4.0], std::array::from_fn(quantile)).expect("edges rise")
    }

    /// 120 blocks against 12 of the same law: at a level of 5 % about 5 of 100 pairs may be called changed, and formulas
    /// for independent frames would call nearly all so. A shift of one sd is found.
    #[test]
    fn distances_alarm_as_often_as_said_on_streams_that_remember() {
        let cells = sixteen_cells();
        for phi in [0.9, 0.98] {
            let (mut n_false, mut n_found) = ([0; 5], [0; 5]);
            let n_pairs = 120;
            for pair in 0..n_pairs {
                let mut random = Random::of_part(77, pair);
                let null = Null::of(&sums(&blocks(phi, 120, 0.0, &cells, &mut random))).unwrap();
                for (shift, counts) in [(0.0, &mut n_false), (1.0, &mut n_found)] {
                    let current = sums(&blocks(phi, 12, shift, &cells, &mut random));
                    for (count, test) in counts.iter_mut().zip(null.test(&current, 0.05, pair).unwrap()) {
                        assert_eq!(test.p <= 0.05, test.value > test.threshold, "{test:?}");
                        *count += i32::from(test.p <= 0.05);
                    }
                }
            }
            // 6 are expected; 13 are three binomial sd more.
            assert!(
                n_false.iter().all(|n| *n <= 13),
                "phi {phi}: {n_false:?} of {n_pairs} false"
            );
            assert!(
                n_found.iter().all(|n| *n >= 100),
                "phi {phi}: {n_found:?} of {n_pairs} found"
            );
        }
    }

    #[test]
    fn summaries_of_blocks_merge_in_any_order() {
        let cells = sixteen_cells();
        let mut random = Random::new(3);
        let parts: Vec<BlockSums> = (0..3)
            .map(|_| sums(&blocks(0.9, 20, 0.0, &cells, &mut random)))
            .collect();
        let joined = |order: [usize; 3]| {
            let mut whole = BlockSums::default();
            order.iter().for_each(|&part| whole.merge(&parts[part]));
            whole
        };
        assert_eq!(joined([0, 1, 2]), joined([2, 1, 0]));
        assert_eq!(joined([0, 1, 2]), joined([1, 2, 0]));
        assert_eq!(
            (joined([0, 1, 2]).n_blocks(), joined([0, 1, 2]).n_pairs),
            (60, 57)
        );
        let again: BlockSums =
            serde_json::from_str(&serde_json::to_string(&joined([0, 1, 2])).unwrap()).unwrap();
        assert_eq!(again, joined([0, 1, 2]));
        let text = serde_json::to_string(&again).unwrap();
        assert!(
            serde_json::from_str::<BlockSums>(&text.replacen("\"n_blocks\":60", "\"n_blocks\":61", 1))
                .is_err()
        );
    }

    #[test]
    fn shares_of_a_block_add_up() {
        let mut random = Random::new(5);
        for _ in 0..200 {
            let counts: [u64; ALL_CELLS] =
                std::array::from_fn(|_| random.below(9) as u64 * random.below(2) as u64);
            let total: u64 = counts[..CELLS].iter().sum();
            let Some(shares) = whole_shares(&counts) else {
                assert_eq!(total, 0);
                continue;
            };
            assert_eq!(shares.iter().sum::<u64>(), WHOLE);
            for (share, count) in shares.iter().zip(counts) {
                let exact = count as f64 * WHOLE as f64 / total as f64;
                assert!((*share as f64 - exact).abs() <= 1.0, "{counts:?}");
            }
        }
        let mut only_missing = [0; ALL_CELLS];
        only_missing[MISSING] = 7;
        assert_eq!(whole_shares(&only_missing), None);
    }

    #[test]
    fn too_few_blocks_are_refused() {
        let cells = sixteen_cells();
        let mut random = Random::new(3);
        let seven = sums(&blocks(0.9, 7, 0.0, &cells, &mut random));
        assert!(matches!(
            Null::of(&seven),
            Err(DriftError::TooFew { found: 7, .. })
        ));
        assert!(Null::of(&BlockSums::default()).is_err());
        let null = Null::of(&sums(&blocks(0.9, 8, 0.0, &cells, &mut random))).unwrap();
        assert!(null.test(&BlockSums::default(), 0.05, 1).is_err());
        assert!(null.test(&seven, 1.0, 1).is_err());
    }

    /// A feature that never moves: everything in one cell. The same again is no news, anything else is.
    #[test]
    fn a_constant_reference_is_left_by_any_change() {
        let mut counts = [0; ALL_CELLS];
        counts[3] = 150;
        let null = Null::of(&sums(&[counts; 30])).unwrap();
        let same = null.test(&sums(&[counts; 6]), 0.05, 1).unwrap();
        assert!(
            same.iter().all(|test| test.value == 0.0 && test.p == 1.0),
            "{same:?}"
        );
        counts[3] = 0;
        counts[4] = 150;
        let other = null.test(&sums(&[counts; 6]), 0.05, 1).unwrap();
        assert!(
            other.iter().all(|test| test.value > 0.0 && test.p < 0.002),
            "{other:?}"
        );
    }
}
