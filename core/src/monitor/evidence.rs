//! The evidence pack: everything that was recorded as one zip file, with a manifest that names each file's hash.
//!
//! Goes in: names and bytes. Comes out: a zip of stored (uncompressed) entries after PKWARE's APPNOTE 6.3.3: local headers,
//! central directory, end record, CRC-32. Times in it are the given one, so equal contents are equal packs. `manifest.json`
//! is the first entry: `{schema, app_version, made_unix_secs, files: [{name, bytes, sha256}]}`.

use serde_json::json;

use crate::monitor::canonical::{canonical, sha256_hex};
use crate::monitor::crc32::crc32;

/// Of the manifest.
pub const EVIDENCE_SCHEMA: u32 = 1;
/// Name of the manifest in the pack.
pub const MANIFEST: &str = "manifest.json";

/// A file of the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Path inside of the pack, `/` between parts.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl EvidenceFile {
    /// A file.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// Why there is no pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceError {
    /// Two files of one name, a name that leaves the pack or is no plain path.
    Name(String),
    /// More than the format can count.
    TooLarge,
}

impl std::fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "'{name}' cannot be a file of the evidence pack: names are plain relative paths, each once"
            ),
            Self::TooLarge => f.write_str(
                "the evidence pack would be larger than 4 GiB or hold more than 65,000 files; delete old logs first",
            ),
        }
    }
}

impl std::error::Error for EvidenceError {}

/// The pack of some files.
///
/// # Errors
/// [`EvidenceError`]; names are checked before anything is written.
pub fn pack(
    files: &[EvidenceFile],
    app_version: &str,
    made_unix_secs: u64,
) -> Result<Vec<u8>, EvidenceError> {
    let mut names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    names.push(MANIFEST);
    names.sort_unstable();
    let is_plain = |name: &str| {
        !name.is_empty()
            && name.len() < 200
            && name
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..")
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
    };
    let twice = names
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0]);
    if let Some(name) = twice.or_else(|| names.iter().copied().find(|name| !is_plain(name))) {
        return Err(EvidenceError::Name(name.to_owned()));
    }
    let entries: Vec<_> = files
        .iter()
        .map(|file| json!({"name": file.name, "bytes": file.bytes.len(), "sha256": sha256_hex(&file.bytes)}))
        .collect();
    let manifest = canonical(&json!({
        "schema": EVIDENCE_SCHEMA,
        "app_version": app_version,
        "made_unix_secs": made_unix_secs,
        "files": entries,
    }));
    let mut all = vec![EvidenceFile::new(MANIFEST, manifest)];
    all.extend(files.iter().cloned());
    zip(&all, dos_time(made_unix_secs)).ok_or(EvidenceError::TooLarge)
}

/// Stored entries one after the other; none where the format's 32 or 16 bits do not suffice.
fn zip(files: &[EvidenceFile], (time, date): (u16, u16)) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for file in files {
        let offset = u32::try_from(bytes.len()).ok()?;
        let size = u32::try_from(file.bytes.len()).ok()?;
        // What local header and directory say alike: version 2.0, no flags, stored, when, CRC, sizes, length of the name.
        let mut facts = Vec::new();
        for half in [20, 0, 0, time, date] {
            facts.extend(u16::to_le_bytes(half));
        }
        for word in [crc32(&file.bytes), size, size] {
            facts.extend(u32::to_le_bytes(word));
        }
        facts.extend(u16::try_from(file.name.len()).ok()?.to_le_bytes());
        facts.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&facts);
        bytes.extend(file.name.as_bytes());
        bytes.extend(&file.bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&facts);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(file.name.as_bytes());
    }
    let count = u16::try_from(files.len())
        .ok()
        .filter(|count| *count < u16::MAX)?;
    let (start, size) = (
        u32::try_from(bytes.len()).ok()?,
        u32::try_from(directory.len()).ok()?,
    );
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    Some(bytes)
}

/// MS-DOS time and date in UTC, two seconds exact; its calendar begins in 1980 and ends in 2107.
fn dos_time(unix_secs: u64) -> (u16, u16) {
    let days = (unix_secs / 86_400).min(50_000) as i64;
    let secs = unix_secs % 86_400;
    let (year, month, day) = civil(days);
    if year < 1980 {
        return (0, (1 << 5) | 1);
    }
    let time = ((secs / 3_600) << 11) | ((secs / 60 % 60) << 5) | ((secs % 60) / 2);
    let date = ((year - 1980) << 9) | (month << 5) | day;
    (time as u16, date as u16)
}

/// Year, month and day of a day since 1970 (Hinnant, *chrono-compatible low-level date algorithms*).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_779, (2026, 11, 22)),
        ] {
            assert_eq!(civil(days), date);
        }
        assert_eq!(dos_time(0), (0, 33));
        // 22 Nov 2026, 13:14:16.
        let secs = 20_779 * 86_400 + 13 * 3_600 + 14 * 60 + 16;
        assert_eq!(
            dos_time(secs),
            ((13 << 11) | (14 << 5) | 8, (46 << 9) | (11 << 5) | 22)
        );
    }

    #[test]
    fn names_that_leave_the_pack_are_refused() {
        for name in ["", "/a", "a/../b", "a//b", "manifest.json", "a b", "a\\b", "."] {
            let file = EvidenceFile::new(name, "x");
            assert_eq!(pack(&[file], "0", 0), Err(EvidenceError::Name(name.to_owned())));
        }
        let twice = [EvidenceFile::new("a", "x"), EvidenceFile::new("a", "y")];
        assert!(pack(&twice, "0", 0).is_err());
    }

    #[test]
    fn equal_contents_are_equal_packs() {
        let files = [
            EvidenceFile::new("log/2026-11-22.csv", "a,b\n"),
            EvidenceFile::new("empty", ""),
        ];
        let made = pack(&files, "0.1.0", 1_000_000_000).expect("names are plain");
        assert_eq!(
            made,
            pack(&files, "0.1.0", 1_000_000_000).expect("names are plain")
        );
        assert_eq!(&made[..4], b"PK\x03\x04");
        let text = String::from_utf8_lossy(&made).into_owned();
        assert!(text.contains(&sha256_hex(b"a,b\n")) && text.contains("\"bytes\":4"));
    }
}
