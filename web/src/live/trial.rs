//! One way to run on the GPU, timed against the CPU on frames that both have run: which of them count, which backend
//! begins, and when it is enough.

use plumbline_pipeline::Timings;

use crate::live::backend::Backend;
use crate::live::frame_times::median;

/// Frames that both have followed and that are not counted: drivers finish kernels at their first use.
pub const WARM_UP_FRAMES: u32 = 2;
/// Frames that are counted; half of them start on the GPU.
pub const COUNTED_FRAMES: usize = 8;
/// A GPU that takes this many times as long, twice in a row, is not timed any further.
const HOPELESS: f64 = 10.0;
/// After so many frames without enough that count, the CPU stays for this visit.
const MOST_FRAMES: u32 = 60;

/// A frame on both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Milliseconds from the picture to the result.
    pub cpu_millis: f64,
    /// The same on the GPU.
    pub gpu_millis: f64,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// These are the frames that counted.
    Timed(Vec<Pair>),
    /// Too few frames counted.
    Undecided,
}

/// Frames that were run on both, so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Frames run on both.
    run: u32,
    /// Of them, those on which both followed a person.
    followed: u32,
    counted: Vec<Pair>,
    hopeless_in_a_row: u32,
}

impl Trial {
    /// Which backend begins: the CPU while the GPU warms up, then in turns.
    pub fn first(&self) -> Backend {
        if self.followed >= WARM_UP_FRAMES && self.counted.len() % 2 == 1 {
            Backend::Gpu
        } else {
            Backend::Cpu
        }
    }

    /// Notes a frame; nothing while more are needed.
    pub fn take(&mut self, cpu: &Timings, gpu: &Timings) -> Option<Verdict> {
        self.run += 1;
        if follows(cpu) && follows(gpu) {
            self.followed += 1;
            self.count(Pair {
                cpu_millis: cpu.total_millis,
                gpu_millis: gpu.total_millis,
            });
        }
        if self.counted.len() >= COUNTED_FRAMES || self.hopeless_in_a_row >= 2 {
            Some(Verdict::Timed(std::mem::take(&mut self.counted)))
        } else if self.run >= MOST_FRAMES {
            Some(Verdict::Undecided)
        } else {
            None
        }
    }

    fn count(&mut self, pair: Pair) {
        let is_hopeless = pair.gpu_millis > HOPELESS * pair.cpu_millis;
        // The very first may compile something; after that, ten times as long is what the GPU takes here.
        if self.followed == 1 || (self.followed <= WARM_UP_FRAMES && !is_hopeless) {
            return;
        }
        self.hopeless_in_a_row = if is_hopeless {
            self.hopeless_in_a_row + 1
        } else {
            0
        };
        self.counted.push(pair);
    }
}

/// The medians of frames on both: CPU, GPU.
pub fn medians(pairs: &[Pair]) -> [f64; 2] {
    [
        median(pairs.iter().map(|pair| pair.cpu_millis)),
        median(pairs.iter().map(|pair| pair.gpu_millis)),
    ]
}

/// Whether a frame ran the landmark model alone. A detector that only one of the two needed would decide the race.
pub fn follows(timings: &Timings) -> bool {
    timings.landmarks_millis.is_some() && timings.detector_millis.is_none()
}
