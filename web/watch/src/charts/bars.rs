//! Values side by side as bars from zero, each with the interval that it may lie in.

use super::axis::HALF_TEXT;
use super::number::{UNKNOWN, count, maybe, short};
use super::scale::{Scale, limits};
use super::svg::{Anchor, Svg};
use super::table::Table;
use super::{Chart, WIDTH, titled};

/// Units that a bar takes: its name above it, then the bar.
const ROW: f64 = 34.0;
/// The bar itself.
const THICK: f64 = 10.0;
/// Room for the number at its right.
const NUMBER: f64 = 52.0;
/// Characters that a name may have in the drawing; the table has all of them.
const NAME_LENGTH: usize = 42;

/// A value with its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// The value, where it is known.
    pub value: Option<f64>,
    /// The ends of its interval, where there is one.
    pub interval: Option<[f64; 2]>,
    /// What it rests on, where that is counted.
    pub n: Option<u64>,
    /// Whether it rests on too little to be compared; it is drawn as an outline.
    pub is_thin: bool,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct BarChart<'a> {
    /// What is measured.
    pub title: &'a str,
    /// Its unit; empty for none.
    pub unit: &'a str,
    /// What a bar is of: "slice".
    pub of: &'a str,
    /// From top to bottom.
    pub bars: &'a [Bar],
    /// A line across all bars, with its name: the whole, or a limit.
    pub mark: Option<(&'a str, f64)>,
    /// Where the bars could end; without it where the longest does.
    pub limit: Option<f64>,
}

/// Draws it.
pub fn bars(chart: &BarChart<'_>) -> Chart {
    let reach = chart
        .bars
        .iter()
        .flat_map(|bar| bar.interval.into_iter().flatten().chain(bar.value));
    let mark = chart.mark.filter(|(_, value)| value.is_finite());
    let [low, high] = limits(reach.chain(mark.map(|(_, value)| value))).unwrap_or([0.0, 1.0]);
    let high = chart.limit.unwrap_or(high).max(0.0);
    let scale = Scale::new(
        [low.min(0.0), if high > low.min(0.0) { high } else { 1.0 }],
        [1.0, WIDTH - NUMBER],
    );
    let top = if mark.is_some() { 18.0 } else { 2.0 };
    let height = top + ROW * chart.bars.len() as f64 + 4.0;
    let mut svg = Svg::default();
    for (at, bar) in chart.bars.iter().enumerate() {
        let y = top + ROW * at as f64;
        let n = bar.n.map(|n| format!(", n = {}", count(n))).unwrap_or_default();
        let name = shortened(&bar.label, NAME_LENGTH - n.len());
        svg.text(
            "chart-text is-strong",
            [4.0, y + 11.0],
            Anchor::Start,
            &format!("{name}{n}"),
        );
        let [bar_top, bar_bottom] = [y + 16.0, y + 16.0 + THICK];
        let middle = (bar_top + bar_bottom) / 2.0;
        if let Some(value) = bar.value.filter(|value| value.is_finite()) {
            let class = if bar.is_thin {
                "chart-bar is-thin"
            } else {
                "chart-bar"
            };
            svg.rectangle(class, [scale.at(0.0), bar_top], [scale.at(value), bar_bottom]);
        }
        if let Some([low, high]) = bar.interval.filter(|ends| ends.iter().all(|end| end.is_finite())) {
            let [low, high] = [scale.at(low), scale.at(high)];
            for (class, rim) in [("chart-interval-rim", 3.0), ("chart-interval", 3.0)] {
                svg.line(class, [low, middle], [high, middle]);
                svg.line(class, [low, middle - rim], [low, middle + rim]);
                svg.line(class, [high, middle - rim], [high, middle + rim]);
            }
        }
        let number = bar.value.map_or_else(|| "–".to_owned(), short);
        svg.text(
            "chart-text is-number",
            [WIDTH - 2.0, middle + HALF_TEXT],
            Anchor::End,
            &number,
        );
    }
    svg.line("chart-axis", [scale.at(0.0), top], [scale.at(0.0), height - 4.0]);
    if let Some((name, value)) = mark {
        let x = scale.at(value);
        svg.line("chart-mark", [x, top - 4.0], [x, height - 4.0]);
        let anchor = if x < WIDTH / 2.0 {
            Anchor::Start
        } else {
            Anchor::End
        };
        svg.text(
            "chart-text",
            [x, top - 7.0],
            anchor,
            &format!("{name} {}", short(value)),
        );
    }
    Chart {
        title: titled(chart.title, chart.unit),
        height,
        drawing: svg.finish(),
        caption: caption(chart, mark),
        table: table(chart),
    }
}

fn caption(chart: &BarChart<'_>, mark: Option<(&str, f64)>) -> String {
    let unit = if chart.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", chart.unit)
    };
    let known = || {
        chart
            .bars
            .iter()
            .filter_map(|bar| Some((bar, bar.value.filter(|value| value.is_finite())?)))
    };
    let compared = || known().filter(|(bar, _)| !bar.is_thin);
    let said = |(bar, value): (&Bar, f64)| {
        let interval = bar
            .interval
            .map(|[low, high]| format!(" ({} to {})", short(low), short(high)));
        format!(
            "{}{unit}{} for {}",
            short(value),
            interval.unwrap_or_default(),
            bar.label
        )
    };
    let lowest = compared().min_by(|a, b| a.1.total_cmp(&b.1));
    let highest = compared().max_by(|a, b| a.1.total_cmp(&b.1));
    let mut caption = match (lowest, highest) {
        (Some(low), Some(high)) if low.0.label != high.0.label => {
            format!("{}: from {} to {}", chart.title, said(low), said(high))
        }
        (Some(one), _) => format!("{}: {}", chart.title, said(one)),
        _ => format!("{}: no {} has enough to be compared", chart.title, chart.of),
    };
    if let Some((name, value)) = mark {
        caption.push_str(&format!("; {name} {}{unit}", short(value)));
    }
    caption.push('.');
    let n_thin = known().filter(|(bar, _)| bar.is_thin).count();
    let n_unknown = chart.bars.len() - known().count();
    for (n, what) in [
        (n_thin, "too small to be compared, drawn as outlines"),
        (n_unknown, UNKNOWN),
    ] {
        match n {
            0 => {}
            1 => caption.push_str(&format!(" 1 is {what}.")),
            _ => caption.push_str(&format!(" {n} are {what}.")),
        }
    }
    caption
}

fn table(chart: &BarChart<'_>) -> Table {
    let mut table = Table::new(&[chart.of, &titled(chart.title, chart.unit), "From", "To", "n"]);
    for bar in chart.bars {
        let end = |at: usize| {
            bar.interval
                .map_or_else(|| "–".to_owned(), |ends| short(ends[at]))
        };
        table.push([
            bar.label.clone(),
            maybe(bar.value),
            end(0),
            end(1),
            bar.n.map_or_else(|| "–".to_owned(), count),
        ]);
    }
    table
}

/// The beginning of a name, with a mark where it goes on.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let kept: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: Option<f64>, is_thin: bool) -> Bar {
        Bar {
            label: label.to_owned(),
            value,
            interval: value.map(|v| [v - 0.05, v + 0.05]),
            n: Some(40),
            is_thin,
        }
    }

    fn chart<'a>(bars: &'a [Bar]) -> BarChart<'a> {
        BarChart {
            title: "Accuracy",
            unit: "",
            of: "slice",
            bars,
            mark: Some(("all", 0.8)),
            limit: Some(1.0),
        }
    }

    #[test]
    fn the_sentence_names_the_lowest_and_the_highest_that_can_be_compared() {
        let found = [
            bar("front", Some(0.9), false),
            bar("side", Some(0.5), false),
            bar("rare", Some(0.1), true),
            bar("none", None, false),
        ];
        for (n, expected) in [
            (0, "Accuracy: no slice has enough to be compared; all 0.800."),
            (1, "Accuracy: 0.900 (0.850 to 0.950) for front; all 0.800."),
            (
                4,
                "Accuracy: from 0.500 (0.450 to 0.550) for side to 0.900 (0.850 to 0.950) for front; all 0.800. 1 is too small to \
                 be compared, drawn as outlines. 1 is not known.",
            ),
        ] {
            assert_eq!(bars(&chart(&found[..n])).caption, expected);
        }
    }

    #[test]
    fn bars_begin_at_zero_and_are_as_long_as_their_values() {
        let found = [bar("a", Some(0.5), false), bar("b", None, true)];
        let drawn = bars(&chart(&found));
        let [left, right] = [1.0, WIDTH - NUMBER];
        let width = format!("x=\"{left}\" y=\"34\" width=\"{}\"", (right - left) / 2.0);
        assert!(drawn.drawing.contains(&width), "{width} in {}", drawn.drawing);
        assert_eq!(drawn.drawing.matches("<rect").count(), 1);
        assert_eq!(drawn.table.rows[1], ["b", UNKNOWN, "–", "–", "40"]);
        assert!(drawn.height > 2.0 * ROW);
    }

    #[test]
    fn values_below_zero_go_to_the_left() {
        let found = [
            Bar {
                label: "a".into(),
                value: Some(-2.0),
                ..Bar::default()
            },
            Bar {
                label: "b".into(),
                value: Some(2.0),
                ..Bar::default()
            },
        ];
        let drawn = bars(&BarChart {
            title: "Bias",
            unit: "°",
            of: "joint",
            bars: &found,
            mark: None,
            limit: None,
        });
        let middle = (1.0 + WIDTH - NUMBER) / 2.0;
        assert!(
            drawn.drawing.contains(&format!("x=\"{middle}\"")),
            "{}",
            drawn.drawing
        );
        assert_eq!(drawn.caption, "Bias: from −2 ° for a to 2 ° for b.");
    }

    #[test]
    fn long_names_are_cut_in_the_drawing_only() {
        let name = "a".repeat(80);
        let drawn = bars(&chart(&[bar(&name, Some(0.2), false)]));
        assert!(!drawn.drawing.contains(&name) && drawn.drawing.contains('…'));
        assert_eq!(drawn.table.rows[0][0], name);
    }
}
