//! The numbers of a chart as rows and columns, for people and as comma-separated values.

/// A table of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the columns are. The first one names the row.
    pub heads: Vec<String>,
    /// Rows with as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(|&head| head.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Lines of values as RFC 4180 writes them, the heads first.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for cells in std::iter::once(&self.heads).chain(&self.rows) {
            for (position, cell) in cells.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                text.push_str(&quoted(cell));
            }
            text.push_str("\r\n");
        }
        text
    }
}

/// A cell, in quotes where it has a comma, a quote or a line's end in it; and with an apostrophe before what a spreadsheet
/// would take for a formula, because names come from files of strangers.
fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let is_formula = !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_commas_quotes_and_spreadsheets() {
        let mut table = Table::new(&["name", "value"]);
        table.push(["a, \"b\"".to_owned(), "-1.5".to_owned()]);
        table.push(["=HYPERLINK(1)".to_owned(), String::new()]);
        assert_eq!(
            table.to_csv(),
            "name,value\r\n\"a, \"\"b\"\"\",-1.5\r\n'=HYPERLINK(1),\r\n"
        );
    }
}
