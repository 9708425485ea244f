//! Many cases in one piece, for where there are no files.
//!
//! For each case: its name, its two tolerances as little-endian f64, the number of inputs as little-endian u32, then the
//! model, the inputs and the outputs. Names and messages are preceded by their length, and the outputs by their number,
//! as little-endian u32.

use crate::case::Case;
use crate::compare::Tolerance;

/// Appends a case.
///
/// # Panics
/// When a message has 4 GiB or more.
pub fn push(pack: &mut Vec<u8>, case: &Case) {
    push_bytes(pack, case.name.as_bytes());
    pack.extend(case.tolerance.rtol.to_le_bytes());
    pack.extend(case.tolerance.atol.to_le_bytes());
    push_bytes(pack, &case.model);
    for values in [&case.inputs, &case.outputs] {
        push_number(pack, values.len());
        values.iter().for_each(|value| push_bytes(pack, value));
    }
}

fn push_number(pack: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("less than 4 GiB");
    pack.extend(number.to_le_bytes());
}

fn push_bytes(pack: &mut Vec<u8>, bytes: &[u8]) {
    push_number(pack, bytes.len());
    pack.extend(bytes);
}

/// The cases of a pack; none when it is not one.
pub fn read(mut pack: &[u8]) -> Option<Vec<Case>> {
    let mut cases = Vec::new();
    while !pack.is_empty() {
        let name = String::from_utf8(bytes(&mut pack)?).ok()?;
        let rtol = f64::from_le_bytes(take(&mut pack)?);
        let atol = f64::from_le_bytes(take(&mut pack)?);
        let model = bytes(&mut pack)?;
        let mut values = || {
            let n_values = number(&mut pack)?;
            (0..n_values).map(|_| bytes(&mut pack)).collect::<Option<_>>()
        };
        cases.push(Case {
            name,
            tolerance: Tolerance { rtol, atol },
            model,
            inputs: values()?,
            outputs: values()?,
        });
    }
    Some(cases)
}

fn take<const N: usize>(pack: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = pack.split_first_chunk()?;
    *pack = rest;
    Some(*first)
}

fn number(pack: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(pack)?)).ok()
}

fn bytes(pack: &mut &[u8]) -> Option<Vec<u8>> {
    let len = number(pack)?;
    let (first, rest) = pack.split_at_checked(len)?;
    *pack = rest;
    Some(first.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_come_back_as_they_were() {
        let case = |name: &str, n_inputs: u8| Case {
            name: name.to_owned(),
            tolerance: Tolerance {
                rtol: 1e-3,
                atol: 0.5,
            },
            model: vec![1, 2, 3],
            inputs: (0..n_inputs).map(|index| vec![index; 2]).collect(),
            outputs: vec![vec![], vec![9]],
        };
        let cases = [case("test_abs", 1), case("fuzz_0007", 0)];
        let mut whole = Vec::new();
        cases.iter().for_each(|case| push(&mut whole, case));
        assert_eq!(read(&whole).as_deref(), Some(&cases[..]));
        let mut first = Vec::new();
        push(&mut first, &cases[0]);
        for len in 0..whole.len() {
            let is_whole = len == 0 || len == first.len();
            assert_eq!(read(&whole[..len]).is_some(), is_whole, "{len} bytes");
        }
    }
}
