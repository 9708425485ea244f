//! One module a route, and one for all whose contents are programs of their own.

pub mod apart;
pub mod live;
pub mod not_found;
pub mod privacy;
