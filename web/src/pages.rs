//! One module a route.

pub mod live;
