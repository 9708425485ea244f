//! Passes: each turns a valid graph into a valid graph that computes the same outputs with less work.
//!
//! The order matters: constants first, because pads and weights must be known; then paddings, scales and activations
//! into convolutions; then enlargements behind the convolutions that read them, which takes an activation out again; then
//! resizes, and activations behind them, into additions; then additions into convolutions.

mod commute_upsample;
mod fold_constants;
mod fold_padding;
mod fold_scale;
mod fuse_activation;
mod fuse_residual;
mod fuse_resize_add;
mod prune;

pub use commute_upsample::commute_upsamples;
pub use fold_constants::fold_constants;
pub use fold_padding::fold_padding;
pub use fold_scale::fold_scales;
pub use fuse_activation::fuse_activations;
pub use fuse_residual::fuse_residuals;
pub use fuse_resize_add::fuse_resize_adds;
pub use prune::{prune, select_outputs};

use crate::error::ModelError;
use crate::fusion::Level;
use crate::graph::Graph;
use crate::validate::validate;

/// What one pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassReport {
    /// The pass, in words.
    pub name: &'static str,
    /// Nodes in the graph after it.
    pub nodes: usize,
}

/// A pass over the graph.
type Pass = fn(&mut Graph) -> Result<(), ModelError>;

/// All passes in the order in which they run; the first [`PASSES_WITHOUT_FUSION`] serve every level.
const PASSES: [(&str, Pass); 8] = [
    ("fold constants", fold_constants),
    ("remove dead code", |graph| {
        prune(graph);
        Ok(())
    }),
    ("fold padding into convolutions", fold_padding),
    ("fold scales into convolutions", fold_scales),
    ("fuse activations", fuse_activations),
    ("convolve before enlarging", commute_upsamples),
    ("fuse resize and add", fuse_resize_adds),
    ("fuse residuals into convolutions", fuse_residuals),
];

/// Constants must be folded and dead code be gone before a graph can be planned at all.
const PASSES_WITHOUT_FUSION: usize = 2;

/// Runs all passes and says how many nodes each left.
///
/// # Errors
/// *Unsupported* when data that must be constant is not; *Invalid* when a debug build finds that a pass broke the
/// graph.
pub fn optimise(graph: &mut Graph) -> Result<Vec<PassReport>, ModelError> {
    optimise_to(graph, Level::Folded)
}

/// Runs the passes that a level of fusion includes: all of them, but for [`Level::Operators`].
///
/// # Errors
/// As [`optimise`].
pub fn optimise_to(graph: &mut Graph, level: Level) -> Result<Vec<PassReport>, ModelError> {
    let count = if level == Level::Operators {
        PASSES_WITHOUT_FUSION
    } else {
        PASSES.len()
    };
    let mut reports = Vec::with_capacity(count);
    for &(name, pass) in &PASSES[..count] {
        pass(graph)?;
        if cfg!(debug_assertions) {
            validate(graph)?;
        }
        reports.push(PassReport {
            name,
            nodes: graph.nodes.len(),
        });
    }
    Ok(reports)
}
