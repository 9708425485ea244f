//! Watching a session and evaluating files: what `/monitor` and `/evaluate` load when they are opened.
//!
//! Two programs come out of this package. `watch` is the interface of both pages ([`interface`]), which only they load.
//! `watch_worker` counts, compares and evaluates ([`worker`]) on a thread of its own, so that what goes wrong in here
//! stops no measuring; it runs while a session is watched, whichever page is open.

pub mod charts;
pub mod evaluation;
pub mod interface;
pub mod platform;
pub mod protocol;
pub mod sentences;
pub mod worker;
