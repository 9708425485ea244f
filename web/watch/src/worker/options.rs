//! What the address asks of watching: `?block=0.5` seconds or `?block=frames:6`, and `?sample=30` frames.

use plumbline_core::monitor::blocks::BlockLength;

/// How a session is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WatchOptions {
    /// How long blocks are.
    pub block: BlockLength,
    /// Looks closer at every so many frames.
    pub sample: u32,
}

impl WatchOptions {
    /// About twice a second.
    pub const SAMPLE: u32 = 15;

    /// Reads a query; what is not understood is as if it were not there.
    pub fn from_query(query: &str) -> Self {
        let mut options = Self::default();
        for pair in query.trim_start_matches('?').split('&') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            match key {
                "block" => options.block = block(value).unwrap_or(options.block),
                "sample" => options.sample = value.parse().ok().filter(|&n| n > 0).unwrap_or(options.sample),
                _ => {}
            }
        }
        options
    }
}

fn block(value: &str) -> Option<BlockLength> {
    // A colon may come as it is written in addresses.
    let frames = value
        .strip_prefix("frames:")
        .or_else(|| value.strip_prefix("frames%3A"));
    match frames {
        Some(frames) => frames.parse().ok().filter(|&n| n > 0).map(BlockLength::Frames),
        None => value
            .parse()
            .ok()
            .filter(|&secs: &f64| (0.1..=600.0).contains(&secs))
            .map(BlockLength::Seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_wishes_change_nothing() {
        for (query, block, sample) in [
            ("", BlockLength::default(), WatchOptions::SAMPLE),
            ("?block=0.5&sample=30", BlockLength::Seconds(0.5), 30),
            ("block=frames:6", BlockLength::Frames(6), WatchOptions::SAMPLE),
            ("?block=frames%3A6", BlockLength::Frames(6), WatchOptions::SAMPLE),
            ("?block=0&sample=0", BlockLength::default(), WatchOptions::SAMPLE),
            (
                "?block=NaN&sample=-1",
                BlockLength::default(),
                WatchOptions::SAMPLE,
            ),
        ] {
            assert_eq!(
                WatchOptions::from_query(query),
                WatchOptions { block, sample },
                "{query}"
            );
        }
    }
}
