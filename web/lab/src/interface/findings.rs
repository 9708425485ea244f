//! What a file is: its facts, inputs, outputs and operators, and why it does not run where it does not.

use leptos::prelude::*;
use plumbline_web::components::choice::Choice;
use plumbline_web::components::notice::Notice;
use plumbline_web::live::format;

use super::state::{Lab, counted};
use crate::protocol::{Cost, Findings, Gap, PortFacts, Verdict};

/// The findings.
#[component]
pub fn FindingsView(
    /// The page's state.
    lab: Lab,
    /// What was found.
    findings: Findings,
) -> impl IntoView {
    let Findings {
        sha256,
        entries,
        entry,
        format,
        inputs,
        outputs,
        operators,
        verdict,
        ..
    } = findings;
    let nodes: usize = operators.iter().map(|operator| operator.nodes).sum();
    let mut facts = vec![
        ("Format", format),
        (
            "Operators",
            format!(
                "{} of {}",
                counted(nodes, "node"),
                counted(operators.len(), "kind")
            ),
        ),
    ];
    if let Verdict::Runs(cost) = &verdict {
        facts.extend(cost_facts(cost));
    }
    facts.push((
        "SHA-256",
        sha256.unwrap_or_else(|| "not computed: this address is not secure".to_owned()),
    ));
    let rows = facts.into_iter().map(|(what, value)| {
        view! { <dt>{what}</dt><dd>{value}</dd> }
    });
    let operator_rows: Vec<[String; 3]> = operators
        .iter()
        .map(|operator| {
            let is_read = match operator.refused {
                0 => "yes".to_owned(),
                refused if refused == operator.nodes => "no".to_owned(),
                refused => format!("not {}", counted(refused, "node")),
            };
            [operator.name.clone(), operator.nodes.to_string(), is_read]
        })
        .collect();
    let is_refused = matches!(verdict, Verdict::Refused { .. });
    view! {
        {entry_choice(lab, entries, entry)}
        {verdict_view(&verdict)}
        <dl class="facts" data-testid="lab-facts">{rows.collect_view()}</dl>
        {table("Inputs", "lab-inputs", ["Name", "Elements", "Shape"], port_rows(&inputs))}
        {table("Outputs", "lab-outputs", ["Name", "Elements", "Shape"], port_rows(&outputs))}
        <details open=is_refused>
            <summary>{format!("All operators ({})", operator_rows.len())}</summary>
            {table("Operators", "lab-operators", ["Operator", "Nodes", "Read here"], operator_rows)}
        </details>
    }
}

fn cost_facts(cost: &Cost) -> [(&'static str, String); 3] {
    [
        (
            "Work",
            format!(
                "{} multiply-adds a run, in {}",
                large(cost.macs),
                counted(cost.steps as usize, "step")
            ),
        ),
        ("Weights", large(cost.parameters)),
        ("Memory to run it", format::bytes(cost.memory_bytes)),
    ]
}

/// `3.4 million`.
fn large(count: u64) -> String {
    let count = count as f64;
    match count {
        0.0..1e3 => format!("{count:.0}"),
        1e3..1e6 => format!("{:.1} thousand", count / 1e3),
        1e6..1e9 => format!("{:.1} million", count / 1e6),
        _ => format!("{:.1} billion", count / 1e9),
    }
}

/// The models of an archive.
fn entry_choice(lab: Lab, entries: Vec<String>, entry: Option<String>) -> Option<AnyView> {
    if entries.len() < 2 {
        return None;
    }
    let options: Vec<(String, String)> = entries.into_iter().map(|name| (name.clone(), name)).collect();
    let choose = move |name: String| lab.read_again(Some(name));
    Some(view! {
        <Choice label="Model in this archive" options value=entry.unwrap_or_default() on_choose=choose testid="lab-entry"/>
    }.into_any())
}

fn verdict_view(verdict: &Verdict) -> AnyView {
    match verdict {
        Verdict::Runs(_) => view! {
            <p class="lab-verdict is-good" data-testid="lab-verdict"><span aria-hidden="true">"✓ "</span>"It runs here."</p>
        }.into_any(),
        Verdict::Asks(_) => view! {
            <Notice sentence="The file leaves something open that only you can say." testid="lab-verdict"/>
        }.into_any(),
        Verdict::Refused { gaps, total } => {
            let rest = total.saturating_sub(gaps.len());
            let rows: Vec<[String; 2]> = gaps
                .iter()
                .map(|Gap { place, what }| [place.clone(), what.clone()])
                .collect();
            let sentence = format!(
                "This engine does not run the model yet; {}. Nothing is wrong with the file.",
                match total {
                    1 => "the reason stands below".to_owned(),
                    _ => format!("the {total} reasons stand below"),
                }
            );
            view! {
                <Notice sentence testid="lab-verdict"/>
                {table("Why not", "lab-gaps", ["Where", "What"], rows)}
                {(rest > 0).then(|| view! { <p class="panel-reason">{format!("And {rest} more.")}</p> })}
            }.into_any()
        }
    }
}

fn port_rows(ports: &[PortFacts]) -> Vec<[String; 3]> {
    ports
        .iter()
        .map(|port| {
            let shape = if port.shape.is_empty() {
                "one number".to_owned()
            } else {
                port.shape.join(" × ")
            };
            [port.name.clone(), port.element.clone(), shape]
        })
        .collect()
}

/// A table with a caption. One function for all of them keeps the program small.
pub fn table<const N: usize>(
    caption: &'static str,
    testid: &'static str,
    heads: [&'static str; N],
    rows: Vec<[String; N]>,
) -> AnyView {
    let heads = heads
        .into_iter()
        .map(|head| view! { <th scope="col">{head}</th> });
    let rows = rows.into_iter().map(|cells| {
        let cells = cells.into_iter().map(|cell| view! { <td>{cell}</td> });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=caption>
            <table class="table lab-table" data-testid=testid>
                <caption>{caption}</caption>
                <thead><tr>{heads.collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_words() {
        for (count, text) in [
            (7, "7"),
            (1_500, "1.5 thousand"),
            (3_400_000, "3.4 million"),
            (8_000_000_000, "8.0 billion"),
        ] {
            assert_eq!(large(count), text);
        }
    }
}
