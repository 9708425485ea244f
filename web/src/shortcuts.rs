//! Keys of one letter, the dialog that lists them, and the switch that turns them off (WCAG 2.2, 2.1.4).

use leptos::prelude::*;
use plumbline_core::people::PersonId;

use crate::live::controller::Live;
use crate::live::session::Event;
use crate::platform::page;
use crate::router::Route;

const DIALOG: &str = "shortcuts";
const MEMORY: &str = "plumbline.shortcuts";

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    StartOrStop,
    Pause,
    Mirror,
    Background,
    Person,
    Demo,
    Print,
    List,
}

/// Key, its cap, what it does in words, and the action.
const SHORTCUTS: [(&str, &str, &str, Action); 8] = [
    (" ", "Space", "Start or stop", Action::StartOrStop),
    ("p", "P", "Pause or resume", Action::Pause),
    ("m", "M", "Mirror the camera's picture", Action::Mirror),
    ("b", "B", "Change or show the background", Action::Background),
    (
        "1",
        "1 to 9",
        "Measure the person with this number",
        Action::Person,
    ),
    ("d", "D", "Try it with the drawn person", Action::Demo),
    ("r", "R", "Print the result", Action::Print),
    ("?", "?", "Show this list", Action::List),
];

fn are_on() -> bool {
    page::remembered(MEMORY).is_none_or(|value| value != "off")
}

/// Listens for the life of the page.
pub fn listen(live: Live, route: RwSignal<Route>) {
    page::on_shortcut(move |key| {
        let number = key.parse().ok().filter(|number| (1..=9).contains(number));
        let name = number.map_or_else(|| key.to_lowercase(), |_| "1".to_owned());
        let Some((.., action)) = SHORTCUTS.iter().find(|(known, ..)| *known == name) else {
            return false;
        };
        // The list can always be reached: there the keys are turned on again.
        if *action == Action::List {
            open();
            return true;
        }
        if !are_on() || route.get_untracked() != Route::Live {
            return false;
        }
        match action {
            Action::StartOrStop if live.session.with_untracked(|session| session.is_running()) => {
                live.dispatch(Event::Stop);
            }
            Action::StartOrStop => live.start_again(),
            Action::Pause => live.dispatch(Event::TogglePause),
            Action::Mirror => live.set_mirrored(!live.mirrored.get_untracked()),
            Action::Background => live.toggle_background(),
            Action::Person => {
                if let Some(number) = number {
                    live.choose_person(PersonId(number));
                }
            }
            Action::Demo => live.start_demo(),
            Action::Print => page::print(),
            Action::List => {}
        }
        true
    });
}

/// Opens the list.
pub fn open() {
    page::open_dialog(DIALOG);
}

/// The list and its switch.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let switched_on = RwSignal::new(are_on());
    let switch = move |on: bool| {
        switched_on.set(on);
        page::remember(MEMORY, if on { "on" } else { "off" });
    };
    let rows = SHORTCUTS.map(|(_, cap, words, _)| view! { <dt><kbd>{cap}</kbd></dt><dd>{words}</dd> });
    view! {
        <dialog class="dialog" id=DIALOG aria-labelledby="shortcuts-title">
            <form class="dialog-body" method="dialog">
                <h2 id="shortcuts-title">"Keys on the Live page"</h2>
                <dl class="dialog-keys">{rows.into_iter().collect_view()}</dl>
                <div class="dialog-foot">
                    <label class="tick">
                        <input
                            type="checkbox"
                            prop:checked=switched_on
                            on:change=move |event| switch(event_target_checked(&event))
                            data-testid="shortcuts-switch"
                        />
                        "Use these keys"
                    </label>
                    <button class="button">"Close"</button>
                </div>
            </form>
        </dialog>
    }
}
