//! Splits Motion JPEG, which is JPEG pictures one after the other, into its frames.
//!
//! A JPEG is a chain of segments: FF, a marker, and for most markers a length of two bytes that counts itself (ITU-T
//! T.81, B.1.1). Walking the chain, instead of looking for the next FF D9, cannot be misled by a thumbnail inside a
//! segment; inside of entropy-coded data FF is followed by 00 or a restart marker (B.1.1.5).

use std::ops::Range;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const TEM: u8 = 0x01;

fn is_restart(marker: u8) -> bool {
    (0xD0..=0xD7).contains(&marker)
}

/// Byte ranges of the pictures in `bytes`, in order.
///
/// # Errors
/// A sentence with the byte position, when the bytes are not a chain of whole JPEG pictures, or there is none.
// Apart from its callers, which a browser would otherwise optimise whole because of this one loop.
#[inline(never)]
pub fn split(bytes: &[u8]) -> Result<Vec<Range<usize>>, String> {
    let mut frames = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let end = end_of_picture(bytes, position)?;
        frames.push(position..end);
        position = end;
    }
    if frames.is_empty() {
        return Err("The clip is empty.".to_owned());
    }
    Ok(frames)
}

fn end_of_picture(bytes: &[u8], start: usize) -> Result<usize, String> {
    if bytes.get(start..start + 2) != Some(&[0xFF, SOI]) {
        return Err(format!("The clip has no picture at byte {start}."));
    }
    let truncated = || format!("The picture at byte {start} of the clip is cut off.");
    let mut position = start + 2;
    loop {
        if *bytes.get(position).ok_or_else(truncated)? != 0xFF {
            return Err(format!(
                "The picture at byte {start} of the clip is damaged at byte {position}."
            ));
        }
        let marker = *bytes.get(position + 1).ok_or_else(truncated)?;
        position += 2;
        match marker {
            EOI => return Ok(position),
            // A fill byte: the marker proper follows.
            0xFF => position -= 1,
            TEM => {}
            _ if is_restart(marker) => {}
            _ => {
                let length = bytes.get(position..position + 2).ok_or_else(truncated)?;
                position += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
                if marker == SOS {
                    position = end_of_scan(bytes, position).ok_or_else(truncated)?;
                }
            }
        }
    }
}

/// Where the next marker after entropy-coded data starts.
fn end_of_scan(bytes: &[u8], mut position: usize) -> Option<usize> {
    loop {
        position += bytes.get(position..)?.iter().position(|&byte| byte == 0xFF)?;
        let next = *bytes.get(position + 1)?;
        if next != 0x00 && !is_restart(next) {
            return Some(position);
        }
        position += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose APP0 holds a thumbnail's end marker and whose scan holds a stuffed FF and a restart marker.
    fn picture(tail: u8) -> Vec<u8> {
        let mut bytes = vec![0xFF, SOI];
        bytes.extend([0xFF, 0xE0, 0x00, 0x06, 0xFF, SOI, 0xFF, EOI]);
        bytes.extend([0xFF, SOS, 0x00, 0x03, 0x01]);
        bytes.extend([0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD3, tail, 0x56]);
        bytes.extend([0xFF, 0xFF, EOI]);
        bytes
    }

    #[test]
    fn pictures_are_found_whole() {
        let (first, second) = (picture(1), picture(2));
        let clip = [first.clone(), second.clone()].concat();
        let ranges = split(&clip).expect("two pictures");
        assert_eq!(ranges, vec![0..first.len(), first.len()..clip.len()]);
        assert_eq!(&clip[ranges[1].clone()], &second[..]);
    }

    #[test]
    fn broken_clips_are_told_apart() {
        let whole = picture(1);
        for (bytes, fragment) in [
            (Vec::new(), "empty"),
            (b"not a picture".to_vec(), "no picture at byte 0"),
            (
                [whole.clone(), b"junk".to_vec()].concat(),
                &*format!("no picture at byte {}", whole.len()),
            ),
            (vec![0xFF, SOI, 0x00, 0x00], "damaged at byte 2"),
        ] {
            let error = split(&bytes).expect_err("a broken clip");
            assert!(error.contains(fragment), "{error}");
        }
        for cut in 2..whole.len() {
            assert!(split(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }
}
