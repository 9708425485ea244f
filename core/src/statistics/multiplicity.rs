//! Many tests at once: Benjamini and Hochberg, *Controlling the false discovery rate*, J. R. Statist. Soc. B 57 (1995).

/// Adjusted p values in the order of the given ones: where all with `q <= level` are called findings, at most that share
/// of them is expected to be false. None where a p value is not in 0 to 1. Equals `scipy.stats.false_discovery_control`.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Option<Vec<f64>> {
    if p_values.iter().any(|p| !(0.0..=1.0).contains(p)) {
        return None;
    }
    let n = p_values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; n];
    let mut least = 1.0f64;
    // From the largest down, so that no adjusted value is above one of a larger p.
    for (rank, &place) in order.iter().enumerate().rev() {
        least = least.min(p_values[place] * (n as f64 / (rank + 1) as f64));
        adjusted[place] = least;
    }
    Some(adjusted)
}
