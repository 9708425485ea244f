//! Tables as CSV text that comes in pieces: a header that names the columns, then a row a line (RFC 4180).
//!
//! Cells are parted by commas; those in double quotes may hold commas, line breaks and doubled quotes. Lines end in LF or
//! CRLF, empty lines are skipped, a byte order mark at the start is dropped.

use super::MetricError;

/// A row is shorter than this; what is longer is no table.
const MAX_ROW_BYTES: usize = 4 << 20;

/// Rows at most in one table.
const MAX_TABLE_ROWS: u64 = super::MAX_ROWS;

/// Reads a table from pieces of its bytes.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<String>,
    /// Bytes of a row that has not ended yet.
    pending: Vec<u8>,
    is_quoted: bool,
    /// Of the last line that was read, from 1.
    line: u64,
    /// Where the pending row began.
    row_line: u64,
    n_rows: u64,
    has_header: bool,
}

/// One row of a table.
pub struct Row<'a> {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Names of the columns.
    pub columns: &'a [String],
    text: &'a str,
    /// Ends of the cells in `text`; used only where no cell is quoted.
    ends: &'a [usize],
    unquoted: &'a [String],
}

impl Row<'_> {
    /// The cell of a column, without spaces around it.
    pub fn cell(&self, column: usize) -> &str {
        if let Some(cell) = self.unquoted.get(column) {
            return cell;
        }
        let Some(&end) = self.ends.get(column) else {
            return "";
        };
        let start = if column == 0 { 0 } else { self.ends[column - 1] + 1 };
        self.text[start..end].trim()
    }

    /// The number in a column.
    ///
    /// # Errors
    /// A cell that holds no finite number.
    pub fn number(&self, column: usize) -> Result<f64, MetricError> {
        let cell = self.cell(column);
        let name = || {
            let name = self.columns.get(column).map_or("", String::as_str);
            format!("'{name}'")
        };
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) => Err(MetricError::NotFinite {
                what: name(),
                row: self.line,
            }),
            Err(_) => Err(MetricError::Malformed {
                row: self.line,
                reason: format!("{} is '{}', which is not a number", name(), shortened(cell)),
            }),
        }
    }
}

/// Enough of a text to recognise it.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 {
        text.to_owned()
    } else {
        text.chars().take(40).chain(['…']).collect()
    }
}

impl Table {
    /// The columns, once the header was read.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows were read, the header aside.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Takes the next bytes and hands each row that ends in them to `take`.
    ///
    /// # Errors
    /// What is no table: other numbers of cells, text that is not UTF-8, rows of megabytes; what `take` refuses, at the
    /// row's line.
    pub fn push(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), MetricError>,
    ) -> Result<(), MetricError> {
        let mut rest = bytes;
        while let Some(end) = self.end_of_row(rest) {
            if self.pending.is_empty() {
                self.row(&rest[..end], take)?;
            } else {
                self.pending.extend_from_slice(&rest[..end]);
                let pending = std::mem::take(&mut self.pending);
                self.row(&pending, take)?;
            }
            rest = &rest[end + 1..];
            self.row_line = self.line;
        }
        self.pending.extend_from_slice(rest);
        if self.pending.len() > MAX_ROW_BYTES {
            return Err(MetricError::Malformed {
                row: self.row_line + 1,
                reason: if self.is_quoted {
                    "a quote is opened here and never closed".to_owned()
                } else {
                    "the row is longer than 4 MB; is this a CSV file?".to_owned()
                },
            });
        }
        Ok(())
    }

    /// Ends the table: its last line needs no line break.
    ///
    /// # Errors
    /// As [`Self::push`]; a table without a header.
    pub fn end(
        &mut self,
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), MetricError>,
    ) -> Result<(), MetricError> {
        if self.is_quoted {
            return Err(MetricError::Malformed {
                row: self.row_line + 1,
                reason: "a quote is opened here and never closed".to_owned(),
            });
        }
        if !self.pending.is_empty() {
            self.line += 1;
            let pending = std::mem::take(&mut self.pending);
            self.row(&pending, take)?;
            self.row_line = self.line;
        }
        if self.has_header {
            Ok(())
        } else {
            Err(MetricError::Malformed {
                row: 0,
                reason: "the file is empty; its first line must name the columns".to_owned(),
            })
        }
    }

    /// Where the row ends in `bytes`, if it does; counts lines on the way.
    fn end_of_row(&mut self, bytes: &[u8]) -> Option<usize> {
        for (place, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => self.is_quoted = !self.is_quoted,
                b'\n' => {
                    self.line += 1;
                    if !self.is_quoted {
                        return Some(place);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn row(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), MetricError>,
    ) -> Result<(), MetricError> {
        let line = self.row_line + 1;
        let malformed = |reason: String| MetricError::Malformed { row: line, reason };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| malformed("the line is not UTF-8 text; save the file as UTF-8".to_owned()))?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = if line == 1 {
            text.strip_prefix('\u{feff}').unwrap_or(text)
        } else {
            text
        };
        if text.trim().is_empty() {
            return Ok(());
        }
        if !self.has_header {
            self.columns = cells(text).map_err(malformed)?;
            self.has_header = true;
            return self.check_header(line);
        }
        let (mut ends, mut unquoted) = (Vec::new(), Vec::new());
        let n_cells = if text.contains('"') {
            unquoted = cells(text).map_err(malformed)?;
            unquoted.len()
        } else {
            ends.reserve(self.columns.len());
            ends.extend(
                text.bytes()
                    .enumerate()
                    .filter(|(_, byte)| *byte == b',')
                    .map(|(at, _)| at),
            );
            ends.push(text.len());
            ends.len()
        };
        if n_cells != self.columns.len() {
            return Err(malformed(format!(
                "there are {n_cells} cells, and the header names {} columns",
                self.columns.len()
            )));
        }
        self.n_rows += 1;
        if self.n_rows > MAX_TABLE_ROWS {
            return Err(MetricError::TooMany {
                what: "rows",
                limit: MAX_TABLE_ROWS,
            });
        }
        let row = Row {
            line,
            columns: &self.columns,
            text,
            ends: &ends,
            unquoted: &unquoted,
        };
        take(&row).map_err(|error| error.at_row(line))
    }

    fn check_header(&self, line: u64) -> Result<(), MetricError> {
        for (place, name) in self.columns.iter().enumerate() {
            let reason = if name.is_empty() {
                format!(
                    "column {} has no name; the first line must name the columns",
                    place + 1
                )
            } else if self.columns[..place].contains(name) {
                format!("two columns are called '{}'", shortened(name))
            } else {
                continue;
            };
            return Err(MetricError::Malformed { row: line, reason });
        }
        Ok(())
    }
}

/// The cells of a row in which some may be quoted.
fn cells(text: &str) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let cell = rest.trim_start_matches([' ', '\t']);
        if let Some(quoted) = cell.strip_prefix('"') {
            let mut value = String::new();
            let mut tail = quoted;
            loop {
                let Some(end) = tail.find('"') else {
                    return Err("a quote is opened and never closed".to_owned());
                };
                value.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(more) => {
                        value.push('"');
                        tail = more;
                    }
                    None => break,
                }
            }
            cells.push(value.trim().to_owned());
            let after = tail.trim_start_matches([' ', '\t']);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(cells),
                None => return Err("there is text after a closing quote".to_owned()),
            }
        } else {
            match rest.split_once(',') {
                Some((cell, next)) => {
                    cells.push(cell.trim().to_owned());
                    rest = next;
                }
                None => {
                    cells.push(rest.trim().to_owned());
                    return Ok(cells);
                }
            }
        }
    }
}

/// Where columns stand, by name.
pub(super) struct Columns<'a>(pub &'a [String]);

impl Columns<'_> {
    /// A column that may be absent.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column == name)
    }

    /// A column that must be there.
    pub fn need(&self, name: &str, all: &str) -> Result<usize, MetricError> {
        self.find(name).ok_or_else(|| MetricError::Malformed {
            row: 1,
            reason: format!("there is no column '{name}'; the columns are {all}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<(u64, Vec<String>)>, MetricError> {
        let mut table = Table::default();
        let mut rows = Vec::new();
        let mut take = |row: &Row<'_>| {
            let cells = (0..row.columns.len()).map(|column| row.cell(column).to_owned());
            rows.push((row.line, cells.collect()));
            Ok(())
        };
        for piece in pieces {
            table.push(piece, &mut take)?;
        }
        table.end(&mut take)?;
        Ok(rows)
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let text = "\u{feff}a,b\r\n1, 2 \r\n\r\n\"x, \"\"y\"\"\nz\",3\n é ,\"\"\nlast,4";
        let whole = read(&[text.as_bytes()]).unwrap();
        let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            whole,
            [
                (2, cells("1", "2")),
                (4, cells("x, \"y\"\nz", "3")),
                (6, cells("é", "")),
                (7, cells("last", "4")),
            ]
        );
        for cut in 0..text.len() {
            let (before, after) = text.as_bytes().split_at(cut);
            assert_eq!(read(&[before, after]).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_table_is_said_with_its_line() {
        for (text, expected) in [
            (&b""[..], "the file is empty"),
            (
                b"a,b\n1\n",
                "row 2: there are 1 cells, and the header names 2 columns",
            ),
            (b"a,a\n", "row 1: two columns are called 'a'"),
            (b"a,\n", "row 1: column 2 has no name"),
            (
                b"a,b\n1,\"2\n3,4\n",
                "row 2: a quote is opened here and never closed",
            ),
            (b"a,b\n1,\"2\"3\n", "row 2: there is text after a closing quote"),
            (b"a,b\n1,\xff\n", "row 2: the line is not UTF-8"),
        ] {
            let error = read(&[text]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        for (cell, expected) in [
            ("0.5", None),
            ("1e-3", None),
            ("nan", Some("row 2: 'p' is not a finite number")),
            ("inf", Some("row 2: 'p' is not a finite number")),
            ("\"\"", Some("row 2: 'p' is ''")),
            ("0,5", Some("row 2: there are 2 cells")),
        ] {
            let mut table = Table::default();
            let mut take = |row: &Row<'_>| row.number(0).map(|_| ());
            match (table.push(format!("p\n{cell}\n").as_bytes(), &mut take), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(expected)) => assert!(error.to_string().starts_with(expected), "{error}"),
                (found, _) => panic!("{cell}: {found:?}"),
            }
        }
    }
}
