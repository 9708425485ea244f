//! The detector's anchors: the grid points that its boxes are relative to.
//!
//! A single-shot detector with five layers of strides 8, 16, 32, 32 and 32; layers of one stride share a grid and
//! put two anchors each on every cell's centre. All anchors have size 1, so that a centre is all that is left of
//! one (MediaPipe: `SsdAnchorsCalculator` with the options of `pose_detection.pbtxt`).

use crate::geometry::Point2;
use crate::preprocess::DETECTOR_SIDE_PX;

/// Stride of a grid in input px, and anchors on each of its cells.
const GRIDS: [(usize, usize); 3] = [(8, 2), (16, 2), (32, 6)];

/// How many anchors there are: 28x28x2 + 14x14x2 + 7x7x6.
pub const ANCHOR_COUNT: usize = 2254;

/// Centres of all anchors in fractions of the detector's input, in the order of its output rows: grid by grid, row
/// by row, cell by cell.
pub fn anchors() -> Vec<Point2> {
    let mut centers = Vec::with_capacity(ANCHOR_COUNT);
    for (stride_px, anchors_per_cell) in GRIDS {
        let cells = DETECTOR_SIDE_PX / stride_px;
        for row in 0..cells {
            for column in 0..cells {
                let center = Point2::new(
                    (column as f32 + 0.5) / cells as f32,
                    (row as f32 + 0.5) / cells as f32,
                );
                centers.extend(std::iter::repeat_n(center, anchors_per_cell));
            }
        }
    }
    centers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries worked out by hand: index -> cell of its grid.
    #[test]
    fn anchors_lie_on_cell_centres() {
        let anchors = anchors();
        assert_eq!(anchors.len(), ANCHOR_COUNT);
        for (index, x, y) in [
            (0, 0.5 / 28.0, 0.5 / 28.0),
            (1, 0.5 / 28.0, 0.5 / 28.0),
            (2, 1.5 / 28.0, 0.5 / 28.0),
            (56, 0.5 / 28.0, 1.5 / 28.0),
            (1567, 27.5 / 28.0, 27.5 / 28.0),
            (1568, 0.5 / 14.0, 0.5 / 14.0),
            (1568 + 28 + 3, 1.5 / 14.0, 1.5 / 14.0),
            (1960, 0.5 / 7.0, 0.5 / 7.0),
            (1960 + 5, 0.5 / 7.0, 0.5 / 7.0),
            (1960 + 6, 1.5 / 7.0, 0.5 / 7.0),
            (2253, 6.5 / 7.0, 6.5 / 7.0),
        ] {
            assert!(
                anchors[index].distance(Point2::new(x, y)) < 1e-6,
                "anchor {index}: {:?}",
                anchors[index]
            );
        }
    }
}
