//! Whether a model is as often right as it is sure: the reliability curve, and expected and maximum calibration error.
//! Bins of equal width merge to rounding (counts and compensated sums); bins of equal mass keep their rows and merge
//! exactly.
//!
//! Expected calibration error is the mean over bins, by their share of rows, of the distance between mean confidence and
//! share of right answers. Which bin an edge belongs to matters where scores lie on edges: Guo et al. (2017) take `(a, b]`,
//! as scikit-learn's `calibration_curve` does; torchmetrics takes `[a, b)`. Edges are those of numpy's `linspace`.

use super::{Evaluator, MAX_ROWS, MetricError, agree, finite};
use crate::statistics::sums::Sum;

/// Bins where nobody says another number.
pub const DEFAULT_BINS: usize = 15;

/// Which bin an edge belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// `(a, b]`; 0 belongs to the first bin.
    RightClosed,
    /// `[a, b)`; 1 belongs to the last bin.
    LeftClosed,
}

/// Counts rows into bins of equal width.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    edges: Edges,
    bins: Vec<Counted>,
    n: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counted {
    n: u64,
    right: u64,
    confidence: Sum,
}

/// One bin of a reliability curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// How many rows lie in it; at least one.
    pub n: u64,
    /// Of how many the answer is right.
    pub right: u64,
    /// The mean of what the model said.
    pub confidence: f64,
}

impl Bin {
    /// The share that is right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.n as f64
    }

    /// How far apart both are.
    pub fn gap(&self) -> f64 {
        (self.accuracy() - self.confidence).abs()
    }
}

/// The bins that hold rows, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// In rising order of confidence.
    pub bins: Vec<Bin>,
    /// How many rows.
    pub n: u64,
}

impl Curve {
    /// Expected calibration error.
    pub fn ece(&self) -> f64 {
        let weighted = self
            .bins
            .iter()
            .map(|bin| bin.n as f64 / self.n as f64 * bin.gap());
        weighted.collect::<Sum>().value()
    }

    /// The largest gap of a bin: one bin of few rows decides it.
    pub fn mce(&self) -> f64 {
        self.bins.iter().map(Bin::gap).fold(0.0, f64::max)
    }

    /// The root of the mean squared gap, without what chance adds to it in bins of few rows: Kumar, Liang and Ma, *Verified
    /// uncertainty calibration* (2019). 0 where chance explains all; none where no bin has two rows.
    pub fn debiased_rms(&self) -> Option<f64> {
        let enough: Vec<&Bin> = self.bins.iter().filter(|bin| bin.n > 1).collect();
        let n: u64 = enough.iter().map(|bin| bin.n).sum();
        let of_bin = |bin: &&Bin| {
            let share = bin.accuracy();
            let by_chance = share * (1.0 - share) / (bin.n - 1) as f64;
            bin.n as f64 / n as f64 * (bin.gap() * bin.gap() - by_chance)
        };
        (n > 0).then(|| enough.iter().map(of_bin).collect::<Sum>().value().max(0.0).sqrt())
    }
}

impl Reliability {
    /// No rows, `n_bins` bins of equal width in 0 to 1.
    ///
    /// # Errors
    /// No bins; more than ten thousand.
    pub fn new(n_bins: usize, edges: Edges) -> Result<Self, MetricError> {
        check_bins(n_bins)?;
        Ok(Self {
            edges,
            bins: vec![Counted::default(); n_bins],
            n: 0,
        })
    }

    /// Takes how sure the model was, and whether it was right.
    ///
    /// # Errors
    /// A confidence that is no number in 0 to 1.
    pub fn observe(&mut self, confidence: f64, is_right: bool) -> Result<(), MetricError> {
        check_confidence(confidence, self.n + 1)?;
        let place = self.place(confidence);
        let bin = &mut self.bins[place];
        bin.n += 1;
        bin.right += u64::from(is_right);
        bin.confidence.add(confidence);
        self.n += 1;
        Ok(())
    }

    fn place(&self, confidence: f64) -> usize {
        let n_bins = self.bins.len();
        // Near the right bin at once; then to it by the edges themselves.
        let mut place = ((confidence * n_bins as f64) as usize).min(n_bins - 1);
        let edge = |place: usize| edge(place, n_bins);
        match self.edges {
            Edges::RightClosed => {
                while place > 0 && confidence <= edge(place) {
                    place -= 1;
                }
                while place + 1 < n_bins && confidence > edge(place + 1) {
                    place += 1;
                }
            }
            Edges::LeftClosed => {
                while place > 0 && confidence < edge(place) {
                    place -= 1;
                }
                while place + 1 < n_bins && confidence >= edge(place + 1) {
                    place += 1;
                }
            }
        }
        place
    }
}

/// numpy's `linspace(0, 1, n_bins + 1)`.
fn edge(place: usize, n_bins: usize) -> f64 {
    if place == n_bins {
        1.0
    } else {
        place as f64 * (1.0 / n_bins as f64)
    }
}

impl Evaluator for Reliability {
    type Result = Curve;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if other.bins.len() != self.bins.len() || other.edges != self.edges {
            return Err(MetricError::Mismatch {
                what: "bins of another number or with other edges".to_owned(),
                expected: self.bins.len() as u64,
                found: other.bins.len() as u64,
            });
        }
        for (bin, other) in self.bins.iter_mut().zip(&other.bins) {
            bin.n += other.n;
            bin.right += other.right;
            bin.confidence.merge(&other.confidence);
        }
        self.n += other.n;
        Ok(())
    }

    fn finish(&self) -> Result<Curve, MetricError> {
        if self.n == 0 {
            return Err(MetricError::Empty { what: "rows" });
        }
        let n_bins = self.bins.len();
        let held = self.bins.iter().enumerate().filter(|(_, bin)| bin.n > 0);
        let bins = held.map(|(place, bin)| Bin {
            low: edge(place, n_bins),
            high: edge(place + 1, n_bins),
            n: bin.n,
            right: bin.right,
            confidence: bin.confidence.value() / bin.n as f64,
        });
        Ok(Curve {
            bins: bins.collect(),
            n: self.n,
        })
    }
}

/// Puts rows into bins of equally many: the adaptive calibration error. Of equal confidences, the earlier row comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct EqualMass {
    n_bins: usize,
    /// Confidence, place in the file, whether right.
    rows: Vec<(f64, u64, bool)>,
}

impl EqualMass {
    /// No rows, `n_bins` bins.
    ///
    /// # Errors
    /// No bins; more than ten thousand.
    pub fn new(n_bins: usize) -> Result<Self, MetricError> {
        check_bins(n_bins)?;
        Ok(Self {
            n_bins,
            rows: Vec::new(),
        })
    }

    /// Takes the row at `place` in the file: how sure the model was, and whether it was right.
    ///
    /// # Errors
    /// A confidence that is no number in 0 to 1; too many rows.
    pub fn observe(&mut self, place: u64, confidence: f64, is_right: bool) -> Result<(), MetricError> {
        check_confidence(confidence, place + 1)?;
        check_room(self.rows.len() + 1)?;
        self.rows.push((confidence, place, is_right));
        Ok(())
    }
}

impl Evaluator for EqualMass {
    type Result = Curve;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        agree("number of bins", self.n_bins, other.n_bins)?;
        check_room(self.rows.len() + other.rows.len())?;
        self.rows.extend_from_slice(&other.rows);
        Ok(())
    }

    fn finish(&self) -> Result<Curve, MetricError> {
        if self.rows.is_empty() {
            return Err(MetricError::Empty { what: "rows" });
        }
        let mut rows = self.rows.clone();
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // numpy's `array_split`: the first bins hold one more where it does not come out even.
        let (least, more) = (rows.len() / self.n_bins, rows.len() % self.n_bins);
        let mut bins = Vec::with_capacity(self.n_bins);
        let mut rest = &rows[..];
        for place in 0..self.n_bins {
            let (these, others) = rest.split_at(least + usize::from(place < more));
            rest = others;
            let (Some(first), Some(last)) = (these.first(), these.last()) else {
                continue;
            };
            let confidence: Sum = these.iter().map(|row| row.0).collect();
            bins.push(Bin {
                low: first.0,
                high: last.0,
                n: these.len() as u64,
                right: these.iter().filter(|row| row.2).count() as u64,
                confidence: confidence.value() / these.len() as f64,
            });
        }
        Ok(Curve {
            bins,
            n: rows.len() as u64,
        })
    }
}

fn check_bins(n_bins: usize) -> Result<(), MetricError> {
    match n_bins {
        0 => Err(MetricError::Empty { what: "bins" }),
        1..=10_000 => Ok(()),
        _ => Err(MetricError::TooMany {
            what: "bins",
            limit: 10_000,
        }),
    }
}

fn check_confidence(confidence: f64, row: u64) -> Result<(), MetricError> {
    if (0.0..=1.0).contains(&finite(confidence, "the confidence", row)?) {
        return Ok(());
    }
    Err(MetricError::OutOfRange {
        what: "the confidence".to_owned(),
        row,
        value: confidence,
        range: "in 0 to 1",
    })
}

fn check_room(n: usize) -> Result<(), MetricError> {
    if n as u64 > MAX_ROWS {
        return Err(MetricError::TooMany {
            what: "rows",
            limit: MAX_ROWS,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_bin_that_is_said() {
        for (edges, expected) in [
            (Edges::RightClosed, [0, 0, 1, 3, 4]),
            (Edges::LeftClosed, [0, 1, 1, 4, 4]),
        ] {
            let reliability = Reliability::new(5, edges).unwrap();
            let places = [0.0, 0.2, 0.200_000_01, 0.8, 1.0].map(|p| reliability.place(p));
            assert_eq!(places, expected, "{edges:?}");
        }
    }

    /// 20 bins: seven edges of `linspace` are not i / 20.
    #[test]
    fn edges_are_those_of_linspace() {
        let n_off = (0..=20)
            .filter(|&place| edge(place, 20) != place as f64 / 20.0)
            .count();
        assert_eq!(n_off, 7);
        let reliability = Reliability::new(20, Edges::RightClosed).unwrap();
        for place in 1..20 {
            assert_eq!(reliability.place(edge(place, 20)), place - 1);
            assert_eq!(reliability.place(edge(place, 20).next_up()), place);
        }
    }

    #[test]
    fn errors_are_means_and_maxima_of_gaps() {
        let mut reliability = Reliability::new(2, Edges::RightClosed).unwrap();
        for (p, is_right) in [(0.4, false), (0.2, true), (0.9, true), (0.7, false)] {
            reliability.observe(p, is_right).unwrap();
        }
        let curve = reliability.finish().unwrap();
        assert!((curve.ece() - (0.5 * 0.2 + 0.5 * 0.3)).abs() < 1e-15);
        assert!((curve.mce() - 0.3).abs() < 1e-15);
        // Each bin's gap is what one right answer of two gives by chance.
        assert_eq!(curve.debiased_rms(), Some(0.0));
    }

    #[test]
    fn bins_of_equal_mass_are_filled_from_the_first() {
        let mut bins = EqualMass::new(3).unwrap();
        for (place, p) in [0.5, 0.1, 0.1, 0.9].into_iter().enumerate() {
            bins.observe(place as u64, p, place == 2).unwrap();
        }
        let curve = bins.finish().unwrap();
        assert_eq!(curve.bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(curve.bins[0].right, 1);
    }

    #[test]
    fn bad_confidences_are_refused() {
        let mut reliability = Reliability::new(2, Edges::LeftClosed).unwrap();
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(reliability.observe(bad, true).is_err());
            assert!(EqualMass::new(2).unwrap().observe(0, bad, true).is_err());
        }
        assert!(reliability.finish().is_err() && EqualMass::new(2).unwrap().finish().is_err());
        assert!(Reliability::new(0, Edges::LeftClosed).is_err() && EqualMass::new(0).is_err());
        let other = Reliability::new(2, Edges::RightClosed).unwrap();
        assert!(reliability.merge(&other).is_err());
    }
}
