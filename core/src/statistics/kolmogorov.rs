//! How large the largest distance of two distribution functions becomes by chance.
//!
//! [`two_sample_tail`] counts paths and is exact: Hodges, *The significance probability of the Smirnov two-sample test*,
//! Arkiv för Matematik 3 (1958). [`one_sample_tail`] is the law of one sample's distance from its own distribution,
//! which stands for two large samples at n m / (n + m) values; computed as scipy's `kstwo` chooses after Simard and
//! L'Ecuyer, *Computing the two-sided Kolmogorov-Smirnov distribution*, J. Statist. Software 39 (2011).

use super::sums::Sum;
use std::f64::consts::{FRAC_PI_2, PI};

/// The chance that two samples of `n` and `m` values of one distribution lie at least `distance / (n m)` apart. Takes n m
/// steps and n numbers of memory.
#[must_use]
pub fn two_sample_tail(n: usize, m: usize, distance: u128) -> f64 {
    let (n_steps, m_steps) = (n as u128, m as u128);
    let is_out = |i: u128, j: u128| (i * m_steps).abs_diff(j * n_steps) >= distance;
    // reached[i]: the chance that a path to (i, j), all equally likely, was out somewhere.
    let mut reached = vec![0.0; n + 1];
    for j in 0..=m_steps {
        for i in 0..=n_steps {
            let place = i as usize;
            reached[place] = if is_out(i, j) {
                1.0
            } else if i == 0 {
                reached[0]
            } else {
                let from_left = if j == 0 { 1.0 } else { i as f64 / (i + j) as f64 };
                let left: f64 = reached[place - 1];
                if j == 0 {
                    left
                } else {
                    from_left * left + (1.0 - from_left) * reached[place]
                }
            };
        }
    }
    reached[n]
}

/// The chance that the distribution function of `n` values lies `distance` or more from the one that they are drawn of.
#[must_use]
pub fn one_sample_tail(n: u64, distance: f64) -> f64 {
    if n == 0 || distance <= 0.0 {
        return 1.0;
    }
    if distance >= 1.0 {
        return 0.0;
    }
    let values = n as f64;
    let (t, t_squared) = (values * distance, values * distance * distance);
    if t <= 0.5 {
        return 1.0;
    }
    let twice_one_sided = || (2.0 * smirnov_tail(n, distance)).min(1.0);
    if distance >= 0.5 {
        return twice_one_sided();
    }
    let is_small = n <= 140;
    if t_squared >= if is_small { 4.0 } else { 2.2 } {
        twice_one_sided()
    } else if is_small || (n <= 100_000 && values * distance.powf(1.5) <= 1.4) {
        1.0 - matrix_cdf(n, distance)
    } else {
        (1.0 - pelz_good_cdf(values, distance)).clamp(0.0, 1.0)
    }
}

/// The chance of a distance to one side (Smirnov; Birnbaum and Tingey, 1951).
fn smirnov_tail(n: u64, distance: f64) -> f64 {
    let values = n as f64;
    let last = (values * (1.0 - distance)).floor() as u64;
    let mut log_binomial = Sum::default();
    let mut total = Sum::default();
    for j in 0..=last {
        let at = j as f64;
        let (a, b) = (distance + at / values, 1.0 - distance - at / values);
        let powers = (at - 1.0) * a.ln()
            + if j == n {
                0.0
            } else {
                (values - at) * b.max(0.0).ln()
            };
        total.add((log_binomial.value() + powers).exp());
        log_binomial.add((values - at).ln());
        log_binomial.add(-(at + 1.0).ln());
    }
    (distance * total.value()).clamp(0.0, 1.0)
}

/// The exact distribution as a power of a matrix: Marsaglia, Tsang and Wang, *Evaluating Kolmogorov's distribution*, J.
/// Statist. Software 8 (2003), after Durbin.
fn matrix_cdf(n: u64, distance: f64) -> f64 {
    let t = n as f64 * distance;
    let k = t.ceil().max(1.0) as usize;
    let h = k as f64 - t;
    let size = 2 * k - 1;
    let mut matrix = vec![0.0; size * size];
    let factorials: Vec<f64> = (0..=size)
        .scan(1.0, |product, i| {
            *product *= i.max(1) as f64;
            Some(*product)
        })
        .collect();
    for row in 0..size {
        for column in 0..=(row + 1).min(size - 1) {
            matrix[row * size + column] = 1.0 / factorials[row + 1 - column];
        }
    }
    for place in 0..size {
        let power = h.powi(place as i32 + 1) / factorials[place + 1];
        matrix[place * size] -= power;
        matrix[(size - 1) * size + (size - 1 - place)] -= h.powi(place as i32 + 1) / factorials[place + 1];
    }
    let corner = (2.0 * h - 1.0).max(0.0).powi(size as i32) / factorials[size];
    matrix[(size - 1) * size] += corner;
    let (power, mut exponent) = matrix_power(&matrix, size, n);
    let mut cdf = power[(k - 1) * size + (k - 1)];
    // Times n! / n^n, step by step so that nothing overflows.
    for i in 1..=n {
        cdf *= i as f64 / n as f64;
        if cdf < 1e-140 {
            cdf *= 1e140;
            exponent -= 140;
        }
    }
    (cdf * 10f64.powi(exponent)).clamp(0.0, 1.0)
}

/// The `n`-th power, and the power of ten that it must be multiplied by.
fn matrix_power(matrix: &[f64], size: usize, n: u64) -> (Vec<f64>, i32) {
    let mut power: Vec<f64> = (0..size * size)
        .map(|place| if place % (size + 1) == 0 { 1.0 } else { 0.0 })
        .collect();
    let mut exponent = 0;
    for bit in (0..u64::BITS - n.leading_zeros()).rev() {
        power = product(&power, &power, size);
        exponent *= 2;
        if n >> bit & 1 == 1 {
            power = product(&power, matrix, size);
        }
        if power[(size / 2) * (size + 1)] > 1e140 {
            power.iter_mut().for_each(|x| *x *= 1e-140);
            exponent += 140;
        }
    }
    (power, exponent)
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut result = vec![0.0; size * size];
    for (row, sums) in a.chunks(size).zip(result.chunks_mut(size)) {
        for (factor, line) in row.iter().zip(b.chunks(size)) {
            for (sum, x) in sums.iter_mut().zip(line) {
                *sum += factor * x;
            }
        }
    }
    result
}

/// The expansion of Pelz and Good, *Approximating the lower tail-areas of the Kolmogorov-Smirnov one-sample statistic*,
/// J. R. Statist. Soc. B 38 (1976), as Simard and L'Ecuyer print it.
fn pelz_good_cdf(n: f64, distance: f64) -> f64 {
    let z = n.sqrt() * distance;
    let (z2, p2) = (z * z, PI * PI);
    let (z4, z6, z8) = (z2 * z2, z2 * z2 * z2, z2 * z2 * z2 * z2);
    let (mut k0, mut k1, mut k2, mut k3) = (0.0, 0.0, 0.0, 0.0);
    let (mut whole2, mut whole3) = (0.0, 0.0);
    // Both signs of k give the same, so one half counts twice.
    for k in 0..40 {
        let half = p2 * (f64::from(k) + 0.5).powi(2);
        let weight = 2.0 * (-half / (2.0 * z2)).exp();
        k0 += weight / 2.0;
        k1 += (half - z2) * weight;
        k2 +=
            ((6.0 * z6 + 2.0 * z4) + (2.0 * z4 - 5.0 * z2) * half + (1.0 - 2.0 * z2) * half * half) * weight;
        k3 += ((5.0 - 30.0 * z2) * half.powi(3)
            + (-60.0 * z2 + 212.0 * z4) * half * half
            + (135.0 * z4 - 96.0 * z6) * half
            - 30.0 * z6
            - 90.0 * z8)
            * weight;
        let whole = p2 * f64::from(k).powi(2);
        let weight = 2.0 * (-whole / (2.0 * z2)).exp();
        whole2 += whole * weight;
        whole3 += (3.0 * whole * z2 - whole * whole) * weight;
    }
    let root = FRAC_PI_2.sqrt();
    k0 *= (2.0 * PI).sqrt() / z;
    k1 *= root / (6.0 * z4);
    k2 = root * (k2 / (72.0 * z6 * z) - whole2 / (36.0 * z2 * z));
    k3 = root * (k3 / (6480.0 * z8 * z2) + whole3 / (216.0 * z6));
    k0 + k1 / n.sqrt() + k2 / n + k3 / (n * n.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two against one value: of the three orders, the single one is outside in two (distance 1), between in one (1/2).
    #[test]
    fn small_samples_by_hand() {
        assert!((two_sample_tail(2, 1, 2) - 2.0 / 3.0).abs() < 1e-15);
        assert!((two_sample_tail(2, 1, 1) - 1.0).abs() < 1e-15);
        assert_eq!(two_sample_tail(2, 1, 3), 0.0);
        // Ten against ten without an overlap: two of 184,756 orders.
        assert!((two_sample_tail(10, 10, 100) - 2.0 / 184_756.0).abs() < 1e-18);
    }

    /// Marsaglia, Tsang and Wang's own example: K(10, 0.274) = 0.6284796154565.
    #[test]
    fn the_matrix_gives_the_published_value() {
        assert!((matrix_cdf(10, 0.274) - 0.628_479_615_456_504_3).abs() < 1e-13);
    }
}
