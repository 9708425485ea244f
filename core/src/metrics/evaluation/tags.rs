//! What is said of images, clips and videos: a table whose first column `item` names them, with a column for each tag.

use std::collections::BTreeMap;

use crate::metrics::MetricError;
use crate::metrics::csv::{Columns, Table};

/// Tags by item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    names: Vec<String>,
    by_item: BTreeMap<String, Vec<String>>,
}

impl Tags {
    /// Reads a table with a column `item`.
    ///
    /// # Errors
    /// What is no table, a missing column `item`, an item that occurs twice.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, MetricError> {
        let mut tags = Self::default();
        let mut table = Table::default();
        let mut take = |row: &crate::metrics::csv::Row<'_>| {
            let columns = Columns(row.columns);
            let item_column = columns.need("item", "item and one for each tag")?;
            let others = || (0..row.columns.len()).filter(|column| *column != item_column);
            if tags.names.is_empty() {
                tags.names = others().map(|column| row.columns[column].clone()).collect();
            }
            let item = row.cell(item_column).to_owned();
            let values = others().map(|column| row.cell(column).to_owned()).collect();
            match tags.by_item.insert(item.clone(), values) {
                Some(_) => Err(MetricError::Duplicate {
                    what: "item",
                    id: item,
                }),
                None => Ok(()),
            }
        };
        table.push(bytes, &mut take)?;
        table.end(&mut take)?;
        Ok(tags)
    }

    /// What a tag says of an item.
    pub fn get(&self, item: &str, tag: &str) -> Option<&str> {
        let place = self.names.iter().position(|name| name == tag)?;
        self.by_item.get(item)?.get(place).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_looked_up_by_item() {
        let tags = Tags::from_csv(b"light,item,view\nday,a.jpg,30\n,b.jpg,90\n").unwrap();
        assert_eq!(tags.get("a.jpg", "view"), Some("30"));
        assert_eq!(tags.get("b.jpg", "light"), Some(""));
        assert_eq!(tags.get("c.jpg", "light"), None);
        assert_eq!(tags.get("a.jpg", "coat"), None);
        assert!(Tags::from_csv(b"light\nday\n").is_err());
        assert!(Tags::from_csv(b"item,x\na,1\na,2\n").is_err());
    }
}
