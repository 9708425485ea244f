//! Where a model is worse: the metric by tag (view, size, light, clothing, model …), each slice with its interval, tested
//! against all other rows, and corrected for how many slices were looked at.
//!
//! A metric that can be sliced is a ratio of sums over rows: accuracy (right rows by rows), mean similarity, Dice, F1 of
//! segments, mean errors. What is drawn is a unit: an image or clip, because frames of one are not independent.
//!
//! - Interval: Wilson's for shares of independent rows, and where all units are wholly right or wholly wrong; else the
//!   percentile bootstrap of units (2,000 draws, seeded).
//! - `p`: how often a slice as far from the whole comes out when units are dealt to slices by chance (999 permutations of
//!   the linearised ratio, one added, so that the smallest is .001). Above 20,000 units both have their normal limit.
//! - `q`: Benjamini and Hochberg over all slices that have enough units.
//! - Order: slices with enough units first, by the sure end of the interval, the surest bad one first. A slice of three
//!   rows cannot be sure of anything, so it does not lead the list.

use std::collections::{BTreeMap, HashMap};

use super::MetricError;
use super::report::{Better, Figure, Slice};
use crate::statistics::distributions::{normal_quantile, normal_tail};
use crate::statistics::intervals::{Interval, bootstrap, wilson};
use crate::statistics::multiplicity::benjamini_hochberg;
use crate::statistics::quantiles::quantile_of_sorted;
use crate::statistics::random::Random;

const N_DRAWS: usize = 2_000;
const N_PERMUTATIONS: usize = 999;
/// Beyond so many units, means are normal to all digits that are printed.
const MAX_DRAWN_UNITS: usize = 20_000;
/// Slices of one tag that are listed; a tag with more values is no tag but a name.
const MAX_SLICES: usize = 200;
/// Of rows whose tag nobody gave.
const NOT_SAID: &str = "not said";

/// By which tag rows are parted, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceSpec {
    /// The tag's name.
    pub by: String,
    /// Where numbers are cut, rising: below the first, from one up to the next, from the last on. Quartiles without.
    pub edges: Option<Vec<f64>>,
    /// Units that a slice needs to be tested.
    pub min_n: u64,
    /// Of the intervals.
    pub level: f64,
    /// Of draws and permutations.
    pub seed: u64,
}

impl SliceSpec {
    /// Quartiles or values of a tag, at least 30 units, 95 %.
    pub fn by(tag: &str) -> Self {
        Self {
            by: tag.to_owned(),
            edges: None,
            min_n: 30,
            level: 0.95,
            seed: 1,
        }
    }

    /// Reads `by=TAG`, with `,edges=A:B:C` and `,min=N` where they are wanted.
    ///
    /// # Errors
    /// Other keys; edges that do not rise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "a slice is by=TAG, by=TAG,edges=1:2:3 or by=TAG,min=30";
        let mut spec = Self::by("");
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("by", tag)) if !tag.is_empty() => tag.clone_into(&mut spec.by),
                Some(("edges", edges)) => {
                    let edges: Result<Vec<f64>, _> = edges.split(':').map(str::parse).collect();
                    let edges =
                        edges.map_err(|_| format!("edges are numbers with colons between; {form}"))?;
                    let rises = edges.windows(2).all(|pair| pair[0] < pair[1]);
                    if !rises || edges.iter().any(|edge| !edge.is_finite()) {
                        return Err(format!("edges rise; {form}"));
                    }
                    spec.edges = Some(edges);
                }
                Some(("min", min)) => {
                    spec.min_n = min.parse().map_err(|_| format!("min is a count; {form}"))?;
                }
                _ => return Err(form.to_owned()),
            }
        }
        if spec.by.is_empty() {
            return Err(form.to_owned());
        }
        Ok(spec)
    }
}

/// What is sliced.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Names it for programs.
    pub id: String,
    /// Names it for people.
    pub name: String,
    /// What is good.
    pub better: Better,
    /// Whether it is a share: no row can be beyond 0 and 1.
    pub is_share: bool,
    /// What one is multiplied by to be shown: 1, or 100 for percentages.
    pub scale: f64,
}

/// Collects rows with their tags.
#[derive(Clone, Debug)]
pub struct Slicer {
    measure: Measure,
    specs: Vec<SliceSpec>,
    units: HashMap<String, u32>,
    texts: Vec<String>,
    text_places: HashMap<String, u32>,
    rows: Vec<(u32, f64, f64)>,
    /// By spec, the place of each row's text; 0 is "not said".
    tags: Vec<Vec<u32>>,
}

impl Slicer {
    /// No rows.
    pub fn new(measure: Measure, specs: &[SliceSpec]) -> Self {
        Self {
            measure,
            specs: specs.to_vec(),
            units: HashMap::new(),
            texts: vec![String::new()],
            text_places: HashMap::new(),
            rows: Vec::new(),
            tags: vec![Vec::new(); specs.len()],
        }
    }

    /// Whether anybody asked for slices: without, rows need not be given.
    pub fn is_wanted(&self) -> bool {
        !self.specs.is_empty()
    }

    /// Takes a row of a unit (image, clip, or the row itself where `unit` is none), the two terms of its ratio, and what is
    /// said of it.
    pub fn observe<'t>(
        &mut self,
        unit: Option<&str>,
        part: f64,
        whole: f64,
        tag: impl Fn(&str) -> Option<&'t str>,
    ) {
        if !self.is_wanted() {
            return;
        }
        let unit = match unit {
            Some(unit) => match self.units.get(unit) {
                Some(place) => *place,
                None => {
                    let place = self.units.len() as u32;
                    self.units.insert(unit.to_owned(), place);
                    place
                }
            },
            // Counted from the other end, so that both kinds stay apart.
            None => u32::MAX - self.rows.len() as u32,
        };
        self.rows.push((unit, part, whole));
        for (spec, tags) in self.specs.iter().zip(&mut self.tags) {
            let text = tag(&spec.by).map_or("", str::trim);
            let place = if text.is_empty() {
                0
            } else if let Some(place) = self.text_places.get(text) {
                *place
            } else {
                let place = self.texts.len() as u32;
                self.texts.push(text.to_owned());
                self.text_places.insert(text.to_owned(), place);
                place
            };
            tags.push(place);
        }
    }

    /// All slices, in the order in which they are read.
    ///
    /// # Errors
    /// A tag that no row has, edges for a tag that is no number, a tag of hundreds of values.
    pub fn finish(&self) -> Result<Vec<Slice>, MetricError> {
        let mut slices = Vec::new();
        for (spec, tags) in self.specs.iter().zip(&self.tags) {
            slices.extend(self.of_tag(spec, tags)?);
        }
        let enough: Vec<usize> = (0..slices.len())
            .filter(|&place| slices[place].is_enough)
            .collect();
        let p: Vec<f64> = enough.iter().filter_map(|&place| slices[place].p).collect();
        if p.len() == enough.len()
            && let Some(adjusted) = benjamini_hochberg(&p)
        {
            for (&place, q) in enough.iter().zip(adjusted) {
                slices[place].q = Some(q);
            }
        }
        let sure_end = |slice: &Slice| match self.measure.better {
            Better::Higher => slice.figure.high.unwrap_or(f64::INFINITY),
            Better::Lower => -slice.figure.low.unwrap_or(f64::NEG_INFINITY),
        };
        slices.sort_by(|a, b| {
            let by_n = b.is_enough.cmp(&a.is_enough);
            by_n.then(sure_end(a).total_cmp(&sure_end(b)))
                .then(b.figure.n.cmp(&a.figure.n))
        });
        Ok(slices)
    }

    fn of_tag(&self, spec: &SliceSpec, tags: &[u32]) -> Result<Vec<Slice>, MetricError> {
        if tags.iter().all(|place| *place == 0) {
            return Err(MetricError::Unknown {
                what: "no row has the tag that slices are asked by".to_owned(),
                name: spec.by.clone(),
            });
        }
        let labels = self.labels(spec, tags)?;
        // Units of each slice: the rows of an image with the same label.
        let mut units: BTreeMap<(usize, u32), Unit> = BTreeMap::new();
        for (&(unit, part, whole), place) in self.rows.iter().zip(tags) {
            let unit = units.entry((labels.of_text[*place as usize], unit)).or_default();
            unit.part += part;
            unit.whole += whole;
            unit.rows += 1;
        }
        let keys: Vec<usize> = units.keys().map(|key| key.0).collect();
        let units: Vec<Unit> = units.into_values().collect();
        let all = Unit::sum(&units);
        let mean = all.ratio();
        let centred: Vec<f64> = units
            .iter()
            .map(|unit| unit.part - mean.unwrap_or(0.0) * unit.whole)
            .collect();
        let spans: Vec<(usize, usize, usize)> = (0..labels.names.len())
            .map(|label| {
                (
                    label,
                    keys.partition_point(|key| *key < label),
                    keys.partition_point(|key| *key <= label),
                )
            })
            .filter(|(_, from, to)| from < to)
            .collect();
        let p = chances(&centred, &spans, spec.seed);
        let slice = |(&(label, from, to), p): (&(usize, usize, usize), f64)| {
            let own = Unit::sum(&units[from..to]);
            let rest = Unit {
                part: all.part - own.part,
                whole: all.whole - own.whole,
                rows: all.rows - own.rows,
            };
            let n = (to - from) as u64;
            let is_enough = n >= spec.min_n.max(2);
            let scale = self.measure.scale;
            let value = own.ratio().map(|ratio| ratio * scale);
            let why = "nothing in this slice counts";
            let mut figure = Figure::maybe(&self.measure.id, &self.measure.name, value, n, why)
                .better(self.measure.better);
            if let Some(Interval { low, high }) =
                interval(&units[from..to], spec, self.measure.is_share, label)
            {
                figure = figure.between(low * scale, high * scale);
            }
            let has_rest = to - from < units.len();
            Slice {
                by: spec.by.clone(),
                label: labels.names[label].clone(),
                figure,
                gap: own
                    .ratio()
                    .zip(rest.ratio())
                    .map(|(own, rest)| (own - rest) * scale),
                p: (is_enough && has_rest && value.is_some()).then_some(p),
                q: None,
                is_enough: is_enough && has_rest && value.is_some(),
            }
        };
        Ok(spans.iter().zip(p).map(slice).collect())
    }

    /// The slices of a tag and to which each text belongs.
    fn labels(&self, spec: &SliceSpec, tags: &[u32]) -> Result<Labels, MetricError> {
        let mut used: Vec<u32> = tags.to_vec();
        used.sort_unstable();
        used.dedup();
        let said: Vec<u32> = used.iter().copied().filter(|place| *place != 0).collect();
        let number = |place: u32| -> Option<f64> {
            self.texts[place as usize]
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
        };
        let numbers: Option<Vec<f64>> = said.iter().map(|&place| number(place)).collect();
        let mut of_text = vec![0; self.texts.len()];
        let mut names;
        match (&spec.edges, numbers) {
            (Some(_), None) => {
                return Err(MetricError::Unknown {
                    what: "edges are for numbers, and this tag is text".to_owned(),
                    name: spec.by.clone(),
                });
            }
            (edges, Some(_)) if edges.is_some() || said.len() > 8 => {
                let edges = match edges {
                    Some(edges) => edges.clone(),
                    None => quartiles(
                        tags.iter()
                            .filter_map(|&place| if place == 0 { None } else { number(place) }),
                    ),
                };
                names = ranges(&edges, spec.edges.is_none());
                for &place in &said {
                    let value = number(place).unwrap_or(0.0);
                    of_text[place as usize] = edges.partition_point(|edge| *edge <= value);
                }
            }
            _ => {
                if said.len() > MAX_SLICES {
                    return Err(MetricError::TooMany {
                        what: "values of a tag that slices are asked by",
                        limit: MAX_SLICES as u64,
                    });
                }
                names = said
                    .iter()
                    .map(|&place| self.texts[place as usize].clone())
                    .collect();
                for (label, &place) in said.iter().enumerate() {
                    of_text[place as usize] = label;
                }
            }
        }
        of_text[0] = names.len();
        names.push(NOT_SAID.to_owned());
        Ok(Labels { names, of_text })
    }
}

struct Labels {
    names: Vec<String>,
    of_text: Vec<usize>,
}

fn quartiles(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = [0.25, 0.5, 0.75]
        .iter()
        .filter_map(|&p| quantile_of_sorted(&sorted, p))
        .collect();
    edges.dedup();
    edges
}

/// Names of the ranges between edges.
fn ranges(edges: &[f64], are_quartiles: bool) -> Vec<String> {
    let number = |edge: f64| format!("{}", (edge * 1000.0).round() / 1000.0);
    let kind = if are_quartiles { " (quartiles)" } else { "" };
    (0..=edges.len())
        .map(
            |place| match (place.checked_sub(1).map(|low| edges[low]), edges.get(place)) {
                (None, Some(high)) => format!("below {}{kind}", number(*high)),
                (Some(low), Some(high)) => format!("{} to {}{kind}", number(low), number(*high)),
                (Some(low), None) => format!("{} and above{kind}", number(low)),
                (None, None) => "all".to_owned(),
            },
        )
        .collect()
}

/// The rows of an image or clip in one slice.
#[derive(Clone, Copy, Default)]
struct Unit {
    part: f64,
    whole: f64,
    rows: u64,
}

impl Unit {
    fn sum(units: &[Self]) -> Self {
        units.iter().fold(Self::default(), |sum, unit| Self {
            part: sum.part + unit.part,
            whole: sum.whole + unit.whole,
            rows: sum.rows + unit.rows,
        })
    }

    fn ratio(&self) -> Option<f64> {
        (self.whole > 0.0).then(|| self.part / self.whole)
    }
}

/// The interval of a ratio of sums over rows, each with the key of what it is of: rows of one image are drawn together.
/// None for fewer than two images.
pub(super) fn interval_of_rows(rows: &[(i64, f64, f64)], level: f64, seed: u64) -> Option<Interval> {
    let mut units: BTreeMap<i64, Unit> = BTreeMap::new();
    for &(key, part, whole) in rows {
        let unit = units.entry(key).or_default();
        unit.part += part;
        unit.whole += whole;
        unit.rows += 1;
    }
    let spec = SliceSpec {
        level,
        seed,
        ..SliceSpec::by("")
    };
    let units: Vec<Unit> = units.into_values().collect();
    interval(&units, &spec, true, 0)
}

fn interval(units: &[Unit], spec: &SliceSpec, is_share: bool, label: usize) -> Option<Interval> {
    if units.len() < 2 {
        return None;
    }
    let is_count = units
        .iter()
        .all(|unit| unit.rows == 1 && unit.whole == 1.0 && (unit.part == 0.0 || unit.part == 1.0));
    if is_count {
        let right = units.iter().filter(|unit| unit.part == 1.0).count();
        return wilson(right as u64, units.len() as u64, spec.level);
    }
    // Where every unit is all right or all wrong alike, draws cannot vary; Wilson's interval of the units still can.
    let n = units.len() as u64;
    for (n_right, is_so) in [
        (n, units.iter().all(|unit| unit.part == unit.whole)),
        (0, units.iter().all(|unit| unit.part == 0.0)),
    ] {
        if is_share && is_so {
            return wilson(n_right, n, spec.level);
        }
    }
    if units.len() <= MAX_DRAWN_UNITS {
        let mut random = Random::of_part(spec.seed, label as u64);
        return bootstrap(units.len(), N_DRAWS, spec.level, &mut random, |drawn| {
            let (mut part, mut whole) = (0.0, 0.0);
            for &unit in drawn {
                part += units[unit].part;
                whole += units[unit].whole;
            }
            (whole > 0.0).then(|| part / whole)
        });
    }
    let (n, sum) = (units.len() as f64, Unit::sum(units));
    let ratio = sum.ratio()?;
    let squares: f64 = units
        .iter()
        .map(|unit| (unit.part - ratio * unit.whole).powi(2))
        .sum();
    let half = normal_quantile(0.5 + spec.level / 2.0)? * (n / (n - 1.0) * squares).sqrt() / sum.whole;
    Some(Interval {
        low: ratio - half,
        high: ratio + half,
    })
}

/// How probable each slice's distance from the whole is, were units dealt to slices by chance.
fn chances(centred: &[f64], spans: &[(usize, usize, usize)], seed: u64) -> Vec<f64> {
    let found: Vec<f64> = spans
        .iter()
        .map(|&(_, from, to)| centred[from..to].iter().sum::<f64>().abs())
        .collect();
    let n = centred.len();
    if n > MAX_DRAWN_UNITS {
        let mean = centred.iter().sum::<f64>() / n as f64;
        let squares: f64 = centred.iter().map(|x| (x - mean) * (x - mean)).sum();
        let p = |(&(_, from, to), found): (&(usize, usize, usize), &f64)| {
            let own = (to - from) as f64;
            let variance = own * (n as f64 - own) / (n as f64 * (n as f64 - 1.0)) * squares;
            if variance > 0.0 {
                (2.0 * normal_tail(found / variance.sqrt())).min(1.0)
            } else {
                1.0
            }
        };
        return spans.iter().zip(&found).map(p).collect();
    }
    let mut random = Random::new(seed);
    let mut dealt = centred.to_vec();
    let mut as_far = vec![0_u32; spans.len()];
    // Sums in another order differ in their last digits.
    let scale: f64 = centred.iter().map(|x| x.abs()).sum::<f64>() * 1e-12;
    for _ in 0..N_PERMUTATIONS {
        random.shuffle(&mut dealt);
        for ((&(_, from, to), found), as_far) in spans.iter().zip(&found).zip(&mut as_far) {
            let sum = dealt[from..to].iter().sum::<f64>().abs();
            *as_far += u32::from(sum >= found - scale);
        }
    }
    as_far
        .iter()
        .map(|&as_far| f64::from(as_far + 1) / (N_PERMUTATIONS + 1) as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure() -> Measure {
        Measure {
            id: "accuracy".to_owned(),
            name: "Accuracy".to_owned(),
            better: Better::Higher,
            is_share: true,
            scale: 1.0,
        }
    }

    fn accuracy_by_light(rows: &[(&'static str, usize, usize)]) -> Vec<Slice> {
        let mut slicer = Slicer::new(measure(), &[SliceSpec::by("light")]);
        for &(light, right, n) in rows {
            for row in 0..n {
                slicer.observe(None, f64::from(u8::from(row < right)), 1.0, |_| Some(light));
            }
        }
        slicer.finish().unwrap()
    }

    #[test]
    fn the_surest_bad_slice_leads_and_small_ones_come_last() {
        let slices = accuracy_by_light(&[
            ("day", 190, 200),
            ("dusk", 60, 100),
            ("night", 0, 3),
            ("", 18, 20),
        ]);
        let labels: Vec<&str> = slices.iter().map(|slice| slice.label.as_str()).collect();
        assert_eq!(labels, ["dusk", "day", "night", "not said"]);
        let dusk = &slices[0];
        assert_eq!(dusk.figure.value, Some(0.6));
        // scipy: binomtest(60, 100).proportion_ci(method="wilson").
        assert!((dusk.figure.low.unwrap() - 0.502_002_586_791_061_8).abs() < 1e-12);
        assert!((dusk.figure.high.unwrap() - 0.690_598_713_567_541_1).abs() < 1e-12);
        assert_eq!((dusk.p, dusk.is_enough), (Some(0.001), true));
        assert_eq!(dusk.q, Some(0.001));
        assert!((dusk.gap.unwrap() - (0.6 - 208.0 / 223.0)).abs() < 1e-12);
        let night = &slices[2];
        assert_eq!((night.p, night.q, night.is_enough), (None, None, false));
    }

    #[test]
    fn slices_of_chance_are_found_as_often_as_said() {
        let mut random = Random::new(4);
        let n_found = (0..200)
            .filter(|_| {
                let mut slicer = Slicer::new(measure(), &[SliceSpec::by("coin")]);
                for _ in 0..120 {
                    let is_right = f64::from(u8::from(random.uniform() < 0.7));
                    let side = if random.uniform() < 0.5 { "heads" } else { "tails" };
                    slicer.observe(None, is_right, 1.0, |_| Some(side));
                }
                slicer.finish().unwrap()[0].p.unwrap() <= 0.05
            })
            .count();
        // 10 expected; three binomial standard deviations are 9.
        assert!(n_found <= 19, "{n_found} of 200");
    }

    #[test]
    fn slices_that_are_as_all_others_are_no_finding() {
        for slice in accuracy_by_light(&[("day", 40, 80), ("dusk", 40, 80)]) {
            assert_eq!((slice.p, slice.q, slice.gap), (Some(1.0), Some(1.0), Some(0.0)));
        }
    }

    #[test]
    fn frames_of_a_clip_are_one_observation() {
        let mut slicer = Slicer::new(
            measure(),
            &[SliceSpec {
                min_n: 2,
                ..SliceSpec::by("view")
            }],
        );
        for clip in 0..20 {
            let name = clip.to_string();
            for _ in 0..50 {
                let is_right = f64::from(u8::from(clip % 3 == 0));
                slicer.observe(Some(&name), is_right, 1.0, |_| {
                    Some(if clip % 2 == 0 { "front" } else { "side" })
                });
            }
        }
        let slices = slicer.finish().unwrap();
        assert_eq!(slices[0].figure.n, 10);
        let width = slices[0].figure.high.unwrap() - slices[0].figure.low.unwrap();
        assert!(width > 0.4, "the interval is that of ten clips: {width}");
    }

    #[test]
    fn numbers_are_cut_at_edges_or_quartiles() {
        let mut untagged = Slicer::new(measure(), &[SliceSpec::by("height")]);
        untagged.observe(None, 1.0, 1.0, |_| None);
        assert!(untagged.finish().is_err(), "a tag that no row has");
        let texts: Vec<String> = (0..100).map(|row| row.to_string()).collect();
        let labels = |spec: &str| {
            let mut slicer = Slicer::new(measure(), &[SliceSpec::parse(spec).unwrap()]);
            for text in &texts {
                slicer.observe(None, 1.0, 1.0, |_| Some(text));
            }
            let mut slices = slicer.finish().unwrap();
            slices.sort_by(|a, b| a.label.cmp(&b.label));
            slices
                .into_iter()
                .map(|slice| (slice.label, slice.figure.n))
                .collect::<Vec<_>>()
        };
        let of = |name: &str, n| (name.to_owned(), n);
        assert_eq!(
            labels("by=height,edges=10:90"),
            [of("10 to 90", 80), of("90 and above", 10), of("below 10", 10)]
        );
        assert_eq!(
            labels("by=height")
                .iter()
                .map(|slice| slice.1)
                .collect::<Vec<_>>(),
            [25; 4]
        );
    }

    #[test]
    fn bad_specs_are_refused() {
        for bad in [
            "",
            "light",
            "by=",
            "by=a,edges=2:1",
            "by=a,edges=x",
            "by=a,min=-1",
            "by=a,nan=1",
            "by=a,edges=nan",
        ] {
            assert!(SliceSpec::parse(bad).is_err(), "{bad}");
        }
    }
}
