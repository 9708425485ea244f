//! One module a route.

pub mod live;
pub mod models;
pub mod not_found;
pub mod privacy;
