//! A candidate's trial: it runs beside the current model on the same frames, and must be shown to be no worse.
//!
//! Goes in: for each block what both models gave on sampled frames. Comes out: [`Criterion`]s. *No worse* is shown when the
//! lower end of the 95 % interval of the paired difference lies above the margin; a mean alone shows nothing. Blocks
//! are neighbours in time, so the interval takes their correlation at one step in (Newey and West, Econometrica 55, 1987,
//! with one lag, weight one half).

use crate::monitor::snapshot::{Criterion, ShadowView};

/// Blocks of a trial.
pub const TRIAL_BLOCKS: u64 = 200;
/// Mean similarity of both models' poses.
const OKS_AT_LEAST: f64 = 0.90;
/// How much worse an estimate of accuracy may be.
const MARGIN: f64 = 0.01;
/// How much longer a frame may take, p95.
const LATENCY_AT_MOST: f64 = 1.25;
/// How much larger the calibration error on drawn pictures may be.
const ECE_AT_MOST: f64 = 0.01;
/// 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// What a block says of both models, on the frames that both saw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ShadowBlock {
    /// Mean similarity of their poses.
    pub oks: Option<f64>,
    /// Agreement with the mirrored picture: the candidate's less the current one's.
    pub flip_difference: Option<f64>,
    /// Estimated share of right joints: the candidate's less the current one's.
    pub certainty_difference: Option<f64>,
    /// p95 of the candidate, milliseconds.
    pub candidate_p95_millis: Option<f64>,
    /// p95 of the current model on the same backend, milliseconds.
    pub current_p95_millis: Option<f64>,
}

/// A trial that runs.
#[derive(Clone, Debug)]
pub struct Shadow {
    model_sha256: String,
    blocks: u64,
    oks: Paired,
    flip: Paired,
    certainty: Paired,
    latency: Paired,
    /// Calibration error of candidate less current on drawn pictures.
    ece_difference: Option<f64>,
    has_passed_golden: Option<bool>,
    is_planned: Option<bool>,
}

impl Shadow {
    /// A trial that begins.
    pub fn new(model_sha256: &str) -> Self {
        Self {
            model_sha256: model_sha256.to_owned(),
            blocks: 0,
            oks: Paired::default(),
            flip: Paired::default(),
            certainty: Paired::default(),
            latency: Paired::default(),
            ece_difference: None,
            has_passed_golden: None,
            is_planned: None,
        }
    }

    /// The candidate.
    pub fn model_sha256(&self) -> &str {
        &self.model_sha256
    }

    /// Takes a block.
    pub fn take_block(&mut self, block: ShadowBlock) {
        self.blocks += 1;
        self.oks.add(block.oks);
        self.flip.add(block.flip_difference);
        self.certainty.add(block.certainty_difference);
        let ratio = block
            .candidate_p95_millis
            .zip(block.current_p95_millis)
            .map(|(a, b)| a / b);
        self.latency.add(ratio);
    }

    /// Calibration error on drawn pictures, candidate less current.
    pub fn take_ece(&mut self, difference: f64) {
        self.ece_difference = Some(difference).filter(|difference| difference.is_finite());
    }

    /// Whether the candidate answered frames whose answer is known.
    pub fn take_golden(&mut self, has_passed: bool) {
        self.has_passed_golden = Some(has_passed);
    }

    /// Whether the change plan covers the candidate.
    pub fn take_plan(&mut self, is_planned: bool) {
        self.is_planned = Some(is_planned);
    }

    /// Where it stands.
    pub fn view(&self) -> ShadowView {
        let at_least = |name: &str, value: Option<f64>, bound: Option<f64>, limit: f64| Criterion {
            name: name.to_owned(),
            value,
            bound,
            limit,
            is_met: bound.or(value).is_some_and(|shown| shown >= limit),
        };
        let at_most = |name: &str, value: Option<f64>, limit: f64| Criterion {
            name: name.to_owned(),
            value,
            bound: None,
            limit,
            is_met: value.is_some_and(|shown| shown <= limit),
        };
        let yes = |name: &str, answer: Option<bool>| {
            at_least(name, answer.map(|yes| f64::from(u8::from(yes))), None, 1.0)
        };
        let mut criteria = vec![
            at_least("oks_agreement", self.oks.mean(), None, OKS_AT_LEAST),
            no_worse("flip_oks", &self.flip),
            no_worse("certainty", &self.certainty),
            at_most("latency", self.latency.mean(), LATENCY_AT_MOST),
            at_most("ece", self.ece_difference, ECE_AT_MOST),
            yes("golden", self.has_passed_golden),
            yes("change_plan", self.is_planned),
        ];
        // Without a calibration there are no estimates from certainty, and nothing to be worse at.
        if self.certainty.n == 0 && self.blocks >= TRIAL_BLOCKS {
            criteria.retain(|criterion| criterion.name != "certainty");
        }
        let may_be_promoted =
            self.blocks >= TRIAL_BLOCKS && criteria.iter().all(|criterion| criterion.is_met);
        ShadowView {
            model_sha256: self.model_sha256.clone(),
            blocks: self.blocks,
            needed: TRIAL_BLOCKS,
            criteria,
            may_be_promoted,
        }
    }
}

fn no_worse(name: &str, paired: &Paired) -> Criterion {
    let bound = paired.lower_end();
    Criterion {
        name: name.to_owned(),
        value: paired.mean(),
        bound,
        limit: -MARGIN,
        is_met: bound.is_some_and(|bound| bound > -MARGIN),
    }
}

/// Sums of a sequence for its mean and the error of it with one lag.
#[derive(Clone, Copy, Debug, Default)]
struct Paired {
    n: u64,
    sum: f64,
    squares: f64,
    pairs: u64,
    products: f64,
    firsts: f64,
    seconds: f64,
    before: Option<f64>,
}

impl Paired {
    /// A block without a value parts neighbours.
    fn add(&mut self, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite());
        if let Some(value) = value {
            self.n += 1;
            self.sum += value;
            self.squares += value * value;
            if let Some(before) = self.before {
                self.pairs += 1;
                self.products += before * value;
                self.firsts += before;
                self.seconds += value;
            }
        }
        self.before = value;
    }

    fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }

    /// Lower end of the 95 % interval of the mean; none of fewer than 20 values.
    fn lower_end(&self) -> Option<f64> {
        if self.n < 20 {
            return None;
        }
        let n = self.n as f64;
        let mean = self.mean()?;
        let variance = (self.squares / n - mean * mean).max(0.0);
        let lagged =
            (self.products - mean * (self.firsts + self.seconds) + self.pairs as f64 * mean * mean) / n;
        // Weight one half, both sides. A negative correlation is not believed to make the mean surer.
        let long_run = variance + lagged.max(0.0);
        Some(mean - Z * (long_run / n).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    /// A trial whose candidate differs by `shift` in flip agreement.
    fn trial(seed: u64, shift: f64, blocks: u64) -> ShadowView {
        let mut random = Random::new(seed);
        let mut shadow = Shadow::new("ab");
        shadow.take_golden(true);
        shadow.take_plan(true);
        shadow.take_ece(0.005);
        for _ in 0..blocks {
            shadow.take_block(ShadowBlock {
                oks: Some(0.95),
                flip_difference: Some(shift + 0.03 * random.normal()),
                certainty_difference: Some(0.01 * random.normal()),
                candidate_p95_millis: Some(22.0),
                current_p95_millis: Some(20.0),
            });
        }
        shadow.view()
    }

    #[test]
    fn an_equal_candidate_passes_and_a_worse_one_does_not() {
        let share = |shift: f64| {
            (0..60)
                .filter(|&seed| trial(seed, shift, TRIAL_BLOCKS).may_be_promoted)
                .count()
        };
        assert!(share(0.0) >= 57, "{} of 60", share(0.0));
        assert!(share(-0.01) <= 4, "{} of 60", share(-0.01));
        assert_eq!(share(-0.03), 0);
    }

    #[test]
    fn every_criterion_counts() {
        let passes = |change: &dyn Fn(&mut Shadow)| {
            let mut shadow = Shadow::new("ab");
            shadow.take_golden(true);
            shadow.take_plan(true);
            shadow.take_ece(0.0);
            for _ in 0..TRIAL_BLOCKS {
                shadow.take_block(ShadowBlock {
                    oks: Some(0.95),
                    flip_difference: Some(0.0),
                    certainty_difference: Some(0.0),
                    candidate_p95_millis: Some(20.0),
                    current_p95_millis: Some(20.0),
                });
            }
            change(&mut shadow);
            shadow.view().may_be_promoted
        };
        assert!(passes(&|_| {}));
        assert!(!passes(&|shadow| shadow.take_golden(false)));
        assert!(!passes(&|shadow| shadow.take_plan(false)));
        assert!(!passes(&|shadow| shadow.take_ece(0.02)));
        assert!(!passes(&|shadow| shadow.take_ece(f64::NAN)));
        assert!(!passes(&|shadow| shadow.oks.add(Some(-20.0))));
        assert!(!passes(&|shadow| shadow.latency.add(Some(90.0))));
        assert!(!passes(&|shadow| shadow.blocks = TRIAL_BLOCKS - 1));
        assert!(!trial(1, 0.0, 19).criteria[1].is_met);
    }

    /// The interval against the formula, term by term.
    #[test]
    fn intervals_take_neighbours_in() {
        let mut random = Random::new(6);
        let mut values = Vec::new();
        let mut x = 0.0;
        let mut paired = Paired::default();
        for _ in 0..200 {
            x = 0.5 * x + random.normal();
            values.push(x);
            paired.add(Some(x));
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let lagged = values
            .windows(2)
            .map(|pair| (pair[0] - mean) * (pair[1] - mean))
            .sum::<f64>()
            / n;
        let expected = mean - Z * ((variance + lagged) / n).sqrt();
        let found = paired.lower_end().expect("enough values");
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}
