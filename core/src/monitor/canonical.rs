//! Text that is hashed: JSON with sorted keys, without spaces, in one way only.
//!
//! Goes in: a JSON value. Comes out: its text and the SHA-256 of it (FIPS 180-4). Numbers that are hashed are rounded with
//! [`stored`] first: a decimal of at most 12 digits is read back to the very bits by every reader, shortest decimals of 17
//! digits are not by all.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The text of a value, keys sorted by their bytes.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(entries) => {
            // A map of serde_json may keep the order in which keys came.
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(&entries[key], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        simple => text.push_str(&simple.to_string()),
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text can be a SHA-256 in hexadecimal digits.
pub fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The nearest decimal of `digits` significant digits (at most 12). Not finite stays so, for the caller to refuse.
pub fn stored(x: f64, digits: usize) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let digits = digits.clamp(1, 12) - 1;
    format!("{x:.digits$e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::statistics::Random;

    #[test]
    fn keys_are_sorted_and_nothing_else_changes() {
        let value = json!({"b": [1, 2.5, null, "\u{e4}\"\n"], "a": {"z": true, "B": {}}, "": -0.0});
        assert_eq!(
            canonical(&value),
            r#"{"":-0.0,"a":{"B":{},"z":true},"b":[1,2.5,null,"ä\"\n"]}"#
        );
        let again: Value = serde_json::from_str(&canonical(&value)).expect("it is JSON");
        assert_eq!(again, value);
    }

    /// FIPS 180-4's own examples.
    #[test]
    fn hashes_are_sha_256() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(is_sha256_hex(&sha256_hex(b"")) && !is_sha256_hex("BA7816BF"));
    }

    #[test]
    fn stored_numbers_are_read_back_to_the_bit() {
        let mut random = Random::new(11);
        for _ in 0..20_000 {
            let x = stored(random.normal() * 10_f64.powf(8.0 * random.uniform() - 6.0), 12);
            let text = canonical(&json!(x));
            let again: f64 = serde_json::from_str(&text).expect("it is a number");
            assert_eq!(again.to_bits(), x.to_bits(), "{text}");
        }
        assert_eq!(stored(127.432_16, 6), 127.432);
        assert_eq!(stored(0.0, 6), 0.0);
    }
}
