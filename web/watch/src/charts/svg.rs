//! The elements of a drawing, written one after the other. Nothing here has a colour: elements have classes.

use std::fmt::Write;

/// Where a text stands to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// Elements in the order in which they are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// A straight line.
    pub fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(place);
        self.element(format_args!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    /// A rectangle, whichever two corners are given.
    pub fn rectangle(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let [x, y, width, height] = [x1.min(x2), y1.min(y2), (x1 - x2).abs(), (y1 - y2).abs()].map(place);
        self.element(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    /// A point.
    pub fn point(&mut self, class: &str, [x, y]: [f64; 2], radius: f64) {
        let [x, y, radius] = [x, y, radius].map(place);
        self.element(format_args!(
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"
        ));
    }

    /// Lines through points; `None` is a gap. A point between two gaps becomes a dot.
    pub fn path(&mut self, class: &str, points: impl IntoIterator<Item = Option<[f64; 2]>>) {
        let mut path = String::new();
        let mut begun: Option<([f64; 2], bool)> = None;
        let mut alone = Vec::new();
        for point in points {
            let Some([x, y]) = point else {
                alone.extend(begun.filter(|(_, goes_on)| !goes_on).map(|(at, _)| at));
                begun = None;
                continue;
            };
            let letter = if begun.is_some() { 'L' } else { 'M' };
            let _ = write!(path, "{letter}{} {}", place(x), place(y));
            begun = Some(([x, y], begun.is_some()));
        }
        alone.extend(begun.filter(|(_, goes_on)| !goes_on).map(|(at, _)| at));
        if !path.is_empty() {
            self.element(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
        for at in alone {
            self.point(&format!("{class} is-alone"), at, 1.5);
        }
    }

    /// Words. A screen reader is told the caption and the table instead.
    pub fn text(&mut self, class: &str, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let [x, y] = [x, y].map(place);
        let text = escaped(text);
        self.element(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.0
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.0.write_fmt(element);
    }
}

/// A place to a tenth of a unit, as short as it can be written. What is not a number is drawn in the corner.
fn place(value: f64) -> String {
    let tenths = (value * 10.0).round();
    if !tenths.is_finite() {
        return "0".to_owned();
    }
    // Added to zero, a negative zero is a positive one.
    let text = format!("{:.1}", tenths / 10.0 + 0.0);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A text without the characters that mean something in SVG.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_breaks_the_line_and_a_lonely_point_is_a_dot() {
        let mut svg = Svg::default();
        svg.path(
            "a",
            [
                Some([0.0, 1.0]),
                Some([2.0, -0.5]),
                None,
                Some([4.0, 5.04]),
                None,
                None,
            ],
        );
        let drawn = svg.finish();
        assert_eq!(
            drawn,
            "<path class=\"a\" d=\"M0 1L2 -0.5M4 5\"/><circle class=\"a is-alone\" cx=\"4\" cy=\"5\" r=\"1.5\"/>"
        );
        let mut nothing = Svg::default();
        nothing.path("a", [None, None]);
        assert_eq!(nothing.finish(), "");
    }

    #[test]
    fn words_of_strangers_cannot_become_elements() {
        let mut svg = Svg::default();
        svg.text("t", [-0.04, f64::NAN], Anchor::End, "<script>&\"");
        assert_eq!(
            svg.finish(),
            "<text class=\"t\" x=\"0\" y=\"0\" text-anchor=\"end\">&lt;script&gt;&amp;&quot;</text>"
        );
    }
}
