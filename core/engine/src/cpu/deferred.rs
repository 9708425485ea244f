//! An output that the plan leaves to its reader, computed cell by cell by the kernel that would have computed all of it.
//!
//! Whatever kernel the CPU backend has for a 1x1 convolution runs here too, on few pixels and one panel of channels at a
//! time. So every element has the bits that it has in the whole output, in every build.

use std::cell::RefCell;
use std::ops::Range;

use super::{Instructions, Session};
use crate::deferral::Deferred;
use crate::error::ModelError;
use crate::fusion::Level;
use crate::graph::{Activation, Constant, Conv2d, Graph, Node, Op, Padding};
use crate::plan::Plan;

/// Channels that are computed together, because kernels do: one is asked for.
const PANEL: usize = 8;
/// Pixels that are computed together.
const BATCH: usize = 28;
const RESULT: &str = "result";

/// The kernels of one deferred output.
#[derive(Debug)]
pub(super) struct Panels {
    pub name: String,
    /// Of the whole output.
    shape: Vec<usize>,
    /// Where the source lies in the arena.
    source: Range<usize>,
    /// Channels of the source.
    depth: usize,
    /// Whoever reads a result reads it from a session that has run, so scratch memory hides behind a cell.
    panels: Vec<RefCell<Session>>,
}

impl Panels {
    /// Packs the weights; `plan` still has its constants.
    pub fn new(plan: &Plan, deferred: &Deferred, instructions: Instructions) -> Result<Self, ModelError> {
        let graph = &plan.graph;
        let constant = |id| {
            let data = graph.value(id).constant.as_ref().and_then(Constant::to_f32);
            data.ok_or_else(|| ModelError::invalid(&deferred.name, "its weights are not f32 constants"))
        };
        let depth = graph.shape(deferred.source).last().copied().unwrap_or(0);
        let (weights, bias) = (constant(deferred.weights)?, constant(deferred.bias)?);
        let panels = weights
            .chunks(PANEL * depth)
            .zip(bias.chunks(PANEL))
            .map(|(weights, bias)| {
                Session::with_instructions(panel(depth, weights, bias)?, instructions).map(RefCell::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: deferred.name.clone(),
            shape: deferred.shape.clone(),
            source: plan.arena_range(deferred.source).unwrap_or(0..0),
            depth,
            panels,
        })
    }
}

/// A plan of the convolution to at most [`PANEL`] channels, on [`BATCH`] pixels.
fn panel(depth: usize, weights: &[f32], bias: &[f32]) -> Result<Plan, ModelError> {
    let mut graph = Graph::default();
    let x = graph.add_value("pixels", vec![1, 1, BATCH, depth], None);
    let mut constant = |name: &str, shape: Vec<usize>, data: &[f32]| {
        graph.add_value(name, shape, Some(Constant::F32(data.into())))
    };
    let weights = constant("weights", vec![bias.len(), 1, 1, depth], weights);
    let bias_id = constant("bias", vec![bias.len()], bias);
    let y = graph.add_value(RESULT, vec![1, 1, BATCH, bias.len()], None);
    graph.inputs = vec![x];
    graph.outputs = vec![y];
    graph.nodes.push(Node {
        origin: "a deferred output".to_owned(),
        op: Op::Conv2d(Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
            residual: None,
        }),
        inputs: vec![x, weights, bias_id],
        output: y,
    });
    Plan::fused(graph, Level::Folded)
}

/// One deferred output after a frame.
#[derive(Clone, Copy, Debug)]
pub struct DeferredOutput<'a> {
    pub(super) panels: &'a Panels,
    pub(super) arena: &'a [f32],
}

impl DeferredOutput<'_> {
    /// Shape of the whole output, `[1, height, width, channels]`.
    pub fn shape(&self) -> &[usize] {
        &self.panels.shape
    }

    /// Elements of one channel, at these pixels, numbered row by row.
    ///
    /// # Panics
    /// When the output has no such channel or pixel, or `values` is shorter than `pixels`.
    pub fn read(&self, channel: usize, pixels: impl IntoIterator<Item = usize>, values: &mut [f32]) {
        let Panels {
            source,
            depth,
            panels,
            ..
        } = self.panels;
        let source = &self.arena[source.clone()];
        let mut session = panels[channel / PANEL].borrow_mut();
        let mut pixels = pixels.into_iter();
        let mut values = values;
        loop {
            let mut count = 0;
            let places = session.input_mut(0).chunks_exact_mut(*depth);
            for (place, pixel) in places.zip(&mut pixels) {
                place.copy_from_slice(&source[pixel * depth..][..*depth]);
                count += 1;
            }
            if count == 0 {
                return;
            }
            session.run();
            let results = session.output(RESULT).unwrap_or_default();
            let rows = results.chunks_exact(results.len() / BATCH);
            let (now, later) = values.split_at_mut(count);
            for (value, row) in now.iter_mut().zip(rows) {
                *value = row[channel % PANEL];
            }
            values = later;
        }
    }
}
