//! How large a model may be, and how long it may be silent.

use std::time::Duration;

/// Largest file that is read. Reading holds the file, its messages and its weights at once, some four times its bytes,
/// and a worker has 4 GiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Largest memory in which a model is run; browsers on phones end a page that asks for more.
pub const MAX_RUN_BYTES: u64 = 2 << 30;

/// A worker that gives no sign of life for this long is ended.
pub const SILENCE: Duration = Duration::from_secs(30);

/// What reading a file takes at most, in bytes: the file in the browser and in the worker, what is read of it, and
/// binary16 weights widened.
pub fn reading_bytes(file_bytes: u64) -> u64 {
    4 * file_bytes + (16 << 20)
}

/// Why a file is not even opened; nothing for one that is.
pub fn refusal(name: &str, bytes: u64) -> Option<String> {
    let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
    if bytes == 0 {
        return Some(format!("“{name}” is empty."));
    }
    (bytes > MAX_FILE_BYTES).then(|| {
        format!(
            "“{name}” has {} MiB; models of up to {} MiB are read here, because reading one takes four times its size in \
             memory. A model with weights of 16 or 8 bits may fit (`plumb quantize` makes one).",
            megabytes(bytes),
            megabytes(MAX_FILE_BYTES)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_size_that_can_be_read_are_opened() {
        for (bytes, is_opened) in [
            (0, false),
            (1, true),
            (MAX_FILE_BYTES, true),
            (MAX_FILE_BYTES + 1, false),
        ] {
            assert_eq!(refusal("a.onnx", bytes).is_none(), is_opened, "{bytes}");
        }
        let sentence = refusal("a.onnx", MAX_FILE_BYTES + 1).expect("too large");
        assert!(
            sentence.contains("257 MiB") && sentence.contains("256 MiB"),
            "{sentence}"
        );
        // All of it at once must fit into a worker.
        assert!(reading_bytes(MAX_FILE_BYTES) < 1 << 32);
    }
}
