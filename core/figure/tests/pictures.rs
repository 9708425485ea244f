//! Pictures: the same bytes whatever the threads and the platform, a person where the truth says, honest JSON.

use plumbline_figure::appearance::Hair;
use plumbline_figure::{Appearance, Clip, Picture, Quality, Still, demo, stills};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The fingerprint of [`small`] drawn in full quality. A change of the figure's looks changes it: look at the
/// pictures, then write the new one here. The same test runs as WebAssembly in a browser.
const GOLDEN: u64 = 0xe51e_7225_feb3_9fdd;

fn small() -> Still {
    let still = stills::grid()
        .into_iter()
        .find(|still| still.name == "squat90-obl45")
        .expect("it is in the grid");
    Still {
        width_px: 64,
        height_px: 80,
        ..still
    }
}

fn pixel(picture: &Picture, x_px: f64, y_px: f64) -> [i32; 3] {
    let at = 3 * (y_px as usize * picture.width_px + x_px as usize);
    [0, 1, 2].map(|i| i32::from(picture.rgb[at + i]))
}

fn difference(a: [i32; 3], b: [i32; 3]) -> i32 {
    (0..3).map(|i| (a[i] - b[i]).abs()).sum()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn one_small_still_is_what_it_was() {
    assert_eq!(
        small().draw().fingerprint(),
        GOLDEN,
        "{:#018x}",
        small().draw().fingerprint()
    );
}

#[test]
fn threads_do_not_change_the_picture() {
    for quality in [Quality::FULL, Quality::DRAFT] {
        let still = Still {
            width_px: 90,
            height_px: 123,
            quality,
            ..small()
        };
        let alone = still.draw_on(1);
        assert_eq!(
            (alone.width_px, alone.height_px, alone.rgb.len()),
            (90, 123, 3 * 90 * 123)
        );
        for threads in [2, 3, 7] {
            assert_eq!(still.draw_on(threads), alone, "{threads} threads");
        }
        assert_eq!(still.draw(), alone);
    }
}

#[test]
fn joints_lie_inside_the_drawn_person() {
    // Drawn twice before different walls and floors: only the room changes colour, so pixels that stay alike are
    // the person.
    for name in [
        "stand-front",
        "abd90-front",
        "squat90-side",
        "sit-obl45",
        "flex180-front",
    ] {
        let still = stills::grid()
            .into_iter()
            .find(|still| still.name == name)
            .expect("it is in the grid");
        let still = Still {
            width_px: 240,
            height_px: 320,
            ..still
        };
        let bright = still.draw();
        let dark = Still {
            appearance: Appearance {
                wall: still.appearance.wall * 0.3,
                floor: still.appearance.floor * 0.3,
                ..still.appearance
            },
            ..still.clone()
        }
        .draw();
        let person = |x: f64, y: f64| difference(pixel(&bright, x, y), pixel(&dark, x, y)) < 12;
        for joint in still.truth().joints {
            // A landmark on the skin may lie on the outline: a pixel and a half beside it will do.
            let near = [(0.0, 0.0), (1.5, 0.0), (-1.5, 0.0), (0.0, 1.5), (0.0, -1.5)];
            let found = near
                .iter()
                .any(|(dx, dy)| person(joint.x_px + dx, joint.y_px + dy));
            assert!(found, "{name}: {} is not on the person", joint.name);
        }
        let inside = (0..320 * 240)
            .filter(|i| person((i % 240) as f64, (i / 240) as f64))
            .count();
        assert!(
            (3_000..20_000).contains(&inside),
            "{name}: the person covers {inside} pixels"
        );
    }
}

#[test]
fn random_appearances_are_repeatable_and_differ() {
    let people: Vec<Appearance> = (0..40).map(Appearance::random).collect();
    assert_eq!(people[5], Appearance::random(5));
    assert!(
        people.iter().any(|p| p.hair_cut == Hair::Long) && people.iter().any(|p| p.hair_cut == Hair::Bald)
    );
    let (fair, dark) = (|a: &Appearance| a.skin.x > 0.6, |a: &Appearance| a.skin.x < 0.12);
    assert!(people.iter().any(fair) && people.iter().any(dark));
    let pictures: std::collections::BTreeSet<u64> = people
        .iter()
        .take(6)
        .map(|&appearance| {
            Still {
                appearance,
                ..small()
            }
            .draw()
            .fingerprint()
        })
        .collect();
    assert_eq!(pictures.len(), 6);
}

#[test]
fn ppm_holds_the_picture() {
    let picture = small().draw();
    let ppm = picture.to_ppm();
    let pixels = ppm
        .strip_prefix(b"P6\n64 80\n255\n".as_slice())
        .expect("a PPM header");
    assert_eq!(pixels, picture.rgb);
}

#[test]
fn truth_is_well_formed_json_that_agrees_with_itself() {
    let clip = Clip {
        frames_per_sec: 3.0,
        ..demo::clip()
    };
    let text = clip.truth_json();
    assert_eq!(json::read(&text), Ok(()));
    assert_eq!(text.matches("\"name\":\"left_knee\"").count(), clip.frame_count());
    assert_eq!(text.matches("\"label\":{\"motion\":").count(), clip.frame_count());
    assert!(text.contains("\"phase\":\"down\"") && text.contains("\"motion\":\"march\""));

    let truth = clip.still(4).truth();
    let hips = truth.joints[23].world_m + truth.joints[24].world_m;
    assert!(
        hips.length() < 1e-12,
        "world coordinates start in the middle of the hips"
    );
    for joint in truth.joints {
        let view = clip.still(4).view();
        let x = 0.5 * view.width_px as f64 + view.focal_px * joint.camera_m.x / joint.camera_m.z;
        assert!((x - joint.x_px).abs() < 1e-9);
    }
    let knee = truth
        .angle("left_knee_flexion")
        .expect("a known angle")
        .to_degrees();
    assert!(
        truth
            .to_json()
            .contains(&format!("\"left_knee_flexion\":{knee:.4}"))
    );
    let outside = Still::default().truth().to_json();
    assert_eq!(json::read(&outside), Ok(()));
    assert!(
        !outside.contains("label"),
        "a posture outside a motion has no label"
    );
}

/// Enough of a JSON reader to notice what is not JSON.
mod json {
    /// Reads one value and nothing after it; an error is the position of the first byte that cannot follow.
    pub fn read(text: &str) -> Result<(), usize> {
        let bytes = text.trim_end().as_bytes();
        let mut at = 0;
        value(bytes, &mut at)?;
        if at == bytes.len() { Ok(()) } else { Err(at) }
    }

    fn expect(bytes: &[u8], at: &mut usize, wanted: u8) -> Result<(), usize> {
        if bytes.get(*at) == Some(&wanted) {
            *at += 1;
            Ok(())
        } else {
            Err(*at)
        }
    }

    fn spaces(bytes: &[u8], at: &mut usize) {
        while bytes.get(*at).is_some_and(u8::is_ascii_whitespace) {
            *at += 1;
        }
    }

    fn string(bytes: &[u8], at: &mut usize) -> Result<(), usize> {
        expect(bytes, at, b'"')?;
        while bytes
            .get(*at)
            .is_some_and(|b| *b != b'"' && *b != b'\\' && *b >= b' ')
        {
            *at += 1;
        }
        expect(bytes, at, b'"')
    }

    fn number(bytes: &[u8], at: &mut usize) -> Result<(), usize> {
        let start = *at;
        while bytes
            .get(*at)
            .is_some_and(|b| b.is_ascii_digit() || b"+-.eE".contains(b))
        {
            *at += 1;
        }
        let digits = std::str::from_utf8(&bytes[start..*at]).map_err(|_| start)?;
        digits.parse::<f64>().map(|_| ()).map_err(|_| start)
    }

    fn value(bytes: &[u8], at: &mut usize) -> Result<(), usize> {
        let (open, close) = match bytes.get(*at) {
            Some(b'{') => (b'{', b'}'),
            Some(b'[') => (b'[', b']'),
            Some(b'"') => return string(bytes, at),
            _ => return number(bytes, at),
        };
        expect(bytes, at, open)?;
        loop {
            spaces(bytes, at);
            if open == b'{' {
                string(bytes, at)?;
                expect(bytes, at, b':')?;
            }
            value(bytes, at)?;
            spaces(bytes, at);
            if bytes.get(*at) != Some(&b',') {
                break;
            }
            *at += 1;
        }
        expect(bytes, at, close)
    }
}
