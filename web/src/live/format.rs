//! Numbers as a person reads them: one place, so that the same thing always looks the same.

/// Shown where there is no number yet.
pub const NO_NUMBER: &str = "–";

/// `6.4 MB`, `812 KB`, `90 bytes`; decimal units, as shops and networks count.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.0} KB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// One decimal below ten, none above; [`NO_NUMBER`] for nothing.
pub fn measure(value: Option<f64>) -> String {
    match value {
        None => NO_NUMBER.to_owned(),
        Some(value) if value.abs() < 9.95 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

/// `12.3` or `0.4`: always one decimal, for numbers that stand under each other; [`NO_NUMBER`] for nothing.
pub fn column_measure(value: Option<f64>) -> String {
    value.map_or(NO_NUMBER.to_owned(), |value| format!("{value:.1}"))
}

/// `87`, in percent.
pub fn percentage(share: f32) -> String {
    format!("{:.0}", share * 100.0)
}

/// `87 %`.
pub fn percent(share: f32) -> String {
    format!("{} %", percentage(share))
}

/// `left_foot_index` as `Left foot index`.
pub fn landmark_name(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (count, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (2_048, "2 KB"),
            (6_440_512, "6.4 MB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        for (value, text) in [
            (None, "–"),
            (Some(4.26), "4.3"),
            (Some(9.96), "10"),
            (Some(31.4), "31"),
            (Some(0.0), "0.0"),
        ] {
            assert_eq!(measure(value), text);
        }
        assert_eq!(column_measure(Some(31.44)), "31.4");
        assert_eq!(column_measure(None), "–");
        assert_eq!(percent(0.874), "87 %");
        assert_eq!(landmark_name("left_foot_index"), "Left foot index");
        assert_eq!(landmark_name(""), "");
    }
}
