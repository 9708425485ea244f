//! The models inside a `.task` file, which is a ZIP archive, mostly with its files stored as they are.
//!
//! Follows the application note of the format (APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.16 and 4.4.5). A file in the
//! archive is handed out as a range of the archive's bytes; nothing is copied here, and whoever takes a compressed one
//! inflates it (RFC 1951).

use std::ops::Range;

use crate::limits::refusal;

/// A model inside an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the archive.
    pub name: String,
    /// Where its bytes lie.
    pub range: Range<usize>,
    /// How many bytes come out of them, where they are compressed with Deflate.
    pub inflates_to: Option<u64>,
}

/// Stored as it is, and compressed with Deflate.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// No archive with more files is read.
const MAX_FILES: usize = 1000;

/// The longest that an archive's end can be: its record and a comment.
const MAX_END_BYTES: usize = 22 + 65_535;

/// Whether bytes begin as an archive does.
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The models in an archive, in its order: files that end in `.tflite` or `.onnx`.
///
/// # Errors
/// A sentence, when the archive is damaged, its models are encrypted, compressed in another way than by Deflate or too
/// large, or there are none.
pub fn models(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let damaged = || {
        "The archive is damaged: it ends early, or its list of files is not where it should be.".to_owned()
    };
    let end = (bytes.len().saturating_sub(MAX_END_BYTES)..bytes.len().saturating_sub(21))
        .rev()
        .find(|&start| bytes[start..].starts_with(b"PK\x05\x06"))
        .ok_or_else(damaged)?;
    let count = usize::from(u16_at(bytes, end + 10).ok_or_else(damaged)?);
    if count > MAX_FILES {
        return Err(format!(
            "The archive holds {count} files; archives of up to {MAX_FILES} are read."
        ));
    }
    let mut at = u32_at(bytes, end + 16).ok_or_else(damaged)? as usize;
    let mut found = Vec::new();
    for _ in 0..count {
        let header = Header::read(bytes, at).ok_or_else(damaged)?;
        at = header.end;
        let lower = header.name.to_lowercase();
        if !lower.ends_with(".tflite") && !lower.ends_with(".onnx") {
            continue;
        }
        if ![STORED, DEFLATED].contains(&header.method) || header.is_encrypted {
            return Err(format!(
                "“{}” is encrypted inside the archive, or compressed in a way that is not read here. Unpack the archive and \
                 choose that file.",
                header.name
            ));
        }
        let inflates_to = (header.method == DEFLATED).then_some(header.whole_bytes as u64);
        if let Some(sentence) = inflates_to.and_then(|bytes| refusal(&header.name, bytes)) {
            return Err(sentence);
        }
        let range = header.data(bytes).ok_or_else(damaged)?;
        found.push(Entry {
            name: header.name,
            range,
            inflates_to,
        });
    }
    if found.is_empty() {
        return Err("The archive holds no .tflite or .onnx file.".to_owned());
    }
    Ok(found)
}

/// A file as the archive's list describes it.
struct Header {
    name: String,
    method: u16,
    is_encrypted: bool,
    /// In the archive.
    bytes: usize,
    /// Once it is inflated.
    whole_bytes: usize,
    local: usize,
    end: usize,
}

impl Header {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let is_header = bytes.get(at..)?.starts_with(b"PK\x01\x02");
        let [name, extra, comment] = [28, 30, 32].map(|offset| u16_at(bytes, at + offset).map(usize::from));
        let (name_start, name) = (at + 46, name?);
        let text = bytes.get(name_start..name_start + name)?;
        is_header.then_some(Self {
            name: String::from_utf8_lossy(text).into_owned(),
            is_encrypted: u16_at(bytes, at + 8)? & 1 != 0,
            method: u16_at(bytes, at + 10)?,
            bytes: u32_at(bytes, at + 20)? as usize,
            whole_bytes: u32_at(bytes, at + 24)? as usize,
            local: u32_at(bytes, at + 42)? as usize,
            end: name_start + name + extra? + comment?,
        })
    }

    /// Where the contents lie: behind the file's own header, whose lengths differ from those in the list.
    fn data(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let is_local = bytes.get(self.local..)?.starts_with(b"PK\x03\x04");
        let [name, extra] = [26, 28].map(|offset| u16_at(bytes, self.local + offset).map(usize::from));
        let start = self.local + 30 + name? + extra?;
        let end = start.checked_add(self.bytes)?;
        (is_local && end <= bytes.len()).then_some(start..end)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16_at(bytes, at)?) | u32::from(u16_at(bytes, at + 2)?) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of stored files as `python3 -m zipfile` writes it, without checksums, which are not looked at.
    fn archive(files: &[(&str, &[u8], u16)]) -> Vec<u8> {
        let (mut bytes, mut list) = (Vec::new(), Vec::new());
        for (name, contents, method) in files {
            let local = bytes.len() as u32;
            let size = (contents.len() as u32).to_le_bytes();
            let common = [&[20, 0, 0, 0][..], &method.to_le_bytes(), &[0; 8], &size, &size].concat();
            let name_len = (name.len() as u16).to_le_bytes();
            // Three bytes of padding, as archives have whose files are to lie at even addresses.
            bytes.extend(
                [
                    b"PK\x03\x04",
                    &common[..],
                    &name_len,
                    &[3, 0],
                    name.as_bytes(),
                    &[0; 3],
                    contents,
                ]
                .concat(),
            );
            list.extend(
                [
                    b"PK\x01\x02\x14\x00",
                    &common[..],
                    &name_len,
                    &[0; 12],
                    &local.to_le_bytes(),
                    name.as_bytes(),
                ]
                .concat(),
            );
        }
        let (start, count) = (bytes.len() as u32, (files.len() as u16).to_le_bytes());
        let sizes = [&(list.len() as u32).to_le_bytes()[..], &start.to_le_bytes()].concat();
        bytes.extend(list);
        bytes.extend([b"PK\x05\x06", &[0; 4][..], &count, &count, &sizes, &[0, 0]].concat());
        bytes
    }

    #[test]
    fn models_are_found_where_they_lie() {
        let bytes = archive(&[
            ("a.tflite", b"first", 0),
            ("notes.txt", b"-", 8),
            ("dir/B.ONNX", b"second one", 0),
        ]);
        assert!(is_archive(&bytes));
        let entries = models(&bytes).expect("two models");
        let contents: Vec<(&str, &[u8])> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), &bytes[entry.range.clone()]))
            .collect();
        assert_eq!(
            contents,
            [("a.tflite", &b"first"[..]), ("dir/B.ONNX", b"second one")]
        );
    }

    #[test]
    fn compressed_models_say_how_long_they_become() {
        let bytes = archive(&[("a.tflite", b"first", 8), ("b.tflite", b"second", 0)]);
        let inflates: Vec<Option<u64>> = models(&bytes)
            .expect("two models")
            .iter()
            .map(|entry| entry.inflates_to)
            .collect();
        assert_eq!(inflates, [Some(5), None]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_reason() {
        for (bytes, word) in [
            (archive(&[("a.tflite", b"first", 12)]), "compressed in a way"),
            (archive(&[("a.txt", b"first", 0)]), "no .tflite or .onnx"),
            (b"PK\x03\x04".to_vec(), "damaged"),
        ] {
            let sentence = models(&bytes).expect_err(word);
            assert!(sentence.contains(word), "{sentence}");
        }
    }

    #[test]
    fn damaged_archives_do_not_panic() {
        let whole = archive(&[("a.tflite", b"first", 0), ("b.tflite", b"second", 0)]);
        for end in 0..whole.len() {
            assert!(models(&whole[..end]).is_err(), "{end}");
        }
        for position in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[position] = value;
                for entry in models(&bytes).unwrap_or_default() {
                    assert!(bytes.get(entry.range).is_some(), "{position}");
                }
            }
        }
    }
}
