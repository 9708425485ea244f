//! Models that a person brings: what `/models` loads when it is opened.
//!
//! Two programs come out of this package, and only that page loads them. `lab` is its interface ([`interface`]).
//! `lab_worker` reads and runs the models ([`worker`]): the one program of the page that has importers and every
//! operator, which the page's own engine does without. They talk in the messages of [`protocol`]. Bytes of strangers are
//! read in that worker and nowhere else, so whatever a file does, [`platform::link`] can end it.
//!
//! What a file is ([`archive`], [`examine`]), whether it computes well ([`self_test`]) and how large it may be
//! ([`limits`]), and what it probably is for ([`proposals`]), is decided without a browser, and so is what is kept beside it ([`record`]).

pub mod archive;
pub mod examine;
pub mod interface;
pub mod limits;
pub mod marks;
pub mod platform;
pub mod proposals;
pub mod protocol;
pub mod record;
pub mod self_test;
pub mod tried;
pub mod worker;
