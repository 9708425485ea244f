//! Between which integers the elements of a value lie, as far as that is known before a frame arrives.
//!
//! Files compute indices and sizes in 64 bits; a frame has words of 32. A reader keeps bounds beside each integer of a
//! frame and computes with them what the model computes with its elements. As long as the bounds have room in a word,
//! the word holds what 64 bits would; when they do not, the model is refused, because nothing would say that a result is
//! wrong. The rules are those of interval arithmetic (Moore, 1966).

use crate::element::{Element, FileType};
use crate::tensor::Tensor;

/// A smallest and a largest integer, both of which may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    low: i64,
    high: i64,
}

impl Bounds {
    /// From `low` to `high`; `None` when that is nothing.
    pub fn new(low: i64, high: i64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// What an input of this type may hold; `None` for types that are no integers or cannot be an input.
    pub fn of_input(file_type: FileType) -> Option<Self> {
        let (low, high) = file_type.port_range()?;
        Self::new(low, high)
    }

    /// What a known tensor holds; `None` when it has no elements or they are no integers.
    pub fn of_tensor(tensor: &Tensor) -> Option<Self> {
        let values = tensor.ints()?;
        Self::new(*values.iter().min()?, *values.iter().max()?)
    }

    /// The smallest.
    pub fn low(self) -> i64 {
        self.low
    }

    /// The largest.
    pub fn high(self) -> i64 {
        self.high
    }

    /// Whether every integer between them has a word of this kind.
    pub fn fit(self, element: Element) -> bool {
        let range = match element {
            Element::I32 => FileType::I32.range(),
            Element::U32 => FileType::U32.range(),
            Element::Bool => Some((0, 1)),
            Element::F32 => None,
        };
        range.is_some_and(|(low, high)| low <= self.low && self.high <= high)
    }

    /// Of a value whose elements come from either.
    pub fn union(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Of the larger of two.
    pub fn max(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Of the smaller of two.
    pub fn min(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.min(other.high),
        }
    }

    /// Of a sum; `None` when it may leave 64 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(
            self.low.checked_add(other.low)?,
            self.high.checked_add(other.high)?,
        )
    }

    /// Of a difference; `None` when it may leave 64 bits.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(
            self.low.checked_sub(other.high)?,
            self.high.checked_sub(other.low)?,
        )
    }

    /// Of a product; `None` when it may leave 64 bits.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Self::hull(self.corners(other).map(|(a, b)| a.checked_mul(b)))
    }

    /// Of a negated value; `None` when it may leave 64 bits.
    pub fn checked_neg(self) -> Option<Self> {
        Self::new(self.high.checked_neg()?, self.low.checked_neg()?)
    }

    /// Of a magnitude; `None` when it may leave 64 bits.
    pub fn checked_abs(self) -> Option<Self> {
        let (low, high) = (self.low.checked_abs()?, self.high.checked_abs()?);
        let least = if self.contains(0) { 0 } else { low.min(high) };
        Self::new(least, low.max(high))
    }

    /// Of a quotient, rounded towards zero; `None` when it may leave 64 bits. What is divided by zero stays as it is.
    pub fn checked_div(self, divisor: Self) -> Option<Self> {
        // Quotients are largest by the divisors next to zero, and change sign there.
        let parts = [
            divisor.intersection(i64::MIN, -1),
            divisor.intersection(1, i64::MAX),
        ];
        let quotients = parts.into_iter().flatten();
        let quotients = quotients.map(|part| Self::hull(self.corners(part).map(|(a, b)| a.checked_div(b))));
        let unchanged = divisor.contains(0).then_some(Some(self));
        quotients
            .chain(unchanged)
            .reduce(|a, b| Some(a?.union(b?)))
            .flatten()
    }

    /// Of a remainder that has the sign of the divisor, as Python has it. Division by zero leaves 0.
    pub fn modulo(self, divisor: Self) -> Self {
        Self {
            low: divisor.low.saturating_add(1).min(0),
            high: divisor.high.saturating_sub(1).max(0),
        }
    }

    /// Of a remainder that has the sign of what is divided, as C has it. Division by zero leaves 0.
    pub fn remainder(self, divisor: Self) -> Self {
        let longest = divisor.low.unsigned_abs().max(divisor.high.unsigned_abs());
        let most = i64::try_from(longest.saturating_sub(1)).unwrap_or(i64::MAX);
        Self {
            low: self.low.clamp(-most, 0),
            high: self.high.clamp(0, most),
        }
    }

    /// Of a power; `None` when it may leave 64 bits. What is raised to a negative one is a quotient, without its
    /// fraction.
    pub fn checked_pow(self, exponent: Self) -> Option<Self> {
        let longest = self.low.unsigned_abs().max(self.high.unsigned_abs());
        let longest = match u32::try_from(exponent.high) {
            _ if longest <= 1 || exponent.high <= 0 => 1,
            Ok(exponent) => longest.checked_pow(exponent)?,
            Err(_) => return None,
        };
        let most = i64::try_from(longest).ok()?;
        Self::new(if self.low < 0 { -most } else { 0 }, most)
    }

    /// Of what combines the bits of two, one by one.
    pub fn bits(self, other: Self) -> Self {
        let both = self.union(other);
        // Above these, all bits are the sign.
        let reach = (both.low ^ (both.low >> 63)) | (both.high ^ (both.high >> 63));
        let most = match reach.leading_zeros() {
            64 => 0,
            zeros => i64::MAX >> (zeros - 1),
        };
        Self {
            low: if both.low < 0 { -most - 1 } else { 0 },
            high: most,
        }
    }

    /// Of bits moved up; `None` when they may leave 64. Without such a number of places nothing is left.
    pub fn checked_shift_left(self, places: Self) -> Option<Self> {
        let nothing = Self { low: 0, high: 0 };
        let Some(within) = places.intersection(0, 63) else {
            return Some(nothing);
        };
        let up = |a: i64, places: i64| i64::try_from(i128::from(a) << places).ok();
        let moved = Self::hull(self.corners(within).map(|(a, places)| up(a, places)))?;
        Some(if within == places {
            moved
        } else {
            moved.union(nothing)
        })
    }

    /// Of bits moved down, the sign above them. Without such a number of places the sign is left.
    pub fn shift_right(self, places: Self) -> Self {
        let most = if places.low < 0 { 63 } else { places.high.min(63) };
        let least = places.low.clamp(0, 63);
        let moved = |a: i64| [a >> least, a >> most];
        let [a, b] = moved(self.low);
        let [c, d] = moved(self.high);
        Self {
            low: a.min(b).min(c).min(d),
            high: a.max(b).max(c).max(d),
        }
    }

    /// Whether an integer lies between them.
    pub fn contains(self, value: i64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn intersection(self, low: i64, high: i64) -> Option<Self> {
        Self::new(self.low.max(low), self.high.min(high))
    }

    fn corners(self, other: Self) -> [(i64, i64); 4] {
        [
            (self.low, other.low),
            (self.low, other.high),
            (self.high, other.low),
            (self.high, other.high),
        ]
    }

    /// The smallest and largest of some integers, if all of them are known.
    fn hull(values: [Option<i64>; 4]) -> Option<Self> {
        values
            .into_iter()
            .map(|value| value.and_then(|value| Self::new(value, value)))
            .reduce(|a, b| Some(a?.union(b?)))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Data, Scalar};

    fn bounds(low: i64, high: i64) -> Bounds {
        Bounds::new(low, high).expect("not nothing")
    }

    /// All bounds within -4..=4.
    fn small() -> impl Iterator<Item = Bounds> {
        (-4..=4).flat_map(|low| (low..=4).map(move |high| bounds(low, high)))
    }

    /// Division as a frame does it.
    fn divided(a: i64, b: i64) -> i64 {
        if b == 0 { a } else { a / b }
    }

    /// Remainder as Python has it.
    fn modulo(a: i64, b: i64) -> i64 {
        match b {
            0 => 0,
            _ if a % b != 0 && (a % b < 0) != (b < 0) => a % b + b,
            _ => a % b,
        }
    }

    /// A power, or a quotient without its fraction.
    fn power(a: i64, b: i64) -> i64 {
        match (a, b) {
            (_, 0..) => a.pow(b as u32),
            (1, _) => 1,
            (-1, _) if b % 2 != 0 => -1,
            (-1, _) => 1,
            _ => 0,
        }
    }

    #[test]
    fn bounds_are_those_of_all_results() {
        type Binary = (
            &'static str,
            fn(i64, i64) -> i64,
            fn(Bounds, Bounds) -> Option<Bounds>,
        );
        let functions: [Binary; 6] = [
            ("add", |a, b| a + b, Bounds::checked_add),
            ("sub", |a, b| a - b, Bounds::checked_sub),
            ("mul", |a, b| a * b, Bounds::checked_mul),
            ("div", divided, Bounds::checked_div),
            ("max", i64::max, |a, b| Some(Bounds::max(a, b))),
            ("min", i64::min, |a, b| Some(Bounds::min(a, b))),
        ];
        for (a, b) in small().flat_map(|a| small().map(move |b| (a, b))) {
            let all = || (a.low..=a.high).flat_map(|x| (b.low..=b.high).map(move |y| (x, y)));
            for (name, function, of) in functions {
                let results: Vec<i64> = all().map(|(x, y)| function(x, y)).collect();
                let expected = Bounds::new(
                    results.iter().copied().min().expect("some"),
                    results.iter().copied().max().expect("some"),
                );
                assert_eq!(of(a, b), expected, "{name} of {a:?} and {b:?}");
            }
            // These may be wider than their results.
            type Wider = (&'static str, fn(i64, i64) -> i64, Option<Bounds>);
            let wider: [Wider; 8] = [
                ("modulo", modulo, Some(a.modulo(b))),
                (
                    "remainder",
                    |x, y| x.checked_rem(y).unwrap_or(0),
                    Some(a.remainder(b)),
                ),
                ("power", power, a.checked_pow(b)),
                ("and", |x, y| x & y, Some(a.bits(b))),
                ("or", |x, y| x | y, Some(a.bits(b))),
                ("xor", |x, y| x ^ y, Some(a.bits(b))),
                (
                    "up",
                    |x, y| if y < 0 { 0 } else { x << y },
                    a.checked_shift_left(b),
                ),
                (
                    "down",
                    |x, y| x >> if y < 0 { 63 } else { y },
                    Some(a.shift_right(b)),
                ),
            ];
            for (name, function, bounds) in wider {
                assert!(
                    all().all(|(x, y)| bounds.is_some_and(|bounds| bounds.contains(function(x, y)))),
                    "{name} of {a:?} and {b:?}: {bounds:?}"
                );
            }
        }
        for a in small() {
            let all = |function: fn(i64) -> i64| {
                let results: Vec<i64> = (a.low..=a.high).map(function).collect();
                Bounds::new(
                    *results.iter().min().expect("some"),
                    *results.iter().max().expect("some"),
                )
            };
            assert_eq!(a.checked_neg(), all(|x| -x), "{a:?}");
            assert_eq!(a.checked_abs(), all(i64::abs), "{a:?}");
        }
    }

    #[test]
    fn what_leaves_64_bits_has_no_bounds() {
        let (least, most) = (bounds(i64::MIN, 0), bounds(0, i64::MAX));
        assert_eq!(most.checked_add(bounds(0, 1)), None);
        assert_eq!(least.checked_sub(bounds(0, 1)), None);
        assert_eq!(most.checked_mul(bounds(-2, 2)), None);
        assert_eq!((least.checked_neg(), least.checked_abs()), (None, None));
        assert_eq!(least.checked_div(bounds(-1, 1)), None);
        assert_eq!(least.checked_div(bounds(1, 2)), Some(least));
        assert_eq!(most.modulo(bounds(i64::MIN, -1)), bounds(i64::MIN + 1, 0));
        assert_eq!(bounds(0, 2).checked_pow(bounds(0, 63)), None);
        assert_eq!(bounds(-1, 1).checked_shift_left(bounds(0, 63)), None);
        assert_eq!(
            bounds(0, 1).checked_shift_left(bounds(0, 62)),
            Some(bounds(0, 1 << 62))
        );
        assert_eq!(most.checked_shift_left(bounds(64, 99)), Some(bounds(0, 0)));
        assert_eq!(most.shift_right(bounds(-1, 99)), most);
        assert_eq!(least.bits(most), bounds(i64::MIN, i64::MAX));
        assert_eq!(bounds(0, 5).bits(bounds(0, 8)), bounds(0, 15));
        assert_eq!(bounds(-9, 0).bits(bounds(0, 0)), bounds(-16, 15));
        assert_eq!(Bounds::new(1, 0), None);
    }

    /// One addition of two inputs of 64 bits has room in a word, a second one has not.
    #[test]
    fn words_hold_what_fits() {
        let input = Bounds::of_input(FileType::I64).expect("integers");
        let sum = input.checked_add(input).expect("within 64 bits");
        let longer = sum.checked_add(input).expect("within 64 bits");
        assert!(input.fit(Element::I32) && !input.fit(Element::U32));
        assert!(
            sum.fit(Element::I32) && !longer.fit(Element::I32),
            "{sum:?}, {longer:?}"
        );
        assert!(bounds(i32::MIN.into(), i32::MAX.into()).fit(Element::I32));
        assert!(bounds(0, u32::MAX.into()).fit(Element::U32));
        assert!(bounds(0, 1).fit(Element::Bool) && !bounds(0, 2).fit(Element::Bool));
        assert!(!bounds(0, 1).fit(Element::F32));
        for file_type in [FileType::F32, FileType::U64, FileType::Bool] {
            assert_eq!(Bounds::of_input(file_type), None, "{file_type}");
        }
        assert_eq!(Bounds::of_input(FileType::U8), Bounds::new(0, 255));
    }

    #[test]
    fn known_tensors_have_the_bounds_of_their_elements() {
        let tensor =
            |shape: &[usize], data| Tensor::new(FileType::I16, shape.to_vec(), data).expect("a tensor");
        assert_eq!(
            Bounds::of_tensor(&tensor(&[3], Data::Int([3, -7, 5].into()))),
            Bounds::new(-7, 5)
        );
        assert_eq!(Bounds::of_tensor(&tensor(&[0], Data::Int([].into()))), None);
        let splat = tensor(&[2, 2], Data::Splat(Scalar::Int(9)));
        assert_eq!(Bounds::of_tensor(&splat), Bounds::new(9, 9));
        let floats = Tensor::new(FileType::F32, vec![1], Data::Float([1.0].into())).expect("a tensor");
        assert_eq!(Bounds::of_tensor(&floats), None);
    }
}
