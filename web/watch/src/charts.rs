//! Charts as pure functions: numbers in; a drawing in SVG, a sentence and a table out.
//!
//! What is drawn is bars and lines. The sentence is computed from the same numbers as the drawing, so that whoever cannot
//! see the one is told the other, and the table holds them all. Colours are class names that the style sheet knows
//! (`static/styles/watch.css`), so a chart follows the theme and prints; nothing in it moves. A value that is not known is
//! a gap in the drawing and "not known" in the table, never a zero.
//!
//! Every drawing is 320 units wide, the width of the narrowest screen, and is scaled with its text.

pub mod axis;
pub mod bars;
pub mod line;
pub mod number;
pub mod plot;
pub mod scale;
pub mod svg;
pub mod table;

use table::Table;

/// Units from the left edge of a drawing to its right one.
pub const WIDTH: f64 = 320.0;

/// A drawing, in words and in numbers too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What is measured, with its unit: "Knee flexion (°)".
    pub title: String,
    /// Units from the top of the drawing to its bottom.
    pub height: f64,
    /// The elements of the drawing, without the `svg` around them.
    pub drawing: String,
    /// What the drawing shows, in a sentence or two.
    pub caption: String,
    /// The numbers that it was made of.
    pub table: Table,
}

/// A title with its unit.
pub fn titled(title: &str, unit: &str) -> String {
    if unit.is_empty() {
        title.to_owned()
    } else {
        format!("{title} ({unit})")
    }
}
