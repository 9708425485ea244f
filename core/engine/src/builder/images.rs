//! Values as images: f32 of `[1, rows, columns, channels]` in memory, which the tuned operators take.
//!
//! In a file an image is `[1, channels, rows, columns]`, and `[1, channels, columns]` is an image of one row. A value that
//! already lies with its channels last is taken as it is, others are moved once. What an operator on images gives lies so
//! too, so networks of them move nothing between their input and their output.

use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{Node, Op, Shape, ValueId, element_count};
use crate::ops::Type;

impl Builder {
    /// The value as an operand of an operator on images, `[1, rows, columns, channels]`; `None` when it is none: it is
    /// known, has no elements, another number of axes, more than one image, or no f32.
    ///
    /// # Errors
    /// *Unsupported* where it cannot be moved.
    pub fn image(&mut self, x: &Symbol, place: &str) -> Result<Option<ValueId>, ModelError> {
        let Symbol::Live(live) = x else { return Ok(None) };
        let Some(shape) = image_shape(&live.shape) else {
            return Ok(None);
        };
        if live.file_type.element() != Some(Element::F32) || element_count(&shape) == 0 {
            return Ok(None);
        }
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
    use crate::graph::{Activation, Padding, Pool2d};
    use crate::ops::Unary;
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
