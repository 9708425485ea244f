//! Random numbers from a seed: xoshiro256++ (Blackman and Vigna, *Scrambled linear pseudorandom number generators*, ACM
//! TOMS 47, 2021), its state filled by `SplitMix64`, as its authors advise.
//!
//! For bootstraps, nulls and permutations. It guards no secret. The bits and [`Random::uniform`] are the same on every
//! machine; [`Random::normal`] takes a logarithm in its tails, which may differ in the last digit.

use super::distributions::normal_quantile;

/// A stream of random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut z = seed;
        let state = std::array::from_fn(|_| {
            z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed(z)
        });
        Self { state }
    }

    /// The stream of the `index`-th part of an experiment: parts can run in any order, on any thread, with one result.
    #[must_use]
    pub fn of_part(seed: u64, index: u64) -> Self {
        Self::new(mixed(seed ^ mixed(index.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// In 0 to 1 without 1, of 2^53 equally likely values.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An index below `n`, all equally likely (Lemire, *Fast random integer generation in an interval*, 2019). 0 for `n` 0.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n == 0 {
            return 0;
        }
        let mut product = u128::from(self.bits()) * u128::from(n);
        if (product as u64) < n {
            let least = n.wrapping_neg() % n;
            while (product as u64) < least {
                product = u128::from(self.bits()) * u128::from(n);
            }
        }
        (product >> 64) as usize
    }

    /// Of the standard normal distribution: the quantile of a uniform number.
    pub fn normal(&mut self) -> f64 {
        // The middle of its cell, so neither 0 nor 1.
        let u = ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        normal_quantile(u).unwrap_or(0.0)
    }

    /// Puts items into a random order, all equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// `SplitMix64`'s output of a state (Steele, Lea and Flood, 2014).
fn mixed(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the authors' C code for the state 1, 2, 3, 4, as the crate `rand_xoshiro` prints them, and
    /// of `SplitMix64` for the seed 1234567 (Vigna's splitmix64.c).
    #[test]
    fn bits_are_those_of_the_authors_code() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
        ];
        assert_eq!(expected, std::array::from_fn(|_| random.bits()));
        let filled = Random::new(1_234_567).state;
        assert_eq!(
            filled[..2],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn indices_are_equally_likely() {
        let mut random = Random::new(5);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        let chi_square: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        // The 99.9th percentile at six degrees of freedom.
        assert!(chi_square < 22.46, "{counts:?}");
        assert_eq!(random.below(1), 0);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut random = Random::new(9);
        let numbers: Vec<f64> = (0..200_000).map(|_| random.normal()).collect();
        let power = |k: i32| numbers.iter().map(|x| x.powi(k)).sum::<f64>() / numbers.len() as f64;
        for (k, expected, sd) in [
            (1, 0.0, 1.0),
            (2, 1.0, 2.0f64.sqrt()),
            (3, 0.0, 15.0f64.sqrt()),
            (4, 3.0, 96.0f64.sqrt()),
        ] {
            let error = power(k) - expected;
            assert!(
                error.abs() < 4.0 * sd / 2e5f64.sqrt(),
                "moment {k}: off by {error}"
            );
        }
    }

    #[test]
    fn parts_have_streams_of_their_own() {
        let firsts: std::collections::BTreeSet<u64> =
            (0..1000).map(|part| Random::of_part(1, part).bits()).collect();
        assert_eq!(firsts.len(), 1000);
        assert_ne!(Random::of_part(1, 2).bits(), Random::of_part(2, 1).bits());
    }
}
