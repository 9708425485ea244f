//! Histograms whose cells are fixed once: counts of two can be added, in any order, to the same bits.
//!
//! Cells are 16 between inner edges (usually quantiles of a reference), one below and one above the range, and one for
//! values that were not measured. A value on an edge belongs to the cell below it, numpy's `searchsorted(.., "left")`.

use super::quantiles::quantile_of_sorted;
use serde::{Deserialize, Serialize};

/// Cells inside of the range.
pub const INNER_CELLS: usize = 16;
/// All cells: those inside, below, above, missing.
pub const ALL_CELLS: usize = INNER_CELLS + 3;
/// The place of the cell below the range.
pub const BELOW: usize = INNER_CELLS;
/// The place of the cell above the range.
pub const ABOVE: usize = INNER_CELLS + 1;
/// The place of values that were not measured (NaN).
pub const MISSING: usize = INNER_CELLS + 2;

/// Where cells begin and end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CellsForm", into = "CellsForm")]
pub struct Cells {
    range: [f64; 2],
    inner: [f64; INNER_CELLS - 1],
}

/// How cells are stored.
#[derive(Serialize, Deserialize)]
struct CellsForm {
    range: [f64; 2],
    edges: Vec<f64>,
}

impl TryFrom<CellsForm> for Cells {
    type Error = String;

    fn try_from(form: CellsForm) -> Result<Self, String> {
        let n_edges = form.edges.len();
        let edges = form
            .edges
            .try_into()
            .map_err(|_| format!("a histogram has {} inner edges, not {n_edges}", INNER_CELLS - 1))?;
        Self::new(form.range, edges)
            .ok_or_else(|| "edges of a histogram must rise within its range".to_owned())
    }
}

impl From<Cells> for CellsForm {
    fn from(cells: Cells) -> Self {
        Self {
            range: cells.range,
            edges: cells.inner.to_vec(),
        }
    }
}

impl Cells {
    /// Cells of a range with given inner edges. None where the range is empty or not finite, or where edges fall or
    /// leave the range; equal edges are allowed and leave cells empty.
    #[must_use]
    pub fn new(range: [f64; 2], inner: [f64; INNER_CELLS - 1]) -> Option<Self> {
        let [low, high] = range;
        let is_range = low.is_finite() && high.is_finite() && low < high;
        let rise = inner.is_sorted() && inner[0] >= low && inner[INNER_CELLS - 2] <= high;
        let finite = inner.iter().all(|edge| edge.is_finite());
        (is_range && rise && finite).then_some(Self { range, inner })
    }

    /// Cells that hold equally many of a reference's numbers, those outside of the range and NaN left out; equally wide
    /// ones where nothing is left. None where the range is empty or not finite.
    #[must_use]
    pub fn of_quantiles(range: [f64; 2], reference: &[f64]) -> Option<Self> {
        let [low, high] = range;
        let mut sorted: Vec<f64> = reference
            .iter()
            .copied()
            .filter(|x| low <= *x && *x <= high)
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let inner = std::array::from_fn(|place| {
            let share = (place + 1) as f64 / INNER_CELLS as f64;
            quantile_of_sorted(&sorted, share).unwrap_or(low + (high - low) * share)
        });
        Self::new(range, inner)
    }

    /// The cell of a value; NaN belongs to [`MISSING`].
    #[must_use]
    pub fn of(&self, x: f64) -> usize {
        if x.is_nan() {
            MISSING
        } else if x < self.range[0] {
            BELOW
        } else if x > self.range[1] {
            ABOVE
        } else {
            self.inner.partition_point(|&edge| edge < x)
        }
    }

    /// The range of the inner cells.
    #[must_use]
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// The edges between the inner cells.
    #[must_use]
    pub fn inner(&self) -> &[f64; INNER_CELLS - 1] {
        &self.inner
    }
}

/// Counts in fixed cells. Joins exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    cells: Cells,
    counts: [u64; ALL_CELLS],
}

impl Histogram {
    /// Without a value.
    #[must_use]
    pub fn new(cells: Cells) -> Self {
        Self {
            cells,
            counts: [0; ALL_CELLS],
        }
    }

    /// Counts a value.
    pub fn add(&mut self, x: f64) {
        self.counts[self.cells.of(x)] += 1;
    }

    /// Adds the counts of another. False, and nothing is added, where its cells are others.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.cells != other.cells {
            return false;
        }
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        true
    }

    /// Where its cells are.
    #[must_use]
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Values in each cell: inner ones, [`BELOW`], [`ABOVE`], [`MISSING`].
    #[must_use]
    pub fn counts(&self) -> &[u64; ALL_CELLS] {
        &self.counts
    }

    /// How many values were measured.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.counts[..MISSING].iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::random::Random;

    fn sixteenths() -> Cells {
        Cells::new([0.0, 1.0], std::array::from_fn(|i| (i + 1) as f64 / 16.0)).expect("edges rise")
    }

    #[test]
    fn values_find_their_cells() {
        let cells = sixteenths();
        for (x, cell) in [
            (0.0, 0),
            (0.0625, 0),
            (0.0626, 1),
            (1.0, 15),
            (-1e-9, BELOW),
            (1.1, ABOVE),
            (f64::NEG_INFINITY, BELOW),
            (f64::INFINITY, ABOVE),
            (f64::NAN, MISSING),
        ] {
            assert_eq!(cells.of(x), cell, "{x}");
        }
    }

    #[test]
    fn cells_of_a_sample_hold_equally_many() {
        let mut random = Random::new(2);
        let numbers: Vec<f64> = (0..1600).map(|_| random.uniform().powi(3)).collect();
        let mut histogram = Histogram::new(Cells::of_quantiles([0.0, 1.0], &numbers).expect("a range"));
        numbers.iter().for_each(|&x| histogram.add(x));
        assert!(
            histogram.counts()[..INNER_CELLS].iter().all(|&n| n == 100),
            "{:?}",
            histogram.counts()
        );
        // A feature that never moved has one cell with everything in it.
        let constant = Cells::of_quantiles([0.0, 1.0], &[0.25; 9]).expect("a range");
        assert_eq!((constant.of(0.25), constant.of(0.26)), (0, 15));
        assert!(Cells::of_quantiles([0.0, 1.0], &[]).is_some());
        assert_eq!(Cells::of_quantiles([1.0, 1.0], &[]), None);
    }

    #[test]
    fn histograms_join_to_the_same_bits_in_any_order() {
        let mut random = Random::new(4);
        let parts: Vec<Histogram> = (0..3)
            .map(|_| {
                let mut part = Histogram::new(sixteenths());
                (0..500).for_each(|_| part.add(random.normal()));
                part
            })
            .collect();
        let joined = |order: [usize; 3]| {
            let mut whole = parts[order[0]].clone();
            assert!(whole.merge(&parts[order[1]]) && whole.merge(&parts[order[2]]));
            whole
        };
        assert_eq!(joined([0, 1, 2]), joined([2, 0, 1]));
        assert_eq!(joined([0, 1, 2]).n(), 1500);
        let mut other = Histogram::new(Cells::of_quantiles([0.0, 2.0], &[]).expect("a range"));
        assert!(!other.merge(&parts[0]) && other.n() == 0);
    }
}
