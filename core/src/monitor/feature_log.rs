//! The feature log: numbers of blocks in columns, a file a day, kept for 30 days on this device.
//!
//! A file is a row of chunks, each `kind (4 bytes) | length u32 | body | CRC-32 of all before`, little endian. `PLBH` says
//! schema and the names of the features, once; `PLBP` is a provenance as JSON, whose place among its kind is its number;
//! `PLBS` is a segment: rows u16, provenance u16, then columns one after the other: start of the blocks in seconds since
//! 1970 (u32), length (f32 seconds), frames (u16), and for each feature n (u16), mean (f32), sd (f32). A row that is
//! appended is a segment of one; [`FeatureLog::to_bytes`] writes rows of one provenance together.
//!
//! There is no place for a frame, a picture or a landmark in it. A file that was cut off or damaged is read as far as
//! its chunks hold: what does not is counted and left out, and everything behind the next whole chunk is read on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::monitor::blocks::Block;
use crate::monitor::canonical::canonical;
use crate::monitor::crc32::crc32;
use crate::monitor::evidence::civil;
use crate::monitor::features::{FEATURE_COUNT, FEATURES};

/// Of the file.
pub const LOG_SCHEMA: u16 = 1;
/// How long files are kept.
pub const KEPT_DAYS: u64 = 30;
/// Rows of a segment.
const SEGMENT_ROWS: usize = 64;
/// Bytes of a row.
pub const ROW_BYTES: usize = 4 + 4 + 2 + FEATURE_COUNT * FEATURE_BYTES;
const FEATURE_BYTES: usize = 2 + 4 + 4;
/// Kind and length before a body, checksum behind it.
const FRAME_BYTES: usize = 12;
/// Largest body that is believed.
const MAX_BODY: usize = 1 << 20;

/// What made the numbers of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogProvenance {
    /// The landmark model, by hash.
    pub model_sha256: String,
    /// How a picture becomes its input.
    pub preprocessing: String,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// Of the program.
    pub app_version: String,
}

/// A feature in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogCell {
    /// Frames that had it.
    pub n: u16,
    /// Mean; meaningless where `n` is 0.
    pub mean: f32,
    /// Standard deviation; 0 where `n` is below 2.
    pub sd: f32,
}

/// A block.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// When it began, seconds since 1970.
    pub start_unix_secs: u32,
    /// How long it was.
    pub seconds: f32,
    /// Frames in it.
    pub frames: u16,
    /// Place in [`FeatureLog::provenances`].
    pub provenance: u16,
    /// In the order of the table.
    pub cells: [LogCell; FEATURE_COUNT],
}

impl LogRow {
    /// The row of a block.
    pub fn of(block: &Block, start_unix_secs: u64, provenance: u16) -> Self {
        let cells = block.moments.map(|moments| LogCell {
            n: u16::try_from(moments.n()).unwrap_or(u16::MAX),
            mean: moments.mean().unwrap_or_default() as f32,
            sd: moments.sd().unwrap_or_default() as f32,
        });
        Self {
            start_unix_secs: u32::try_from(start_unix_secs).unwrap_or(u32::MAX),
            seconds: block.seconds as f32,
            frames: u16::try_from(block.frames).unwrap_or(u16::MAX),
            provenance,
            cells,
        }
    }
}

/// A day's file, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureLog {
    /// What made the rows.
    pub provenances: Vec<LogProvenance>,
    /// In the order in which they were written.
    pub rows: Vec<LogRow>,
    /// Chunks that were cut off or damaged, or of a kind or schema that is not known.
    pub left_out: u64,
}

/// The head of a new file.
pub fn header() -> Vec<u8> {
    let names: Vec<&str> = FEATURES.iter().map(|spec| spec.name).collect();
    let mut body = LOG_SCHEMA.to_le_bytes().to_vec();
    body.extend(names.join(",").as_bytes());
    chunk(*b"PLBH", &body)
}

/// What is appended before the first row of a provenance; its number is how many came before it in this file.
pub fn provenance_chunk(provenance: &LogProvenance) -> Vec<u8> {
    let value = serde_json::to_value(provenance).unwrap_or(Value::Null);
    chunk(*b"PLBP", canonical(&value).as_bytes())
}

/// What is appended for some rows of one provenance: at most as many as a segment holds are taken.
pub fn segment_chunk(rows: &[LogRow]) -> Vec<u8> {
    let rows = &rows[..rows.len().min(SEGMENT_ROWS)];
    let mut body = Vec::with_capacity(4 + rows.len() * ROW_BYTES);
    body.extend((rows.len() as u16).to_le_bytes());
    body.extend(rows.first().map_or(0, |row| row.provenance).to_le_bytes());
    rows.iter()
        .for_each(|row| body.extend(row.start_unix_secs.to_le_bytes()));
    rows.iter().for_each(|row| body.extend(row.seconds.to_le_bytes()));
    rows.iter().for_each(|row| body.extend(row.frames.to_le_bytes()));
    for feature in 0..FEATURE_COUNT {
        rows.iter()
            .for_each(|row| body.extend(row.cells[feature].n.to_le_bytes()));
        rows.iter()
            .for_each(|row| body.extend(row.cells[feature].mean.to_le_bytes()));
        rows.iter()
            .for_each(|row| body.extend(row.cells[feature].sd.to_le_bytes()));
    }
    chunk(*b"PLBS", &body)
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes
}

impl FeatureLog {
    /// Reads a file. No bytes are refused: what does not hold is counted in `left_out`.
    pub fn read(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        let mut at = 0;
        let mut is_lost = false;
        let mut is_known = false;
        while at < bytes.len() {
            let Some((kind, body)) = whole_chunk(&bytes[at..]) else {
                // One count for a damaged stretch, however long.
                log.left_out += u64::from(!is_lost);
                is_lost = true;
                at += 1;
                continue;
            };
            is_lost = false;
            at += body.len() + FRAME_BYTES;
            let is_read = match kind {
                b"PLBH" => {
                    is_known = is_known_header(body);
                    is_known
                }
                b"PLBP" => log.read_provenance(body),
                b"PLBS" => is_known && log.read_segment(body),
                _ => false,
            };
            log.left_out += u64::from(!is_read);
        }
        log
    }

    fn read_provenance(&mut self, body: &[u8]) -> bool {
        match serde_json::from_slice(body) {
            Ok(provenance) => {
                self.provenances.push(provenance);
                true
            }
            Err(_) => false,
        }
    }

    fn read_segment(&mut self, body: &[u8]) -> bool {
        let mut columns = Columns(body);
        let n_rows = usize::from(columns.half());
        let provenance = columns.half();
        let is_whole = body.len() == 4 + n_rows * ROW_BYTES;
        if !is_whole || usize::from(provenance) >= self.provenances.len() {
            return false;
        }
        let first = self.rows.len();
        self.rows.extend((0..n_rows).map(|_| LogRow {
            start_unix_secs: columns.word(),
            seconds: 0.0,
            frames: 0,
            provenance,
            cells: [LogCell::default(); FEATURE_COUNT],
        }));
        let rows = &mut self.rows[first..];
        rows.iter_mut().for_each(|row| row.seconds = columns.number());
        rows.iter_mut().for_each(|row| row.frames = columns.half());
        for feature in 0..FEATURE_COUNT {
            rows.iter_mut()
                .for_each(|row| row.cells[feature].n = columns.half());
            rows.iter_mut()
                .for_each(|row| row.cells[feature].mean = columns.number());
            rows.iter_mut()
                .for_each(|row| row.cells[feature].sd = columns.number());
        }
        let is_finite = rows.iter().all(|row| {
            let cells = row
                .cells
                .iter()
                .all(|cell| cell.mean.is_finite() && cell.sd.is_finite());
            row.seconds.is_finite() && cells
        });
        if !is_finite {
            self.rows.truncate(first);
        }
        is_finite
    }

    /// The number of a provenance, which is added where it is new, and whether it is.
    pub fn provenance(&mut self, provenance: &LogProvenance) -> (u16, bool) {
        if let Some(place) = self.provenances.iter().position(|known| known == provenance) {
            return (place as u16, false);
        }
        self.provenances.push(provenance.clone());
        ((self.provenances.len() - 1) as u16, true)
    }

    /// The file that holds these rows in whole segments.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = header();
        self.provenances
            .iter()
            .for_each(|one| bytes.extend(provenance_chunk(one)));
        for run in self.rows.chunk_by(|a, b| a.provenance == b.provenance) {
            run.chunks(SEGMENT_ROWS)
                .for_each(|rows| bytes.extend(segment_chunk(rows)));
        }
        bytes
    }

    /// For people and spreadsheets: a line a block and feature; features that no frame had are left out.
    pub fn to_csv(&self) -> String {
        let mut text =
            "start_unix_secs,seconds,frames,model_sha256,backend,feature,unit,n,mean,sd\n".to_owned();
        for row in &self.rows {
            let made = self.provenances.get(usize::from(row.provenance));
            let (model, backend) = made.map_or(("", ""), |made| (&made.model_sha256, &made.backend));
            for (spec, cell) in FEATURES.iter().zip(&row.cells).filter(|(_, cell)| cell.n > 0) {
                let (start, seconds, frames) = (row.start_unix_secs, row.seconds, row.frames);
                let (name, unit) = (spec.name, spec.unit);
                let (n, mean, sd) = (cell.n, cell.mean, cell.sd);
                text.push_str(&format!(
                    "{start},{seconds},{frames},{},{},{name},{unit},{n},{mean},{sd}\n",
                    plain(model),
                    plain(backend)
                ));
            }
        }
        text
    }
}

/// A text of a file in a column: letters, digits and what needs no quotes.
fn plain(text: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "-_.:/ ".contains(*letter);
    text.chars().filter(is_plain).collect()
}

/// The chunk at the beginning of some bytes, if it holds.
fn whole_chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8])> {
    let kind: &[u8; 4] = bytes.first_chunk()?;
    if !kind.starts_with(b"PLB") {
        return None;
    }
    let length = Columns(bytes.get(4..8)?).word() as usize;
    if length > MAX_BODY {
        return None;
    }
    let body = bytes.get(8..8 + length)?;
    let sum = Columns(bytes.get(8 + length..FRAME_BYTES + length)?).word();
    (sum == crc32(&bytes[..8 + length])).then_some((kind, body))
}

/// Whether a header is of this schema, with features that begin with those of the table.
fn is_known_header(body: &[u8]) -> bool {
    let names: Vec<&str> = FEATURES.iter().map(|spec| spec.name).collect();
    body.split_first_chunk::<2>().is_some_and(|(schema, text)| {
        u16::from_le_bytes(*schema) == LOG_SCHEMA && text == names.join(",").as_bytes()
    })
}

/// Numbers one after the other; zeros behind the end.
struct Columns<'a>(&'a [u8]);

impl Columns<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((first, rest)) = self.0.split_first_chunk::<N>() else {
            return [0; N];
        };
        self.0 = rest;
        *first
    }

    fn half(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn number(&mut self) -> f32 {
        f32::from_le_bytes(self.take())
    }
}

/// The name of a day's file.
pub fn file_name(unix_secs: u64) -> String {
    let (year, month, day) = civil((unix_secs / 86_400).min(10_000_000) as i64);
    format!("{year:04}-{month:02}-{day:02}.plb")
}

/// Whether a file of the log is older than is kept. Names that are not of the log are never old.
pub fn is_expired(name: &str, now_unix_secs: u64) -> bool {
    let is_of_log = name.len() == 14
        && name.ends_with(".plb")
        && name
            .bytes()
            .take(10)
            .enumerate()
            .all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
    let oldest = file_name(now_unix_secs.saturating_sub(KEPT_DAYS * 86_400));
    is_of_log && name < oldest.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn made(backend: &str) -> LogProvenance {
        LogProvenance {
            model_sha256: "ab".repeat(32),
            preprocessing: "blazepose".to_owned(),
            backend: backend.to_owned(),
            app_version: "0.1.0".to_owned(),
        }
    }

    fn log(n_rows: usize) -> FeatureLog {
        let mut random = Random::new(3);
        let mut log = FeatureLog::default();
        for place in 0..n_rows {
            let (provenance, _) = log.provenance(&made(if place % 100 < 70 { "cpu" } else { "gpu" }));
            let cells = std::array::from_fn(|_| LogCell {
                n: random.below(150) as u16,
                mean: random.normal() as f32,
                sd: random.uniform() as f32,
            });
            log.rows.push(LogRow {
                start_unix_secs: 1_795_000_000 + 5 * place as u32,
                seconds: 5.0,
                frames: 150,
                provenance,
                cells,
            });
        }
        log
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        for n_rows in [0, 1, 64, 65, 250] {
            let log = log(n_rows);
            assert_eq!(FeatureLog::read(&log.to_bytes()), log, "{n_rows} rows");
        }
        assert_eq!(FeatureLog::read(&[]), FeatureLog::default());
    }

    #[test]
    fn rows_are_appended_one_by_one() {
        let whole = log(120);
        let mut bytes = header();
        let mut known = FeatureLog::default();
        for row in &whole.rows {
            let (_, is_new) = known.provenance(&whole.provenances[usize::from(row.provenance)]);
            if is_new {
                bytes.extend(provenance_chunk(&whole.provenances[usize::from(row.provenance)]));
            }
            let appended = segment_chunk(std::slice::from_ref(row));
            assert_eq!(appended.len(), FRAME_BYTES + 4 + ROW_BYTES);
            bytes.extend(appended);
        }
        assert_eq!(FeatureLog::read(&bytes), whole);
        assert!(whole.to_bytes().len() < bytes.len());
    }

    #[test]
    fn a_torn_end_is_dropped_and_counted() {
        let whole = log(10);
        let mut bytes = header();
        bytes.extend(provenance_chunk(&whole.provenances[0]));
        for row in &whole.rows {
            bytes.extend(segment_chunk(std::slice::from_ref(row)));
        }
        let one = FRAME_BYTES + 4 + ROW_BYTES;
        for cut in 0..bytes.len() {
            let read = FeatureLog::read(&bytes[..cut]);
            assert!(read.left_out <= 1, "{cut}");
            let rows = cut.saturating_sub(bytes.len() - 10 * one) / one;
            assert_eq!(read.rows.len(), rows, "{cut}");
            assert_eq!(read.rows[..], whole.rows[..rows]);
        }
    }

    #[test]
    fn damage_in_the_middle_costs_its_own_segment() {
        let whole = log(70);
        let mut bytes = header();
        bytes.extend(provenance_chunk(&whole.provenances[0]));
        let first = bytes.len();
        for row in &whole.rows {
            bytes.extend(segment_chunk(std::slice::from_ref(row)));
        }
        let one = FRAME_BYTES + 4 + ROW_BYTES;
        let mut random = Random::new(8);
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            let at = first + random.below(bytes.len() - first);
            damaged[at] ^= 1 << random.below(8);
            let read = FeatureLog::read(&damaged);
            assert_eq!((read.rows.len(), read.left_out), (69, 1), "byte {at}");
            let lost = (at - first) / one;
            assert_eq!(read.rows[..lost], whole.rows[..lost]);
            assert_eq!(read.rows[lost..], whole.rows[lost + 1..]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let bytes = log(3).to_bytes();
        let mut random = Random::new(21);
        for _ in 0..3_000 {
            let mut changed = bytes.clone();
            for _ in 0..1 + random.below(8) {
                let at = random.below(changed.len());
                changed[at] = random.bits() as u8;
            }
            changed.truncate(random.below(changed.len() + 1));
            let _ = FeatureLog::read(&changed);
        }
        // A segment of another schema, before any header, or of a provenance that is not there.
        let segment = segment_chunk(&log(1).rows);
        assert_eq!(FeatureLog::read(&segment).left_out, 1);
        assert_eq!(FeatureLog::read(&[header(), segment].concat()).left_out, 1);
    }

    #[test]
    fn files_have_days_and_days_end() {
        let now = 1_795_305_600; // 22 Nov 2026
        assert_eq!(file_name(now), "2026-11-22.plb");
        for (name, is_old) in [
            ("2026-11-22.plb", false),
            ("2026-10-23.plb", false),
            ("2026-10-22.plb", true),
            ("2025-12-31.plb", true),
            ("notes.txt", false),
            ("0000-00-00.txt", false),
        ] {
            assert_eq!(is_expired(name, now), is_old, "{name}");
        }
    }

    #[test]
    fn tables_have_a_line_a_block_and_feature() {
        let mut log = log(2);
        log.rows[0].cells[3].n = 0;
        log.provenances[0].backend = "c\"p,u\n".to_owned();
        let text = log.to_csv();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.split(',').count() == 10));
        assert!(lines[1].starts_with("1795000000,5,150,abab"));
        assert!(lines.len() < 1 + 2 * FEATURE_COUNT);
    }
}
