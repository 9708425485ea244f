//! The families of tensor operators whose cases both backends run and graph files keep: one list of them.

use super::{random, suite};

#[path = "convolves.rs"]
pub mod convolves;
#[path = "gathers.rs"]
pub mod gathers;
#[path = "neighbours.rs"]
pub mod neighbours;
#[path = "products.rs"]
pub mod products;
#[path = "reductions.rs"]
pub mod reductions;
#[path = "samples.rs"]
pub mod samples;
#[path = "scatters.rs"]
pub mod scatters;
#[path = "selects.rs"]
pub mod selects;
#[path = "sequences.rs"]
pub mod sequences;
#[path = "views.rs"]
pub mod views;
#[path = "windows.rs"]
pub mod windows;

use suite::Case;

/// Every case, with what its family computes.
pub fn cases() -> impl Iterator<Item = (&'static str, Case)> {
    fn named(
        name: &'static str,
        cases: impl Iterator<Item = Case> + 'static,
    ) -> Box<dyn Iterator<Item = (&'static str, Case)>> {
        Box::new(cases.map(move |case| (name, case)))
    }
    let families = [
        named("one of two elements", selects::cases()),
        named("elements at places that are computed", gathers::cases()),
        named("elements at other places", views::cases()),
        named("numbers of many", reductions::cases()),
        named("products of matrices", products::cases()),
        named("convolutions", convolves::cases()),
        named("numbers of windows", windows::cases()),
        named("weighted sums at listed places", neighbours::sums()),
        named("elements by those near them", neighbours::norms()),
        named("rows at listed places", scatters::rows()),
        named("first elements in order", scatters::orders()),
        named("images at places between elements", samples::cases()),
        named("layers along sequences", sequences::cases()),
    ];
    families.into_iter().flatten()
}
