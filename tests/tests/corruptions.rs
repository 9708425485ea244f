//! Spoiled pictures are those of Pillow and of the formulas that are stated: `tests/reference/corruptions.py` wrote what
//! both make of a small picture.

use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::geometry::ImageSize;
use plumbline_tests::read;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    width: u32,
    height: u32,
    clean: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    corruption: String,
    severity: u8,
    rgb: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).expect("the fixture holds bytes");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Largest difference of a level that is allowed, and their mean.
fn tolerance(corruption: Corruption) -> (u8, f64) {
    match corruption {
        // Pillow cuts off what stands behind the point.
        Corruption::Rotation => (1, 0.5),
        // libjpeg's transform computes in integers. Where a frequency lies between two steps, it may round to the other.
        Corruption::Jpeg => (12, 0.5),
        _ => (0, 0.0),
    }
}

#[test]
fn spoiled_pictures_are_those_of_the_references() {
    let fixture: Fixture =
        serde_json::from_str(&read("tests/fixtures/corruptions.json")).expect("the fixture is JSON");
    let size = ImageSize {
        width_px: fixture.width,
        height_px: fixture.height,
    };
    let clean: Vec<u8> = bytes(&fixture.clean)
        .chunks_exact(3)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 77])
        .collect();
    let mut seen = 0;
    for case in fixture.cases {
        let corruption = Corruption::from_id(&case.corruption).expect("the script knows their names");
        let severity = Severity::new(case.severity).expect("1 to 5");
        let mut rgba = clean.clone();
        Corruptor::new(1)
            .apply(corruption, severity, 0, &mut rgba, size)
            .expect("the size is right");
        let rgb: Vec<u8> = rgba
            .chunks_exact(4)
            .flat_map(|pixel| &pixel[..3])
            .copied()
            .collect();
        let differences: Vec<u8> = rgb
            .iter()
            .zip(bytes(&case.rgb))
            .map(|(found, expected)| found.abs_diff(expected))
            .collect();
        let largest = differences.iter().copied().max().unwrap_or(0);
        let mean = differences.iter().map(|&d| f64::from(d)).sum::<f64>() / differences.len() as f64;
        let (may_be, may_mean) = tolerance(corruption);
        println!(
            "{} {}: largest {largest}, mean {mean:.3}",
            case.corruption, case.severity
        );
        assert!(
            largest <= may_be && mean <= may_mean,
            "{} {}: largest difference {largest}, mean {mean:.3}",
            case.corruption,
            case.severity
        );
        assert!(rgba.chunks_exact(4).all(|pixel| pixel[3] == 77), "alpha stays");
        seen += 1;
    }
    assert_eq!(seen, 46);
}
