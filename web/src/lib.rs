//! The page: what a person sees, and the worker that runs the pipeline behind it.

pub mod live;
pub mod pages;
