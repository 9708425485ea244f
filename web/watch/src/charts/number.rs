//! How numbers are written for people: few digits, a true minus, thousands apart, the same width where they change.

/// What is written for a value that is not known.
pub const UNKNOWN: &str = "not known";

/// A number with so many decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let text = format!("{value:.decimals$}");
    let digits = text.trim_start_matches('-');
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let sign = if text.starts_with('-') && !is_zero {
        "−"
    } else {
        ""
    };
    format!("{sign}{}{rest}", grouped(whole))
}

/// A number with three significant digits, and never more than four decimals.
pub fn short(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 100.0 || value == value.trunc() && size < 1e6 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else if size >= 0.1 {
        3
    } else {
        4
    };
    fixed(value, decimals)
}

/// A value that may be unknown, with three significant digits.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), short)
}

/// A share as a percentage: whole ones, with a decimal below 10 % and above 90 %, where it matters.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let is_middle = (10.0..=90.0).contains(&percent) || percent == percent.round();
    format!("{} %", fixed(percent, usize::from(!is_middle)))
}

/// A count.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A count with what is counted: "1 row", "2 rows".
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Digits with a comma between thousands, from five digits on: years and small counts stay as they are.
fn grouped(digits: &str) -> String {
    if digits.len() < 5 {
        return digits.to_owned();
    }
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let mut groups: Vec<&str> = Vec::new();
    if !head.is_empty() {
        groups.push(head);
    }
    groups.extend((0..rest.len()).step_by(3).map(|at| &rest[at..at + 3]));
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_true() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.587_898_79, "0.588"),
            (0.047, "0.0470"),
            (-3.217, "−3.22"),
            (12.34, "12.3"),
            (-0.000_01, "0.0000"),
            (1234.5, "1234"),
            (123_456.7, "123,457"),
            (f64::NAN, UNKNOWN),
            (f64::INFINITY, UNKNOWN),
        ] {
            assert_eq!(short(value), expected, "{value}");
        }
        assert_eq!(maybe(None), UNKNOWN);
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(2026), "2026");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(12_000, "row", "rows"), "12,000 rows");
    }

    #[test]
    fn percentages_say_more_where_it_matters() {
        for (share, expected) in [
            (0.714, "71 %"),
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.042, "4.2 %"),
            (0.995, "99.5 %"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }
}
