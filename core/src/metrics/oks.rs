//! Object keypoint similarity: how near predicted points are to labelled ones, 0 to 1, in the size of the person and of
//! what people themselves disagree by.
//!
//! The mean over labelled points of `exp(-d² / (2 · area · (2σ)²))`. Source: COCO's evaluation code (`cocoeval.py`,
//! `computeOks`, pycocotools 2.0.11), whose order of operations and added 2⁻⁵² are kept, so that matches agree to the bit.

/// COCO's standard deviations by point, in the order of its 17. They are quotients there: 1.07 / 10 is not 0.107.
pub const SIGMAS_COCO: [f64; 17] = [
    0.26 / 10.0,
    0.25 / 10.0,
    0.25 / 10.0,
    0.35 / 10.0,
    0.35 / 10.0,
    0.79 / 10.0,
    0.79 / 10.0,
    0.72 / 10.0,
    0.72 / 10.0,
    0.62 / 10.0,
    0.62 / 10.0,
    1.07 / 10.0,
    1.07 / 10.0,
    0.87 / 10.0,
    0.87 / 10.0,
    0.89 / 10.0,
    0.89 / 10.0,
];

/// A labelled person.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthPose<const N: usize> {
    /// Pixels from the left and upper edge.
    pub points: [[f64; 2]; N],
    /// Whether the point is labelled (COCO's `v > 0`), hidden or not.
    pub is_labelled: [bool; N],
    /// Of the person's outline, in square pixels.
    pub area: f64,
    /// Left, top, width, height in pixels.
    pub bbox: [f64; 4],
}

impl<const N: usize> TruthPose<N> {
    /// How many points are labelled.
    pub fn labelled(&self) -> usize {
        self.is_labelled.iter().filter(|is| **is).count()
    }
}

/// The similarity of `predicted` and `truth`, both in pixels. Where no point is labelled, distances are those to the
/// person's box, doubled around its middle: predictions inside of it are then as good as can be.
pub fn oks<const N: usize>(predicted: &[[f64; 2]; N], truth: &TruthPose<N>, sigmas: &[f64; N]) -> f64 {
    let n_labelled = truth.labelled();
    let [left, top, width, height] = truth.bbox;
    let (x_low, x_high) = (left - width, left + width * 2.0);
    let (y_low, y_high) = (top - height, top + height * 2.0);
    let mut sum = 0.0;
    for point in 0..N {
        let [x, y] = predicted[point];
        let (dx, dy) = if n_labelled > 0 {
            if !truth.is_labelled[point] {
                continue;
            }
            (x - truth.points[point][0], y - truth.points[point][1])
        } else {
            (
                (x_low - x).max(0.0) + (x - x_high).max(0.0),
                (y_low - y).max(0.0) + (y - y_high).max(0.0),
            )
        };
        let spread = sigmas[point] * 2.0;
        let spread = spread * spread;
        sum += (-((dx * dx + dy * dy) / spread / (truth.area + f64::EPSILON) / 2.0)).exp();
    }
    sum / if n_labelled > 0 {
        n_labelled as f64
    } else {
        N as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(is_labelled: bool) -> TruthPose<17> {
        TruthPose {
            points: std::array::from_fn(|point| [point as f64, 2.0 * point as f64]),
            is_labelled: [is_labelled; 17],
            area: 400.0,
            bbox: [10.0, 20.0, 30.0, 40.0],
        }
    }

    #[test]
    fn sigmas_are_quotients() {
        assert_eq!(SIGMAS_COCO[11], 0.107_000_000_000_000_01);
        assert_ne!(SIGMAS_COCO[11], 0.107);
        assert_eq!(SIGMAS_COCO[3], 0.034_999_999_999_999_996);
    }

    #[test]
    fn similarity_falls_with_distance() {
        let truth = person(true);
        assert_eq!(oks(&truth.points, &truth, &SIGMAS_COCO), 1.0);
        let moved = truth.points.map(|[x, y]| [x + 3.0, y]);
        let expected: f64 = SIGMAS_COCO
            .iter()
            .map(|s| (-9.0 / (8.0 * s * s * 400.0)).exp())
            .sum::<f64>()
            / 17.0;
        assert!((oks(&moved, &truth, &SIGMAS_COCO) - expected).abs() < 1e-12);
    }

    #[test]
    fn points_that_are_not_labelled_do_not_count() {
        let mut truth = person(true);
        let mut predicted = truth.points;
        truth.is_labelled[4] = false;
        predicted[4] = [1e6, 1e6];
        assert_eq!(oks(&predicted, &truth, &SIGMAS_COCO), 1.0);
    }

    #[test]
    fn without_labels_the_doubled_box_counts() {
        let truth = person(false);
        // The box is 10..40 by 20..60, doubled around: -20..70 by -20..100.
        for (place, is_inside) in [
            ([-20.0, 100.0], true),
            ([70.0, -20.0], true),
            ([70.5, 0.0], false),
        ] {
            let similarity = oks(&[place; 17], &truth, &SIGMAS_COCO);
            assert_eq!(similarity == 1.0, is_inside, "{place:?}: {similarity}");
        }
    }

    #[test]
    fn an_area_of_zero_is_allowed() {
        let mut truth = person(true);
        truth.area = 0.0;
        assert_eq!(oks(&truth.points, &truth, &SIGMAS_COCO), 1.0);
        let moved = truth.points.map(|[x, y]| [x + 0.1, y]);
        assert_eq!(oks(&moved, &truth, &SIGMAS_COCO), 0.0);
    }
}
