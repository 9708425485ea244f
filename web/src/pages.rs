//! One module a route.

pub mod live;
pub mod models;
pub mod privacy;
pub mod not_found;
