//! Quantiles of a sample, by linear interpolation between its ordered values: definition 7 of Hyndman and Fan, *Sample
//! quantiles in statistical packages*, The American Statistician 50 (1996), which is numpy's.

/// The `p`-quantile of numbers that are in order. None of none, or where `p` lies outside of 0 to 1.
#[must_use]
pub fn quantile_of_sorted(sorted: &[f64], p: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let place = p * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let part = place - below as f64;
    let (low, high) = (sorted[below], sorted[above]);
    // From the nearer end, as numpy does, so that both ends are met exactly.
    Some(if part < 0.5 {
        low + (high - low) * part
    } else {
        high - (high - low) * (1.0 - part)
    })
}

/// The `p`-quantile of numbers in any order. None of none, where `p` lies outside of 0 to 1, or where a number is NaN.
#[must_use]
pub fn quantile(numbers: &[f64], p: f64) -> Option<f64> {
    if numbers.iter().any(|x| x.is_nan()) {
        return None;
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_of_sorted(&sorted, p)
}
