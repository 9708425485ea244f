//! How long a frame takes on the CPU, and on the GPU in each way of running it there that was timed.

use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_pipeline::Variant;

use crate::live::backend::Backend;

/// By how much the GPU must win. Less is within the noise of eight frames, and the CPU has nothing to compile at each
/// start and is never taken away.
const MARGIN: f64 = 1.1;

/// Median times of a frame, from the picture to the result.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTimes {
    /// On the CPU.
    pub cpu_millis: f64,
    /// On the GPU, in the order in which they were timed; at least one.
    pub gpu: Vec<VariantTime>,
}

/// One way to run on the GPU, and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariantTime {
    /// Which way.
    pub variant: Variant,
    /// The median.
    pub millis: f64,
}

impl FrameTimes {
    /// The fastest way to run on the GPU; the first of equals.
    pub fn best(&self) -> Option<VariantTime> {
        let times = self.gpu.iter().copied();
        times.min_by(|a, b| a.millis.total_cmp(&b.millis))
    }

    /// The time of [`Self::best`].
    pub fn gpu_millis(&self) -> f64 {
        self.best().map_or(f64::INFINITY, |best| best.millis)
    }

    /// The backend that is worth running.
    pub fn better(&self) -> Backend {
        if self.gpu_millis() * MARGIN < self.cpu_millis {
            Backend::Gpu
        } else {
            Backend::Cpu
        }
    }

    /// The GPU is faster, but not by enough.
    pub fn is_close(&self) -> bool {
        self.gpu_millis() < self.cpu_millis && self.better() == Backend::Cpu
    }
}

/// A way to run on the GPU, in plain words.
pub fn words(variant: Variant) -> String {
    let steps = match variant.level {
        Level::Operators | Level::Folded => "most steps",
        Level::Pairs => "more steps",
        Level::Blocks | Level::Tail => "fewest steps",
    };
    let bits = match variant.precision {
        Precision::Single => "32 bits",
        Precision::Half => "16 bits",
    };
    format!("{steps}, {bits}")
}

/// The middle value, or the mean of the two middle ones; 0 for nothing.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[upper],
        _ => (values[upper - 1] + values[upper]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_way_decides() {
        let way = |level, precision, millis| VariantTime {
            variant: Variant { level, precision },
            millis,
        };
        let gpu = vec![
            way(Level::Tail, Precision::Single, 6.0),
            way(Level::Tail, Precision::Half, 9.9),
            way(Level::Pairs, Precision::Single, 30.0),
        ];
        for (cpu_millis, backend, is_close) in [
            (11.0, Backend::Gpu, false),
            (6.5, Backend::Cpu, true),
            (5.0, Backend::Cpu, false),
        ] {
            let gpu = gpu.clone();
            let times = FrameTimes { cpu_millis, gpu };
            assert_eq!(times.best(), Some(times.gpu[0]));
            assert_eq!((times.better(), times.is_close()), (backend, is_close));
        }
        let none = FrameTimes {
            cpu_millis: 5.0,
            gpu: Vec::new(),
        };
        assert_eq!((none.best(), none.better()), (None, Backend::Cpu));
    }

    #[test]
    fn medians_ignore_the_ends() {
        for (values, expected) in [
            (vec![], 0.0),
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![500.0, 1.0, 2.0, 4.0], 3.0),
        ] {
            assert_eq!(median(values.iter().copied()), expected, "{values:?}");
        }
    }
}
