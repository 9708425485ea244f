//! The prose of a model card as elements. Cards are Markdown in a narrow dialect: `##` headings, paragraphs, `-` lists
//! and tables of pipes; the first heading and the first table repeat what the page shows already and are left out.

use leptos::prelude::*;

/// A part of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Vec<Vec<String>>),
}

/// The card's text.
#[component]
pub fn CardText(
    /// The file.
    markdown: &'static str,
) -> impl IntoView {
    let blocks = parse(markdown).into_iter().map(|block| match block {
        Block::Heading(text) => view! { <h4>{text}</h4> }.into_any(),
        Block::Paragraph(text) => view! { <p>{text}</p> }.into_any(),
        Block::List(items) => {
            let items = items.into_iter().map(|item| view! { <li>{item}</li> });
            view! { <ul>{items.collect_view()}</ul> }.into_any()
        }
        Block::Table(rows) => {
            let rows = rows.into_iter().map(|cells| {
                let cells = cells.into_iter().map(|cell| view! { <td>{cell}</td> });
                view! { <tr>{cells.collect_view()}</tr> }
            });
            view! { <div class="table-scroll"><table class="table"><tbody>{rows.collect_view()}</tbody></table></div> }
                .into_any()
        }
    });
    view! { <div class="card-text">{blocks.collect_view()}</div> }
}

fn parse(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut has_section = false;
    let mut joins = false;
    for line in markdown.lines().map(str::trim_end) {
        if let Some(heading) = line.strip_prefix("## ") {
            has_section = true;
            blocks.push(Block::Heading(plain(heading)));
            joins = false;
        } else if !has_section || line.is_empty() {
            joins = false;
        } else if let Some(item) = line.strip_prefix("- ") {
            match blocks.last_mut() {
                Some(Block::List(items)) if joins => items.push(plain(item)),
                _ => blocks.push(Block::List(vec![plain(item)])),
            }
            joins = true;
        } else if line.starts_with('|') {
            let cells: Vec<String> = line
                .trim_matches('|')
                .split('|')
                .map(|cell| plain(cell.trim()))
                .collect();
            // The line of dashes under a table's head.
            if cells
                .iter()
                .all(|cell| cell.chars().all(|letter| matches!(letter, '-' | ':')))
            {
                continue;
            }
            match blocks.last_mut() {
                Some(Block::Table(rows)) if joins => rows.push(cells),
                _ => blocks.push(Block::Table(vec![cells])),
            }
            joins = true;
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(text)) if joins => {
                    text.push(' ');
                    text.push_str(&plain(line));
                }
                _ => blocks.push(Block::Paragraph(plain(line))),
            }
            joins = true;
        }
    }
    blocks
}

/// Without code marks and with the words of links in place of the links.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let Some(middle) = rest[start..].find("](").map(|at| start + at) else {
            break;
        };
        let Some(end) = rest[middle..].find(')').map(|at| middle + at) else {
            break;
        };
        out.push_str(&rest[..start]);
        out.push_str(&rest[start + 1..middle]);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_falls_into_its_parts() {
        let blocks = parse(
            "# lite\n\n| | |\n|---|---|\n| What | left out |\n\n## Limits\nOne line\nand another.\n\n- first `x`\n- \
             [second](a.md), too\n\n| a | b |\n|---|---:|\n| 1 | 2 |\n",
        );
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            blocks,
            [
                Block::Heading("Limits".to_owned()),
                Block::Paragraph("One line and another.".to_owned()),
                Block::List(vec!["first x".to_owned(), "second, too".to_owned()]),
                Block::Table(vec![row(["a", "b"]), row(["1", "2"])]),
            ]
        );
    }

    #[test]
    fn every_card_has_text() {
        for (name, card) in crate::interface::own_models::CARDS {
            let blocks = parse(card);
            assert!(blocks.len() > 5, "{name}");
            assert!(matches!(blocks[0], Block::Heading(_)), "{name}");
        }
    }
}
