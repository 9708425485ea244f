//! The frame around what is drawn: lines at round values and their numbers.

use super::WIDTH;
use super::number::fixed;
use super::scale::{Scale, ticks};
use super::svg::{Anchor, Svg};

/// The space around the field in which values are drawn, in units.
pub const LEFT: f64 = 40.0;
/// As [`LEFT`].
pub const RIGHT: f64 = 12.0;
/// As [`LEFT`].
pub const TOP: f64 = 10.0;
/// As [`LEFT`]; a line of numbers and one of words.
pub const BOTTOM: f64 = 36.0;

/// How far a text's baseline lies below its middle.
pub const HALF_TEXT: f64 = 4.0;

/// A field with two scales.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
}

impl Field {
    /// A field in a drawing of this height, with room for so many units of words at its right.
    pub fn new(x: [f64; 2], y: [f64; 2], height: f64, words: f64) -> Self {
        Self {
            x: Scale::new(x, [LEFT, WIDTH - RIGHT - words]),
            y: Scale::new(y, [height - BOTTOM, TOP]),
        }
    }

    /// Where a pair of values is.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        [self.x.at(x), self.y.at(y)]
    }

    /// Draws horizontal lines at round values with their numbers, and numbers below; then what both are.
    pub fn draw(&self, svg: &mut Svg, x_name: &str, x_numbers: bool) {
        let ([left, right], [bottom, _]) = (self.x.range, self.y.range);
        let (values, decimals) = ticks(self.y.domain[0], self.y.domain[1], 4);
        for value in values {
            let y = self.y.at(value);
            svg.line("chart-grid", [left, y], [right, y]);
            let text = fixed(value, decimals);
            svg.text("chart-text", [left - 6.0, y + HALF_TEXT], Anchor::End, &text);
        }
        svg.line("chart-axis", [left, bottom], [right, bottom]);
        if x_numbers {
            let (values, decimals) = ticks(self.x.domain[0], self.x.domain[1], 5);
            for value in values {
                let x = self.x.at(value);
                svg.line("chart-axis", [x, bottom], [x, bottom + 3.0]);
                let text = fixed(value, decimals);
                svg.text("chart-text", [x, bottom + 14.0], Anchor::Middle, &text);
            }
        }
        let middle = (left + right) / 2.0;
        svg.text("chart-text", [middle, bottom + 29.0], Anchor::Middle, x_name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_names_round_values_at_their_places() {
        let field = Field::new([0.0, 120.0], [0.0, 1.0], 180.0, 0.0);
        let mut svg = Svg::default();
        field.draw(&mut svg, "blocks", true);
        let drawn = svg.finish();
        for text in [">0.5<", ">1.0<", ">50<", ">100<", ">blocks<"] {
            assert!(drawn.contains(text), "{text} in {drawn}");
        }
        assert_eq!(field.at(0.0, 0.0), [LEFT, 180.0 - BOTTOM]);
        assert_eq!(field.at(120.0, 1.0), [WIDTH - RIGHT, TOP]);
    }
}
