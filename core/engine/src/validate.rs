//! Checks that a graph is well formed: order, operands and shapes. Runs after import and, in tests and debug builds,
//! after every pass.

use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Constant, Conv2d, Graph, Node, Op, Padding, Residual, Shape, ValueId, element_count};
use crate::ops::Type;

/// Checks the whole graph.
///
/// # Errors
/// *Invalid*, naming the first node that reads a value before it is written, writes one twice, or whose operands do
/// not have the elements and shapes that its operator needs; *unsupported* for operators on images whose operands are
/// no f32.
pub fn validate(graph: &Graph) -> Result<(), ModelError> {
    let mut known: Vec<bool> = graph
        .values
        .iter()
        .map(|value| value.constant.is_some())
        .collect();
    for &input in &graph.inputs {
        let slot = known
            .get_mut(input.index())
            .ok_or_else(|| missing("graph inputs", input.index()))?;
        if *slot {
            return Err(ModelError::invalid(
                "graph inputs",
                format!("value {} is given twice", input.index()),
            ));
        }
        *slot = true;
    }
    for node in &graph.nodes {
        for input in &node.inputs {
            match known.get(input.index()) {
                Some(true) => {}
                Some(false) => {
                    let message = format!("reads value {} before anything writes it", input.index());
                    return Err(ModelError::invalid(&node.origin, message));
                }
                None => return Err(missing(&node.origin, input.index())),
            }
        }
        let slot = known
            .get_mut(node.output.index())
            .ok_or_else(|| missing(&node.origin, node.output.index()))?;
        if *slot {
            let message = format!("writes value {} a second time", node.output.index());
            return Err(ModelError::invalid(&node.origin, message));
        }
        *slot = true;
        if node.op.is_on_images()
            && let Some(element) = other_than_f32(graph, node)
        {
            let message = format!("{} of {element} elements", node.op.name());
            return Err(ModelError::unsupported(&node.origin, message));
        }
        let expected =
            output_type(graph, node).map_err(|message| ModelError::invalid(&node.origin, message))?;
        let declared = graph.type_of(node.output);
        if expected.shape != declared.shape {
            let message = format!(
                "its output is declared as {:?}, but its operands give {:?}",
                declared.shape, expected.shape
            );
            return Err(ModelError::invalid(&node.origin, message));
        }
        if expected.element != declared.element {
            let message = format!(
                "its output is declared as {}, but its operands give {}",
                declared.element, expected.element
            );
            return Err(ModelError::invalid(&node.origin, message));
        }
    }
    for output in &graph.outputs {
        if known.get(output.index()) != Some(&true) {
            return Err(ModelError::invalid(
                "graph outputs",
                format!("nothing writes value {}", output.index()),
            ));
        }
    }
    Ok(())
}

fn missing(place: &str, index: usize) -> ModelError {
    ModelError::invalid(place, format!("value {index} does not exist"))
}

/// What the first operand of a node that is not f32 is instead.
fn other_than_f32(graph: &Graph, node: &Node) -> Option<Element> {
    let mut elements = node.inputs.iter().map(|&id| graph.value(id).element);
    elements.find(|&element| element != Element::F32)
}

/// The type that a node's operands imply.
fn output_type(graph: &Graph, node: &Node) -> Result<Type, String> {
    for &id in &node.inputs {
        let value = graph.value(id);
        let held = value.constant.as_ref().map(Constant::element);
        let fits = match (held, value.element) {
            (None, _) | (Some(Element::U32), Element::Bool) => true,
            (Some(held), declared) => held == declared,
        };
        if !fits {
            return Err(format!(
                "{} does not hold the {} that it says",
                value.name, value.element
            ));
        }
    }
    if let Op::Tensor(op) = &node.op {
        return op.infer(&graph.operand_types(node));
    }
    let is_empty = |id: &&ValueId| element_count(graph.shape(**id)) == 0;
    if let Some(&id) = node.inputs.iter().find(is_empty)
        && node.op.is_on_images()
    {
        let (name, shape) = (node.op.name(), graph.shape(id));
        return Err(format!("{name} of shape {shape:?}, which has no elements"));
    }
    // A reshape keeps what its operand has; operators on images give the f32 that they take.
    let first = node.inputs.first().ok_or("operand 0 is missing")?;
    let element = graph.value(*first).element;
    let shape = output_shape(graph, node)?;
    Ok(Type { element, shape })
}

/// The shape that the operands of an operator on images imply.
fn output_shape(graph: &Graph, node: &Node) -> Result<Shape, String> {
    let operand = |index: usize| operand_shape(graph, node, index);
    let image = |index: usize| image_shape(graph, node, index);
    let declared = graph.shape(node.output);
    match &node.op {
        Op::Dequantize | Op::Densify | Op::Activation(_) => Ok(operand(0)?.to_vec()),
        Op::Conv2d(conv) => {
            let [batch, height, width, channels] = image(0)?;
            let [outputs, kernel_h, kernel_w, inner] = image(1)?;
            if inner != channels {
                return Err(format!(
                    "weights for {inner} channels on an input with {channels}"
                ));
            }
            let [height, width] = convolved([height, width], [kernel_h, kernel_w], conv)?;
            check_bias(operand(2)?, outputs)?;
            let shape = vec![batch, height, width, outputs];
            check_residual(conv.residual, operand(3).ok(), &shape)?;
            Ok(shape)
        }
        Op::DepthwiseConv2d(conv) => {
            let [batch, height, width, channels] = image(0)?;
            let [one, kernel_h, kernel_w, outputs] = image(1)?;
            if one != 1 || outputs != channels {
                return Err(format!(
                    "depthwise weights {:?} on an input with {channels} channels",
                    operand(1)?
                ));
            }
            let [height, width] = convolved([height, width], [kernel_h, kernel_w], conv)?;
            check_bias(operand(2)?, outputs)?;
            let shape = vec![batch, height, width, outputs];
            check_residual(conv.residual, operand(3).ok(), &shape)?;
            Ok(shape)
        }
        Op::Pad(amounts) => {
            let shape = operand(0)?;
            if amounts.len() != shape.len() {
                return Err(format!("{} paddings for rank {}", amounts.len(), shape.len()));
            }
            Ok(shape
                .iter()
                .zip(amounts)
                .map(|(size, (before, after))| size + before + after)
                .collect())
        }
        Op::Add(residual) => {
            let shape = operand(0)?.to_vec();
            check_residual(Some(*residual), operand(1).ok(), &shape)?;
            Ok(shape)
        }
        Op::MaxPool2d(pool) => {
            let [batch, height, width, channels] = image(0)?;
            let size = windowed([height, width], pool.window, pool.stride, [1, 1], pool.padding)?;
            Ok(vec![batch, size[0], size[1], channels])
        }
        Op::ResizeBilinear(_) => {
            let [batch, .., channels] = image(0)?;
            match *declared {
                [b, height, width, c] if b == batch && c == channels => {
                    Ok(vec![batch, height, width, channels])
                }
                _ => Err(format!(
                    "a resize cannot turn {:?} into {declared:?}",
                    operand(0)?
                )),
            }
        }
        Op::Reshape => {
            let from = operand(0)?;
            if element_count(from) == element_count(declared) {
                Ok(declared.to_vec())
            } else {
                Err(format!("a reshape cannot turn {from:?} into {declared:?}"))
            }
        }
        Op::Concat { axis } => {
            let mut shape = operand(0)?.to_vec();
            if *axis >= shape.len() {
                return Err(format!("axis {axis} of {shape:?}"));
            }
            for index in 1..node.inputs.len() {
                let other = operand(index)?;
                let fits = other.len() == shape.len()
                    && shape
                        .iter()
                        .zip(other)
                        .enumerate()
                        .all(|(i, (a, b))| i == *axis || a == b);
                if !fits {
                    return Err(format!("{other:?} cannot join {shape:?} along axis {axis}"));
                }
                shape[*axis] += other[*axis];
            }
            Ok(shape)
        }
        Op::DepthToSpace { block } => {
            let [batch, height, width, channels] = image(0)?;
            if *block == 0 || channels % (block * block) != 0 {
                return Err(format!(
                    "{channels} channels do not divide into blocks of {block} x {block}"
                ));
            }
            Ok(vec![
                batch,
                height * block,
                width * block,
                channels / (block * block),
            ])
        }
        Op::GlobalAveragePool => {
            let [batch, .., channels] = image(0)?;
            Ok(vec![batch, 1, 1, channels])
        }
        Op::ScaleChannels => {
            let [batch, height, width, channels] = image(0)?;
            let scale = operand(1)?;
            if *scale != [batch, 1, 1, channels] {
                return Err(format!("a scale of shape {scale:?} for {channels} channels"));
            }
            Ok(vec![batch, height, width, channels])
        }
        Op::Tensor(op) => Ok(op.infer(&graph.operand_types(node))?.shape),
    }
}

/// The shape of operand number `index`. Never a part of its caller, which asks at every operator.
#[inline(never)]
fn operand_shape<'g>(graph: &'g Graph, node: &Node, index: usize) -> Result<&'g [usize], String> {
    let id = node.inputs.get(index);
    id.map(|&id| graph.shape(id))
        .ok_or_else(|| format!("operand {index} is missing"))
}

/// The same of an image.
#[inline(never)]
fn image_shape(graph: &Graph, node: &Node, index: usize) -> Result<[usize; 4], String> {
    let shape = operand_shape(graph, node, index)?;
    <[usize; 4]>::try_from(shape)
        .map_err(|_| format!("operand {index} has shape {shape:?}, not 4 dimensions"))
}

fn check_bias(bias: &[usize], channels: usize) -> Result<(), String> {
    if element_count(bias) == channels {
        Ok(())
    } else {
        Err(format!("bias {bias:?} for {channels} channels"))
    }
}

fn check_residual(
    residual: Option<Residual>,
    shape: Option<&[usize]>,
    result: &[usize],
) -> Result<(), String> {
    let fits = match (residual, shape) {
        (None, None) => true,
        (Some(Residual { upsample: None, .. }), Some(shape)) => shape == result,
        (
            Some(Residual {
                upsample: Some(_), ..
            }),
            Some(shape),
        ) => shape.len() == 4 && result.len() == 4 && shape[0] == result[0] && shape[3] == result[3],
        (None, Some(_)) | (Some(_), None) => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("residual {shape:?} cannot be added to {result:?}"))
    }
}

fn convolved(size: [usize; 2], kernel: [usize; 2], conv: &Conv2d) -> Result<[usize; 2], String> {
    windowed(size, kernel, conv.stride, conv.dilation, conv.padding)
}

/// Output size of a sliding window.
fn windowed(
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
) -> Result<[usize; 2], String> {
    let axis = |size: usize, before: usize, after: usize, axis: usize| {
        if stride[axis] == 0 || dilation[axis] == 0 || kernel[axis] == 0 {
            return Err("a stride, dilation or kernel size of 0".to_owned());
        }
        let span = (kernel[axis] - 1) * dilation[axis] + 1;
        match (size + before + after).checked_sub(span) {
            Some(room) => Ok(room / stride[axis] + 1),
            None => Err(format!("a window of {span} on {size} elements")),
        }
    };
    Ok([
        axis(size[0], padding.top, padding.bottom, 0)?,
        axis(size[1], padding.left, padding.right, 1)?,
    ])
}
