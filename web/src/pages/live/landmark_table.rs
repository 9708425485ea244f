//! The numbers of a picture: every landmark in pixels and in metres, as a table.

use leptos::either::Either;
use leptos::prelude::*;
use plumbline_core::skeleton::LANDMARK_NAMES;

use crate::live::controller::Live;
use crate::live::format;

/// The table; nothing before a picture has been measured.
#[component]
pub fn LandmarkTable() -> impl IntoView {
    let live = expect_context::<Live>();
    move || {
        let Some(pose) = live.picture_result.get()? else {
            return Some(Either::Left(view! {
                <p data-testid="landmarks">
                    "Nobody was found in this picture. A person should be seen whole, and fill a good part of it."
                </p>
            }));
        };
        let rows = LANDMARK_NAMES
            .iter()
            .zip(pose.landmarks.iter().zip(&pose.world))
            .map(|(name, (point, world))| {
                view! {
                    <tr>
                        <th scope="row">{format::landmark_name(name)}</th>
                        <td class="is-number">{format!("{:.1}", point.x_px)}</td>
                        <td class="is-number">{format!("{:.1}", point.y_px)}</td>
                        <td class="is-number">{format!("{:.3}", world.x_m)}</td>
                        <td class="is-number">{format!("{:.3}", world.y_m)}</td>
                        <td class="is-number">{format!("{:.3}", world.z_m)}</td>
                        <td class="is-number">{format::percent(point.visibility)}</td>
                    </tr>
                }
            });
        Some(Either::Right(view! {
            <details data-testid="landmarks" class="screen-only">
                <summary>{format!("All {} landmarks as a table", LANDMARK_NAMES.len())}</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label="Landmarks">
                    <table class="table">
                        <caption class="visually-hidden">
                            "Landmarks in pixels of the picture and in metres from the middle of the hips"
                        </caption>
                        <thead>
                            <tr>
                                <th scope="col">"Landmark"</th>
                                <th scope="col" class="is-number">"x, px"</th>
                                <th scope="col" class="is-number">"y, px"</th>
                                <th scope="col" class="is-number">"x, m"</th>
                                <th scope="col" class="is-number">"y, m"</th>
                                <th scope="col" class="is-number">"z, m"</th>
                                <th scope="col" class="is-number">"Visible"</th>
                            </tr>
                        </thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
            </details>
        }))
    }
}
