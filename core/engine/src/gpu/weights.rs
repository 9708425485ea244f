//! The buffers of weights: what of a constant lies in which.
//!
//! In: the plan's pool, then one packed constant after the other. Out: a range of some buffer for each. There is one
//! buffer as long as everything fits; a constant that would grow it beyond the limit begins the next, and none is cut,
//! unless its kernel has it cut into parts by itself ([`parts`]).

use std::ops::Range;

use super::pack::Packed;
use super::recording::{BINDING_ALIGNMENT, Buffer, WEIGHTS, WeightLimits};
use super::shader::Place;

/// What all kernels of a recording read and none writes.
pub(super) struct Weights {
    limits: WeightLimits,
    /// What of the pool the first buffers hold, in bytes of the pool.
    pool: Vec<Range<usize>>,
    /// Never empty.
    contents: Vec<Vec<u8>>,
}

impl Weights {
    /// Begins with the pool, cut between its values where it is larger than a buffer. `starts` are those of its values,
    /// in words, in any order.
    pub fn new(pool: &[u32], mut starts: Vec<usize>, limits: WeightLimits) -> Self {
        starts.sort_unstable();
        starts.push(pool.len());
        let mut parts = Vec::from([Range::default()]);
        for pair in starts.windows(2) {
            let (start, end) = (4 * pair[0], 4 * pair[1]);
            match parts.last_mut() {
                Some(last) if last.end == 0 || (end - last.start) as u64 <= limits.buffer_bytes => {
                    last.end = end;
                }
                _ => parts.push(start..end),
            }
        }
        let bytes: &[u8] = bytemuck::cast_slice(pool);
        Self {
            limits,
            contents: parts.iter().map(|part| bytes[part.clone()].to_vec()).collect(),
            pool: parts,
        }
    }

    /// Where weights are divided.
    pub fn limits(&self) -> WeightLimits {
        self.limits
    }

    /// The buffer that holds these words of the pool, and where.
    pub fn of_pool(&self, words: &Range<usize>) -> (usize, Range<usize>) {
        let (start, end) = (4 * words.start, 4 * words.end);
        // Of the parts that begin here or before, the last: one without elements may begin where the next does.
        let part = self.pool.partition_point(|part| part.start <= start).max(1) - 1;
        let base = self.pool[part].start;
        (WEIGHTS + part, start - base..end - base)
    }

    /// Appends a packed constant. What is larger than a buffer gets one that no device takes.
    pub fn push(&mut self, packed: &Packed) -> Place {
        let last = self.contents.len() - 1;
        let start = self.contents[last]
            .len()
            .next_multiple_of(BINDING_ALIGNMENT as usize);
        let fits = (start + packed.bytes.len()) as u64 <= self.limits.buffer_bytes;
        let (number, start) = if fits || start == 0 {
            (last, start)
        } else {
            self.contents.push(Vec::new());
            (last + 1, 0)
        };
        let contents = &mut self.contents[number];
        contents.resize(start, 0);
        contents.extend_from_slice(&packed.bytes);
        Place::Weights {
            buffer: WEIGHTS + number,
            bytes: start..contents.len(),
            half: packed.half,
        }
    }

    /// The buffers, at least one.
    pub fn into_buffers(self) -> impl Iterator<Item = Buffer> {
        self.contents.into_iter().map(|contents| Buffer {
            label: "weights",
            bytes: (contents.len() as u64)
                .next_multiple_of(BINDING_ALIGNMENT)
                .max(BINDING_ALIGNMENT),
            contents,
        })
    }
}

/// Cuts `count` blocks of so many bytes each into runs that a binding takes: as few as possible, as even as possible, and
/// each a multiple of `step` blocks, of which there is a whole number. `None` where a single step is too large.
pub(super) fn parts(
    count: usize,
    bytes: u64,
    step: usize,
    limits: WeightLimits,
) -> Option<Vec<Range<usize>>> {
    let steps = count / step;
    let room = limits.binding_bytes.checked_div(bytes * step as u64)?;
    let runs = steps
        .div_ceil(usize::try_from(room).ok().filter(|&room| room > 0)?)
        .max(1);
    let start = |run: usize| run * steps / runs * step;
    Some((0..runs).map(|run| start(run)..start(run + 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: WeightLimits = WeightLimits {
        binding_bytes: 1024,
        buffer_bytes: 2048,
    };

    fn packed(bytes: usize) -> Packed {
        Packed {
            bytes: vec![1; bytes],
            half: false,
        }
    }

    fn place(weights: &mut Weights, bytes: usize) -> (usize, Range<usize>) {
        match weights.push(&packed(bytes)) {
            Place::Weights { buffer, bytes, .. } => (buffer, bytes),
            Place::Arena { .. } => panic!("weights are no part of the arena"),
        }
    }

    #[test]
    fn a_constant_that_does_not_fit_begins_the_next_buffer() {
        let mut weights = Weights::new(&[], Vec::new(), LIMITS);
        assert_eq!(place(&mut weights, 1000), (WEIGHTS, 0..1000));
        assert_eq!(place(&mut weights, 1024), (WEIGHTS, 1024..2048));
        assert_eq!(place(&mut weights, 4), (WEIGHTS + 1, 0..4));
        assert_eq!(place(&mut weights, 2048), (WEIGHTS + 2, 0..2048));
        assert_eq!(place(&mut weights, 8), (WEIGHTS + 3, 0..8));
        let bytes: Vec<u64> = weights.into_buffers().map(|buffer| buffer.bytes).collect();
        assert_eq!(bytes, [2048, 256, 2048, 256]);
    }

    #[test]
    fn a_pool_is_cut_between_its_values() {
        // Values of 300, 0, 100, 200 and 150 words, each aligned to 64.
        let starts = vec![0, 320, 320, 448, 704];
        let pool: Vec<u32> = (0..854).collect();
        let mut weights = Weights::new(&pool, starts, LIMITS);
        assert_eq!(weights.of_pool(&(0..300)), (WEIGHTS, 0..1200));
        assert_eq!(weights.of_pool(&(320..420)), (WEIGHTS, 1280..1680));
        assert_eq!(weights.of_pool(&(448..648)), (WEIGHTS + 1, 0..800));
        assert_eq!(weights.of_pool(&(704..854)), (WEIGHTS + 1, 1024..1624));
        assert_eq!(place(&mut weights, 256), (WEIGHTS + 1, 1792..2048));
        assert_eq!(weights.into_buffers().count(), 2);
    }

    #[test]
    fn a_small_pool_is_one_buffer() {
        let weights = Weights::new(&[7, 8, 9], vec![0, 2], LIMITS);
        assert_eq!(weights.of_pool(&(2..3)), (WEIGHTS, 8..12));
        let buffers: Vec<Buffer> = weights.into_buffers().collect();
        assert_eq!(buffers.len(), 1);
        assert_eq!(buffers[0].contents, [7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0]);
    }

    #[test]
    fn parts_are_even_and_cover_all() {
        let ends = |count, bytes, step| -> Option<Vec<usize>> {
            let runs = parts(count, bytes, step, LIMITS)?;
            Some(runs.iter().map(|run| run.end).collect())
        };
        assert_eq!(ends(10, 100, 1), Some(vec![10]));
        assert_eq!(ends(11, 100, 1), Some(vec![5, 11]));
        assert_eq!(ends(22, 100, 2), Some(vec![6, 14, 22]));
        assert_eq!(ends(2, 2000, 1), None, "no block fits");
        assert_eq!(ends(2, 1000, 2), None, "no two blocks fit");
        assert_eq!(ends(0, 16, 1), Some(vec![0]));
        for count in 1..50 {
            for step in [1, 2] {
                let runs = parts(step * count, 128, step, LIMITS).expect("every block fits");
                assert_eq!(
                    (runs[0].start, runs.last().map(|run| run.end)),
                    (0, Some(step * count))
                );
                assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start));
                assert!(
                    runs.iter()
                        .all(|run| run.len() % step == 0 && !run.is_empty() && run.len() <= 8)
                );
            }
        }
    }
}
