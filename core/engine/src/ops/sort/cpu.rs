//! The first few elements on the CPU, by a heap in the place of the result: its root is the last of those that were found,
//! and gives way to one that comes before it (Williams, *Algorithm 232: Heapsort*, 1964). So a frame needs no memory of
//! its own, and time grows with the logarithm of how many are wanted.

use super::{Ordered, Sort};
use crate::element::Element;
use crate::error::ModelError;
use crate::ops::arg_reduce::Lines;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

impl OnCpu for Sort {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let x = node.operand(0);
        Ok(Box::new(Kernel {
            op: *self,
            element: x.element,
            from: Lines::new(x.shape, self.axis),
            to: Lines::new(node.result().shape, self.axis),
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    op: Sort,
    element: Element,
    from: Lines,
    to: Lines,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        if self.op.count == 0 {
            return;
        }
        match self.element {
            Element::F32 => self.lines(x.f32(), out.i32()),
            Element::I32 => self.lines(x.i32(), out.i32()),
            Element::U32 | Element::Bool => self.lines(x.u32(), out.i32()),
        }
    }
}

impl Kernel {
    fn lines<T: Ordered>(&self, x: &[T], out: &mut [i32]) {
        for line in 0..self.to.count() {
            let mut heap = Heap {
                op: self.op,
                x: &x[self.from.start(line)..],
                of_x: self.from.inner,
                places: &mut out[self.to.start(line)..],
                of_places: self.to.inner,
            };
            let count = self.op.count;
            (0..count).for_each(|place| heap.put(place, place));
            (0..count / 2).rev().for_each(|node| heap.sift(node, count));
            for place in count..self.from.size {
                if heap.precedes(place, heap.at(0)) {
                    heap.put(0, place);
                    heap.sift(0, count);
                }
            }
            // The last of those that are left goes to the end of them.
            for end in (1..count).rev() {
                let (last, moved) = (heap.at(0), heap.at(end));
                heap.put(end, last);
                heap.put(0, moved);
                heap.sift(0, end);
            }
        }
    }
}

/// Places in a tree, each node of which comes after those below it.
struct Heap<'a, T> {
    op: Sort,
    x: &'a [T],
    /// Between neighbours on the line.
    of_x: usize,
    places: &'a mut [i32],
    of_places: usize,
}

impl<T: Ordered> Heap<'_, T> {
    fn at(&self, node: usize) -> usize {
        self.places[node * self.of_places] as usize
    }

    fn put(&mut self, node: usize, place: usize) {
        self.places[node * self.of_places] = place as i32;
    }

    fn precedes(&self, a: usize, b: usize) -> bool {
        let element = |place: usize| (self.x[place * self.of_x], place);
        self.op.order(element(a), element(b)).is_lt()
    }

    /// Moves a node down to where it comes after those below it, among the first `len`.
    fn sift(&mut self, mut node: usize, len: usize) {
        loop {
            let mut last = node;
            for below in [2 * node + 1, 2 * node + 2] {
                if below < len && self.precedes(self.at(last), self.at(below)) {
                    last = below;
                }
            }
            if last == node {
                return;
            }
            let (upper, lower) = (self.at(node), self.at(last));
            self.put(node, lower);
            self.put(last, upper);
            node = last;
        }
    }
}
