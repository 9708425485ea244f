//! From values to places in a drawing, and which values an axis names.

/// A straight line from values to places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The values at the two ends.
    pub domain: [f64; 2],
    /// Their places, in units of the drawing.
    pub range: [f64; 2],
}

impl Scale {
    /// A scale; where both values are the same it becomes one wide around them.
    pub fn new(domain: [f64; 2], range: [f64; 2]) -> Self {
        let [low, high] = domain;
        let is_usable = low.is_finite() && high.is_finite() && low < high;
        let centre = if low.is_finite() { low } else { 0.0 };
        let domain = if is_usable {
            domain
        } else {
            [centre - 0.5, centre + 0.5]
        };
        Self { domain, range }
    }

    /// The place of a value; what lies beyond an end is drawn at it.
    pub fn at(&self, value: f64) -> f64 {
        let [low, high] = self.domain;
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        self.range[0] + share * (self.range[1] - self.range[0])
    }
}

/// The step of 1, 2 or 5 times a power of ten that divides a width into about so many parts, and its decimals.
pub fn step(width: f64, about: usize) -> (f64, usize) {
    if !(width.is_finite() && width > 0.0) {
        return (1.0, 0);
    }
    let raw = width / about.max(1) as f64;
    let power = raw.log10().floor();
    let unit = 10_f64.powf(power);
    // Of the three and the next ten, the first that is not too small.
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * unit >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0);
    let step = factor * unit;
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0);
    (step, decimals as usize)
}

/// Values of an axis, from the first at or above `low` to the last at or below `high`, and their decimals.
pub fn ticks(low: f64, high: f64, about: usize) -> (Vec<f64>, usize) {
    let (step, decimals) = step(high - low, about);
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    // Limits without a width between them, or too far from zero for steps of their own, have one tick.
    if !(0.0..=64.0).contains(&(last - first)) || first.abs() > 1e15 {
        return (vec![low], decimals);
    }
    (
        (first as i64..=last as i64).map(|at| at as f64 * step).collect(),
        decimals,
    )
}

/// Limits that hold all values, widened to whole steps; none where there is no value.
pub fn limits(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    let mut found: Option<[f64; 2]> = None;
    for value in values.into_iter().filter(|value| value.is_finite()) {
        found = Some(found.map_or([value, value], |[low, high]| [low.min(value), high.max(value)]));
    }
    let [low, high] = found?;
    // A value that never changes is shown with room on either side, in the order of its own size.
    let room = (high - low).max(low.abs().max(high.abs()) * 1e-6).max(1e-9);
    let (step, _) = step(room, 4);
    Some([(low / step).floor() * step, (high / step).ceil() * step])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_find_their_places() {
        let scale = Scale::new([0.0, 10.0], [100.0, 0.0]);
        for (value, place) in [(0.0, 100.0), (10.0, 0.0), (2.5, 75.0), (-4.0, 100.0), (99.0, 0.0)] {
            assert_eq!(scale.at(value), place, "{value}");
        }
        for domain in [[3.0, 3.0], [f64::NAN, 1.0], [5.0, 4.0], [f64::NEG_INFINITY, 0.0]] {
            let scale = Scale::new(domain, [0.0, 1.0]);
            assert!(
                scale.at(3.0).is_finite() && scale.at(4.0).is_finite(),
                "{domain:?}"
            );
        }
    }

    #[test]
    fn steps_are_one_two_or_five() {
        for (width, about, expected) in [
            (1.0, 4, (0.5, 1)),
            (1.0, 5, (0.2, 1)),
            (100.0, 4, (50.0, 0)),
            (0.037, 4, (0.01, 2)),
            (7.0, 4, (2.0, 0)),
            (0.0, 4, (1.0, 0)),
            (f64::NAN, 4, (1.0, 0)),
        ] {
            let (found, decimals) = step(width, about);
            assert!((found - expected.0).abs() < 1e-12, "{width}: {found}");
            assert_eq!(decimals, expected.1, "{width}");
        }
    }

    #[test]
    fn ticks_lie_between_the_limits() {
        let (values, decimals) = ticks(0.0, 1.0, 5);
        assert_eq!((values.len(), decimals), (6, 1));
        assert!((values[3] - 0.6).abs() < 1e-12);
        assert_eq!(ticks(-1.0, 1.0, 2).0, [-1.0, 0.0, 1.0]);
        assert_eq!(ticks(5.0, 5.0, 4).0, [5.0]);
        assert_eq!(ticks(1e300, 1e300 + 1.0, 4).0, [1e300]);
    }

    #[test]
    fn limits_hold_every_value() {
        assert_eq!(limits([0.2, f64::NAN, 0.93]), Some([0.2, 1.0]));
        assert_eq!(limits([f64::NAN]), None);
        let [low, high] = limits([7.0, 7.0]).expect("a value");
        assert!(low <= 7.0 && high >= 7.0);
        let scale = Scale::new([low, high], [0.0, 1.0]);
        assert!(scale.at(7.0).is_finite());
    }
}
