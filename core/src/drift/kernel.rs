//! One number for many features: the squared distance of a block from its reference in a random feature space (MMD).
//!
//! Gretton and others, *A kernel two-sample test*, JMLR 13 (2012), for the kernel `exp(-‖x - y‖²/(2 b²))`, whose features
//! are drawn as `sqrt(2/D) cos(ω·x + phase)`, ω normal of sd 1/b (Rahimi and Recht, *Random features for large-scale kernel
//! machines*, NIPS 2007). Draws come from a seed, so a profile holds the seed and not the features. A block's number is
//! the logarithm of its squared distance; it is charted to one side by a calibrated CUSUM.
//!
//! It watches for joint shifts of a family of features: a shift of half a sd in all of twelve is found in some 15 blocks,
//! one of a sd in one of them in 45. It does *not* see that features began to move together: that was never found.

use super::{DriftError, demand, finite};
use crate::statistics::{Random, quantile};

/// Random features.
pub const FEATURES: usize = 128;
/// Distances below this count as this much in the logarithm.
const LEAST_DISTANCE: f64 = 1e-12;

/// The drawn features of a kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    n_inputs: usize,
    /// Feature by feature.
    frequencies: Vec<f64>,
    phases: Vec<f64>,
}

impl Kernel {
    /// For values of `n_inputs` features (z-scores), at a bandwidth in their unit.
    ///
    /// # Errors
    /// There are no inputs, or the bandwidth is not above 0.
    pub fn new(n_inputs: usize, bandwidth: f64, seed: u64) -> Result<Self, DriftError> {
        demand(
            (1..=64).contains(&n_inputs),
            "the kernel",
            "inputs",
            n_inputs as f64,
            "from 1 to 64",
        )?;
        let is_width = bandwidth > 0.0 && bandwidth.is_finite();
        demand(is_width, "the kernel", "bandwidth", bandwidth, "more than 0")?;
        let mut random = Random::new(seed);
        let frequencies = (0..FEATURES * n_inputs)
            .map(|_| random.normal() / bandwidth)
            .collect();
        let phases = (0..FEATURES)
            .map(|_| std::f64::consts::TAU * random.uniform())
            .collect();
        Ok(Self {
            n_inputs,
            frequencies,
            phases,
        })
    }

    /// Adds what it makes of one frame to a sum.
    ///
    /// # Errors
    /// There are more or fewer values than inputs, or one is not finite.
    pub fn add(&self, values: &[f64], sum: &mut KernelSum) -> Result<(), DriftError> {
        if values.len() != self.n_inputs {
            return Err(DriftError::Mismatch {
                what: "a kernel and values of another number",
            });
        }
        for value in values {
            finite(*value)?;
        }
        let scale = (2.0 / FEATURES as f64).sqrt();
        let features = self.frequencies.chunks(self.n_inputs).zip(&self.phases);
        for (sum, (frequencies, phase)) in sum.features.iter_mut().zip(features) {
            let angle = frequencies.iter().zip(values).map(|(a, b)| a * b).sum::<f64>() + phase;
            *sum += scale * angle.cos();
        }
        sum.n += 1;
        Ok(())
    }
}

/// Features of some frames, summed. Joins to rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelSum {
    n: u64,
    features: Vec<f64>,
}

impl Default for KernelSum {
    fn default() -> Self {
        Self {
            n: 0,
            features: vec![0.0; FEATURES],
        }
    }
}

impl KernelSum {
    /// Frames.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Adds the frames of another.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.features
            .iter_mut()
            .zip(&other.features)
            .for_each(|(sum, more)| *sum += more);
    }

    /// The mean of its features, in the precision that a profile keeps; none of no frames.
    #[must_use]
    pub fn mean(&self) -> Option<Vec<f32>> {
        (self.n > 0).then(|| {
            self.features
                .iter()
                .map(|sum| (sum / self.n as f64) as f32)
                .collect()
        })
    }

    /// The squared distance of its mean from another's; none of no frames, or where sizes differ.
    #[must_use]
    pub fn squared_distance(&self, mean: &[f32]) -> Option<f64> {
        if self.n == 0 || mean.len() != FEATURES {
            return None;
        }
        let n = self.n as f64;
        let apart = |(sum, mean): (&f64, &f32)| sum / n - f64::from(*mean);
        Some(self.features.iter().zip(mean).map(apart).map(|d| d * d).sum())
    }

    /// The number of a block for its chart: the logarithm of [`Self::squared_distance`].
    #[must_use]
    pub fn statistic(&self, mean: &[f32]) -> Option<f64> {
        self.squared_distance(mean)
            .map(|distance| distance.max(LEAST_DISTANCE).ln())
    }
}

/// The median distance between frames of the first and of the second half of a sample, from which a bandwidth is taken:
/// .6 of it for a family of seven features. None of fewer than two frames, or where all are equal.
#[must_use]
pub fn median_distance(frames: &[Vec<f64>]) -> Option<f64> {
    let (first, second) = frames.split_at(frames.len() / 2);
    let distance = |(a, b): (&Vec<f64>, &Vec<f64>)| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f64>()
            .sqrt()
    };
    let distances: Vec<f64> = first.iter().zip(second).map(distance).collect();
    quantile(&distances, 0.5).filter(|median| *median > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: usize, shift: f64, random: &mut Random) -> Vec<Vec<f64>> {
        (0..n)
            .map(|_| (0..3).map(|_| random.normal() + shift).collect())
            .collect()
    }

    fn sum(kernel: &Kernel, points: &[Vec<f64>]) -> KernelSum {
        let mut sum = KernelSum::default();
        points
            .iter()
            .for_each(|point| kernel.add(point, &mut sum).unwrap());
        sum
    }

    /// The squared distance is, over seeds, that of the kernel itself, computed from all pairs.
    #[test]
    fn random_features_have_the_kernel_s_distance_on_average() {
        let mut random = Random::new(2);
        let (a, b) = (points(100, 0.0, &mut random), points(100, 0.4, &mut random));
        let bandwidth = 1.5;
        let between = |a: &[Vec<f64>], b: &[Vec<f64>]| {
            let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
            let kernel = |(x, y): (&Vec<f64>, &Vec<f64>)| {
                let squared: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
                (-squared / (2.0 * bandwidth * bandwidth)).exp()
            };
            pairs.map(kernel).sum::<f64>() / (a.len() * b.len()) as f64
        };
        let exact = between(&a, &a) + between(&b, &b) - 2.0 * between(&a, &b);
        let found: crate::statistics::Moments = (0..300)
            .map(|seed| {
                let kernel = Kernel::new(3, bandwidth, seed).unwrap();
                let (a, b) = (sum(&kernel, &a), sum(&kernel, &b));
                a.squared_distance(&b.mean().unwrap()).unwrap()
            })
            .collect();
        let error = found.mean().unwrap() - exact;
        let allowed = 3.0 * found.sd().unwrap() / 300f64.sqrt();
        assert!(error.abs() < allowed, "{error} of {exact}, allowed {allowed}");
        assert!(
            found.sd().unwrap() < exact,
            "one seed is near enough to be of use"
        );
    }

    #[test]
    fn parts_join_and_bad_values_are_refused() {
        let mut random = Random::new(3);
        let all = points(50, 0.0, &mut random);
        let kernel = Kernel::new(3, 1.0, 1).unwrap();
        let mut joined = sum(&kernel, &all[..20]);
        joined.merge(&sum(&kernel, &all[20..]));
        let whole = sum(&kernel, &all);
        assert!(joined.squared_distance(&whole.mean().unwrap()).unwrap() < 1e-12);
        assert_eq!(joined.n(), 50);
        assert!(kernel.add(&[1.0, 2.0], &mut joined).is_err());
        assert!(kernel.add(&[1.0, 2.0, f64::NAN], &mut joined).is_err());
        assert_eq!(joined.n(), 50);
        assert_eq!(KernelSum::default().mean(), None);
        assert!(Kernel::new(0, 1.0, 1).is_err() && Kernel::new(3, 0.0, 1).is_err());
        assert_eq!(median_distance(&[vec![0.0], vec![3.0]]), Some(3.0));
        assert_eq!(median_distance(&[vec![0.0]]), None);
    }
}
