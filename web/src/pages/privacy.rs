//! `/privacy`: what leaves this page (nothing), what it keeps, and how to delete it. Everything shown is looked up at
//! that moment, not promised.

use leptos::either::Either;
use leptos::prelude::*;

use crate::live::format;
use crate::platform::model_store;
use crate::platform::page::{self, MadeRequest};
use crate::platform::weights;

/// The page.
#[component]
pub fn PrivacyPage() -> impl IntoView {
    view! {
        <div class="page-text">
            <header class="page-head"><h1>"Privacy"</h1></header>
            <div class="privacy">
                <section class="privacy-section" aria-labelledby="leaves">
                    <h2 id="leaves">"What leaves this page"</h2>
                    <p>
                        "Nothing that you show it. Pictures, clips and skeletons stay in this browser's memory and are gone \
                        when you stop or close the page. There is no account, no counter of visits, and no code that uploads."
                    </p>
                </section>
                <Kept/>
                <Requests/>
            </div>
        </div>
    }
}

/// What the browser keeps for this page, and the button that deletes it.
#[component]
fn Kept() -> impl IntoView {
    let version = RwSignal::new(0_u32);
    let stored = LocalResource::new(move || {
        version.track();
        stored()
    });
    let outcome = RwSignal::new(None::<String>);
    let delete = Action::new_local(move |(): &()| async move {
        let deleted = match weights::delete_stored().await {
            Ok(()) => model_store::remove_all().await,
            Err(sentence) => Err(sentence),
        };
        let said = match deleted {
            Ok(()) => {
                page::forget_choices();
                "Deleted.".to_owned()
            }
            Err(sentence) => sentence,
        };
        outcome.set(Some(said));
        version.update(|version| *version += 1);
    });
    let rows = move || {
        let files = stored
            .get()
            .unwrap_or_default()
            .into_iter()
            .map(|(name, bytes)| (name, format::bytes(bytes)));
        version.track();
        let choices = page::remembered_choices();
        files.chain(choices).collect::<Vec<_>>()
    };
    view! {
        <section class="privacy-section" aria-labelledby="kept">
            <h2 id="kept">"What this browser keeps for it"</h2>
            <p>
                "The weights of the models, so that they are downloaded once; models and numbers that you chose to keep; your choices on these \
                pages; and how long a frame took on each backend, so that this is measured once."
            </p>
            {move || {
                let rows = rows();
                if rows.is_empty() {
                    return Either::Left(view! { <p data-testid="kept-nothing">"Nothing at the moment."</p> });
                }
                Either::Right(view! {
                    <div class="table-scroll">
                        <table class="table" data-testid="kept">
                            <thead><tr><th scope="col">"What"</th><th scope="col">"Size or value"</th></tr></thead>
                            <tbody>
                                {rows.into_iter().map(|(what, value)| view! {
                                    <tr><td>{what}</td><td>{value}</td></tr>
                                }).collect_view()}
                            </tbody>
                        </table>
                    </div>
                })
            }}
            <button class="button" type="button" data-testid="delete" on:click=move |_| { delete.dispatch(()); }>
                "Delete all of it"
            </button>
            <p role="status">{outcome}</p>
        </section>
    }
}

/// Names and sizes of the weights, and of the models that the person keeps.
async fn stored() -> Vec<(String, u64)> {
    let mut files = weights::list_stored().await;
    let kept = model_store::list().await.into_iter();
    files.extend(kept.map(|model| (format!("A model that you kept ({})", model.sha256), model.bytes)));
    let recorded = model_store::recorded_bytes().await;
    if recorded > 0 {
        files.push(("Numbers and audit log of watched sessions".to_owned(), recorded));
    }
    files
}

/// Every request that this page has made, as the browser recorded it.
#[component]
fn Requests() -> impl IntoView {
    let made = page::made_requests();
    let origin = page::origin();
    let elsewhere = made
        .iter()
        .filter(|request| !is_at(&request.address, &origin))
        .count();
    let summary = match elsewhere {
        0 => format!(
            "{} so far, all of them to the server that this page came from.",
            made.len()
        ),
        _ => format!("{} so far, {elsewhere} of them to other servers.", made.len()),
    };
    let rows = made.into_iter().map(
        |MadeRequest {
             address,
             initiator,
             transferred,
         }| {
            let shown = address.strip_prefix(&origin).unwrap_or(&address).to_owned();
            let size = if transferred == 0 {
                "from memory".to_owned()
            } else {
                format::bytes(transferred)
            };
            view! { <tr><td>{shown}</td><td>{initiator}</td><td class="is-number">{size}</td></tr> }
        },
    );
    view! {
        <section class="privacy-section" aria-labelledby="requests">
            <h2 id="requests">"Requests of this page"</h2>
            <p data-testid="requests-summary">{summary}</p>
            <p>
                "They are all downloads, listed by the browser itself; the engine's worker loads its own program and the models besides. \
                Your browser's developer tools show the same under Network."
            </p>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Requests">
                <table class="table" data-testid="requests">
                    <thead>
                        <tr>
                            <th scope="col">"Address"</th>
                            <th scope="col">"Asked for by"</th>
                            <th scope="col" class="is-number">"Transferred"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
}

/// Whether an address belongs to an origin; files that the person opened are shown from `blob:` addresses of it.
fn is_at(address: &str, origin: &str) -> bool {
    let address = address.strip_prefix("blob:").unwrap_or(address);
    address == origin
        || address
            .strip_prefix(origin)
            .is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_origins_are_told_apart() {
        let origin = "https://a.example";
        for (address, here) in [
            ("https://a.example/app.js", true),
            ("blob:https://a.example/1234", true),
            ("https://a.example.evil/app.js", false),
            ("https://b.example/", false),
        ] {
            assert_eq!(is_at(address, origin), here, "{address}");
        }
    }
}
