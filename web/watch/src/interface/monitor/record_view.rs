//! What is kept: the switch for it, where it stands, the last records of the audit log, and all of it as a file.

use leptos::prelude::*;
use plumbline_core::monitor::snapshot::{RecordView, StorageView};
use plumbline_web::live::format;

use super::Monitor;
use crate::charts::number::counted;
use crate::platform::{clock, tick};
use crate::protocol::ToMonitor;

/// The record.
#[component]
pub fn Record(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let record = monitor.part(|snapshot| snapshot.record.clone());
    let is_stored = Memo::new(move |_| {
        record.with(|record| {
            record
                .as_ref()
                .and_then(|record| record.storage.as_ref())
                .is_some_and(|storage| storage.is_stored)
        })
    });
    let sentence = move || record.get().map(|record| storage_sentence(&record));
    let rows = move || {
        let records = record.get().map(|record| record.audit).unwrap_or_default();
        let rows = records.into_iter().map(|line| {
            view! {
                <tr>
                    <th scope="row" class="is-number">{line.seq}</th>
                    <td>{clock::local(line.at_unix_secs)}</td>
                    <td>{line.kind}</td>
                    <td>{line.what}</td>
                </tr>
            }
        });
        rows.collect_view()
    };
    let keep = move |event| {
        let is_on = event_target_checked(&event);
        tick::put_back(&event, is_stored.get_untracked());
        monitor.ask(&ToMonitor::Keep { is_on });
    };
    view! {
        <section class="watch-section" aria-labelledby="record-heading" data-testid="record">
            <h2 id="record-heading">"Record"</h2>
            <label class="tick">
                <input type="checkbox" data-testid="keep-numbers" prop:checked=is_stored on:change=keep/>
                "Keep 30 days of numbers on this device"
            </label>
            <p class="watch-quiet" data-testid="storage-sentence">{sentence}</p>
            <div class="watch-buttons">
                <button class="button" type="button" data-testid="evidence" on:click=move |_| monitor.ask(&ToMonitor::Evidence)>
                    "Save the evidence pack"
                </button>
            </div>
            <details class="watch-family" data-testid="audit">
                <summary>"Audit log"</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label="Audit log">
                    <table class="table report-table">
                        <thead>
                            <tr>
                                <th scope="col" class="is-number">"No."</th>
                                <th scope="col">"When"</th>
                                <th scope="col">"Kind"</th>
                                <th scope="col">"What"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </section>
    }
}

/// What is kept, and whether the record holds.
fn storage_sentence(record: &RecordView) -> String {
    let kept = match &record.storage {
        Some(StorageView {
            is_stored: true,
            log_bytes,
            days,
            damaged_segments,
        }) => {
            let damaged = match damaged_segments {
                0 => String::new(),
                n => format!(" {} damaged and left out.", counted(*n, "part was", "parts were")),
            };
            format!(
                "Block means of {}, {}: no pictures and no skeletons.{damaged} Delete them under Privacy.",
                counted(u64::from(*days), "day", "days"),
                format::bytes(*log_bytes)
            )
        }
        Some(_) | None => "Numbers are in memory only, and gone when this page is closed.".to_owned(),
    };
    let chain = if record.is_chain_whole {
        format!(
            "The audit log has {}, and its chain of hashes is whole.",
            counted(record.audit_records, "record", "records")
        )
    } else {
        "The audit log’s chain of hashes is broken: it was changed from outside.".to_owned()
    };
    format!("{kept} {chain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_said() {
        let mut record = RecordView {
            audit_records: 1,
            is_chain_whole: true,
            ..RecordView::default()
        };
        assert_eq!(
            storage_sentence(&record),
            "Numbers are in memory only, and gone when this page is closed. The audit log has 1 record, and its chain of hashes is \
             whole."
        );
        record.storage = Some(StorageView {
            is_stored: true,
            log_bytes: 384_000,
            days: 2,
            damaged_segments: 1,
        });
        record.is_chain_whole = false;
        assert_eq!(
            storage_sentence(&record),
            "Block means of 2 days, 384 KB: no pictures and no skeletons. 1 part was damaged and left out. Delete them under \
             Privacy. The audit log’s chain of hashes is broken: it was changed from outside."
        );
    }
}
