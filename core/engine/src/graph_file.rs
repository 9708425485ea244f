//! A graph as a file of the engine's own: what a model is after import and constant folding, so that nobody who starts
//! has to spread and widen its weights again.
//!
//! Out of a graph whose constants are folded come bytes; out of these bytes comes the same graph, bit for bit. Weights
//! are kept as binary16 where that is exact, and of tensors with many zeros only the rest is kept. Passes, fusion and
//! plan are not in the file: they depend on who asks (which outputs, which level of fusion).
//!
//! All numbers are little-endian. The file is `PLMG`, the version as u32, the SHA-256 of the model that it was made
//! of; values, nodes, inputs and outputs, each list after its length as u32; then the contents of all constants in the
//! order of the values. Strings are a length and UTF-8.

use crate::compact::Compact;
use crate::error::ModelError;
use crate::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, MAX_ELEMENTS, Node, Op, Padding, Pool2d, Residual, Value,
    ValueId, element_count,
};
use crate::half::f16_from_f32_exact;
use crate::validate::validate;

const MAGIC: &[u8; 4] = b"PLMG";

/// The version of the format. It is raised whenever the same bytes would be read as another graph.
pub const VERSION: u32 = 1;

/// Strides, windows, paddings and blocks beyond this occur in no real model and would overflow index arithmetic.
const MAX_OPTION: usize = 4096;

/// Most dimensions of a value.
const MAX_RANK: usize = 8;

/// The SHA-256 of a model file.
pub type SourceHash = [u8; 32];

/// How a constant is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    None,
    F32,
    F16,
    /// One bit for each element, lowest first; then, as binary16, the elements whose bit is set.
    SparseF16,
    I32,
    U32,
}

impl Storage {
    const ALL: [Self; 6] = [
        Self::None,
        Self::F32,
        Self::F16,
        Self::SparseF16,
        Self::I32,
        Self::U32,
    ];
}

/// Whether bytes begin as such a file does.
pub fn is_graph_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes a graph that was made of the model with the hash `source`.
///
/// # Errors
/// *Unsupported* for a graph whose constants are not folded.
pub fn write(graph: &Graph, source: &SourceHash) -> Result<Vec<u8>, ModelError> {
    let mut writer = Writer(Vec::new());
    writer.0.extend_from_slice(MAGIC);
    writer.number(VERSION as usize);
    writer.0.extend_from_slice(source);
    // A constant that nobody reads any more was emptied by folding; it is no constant of this file.
    let mut read = vec![false; graph.values.len()];
    for &id in graph
        .nodes
        .iter()
        .flat_map(|node| &node.inputs)
        .chain(&graph.outputs)
    {
        read[id.index()] = true;
    }
    let mut contents = Writer(Vec::new());
    writer.number(graph.values.len());
    for (value, is_read) in graph.values.iter().zip(read) {
        writer.text(&value.name);
        writer.numbers(&value.shape);
        let storage = match value.constant.as_ref().filter(|_| is_read) {
            None => Storage::None,
            Some(constant) => contents.constant(constant).ok_or_else(|| {
                ModelError::unsupported(
                    &value.name,
                    "its constant was not folded before the graph was written",
                )
            })?,
        };
        writer.number(storage as usize);
    }
    writer.number(graph.nodes.len());
    for node in &graph.nodes {
        writer.text(&node.origin);
        writer.op(node)?;
        writer.ids(&node.inputs);
        writer.number(node.output.index());
    }
    writer.ids(&graph.inputs);
    writer.ids(&graph.outputs);
    writer.0.extend_from_slice(&contents.0);
    Ok(writer.0)
}

/// Reads a file that [`write`] has written; also the hash of the model that it was made of.
///
/// # Errors
/// *Invalid* for a file that is truncated, corrupted or none of these; *Unsupported* for one of another version. Never
/// panics, whatever the bytes.
pub fn read(bytes: &[u8]) -> Result<(Graph, SourceHash), ModelError> {
    if !is_graph_file(bytes) {
        return Err(ModelError::invalid(
            "header",
            "this is not a graph file (it should begin with PLMG); make one with `plumb compile`",
        ));
    }
    let mut reader = Reader {
        bytes,
        at: MAGIC.len(),
    };
    let version = reader.number("version")?;
    if version != VERSION as usize {
        let message =
            format!("version {version}; this reader knows {VERSION}, so the graph is to be made again");
        return Err(ModelError::unsupported("header", message));
    }
    let hash = reader.take(size_of::<SourceHash>(), "hash of the source")?;
    let mut source = SourceHash::default();
    source.copy_from_slice(hash);

    let mut graph = Graph::default();
    let mut storages = Vec::new();
    for _ in 0..reader.count("values")? {
        let (value, storage) = reader.value()?;
        graph.values.push(value);
        storages.push(storage);
    }
    let n_values = graph.values.len();
    for _ in 0..reader.count("nodes")? {
        graph.nodes.push(reader.node(n_values)?);
    }
    graph.inputs = reader.ids("inputs", n_values)?;
    graph.outputs = reader.ids("outputs", n_values)?;
    for (value, storage) in graph.values.iter_mut().zip(storages) {
        value.constant = reader.constant(element_count(&value.shape), storage)?;
    }
    if reader.at != bytes.len() {
        let message = format!("{} bytes follow the end", bytes.len() - reader.at);
        return Err(ModelError::invalid("file", message));
    }
    validate(&graph)?;
    Ok((graph, source))
}

/// How many operands an operator has; a concatenation has any number.
fn operand_count(op: &Op) -> Option<usize> {
    match op {
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => Some(3 + usize::from(conv.residual.is_some())),
        Op::Add(_) => Some(2),
        Op::Concat { .. } => None,
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::ResizeBilinear(_)
        | Op::Reshape
        | Op::DepthToSpace { .. } => Some(1),
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u32).to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[usize]) {
        self.number(numbers.len());
        for &number in numbers {
            self.number(number);
        }
    }

    fn ids(&mut self, ids: &[ValueId]) {
        self.number(ids.len());
        for id in ids {
            self.number(id.index());
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The contents, in the smallest form that is exact; none for a form that folding removes.
    fn constant(&mut self, constant: &Constant) -> Option<Storage> {
        match constant {
            Constant::F32(data) => Some(self.floats(data)),
            Constant::Compact(data) => Some(self.floats(&data.to_f32())),
            Constant::I32(data) => {
                self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
                Some(Storage::I32)
            }
            Constant::U32(data) => {
                self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
                Some(Storage::U32)
            }
            Constant::F16(_) | Constant::SparseF16 { .. } => None,
        }
    }

    fn floats(&mut self, data: &[f32]) -> Storage {
        let halves: Option<Vec<u16>> = data.iter().map(|&value| f16_from_f32_exact(value)).collect();
        let Some(halves) = halves else {
            self.0.extend(data.iter().flat_map(|value| value.to_le_bytes()));
            return Storage::F32;
        };
        // Minus zero has a bit set, so it is kept.
        let kept = halves.iter().filter(|&&half| half != 0).count();
        if data.len().div_ceil(8) + 2 * kept >= 2 * data.len() {
            self.0.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
            return Storage::F16;
        }
        self.0.extend(halves.chunks(8).map(|eight| {
            let bits = eight.iter().enumerate();
            bits.fold(0u8, |bits, (place, &half)| bits | u8::from(half != 0) << place)
        }));
        let stored = halves.iter().filter(|&&half| half != 0);
        self.0.extend(stored.flat_map(|half| half.to_le_bytes()));
        Storage::SparseF16
    }

    fn op(&mut self, node: &Node) -> Result<(), ModelError> {
        match &node.op {
            Op::Dequantize | Op::Densify => {
                let message = "its operand was not folded before the graph was written";
                return Err(ModelError::unsupported(&node.origin, message));
            }
            Op::Conv2d(conv) => {
                self.number(0);
                self.convolution(conv);
            }
            Op::DepthwiseConv2d(conv) => {
                self.number(1);
                self.convolution(conv);
            }
            Op::Pad(amounts) => {
                self.number(2);
                self.numbers(
                    &amounts
                        .iter()
                        .flat_map(|&(before, after)| [before, after])
                        .collect::<Vec<_>>(),
                );
            }
            Op::Add(residual) => {
                self.number(3);
                self.residual(residual);
            }
            Op::Activation(activation) => {
                self.number(4);
                self.activation(*activation);
            }
            Op::MaxPool2d(pool) => {
                self.number(5);
                self.pair(pool.window);
                self.pair(pool.stride);
                self.padding(pool.padding);
                self.activation(pool.activation);
            }
            Op::ResizeBilinear(bilinear) => {
                self.number(6);
                self.bilinear(*bilinear);
            }
            Op::Reshape => self.number(7),
            Op::Concat { axis } => {
                self.number(8);
                self.number(*axis);
            }
            Op::DepthToSpace { block } => {
                self.number(9);
                self.number(*block);
            }
        }
        Ok(())
    }

    // Structs are taken apart whole, so that the compiler names the place where a new field is to be written.

    fn convolution(&mut self, conv: &Conv2d) {
        let &Conv2d {
            stride,
            dilation,
            padding,
            activation,
            residual,
        } = conv;
        self.pair(stride);
        self.pair(dilation);
        self.padding(padding);
        self.activation(activation);
        self.number(usize::from(residual.is_some()));
        if let Some(residual) = &residual {
            self.residual(residual);
        }
    }

    fn residual(&mut self, residual: &Residual) {
        let &Residual {
            upsample,
            inner,
            activation,
        } = residual;
        self.number(usize::from(upsample.is_some()));
        if let Some(bilinear) = upsample {
            self.bilinear(bilinear);
        }
        self.activation(inner);
        self.activation(activation);
    }

    fn pair(&mut self, [rows, columns]: [usize; 2]) {
        self.number(rows);
        self.number(columns);
    }

    fn padding(&mut self, padding: Padding) {
        self.pair([padding.top, padding.bottom]);
        self.pair([padding.left, padding.right]);
    }

    fn bilinear(&mut self, bilinear: Bilinear) {
        self.number(usize::from(bilinear.align_corners));
        self.number(usize::from(bilinear.half_pixel_centers));
    }

    fn activation(&mut self, activation: Activation) {
        self.number(match activation {
            Activation::None => 0,
            Activation::Relu => 1,
            Activation::Relu6 => 2,
            Activation::Sigmoid => 3,
        });
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn broken(&self, what: &str) -> ModelError {
        ModelError::invalid(
            what,
            format!(
                "it cannot be read (byte {}); the file is truncated or damaged",
                self.at
            ),
        )
    }

    fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], ModelError> {
        let end = self.at.checked_add(len);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.broken(what))?;
        self.at += len;
        Ok(taken)
    }

    fn number(&mut self, what: &str) -> Result<usize, ModelError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    /// The length of a list, each element of which takes four bytes at least.
    fn count(&mut self, what: &str) -> Result<usize, ModelError> {
        let count = self.number(what)?;
        if count > (self.bytes.len() - self.at) / 4 {
            return Err(self.broken(what));
        }
        Ok(count)
    }

    /// A number from 0 to below `limit`.
    fn below(&mut self, limit: usize, what: &str) -> Result<usize, ModelError> {
        let number = self.number(what)?;
        if number < limit {
            Ok(number)
        } else {
            Err(self.broken(what))
        }
    }

    fn option(&mut self, what: &str) -> Result<usize, ModelError> {
        self.below(MAX_OPTION + 1, what)
    }

    fn flag(&mut self, what: &str) -> Result<bool, ModelError> {
        Ok(self.below(2, what)? == 1)
    }

    fn text(&mut self, what: &str) -> Result<String, ModelError> {
        let len = self.number(what)?;
        let bytes = self.take(len, what)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.broken(what))
    }

    fn ids(&mut self, what: &str, n_values: usize) -> Result<Vec<ValueId>, ModelError> {
        let count = self.count(what)?;
        (0..count).map(|_| self.id(what, n_values)).collect()
    }

    fn id(&mut self, what: &str, n_values: usize) -> Result<ValueId, ModelError> {
        Ok(ValueId(self.below(n_values, what)? as u32))
    }

    fn value(&mut self) -> Result<(Value, Storage), ModelError> {
        let name = self.text("name of a value")?;
        let what = format!("value {name}");
        let rank = self.below(MAX_RANK + 1, &what)?;
        let shape = (0..rank)
            .map(|_| self.number(&what))
            .collect::<Result<Vec<_>, _>>()?;
        let elements = shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size));
        if !elements.is_some_and(|elements| (1..=MAX_ELEMENTS).contains(&elements)) {
            return Err(ModelError::invalid(what, format!("shape {shape:?}")));
        }
        let storage = Storage::ALL[self.below(Storage::ALL.len(), &what)?];
        let value = Value {
            name,
            shape,
            constant: None,
        };
        Ok((value, storage))
    }

    fn constant(&mut self, elements: usize, storage: Storage) -> Result<Option<Constant>, ModelError> {
        let what = "contents of a constant";
        Ok(match storage {
            Storage::None => None,
            Storage::F32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::F32(
                    words.iter().map(|&word| f32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::I32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::I32(
                    words.iter().map(|&word| i32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::U32 => {
                let words = self.take(4 * elements, what)?.as_chunks::<4>().0;
                Some(Constant::U32(
                    words.iter().map(|&word| u32::from_le_bytes(word)).collect(),
                ))
            }
            Storage::F16 => {
                let halves = self.take(2 * elements, what)?.as_chunks::<2>().0;
                Some(Constant::Compact(Compact::dense(halves)))
            }
            Storage::SparseF16 => {
                let mask = self.take(elements.div_ceil(8), what)?;
                let kept = self.take(2 * Compact::count(mask), what)?.as_chunks::<2>().0;
                let compact = Compact::sparse(elements, mask, kept).ok_or_else(|| self.broken(what))?;
                Some(Constant::Compact(compact))
            }
        })
    }

    fn node(&mut self, n_values: usize) -> Result<Node, ModelError> {
        let origin = self.text("origin of a node")?;
        let op = self.op(&origin)?;
        let inputs = self.ids(&origin, n_values)?;
        let fits = operand_count(&op).map_or(!inputs.is_empty(), |count| inputs.len() == count);
        if !fits {
            let message = format!("{} operands of {}", inputs.len(), op.name());
            return Err(ModelError::invalid(origin, message));
        }
        let output = self.id(&origin, n_values)?;
        Ok(Node {
            origin,
            op,
            inputs,
            output,
        })
    }

    fn op(&mut self, origin: &str) -> Result<Op, ModelError> {
        Ok(match self.number(origin)? {
            0 => Op::Conv2d(self.convolution(origin)?),
            1 => Op::DepthwiseConv2d(self.convolution(origin)?),
            2 => {
                let rank = self.below(2 * MAX_RANK + 1, origin)? / 2;
                let amounts = (0..rank).map(|_| self.pair(origin).map(|[before, after]| (before, after)));
                Op::Pad(amounts.collect::<Result<_, _>>()?)
            }
            3 => Op::Add(self.residual(origin)?),
            4 => Op::Activation(self.activation(origin)?),
            5 => Op::MaxPool2d(Pool2d {
                window: self.pair(origin)?,
                stride: self.pair(origin)?,
                padding: self.padding(origin)?,
                activation: self.activation(origin)?,
            }),
            6 => Op::ResizeBilinear(self.bilinear(origin)?),
            7 => Op::Reshape,
            8 => Op::Concat {
                axis: self.below(MAX_RANK, origin)?,
            },
            9 => Op::DepthToSpace {
                block: self.option(origin)?,
            },
            _ => return Err(self.broken(origin)),
        })
    }

    fn convolution(&mut self, origin: &str) -> Result<Conv2d, ModelError> {
        Ok(Conv2d {
            stride: self.pair(origin)?,
            dilation: self.pair(origin)?,
            padding: self.padding(origin)?,
            activation: self.activation(origin)?,
            residual: match self.flag(origin)? {
                true => Some(self.residual(origin)?),
                false => None,
            },
        })
    }

    fn residual(&mut self, origin: &str) -> Result<Residual, ModelError> {
        Ok(Residual {
            upsample: match self.flag(origin)? {
                true => Some(self.bilinear(origin)?),
                false => None,
            },
            inner: self.activation(origin)?,
            activation: self.activation(origin)?,
        })
    }

    fn pair(&mut self, origin: &str) -> Result<[usize; 2], ModelError> {
        Ok([self.option(origin)?, self.option(origin)?])
    }

    fn padding(&mut self, origin: &str) -> Result<Padding, ModelError> {
        let [top, bottom] = self.pair(origin)?;
        let [left, right] = self.pair(origin)?;
        Ok(Padding {
            top,
            bottom,
            left,
            right,
        })
    }

    fn bilinear(&mut self, origin: &str) -> Result<Bilinear, ModelError> {
        Ok(Bilinear {
            align_corners: self.flag(origin)?,
            half_pixel_centers: self.flag(origin)?,
        })
    }

    fn activation(&mut self, origin: &str) -> Result<Activation, ModelError> {
        Ok(match self.number(origin)? {
            0 => Activation::None,
            1 => Activation::Relu,
            2 => Activation::Relu6,
            3 => Activation::Sigmoid,
            _ => return Err(self.broken(origin)),
        })
    }
}
