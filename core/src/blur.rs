//! A Gaussian blur in time that does not depend on its radius: three running means, one after the other, along rows and
//! along columns.

/// Blurs `[height, width, channels]` values with about this standard deviation in pixels. Beyond the border the nearest
/// values repeat. Below half a pixel nothing changes.
pub(crate) fn blur(values: &mut [f32], width: usize, height: usize, channels: usize, deviation_px: f32) {
    // Not for a NaN either.
    let is_wide_enough = deviation_px >= 0.5;
    if !is_wide_enough || width == 0 || height == 0 {
        return;
    }
    let mut line = Vec::new();
    for radius in radii(deviation_px) {
        for row in values.chunks_exact_mut(width * channels) {
            for channel in 0..channels {
                running_mean(row, channel, channels, width, radius, &mut line);
            }
        }
        for column in 0..width * channels {
            running_mean(values, column, width * channels, height, radius, &mut line);
        }
    }
}

/// The radii of three running means that together have this deviation: a mean over 2r + 1 values has the variance
/// r (r + 1) / 3, and variances add up.
fn radii(deviation: f32) -> [usize; 3] {
    let variance = deviation * deviation;
    let smaller = ((variance + 0.25).sqrt() - 0.5).floor();
    let reached = smaller * (smaller + 1.0);
    // How many of the three have to be larger by one; each step adds 2 (r + 1) / 3.
    let larger = ((3.0 * variance - 3.0 * reached) / (2.0 * (smaller + 1.0))).round() as usize;
    [0, 1, 2].map(|index| smaller as usize + usize::from(index < larger))
}

/// Replaces each of `count` values, `step` apart from `first` on, by the mean of itself and `radius` neighbours on
/// either side.
fn running_mean(
    values: &mut [f32],
    first: usize,
    step: usize,
    count: usize,
    radius: usize,
    line: &mut Vec<f32>,
) {
    line.clear();
    line.extend(values[first..].iter().step_by(step).take(count));
    let at = |index: isize| f64::from(line[index.clamp(0, count as isize - 1) as usize]);
    let reach = radius as isize;
    // Sums of many values are kept in f64, so that nothing drifts along a line.
    let mut sum: f64 = (-reach..=reach).map(at).sum();
    let share = 1.0 / (2 * radius + 1) as f64;
    for (index, value) in values[first..].iter_mut().step_by(step).take(count).enumerate() {
        *value = (sum * share) as f32;
        sum += at(index as isize + reach + 1) - at(index as isize - reach);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_bell_of_the_asked_deviation() {
        let side = 101;
        for deviation in [1.0, 2.5, 7.0, 12.0] {
            let mut values = vec![0.0; side * side];
            values[50 * side + 50] = 1.0;
            blur(&mut values, side, side, 1, deviation);
            let total: f32 = values.iter().sum();
            assert!((total - 1.0).abs() < 1e-3, "{deviation}: sum {total}");
            let variance: f32 = values
                .iter()
                .enumerate()
                .map(|(index, value)| value * ((index % side) as f32 - 50.0).powi(2))
                .sum();
            let found = variance.sqrt();
            assert!(
                (found - deviation).abs() < 0.08 * deviation + 0.15,
                "{found} instead of {deviation}"
            );
        }
    }

    #[test]
    fn what_is_the_same_everywhere_stays_as_it_is() {
        let mut values = vec![0.25; 5 * 4 * 3];
        blur(&mut values, 5, 4, 3, 9.0);
        assert!(values.iter().all(|value| (value - 0.25).abs() < 1e-6));
    }

    #[test]
    fn channels_do_not_mix_and_no_radius_changes_nothing() {
        let values: Vec<f32> = (0..24)
            .map(|index| if index % 2 == 0 { index as f32 } else { 1.0 })
            .collect();
        let mut blurred = values.clone();
        blur(&mut blurred, 4, 3, 2, 2.0);
        assert!(
            blurred
                .iter()
                .skip(1)
                .step_by(2)
                .all(|&value| (value - 1.0).abs() < 1e-6)
        );
        for deviation in [0.0, 0.49, f32::NAN, -3.0] {
            let mut same = values.clone();
            blur(&mut same, 4, 3, 2, deviation);
            assert_eq!(same, values, "deviation {deviation}");
        }
        blur(&mut [], 0, 0, 1, 3.0);
    }
}
