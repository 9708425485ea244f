//! The doorway to the browser for both programs of this package, as `plumbline_web::platform` is for the page.

pub mod drawing;
pub mod link;
pub mod screens;
