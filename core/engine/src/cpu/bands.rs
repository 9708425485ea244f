//! One frame computed by several parties at once, each with memory of its own.
//!
//! A browser gives WebAssembly of the stable toolchain no shared memory, but it runs several instances of a module, and
//! a buffer beside them can be shared. So every image is divided into bands of rows, one for each party; a party
//! computes its band of every image and is sent the few rows beyond it that its kernels reach. What cannot be divided
//! (small images, values that are no images) the first party computes alone. Three ways were weighed:
//!
//! - *bands of rows*: kernels see the same operands in the same order, so results are those of one party bit for bit;
//!   about a hundred kilobytes cross in a frame;
//! - *bands of channels*: every 1x1 convolution reads all channels, so every image would cross as a whole;
//! - *bands computed with their borders*: nothing crosses, but BlazePose's kernels together reach over the whole image.
//!
//! Each party makes its [`Band`] from the same plan; nothing is agreed upon at run time but when rows are there.

use std::ops::Range;

use super::Session;
use super::rows::{elements_of_rows, is_divisible, operand_rows, row_count};
use crate::error::ModelError;
use crate::graph::{Graph, ValueId};
use crate::plan::Plan;

/// Images are divided down to this many rows a party; below, waiting costs more than is won.
const MIN_ROWS: usize = 2;

/// Rows of a value that one party computes and another one reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who computes them.
    pub from: usize,
    /// Who reads them.
    pub to: usize,
    /// Where they are handed over: f32 elements in a buffer that both see, [`Division::exchange_len`] long.
    pub place: Range<usize>,
    value: ValueId,
    rows: Range<usize>,
}

/// How parties hand each other rows. Transfers are numbered as in [`Division::transfers`]; each happens once a frame.
pub trait Exchange {
    /// Why rows did not come.
    type Error;

    /// Hands over rows that this party has computed.
    fn send(&mut self, transfer: usize, values: &[f32]);

    /// Waits for rows of another party.
    ///
    /// # Errors
    /// When they do not come; the frame is lost.
    fn receive(&mut self, transfer: usize, values: &mut [f32]) -> Result<(), Self::Error>;
}

/// How the work of a plan is divided: the same for all parties.
#[derive(Clone, Debug)]
pub struct Division {
    transfers: Vec<Transfer>,
    /// By party.
    actions: Vec<Vec<Action>>,
}

/// One party's part of a frame.
#[derive(Clone, Debug)]
pub struct Band {
    actions: Vec<Action>,
    transfers: Vec<Transfer>,
}

#[derive(Clone, Debug)]
enum Action {
    Receive(usize),
    /// A node, by its position in the graph, and which rows of its output.
    Compute(usize, Range<usize>),
    Send(usize),
}

impl Division {
    /// Divides a plan among `parties`; inputs are written and outputs read at party 0.
    ///
    /// # Errors
    /// *Unsupported* for plans that fuse several nodes into a step: those are for a GPU.
    pub fn new(plan: &Plan, parties: usize) -> Result<Self, ModelError> {
        let graph = &plan.graph;
        let mut computes = vec![false; graph.nodes.len()];
        for step in &plan.steps {
            let &[node] = step.nodes.as_slice() else {
                let message = "its steps compute several nodes at once, which is planned for a GPU";
                return Err(ModelError::unsupported("plan", message));
            };
            computes[node] = true;
        }
        let owned = ownership(graph, parties);
        let transfers = transfers(graph, &owned);
        let actions = (0..parties)
            .map(|party| actions(graph, &owned, &transfers, &computes, party))
            .collect();
        Ok(Self { transfers, actions })
    }

    /// What crosses between parties in a frame.
    pub fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    /// f32 elements of the buffer through which all transfers go.
    pub fn exchange_len(&self) -> usize {
        self.transfers.last().map_or(0, |last| last.place.end)
    }

    /// One party's part. Parties beyond those that the plan was divided among have nothing to do.
    pub fn band(&self, party: usize) -> Band {
        Band {
            actions: self.actions.get(party).cloned().unwrap_or_default(),
            transfers: self.transfers.clone(),
        }
    }
}

impl Session {
    /// Computes one party's part of a frame. Party 0 has written the inputs and can read the outputs afterwards;
    /// others have nothing to write or to read.
    ///
    /// # Errors
    /// Those of the exchange. The frame is lost then, and the inputs may be overwritten.
    pub fn run_band<E: Exchange>(&mut self, band: &Band, exchange: &mut E) -> Result<(), E::Error> {
        let graph = &self.plan.graph;
        let place = |transfer: &Transfer| {
            let start = self.places[transfer.value.index()].start;
            let rows = elements_of_rows(graph.shape(transfer.value), transfer.rows.clone());
            start + rows.start..start + rows.end
        };
        let mut steps = self.steps.iter();
        for action in &band.actions {
            match action {
                Action::Receive(index) => {
                    let rows = place(&band.transfers[*index]);
                    exchange.receive(*index, &mut self.arena[rows])?;
                }
                Action::Send(index) => exchange.send(*index, &self.arena[place(&band.transfers[*index])]),
                Action::Compute(node, rows) => {
                    if let Some(step) = steps.find(|step| step.node == *node) {
                        let (arena, scratch) = (&mut self.arena, &mut self.scratch);
                        step.run(graph, &self.places, rows.clone(), arena, scratch);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Which rows of each frame value each party computes, by party and value index.
fn ownership(graph: &Graph, parties: usize) -> Vec<Vec<Range<usize>>> {
    let mut owned = vec![vec![0..0; graph.values.len()]; parties];
    let Some(first) = owned.first_mut() else {
        return owned;
    };
    for input in &graph.inputs {
        first[input.index()] = 0..row_count(graph.shape(*input));
    }
    for node in &graph.nodes {
        let rows = row_count(graph.shape(node.output));
        if is_divisible(graph, node) && rows >= MIN_ROWS * parties {
            for (party, owned) in owned.iter_mut().enumerate() {
                owned[node.output.index()] = rows * party / parties..rows * (party + 1) / parties;
            }
        } else {
            owned[0][node.output.index()] = 0..rows;
        }
    }
    owned
}

/// The rows that parties read of values that others compute.
fn transfers(graph: &Graph, owned: &[Vec<Range<usize>>]) -> Vec<Transfer> {
    let is_frame_data = |id: ValueId| graph.value(id).constant.is_none();
    let mut needed = vec![vec![0..0; graph.values.len()]; owned.len()];
    for (needed, owned) in needed.iter_mut().zip(owned) {
        for node in &graph.nodes {
            for (index, &input) in node
                .inputs
                .iter()
                .enumerate()
                .filter(|(_, id)| is_frame_data(**id))
            {
                let rows = operand_rows(graph, node, index, &owned[node.output.index()]);
                let needed = &mut needed[input.index()];
                *needed = hull(needed, &rows);
            }
        }
    }
    if let Some(needed) = needed.first_mut() {
        for output in &graph.outputs {
            needed[output.index()] = 0..row_count(graph.shape(*output));
        }
    }
    let mut transfers: Vec<Transfer> = Vec::new();
    let mut end = 0;
    for index in 0..graph.values.len() {
        let value = ValueId(index as u32);
        for (to, needed) in needed.iter().enumerate() {
            for (from, owned) in owned.iter().enumerate() {
                let (needed, owned) = (&needed[index], &owned[index]);
                let rows = needed.start.max(owned.start)..needed.end.min(owned.end);
                if from != to && !rows.is_empty() {
                    let len = elements_of_rows(graph.shape(value), rows.clone()).len();
                    transfers.push(Transfer {
                        from,
                        to,
                        place: end..end + len,
                        value,
                        rows,
                    });
                    end += len;
                }
            }
        }
    }
    transfers
}

/// What one party does in a frame. All parties walk through the nodes in one order and wait only for what others
/// computed at earlier nodes, so they never wait for each other in a circle.
fn actions(
    graph: &Graph,
    owned: &[Vec<Range<usize>>],
    transfers: &[Transfer],
    computes: &[bool],
    party: usize,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let send = |actions: &mut Vec<Action>, value: ValueId| {
        let mine = |transfer: &Transfer| transfer.from == party && transfer.value == value;
        let sent = (0..transfers.len()).filter(|&index| mine(&transfers[index]));
        actions.extend(sent.map(Action::Send));
    };
    let mut received = vec![false; transfers.len()];
    let mut receive = |actions: &mut Vec<Action>, value: ValueId| {
        for (index, transfer) in transfers.iter().enumerate() {
            let is_due = transfer.to == party && transfer.value == value;
            if is_due && !std::mem::replace(&mut received[index], true) {
                actions.push(Action::Receive(index));
            }
        }
    };
    for &input in &graph.inputs {
        send(&mut actions, input);
    }
    for (position, node) in graph.nodes.iter().enumerate() {
        let rows = owned[party][node.output.index()].clone();
        if rows.is_empty() {
            continue;
        }
        for &input in &node.inputs {
            receive(&mut actions, input);
        }
        if computes[position] {
            actions.push(Action::Compute(position, rows));
        }
        send(&mut actions, node.output);
    }
    for &output in &graph.outputs {
        receive(&mut actions, output);
    }
    actions
}

/// The rows from the first to the last of both.
fn hull(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}
