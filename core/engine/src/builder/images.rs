//! Values as images: f32 of `[1, rows, columns, channels]` in memory, which the tuned operators take.
//!
//! In a file an image is `[1, channels, rows, columns]`, and `[1, channels, columns]` is an image of one row. A value that
//! already lies with its channels last is taken as it is, others are moved once. What an operator on images gives lies so
//! too, so networks of them move nothing between their input and their output.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{
    Activation, Constant, Conv2d, Node, Op, Padding, Residual, Shape, ValueId, element_count,
};
use crate::ops::{Binary, Type, Unary};
use crate::tensor::Tensor;

impl Builder {
    /// The value as an operand of an operator on images, `[1, rows, columns, channels]`; `None` when it is none: it is
    /// known, has no elements, another number of axes, more than one image, or no f32.
    ///
    /// # Errors
    /// *Unsupported* where it cannot be moved.
    pub fn image(&mut self, x: &Symbol, place: &str) -> Result<Option<ValueId>, ModelError> {
        let Some(shape) = image_shape(x.shape()).filter(|_| Self::is_image(x)) else {
            return Ok(None);
        };
        let order = Order::channels_last(4);
        let Symbol::Live(image) = self.reshape(x, shape, place)? else {
            return Ok(None);
        };
        let image = self.ordered(&image, order.clone(), place)?;
        let size = order.in_memory(&image.shape);
        // The one that an operator on images has written, if it was renamed since.
        let is_it = |id: &ValueId| self.graph.shape(*id) == size;
        Ok(self.names(image.id).filter(is_it).last())
    }

    /// What an operator gives on an image, where `shape` is the result's in the file: `[1, channels, rows, columns]` or
    /// `[1, channels, columns]`.
    ///
    /// # Errors
    /// *Unsupported* for other shapes.
    pub fn image_node(
        &mut self,
        op: Op,
        inputs: Vec<ValueId>,
        file_type: FileType,
        shape: &[usize],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let image = image_shape(shape).ok_or_else(|| {
            ModelError::unsupported(place, format!("an image of shape {shape:?} in the file"))
        })?;
        let order = Order::channels_last(4);
        let kind = Type {
            element: Element::F32,
            shape: order.in_memory(&image),
        };
        let id = self.graph.add_typed_value(place, kind, None);
        self.graph.nodes.push(Node {
            origin: place.to_owned(),
            op,
            inputs,
            output: id,
        });
        let result = Symbol::Live(Live {
            id,
            shape: image,
            order,
            file_type,
            bounds: None,
        });
        self.reshape(&result, shape.to_vec(), place)
    }

    /// Whether [`Self::image`] takes the value.
    pub(super) fn is_image(x: &Symbol) -> bool {
        let of_images = image_shape(x.shape()).is_some_and(|shape| element_count(&shape) > 0);
        of_images && x.known().is_none() && x.file_type().element() == Some(Element::F32)
    }

    /// The image that an operator on images has written, whose memory the value has under its own shape and order.
    fn image_of(&self, x: &Live) -> Option<ValueId> {
        self.names(x.id).find(|&id| {
            let is_written = self.producer(id).is_some_and(|node| node.op.is_on_images());
            is_written && matches!(self.graph.shape(id), [1, _, _, _])
        })
    }

    /// What an operator gives on an image element by element, whose memory `like` has; the result lies as that does.
    fn on_image(&mut self, op: Op, inputs: Vec<ValueId>, like: &Live, place: &str) -> Live {
        let kind = Type {
            element: Element::F32,
            shape: self.graph.shape(inputs[0]).to_vec(),
        };
        let id = self.graph.add_typed_value(place, kind, None);
        self.graph.nodes.push(Node {
            origin: place.to_owned(),
            op,
            inputs,
            output: id,
        });
        let result = Live { id, ..like.clone() };
        self.settled(result, place)
    }

    /// A function of each element of what an operator on images has written, so that it can become part of that; `None`
    /// where it is no activation or there is no such operator.
    pub(super) fn image_activation(&mut self, f: Unary, x: &Live, place: &str) -> Option<Live> {
        let activation = match f {
            Unary::Relu => Activation::Relu,
            Unary::Clip { low: 0.0, high } if high == f32::INFINITY => Activation::Relu,
            Unary::Clip { low: 0.0, high: 6.0 } => Activation::Relu6,
            Unary::Sigmoid => Activation::Sigmoid,
            Unary::HardSwish => Activation::HardSwish,
            Unary::Swish(1.0) => Activation::Swish,
            _ => return None,
        };
        let image = self.image_of(x)?;
        Some(self.on_image(Op::Activation(activation), vec![image], x, place))
    }

    /// What an operator on images has written, times the sigmoid of the same; `None` where `gate` is not that.
    pub(super) fn image_swish(&mut self, x: &Live, gate: &Live, place: &str) -> Option<Live> {
        let (image, gates) = (self.image_of(x)?, self.image_of(gate)?);
        let producer = self.producer(gates)?;
        let is_sigmoid = producer.op == Op::Activation(Activation::Sigmoid) && producer.inputs[..] == [image];
        let lie_alike = x.shape == gate.shape && x.order.matches(&gate.order, &x.shape);
        let fits = is_sigmoid && lie_alike;
        fits.then(|| self.on_image(Op::Activation(Activation::Swish), vec![image], x, place))
    }

    /// The sum of what two operators on images have written, of one shape; `None` where it is none.
    pub(super) fn image_sum(&mut self, a: &Live, b: &Live, place: &str) -> Option<Live> {
        let (first, second) = (self.image_of(a)?, self.image_of(b)?);
        let lie_alike = a.shape == b.shape && a.order.matches(&b.order, &a.shape);
        let fit = lie_alike && self.graph.shape(first) == self.graph.shape(second);
        let residual = Residual {
            upsample: None,
            inner: Activation::None,
            activation: Activation::None,
        };
        fit.then(|| self.on_image(Op::Add(residual), vec![first, second], a, place))
    }

    /// Numbers that stretch over what an operator on images has written, one for each of its channels; `None` where they
    /// do not, or there is no such operator.
    fn by_channel(&self, x: &Live, numbers: &Tensor) -> Option<(ValueId, Vec<f32>)> {
        let image = self.image_of(x)?;
        let channels = *self.graph.shape(image).last()?;
        let missing = x.shape.len().checked_sub(numbers.shape().len())?;
        // The innermost axis that is one.
        let innermost = x.order.axes().iter().rev().find(|&&axis| x.shape[axis] != 1);
        let is_channels = |axis: usize| innermost == Some(&axis) && x.shape[axis] == channels;
        let mut sizes = numbers.shape().iter().enumerate();
        let fits = sizes.all(|(axis, &size)| size == 1 || (is_channels(axis + missing) && size == channels));
        let numbers = numbers.floats().filter(|_| fits)?;
        match *numbers {
            [number] => Some((image, vec![number; channels])),
            _ => Some((image, numbers.into_owned())),
        }
    }

    /// What an operator on images has written by a number for each channel or one for all; `None` where it is none.
    ///
    /// # Errors
    /// *Unsupported* where there is no room for what is known.
    pub(super) fn image_by_channel(
        &mut self,
        f: Binary,
        a: &Symbol,
        b: &Symbol,
        place: &str,
    ) -> Result<Option<Live>, ModelError> {
        let (x, numbers, is_first) = match (a, b) {
            (Symbol::Live(x), Symbol::Known(numbers)) => (x, numbers, true),
            (Symbol::Known(numbers), Symbol::Live(x)) => (x, numbers, false),
            _ => return Ok(None),
        };
        let Some((_, numbers)) = self.by_channel(x, numbers) else {
            return Ok(None);
        };
        let each = |f: &dyn Fn(f32) -> (f32, f32)| numbers.iter().map(|&number| f(number)).unzip();
        let (scale, shift): (Vec<f32>, Vec<f32>) = match (f, is_first) {
            (Binary::Add, _) => each(&|number| (1.0, number)),
            (Binary::Mul, _) => each(&|number| (number, 0.0)),
            (Binary::Sub, true) => each(&|number| (1.0, -number)),
            (Binary::Sub, false) => each(&|number| (-1.0, number)),
            (Binary::Div, true) => each(&|number| (number.recip(), 0.0)),
            _ => return Ok(None),
        };
        self.scaled_image(x, scale, shift, place)
    }

    /// What an operator on images has written, each channel times a number and with another added: a convolution of one
    /// tap, so that it can become part of one before it. `None` where there is no such operator or a number is not finite.
    fn scaled_image(
        &mut self,
        x: &Live,
        scale: Vec<f32>,
        shift: Vec<f32>,
        place: &str,
    ) -> Result<Option<Live>, ModelError> {
        let Some(image) = self.image_of(x) else {
            return Ok(None);
        };
        let channels = scale.len();
        if !scale.iter().chain(&shift).all(|number| number.is_finite()) {
            return Ok(None);
        }
        let mut inputs = vec![image];
        for (shape, numbers) in [(vec![1, 1, 1, channels], scale), (vec![channels], shift)] {
            let constant = Constant::F32(numbers.into());
            inputs.push(self.graph.add_value(place, shape, Some(constant)));
        }
        let op = Op::DepthwiseConv2d(Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
            residual: None,
        });
        Ok(Some(self.on_image(op, inputs, x, place)))
    }

    /// Each channel, axis 1, of what an operator on images has written, less a mean, divided by the root of a variance
    /// and a small number, times a scale, and with a bias added; `None` where it is none or they are not known.
    ///
    /// # Errors
    /// *Unsupported* where there is no room for what is known.
    pub fn standardised_image(
        &mut self,
        x: &Symbol,
        [scale, bias, mean, variance]: [&Symbol; 4],
        epsilon: f32,
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let (Symbol::Live(live), Some(&channels)) = (x, x.shape().get(1)) else {
            return Ok(None);
        };
        let lies_last = self.lies_as_image(x)
            && self
                .image_of(live)
                .is_some_and(|id| self.graph.shape(id).last() == Some(&channels));
        let mut numbers = Vec::new();
        for operand in [scale, bias, mean, variance] {
            let Some(known) = operand
                .known()
                .and_then(Tensor::floats)
                .filter(|known| known.len() == channels)
            else {
                return Ok(None);
            };
            numbers.push(known);
        }
        let [scale, bias, mean, variance] = &numbers[..] else {
            return Ok(None);
        };
        if !lies_last {
            return Ok(None);
        }
        let (mut scales, mut shifts) = (Vec::new(), Vec::new());
        for channel in 0..channels {
            let deviation = (f64::from(variance[channel]) + f64::from(epsilon)).sqrt();
            let factor = f64::from(scale[channel]) / deviation;
            scales.push(factor as f32);
            shifts.push((f64::from(bias[channel]) - f64::from(mean[channel]) * factor) as f32);
        }
        let result = self.scaled_image(live, scales, shifts, place)?;
        Ok(result.map(Symbol::Live))
    }

    /// What operators on images have written, one behind the other along an axis; `None` where one of them is no such
    /// value or lies otherwise.
    pub(super) fn image_concat(&mut self, parts: &[Symbol], axis: usize, place: &str) -> Option<Symbol> {
        let order = Order::channels_last(4);
        let image = |part: &Symbol| match part {
            Symbol::Live(live) if live.shape.len() == 4 && self.lies_as_image(part) => self.image_of(live),
            _ => None,
        };
        let inputs: Vec<ValueId> = parts.iter().map(image).collect::<Option<_>>()?;
        let (first, along) = (parts.first()?, order.place_of(axis)?);
        let mut shape = first.shape().to_vec();
        for part in &parts[1..] {
            let mut others = (0..4).filter(|&other| other != axis);
            if !others.all(|other| part.shape()[other] == shape[other]) {
                return None;
            }
            shape[axis] += part.shape()[axis];
        }
        let is_of_it =
            |(part, &id): (&Symbol, &ValueId)| self.graph.shape(id) == order.in_memory(part.shape());
        if axis == 0 || !parts.iter().zip(&inputs).all(is_of_it) {
            return None;
        }
        let op = Op::Concat { axis: along };
        self.image_node(op, inputs, first.file_type(), &shape, place).ok()
    }

    /// The value, and those before it whose memory it has under another shape.
    fn names(&self, id: ValueId) -> impl Iterator<Item = ValueId> {
        let source = |&id: &ValueId| match self.producer(id) {
            Some(Node {
                op: Op::Reshape,
                inputs,
                ..
            }) => inputs.first().copied(),
            _ => None,
        };
        std::iter::successors(Some(id), source)
    }

    /// The node that writes a value.
    fn producer(&self, id: ValueId) -> Option<&Node> {
        // Each node has written a value newer than all before it.
        let nodes = &self.graph.nodes;
        let position = nodes.binary_search_by_key(&id, |node| node.output).ok()?;
        nodes.get(position)
    }
}

/// The shape `[1, channels, rows, columns]` of an image or a row in the file.
fn image_shape(shape: &[usize]) -> Option<Shape> {
    match *shape {
        [1, channels, columns] => Some(vec![1, channels, 1, columns]),
        [1, _, _, _] => Some(shape.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Session;
    use crate::graph::Pool2d;
    use crate::plan::Plan;

    /// The greatest of windows of `[1, columns]`.
    fn max_pool(builder: &mut Builder, x: &Symbol, columns: usize) -> Symbol {
        let op = Op::MaxPool2d(Pool2d {
            window: [1, columns],
            stride: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
        });
        let image = builder.image(x, "node").expect("no need to compute");
        let mut shape = x.shape().to_vec();
        *shape.last_mut().expect("columns") -= columns - 1;
        let inputs = vec![image.expect("an image")];
        builder
            .image_node(op, inputs, x.file_type(), &shape, "node")
            .expect("a shape of an image")
    }

    /// What is multiplied with its own sigmoid, on either side, is one activation; with another's it is a product.
    #[test]
    fn an_image_times_its_sigmoid_is_one_activation() {
        for (is_first, of_itself) in [(true, true), (false, true), (true, false)] {
            let mut builder = Builder::default();
            let x = builder.input("x", FileType::F32, &[1, 2, 3, 4]).expect("f32");
            let pooled = max_pool(&mut builder, &x, 2);
            let other = max_pool(&mut builder, &x, 2);
            let source = if of_itself { &pooled } else { &other };
            let gate = builder.map(Unary::Sigmoid, source, "gate").expect("a map");
            let (a, b) = if is_first {
                (&pooled, &gate)
            } else {
                (&gate, &pooled)
            };
            let y = builder.zip(Binary::Mul, a, b, "product").expect("a product");
            builder.output(&y, "y").expect("an output");
            let mut graph = builder.finish().expect("a graph");
            crate::passes::optimise(&mut graph).expect("a graph");
            let is_swish =
                |op: &Op| matches!(op, Op::MaxPool2d(pool) if pool.activation == Activation::Swish);
            let count = graph.nodes.iter().filter(|node| is_swish(&node.op)).count();
            assert_eq!(count, usize::from(of_itself), "{is_first}, {of_itself}");
        }
    }

    /// Twice the greatest of two neighbours, of two channels; between the two, nothing moves.
    #[test]
    fn images_and_rows_move_at_the_borders_only() {
        for shape in [&[1, 2, 4][..], &[1, 2, 1, 4]] {
            let mut builder = Builder::default();
            let x = builder.input("x", FileType::F32, shape).expect("f32");
            let first = max_pool(&mut builder, &x, 2);
            let second = max_pool(&mut builder, &first, 2);
            builder.output(&second, "y").expect("an output");
            let mut graph = builder.finish().expect("a graph");
            crate::passes::prune(&mut graph);
            let nodes = graph.nodes.iter().map(|node| node.op.name());
            let nodes: Vec<&str> = nodes.filter(|&name| name != "Reshape").collect();
            assert_eq!(nodes, ["View", "MaxPool2d", "MaxPool2d", "View"]);
            let reads = |at: usize| graph.nodes.iter().filter(|node| node.op.is_on_images()).nth(at);
            let [first, second] = [0, 1].map(|at| reads(at).expect("two of them"));
            assert_eq!(second.inputs, [first.output], "not a reshape of it");
            let mut session = Session::new(Plan::new(graph).expect("a plan")).expect("a session");
            let x = [1.0, 2.0, 3.0, 1.0, 9.0, 0.0, 1.0, 2.0];
            session.input_mut(0).copy_from_slice(&x);
            session.run();
            assert_eq!(session.output("y"), Some(&[3.0, 3.0, 9.0, 2.0][..]), "{shape:?}");
        }
    }

    #[test]
    fn what_is_no_image_is_named_so() {
        let mut builder = Builder::default();
        for (file_type, shape) in [
            (FileType::F32, &[2, 2, 4][..]),
            (FileType::F32, &[1, 2]),
            (FileType::F32, &[1, 2, 3, 4, 5]),
            (FileType::F32, &[1, 0, 3, 4]),
            (FileType::I32, &[1, 2, 3, 4]),
        ] {
            let x = builder.input("x", file_type, shape).expect("an input");
            let image = builder.image(&x, "node").expect("nothing to do");
            assert_eq!(image, None, "{file_type} of {shape:?}");
        }
        let x = builder
            .input("x", FileType::F16, &[1, 2, 3, 4])
            .expect("an input");
        let x = builder.map(Unary::Neg, &x, "node").expect("floats");
        assert!(builder.image(&x, "node").expect("room").is_some());
    }
}
