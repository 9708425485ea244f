//! The colours of `static/styles/tokens.css`: contrast as WCAG 2.2 asks for, in both themes, and no colour
//! anywhere else.
//!
//! Contrast is (L1 + 0.05) / (L2 + 0.05) with relative luminance L from sRGB, as defined by WCAG 2.2.

use std::collections::BTreeMap;

use plumbline_tests::{read, tracked_files};

const TOKENS: &str = "static/styles/tokens.css";

/// Surfaces that text and controls lie on.
const GROUNDS: [&str; 2] = ["--bg", "--surface"];

/// Tokens for text, and for status and sides, which label lines and numbers: 4.5 to 1 (success criterion
/// 1.4.3).
const TEXT: [&str; 8] = [
    "--text",
    "--text-quiet",
    "--accent",
    "--left",
    "--right",
    "--good",
    "--caution",
    "--bad",
];

/// Tokens for the borders of controls: 3 to 1 (success criterion 1.4.11).
const CONTROLS: [&str; 1] = ["--control"];

/// Custom properties of a style sheet by name, the first declaration of each: media queries further down
/// adjust it for print and for people who ask for more contrast.
fn properties(css: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for declaration in css.split([';', '{', '}']) {
        let declaration = declaration
            .rsplit_once("*/")
            .map_or(declaration, |(_, rest)| rest);
        if let Some((name, value)) = declaration.split_once(':') {
            let name = name.trim();
            if name.starts_with("--") {
                found.entry(name).or_insert(value.trim());
            }
        }
    }
    found
}

/// A token's colour in the light (0) or dark (1) theme.
fn colour(properties: &BTreeMap<&str, &str>, value: &str, theme: usize) -> Result<[u8; 3], String> {
    let value = value.trim();
    if let Some(digits) = value.strip_prefix('#') {
        let wide: String = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            _ => digits.to_owned(),
        };
        let number = u32::from_str_radix(&wide, 16).map_err(|error| format!("{value}: {error}"))?;
        if wide.len() != 6 {
            return Err(format!("{value} is not an opaque colour"));
        }
        let [_, red, green, blue] = number.to_be_bytes();
        return Ok([red, green, blue]);
    }
    if let Some(name) = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')')) {
        let value = properties
            .get(name.trim())
            .ok_or_else(|| format!("{name} is not declared"))?;
        return colour(properties, value, theme);
    }
    if let Some(pair) = value
        .strip_prefix("light-dark(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let halves: Vec<&str> = pair.split(',').collect();
        let [light, dark] = halves.as_slice() else {
            return Err(format!("{value} has not two halves"));
        };
        return colour(properties, [light, dark][theme], theme);
    }
    Err(format!("{value} is not understood"))
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|component| {
        let component = f64::from(component) / 255.0;
        if component <= 0.04045 {
            component / 12.92
        } else {
            ((component + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(left: [u8; 3], right: [u8; 3]) -> f64 {
    let (left, right) = (luminance(left), luminance(right));
    (left.max(right) + 0.05) / (left.min(right) + 0.05)
}

#[test]
fn contrast_is_computed_as_wcag_defines_it() {
    // Black on white is 21 to 1; #767676 on white is the well-known lightest grey of at least 4.5 to 1.
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.005);
    assert!(contrast([0x77; 3], [255; 3]) < 4.5);
}

#[test]
fn text_and_controls_stand_out_in_both_themes() {
    let css = read(TOKENS);
    let properties = properties(&css);
    let mut findings = Vec::new();
    for (tokens, least) in [(&TEXT[..], 4.5), (&CONTROLS[..], 3.0)] {
        for token in tokens {
            for ground in GROUNDS {
                for (theme, theme_name) in ["light", "dark"].iter().enumerate() {
                    let of = |name: &str| {
                        let value = properties
                            .get(name)
                            .ok_or_else(|| format!("{name} is not declared"))?;
                        colour(&properties, value, theme)
                    };
                    match of(token).and_then(|front| Ok(contrast(front, of(ground)?))) {
                        Ok(contrast) if contrast >= least => {}
                        Ok(contrast) => {
                            findings.push(format!(
                                "{theme_name}: {token} on {ground} is {contrast:.2}, not {least}"
                            ));
                        }
                        Err(reason) => findings.push(format!("{theme_name}: {token} on {ground}: {reason}")),
                    }
                }
            }
        }
    }
    assert!(findings.is_empty(), "{TOKENS}:\n  {}", findings.join("\n  "));
}

/// Whether a line holds a colour: `#` with three to eight hexadecimal digits, or a colour function.
fn has_colour(line: &str) -> bool {
    let functions = [
        "rgb(", "rgba(", "hsl(", "hsla(", "hwb(", "lab(", "lch(", "oklab(", "oklch(", "color(",
    ];
    if functions.iter().any(|function| {
        line.match_indices(function).any(|(start, _)| {
            // Not the end of a longer name, as in `u_rgb(`.
            !line[..start]
                .ends_with(|previous: char| previous.is_alphanumeric() || previous == '_' || previous == '-')
        })
    }) {
        return true;
    }
    line.split('#').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let goes_on =
            rest[digits..].starts_with(|next: char| next.is_alphanumeric() || next == '-' || next == '_');
        matches!(digits, 3 | 4 | 6 | 8) && !goes_on
    })
}

#[test]
fn colours_are_told_from_other_text() {
    for line in [
        "color: #fff;",
        "\"#0B5C75\"",
        "background: rgb(0 0 0 / 50%)",
        "fill: oklch(0.7 0.1 200)",
    ] {
        assert!(has_colour(line), "{line}");
    }
    for line in [
        "#[cfg(test)]",
        "href=\"#main\"",
        "#stage-canvas {",
        "id #12",
        "let rgb = 3; from_rgb(1)",
        "url(#grad)",
    ] {
        assert!(!has_colour(line), "{line}");
    }
}

#[test]
fn colours_are_declared_in_one_file() {
    let mut findings = Vec::new();
    for file in tracked_files() {
        let is_style = file.ends_with(".css") && file != TOKENS;
        let is_page = file.starts_with("web/src/") && file.ends_with(".rs");
        if !is_style && !is_page {
            continue;
        }
        let text = read(&file);
        // What a comment says paints nothing.
        for (position, line) in text.lines().enumerate() {
            let code = if is_page {
                line.split("//").next().unwrap_or_default()
            } else {
                line
            };
            if has_colour(code) {
                findings.push(format!("{file}:{}: {}", position + 1, line.trim()));
            }
        }
    }
    assert!(
        findings.is_empty(),
        "declare these colours in {TOKENS}:\n  {}",
        findings.join("\n  ")
    );
}
