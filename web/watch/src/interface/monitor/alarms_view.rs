//! Alarms, newest first: what has changed, what to do, and a button for who has understood.

use leptos::prelude::*;
use plumbline_core::monitor::verdict::{Alarm, AlarmKind, State};

use super::Monitor;
use crate::protocol::ToMonitor;
use crate::sentences::{Tone, capitalised, reason};

/// Alarms that are shown; all are in the record.
const MOST: usize = 20;

/// The list.
#[component]
pub fn Alarms(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let alarms = monitor.part(|snapshot| snapshot.alarms.clone());
    let list = move || {
        let alarms = alarms.get().unwrap_or_default();
        if alarms.is_empty() {
            return view! { <p class="watch-quiet" data-testid="no-alarms">"None in this session."</p> }
                .into_any();
        }
        let rest = alarms.len().saturating_sub(MOST);
        let items = alarms
            .into_iter()
            .take(MOST)
            .map(|alarm| alarm_view(monitor, alarm));
        view! {
            <ol class="monitor-alarms" data-testid="alarms">{items.collect_view()}</ol>
            {(rest > 0).then(|| view! { <p class="watch-quiet">{format!("{rest} more in the record.")}</p> })}
        }
        .into_any()
    };
    view! {
        <section class="watch-section" aria-labelledby="alarms-heading">
            <h2 id="alarms-heading" tabindex="-1">"Alarms"</h2>
            {list}
        </section>
    }
}

fn alarm_view(monitor: Monitor, alarm: Alarm) -> impl IntoView {
    let tone = match alarm.state {
        State::Ok => Tone::Quiet,
        State::Watch => Tone::Caution,
        State::Suspect | State::Degraded => Tone::Bad,
    };
    let word = match alarm.kind {
        AlarmKind::Change => "Change",
        AlarmKind::Accuracy => "Accuracy",
        AlarmKind::SilentDecay => "Silent decay",
        AlarmKind::Model => "Model",
    };
    let when = match alarm.ended_block {
        Some(end) => format!("From block {} to block {end}.", alarm.began_block),
        None => format!("Since block {}.", alarm.began_block),
    };
    let (id, name) = (alarm.id, format!("Understood: alarm {}", alarm.id));
    let understood = if alarm.is_acknowledged {
        view! { <p class="watch-quiet">"Understood."</p> }.into_any()
    } else {
        view! {
            <button
                class="button is-small"
                type="button"
                aria-label=name
                on:click=move |_| {
                    monitor.ask(&ToMonitor::Acknowledge { alarm: id });
                    // The button goes away; the list's heading is where one goes on reading.
                    plumbline_web::platform::page::focus("alarms-heading");
                }
            >
                "Understood"
            </button>
        }
        .into_any()
    };
    view! {
        <li class=format!("monitor-alarm {}", tone.class()) data-alarm=id.to_string()>
            <p><span class="monitor-mark" aria-hidden="true">{tone.mark()}</span> " " <strong>{word}</strong> ": " {format!("{}.", capitalised(&reason(&alarm.reason)))}</p>
            <p>{alarm.advice}</p>
            <p class="watch-quiet">{when}</p>
            {understood}
        </li>
    }
}
