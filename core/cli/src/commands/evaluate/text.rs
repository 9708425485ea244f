//! A report as tables for a terminal.

use std::io::{self, Write};

use plumbline_core::metrics::report::{ConfusionTable, Figure, Report};

/// Classes whose confusions fit beside each other.
const MAX_COLUMNS: usize = 12;

/// Prints what a report says, without its curves.
pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for source in &report.sources {
        if report.sources.len() <= 4 {
            writeln!(
                out,
                "{}: {}, {} entries",
                source.role, source.name, source.entries
            )?;
        }
    }
    for (name, value) in &report.settings {
        writeln!(out, "{name}: {value}")?;
    }
    for group in &report.groups {
        writeln!(out, "\n{} (n counts {})", group.name, group.counted)?;
        let width = group
            .figures
            .iter()
            .map(|figure| figure.name.chars().count())
            .max()
            .unwrap_or(0);
        for figure in &group.figures {
            write_figure(out, figure, &figure.name, width)?;
        }
    }
    if let Some(confusion) = &report.confusion
        && confusion.classes.len() <= MAX_COLUMNS
    {
        write_confusion(out, confusion)?;
    }
    if !report.slices.is_empty() {
        writeln!(out, "\nSlices, the surest bad one first")?;
        let names: Vec<String> = report
            .slices
            .iter()
            .map(|slice| format!("{} = {}", slice.by, slice.label))
            .collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (slice, name) in report.slices.iter().zip(&names) {
            let mut figure = slice.figure.clone();
            let said = match (slice.gap, slice.p, slice.q) {
                (Some(gap), Some(p), Some(q)) => format!("{gap:+.4} against the others, p {p:.3}, q {q:.3}"),
                _ if slice.is_enough => String::new(),
                _ => "too few to say".to_owned(),
            };
            figure.note = Some(said);
            write_figure(out, &figure, name, width)?;
        }
    }
    if !report.notes.is_empty() {
        writeln!(out)?;
    }
    for note in &report.notes {
        writeln!(out, "Note: {note}")?;
    }
    Ok(())
}

fn write_figure(out: &mut impl Write, figure: &Figure, name: &str, width: usize) -> io::Result<()> {
    let unit = figure
        .unit
        .as_deref()
        .map_or_else(String::new, |unit| format!(" {unit}"));
    let value = figure
        .value
        .map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    write!(out, "  {name:<width$}  {value:>9}{unit}")?;
    if let (Some(low), Some(high)) = (figure.low, figure.high) {
        write!(out, "  [{low:.4}, {high:.4}]")?;
    }
    write!(out, "  n {}", figure.n)?;
    match figure.note.as_deref() {
        Some(note) if !note.is_empty() => writeln!(out, "  ({note})"),
        _ => writeln!(out),
    }
}

fn write_confusion(out: &mut impl Write, confusion: &ConfusionTable) -> io::Result<()> {
    let longest = confusion
        .classes
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let digits = confusion
        .counts
        .iter()
        .flatten()
        .map(|count| count.to_string().len())
        .max()
        .unwrap_or(1);
    let (first, width) = (longest.min(24), longest.min(12).max(digits));
    let short = |name: &str, width: usize| name.chars().take(width).collect::<String>();
    writeln!(out, "\nConfusion (rows are the truth)")?;
    write!(out, "  {:<first$}", "")?;
    for name in &confusion.classes {
        write!(out, "  {:>width$}", short(name, width))?;
    }
    writeln!(out)?;
    for (name, counts) in confusion.classes.iter().zip(&confusion.counts) {
        write!(out, "  {:<first$}", short(name, first))?;
        for count in counts {
            write!(out, "  {count:>width$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
