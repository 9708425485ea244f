//! One number of each window over a value. Windows go along the axes as they lie; nothing moves for them.
//!
//! Of images that lie as images do, the tuned operators take what they can: the greatest of each window, and the mean as a
//! convolution of each channel by equal weights.

use super::bounds::Bounds;
use super::order::Order;
use super::{Builder, Live, Symbol};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{Activation, Conv2d, Op, Padding, Pool2d, element_count};
use crate::ops::{Pool, Slide, TensorOp, Window};
use crate::tensor::{Data, Scalar, Tensor};

/// The largest window whose mean is taken by a convolution.
const LARGEST_KERNEL: usize = 5;

impl Builder {
    /// One number of each window; `slides` says how windows go along each axis.
    ///
    /// # Errors
    /// *Unsupported* when the number is not one of such elements, or there are no such windows.
    pub fn window(
        &mut self,
        f: Pool,
        x: &Symbol,
        slides: &[Slide],
        place: &str,
    ) -> Result<Symbol, ModelError> {
        let op = |f: Pool, slides: Vec<Slide>| TensorOp::Window(Window { f, slides });
        let live = match x {
            Symbol::Live(live) => live,
            Symbol::Known(tensor) => {
                return self
                    .fold(&op(f, slides.to_vec()), std::slice::from_ref(tensor), place)
                    .map(Symbol::Known);
            }
        };
        if slides.len() != live.shape.len() {
            let message = format!("windows along {} axes of {:?}", slides.len(), live.shape);
            return Err(ModelError::unsupported(place, message));
        }
        if let Some(image) = self.image_window(&f, x, slides, place)? {
            return Ok(image);
        }
        let shape: Vec<usize> = slides.iter().map(|slide| slide.count).collect();
        let (live, file_type, bounds) = match &f {
            Pool::MaxPlace { steps } => {
                // Of equal elements, the first in the file is meant.
                let live = self.in_file_order(live, place)?;
                let sizes = live.shape.iter().zip(steps);
                let last = sizes.map(|(&size, &step)| size.saturating_sub(1).saturating_mul(step));
                let last = last.fold(0, usize::saturating_add);
                let last = i64::try_from(last).unwrap_or(i64::MAX);
                (live, FileType::I64, Bounds::new(0, last))
            }
            Pool::Max | Pool::Average { .. } | Pool::Power(_) => (live.clone(), live.file_type, live.bounds),
        };
        let in_memory = live.order.axes().iter().map(|&axis| slides[axis]).collect();
        let id = self.push(op(f, in_memory), vec![live.id], place)?;
        Ok(Symbol::Live(Live {
            id,
            shape,
            file_type,
            bounds,
            ..live
        }))
    }

    /// The same by an operator on images; `None` where there is none for it, or the value would have to be moved.
    fn image_window(
        &mut self,
        f: &Pool,
        x: &Symbol,
        slides: &[Slide],
        place: &str,
    ) -> Result<Option<Symbol>, ModelError> {
        let kind = super::of_symbol(x);
        let window = Window {
            f: f.clone(),
            slides: slides.to_vec(),
        };
        let is_possible = TensorOp::Window(window).infer(&[kind]).is_ok() && kind.element == Element::F32;
        let sizes = x.shape().iter().zip(slides);
        let stand_still = sizes.take(2).all(|(&size, &slide)| slide == Slide::still(size));
        let (rows, columns) = match *slides {
            [_, _, columns] => (Slide::still(1), columns),
            [_, _, rows, columns] => (rows, columns),
            _ => return Ok(None),
        };
        if !is_possible || !stand_still || !self.lies_as_image(x) {
            return Ok(None);
        }
        let around = [rows, columns];
        let size = |axis: usize| match slides.len() {
            3 => [1, x.shape()[2]][axis],
            _ => x.shape()[2 + axis],
        };
        // Windows end where they do, whatever border the file names: what is left over is read by none.
        let behind = |axis: usize| {
            let Slide {
                window,
                stride,
                dilation,
                before,
                count,
                ..
            } = around[axis];
            let end = (count - 1) * stride + (window - 1) * dilation + 1;
            end.saturating_sub(size(axis) + before)
        };
        if element_count(x.shape()) == 0 || slides.iter().any(|slide| slide.count == 0) {
            return Ok(None);
        }
        let padding = Padding {
            top: rows.before,
            bottom: behind(0),
            left: columns.before,
            right: behind(1),
        };
        let [window, stride, dilation] = [
            around.map(|slide| slide.window),
            around.map(|slide| slide.stride),
            around.map(|slide| slide.dilation),
        ];
        let is_dense = around
            .iter()
            .all(|slide| slide.dilation == 1 || slide.window == 1);
        let counts_all = |border_counts: bool| {
            let mut axes = around.iter().enumerate();
            axes.all(|(axis, slide)| match border_counts {
                true => behind(axis) <= slide.after,
                false => (slide.before, behind(axis)) == (0, 0),
            })
        };
        let op = match *f {
            Pool::Max if is_dense => Op::MaxPool2d(Pool2d {
                window,
                stride,
                padding,
                activation: Activation::None,
            }),
            Pool::Average { border_counts }
                if counts_all(border_counts) && window.iter().all(|&size| size <= LARGEST_KERNEL) =>
            {
                Op::DepthwiseConv2d(Conv2d {
                    stride,
                    dilation,
                    padding,
                    activation: Activation::None,
                    residual: None,
                })
            }
            _ => return Ok(None),
        };
        let Some(image) = self.image(x, place)? else {
            return Ok(None);
        };
        let mut inputs = vec![image];
        if let Op::DepthwiseConv2d(_) = op {
            let channels = x.shape()[1];
            let taps = window[0] * window[1];
            for (shape, value) in [
                (vec![1, window[0], window[1], channels], 1.0 / taps as f32),
                (vec![channels], 0.0),
            ] {
                let order = Order::identity(shape.len());
                let tensor = Tensor::new(FileType::F32, shape, Data::Splat(Scalar::Float(value)));
                let tensor = tensor.map_err(|message| ModelError::unsupported(place, message))?;
                inputs.push(self.operand(&Symbol::Known(tensor), &order, place)?);
            }
        }
        let shape: Vec<usize> = slides.iter().map(|slide| slide.count).collect();
        self.image_node(op, inputs, x.file_type(), &shape, place)
            .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Session;
    use crate::graph::Graph;
    use crate::plan::Plan;

    /// A window over `x`, whose channels lie last or second, as a frame computes it; also the operators.
    fn run(f: &Pool, x: &Tensor, slides: &[Slide], is_image: bool) -> (Vec<f32>, Vec<&'static str>) {
        let mut builder = Builder::default();
        let rank = x.shape().len();
        let last: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
        let mut back: Vec<usize> = (0..rank - 1).collect();
        back.insert(1, rank - 1);
        let (value, data) = if is_image {
            let data = x.permuted(&last).expect("an order");
            let value = builder.input("x", FileType::F32, data.shape()).expect("f32");
            (builder.transpose(&value, &back, "node").expect("free"), data)
        } else {
            let value = builder.input("x", FileType::F32, x.shape()).expect("f32");
            (value, x.clone())
        };
        let y = builder
            .window(f.clone(), &value, slides, "node")
            .expect("windows");
        builder.output(&y, "y").expect("an output");
        let mut graph: Graph = builder.finish().expect("a graph");
        crate::passes::prune(&mut graph);
        let names = graph.nodes.iter().map(|node| node.op.name()).collect();
        let mut session = Session::new(Plan::new(graph).expect("a plan")).expect("a session");
        session.input_mut(0).copy_from_slice(&data.floats().expect("f32"));
        session.run();
        (session.output("y").expect("an output").to_vec(), names)
    }

    /// Whatever operator is taken, the numbers are those of the definition.
    #[test]
    fn images_take_the_tuned_operators_and_give_the_same() {
        let slide = |window: usize, stride: usize, [before, after]: [usize; 2], count: usize| Slide {
            window,
            stride,
            dilation: 1,
            before,
            after,
            count,
        };
        let (once, channels) = (Slide::still(1), Slide::still(3));
        let apart = Slide {
            dilation: 2,
            ..slide(2, 1, [0, 0], 4)
        };
        type Row = (Vec<Slide>, [&'static str; 3]);
        // What becomes of the greatest, and of the mean without the border and with it.
        let cases: [Row; 6] = [
            (
                vec![once, channels, slide(2, 2, [0, 0], 3), slide(3, 1, [0, 0], 4)],
                ["MaxPool2d", "DepthwiseConv2d", "DepthwiseConv2d"],
            ),
            (
                vec![once, channels, slide(3, 2, [1, 1], 3), slide(3, 2, [1, 1], 3)],
                ["MaxPool2d", "AveragePool", "DepthwiseConv2d"],
            ),
            // The last windows reach beyond the border.
            (
                vec![once, channels, slide(3, 2, [0, 0], 3), slide(2, 3, [0, 0], 2)],
                ["MaxPool2d", "AveragePool", "AveragePool"],
            ),
            (
                vec![once, channels, apart, slide(1, 1, [0, 0], 6)],
                ["MaxPool", "DepthwiseConv2d", "DepthwiseConv2d"],
            ),
            (
                vec![once, channels, slide(6, 1, [0, 0], 1), slide(6, 1, [0, 0], 1)],
                ["MaxPool2d", "AveragePool", "AveragePool"],
            ),
            (
                vec![once, channels, slide(3, 1, [1, 1], 6)],
                ["MaxPool2d", "AveragePool", "DepthwiseConv2d"],
            ),
        ];
        for (slides, operators) in cases {
            let shape = [&[1, 3, 6, 6][..], &[1, 3, 6]][usize::from(slides.len() == 3)];
            let data = (0..element_count(shape)).map(|at| ((at * 37 % 23) as f32 - 14.0) / 4.0);
            let x =
                Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.collect())).expect("a tensor");
            let pools = [
                Pool::Max,
                Pool::Average { border_counts: false },
                Pool::Average { border_counts: true },
            ];
            for (f, operator) in pools.into_iter().zip(operators) {
                let window = Window {
                    f: f.clone(),
                    slides: slides.clone(),
                };
                let expected = TensorOp::Window(window.clone()).evaluate(std::slice::from_ref(&x));
                let expected = expected.expect("windows");
                let expected = expected.floats().expect("f32").into_owned();
                let (of_image, names) = run(&f, &x, &slides, true);
                assert!(names.contains(&operator), "{window:?}: {names:?}");
                let (general, names) = run(&f, &x, &slides, false);
                assert!(!names.contains(&"View"), "{window:?}: {names:?}");
                for ((a, b), c) in of_image.iter().zip(&general).zip(&expected) {
                    assert!(
                        (a - c).abs() < 1e-5 && (b - c).abs() < 1e-5,
                        "{window:?}: {a}, {b}, {c}"
                    );
                }
                assert_eq!(of_image.len(), expected.len());
            }
        }
    }
}
