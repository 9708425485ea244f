//! The page: what a person sees, and the worker that runs the pipeline behind it.
//!
//! Two programs come out of this package. `app` is the interface ([`app`], [`pages`], [`components`]); it opens sources,
//! captures frames and draws skeletons. `worker` is the engine's host ([`worker`]); it turns frames into poses. They
//! talk in the messages of [`worker::protocol`]. What the interface decides stands in [`live`], without a browser;
//! what the browser offers stands in [`platform`].

pub mod app;
pub mod components;
pub mod live;
pub mod pages;
pub mod platform;
pub mod router;
pub mod shortcuts;
pub mod worker;
