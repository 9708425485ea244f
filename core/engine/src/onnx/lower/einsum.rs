//! Sums of products that are written by the names of axes: `Einsum`.
//!
//! Operands are multiplied from the first to the last. Of two, the axes that both have and nobody needs after are summed
//! by a product of matrices, the axes that are left are its rows, its columns and its batch. Which of them comes first is
//! chosen by how the operands lie, so that a product along the joints of a skeleton, whose channels lie last, moves
//! nothing.

use super::places::summed;
use crate::builder::Symbol;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
use crate::onnx::call::Call;
use crate::ops::Binary;

/// The name of an axis: a letter, or an axis that an ellipsis stands for, counted from the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Omitted(std::cmp::Reverse<usize>),
    Letter(char),
}

/// An operand, or what has become of some.
#[derive(Clone, Debug)]
struct Term {
    value: Symbol,
    names: Vec<Name>,
}

impl Term {
    fn size(&self, name: Name) -> Option<usize> {
        let axis = self.names.iter().position(|&other| other == name)?;
        Some(self.value.shape()[axis])
    }

    /// The same with its axes in this order, which names each of them once.
    fn ordered(&self, call: &mut Call<'_>, names: &[Name]) -> Result<Term, ModelError> {
        let axis = |name: &Name| self.names.iter().position(|other| other == name);
        let axes: Option<Vec<usize>> = names.iter().map(axis).collect();
        let axes = axes.filter(|axes| axes.len() == self.names.len());
        let axes = axes.ok_or_else(|| call.invalid("its equation does not say where an axis goes"))?;
        Ok(Term {
            value: call.builder.transpose(&self.value, &axes, &call.place)?,
            names: names.to_vec(),
        })
    }

    /// Its elements as a matrix or several: a group of axes becomes one.
    fn grouped(&self, call: &mut Call<'_>, groups: &[&[Name]]) -> Result<Symbol, ModelError> {
        let ordered = self.ordered(call, &groups.concat())?;
        let mut sizes = ordered.value.shape().iter();
        let shape = groups
            .iter()
            .map(|group| sizes.by_ref().take(group.len()).product());
        let shape: Shape = shape.collect();
        call.builder.reshape(&ordered.value, shape, &call.place)
    }

    /// The sizes of some of its axes.
    fn sizes(&self, names: &[Name]) -> Shape {
        names.iter().filter_map(|&name| self.size(name)).collect()
    }

    /// Those of its axes that pass, as they lie in memory.
    fn in_memory(&self, passes: impl Fn(&Name) -> bool) -> Vec<Name> {
        let axes = self.value.axes_in_memory();
        axes.into_iter()
            .map(|axis| self.names[axis])
            .filter(passes)
            .collect()
    }

    /// Without the axes that share a name with one before: of these, elements at equal places stay.
    fn without_repetitions(mut self, call: &mut Call<'_>) -> Result<Term, ModelError> {
        let is_again = |names: &[Name], axis: usize| names[..axis].contains(&names[axis]);
        while let Some(axis) = (0..self.names.len()).find(|&axis| is_again(&self.names, axis)) {
            let first = self.names.iter().position(|&name| name == self.names[axis]);
            let first = first.unwrap_or(axis);
            self.value = call.builder.diagonal(&self.value, [first, axis], &call.place)?;
            self.names.remove(axis);
        }
        Ok(self)
    }

    /// Without the axes that pass, whose elements are summed.
    fn summed(mut self, call: &mut Call<'_>, passes: impl Fn(&Name) -> bool) -> Result<Term, ModelError> {
        let names = self.names.iter().enumerate();
        let axes: Vec<usize> = names
            .filter(|(_, name)| passes(name))
            .map(|(axis, _)| axis)
            .collect();
        if !axes.is_empty() {
            self.value = summed(call, &self.value, &axes)?;
            self.names.retain(|name| !passes(name));
        }
        Ok(self)
    }

    /// Without axes of one element where others have more of the same name.
    fn without_stretched(
        mut self,
        call: &mut Call<'_>,
        size: impl Fn(Name) -> usize,
    ) -> Result<Term, ModelError> {
        let stretches = |axis: usize, shape: &[usize]| shape[axis] == 1 && size(self.names[axis]) != 1;
        let shape = self.value.shape().to_vec();
        let kept: Vec<usize> = (0..shape.len())
            .filter(|&axis| !stretches(axis, &shape))
            .collect();
        if kept.len() < shape.len() {
            let shape = kept.iter().map(|&axis| shape[axis]).collect();
            self.value = call.builder.reshape(&self.value, shape, &call.place)?;
            self.names = kept.into_iter().map(|axis| self.names[axis]).collect();
        }
        Ok(self)
    }
}

/// The names of an operand's axes; `omitted` is how many an ellipsis stands for.
fn names(text: &str, omitted: usize) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    let mut rest = text;
    let mut has_ellipsis = false;
    while let Some(letter) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("...") {
            if has_ellipsis {
                return None;
            }
            has_ellipsis = true;
            names.extend(
                (0..omitted)
                    .rev()
                    .map(|from_last| Name::Omitted(std::cmp::Reverse(from_last))),
            );
            rest = behind;
        } else if letter.is_ascii_alphabetic() {
            names.push(Name::Letter(letter));
            rest = &rest[1..];
        } else {
            return None;
        }
    }
    Some(names)
}

/// The operands with their names, and the names of the result.
fn parsed(call: &mut Call<'_>) -> Result<(Vec<Term>, Vec<Name>), ModelError> {
    let text = call.attributes.text("equation")?;
    let text = text.ok_or_else(|| call.invalid("attribute 'equation' is missing"))?;
    let wrong = || {
        call.invalid(format!(
            "'{text}' is no equation of {} operands",
            call.operands.len()
        ))
    };
    let letters: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (left, right) = match letters.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (letters.as_str(), None),
    };
    let parts: Vec<&str> = left.split(',').collect();
    if parts.len() != call.operands.len() {
        return Err(wrong());
    }
    let (mut terms, mut longest) = (Vec::new(), 0);
    for (index, part) in parts.into_iter().enumerate() {
        let value = call.operand(index)?;
        let n_letters = part.replace("...", "").len();
        let omitted = value.shape().len().checked_sub(n_letters).ok_or_else(wrong)?;
        let names = names(part, omitted).filter(|names| names.len() == value.shape().len());
        let names = names.ok_or_else(wrong)?;
        longest = longest.max(names.len() - n_letters);
        terms.push(Term { value, names });
    }
    let all = || terms.iter().flat_map(|term| &term.names).copied();
    let result = match right {
        Some(right) => names(right, longest).ok_or_else(wrong)?,
        // In the order of the alphabet, behind what an ellipsis stands for.
        None => {
            let mut once: Vec<Name> = all()
                .filter(|&name| {
                    matches!(name, Name::Omitted(_)) || all().filter(|&other| other == name).count() == 1
                })
                .collect();
            once.sort_unstable();
            once.dedup();
            once
        }
    };
    let is_known =
        |(at, name): (usize, &Name)| !result[..at].contains(name) && all().any(|other| other == *name);
    if !result.iter().enumerate().all(is_known) {
        return Err(wrong());
    }
    Ok((terms, result))
}

/// The product of two, without the axes that nobody keeps.
fn product(
    call: &mut Call<'_>,
    a: &Term,
    b: &Term,
    keeps: impl Fn(&Name) -> bool,
) -> Result<Term, ModelError> {
    let is_summed = |name: &Name| !keeps(name);
    let shared: Vec<Name> = a
        .names
        .iter()
        .copied()
        .filter(|name| b.names.contains(name))
        .collect();
    let along: Vec<Name> = shared.iter().copied().filter(is_summed).collect();
    let is_float = a.value.file_type().element() == Some(Element::F32);
    if along.is_empty() || !is_float {
        return elementwise(call, a, b)?.summed(call, is_summed);
    }
    let batch: Vec<Name> = shared.iter().copied().filter(|name| keeps(name)).collect();
    if let ([along], true) = (&*along, batch.is_empty()) {
        for (x, factor) in [(a, b), (b, a)] {
            let lies = x.in_memory(|_| true);
            let Some(at) = lies.iter().position(|name| name == along) else {
                continue;
            };
            let (outer, inner) = (&lies[..at], &lies[at + 1..]);
            let is_live = x.value.known().is_none();
            if is_live && element_count(&x.sizes(inner)) > 1 {
                let rows = factor.in_memory(|name| name != along);
                let of_factor = factor.grouped(call, &[&rows, &[*along]])?;
                let of_x = x.grouped(call, &[outer, &[*along], inner])?;
                let value = call.builder.matmul(&of_factor, &of_x, &call.place)?;
                let sizes = [x.sizes(outer), factor.sizes(&rows), x.sizes(inner)].concat();
                let value = call.builder.reshape(&value, sizes, &call.place)?;
                let names = [outer, &rows, inner].concat();
                return Ok(Term { value, names });
            }
        }
    }
    let is_free = |name: &Name| !shared.contains(name);
    let (rows, columns) = (a.in_memory(is_free), b.in_memory(is_free));
    let of_a = a.grouped(call, &[&batch, &rows, &along])?;
    let of_b = b.grouped(call, &[&batch, &along, &columns])?;
    let value = call.builder.matmul(&of_a, &of_b, &call.place)?;
    let sizes = [a.sizes(&batch), a.sizes(&rows), b.sizes(&columns)].concat();
    Ok(Term {
        value: call.builder.reshape(&value, sizes, &call.place)?,
        names: [batch, rows, columns].concat(),
    })
}

/// The product of each element of one with those of the other that lie at the same place of the axes that both have.
fn elementwise(call: &mut Call<'_>, a: &Term, b: &Term) -> Result<Term, ModelError> {
    let added = b.names.iter().copied().filter(|name| !a.names.contains(name));
    let names: Vec<Name> = a.names.iter().copied().chain(added).collect();
    let mut factors = Vec::new();
    for term in [a, b] {
        let own: Vec<Name> = names
            .iter()
            .copied()
            .filter(|name| term.names.contains(name))
            .collect();
        let ordered = term.ordered(call, &own)?;
        let shape = names.iter().map(|&name| term.size(name).unwrap_or(1)).collect();
        factors.push(call.builder.reshape(&ordered.value, shape, &call.place)?);
    }
    let value = call
        .builder
        .zip(Binary::Mul, &factors[0], &factors[1], &call.place)?;
    Ok(Term { value, names })
}

pub fn einsum(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (terms, result) = parsed(call)?;
    let mut sizes: Vec<(Name, usize)> = Vec::new();
    for term in &terms {
        for (&name, &size) in term.names.iter().zip(term.value.shape()) {
            match sizes.iter_mut().find(|(other, _)| *other == name) {
                None => sizes.push((name, size)),
                Some((_, known)) if *known == 1 => *known = size,
                Some((_, known)) if *known == size || size == 1 => {}
                Some((_, known)) => {
                    return Err(call.invalid(format!("an axis of {size} has the name of one of {known}")));
                }
            }
        }
    }
    let size = |name: Name| {
        sizes
            .iter()
            .find(|(other, _)| *other == name)
            .map_or(1, |(_, size)| *size)
    };
    let mut ready = Vec::with_capacity(terms.len());
    for term in terms {
        let term = term.without_repetitions(call)?;
        ready.push(term.without_stretched(call, size)?);
    }
    let mut rest = ready.into_iter();
    let mut whole: Option<Term> = None;
    while let Some(term) = rest.next() {
        let later = rest.as_slice();
        let is_later = |name: &Name| later.iter().any(|term| term.names.contains(name));
        let keeps = |name: &Name| result.contains(name) || is_later(name);
        // What only this one has is summed before anything is multiplied.
        let is_before = |name: &Name| {
            whole
                .as_ref()
                .is_some_and(|whole: &Term| whole.names.contains(name))
        };
        let term = term.summed(call, |name| !keeps(name) && !is_before(name))?;
        whole = Some(match &whole {
            None => term,
            Some(whole) => product(call, whole, &term, keeps)?,
        });
    }
    let whole = whole.ok_or_else(|| call.invalid("it has no operands"))?;
    Ok(vec![whole.ordered(call, &result)?.value])
}
