//! Square roots of small covariances, by Jacobi's rotations (Golub and Van Loan, *Matrix Computations*, 8.5).

/// For a symmetric matrix C of `n` rows, row by row: a matrix A with `A Aᵀ = C`, or, where C has negative eigenvalues (an
/// estimated covariance may), `A Aᵀ` = C with zeros in their place. Empty where the sizes do not fit.
#[must_use]
pub fn covariance_root(matrix: &[f64], n: usize) -> Vec<f64> {
    if matrix.len() != n * n {
        return Vec::new();
    }
    let mut a = matrix.to_vec();
    let mut vectors: Vec<f64> = (0..n * n)
        .map(|place| if place % (n + 1) == 0 { 1.0 } else { 0.0 })
        .collect();
    let size: f64 = a.iter().map(|x| x * x).sum();
    // Each sweep squares what is left beside the diagonal; six are enough for doubles, and thirty for anything.
    for _ in 0..30 {
        let beside: f64 = (0..n * n)
            .filter(|place| place % (n + 1) != 0)
            .map(|place| a[place] * a[place])
            .sum();
        if beside <= 1e-32 * size {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, p, q);
            }
        }
    }
    for row in vectors.chunks_mut(n) {
        for (column, x) in row.iter_mut().enumerate() {
            *x *= a[column * n + column].max(0.0).sqrt();
        }
    }
    vectors
}

/// Turns rows and columns p and q so that what they share becomes 0.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let shared = a[p * n + q];
    if shared == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * shared);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (vectors[k * n + p], vectors[k * n + q]);
        (vectors[k * n + p], vectors[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn square(a: &[f64], n: usize) -> Vec<f64> {
        let entry = |place: usize| (0..n).map(|k| a[place / n * n + k] * a[place % n * n + k]).sum();
        (0..n * n).map(entry).collect()
    }

    #[test]
    fn roots_square_to_their_covariance() {
        let mut random = Random::new(1);
        for n in [1, 2, 5, 18] {
            // Two columns fewer than rows, so eigenvalues of 0 are there too.
            let rows: Vec<f64> = (0..n * n)
                .map(|place| {
                    if place % n + 2 < n + 1 {
                        random.normal()
                    } else {
                        0.0
                    }
                })
                .collect();
            let covariance = square(&rows, n);
            let again = square(&covariance_root(&covariance, n), n);
            let error = covariance
                .iter()
                .zip(&again)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            assert!(error < 1e-12 * n as f64, "{n}: {error}");
        }
    }

    /// [[1, 2], [2, 1]] has eigenvalues 3 and -1, the first along (1, 1)/sqrt 2.
    #[test]
    fn negative_eigenvalues_count_as_zero() {
        let again = square(&covariance_root(&[1.0, 2.0, 2.0, 1.0], 2), 2);
        assert!(again.iter().all(|x| (x - 1.5).abs() < 1e-14), "{again:?}");
        assert!(covariance_root(&[1.0], 2).is_empty());
    }
}
