//! Orders of axes against tensors whose elements really move, on random shapes with axes of size 0 and 1.

#[path = "support/random.rs"]
#[allow(dead_code, reason = "tensors of floats are for other tests")]
mod random;

use plumbline_engine::builder::order::Order;
use plumbline_engine::element::FileType;
use plumbline_engine::graph::element_count;
use plumbline_engine::tensor::{Data, Tensor};
use random::Random;

/// A tensor whose elements are all different.
fn numbered(shape: &[usize]) -> Tensor {
    let numbers = (0..element_count(shape) as i64).collect();
    Tensor::new(FileType::I64, shape.to_vec(), Data::Int(numbers)).expect("as many as the shape has")
}

/// The elements as they lie in memory.
fn memory(tensor: &Tensor, order: &Order) -> Vec<i64> {
    let moved = tensor.permuted(order.axes()).expect("each axis once");
    assert_eq!(moved.shape(), order.in_memory(tensor.shape()));
    moved.ints().expect("integers").into_owned()
}

/// The numbers below `len`, in any order.
fn shuffled(random: &mut Random, len: usize) -> Vec<usize> {
    let mut axes: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        axes.swap(last, random.below(last + 1));
    }
    axes
}

/// Every order of so many axes.
fn all_orders(rank: usize) -> Vec<Order> {
    let mut orders = vec![vec![]];
    for axis in 0..rank {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, axis);
                longer
            })
        });
        orders = longer.collect();
    }
    orders.into_iter().filter_map(Order::new).collect()
}

fn random_shape(random: &mut Random) -> Vec<usize> {
    let rank = random.below(6);
    let mut shape: Vec<usize> = (0..rank).map(|_| random.pick(&[1, 1, 2, 2, 3, 4, 6])).collect();
    if rank > 0 && random.below(12) == 0 {
        shape[random.below(rank)] = 0;
    }
    shape
}

/// Another shape with as many elements: axes are split and joined anywhere, and some of size 1 are added.
fn random_reshape(random: &mut Random, shape: &[usize]) -> Vec<usize> {
    let mut rest = element_count(shape);
    let mut to = Vec::new();
    if rest == 0 {
        to = random_shape(random);
        let place = random.below(to.len() + 1);
        to.insert(place, 0);
        return to;
    }
    while rest > 1 {
        let divisors: Vec<usize> = (2..=rest)
            .filter(|divisor| rest.is_multiple_of(*divisor))
            .collect();
        let size = random.pick(&divisors);
        to.push(size);
        rest /= size;
    }
    for _ in 0..random.below(3) {
        let place = random.below(to.len() + 1);
        to.insert(place, 1);
    }
    to
}

#[test]
fn a_reshape_keeps_its_memory_exactly_when_some_order_describes_it() {
    let mut random = Random(11);
    let (mut kept, mut moved) = (0, 0);
    for _ in 0..20_000 {
        let from = random_shape(&mut random);
        let to = random_reshape(&mut random, &from);
        let order = Order::new(shuffled(&mut random, from.len())).expect("each axis once");
        let tensor = numbered(&from);
        let before = memory(&tensor, &order);
        let after = tensor.reshaped(to.clone()).expect("as many elements");
        match order.reshaped(&from, &to) {
            Some(reshaped) => {
                assert_eq!(
                    memory(&after, &reshaped),
                    before,
                    "{from:?} {order:?} to {to:?} {reshaped:?}"
                );
                kept += 1;
            }
            None if to.len() <= 5 => {
                let found = all_orders(to.len())
                    .into_iter()
                    .find(|other| memory(&after, other) == before);
                assert_eq!(found, None, "{from:?} {order:?} to {to:?}");
                moved += 1;
            }
            None => {}
        }
    }
    assert!(kept > 5_000 && moved > 3_000, "{kept} kept, {moved} moved");
}

#[test]
fn a_transpose_renames_the_axes_of_the_same_memory() {
    let mut random = Random(12);
    for _ in 0..2_000 {
        let shape = random_shape(&mut random);
        let order = Order::new(shuffled(&mut random, shape.len())).expect("each axis once");
        let axes = shuffled(&mut random, shape.len());
        let tensor = numbered(&shape);
        let turned = tensor.permuted(&axes).expect("each axis once");
        let renamed = order.transposed(&axes).expect("each axis once");
        assert_eq!(
            memory(&turned, &renamed),
            memory(&tensor, &order),
            "{shape:?} {order:?} {axes:?}"
        );
    }
}

#[test]
fn orders_match_exactly_when_their_memory_does() {
    let mut random = Random(13);
    let (mut equal, mut different) = (0, 0);
    for _ in 0..5_000 {
        let shape = random_shape(&mut random);
        let [a, b] = [0, 1].map(|_| Order::new(shuffled(&mut random, shape.len())).expect("each axis once"));
        let tensor = numbered(&shape);
        let is_same = memory(&tensor, &a) == memory(&tensor, &b);
        assert_eq!(a.matches(&b, &shape), is_same, "{shape:?} {a:?} {b:?}");
        if is_same { equal += 1 } else { different += 1 }
    }
    assert!(
        equal > 500 && different > 500,
        "{equal} equal, {different} different"
    );
}
