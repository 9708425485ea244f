//! Where files are dropped or chosen, what they are, what is missing, and what the worker is at.

use leptos::prelude::*;
use plumbline_core::metrics::evaluation::Task;
use plumbline_web::components::notice::Notice;
use plumbline_web::live::format;
use plumbline_web::platform::page;

use super::state::Evaluation;
use crate::charts::number::count;
use crate::evaluation::messages::Stage;
use crate::evaluation::recognise::{MAX_FILE_BYTES, Recognised, words};
use crate::platform::files;

/// The place for files.
#[component]
pub fn Files(
    /// The page's state.
    evaluation: Evaluation,
) -> impl IntoView {
    let is_dropping = RwSignal::new(false);
    view! {
        <section class="watch-section" aria-labelledby="files">
            <h2 id="files" tabindex="-1">"Files"</h2>
            <div
                class="watch-drop"
                class:is-dropping=is_dropping
                data-testid="evaluate-drop"
                on:dragover=move |event| {
                    event.prevent_default();
                    is_dropping.set(true);
                }
                on:dragleave=move |_| is_dropping.set(false)
                on:drop=move |event| {
                    is_dropping.set(false);
                    evaluation.add(files::from_drop(&event));
                }
            >
                <p>"Drop predictions and the truth here. They are read on this device, in a worker, and are not uploaded."</p>
                <ul>
                    <li>"Keypoints: annotations in COCO’s form, and a list of results in COCO’s form (two JSON files)."</li>
                    <li>"Classes: one table (CSV), a row each: " <code>"label"</code> ", then the probability of each class."</li>
                    <li>
                        "Other tables: " <code>"truth,predicted"</code> " for counts and angles, "
                        <code>"joint,truth_x,truth_y,predicted_x,predicted_y,size"</code> " for joints, "
                        <code>"video,label,start,end"</code> " for actions, with " <code>"score"</code> " for what was found."
                    </li>
                    <li>
                        "Columns " <code>"tag:light"</code> " and the like, or a table of " <code>"item"</code>
                        " and tags, part the rows into slices."
                    </li>
                </ul>
                <label class="button button-file">
                    "Choose files…"
                    <input
                        type="file"
                        multiple
                        accept=".json,.csv,.txt"
                        data-testid="evaluate-files"
                        on:change=move |event| evaluation.add(files::from_input(&event))
                    />
                </label>
                <p class="watch-quiet">
                    {format!("Up to {} MiB each. ", MAX_FILE_BYTES >> 20)}
                    "In a terminal, " <code>"plumb evaluate"</code> " gives the same numbers."
                </p>
            </div>
            {move || {
                let files = evaluation.files.get();
                (!files.is_empty()).then(|| view! { <Chosen evaluation files/> })
            }}
            {move || {
                let plan = evaluation.plan.get();
                (!plan.sentence.is_empty()).then(|| view! { <p data-testid="evaluate-plan">{plan.sentence}</p> })
            }}
            {move || {
                let tasks = evaluation.plan.with(|plan| plan.tasks);
                (tasks.len() > 1).then(|| view! { <TaskChoice evaluation tasks/> })
            }}
            {move || evaluation.problem.get().map(|sentence| view! {
                <Notice sentence is_error=true testid="evaluate-problem"/>
            })}
            <div class="watch-buttons">
                <button
                    class="button is-primary"
                    type="button"
                    data-testid="evaluate-run"
                    disabled=move || evaluation.task.with(Option::is_none) || evaluation.busy.with(Option::is_some)
                    on:click=move |_| evaluation.run()
                >
                    "Evaluate"
                </button>
            </div>
        </section>
    }
}

/// As what the files are evaluated, where that is not clear from them.
#[component]
fn TaskChoice(
    /// The page's state.
    evaluation: Evaluation,
    /// What is possible.
    tasks: &'static [Task],
) -> impl IntoView {
    let options = tasks.iter().map(|&task| {
        let is_chosen = move || evaluation.task.get() == Some(task);
        view! { <option value=task.id() selected=is_chosen>{words(task)}</option> }
    });
    view! {
        <div class="choice">
            <label class="choice-label" for="evaluate-task">"What the numbers are"</label>
            <select
                id="evaluate-task"
                data-testid="evaluate-task"
                on:change=move |event| evaluation.chosen.set(Some(event_target_value(&event)))
            >
                {options.collect_view()}
            </select>
        </div>
    }
}

/// The files that were chosen.
#[component]
fn Chosen(
    /// The page's state.
    evaluation: Evaluation,
    /// What they are.
    files: Vec<Recognised>,
) -> impl IntoView {
    let rows = files.into_iter().map(
        |Recognised {
             name, bytes, words, ..
         }| {
            let (label, removed) = (format!("Remove {name}"), name.clone());
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td class="is-number">{format::bytes(bytes)}</td>
                    <td>{words}</td>
                    <td>
                        <button
                            class="button is-small"
                            type="button"
                            aria-label=label
                            on:click=move |_| {
                            evaluation.remove(&removed);
                            // The button is gone.
                            page::focus("files");
                        }
                        >
                            "Remove"
                        </button>
                    </td>
                </tr>
            }
        },
    );
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Chosen files">
            <table class="table report-table" data-testid="evaluate-chosen">
                <thead>
                    <tr>
                        <th scope="col">"File"</th>
                        <th scope="col" class="is-number">"Size"</th>
                        <th scope="col">"What it is"</th>
                        <th scope="col"><span class="visually-hidden">"Remove"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// What the worker is at, and the button that ends it.
#[component]
pub fn BusyView(
    /// The page's state.
    evaluation: Evaluation,
) -> impl IntoView {
    let is_busy = Memo::new(move |_| evaluation.busy.with(Option::is_some));
    let doing = move || {
        evaluation
            .busy
            .get()
            .and_then(|busy| busy.stage)
            .map_or("Starting", Stage::doing)
    };
    let counts = move || evaluation.busy.get().and_then(|busy| busy.counts);
    // The button stays the same while the words change, so that it can be pressed.
    move || {
        is_busy.get().then(|| {
            view! {
                <div class="watch-busy" data-testid="evaluate-busy">
                    <p>
                        {move || match counts() {
                            Some((done, total)) => format!("{}: {} of {}…", doing(), count(done), count(total)),
                            None => format!("{}…", doing()),
                        }}
                    </p>
                    <progress
                        aria-label="Evaluation"
                        max="1"
                        value=move || counts().map(|(done, total)| (done as f64 / total as f64).to_string())
                    ></progress>
                    <button class="button" type="button" data-testid="evaluate-cancel" on:click=move |_| evaluation.cancel()>
                        "Cancel"
                    </button>
                </div>
            }
        })
    }
}
