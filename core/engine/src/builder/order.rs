//! In which order the axes of a value lie in memory, while a model is read.
//!
//! A file speaks of *logical* axes: `[batch, channels, rows, columns]` in most. Memory has its own: an image lies there
//! with its channels last. An [`Order`] says of each axis in memory which logical axis it is. So a transpose of the file
//! is another order of the same memory and costs nothing, and most reshapes are too: whatever splits axes, joins
//! neighbours in memory, or adds and drops axes of size 1.
//!
//! An axis of size 1 takes no place in memory: wherever it stands in an order, the memory is the same.

use crate::graph::{Shape, element_count};

/// Axis `k` in memory is the logical axis `axes()[k]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(Vec<usize>);

impl Order {
    /// The order that names these logical axes from the outermost in memory to the innermost; `None` unless each is
    /// named once.
    pub fn new(axes: Vec<usize>) -> Option<Self> {
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        sorted.iter().copied().eq(0..axes.len()).then_some(Self(axes))
    }

    /// Memory as the file has it.
    pub fn identity(rank: usize) -> Self {
        Self((0..rank).collect())
    }

    /// `[batch, channels, ..]` with the channels moved behind everything else: the order of images.
    pub fn channels_last(rank: usize) -> Self {
        let mut axes: Vec<usize> = (0..rank).collect();
        if rank > 2 {
            axes[1..].rotate_left(1);
        }
        Self(axes)
    }

    /// Logical axes, from the outermost in memory to the innermost.
    pub fn axes(&self) -> &[usize] {
        &self.0
    }

    /// Which axis in memory a logical axis is; `None` when there is no such axis.
    pub fn place_of(&self, axis: usize) -> Option<usize> {
        self.0.iter().position(|&other| other == axis)
    }

    /// Sizes as they lie in memory. `shape` has the logical sizes, one for each axis of the order.
    pub fn in_memory(&self, shape: &[usize]) -> Shape {
        self.0.iter().map(|&axis| shape[axis]).collect()
    }

    /// Whether values of this shape lie the same way in both orders.
    pub fn matches(&self, other: &Self, shape: &[usize]) -> bool {
        let long = |order: &Self| -> Vec<usize> {
            order.0.iter().copied().filter(|&axis| shape[axis] != 1).collect()
        };
        element_count(shape) == 0 || long(self) == long(other)
    }

    /// The order, in the same memory, of the value whose logical axis `k` is this one's logical axis `axes[k]`; `None`
    /// unless `axes` names each axis once.
    pub fn transposed(&self, axes: &[usize]) -> Option<Self> {
        let renamed = self
            .0
            .iter()
            .map(|&axis| axes.iter().position(|&source| source == axis));
        let renamed = renamed.collect::<Option<Vec<usize>>>()?;
        (renamed.len() == axes.len()).then_some(Self(renamed))
    }

    /// The order, in the same memory, of a value of shape `from` after it was given the shape `to`; `None` when there is
    /// none and the elements have to move.
    ///
    /// Without axes of size 1, both shapes are cut into the shortest runs of axes with equal products. Each run of `to`
    /// takes the place that its run of `from` has in memory, if the axes of that lie there one behind the other.
    pub fn reshaped(&self, from: &[usize], to: &[usize]) -> Option<Self> {
        if element_count(from) != element_count(to) {
            return None;
        }
        if element_count(from) == 0 {
            return Some(Self::identity(to.len()));
        }
        let memory: Vec<usize> = self.0.iter().copied().filter(|&axis| from[axis] != 1).collect();
        // Where each run begins in memory, and the axes that take its place.
        let mut runs: Vec<(usize, Vec<usize>)> = Vec::new();
        for (run, new) in self::runs(from, to)? {
            let begin = memory.iter().position(|axis| *axis == run[0])?;
            if !memory[begin..].starts_with(&run) {
                return None;
            }
            runs.push((begin, new));
        }
        runs.sort_unstable();
        Some(Self::with_short_axes(
            runs.into_iter().flat_map(|(_, run)| run).collect(),
            to,
        ))
    }

    /// The order next to this one in which a value of shape `from` can be given the shape `to`: the axes of a run stand
    /// one behind the other, where the outermost of them stood.
    pub fn next_to(&self, from: &[usize], to: &[usize]) -> Self {
        let Some(runs) = runs(from, to) else {
            return Self::identity(from.len());
        };
        let mut axes: Vec<usize> = Vec::with_capacity(from.len());
        for axis in self.0.iter().filter(|&&axis| from[axis] != 1) {
            let run = runs.iter().find(|(run, _)| run.contains(axis));
            if let (Some((run, _)), false) = (run, axes.contains(axis)) {
                axes.extend(run);
            }
        }
        Self::with_short_axes(axes, from)
    }

    /// An order of the axes that are longer than 1, with the others where they disturb the sequence least: before the
    /// first that is behind them in the file.
    fn with_short_axes(mut axes: Vec<usize>, shape: &[usize]) -> Self {
        for axis in (0..shape.len()).filter(|&axis| shape[axis] == 1) {
            let place = axes.iter().position(|&other| other > axis);
            axes.insert(place.unwrap_or(axes.len()), axis);
        }
        Self(axes)
    }
}

/// Both shapes without axes of size 1, cut into the shortest runs of axes with equal products: for each run the axes of
/// `from` and those of `to`. `None` when they have no such runs.
fn runs(from: &[usize], to: &[usize]) -> Option<Vec<(Vec<usize>, Vec<usize>)>> {
    if element_count(from) != element_count(to) || element_count(from) == 0 {
        return None;
    }
    let long =
        |shape: &[usize]| -> Vec<usize> { (0..shape.len()).filter(|&axis| shape[axis] != 1).collect() };
    let (old, new) = (long(from), long(to));
    let mut runs = Vec::new();
    let (mut old_end, mut new_end) = (0, 0);
    while old_end < old.len() && new_end < new.len() {
        let (old_begin, new_begin) = (old_end, new_end);
        let (mut old_product, mut new_product) = (1, 1);
        while old_product != new_product || old_end == old_begin {
            if old_product <= new_product {
                old_product *= from[*old.get(old_end)?];
                old_end += 1;
            } else {
                new_product *= to[*new.get(new_end)?];
                new_end += 1;
            }
        }
        runs.push((old[old_begin..old_end].to_vec(), new[new_begin..new_end].to_vec()));
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(axes: &[usize]) -> Order {
        Order::new(axes.to_vec()).expect("each axis once")
    }

    #[test]
    fn orders_name_each_axis_once() {
        for axes in [&[1][..], &[0, 0], &[0, 2], &[2, 1]] {
            assert_eq!(Order::new(axes.to_vec()), None, "{axes:?}");
        }
        assert_eq!(Order::channels_last(4).axes(), [0, 2, 3, 1]);
        assert_eq!(Order::channels_last(3).axes(), [0, 2, 1]);
        assert_eq!(Order::channels_last(2), Order::identity(2));
        assert_eq!(Order::channels_last(0).axes(), [0usize; 0]);
        let images = Order::channels_last(4);
        assert_eq!(images.in_memory(&[1, 3, 20, 10]), [1, 20, 10, 3]);
        assert_eq!(
            [images.place_of(1), images.place_of(3), images.place_of(4)],
            [Some(3), Some(2), None]
        );
        for axes in [&[0, 1, 2][..], &[0, 1, 2, 2], &[0, 1, 2, 3, 4]] {
            assert_eq!(images.transposed(axes), None, "{axes:?}");
        }
    }

    /// What networks do with images that lie with their channels last.
    #[test]
    fn reshapes_of_networks() {
        type Axes = &'static [usize];
        let cases: [(&str, Axes, Axes, Option<Axes>); 9] = [
            ("flatten one pixel", &[1, 2048, 1, 1], &[1, 2048], Some(&[0, 1])),
            ("flatten an image", &[1, 256, 6, 6], &[1, 9216], None),
            ("flatten a mask", &[1, 1, 6, 6], &[1, 36], Some(&[0, 1])),
            (
                "rows and columns in one",
                &[1, 64, 7, 7],
                &[1, 64, 49],
                Some(&[0, 2, 1]),
            ),
            (
                "batch and channels in one",
                &[1, 64, 7, 7],
                &[64, 49],
                Some(&[1, 0]),
            ),
            (
                "split the channels",
                &[1, 24, 28, 28],
                &[1, 3, 8, 28, 28],
                Some(&[0, 3, 4, 1, 2]),
            ),
            (
                "an axis more",
                &[1, 24, 28, 28],
                &[1, 24, 1, 28, 28],
                Some(&[0, 2, 3, 4, 1]),
            ),
            ("nothing", &[1, 24, 28, 28], &[1, 24, 28, 28], Some(&[0, 2, 3, 1])),
            (
                "another number of elements",
                &[1, 24, 28, 28],
                &[1, 24, 28, 27],
                None,
            ),
        ];
        for (what, from, to, expected) in cases {
            let reshaped = Order::channels_last(4).reshaped(from, to);
            assert_eq!(reshaped.as_ref().map(Order::axes), expected, "{what}");
        }
        // ShuffleNet: the groups of channels change places, which is free, and become one axis again, which is not.
        let split = order(&[0, 3, 4, 1, 2])
            .transposed(&[0, 2, 1, 3, 4])
            .expect("each axis once");
        assert_eq!(split.axes(), [0, 3, 4, 2, 1]);
        let (from, to) = ([1, 8, 3, 28, 28], [1, 24, 28, 28]);
        assert_eq!(split.reshaped(&from, &to), None);
        // Moved once, the channels stay behind rows and columns.
        let moved = split.next_to(&from, &to);
        assert_eq!(moved.axes(), [0, 3, 4, 1, 2]);
        assert_eq!(moved.reshaped(&from, &to), Some(Order::channels_last(4)));
        let flat = Order::channels_last(4).next_to(&[1, 256, 6, 6], &[1, 9216]);
        assert_eq!(flat, Order::identity(4));
    }
}
