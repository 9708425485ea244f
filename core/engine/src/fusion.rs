//! Which nodes run together: from a graph to steps, each of which is one GPU dispatch.
//!
//! A pass changes the graph; fusion leaves it alone and only says which neighbouring nodes one kernel computes, so
//! that the values between them are never written. That keeps one graph for the interpreter, both backends and every
//! [`Level`], and it makes "fused equals unfused" a test of kernels alone.
//!
//! Three shapes are fused, all of them around a depthwise convolution: MobileNetV2's inverted residual (expand,
//! depthwise, project) and its two halves. What is left at the end of a network, on maps of a few pixels, is too small
//! to fill a GPU and pays for each dispatch; a single workgroup runs it in one.

use crate::graph::{Conv2d, Graph, Node, Op, Padding, Residual, ValueId, element_count};

/// How much is fused. Each level includes the ones before it; lower ones serve to measure what a level wins, and as
/// the better choice on adapters where workgroup memory is slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// L0: every operator of the file that works on frame data is a step.
    Operators,
    /// L1: padding, activations, residuals and resizes are folded into convolutions.
    #[default]
    Folded,
    /// L2: a depthwise and the 1x1 convolution after it are one step.
    Pairs,
    /// L3: expand, depthwise and project are one step; on small maps expand and depthwise.
    Blocks,
    /// L4: one workgroup runs everything after the last map of more than [`TAIL_PIXELS`] pixels.
    Tail,
}

impl Level {
    /// From the lowest to the highest.
    pub const ALL: [Level; 5] = [
        Level::Operators,
        Level::Folded,
        Level::Pairs,
        Level::Blocks,
        Level::Tail,
    ];

    /// `L0` to `L4`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Operators => "L0",
            Level::Folded => "L1",
            Level::Pairs => "L2",
            Level::Blocks => "L3",
            Level::Tail => "L4",
        }
    }
}

/// The largest map that belongs to a tail, in pixels.
pub const TAIL_PIXELS: usize = 16;
/// A tail with more weights than this is left alone: one workgroup would read them for too long.
const MAX_TAIL_WEIGHTS: usize = 2 << 20;
/// On maps of up to this many pixels a depthwise convolution joins its expansion but not its projection: the map is
/// one tile, channels are what can be spread over workgroups, and a projection needs them all in one place.
const SMALL_MAP_PIXELS: usize = 64;
/// The largest depthwise window and stride whose halo fits the workgroup memory that every adapter has.
const MAX_WINDOW: usize = 5;
const MAX_STRIDE: usize = 2;
/// A wide window may expand only from this many channels (a stem), because pixels of the halo are computed again.
const MAX_STEM_CHANNELS: usize = 4;

/// Nodes that one dispatch computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Positions in [`Graph::nodes`], in execution order. The last one writes the step's result.
    pub nodes: Vec<usize>,
    /// How they belong together.
    pub fusion: Fusion,
}

/// How the nodes of a step belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fusion {
    /// One node.
    Single,
    /// Neighbours of a depthwise convolution; the values between them are not written.
    Block(Block),
    /// The end of the network in one workgroup; the values between its nodes are in the arena.
    Tail,
}

/// Positions of the nodes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// A depth-to-space of which the depthwise convolution is one of the readers: it becomes a way of reading.
    pub spread: Option<usize>,
    /// The convolution before it: 1x1, or a stem.
    pub expand: Option<usize>,
    /// The depthwise convolution.
    pub depthwise: usize,
    /// The 1x1 convolution after it.
    pub project: Option<usize>,
}

impl Block {
    fn nodes(self) -> Vec<usize> {
        let Self {
            spread,
            expand,
            depthwise,
            project,
        } = self;
        [spread, expand, Some(depthwise), project]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Step {
    /// The values that only exist inside the step.
    pub fn interior<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = ValueId> + 'a {
        let hidden = match self.fusion {
            Fusion::Block(_) => self.nodes.len() - 1,
            Fusion::Single | Fusion::Tail => 0,
        };
        self.nodes[..hidden]
            .iter()
            .map(|&position| graph.nodes[position].output)
    }
}

/// Groups the nodes of a graph into steps, in execution order. `has_work` is false for nodes that only rename memory.
pub fn steps(graph: &Graph, level: Level, has_work: impl Fn(&Node) -> bool) -> Vec<Step> {
    let work: Vec<bool> = graph.nodes.iter().map(has_work).collect();
    let mut taken = vec![false; graph.nodes.len()];
    let mut steps = Vec::new();
    if level >= Level::Tail {
        let nodes = tail(graph, &work);
        if nodes.len() > 1 {
            nodes.iter().for_each(|&position| taken[position] = true);
            steps.push(Step {
                nodes,
                fusion: Fusion::Tail,
            });
        }
    }
    if level >= Level::Pairs {
        let mut finder = Finder::new(graph, level, taken);
        for position in 0..graph.nodes.len() {
            if let Some(block) = finder.block(position) {
                finder.claim(block);
                steps.push(Step {
                    nodes: block.nodes(),
                    fusion: Fusion::Block(block),
                });
            }
        }
        taken = finder.in_tail;
        let of_blocks = steps.iter().flat_map(|step| &step.nodes);
        of_blocks.for_each(|&position| taken[position] = true);
    }
    steps.extend(
        (0..graph.nodes.len())
            .filter(|&n| work[n] && !taken[n])
            .map(|n| Step {
                nodes: vec![n],
                fusion: Fusion::Single,
            }),
    );
    // A step runs where its last node stood: by then all its operands have been written, and nobody reads its result
    // earlier.
    steps.sort_by_key(|step| step.nodes.last().copied());
    steps
}

/// Whether a tail can hold the node: few pixels, and every pixel starts at a whole vector.
fn is_small_image(graph: &Graph, node: &Node) -> bool {
    let whole = |id: ValueId| {
        let shape = graph.shape(id);
        graph.value(id).constant.is_some() || (shape.len() == 4 && shape[3].is_multiple_of(4))
    };
    let out = pixels(graph, node.output).is_some_and(|pixels| {
        // The one pixel of a head may end in the middle of a vector, because nobody reads on.
        pixels <= TAIL_PIXELS && (whole(node.output) || pixels == 1)
    });
    out && node.inputs.iter().all(|&id| whole(id))
}

/// Pixels of an image; `None` for other shapes.
fn pixels(graph: &Graph, id: ValueId) -> Option<usize> {
    match *graph.shape(id) {
        [1, height, width, _] => Some(height * width),
        _ => None,
    }
}

/// All nodes on maps of at most [`TAIL_PIXELS`] pixels behind which nothing larger comes.
fn tail(graph: &Graph, work: &[bool]) -> Vec<usize> {
    let mut in_tail = vec![false; graph.nodes.len()];
    let mut readers_in_tail = vec![true; graph.values.len()];
    for (position, node) in graph.nodes.iter().enumerate().rev() {
        let enlarges = |residual: Option<Residual>| residual.is_some_and(|sum| sum.upsample.is_some());
        let fits = match &node.op {
            Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => !enlarges(conv.residual),
            Op::Add(residual) => !enlarges(Some(*residual)),
            Op::Activation(_) | Op::MaxPool2d(_) => true,
            // Whoever only renames memory runs nowhere; parts of a concatenation may start at any element, and the
            // tail's kernel stores whole vectors.
            Op::Reshape => !work[position],
            Op::Dequantize
            | Op::Densify
            | Op::Pad(_)
            | Op::ResizeBilinear(_)
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels
            | Op::Tensor(_) => false,
        };
        in_tail[position] =
            fits && readers_in_tail[node.output.index()] && (!work[position] || is_small_image(graph, node));
        if !in_tail[position] {
            for input in &node.inputs {
                readers_in_tail[input.index()] = false;
            }
        }
    }
    let nodes: Vec<usize> = (0..graph.nodes.len())
        .filter(|&position| in_tail[position] && work[position])
        .collect();
    let weights: usize = nodes
        .iter()
        .flat_map(|&position| &graph.nodes[position].inputs)
        .filter(|id| graph.value(**id).constant.is_some())
        .map(|&id| element_count(graph.shape(id)))
        .sum();
    if weights <= MAX_TAIL_WEIGHTS {
        nodes
    } else {
        Vec::new()
    }
}

/// Looks for blocks among the nodes before the tail.
struct Finder<'a> {
    graph: &'a Graph,
    level: Level,
    in_tail: Vec<bool>,
    /// 1x1 convolutions and stems that belong to a block: one between two depthwise convolutions could belong to both.
    claimed: Vec<bool>,
    readers: Vec<u32>,
    producers: Vec<Option<usize>>,
}

impl<'a> Finder<'a> {
    fn new(graph: &'a Graph, level: Level, in_tail: Vec<bool>) -> Self {
        Self {
            graph,
            level,
            claimed: vec![false; in_tail.len()],
            in_tail,
            readers: graph.reader_counts(),
            producers: graph.producers(),
        }
    }

    fn claim(&mut self, block: Block) {
        for position in block.expand.into_iter().chain(block.project) {
            self.claimed[position] = true;
        }
    }

    /// Whether a block may have the convolution before or after its depthwise one.
    fn is_free(&self, position: usize) -> bool {
        !self.in_tail[position] && !self.claimed[position]
    }

    /// The block around the depthwise convolution at `depthwise`, if there is anything to fuse with it.
    fn block(&self, depthwise: usize) -> Option<Block> {
        let node = &self.graph.nodes[depthwise];
        let Op::DepthwiseConv2d(conv) = &node.op else {
            return None;
        };
        if !self.is_fusible(depthwise) {
            return None;
        }
        let spread = self.spread(node);
        let mut expand = self.expand(node).filter(|_| self.level >= Level::Blocks);
        let mut project = self.project(node).filter(|_| conv.residual.is_none());
        if conv.residual.is_some() {
            // The kernel adds a residual to the result of a block, not in its middle.
            expand = expand.filter(|_| project.is_none());
        }
        if expand.is_some() && pixels(self.graph, node.inputs[0])? <= SMALL_MAP_PIXELS {
            project = None;
        }
        let block = Block {
            spread,
            expand,
            depthwise,
            project,
        };
        (block.nodes().len() > 1).then_some(block)
    }

    /// A depth-to-space before `node` that all its readers take as a way of reading.
    fn spread(&self, node: &Node) -> Option<usize> {
        let source = node.inputs[0];
        let position = self.producers[source.index()]?;
        let usable = matches!(self.graph.nodes[position].op, Op::DepthToSpace { .. })
            && self.graph.shape(source)[3].is_multiple_of(4)
            && !self.in_tail[position]
            && !self.graph.outputs.contains(&source)
            && self.graph.nodes.iter().enumerate().all(|(reader, node)| {
                !node.inputs.contains(&source)
                    || (self.is_fusible(reader) && !node.inputs[1..].contains(&source))
            });
        usable.then_some(position)
    }

    /// Whether the node is a depthwise convolution that the kernel of a block can take.
    fn is_fusible(&self, position: usize) -> bool {
        let node = &self.graph.nodes[position];
        let Op::DepthwiseConv2d(conv) = &node.op else {
            return false;
        };
        let window = self.graph.shape(node.inputs[1]);
        !self.in_tail[position]
            && window[1].max(window[2]) <= MAX_WINDOW
            && conv.stride[0].max(conv.stride[1]) <= MAX_STRIDE
            && conv.dilation == [1, 1]
    }

    /// The convolution that nobody but `node` reads.
    fn expand(&self, node: &Node) -> Option<usize> {
        let position = self.producers[node.inputs[0].index()]?;
        let before = &self.graph.nodes[position];
        let Op::Conv2d(conv) = &before.op else { return None };
        let channels = *self.graph.shape(before.inputs[0]).last()?;
        let usable = self.is_private(before.output)
            && self.is_free(position)
            && conv.residual.is_none()
            && (self.is_pointwise(before, conv) || channels <= MAX_STEM_CHANNELS);
        usable.then_some(position)
    }

    /// The 1x1 convolution that alone reads `node`, and reads it as its image.
    fn project(&self, node: &Node) -> Option<usize> {
        if !self.is_private(node.output) {
            return None;
        }
        let position = self
            .graph
            .nodes
            .iter()
            .position(|reader| reader.inputs.first() == Some(&node.output))?;
        let after = &self.graph.nodes[position];
        let Op::Conv2d(conv) = &after.op else { return None };
        (self.is_free(position) && self.is_pointwise(after, conv)).then_some(position)
    }

    fn is_pointwise(&self, node: &Node, conv: &Conv2d) -> bool {
        let window = self.graph.shape(node.inputs[1]);
        window[1..3] == [1, 1] && conv.stride == [1, 1] && conv.padding == Padding::default()
    }

    /// Whether exactly one node reads the value, and no caller.
    fn is_private(&self, id: ValueId) -> bool {
        self.readers[id.index()] == 1 && !self.graph.outputs.contains(&id)
    }
}
