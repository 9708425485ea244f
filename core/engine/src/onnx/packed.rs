//! Numbers that stand packed, rewritten one by one.
//!
//! In: the bytes of a file, and what of them has to stand otherwise, found by the walk in front of the reader. Out: the same
//! messages in bytes that `rten-onnx` reads, which takes the sizes of tensors and the numbers of attributes one by one
//! only. Protocol Buffers gives both forms the same meaning. Files that have no packed numbers there are not copied.

use std::borrow::Cow;
use std::ops::Range;

/// Bytes that take the place of others.
struct Edit {
    range: Range<usize>,
    bytes: Vec<u8>,
}

/// All of them in one file; none overlap.
#[derive(Default)]
pub(super) struct Edits(Vec<Edit>);

impl Edits {
    /// What each takes beside its bytes, at most.
    pub const MEMORY: usize = 2 * size_of::<Edit>();

    /// Puts bytes in the place of others; gives by how many there are more of them now.
    pub fn put(&mut self, range: Range<usize>, bytes: Vec<u8>) -> isize {
        let growth = bytes.len() as isize - range.len() as isize;
        self.0.push(Edit { range, bytes });
        growth
    }

    /// The bytes with everything in its place.
    pub fn apply(mut self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self.0.is_empty() {
            return Cow::Borrowed(bytes);
        }
        self.0.sort_unstable_by_key(|edit| edit.range.start);
        let more: usize = self.0.iter().map(|edit| edit.bytes.len()).sum();
        let mut whole = Vec::with_capacity(bytes.len() + more);
        let mut from = 0;
        for Edit { range, bytes: put } in &self.0 {
            whole.extend_from_slice(&bytes[from..range.start]);
            whole.extend_from_slice(put);
            from = range.end;
        }
        whole.extend_from_slice(&bytes[from..]);
        Cow::Owned(whole)
    }
}

/// An integer in base 128, the lowest seven bits first.
pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
