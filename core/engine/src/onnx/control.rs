//! Nodes that hold graphs: `If`, `Loop` and `Scan`.
//!
//! What a frame computes is fixed when the model is read, so choices and repetitions end there:
//!
//! - A condition that is known (exporters ask for sizes, flags, rates) names one branch, which is read in place of the
//!   node; the other one is not looked at. Where the condition depends on the frame, both branches are computed and each
//!   result is selected; both must give it in one shape.
//! - A loop whose end is known is written out, once for each time. One whose end depends on the frame is refused.
//! - A scan is written out along its axis, whose size is known.
//!
//! A graph reads the names around it, and its own are gone behind it. Repetitions are charged before they are read
//! ([`Walk::repeat`]): a file of few bytes can ask for many.

use rten_onnx::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::call::{Call, axis_among};
use super::walk::Walk;
use crate::builder::{Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::tensor::{Data, Tensor};

/// Graphs that stand inside of a node, and how they are to be read.
pub(super) enum Control {
    If {
        condition: Symbol,
        /// Where it holds, and where it does not.
        branches: Box<[GraphProto; 2]>,
    },
    Loop {
        /// It ends before this; `None` for no end of its own.
        end: Option<i64>,
        /// Whether it begins.
        begins: bool,
        carried: Vec<Symbol>,
        body: GraphProto,
    },
    Scan {
        states: Vec<Symbol>,
        sources: Vec<(Symbol, Along)>,
        results: Vec<Along>,
        body: GraphProto,
    },
}

/// An axis, and the direction along it.
#[derive(Clone, Copy)]
pub(super) struct Along {
    axis: i64,
    is_backwards: bool,
}

/// A condition, and a graph for each of its values.
pub(super) fn choice(call: &mut Call<'_>) -> Result<Control, ModelError> {
    let condition = call.operand(0)?;
    if condition.file_type() != FileType::Bool || condition.shape().iter().product::<usize>() != 1 {
        let (kind, shape) = (condition.file_type(), condition.shape());
        return Err(call.invalid(format!("its condition is {kind} of shape {shape:?}")));
    }
    let branches = Box::new([graph(call, "then_branch")?, graph(call, "else_branch")?]);
    Ok(Control::If { condition, branches })
}

/// A number of times, a condition, and what each time takes from the one before.
pub(super) fn repetition(call: &mut Call<'_>) -> Result<Control, ModelError> {
    let end = match call.known_ints(0)?.as_deref() {
        None => None,
        Some(&[end]) => Some(end),
        Some(ends) => return Err(call.invalid(format!("{} numbers of times", ends.len()))),
    };
    let begins = match call.known(1)? {
        None => true,
        Some(condition) => flag(&condition).ok_or_else(|| call.invalid("its condition is no truth value"))?,
    };
    let carried = (2..call.operands.len()).map(|index| call.operand(index));
    Ok(Control::Loop {
        end,
        begins,
        carried: carried.collect::<Result<_, _>>()?,
        body: graph(call, "body")?,
    })
}

/// States, and values that are taken apart along an axis.
pub(super) fn scan(call: &mut Call<'_>) -> Result<Control, ModelError> {
    if call.opset < 9 {
        return Err(call.unsupported("as operator sets before 9 have it"));
    }
    let n_sources = call.attributes.int("num_scan_inputs")?.unwrap_or(0);
    let n_sources = usize::try_from(n_sources).ok();
    let n_states = n_sources.and_then(|n| call.operands.len().checked_sub(n));
    let (Some(n_sources @ 1..), Some(n_states)) = (n_sources, n_states) else {
        return Err(call.invalid("it does not say which of its operands it scans"));
    };
    let body = graph(call, "body")?;
    let n_results = body.output.len().checked_sub(n_states);
    let n_results =
        n_results.ok_or_else(|| call.invalid("its body gives fewer results than it has states"))?;
    let sources = alongs(call, "scan_input", n_sources)?;
    let results = alongs(call, "scan_output", n_results)?;
    let mut operands = (0..call.operands.len()).map(|index| call.operand(index));
    let states = operands.by_ref().take(n_states).collect::<Result<_, _>>()?;
    let scanned: Vec<Symbol> = operands.collect::<Result<_, _>>()?;
    Ok(Control::Scan {
        states,
        sources: scanned.into_iter().zip(sources).collect(),
        results,
        body,
    })
}

/// The axes and directions of `n` values, from the attributes whose names begin so.
fn alongs(call: &mut Call<'_>, name: &str, n: usize) -> Result<Vec<Along>, ModelError> {
    let axes = call.attributes.ints(&format!("{name}_axes"))?;
    let directions = call.attributes.ints(&format!("{name}_directions"))?;
    let (axes, directions) = (
        axes.unwrap_or_else(|| vec![0; n]),
        directions.unwrap_or_else(|| vec![0; n]),
    );
    if axes.len() != n || directions.len() != n {
        let message = format!(
            "{} axes and {} directions for {n} values",
            axes.len(),
            directions.len()
        );
        return Err(call.invalid(message));
    }
    let along = |(axis, direction): (i64, i64)| Along {
        axis,
        is_backwards: direction != 0,
    };
    Ok(axes.into_iter().zip(directions).map(along).collect())
}

fn graph(call: &mut Call<'_>, name: &str) -> Result<GraphProto, ModelError> {
    let graph = call.attributes.graph(name)?;
    graph.ok_or_else(|| call.invalid(format!("its {name} is missing")))
}

/// The one element of a truth value.
fn flag(tensor: &Tensor) -> Option<bool> {
    match *tensor.bools()? {
        [flag] => Some(flag),
        _ => None,
    }
}

impl Control {
    /// Reads the graphs, and gives the results of the node at `place`.
    pub fn run(self, walk: &mut Walk, place: &str) -> Result<Vec<Symbol>, ModelError> {
        match self {
            Control::If { condition, branches } => choose(walk, &condition, *branches, place),
            Control::Loop {
                end,
                begins,
                carried,
                body,
            } => Body::read(walk, body, place, |walk, body| {
                body.repeat_until(walk, end, begins, carried)
            }),
            Control::Scan {
                states,
                sources,
                results,
                body,
            } => Body::read(walk, body, place, |walk, body| {
                body.scan(walk, states, &sources, &results)
            }),
        }
    }
}

/// The results of the branch that is named, or of both, selected.
fn choose(
    walk: &mut Walk,
    condition: &Symbol,
    [then_branch, else_branch]: [GraphProto; 2],
    place: &str,
) -> Result<Vec<Symbol>, ModelError> {
    let then_place = format!("{place}, then_branch");
    let else_place = format!("{place}, else_branch");
    if let Some(is_true) = condition.known().and_then(flag) {
        return match is_true {
            true => once(walk, then_branch, &then_place),
            false => once(walk, else_branch, &else_place),
        };
    }
    // A branch that this input never takes may make no sense for its shape.
    let both = |error: ModelError| {
        let message = format!("its condition depends on the frame, so both branches are read; {error}");
        let outside = ModelError::unsupported(place, message);
        match error.missing() {
            None => outside,
            Some(missing) => outside.with_missing(missing.clone()),
        }
    };
    let a = once(walk, then_branch, &then_place).map_err(both)?;
    let b = once(walk, else_branch, &else_place).map_err(both)?;
    if a.len() != b.len() {
        let message = format!("its branches give {} and {} results", a.len(), b.len());
        return Err(ModelError::invalid(place, message));
    }
    let condition = walk.builder.reshape(condition, Vec::new(), place)?;
    let select = |(a, b): (Symbol, Symbol)| {
        if a.shape() != b.shape() {
            let message = format!(
                "its condition depends on the frame, and its branches give {:?} and {:?}; both must have one shape",
                a.shape(),
                b.shape()
            );
            return Err(ModelError::unsupported(place, message));
        }
        walk.builder.select(&condition, &a, &b, place)
    };
    a.into_iter().zip(b).map(select).collect()
}

/// The results of a graph that takes nothing but the names around it.
fn once(walk: &mut Walk, graph: GraphProto, inside: &str) -> Result<Vec<Symbol>, ModelError> {
    walk.within(inside, |walk| {
        walk.initialisers(graph.initializer)?;
        walk.nodes(graph.node)?;
        let outputs = graph
            .output
            .into_iter()
            .map(|output| output.name.unwrap_or_default());
        outputs.map(|name| walk.symbol(&name, inside).cloned()).collect()
    })
}

/// A graph that is read again and again.
struct Body {
    place: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    nodes: Vec<NodeProto>,
    /// About what a copy of the nodes takes.
    n_bytes: usize,
}

impl Body {
    /// Takes apart the body of the node at `place` and reads what is the same each time.
    fn read<T>(
        walk: &mut Walk,
        graph: GraphProto,
        place: &str,
        run: impl FnOnce(&mut Walk, &Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let place = format!("{place}, body");
        let initialised: Vec<Option<String>> = graph
            .initializer
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect();
        let inputs = graph.input.into_iter().map(|input| input.name);
        let inputs = inputs.filter(|name| !initialised.contains(name));
        let outputs = graph
            .output
            .into_iter()
            .map(|output| output.name.unwrap_or_default());
        // They take no operands, so they may as well be read before the others.
        let is_constant = |node: &NodeProto| node.op_type.as_deref() == Some("Constant");
        let (constants, nodes): (Vec<_>, Vec<_>) = graph.node.into_iter().partition(is_constant);
        let body = Self {
            inputs: inputs.map(Option::unwrap_or_default).collect(),
            outputs: outputs.collect(),
            n_bytes: nodes.iter().map(n_bytes).sum(),
            nodes,
            place,
        };
        walk.within(&body.place, |walk| {
            walk.initialisers(graph.initializer)?;
            walk.nodes(constants)?;
            run(walk, &body)
        })
    }

    /// What it gives for these inputs.
    fn pass(&self, walk: &mut Walk, inputs: Vec<Symbol>) -> Result<Vec<Symbol>, ModelError> {
        walk.repeat(self.n_bytes, &self.place)?;
        walk.within(&self.place, |walk| {
            for (name, symbol) in self.inputs.iter().zip(inputs) {
                walk.shadow(name.clone(), symbol);
            }
            walk.nodes(self.nodes.clone())?;
            let outputs = self.outputs.iter();
            outputs
                .map(|name| walk.symbol(name, &self.place).cloned())
                .collect()
        })
    }

    /// As many results of a loop as the body's ports leave room for.
    fn repeat_until(
        &self,
        walk: &mut Walk,
        end: Option<i64>,
        begins: bool,
        mut carried: Vec<Symbol>,
    ) -> Result<Vec<Symbol>, ModelError> {
        let n_given = self.outputs.len().checked_sub(1 + carried.len());
        let (Some(n_given), true) = (n_given, self.inputs.len() == 2 + carried.len()) else {
            return Err(self.wrong_ports(2 + carried.len(), 1 + carried.len()));
        };
        let mut given = vec![Vec::new(); n_given];
        let mut time = 0;
        let mut goes_on = begins;
        while goes_on && end.is_none_or(|end| time < end) {
            let mut inputs = vec![scalar(FileType::I64, Data::Int([time].into()), &self.place)?];
            inputs.push(scalar(FileType::Bool, Data::Bool([true].into()), &self.place)?);
            inputs.append(&mut carried);
            let mut results = self.pass(walk, inputs)?.into_iter();
            let condition = results.next().as_ref().and_then(Symbol::known).and_then(flag);
            goes_on = condition.ok_or_else(|| {
                let message = "whether it goes on depends on the frame; loops are read whose end is known";
                ModelError::unsupported(&self.place, message)
            })?;
            let n_carried = self.inputs.len() - 2;
            carried.extend(results.by_ref().take(n_carried));
            for (given, result) in given.iter_mut().zip(results) {
                given.push(result);
            }
            time += 1;
        }
        for given in given {
            carried.push(self.stacked(
                walk,
                &given,
                Along {
                    axis: 0,
                    is_backwards: false,
                },
            )?);
        }
        Ok(carried)
    }

    /// The states at the end, then what was given along the way.
    fn scan(
        &self,
        walk: &mut Walk,
        mut states: Vec<Symbol>,
        sources: &[(Symbol, Along)],
        results: &[Along],
    ) -> Result<Vec<Symbol>, ModelError> {
        let n_states = states.len();
        if self.inputs.len() != n_states + sources.len() {
            return Err(self.wrong_ports(n_states + sources.len(), n_states));
        }
        let mut sizes = Vec::with_capacity(sources.len());
        let mut axes = Vec::with_capacity(sources.len());
        for (source, along) in sources {
            let axis = axis_among(along.axis, source.shape().len(), &self.place)?;
            sizes.push(source.shape()[axis]);
            axes.push(axis);
        }
        let length = sizes.first().copied().unwrap_or(0);
        if sizes.iter().any(|&size| size != length) {
            return Err(ModelError::invalid(
                &self.place,
                format!("it scans axes of the sizes {sizes:?}"),
            ));
        }
        let mut given = vec![Vec::new(); results.len()];
        for time in 0..length {
            let mut inputs = std::mem::take(&mut states);
            for ((source, along), &axis) in sources.iter().zip(&axes) {
                let index = if along.is_backwards {
                    length - 1 - time
                } else {
                    time
                };
                inputs.push(self.taken(walk, source, axis, index)?);
            }
            let mut found = self.pass(walk, inputs)?.into_iter();
            states.extend(found.by_ref().take(n_states));
            for (given, result) in given.iter_mut().zip(found) {
                given.push(result);
            }
        }
        for (given, &along) in given.iter().zip(results) {
            states.push(self.stacked(walk, given, along)?);
        }
        Ok(states)
    }

    /// What lies at one place of an axis, without that axis.
    fn taken(
        &self,
        walk: &mut Walk,
        source: &Symbol,
        axis: usize,
        index: usize,
    ) -> Result<Symbol, ModelError> {
        let mut shape = source.shape().to_vec();
        let mut parts: Vec<Part> = shape.iter().map(|&size| Part::of(0, size)).collect();
        parts[axis] = Part::of(index, 1);
        let slice = walk.builder.slice(source, &parts, &self.place)?;
        shape.remove(axis);
        walk.builder.reshape(&slice, shape, &self.place)
    }

    /// Values along a new axis.
    fn stacked(&self, walk: &mut Walk, values: &[Symbol], along: Along) -> Result<Symbol, ModelError> {
        let [first, ..] = values else {
            let message = "it is never passed, so nothing says of which sizes its results are";
            return Err(ModelError::unsupported(&self.place, message));
        };
        let axis = axis_among(along.axis, first.shape().len() + 1, &self.place)?;
        let layer = |value: &Symbol| {
            let mut shape = value.shape().to_vec();
            shape.insert(axis.min(shape.len()), 1);
            walk.builder.reshape(value, shape, &self.place)
        };
        let mut layers = values.iter().map(layer).collect::<Result<Vec<_>, _>>()?;
        if along.is_backwards {
            layers.reverse();
        }
        walk.builder.concat(&layers, axis, &self.place)
    }

    fn wrong_ports(&self, inputs: usize, outputs: usize) -> ModelError {
        let message = format!(
            "it takes {} values and gives {}; the node asks for {inputs} and for {outputs} or more",
            self.inputs.len(),
            self.outputs.len()
        );
        ModelError::invalid(&self.place, message)
    }
}

fn scalar(file_type: FileType, data: Data, place: &str) -> Result<Symbol, ModelError> {
    let tensor = Tensor::new(file_type, Vec::new(), data);
    tensor
        .map(Symbol::Known)
        .map_err(|message| ModelError::invalid(place, message))
}

/// About what a copy of a node takes, with all that stands inside of it.
fn n_bytes(node: &NodeProto) -> usize {
    let texts = |texts: &[String]| {
        texts
            .iter()
            .map(|text| size_of::<String>() + text.len())
            .sum::<usize>()
    };
    let tensor = |tensor: &TensorProto| {
        let raw = tensor.raw_data.as_ref().map_or(0, |raw| raw.borrow().len());
        let words = tensor.float_data.len() + tensor.int32_data.len();
        raw + 4 * words + 8 * (tensor.int64_data.len() + tensor.double_data.len() + tensor.dims.len())
    };
    let graph = |graph: &GraphProto| {
        let ports = graph.input.len() + graph.output.len() + graph.value_info.len();
        let tensors = graph.initializer.iter().map(tensor).sum::<usize>();
        graph.node.iter().map(n_bytes).sum::<usize>() + tensors + ports * size_of::<ValueInfoProto>()
    };
    let attributes = node.attribute.iter().map(|attribute| {
        let numbers = 4 * attribute.floats.len() + 8 * attribute.ints.len() + texts(&attribute.strings);
        let inside = attribute.t.as_ref().map_or(0, tensor) + attribute.g.as_ref().map_or(0, graph);
        size_of::<AttributeProto>() + numbers + inside
    });
    size_of::<NodeProto>() + texts(&node.input) + texts(&node.output) + attributes.sum::<usize>()
}
