//! What a model is for: what is proposed and why, and the questions that only a person can answer.

use leptos::prelude::*;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{ColourOrder, Preprocessing, Resize};
use plumbline_web::components::choice::Choice;

use super::state::Lab;
use crate::protocol::{ProposalFacts, Unknown};
use crate::record::capitalised;
use plumbline_web::platform::download;

/// What black and white may become: id, words, range, mean and deviation.
type Values = (&'static str, &'static str, [f32; 2], [f32; 3], [f32; 3]);

const VALUES: [Values; 4] = [
    ("unit", "0 to 1", [0.0, 1.0], [0.0; 3], [1.0; 3]),
    ("signed", "−1 to 1", [-1.0, 1.0], [0.0; 3], [1.0; 3]),
    ("levels", "0 to 255", [0.0, 255.0], [0.0; 3], [1.0; 3]),
    (
        "imagenet",
        "0 to 1, then ImageNet’s mean and deviation",
        [0.0, 1.0],
        Preprocessing::IMAGENET.0,
        Preprocessing::IMAGENET.1,
    ),
];

const RESIZES: [(&str, &str, Resize); 4] = [
    ("stretch", "Stretched", Resize::Stretch),
    (
        "letterbox",
        "Whole, in the middle, with a border",
        Resize::Letterbox,
    ),
    (
        "letterbox-corner",
        "Whole, in the corner, with a border",
        Resize::LetterboxCorner,
    ),
    ("centre-crop", "The middle cut out", Resize::CentreCrop),
];

const COLOURS: [(&str, &str, ColourOrder); 2] = [
    ("rgb", "Red first", ColourOrder::Rgb),
    ("bgr", "Blue first", ColourOrder::Bgr),
];

/// What stands in a menu for numbers that are none of its own.
const OWN_VALUES: (&str, &str) = ("own", "As the manifest says");

/// The section.
#[component]
pub fn Purpose(
    /// The page's state.
    lab: Lab,
    /// What was proposed.
    proposals: Vec<ProposalFacts>,
) -> impl IntoView {
    let choices: Vec<(String, String)> = proposals
        .iter()
        .enumerate()
        .map(|(index, proposal)| (index.to_string(), named(proposal)))
        .chain([("none".to_owned(), "something else".to_owned())])
        .collect();
    let chosen = move || {
        lab.proposal
            .get()
            .map_or_else(|| "none".to_owned(), |index| index.to_string())
    };
    let proposals = StoredValue::new(proposals);
    let choose = move |id: String| {
        let index = id.parse().ok();
        lab.proposal.set(index);
        let proposal = proposals.with_value(|proposals| proposals.get(index?).cloned());
        lab.manifest.set(proposal.map(|proposal| proposal.manifest));
    };
    let proposal = move || proposals.with_value(|proposals| proposals.get(lab.proposal.get()?).cloned());
    let asked_of = Memo::new(move |_| {
        let of = lab.manifest.with(|manifest| {
            manifest
                .as_ref()
                .map(|manifest| (manifest.task, manifest.name.clone()))
        });
        of.map(|of| (of, lab.proposal.get()))
    });
    let has_proposals = proposals.with_value(|proposals| !proposals.is_empty());
    view! {
        <section class="lab-part" aria-labelledby="purpose" data-testid="lab-purpose">
            <h3 id="purpose">"What it is for"</h3>
            {(!has_proposals).then(|| view! {
                <p class="panel-reason">
                    "Its inputs and outputs have the shapes of no family that is known here. It can be tested, timed and kept; \
                    to try it on a picture it takes a manifest."
                </p>
            })}
            {has_proposals.then(|| view! {
                <Choice label="It is probably for" options=choices value=Signal::derive(chosen) on_choose=choose testid="lab-task"/>
            })}
            {move || proposal().map(|proposal| view! {
                <p class="panel-reason" data-testid="lab-why">
                    {format!("{}.", proposal.why)}
                    {proposal.note.map(|note| format!(" {}.", capitalised(&note)))}
                </p>
            })}
            {move || {
                // Built anew for another proposal or manifest, and not for an answer: who answers keeps the focus.
                asked_of.get()?;
                let unknown = proposal().map_or_else(Vec::new, |proposal| proposal.unknown);
                let manifest = lab.manifest.get_untracked()?;
                Some(fields(lab, &manifest, &unknown))
            }}
        </section>
    }
}

fn named(proposal: &ProposalFacts) -> String {
    format!(
        "{} – {}",
        proposal.manifest.task.description(),
        proposal.confidence
    )
}

/// The questions, and what the answers are taken to be until somebody answers.
fn fields(lab: Lab, manifest: &Manifest, unknown: &[Unknown]) -> AnyView {
    let input = &manifest.preprocessing;
    let change = move |act: &dyn Fn(&mut Preprocessing)| {
        lab.manifest.update(|manifest| {
            if let Some(manifest) = manifest {
                act(&mut manifest.preprocessing);
            }
        });
    };
    let known_values = |input: &Preprocessing| {
        let is_known = |(_, _, range, mean, std): &&Values| {
            (range, mean, std) == (&input.range, &input.mean, &input.std)
        };
        VALUES.iter().find(is_known).map_or(OWN_VALUES.0, |(id, ..)| id)
    };
    let mut options: Vec<(String, String)> = VALUES.iter().map(|(id, words, ..)| pair(id, words)).collect();
    if known_values(input) == OWN_VALUES.0 {
        options.push(pair(OWN_VALUES.0, OWN_VALUES.1));
    }
    let choose_values = move |id: String| {
        if let Some((_, _, range, mean, std)) = VALUES.iter().find(|(known, ..)| *known == id) {
            change(&|input| (input.range, input.mean, input.std) = (*range, *mean, *std));
        }
    };
    let choose_resize = move |id: String| {
        if let Some((_, _, resize)) = RESIZES.iter().find(|(known, ..)| *known == id) {
            change(&|input| {
                input.resize = *resize;
                input.shorter_side_px = input.shorter_side_px.filter(|_| *resize == Resize::CentreCrop);
            });
        }
    };
    let choose_colours = move |id: String| {
        if let Some((_, _, colours)) = COLOURS.iter().find(|(known, ..)| *known == id) {
            change(&|input| input.colours = *colours);
        }
    };
    let shown = move |of: fn(&Preprocessing) -> &'static str| {
        Signal::derive(move || {
            let id = lab
                .manifest
                .with(|manifest| manifest.as_ref().map(|manifest| of(&manifest.preprocessing)));
            id.unwrap_or_default().to_owned()
        })
    };
    let values = shown(known_values);
    let resize = shown(|input| {
        RESIZES
            .iter()
            .find(|(_, _, resize)| *resize == input.resize)
            .map_or("", |(id, ..)| id)
    });
    let colours = shown(|input| {
        COLOURS
            .iter()
            .find(|(_, _, order)| *order == input.colours)
            .map_or("", |(id, ..)| id)
    });
    let colour_options: Vec<(String, String)> =
        COLOURS.iter().map(|(id, words, _)| pair(id, words)).collect();
    let resize_options: Vec<(String, String)> =
        RESIZES.iter().map(|(id, words, _)| pair(id, words)).collect();
    let asks = [
        ("Values", unknown.contains(&Unknown::Values)),
        ("Colours", unknown.contains(&Unknown::Colours)),
        ("Resizing", unknown.contains(&Unknown::Resize)),
    ];
    let guessed: Vec<&str> = asks
        .iter()
        .filter(|(_, asked)| *asked)
        .map(|(name, _)| *name)
        .collect();
    let size = format!("{} × {} px", input.size.width_px, input.size.height_px);
    let labels = unknown.iter().find_map(|unknown| match unknown {
        Unknown::Labels(count) => Some(*count),
        _ => None,
    });
    view! {
        <p class="panel-reason" data-testid="lab-guessed">
            {format!("It takes pictures of {size}. ")}
            {(!guessed.is_empty()).then(|| format!("The file does not say how they are prepared; these are guesses: {}.", guessed.join(", ")))}
        </p>
        <div class="lab-menus">
            <Choice
                label="Values of black and white"
                options
                value=values
                on_choose=choose_values
                testid="lab-values"
            />
            <Choice
                label="Colours"
                options=colour_options
                value=colours
                on_choose=choose_colours
                testid="lab-colours"
            />
            <Choice
                label="Resizing"
                options=resize_options
                value=resize
                on_choose=choose_resize
                testid="lab-resize"
            />
        </div>
        {labels.map(|count| labels_field(lab, manifest, count))}
        <button class="button" type="button" data-testid="lab-manifest" on:click=move |_| {
            let manifest = lab.complete_manifest();
            let text = manifest.and_then(|manifest| manifest.to_json().ok());
            if let Some(text) = text {
                download::save_text(&format!("{}.json", lab.record().file_name), &text);
            }
        }>
            "Save the manifest as a file"
        </button>
    }
    .into_any()
}

/// A line a class.
fn labels_field(lab: Lab, manifest: &Manifest, count: usize) -> AnyView {
    let text = RwSignal::new(manifest.labels.join("\n"));
    let lines = move || text.with(|text| text.lines().filter(|line| !line.trim().is_empty()).count());
    let write = move |event| {
        text.set(event_target_value(&event));
        let labels = text.with_untracked(|text| {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect::<Vec<_>>()
        });
        lab.manifest.update(|manifest| {
            if let Some(manifest) = manifest {
                manifest.labels = labels;
            }
        });
    };
    view! {
        <label class="choice lab-labels">
            <span class="choice-label">
                {format!("What its {count} classes are called, a line each")}
            </span>
            <textarea
                class="field"
                rows="4"
                data-testid="lab-labels"
                prop:value=text
                on:input=write
            ></textarea>
            <span class="choice-label">{move || format!("{} of {count}", lines())}</span>
        </label>
    }
    .into_any()
}

fn pair(id: &str, words: &str) -> (String, String) {
    (id.to_owned(), words.to_owned())
}
