//! What metrics, drift and monitoring count with: sums, moments, histograms, intervals, distributions, seeded random numbers.
//!
//! All in f64, pure, without a clock. Seeds come in, so every result can be had again. What cannot be said of the
//! given numbers is `None`, never NaN.
//!
//! Summaries can be joined. *Exact* ones hold integers: joined in any order they are the same bits ([`histogram`]).
//! Those *to rounding* hold f64: any order agrees to about 1e-12 of the largest term ([`sums`], [`moments`]).

pub mod autocorrelation;
pub mod distributions;
pub mod histogram;
pub mod intervals;
pub mod kolmogorov;
pub mod moments;
pub mod multiplicity;
pub mod quantiles;
pub mod random;
pub mod special;
pub mod sums;
pub mod symmetric;

pub use autocorrelation::{Dyadic, lag_one};
pub use histogram::{Cells, Histogram};
pub use intervals::{Interval, bootstrap, wilson};
pub use moments::Moments;
pub use multiplicity::benjamini_hochberg;
pub use quantiles::{quantile, quantile_of_sorted};
pub use random::Random;
pub use sums::Sum;
