//! What holds for every corruption, and the bits of each.

use super::test_card::{hash, picture};
use super::*;

const SIZE: ImageSize = ImageSize {
    width_px: 64,
    height_px: 48,
};

fn spoiled(corruption: Corruption, severity: Severity, seed: u64, frame: u32) -> Vec<u8> {
    let mut rgba = picture(SIZE.width_px, SIZE.height_px);
    Corruptor::new(seed)
        .apply(corruption, severity, frame, &mut rgba, SIZE)
        .expect("the size is right");
    rgba
}

fn mean_difference(left: &[u8], right: &[u8]) -> f64 {
    let sum: u64 = left
        .iter()
        .zip(right)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / left.len() as f64
}

/// `web/tests/corruptions.rs` compares the same file with what a browser computes.
#[test]
fn corruptions_have_the_bits_that_are_kept() {
    let mut found = String::new();
    for corruption in Corruption::ALL {
        for severity in Severity::ALL {
            let bits = hash(&spoiled(corruption, severity, 11, 3));
            found += &format!("{} {} {bits:016x}\n", corruption.id(), severity.level());
        }
    }
    let kept = include_str!("../../../tests/fixtures/corruption_bits.txt");
    assert!(found == kept, "the bits are now:\n{found}");
}

#[test]
fn names_lead_to_corruptions_and_back() {
    for corruption in Corruption::ALL {
        assert_eq!(Corruption::from_id(corruption.id()), Some(corruption));
    }
    assert_eq!(Corruption::from_id("fog"), None);
    let levels: Vec<u8> = Severity::ALL.iter().map(|severity| severity.level()).collect();
    assert_eq!(levels, [1, 2, 3, 4, 5]);
    assert_eq!((Severity::new(0), Severity::new(6)), (None, None));
}

#[test]
fn more_severe_is_farther_from_the_clean_picture() {
    let clean = picture(SIZE.width_px, SIZE.height_px);
    for corruption in Corruption::ALL {
        if !corruption.has_severities() || corruption == Corruption::LowFrameRate {
            continue;
        }
        let distances =
            Severity::ALL.map(|severity| mean_difference(&clean, &spoiled(corruption, severity, 11, 3)));
        // Turning moves edges over each other: by little it is already all over the place.
        let may_fall = if corruption == Corruption::Rotation {
            3.0
        } else {
            0.0
        };
        assert!(distances[0] > 0.5, "{corruption:?}: {distances:?}");
        for pair in distances.windows(2) {
            assert!(pair[1] > pair[0] - may_fall, "{corruption:?}: {distances:?}");
        }
    }
}

#[test]
fn noise_has_its_deviation_and_follows_from_seed_and_frame() {
    let size = ImageSize {
        width_px: 200,
        height_px: 200,
    };
    let grey = [128, 128, 128, 255].repeat(200 * 200);
    let noisy = |seed, frame| {
        let mut rgba = grey.clone();
        Corruptor::new(seed)
            .apply(Corruption::Noise, Severity(1), frame, &mut rgba, size)
            .expect("the size is right");
        rgba
    };
    let rgba = noisy(1, 0);
    let values: Vec<f64> = rgba
        .chunks_exact(4)
        .flat_map(|pixel| &pixel[..3])
        .map(|&value| f64::from(value) - 128.0)
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviation = (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt();
    // 120,000 numbers: three standard errors of either.
    assert!(mean.abs() < 0.18, "mean {mean}");
    assert!((deviation - 20.4).abs() < 0.15, "deviation {deviation}");
    assert_eq!(rgba, noisy(1, 0));
    assert_ne!(rgba, noisy(1, 1), "each frame has its own");
    assert_ne!(rgba, noisy(2, 0), "each seed has its own");
}

#[test]
fn blur_has_the_variance_of_its_gaussian() {
    let side = 101_usize;
    let size = ImageSize {
        width_px: 101,
        height_px: 101,
    };
    for (severity, sigma) in Severity::ALL.into_iter().zip([1.0, 2.0, 3.0, 4.0, 6.0_f64]) {
        // A bright column: along x the profile is the filter's own.
        let mut rgba: Vec<u8> = (0..side * side)
            .flat_map(|index| {
                if index % side == 50 {
                    [255, 255, 255, 255]
                } else {
                    [0, 0, 0, 255]
                }
            })
            .collect();
        Corruptor::new(0)
            .apply(Corruption::Blur, severity, 0, &mut rgba, size)
            .expect("the size is right");
        let row = &rgba[4 * side * 50..4 * side * 51];
        let profile: Vec<f64> = row.chunks_exact(4).map(|pixel| f64::from(pixel[0])).collect();
        let sum: f64 = profile.iter().sum();
        let variance: f64 = profile
            .iter()
            .enumerate()
            .map(|(x, value)| value / sum * (x as f64 - 50.0).powi(2))
            .sum();
        assert!(
            (variance.sqrt() / sigma - 1.0).abs() < 0.04,
            "{sigma}: {}",
            variance.sqrt()
        );
    }
}

#[test]
fn a_mark_is_found_where_the_truth_says_that_it_moved() {
    let size = ImageSize {
        width_px: 120,
        height_px: 90,
    };
    let middle_of = |index: usize| Point2::new((index % 120) as f32 + 0.5, (index / 120) as f32 + 0.5);
    let mark = Point2::new(80.5, 30.5);
    for corruption in [Corruption::Rotation, Corruption::Scale, Corruption::Mirrored] {
        for severity in Severity::ALL {
            // On black, as what is beyond the picture; large enough that something is left of it when it is shrunk.
            let is_mark = |at: Point2| (at.x - mark.x).abs() < 5.0 && (at.y - mark.y).abs() < 5.0;
            let mut rgba: Vec<u8> = (0..120 * 90)
                .flat_map(|index| [if is_mark(middle_of(index)) { 250 } else { 0 }; 4])
                .collect();
            Corruptor::new(3)
                .apply(corruption, severity, 0, &mut rgba, size)
                .expect("the size is right");
            let (mut weight, mut sum) = (0.0, Point2::default());
            for (index, pixel) in rgba.chunks_exact(4).enumerate() {
                let (at, value) = (middle_of(index), f32::from(pixel[0]));
                weight += value;
                sum = Point2::new(sum.x + value * at.x, sum.y + value * at.y);
            }
            let found = Point2::new(sum.x / weight, sum.y / weight);
            let expected = corruption.moves(severity, size, mark);
            assert!(
                found.distance(expected) < 0.1 && expected.distance(mark) > 1.0,
                "{corruption:?} {severity:?}: {found:?} and not {expected:?}"
            );
        }
    }
    assert_eq!(Corruption::Jpeg.moves(Severity(5), size, mark), mark);
    assert!(Corruption::Mirrored.swaps_sides() && !Corruption::Rotation.swaps_sides());
}

#[test]
fn a_low_frame_rate_shows_the_first_of_each_group() {
    let mut corruptor = Corruptor::new(0);
    let size = ImageSize {
        width_px: 1,
        height_px: 1,
    };
    let mut shown = |index: u32| {
        let mut rgba = [index as u8; 4];
        corruptor
            .apply(Corruption::LowFrameRate, Severity(3), index, &mut rgba, size)
            .expect("the size is right");
        rgba[0]
    };
    // Groups of five; 10 to 12 were dropped on the way; then a source begins anew.
    let indices = [0, 1, 4, 5, 6, 9, 13, 14, 15, 2, 3];
    assert_eq!(indices.map(&mut shown), [0, 0, 0, 5, 5, 5, 13, 13, 15, 2, 2]);
}

#[test]
fn pictures_of_any_size_are_spoiled_and_wrong_sizes_refused() {
    for (width_px, height_px) in [(0, 0), (0, 5), (1, 1), (1, 9), (2, 1), (7, 3), (17, 16)] {
        let size = ImageSize { width_px, height_px };
        for corruption in Corruption::ALL {
            for severity in Severity::ALL {
                let mut rgba = picture(width_px, height_px);
                let mut corruptor = Corruptor::new(5);
                assert_eq!(corruptor.apply(corruption, severity, 0, &mut rgba, size), Ok(()));
                rgba.push(0);
                let refused = corruptor.apply(corruption, severity, 0, &mut rgba, size);
                let error = refused.expect_err("a byte too many");
                assert!(
                    error.to_string().contains(&format!("{} bytes", rgba.len())),
                    "{error}"
                );
            }
        }
    }
    let endless = ImageSize {
        width_px: u32::MAX,
        height_px: u32::MAX,
    };
    assert!(
        Corruptor::new(0)
            .apply(Corruption::Dark, Severity(1), 0, &mut [], endless)
            .is_err()
    );
}
