//! Whether a model computes well: what it is given, how answers are compared, and what times are made of.

use plumbline_engine::element::Element;

use crate::protocol::{Check, Timing};

/// How far the GPU may be from the CPU, as a share of the largest magnitude of an output: both compute in f32, in
/// different orders.
pub const TOLERANCE: f32 = 2e-3;

/// Numbers for an input: uniform between 0 and 1 for floats, zeros and ones for everything else. The same for the same
/// seed on every machine (SplitMix64, Steele et al. 2014).
pub fn sample(element: Element, len: usize, seed: u64) -> Vec<u32> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let word = |bits: u64| match element {
        Element::F32 => ((bits >> 40) as f32 / (1u64 << 24) as f32).to_bits(),
        Element::I32 | Element::U32 | Element::Bool => (bits >> 63) as u32,
    };
    (0..len).map(|_| word(next())).collect()
}

/// An output after a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub element: Element,
    /// Its elements.
    pub words: Vec<u32>,
}

impl Answer {
    fn numbers(&self) -> impl Iterator<Item = f32> + '_ {
        self.words.iter().map(|&word| match self.element {
            Element::F32 => f32::from_bits(word),
            Element::I32 => word as i32 as f32,
            Element::U32 | Element::Bool => word as f32,
        })
    }
}

/// Whether all numbers are numbers.
pub fn finite(answers: &[Answer]) -> Check {
    let bad = answers.iter().find_map(|answer| {
        let count = answer.numbers().filter(|number| !number.is_finite()).count();
        (count > 0).then(|| format!("{count} of {} in “{}” are not", answer.words.len(), answer.name))
    });
    let total: usize = answers.iter().map(|answer| answer.words.len()).sum();
    Check {
        what: "Every output is a finite number".to_owned(),
        passed: Some(bad.is_none()),
        detail: bad.unwrap_or_else(|| format!("{total} numbers")),
    }
}

/// Whether a second run gives the bits of the first.
pub fn repeatable(first: &[Answer], second: &[Answer]) -> Check {
    let differing = first
        .iter()
        .zip(second)
        .find(|(first, second)| first.words != second.words);
    Check {
        what: "The same picture gives the same answer twice".to_owned(),
        passed: Some(differing.is_none()),
        detail: match differing {
            None => "equal to the last bit".to_owned(),
            Some((answer, _)) => format!("“{}” differs", answer.name),
        },
    }
}

/// Whether the GPU's answers are the CPU's.
pub fn agreement(cpu: &[Answer], gpu: &[Answer]) -> Check {
    let mut worst = (0.0_f32, "");
    for (cpu, gpu) in cpu.iter().zip(gpu) {
        let largest = cpu
            .numbers()
            .map(f32::abs)
            .fold(0.0, f32::max)
            .max(f32::MIN_POSITIVE);
        for (a, b) in cpu.numbers().zip(gpu.numbers()) {
            let same = a == b || (a.is_nan() && b.is_nan());
            let off = if same { 0.0 } else { (a - b).abs() / largest };
            // What is not a number on one side only is as far off as anything can be.
            if off.is_nan() || off > worst.0 {
                worst = (if off.is_nan() { f32::INFINITY } else { off }, &cpu.name);
            }
        }
    }
    let (off, name) = worst;
    Check {
        what: "GPU and CPU agree".to_owned(),
        passed: Some(off <= TOLERANCE),
        detail: if off == 0.0 {
            "equal".to_owned()
        } else if off < 5e-5 {
            format!("less than 0.01 % of the largest value apart, in “{name}”")
        } else {
            format!(
                "at most {:.2} % of the largest value apart, in “{name}”",
                100.0 * off
            )
        },
    }
}

/// Median and quartiles of times; the first run is practice and must not be among them.
pub fn timing(mut millis: Vec<f64>) -> Timing {
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let position = share * (millis.len().saturating_sub(1)) as f64;
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        match (millis.get(low), millis.get(high)) {
            (Some(a), Some(b)) => a + (b - a) * position.fract(),
            _ => 0.0,
        }
    };
    Timing {
        runs: millis.len(),
        median_millis: at(0.5),
        low_millis: at(0.25),
        high_millis: at(0.75),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(numbers: &[f32]) -> Vec<Answer> {
        vec![Answer {
            name: "y".to_owned(),
            element: Element::F32,
            words: numbers.iter().map(|number| number.to_bits()).collect(),
        }]
    }

    #[test]
    fn inputs_are_those_of_their_seed_and_their_type() {
        let floats = sample(Element::F32, 1000, 1);
        assert_eq!(floats, sample(Element::F32, 1000, 1));
        assert_ne!(floats, sample(Element::F32, 1000, 2));
        let mean = floats.iter().map(|&word| f32::from_bits(word)).sum::<f32>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert!(sample(Element::I32, 1000, 1).iter().all(|&word| word < 2));
    }

    #[test]
    fn answers_are_judged() {
        let good = answer(&[1.0, -2.0]);
        assert_eq!(finite(&good).passed, Some(true));
        for bad in [f32::NAN, f32::INFINITY] {
            let check = finite(&answer(&[1.0, bad]));
            assert_eq!(check.passed, Some(false));
            assert!(check.detail.starts_with("1 of 2"), "{}", check.detail);
        }
        assert_eq!(repeatable(&good, &good).passed, Some(true));
        // Zeros of both signs are equal numbers and different bits.
        assert_eq!(repeatable(&answer(&[0.0]), &answer(&[-0.0])).passed, Some(false));
        for (gpu, agrees) in [
            ([1.0, -2.0], true),
            ([1.0039, -2.0], true),
            ([1.0041, -2.0], false),
            ([f32::NAN, -2.0], false),
        ] {
            assert_eq!(agreement(&good, &answer(&gpu)).passed, Some(agrees), "{gpu:?}");
        }
        assert_eq!(
            agreement(&answer(&[f32::NAN]), &answer(&[f32::NAN])).passed,
            Some(true)
        );
    }

    /// Quartiles as numpy's `percentile` gives them.
    #[test]
    fn times_have_median_and_quartiles() {
        let timing = timing(vec![4.0, 1.0, 3.0, 2.0, 10.0]);
        assert_eq!(
            (timing.low_millis, timing.median_millis, timing.high_millis),
            (2.0, 3.0, 4.0)
        );
        let two = super::timing(vec![2.0, 1.0]);
        assert_eq!(
            (two.low_millis, two.median_millis, two.high_millis),
            (1.25, 1.5, 1.75)
        );
    }
}
