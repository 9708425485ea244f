//! Values over time, with the band in which a reference holds them.

use super::axis::{Field, HALF_TEXT};
use super::number::{UNKNOWN, count, short};
use super::scale::limits;
use super::svg::{Anchor, Svg};
use super::table::Table;
use super::{Chart, titled};

/// Units from the top of the drawing to its bottom.
const HEIGHT: f64 = 180.0;

/// Which line it is, where there is more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The only one.
    Only,
    /// The subject's left: solid, with an L at its end.
    Left,
    /// The subject's right: dashed, with an R at its end.
    Right,
}

impl Side {
    fn class(self) -> &'static str {
        match self {
            Self::Only => "chart-line",
            Self::Left => "chart-line is-left",
            Self::Right => "chart-line is-right",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Only => "",
            Self::Left => "L",
            Self::Right => "R",
        }
    }

    /// What a sentence begins with.
    fn word(self, title: &str) -> String {
        match self {
            Self::Only => title.to_owned(),
            Self::Left => "Left".to_owned(),
            Self::Right => "Right".to_owned(),
        }
    }
}

/// A line: one value for each place, `None` where it was not measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which one.
    pub side: Side,
    /// Its values; the newest comes last.
    pub values: Vec<Option<f64>>,
}

/// What is between two values in the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its lower edge.
    pub low: f64,
    /// Its upper edge.
    pub high: f64,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart<'a> {
    /// What is measured.
    pub title: &'a str,
    /// Its unit; empty for none.
    pub unit: &'a str,
    /// What a place is, in the plural: "blocks".
    pub places: &'a str,
    /// The number of the first place.
    pub first: u64,
    /// At most three.
    pub lines: &'a [Line],
    /// The reference, where there is one.
    pub band: Option<Band>,
    /// The limits of the values; without them those of the values themselves.
    pub limits: Option<[f64; 2]>,
}

/// Draws it.
pub fn line(chart: &LineChart<'_>) -> Chart {
    let n_places = chart
        .lines
        .iter()
        .map(|line| line.values.len())
        .max()
        .unwrap_or(0);
    let band = chart
        .band
        .filter(|band| band.low.is_finite() && band.high.is_finite());
    let values = chart
        .lines
        .iter()
        .flat_map(|line| line.values.iter().flatten().copied());
    let edges = band.into_iter().flat_map(|band| [band.low, band.high]);
    let y = chart
        .limits
        .or_else(|| limits(values.chain(edges)))
        .unwrap_or([0.0, 1.0]);
    let first = chart.first as f64;
    let last = first + n_places.saturating_sub(1).max(1) as f64;
    let field = Field::new([first, last], y, HEIGHT, 12.0);
    let mut svg = Svg::default();
    if let Some(band) = band {
        let ([left, right], [low, high]) =
            (field.x.range, [band.low, band.high].map(|edge| field.y.at(edge)));
        svg.rectangle("chart-band", [left, low], [right, high]);
        svg.line("chart-band-edge", [left, low], [right, low]);
        svg.line("chart-band-edge", [left, high], [right, high]);
    }
    field.draw(&mut svg, chart.places, true);
    for line in chart.lines {
        let placed = |(at, value): (usize, &Option<f64>)| {
            let value = value.filter(|value| value.is_finite())?;
            Some(field.at(first + at as f64, value))
        };
        svg.path(line.side.class(), line.values.iter().enumerate().map(placed));
        let end = line.values.iter().enumerate().filter_map(placed).next_back();
        if let Some([x, y]) = end {
            svg.text(
                "chart-text is-strong",
                [x + 4.0, y + HALF_TEXT],
                Anchor::Start,
                line.side.mark(),
            );
        }
    }
    Chart {
        title: titled(chart.title, chart.unit),
        height: HEIGHT,
        drawing: svg.finish(),
        caption: caption(chart, band),
        table: table(chart, n_places),
    }
}

fn caption(chart: &LineChart<'_>, band: Option<Band>) -> String {
    let mut sentences = Vec::new();
    for line in chart.lines {
        let known = line.values.iter().flatten().copied();
        let known: Vec<f64> = known.filter(|value| value.is_finite()).collect();
        let word = line.side.word(chart.title);
        let Some(&newest) = known.last() else {
            sentences.push(format!("{word}: not measured yet."));
            continue;
        };
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sentence = if known.len() == 1 {
            format!("{word}: {}, measured once", short(newest))
        } else {
            format!(
                "{word}: {} now, {} to {} in the last {} {}",
                short(newest),
                short(low),
                short(high),
                count(known.len() as u64),
                chart.places
            )
        };
        if let Some(band) = band {
            sentence.push_str(&compared(&known, band));
        }
        sentences.push(format!("{sentence}."));
    }
    if sentences.is_empty() {
        format!("{}: not measured yet.", chart.title)
    } else {
        sentences.join(" ")
    }
}

/// How values lie to the reference: of a band, how many are outside; a single value is only named.
fn compared(values: &[f64], band: Band) -> String {
    if band.low >= band.high {
        return format!("; the reference is {}", short(band.low));
    }
    let is_outside = |&&value: &&f64| value < band.low || value > band.high;
    let outside = match values.iter().filter(is_outside).count() {
        0 => "none lies outside of it".to_owned(),
        1 => "1 lies outside of it".to_owned(),
        n if n == values.len() => "all lie outside of it".to_owned(),
        n => format!("{} lie outside of it", count(n as u64)),
    };
    format!(
        "; the reference is {} to {}, and {outside}",
        short(band.low),
        short(band.high)
    )
}

fn table(chart: &LineChart<'_>, n_places: usize) -> Table {
    let mut table = Table::new(&[chart.places]);
    for line in chart.lines {
        table.heads.push(match line.side {
            Side::Only => titled(chart.title, chart.unit),
            side => titled(&side.word(chart.title), chart.unit),
        });
    }
    for at in 0..n_places {
        let mut cells = vec![count(chart.first + at as u64)];
        for line in chart.lines {
            let value = line.values.get(at).copied().flatten();
            cells.push(value.map_or_else(|| UNKNOWN.to_owned(), short));
        }
        table.rows.push(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart<'a>(lines: &'a [Line], band: Option<Band>) -> LineChart<'a> {
        LineChart {
            title: "Sharpness",
            unit: "ln",
            places: "blocks",
            first: 1,
            lines,
            band,
            limits: None,
        }
    }

    #[test]
    fn the_sentence_says_what_the_line_shows() {
        let only = |values: &[Option<f64>]| {
            [Line {
                side: Side::Only,
                values: values.to_vec(),
            }]
        };
        let band = Some(Band { low: 4.0, high: 6.0 });
        for (values, band, expected) in [
            (vec![], None, "Sharpness: not measured yet."),
            (vec![None, Some(f64::NAN)], band, "Sharpness: not measured yet."),
            (vec![Some(5.0)], None, "Sharpness: 5, measured once."),
            (
                vec![Some(5.0), None, Some(6.5), Some(3.25)],
                band,
                "Sharpness: 3.25 now, 3.25 to 6.50 in the last 3 blocks; the reference is 4 to 6, and 2 lie outside of it.",
            ),
            (
                vec![Some(5.0), Some(5.5)],
                band,
                "Sharpness: 5.50 now, 5 to 5.50 in the last 2 blocks; the reference is 4 to 6, and none lies outside of it.",
            ),
        ] {
            assert_eq!(line(&chart(&only(&values), band)).caption, expected);
        }
    }

    #[test]
    fn left_is_solid_right_is_dashed_and_both_are_named() {
        let lines = [
            Line {
                side: Side::Left,
                values: vec![Some(1.0), Some(2.0)],
            },
            Line {
                side: Side::Right,
                values: vec![Some(2.0), None],
            },
        ];
        let drawn = line(&chart(&lines, None));
        for part in [
            "chart-line is-left\"",
            "chart-line is-right is-alone",
            ">L<",
            ">R<",
        ] {
            assert!(drawn.drawing.contains(part), "{part} in {}", drawn.drawing);
        }
        assert_eq!(drawn.table.heads, ["blocks", "Left (ln)", "Right (ln)"]);
        assert_eq!(drawn.table.rows[1], ["2", "2", UNKNOWN]);
    }

    #[test]
    fn the_band_lies_behind_the_line_and_has_edges() {
        let lines = [Line {
            side: Side::Only,
            values: vec![Some(0.0), Some(10.0)],
        }];
        let drawn = line(&chart(&lines, Some(Band { low: 2.0, high: 4.0 }))).drawing;
        let (band, path) = (drawn.find("chart-band\""), drawn.find("chart-line\""));
        assert!(band.expect("a band") < path.expect("a line"), "{drawn}");
        assert_eq!(drawn.matches("chart-band-edge").count(), 2);
        // A band that cannot be drawn is none.
        let none = line(&chart(
            &lines,
            Some(Band {
                low: f64::NAN,
                high: 4.0,
            }),
        ));
        assert!(!none.drawing.contains("chart-band") && !none.caption.contains("reference"));
    }
}
