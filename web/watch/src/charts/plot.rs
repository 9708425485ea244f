//! What an evaluation plots: curves of a threshold, reliability, differences over means.
//!
//! The plot comes from the report, with its axes. Lines are told apart by a number at their end, which the table repeats,
//! because there may be as many as there are classes; a line that says what would be perfect, or chance, is quiet.

use plumbline_core::metrics::report::{Plot, Series, SeriesKind};

use super::axis::{BOTTOM, Field, HALF_TEXT, LEFT, RIGHT, TOP};
use super::number::{count, fixed, percent, short};
use super::svg::{Anchor, Svg};
use super::table::Table;
use super::{Chart, WIDTH};

/// A field of shares is square; others are as high as two thirds of that.
const SQUARE: f64 = WIDTH - LEFT - RIGHT + TOP + BOTTOM;
/// Places at which the table reads a line.
const LINE_ROWS: usize = 21;
/// Single points that the table lists; the report has all of them.
const MOST_POINTS: usize = 200;

/// Draws it.
pub fn plot(plot: &Plot) -> Chart {
    let is_unit = |axis: &plumbline_core::metrics::report::Axis| axis.low == 0.0 && axis.high == 1.0;
    let height = if is_unit(&plot.x) && is_unit(&plot.y) {
        SQUARE
    } else {
        SQUARE * 2.0 / 3.0
    };
    let n_lines = lines(plot).count();
    let has_many = n_lines > 1;
    let field = Field::new(
        [plot.x.low, plot.x.high],
        [plot.y.low, plot.y.high],
        height,
        if has_many { 14.0 } else { 0.0 },
    );
    let mut svg = Svg::default();
    field.draw(&mut svg, &plot.x.label, true);
    svg.text("chart-text", [LEFT, TOP - 2.0], Anchor::Start, &plot.y.label);
    let mut number = 0;
    for series in &plot.series {
        let points = finite(series);
        let placed = points.iter().map(|&[x, y]| field.at(x, y));
        match series.kind {
            SeriesKind::Reference => svg.path("chart-ideal", placed.map(Some)),
            SeriesKind::Line => {
                number += 1;
                svg.path("chart-line", placed.map(Some));
                let at = place_of(number, n_lines, &points).filter(|_| has_many);
                if let Some([x, y]) = at.map(|[x, y]| field.at(x, y)) {
                    svg.text(
                        "chart-text is-strong",
                        [x + 3.0, y + HALF_TEXT],
                        Anchor::Start,
                        &number.to_string(),
                    );
                }
            }
            SeriesKind::Points => placed.for_each(|at| svg.point("chart-point", at, 2.5)),
            SeriesKind::Bars => {
                let half = step_between(&points) / 2.0;
                for &[x, y] in &points {
                    let ([left, base], [right, top]) = (field.at(x - half, 0.0), field.at(x + half, y));
                    svg.rectangle("chart-bar", [left + 0.5, base], [right - 0.5, top]);
                }
            }
        }
    }
    Chart {
        title: plot.title.clone(),
        height,
        drawing: svg.finish(),
        caption: caption(plot),
        table: table(plot),
    }
}

fn lines(plot: &Plot) -> impl Iterator<Item = &Series> {
    plot.series
        .iter()
        .filter(|series| series.kind == SeriesKind::Line)
}

fn finite(series: &Series) -> Vec<[f64; 2]> {
    let is_finite = |point: &&[f64; 2]| point.iter().all(|value| value.is_finite());
    series.points.iter().filter(is_finite).copied().collect()
}

/// Where the number of a line stands: each further along its points than the one before, so that they stand apart.
fn place_of(number: usize, of: usize, points: &[[f64; 2]]) -> Option<[f64; 2]> {
    points.get(points.len() * number / (of + 1)).copied()
}

/// The smallest distance between neighbours.
fn step_between(points: &[[f64; 2]]) -> f64 {
    let gaps = points.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
    let least = gaps.filter(|&gap| gap > 0.0).fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 0.1 }
}

/// The most that a line reaches at one side of `x`.
fn best(points: &[[f64; 2]], is_there: impl Fn(f64) -> bool) -> Option<f64> {
    points
        .iter()
        .filter(|point| is_there(point[0]))
        .map(|point| point[1])
        .max_by(f64::total_cmp)
}

fn caption(plot: &Plot) -> String {
    match plot.id.as_str() {
        "roc" => over_lines(
            plot,
            |points| best(points, |x| x <= 0.05 + 1e-9),
            |share| {
                format!(
                    "{} of the positives are found where 5 % of the negatives are taken for positive",
                    percent(share)
                )
            },
        ),
        "precision_recall" => over_lines(
            plot,
            |points| best(points, |x| x >= 0.5 - 1e-9),
            |share| {
                format!(
                    "{} of what is taken for positive is, where half of the positives are found",
                    percent(share)
                )
            },
        ),
        "reliability" => reliability(plot),
        "bland_altman" => differences(plot),
        _ => general(plot),
    }
}

/// A sentence about one number of each line: its value, or the lowest and the highest of many.
fn over_lines(plot: &Plot, of: impl Fn(&[[f64; 2]]) -> Option<f64>, words: impl Fn(f64) -> String) -> String {
    let mut found: Vec<(f64, &str)> = lines(plot)
        .filter_map(|line| Some((of(&finite(line))?, line.name.as_str())))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    match found.as_slice() {
        [] => format!("{}: there is no curve.", plot.title),
        [(value, name)] => format!("{name}: {}.", words(*value)),
        [(low, lowest), .., (high, highest)] => {
            format!(
                "Lowest for {lowest}: {}. Highest for {highest}: {}.",
                words(*low),
                percent(*high)
            )
        }
    }
}

fn reliability(plot: &Plot) -> String {
    let marks = plot
        .series
        .iter()
        .find(|series| matches!(series.kind, SeriesKind::Points | SeriesKind::Line));
    let marks = marks.or_else(|| plot.series.iter().find(|series| series.kind == SeriesKind::Bars));
    let points = marks.map(finite).unwrap_or_default();
    let widest = points
        .iter()
        .max_by(|a, b| (a[0] - a[1]).abs().total_cmp(&(b[0] - b[1]).abs()));
    let Some(&[said, right]) = widest else {
        return "There are no predictions to judge.".to_owned();
    };
    let n_above = points.iter().filter(|[said, right]| said > right).count();
    format!(
        "In {n_above} of {} bins the model says more than it is right. It is furthest off where it says {}: there {} are right.",
        points.len(),
        percent(said),
        percent(right)
    )
}

fn differences(plot: &Plot) -> String {
    let points: Vec<[f64; 2]> = plot
        .series
        .iter()
        .filter(|series| series.kind == SeriesKind::Points)
        .flat_map(finite)
        .collect();
    let mut levels: Vec<f64> = plot
        .series
        .iter()
        .filter(|series| series.kind == SeriesKind::Reference)
        .filter_map(|series| Some(series.points.first()?[1]))
        .collect();
    levels.sort_by(f64::total_cmp);
    match (levels.first(), levels.last()) {
        (Some(&low), Some(&high)) if low < high => {
            let n_within = points.iter().filter(|[_, y]| (low..=high).contains(y)).count();
            format!(
                "{} of {} differences lie between the limits of agreement, {} and {}.",
                count(n_within as u64),
                count(points.len() as u64),
                short(low),
                short(high)
            )
        }
        _ => general(plot),
    }
}

fn general(plot: &Plot) -> String {
    let n: usize = plot.series.iter().map(|series| series.points.len()).sum();
    format!(
        "{}: {} over {}, {} points.",
        plot.title,
        plot.y.label,
        plot.x.label,
        count(n as u64)
    )
}

fn table(plot: &Plot) -> Table {
    let mut table = Table::new(&["Series", &plot.x.label, &plot.y.label]);
    let has_many = lines(plot).count() > 1;
    let mut number = 0;
    for series in &plot.series {
        let points = finite(series);
        let mut name = series.name.clone();
        match series.kind {
            SeriesKind::Reference => {}
            SeriesKind::Line if points.len() > LINE_ROWS => {
                number += 1;
                if has_many {
                    name = format!("{number}: {name}");
                }
                for at in 0..LINE_ROWS {
                    let [x, y] = points[at * (points.len() - 1) / (LINE_ROWS - 1)];
                    table.push([name.clone(), fixed(x, 3), fixed(y, 3)]);
                }
            }
            kind => {
                number += usize::from(kind == SeriesKind::Line);
                if has_many && kind == SeriesKind::Line {
                    name = format!("{number}: {name}");
                }
                for [x, y] in points.iter().take(MOST_POINTS) {
                    table.push([name.clone(), short(*x), short(*y)]);
                }
                if points.len() > MOST_POINTS {
                    let rest = count((points.len() - MOST_POINTS) as u64);
                    table.push([
                        format!("{name}: {rest} more in the report’s JSON"),
                        "–".to_owned(),
                        "–".to_owned(),
                    ]);
                }
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use plumbline_core::metrics::report::Axis;

    use super::*;

    fn series(name: &str, kind: SeriesKind, points: &[[f64; 2]]) -> Series {
        Series {
            name: name.to_owned(),
            kind,
            points: points.to_vec(),
        }
    }

    fn unit(id: &str, series: Vec<Series>) -> Plot {
        Plot {
            id: id.to_owned(),
            title: "Title".to_owned(),
            x: Axis::share("x"),
            y: Axis::share("y"),
            series,
        }
    }

    #[test]
    fn curves_say_what_a_threshold_buys() {
        let line = |name, y| {
            series(
                name,
                SeriesKind::Line,
                &[[0.0, 0.0], [0.04, y], [0.6, 0.9], [1.0, 1.0]],
            )
        };
        assert_eq!(
            plot(&unit("roc", vec![line("fall", 0.6)])).caption,
            "fall: 60 % of the positives are found where 5 % of the negatives are taken for positive."
        );
        let many = plot(&unit("roc", vec![line("a", 0.6), line("b", 0.2), line("c", 0.4)]));
        assert_eq!(
            many.caption,
            "Lowest for b: 20 % of the positives are found where 5 % of the negatives are taken for positive. Highest for a: 60 %."
        );
        assert!(many.drawing.contains(">3</text>"), "lines are numbered");
        assert_eq!(many.table.rows[4][0], "2: b");
        assert_eq!(
            plot(&unit("precision_recall", vec![])).caption,
            "Title: there is no curve."
        );
    }

    #[test]
    fn reliability_names_the_bin_that_is_furthest_off() {
        let found = plot(&unit(
            "reliability",
            vec![
                series("ideal", SeriesKind::Reference, &[[0.0, 0.0], [1.0, 1.0]]),
                series("right", SeriesKind::Bars, &[[0.25, 0.2], [0.75, 0.5]]),
                series("bins", SeriesKind::Points, &[[0.2, 0.2], [0.8, 0.5]]),
            ],
        ));
        assert_eq!(
            found.caption,
            "In 1 of 2 bins the model says more than it is right. It is furthest off where it says 80 %: there 50 % are right."
        );
        assert_eq!(
            (
                found.drawing.matches("<rect").count(),
                found.drawing.matches("<circle").count()
            ),
            (2, 2)
        );
        assert_eq!(
            found.table.rows.len(),
            4,
            "what is only drawn for comparison is not in the table"
        );
    }

    #[test]
    fn differences_are_counted_against_their_limits() {
        let level = |y| series("limit", SeriesKind::Reference, &[[0.0, y], [1.0, y]]);
        let points = [[0.1, 0.0], [0.2, 5.0], [0.3, -1.0], [f64::NAN, 0.0]];
        let found = plot(&unit(
            "bland_altman",
            vec![level(-2.0), level(2.0), series("d", SeriesKind::Points, &points)],
        ));
        assert_eq!(
            found.caption,
            "2 of 3 differences lie between the limits of agreement, −2 and 2."
        );
    }

    #[test]
    fn long_series_are_read_at_some_places() {
        let long: Vec<[f64; 2]> = (0..1000).map(|at| [f64::from(at) / 1000.0; 2]).collect();
        let found = plot(&unit(
            "other",
            vec![
                series("a", SeriesKind::Line, &long),
                series("b", SeriesKind::Points, &long),
            ],
        ));
        assert_eq!(found.table.rows.len(), LINE_ROWS + MOST_POINTS + 1);
        assert_eq!(found.caption, "Title: y over x, 2000 points.");
    }
}
