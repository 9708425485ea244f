//! The doorway to the browser for both programs of this package, as `plumbline_web::platform` is for the page.

pub mod clock;
pub mod evaluator_link;
pub mod files;
pub mod monitor_link;
pub mod style;
pub mod tick;
