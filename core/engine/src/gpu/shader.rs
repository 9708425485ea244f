//! From a kernel to a shader: declares the bindings, writes the functions through which the kernel reads and
//! writes its tensors, and decides how threads are laid out.
//!
//! A kernel names its tensors (`x`, `y`, `r`..) and calls `load_x(pixel, block)`, which gives four channels,
//! or `get_x(index)`, which gives one unit of a flat tensor. How the tensor is stored stays behind these
//! functions: as `vec4` when its place and its channels allow it, else as scalars with guards. So each kernel
//! is written once, and odd channel counts and the unaligned places inside an elided concatenation cost speed
//! but need no second kernel.
//!
//! Places in the arena that overlap after rounding to the alignment of bindings (the two sides of an elided
//! concatenation; one value used twice) become one binding with two offsets, because WebGPU refuses two
//! writable bindings that share bytes.

use std::collections::BTreeMap;
use std::ops::Range;

use super::access::{functions_of, merged_weights};
use super::recording::{ARENA, Access, BINDING_ALIGNMENT, Binding, MAX_WORKGROUPS};
use crate::encoding::Encoding;

/// f32 elements in one alignment step of a binding.
const ALIGNMENT: usize = BINDING_ALIGNMENT as usize / 4;
/// Threads of a workgroup: a multiple of the wave of every common GPU, far below the guaranteed 256.
const WORKGROUP_THREADS: usize = 64;

/// Where a tensor lives.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Range of the arena, in words of four bytes.
    Arena {
        words: Range<usize>,
        /// How its elements are kept there.
        encoding: Encoding,
    },
    /// Range of a buffer of weights, in bytes.
    Weights {
        /// Position in the recording's buffers.
        buffer: usize,
        /// The bytes; the start is aligned for a binding.
        bytes: Range<usize>,
        /// Elements are binary16 pairs.
        half: bool,
    },
}

/// What the functions of an operand look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `load_NAME(pixel, block) -> vec4<f32>` and `store_NAME(pixel, block, value)`: four channels of a
    /// pixel. Channels past the last read as zero and are not written.
    Image {
        /// Channels of a pixel.
        channels: usize,
    },
    /// `get_NAME(index)` and `put_NAME(index, value)`: unit `index` of the elements in memory order. A unit
    /// is `vec4<f32>` or `f32`.
    Flat {
        /// Elements of a unit: 4 or 1.
        lanes: usize,
    },
    /// `get_NAME(index)` and `put_NAME(index, value)` of one element that is no f32: `i32`, or `u32` for a truth value
    /// too. Such values share no binding with f32: reading a small integer as a float may make it 0.
    Words(crate::element::Element),
    /// `tile_NAME(index) -> mat4x4<f32>`: weights of a dense convolution.
    Tiles {
        /// Tiles in front of those that are bound; `index` counts them too.
        first: usize,
    },
    /// `tap_NAME(index) -> vec4<f32>`: weights of a depthwise convolution.
    Taps,
}

impl Form {
    /// All tiles of a weight.
    pub const TILES: Self = Form::Tiles { first: 0 };
}

/// Whether a kernel reads or writes an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Only load functions are written.
    In,
    /// Only store functions are written.
    Out,
}

/// A tensor of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    /// Suffix of its functions.
    pub name: String,
    pub place: Place,
    pub form: Form,
    pub direction: Direction,
}

/// Which of the two thread coordinates changes fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Neighbouring threads take neighbouring items (pixels) of one block of channels: they all want the same
    /// weights, which the hardware then reads once.
    ItemsFirst,
    /// Neighbouring threads take neighbouring blocks of channels of one item, which lie side by side in
    /// memory.
    BlocksFirst,
}

/// How the work of a kernel is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Threads that know nothing of each other. The body finds its own in `item` and `block`, both `u32` and in
    /// range.
    Threads {
        /// Number of items and of blocks; each pair is one thread.
        count: [usize; 2],
        order: Order,
    },
    /// Threads that know nothing of each other, neighbours taking neighbouring items, for some of the blocks.
    Blocks {
        /// Number of items.
        items: usize,
        /// The blocks.
        blocks: Range<usize>,
    },
    /// Workgroups whose threads work together. The body finds `lane`, the thread's number in its group, and
    /// `group`, the number of the group along each axis, and must not return early.
    Groups {
        /// Threads of a group.
        size: usize,
        /// Groups along each axis.
        count: [usize; 3],
    },
}

/// How operands become bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bindings {
    /// Each has its own, unless they overlap in the arena.
    Separate,
    /// One for everything in the arena and one for all weights of a buffer: for kernels with more operands than a shader has
    /// bindings. Each operand must start at a whole vector.
    Merged,
}

/// One operator, or several fused ones, written in WGSL, before its bindings are known.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    /// Family and shapes; the first line of the text.
    pub label: String,
    pub operands: Vec<Operand>,
    pub bindings: Bindings,
    /// Functions that the body calls, and variables that a workgroup shares.
    pub functions: String,
    /// Statements of `main`.
    pub body: String,
    pub work: Work,
}

impl Kernel {
    /// This kernel for a run of its `blocks` of output channels, each of so many tiles of the weights `w`, with no others
    /// bound than those.
    pub fn part(&self, run: Range<usize>, blocks: usize, tiles: usize, weights: Place) -> Self {
        let mut part = self.clone();
        part.label += &format!(", blocks {} to {}", run.start, run.end);
        if let Some(w) = part.operands.iter_mut().find(|operand| operand.name == "w") {
            w.place = weights;
            w.form = Form::Tiles {
                first: run.start * tiles,
            };
        }
        if let Work::Threads { count, .. } = part.work {
            let [items, threads] = count;
            // Blocks that a thread computes.
            let width = blocks / threads.max(1);
            let blocks = run.start / width..run.end / width;
            part.work = Work::Blocks { items, blocks };
        }
        part
    }
}

/// A shader with the ranges for its bindings.
#[derive(Clone, Debug)]
pub(crate) struct Assembled {
    pub text: String,
    pub accesses: Vec<Access>,
    pub bindings: Vec<Binding>,
    pub workgroups: [u32; 3],
}

/// What one binding holds, and of which type its elements are.
struct Slot {
    binding: Binding,
    element: Element,
}

/// What a thread of a tensor operator reads or writes of such elements at once, as WGSL names it: one, or of f32 four
/// where there are four lanes.
pub(crate) fn wgsl_type(element: crate::element::Element, lanes: usize) -> &'static str {
    use crate::element::Element;
    match element {
        Element::F32 if lanes == 4 => "vec4<f32>",
        Element::F32 => "f32",
        Element::I32 => "i32",
        Element::U32 | Element::Bool => "u32",
    }
}

/// Element type of a bound array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F32,
    F32x4,
    U32,
    U32x2,
    U32x4,
}

impl Element {
    fn wgsl(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::F32x4 => "vec4<f32>",
            Element::U32 => "u32",
            Element::U32x2 => "vec2<u32>",
            Element::U32x4 => "vec4<u32>",
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Element::F32 | Element::U32 => 4,
            Element::U32x2 => 8,
            Element::F32x4 | Element::U32x4 => 16,
        }
    }
}

impl Operand {
    /// A tensor that the kernel reads, four channels at a time.
    pub fn image(name: &str, place: Place, channels: usize) -> Self {
        Self {
            name: name.into(),
            place,
            form: Form::Image { channels },
            direction: Direction::In,
        }
    }

    /// A tensor that the kernel reads in memory order.
    pub fn flat(name: &str, place: Place, lanes: usize) -> Self {
        Self {
            name: name.into(),
            place,
            form: Form::Flat { lanes },
            direction: Direction::In,
        }
    }

    /// A tensor that the kernel reads in memory order, in units of `lanes` elements; of what is no f32, in units of one.
    pub fn elements(name: &str, place: Place, element: crate::element::Element, lanes: usize) -> Self {
        let form = match element {
            crate::element::Element::F32 => Form::Flat { lanes },
            _ => Form::Words(element),
        };
        Self {
            form,
            ..Self::flat(name, place, lanes)
        }
    }

    /// The same operand as the kernel's result.
    pub fn written(self) -> Self {
        Self {
            direction: Direction::Out,
            ..self
        }
    }

    /// True when its place and its form allow a binding of `vec4`.
    fn takes_vectors(&self, start: usize) -> bool {
        start.is_multiple_of(4)
            && match self.form {
                Form::Image { channels } => channels.is_multiple_of(4),
                Form::Flat { lanes } => lanes == 4,
                Form::Words(_) => false,
                Form::Tiles { .. } | Form::Taps => true,
            }
    }
}

/// Gives every operand a binding and writes the whole text. `None` when the work exceeds what one dispatch
/// can address.
pub(crate) fn assemble(kernel: &Kernel) -> Option<Assembled> {
    let (slots, homes) = match kernel.bindings {
        Bindings::Separate => assign_slots(&kernel.operands),
        Bindings::Merged => merge_slots(&kernel.operands),
    };
    let mut text = format!("// {}\n", kernel.label);
    for (i, slot) in slots.iter().enumerate() {
        let access = if slot.binding.buffer == ARENA {
            "read_write"
        } else {
            "read"
        };
        let (element, count) = (slot.element.wgsl(), slot.binding.bytes / slot.element.bytes());
        text += &format!("@group(0) @binding({i}) var<storage, {access}> b{i}: array<{element}, {count}>;\n");
    }
    for (operand, &(slot, start)) in kernel.operands.iter().zip(&homes) {
        text += &match (&operand.place, kernel.bindings) {
            (Place::Weights { half, .. }, Bindings::Merged) => merged_weights(operand, slot, *half, start),
            _ => functions_of(operand, slot, slots[slot].element, start),
        };
    }
    text.push_str(&kernel.functions);
    let (main, workgroups) = entry_point(kernel)?;
    text.push_str(&main);
    let accesses = slots
        .iter()
        .map(|s| {
            if s.binding.buffer == ARENA {
                Access::ReadWrite
            } else {
                Access::Read
            }
        })
        .collect();
    Some(Assembled {
        text,
        accesses,
        bindings: slots.into_iter().map(|s| s.binding).collect(),
        workgroups,
    })
}

/// The bindings, and for each operand its binding and its first element inside it (in f32 elements).
fn assign_slots(operands: &[Operand]) -> (Vec<Slot>, Vec<(usize, usize)>) {
    // Ranges of the arena, rounded down to the alignment, merged where they overlap.
    let mut merged: Vec<Range<usize>> = Vec::new();
    let mut arena: Vec<Range<usize>> = operands
        .iter()
        .filter_map(|operand| match &operand.place {
            Place::Arena { words, .. } => Some(words.start / ALIGNMENT * ALIGNMENT..words.end),
            Place::Weights { .. } => None,
        })
        .collect();
    arena.sort_by_key(|range| range.start);
    for range in arena {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }

    let mut slots: Vec<Slot> = Vec::new();
    let mut slot_of_range: Vec<Option<usize>> = vec![None; merged.len()];
    let homes: Vec<(usize, usize)> = operands
        .iter()
        .map(|operand| match &operand.place {
            Place::Arena { words, encoding } => {
                let position = merged.partition_point(|m| m.start <= words.start) - 1;
                let whole = &merged[position];
                let slot = *slot_of_range[position].get_or_insert_with(|| {
                    let binding = Binding {
                        buffer: ARENA,
                        offset: whole.start as u64 * 4,
                        bytes: (whole.end - whole.start) as u64 * 4,
                    };
                    // A value that is not in f32 overlaps with no other.
                    let element = match encoding {
                        Encoding::Single => Element::F32x4,
                        Encoding::Half => Element::U32x2,
                        Encoding::Levels { .. } => Element::U32,
                    };
                    slots.push(Slot { binding, element });
                    slots.len() - 1
                });
                (slot, words.start - whole.start)
            }
            Place::Weights { buffer, bytes, half } => {
                let element = match (operand.form, half) {
                    (Form::Tiles { .. }, true) => Element::U32x4,
                    (Form::Taps, true) => Element::U32x2,
                    (Form::Words(_), _) => Element::U32,
                    _ if operand.takes_vectors(0) => Element::F32x4,
                    _ => Element::F32,
                };
                let binding = Binding {
                    buffer: *buffer,
                    offset: bytes.start as u64,
                    bytes: bytes.len() as u64,
                };
                slots.push(Slot { binding, element });
                (slots.len() - 1, 0)
            }
        })
        .collect();
    // A binding has one element type: vectors only if every operand inside it can use them.
    for (operand, &(slot, start)) in operands.iter().zip(&homes) {
        let is_single = matches!(
            operand.place,
            Place::Arena {
                encoding: Encoding::Single,
                ..
            }
        );
        if is_single && !operand.takes_vectors(start) {
            slots[slot].element = match operand.form {
                Form::Words(_) => Element::U32,
                Form::Image { .. } | Form::Flat { .. } | Form::Tiles { .. } | Form::Taps => Element::F32,
            };
        }
    }
    for slot in &mut slots {
        if slot.element == Element::F32x4 && !slot.binding.bytes.is_multiple_of(16) {
            slot.element = Element::F32;
        }
    }
    (slots, homes)
}

/// One binding around all operands in the arena and one around all weights of each buffer, if there are any. A weight's
/// first element counts vectors of 16 bytes.
fn merge_slots(operands: &[Operand]) -> (Vec<Slot>, Vec<(usize, usize)>) {
    let place = |operand: &Operand| match &operand.place {
        Place::Arena { words, .. } => (ARENA, 4 * words.start..4 * words.end),
        Place::Weights { buffer, bytes, .. } => (*buffer, bytes.clone()),
    };
    let mut around: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for (buffer, bytes) in operands.iter().map(place) {
        let whole = around.entry(buffer).or_insert_with(|| bytes.clone());
        *whole = whole.start.min(bytes.start)..whole.end.max(bytes.end);
    }
    // The arena is the first of the buffers.
    let slots: Vec<Slot> = around
        .iter()
        .map(|(&buffer, whole)| {
            let offset = whole.start as u64 / BINDING_ALIGNMENT * BINDING_ALIGNMENT;
            let binding = Binding {
                buffer,
                offset,
                bytes: (whole.end as u64).next_multiple_of(BINDING_ALIGNMENT) - offset,
            };
            let element = match buffer {
                ARENA => Element::F32x4,
                _ => Element::U32x4,
            };
            Slot { binding, element }
        })
        .collect();
    let homes = operands
        .iter()
        .map(|operand| {
            let (buffer, bytes) = place(operand);
            let slot = around.range(..buffer).count();
            let from = bytes.start - slots[slot].binding.offset as usize;
            (slot, if buffer == ARENA { from / 4 } else { from / 16 })
        })
        .collect();
    (slots, homes)
}

/// `main` with its thread coordinates, and the number of workgroups.
fn entry_point(kernel: &Kernel) -> Option<(String, [u32; 3])> {
    let ([width, height], workgroups, coordinates) = match &kernel.work {
        &Work::Threads {
            count: [items, blocks],
            order,
        } => independent_threads(items, 0..blocks, order)?,
        Work::Blocks { items, blocks } => independent_threads(*items, blocks.clone(), Order::ItemsFirst)?,
        &Work::Groups {
            size,
            count: [x, y, z],
        } => ([size, 1], [fits(x)?, fits(y)?, fits(z)?], String::new()),
    };
    let lane = match kernel.work {
        Work::Threads { .. } | Work::Blocks { .. } => "",
        Work::Groups { .. } => ", @builtin(local_invocation_index) lane: u32",
    };
    let text = format!(
        "@compute @workgroup_size({width}, {height})\nfn main(@builtin(global_invocation_id) thread: vec3<u32>, \
         @builtin(workgroup_id) group: vec3<u32>{lane}) {{\n{coordinates}{}}}\n",
        kernel.body
    );
    Some((text, workgroups))
}

fn fits(groups: usize) -> Option<u32> {
    u32::try_from(groups)
        .ok()
        .filter(|&groups| groups <= MAX_WORKGROUPS)
}

/// Size of a workgroup, number of workgroups, and the declarations of `item` and `block`.
fn independent_threads(
    items: usize,
    of_blocks: Range<usize>,
    order: Order,
) -> Option<([usize; 2], [u32; 3], String)> {
    let blocks = of_blocks.len();
    let offset = match of_blocks.start {
        0 => String::new(),
        start => format!(" + {start}u"),
    };
    Some(match order {
        Order::ItemsFirst => {
            let width = items.next_power_of_two().min(WORKGROUP_THREADS);
            let height = (WORKGROUP_THREADS / width).min(blocks.next_power_of_two());
            let block = if height == 1 { "group.y" } else { "thread.y" };
            let end = of_blocks.end;
            let guard = match (items.is_multiple_of(width), blocks.is_multiple_of(height)) {
                (true, true) => String::new(),
                (false, true) => format!("  if (item >= {items}u) {{ return; }}\n"),
                (true, false) => format!("  if (block >= {end}u) {{ return; }}\n"),
                (false, false) => format!("  if (item >= {items}u || block >= {end}u) {{ return; }}\n"),
            };
            let coordinates = format!("  let item = thread.x;\n  let block = {block}{offset};\n{guard}");
            let workgroups = [fits(items.div_ceil(width))?, fits(blocks.div_ceil(height))?, 1];
            ([width, height], workgroups, coordinates)
        }
        Order::BlocksFirst => {
            let threads = items * blocks;
            let width = threads.next_power_of_two().min(WORKGROUP_THREADS);
            let groups = threads.div_ceil(width);
            let columns = groups.min(MAX_WORKGROUPS as usize);
            let rows = groups.div_ceil(columns.max(1));
            let id = if rows == 1 {
                "thread.x".into()
            } else {
                format!("thread.y * {}u + thread.x", columns * width)
            };
            let guard = if rows * columns * width == threads {
                String::new()
            } else {
                format!("  if (id >= {threads}u) {{ return; }}\n")
            };
            let coordinates = format!(
                "  let id = {id};\n{guard}  let item = id / {blocks}u;\n  let block = id % {blocks}u{offset};\n"
            );
            ([width, 1], [fits(columns)?, fits(rows)?, 1], coordinates)
        }
    })
}
