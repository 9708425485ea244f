//! Constants that a rule makes: ranges, diagonals, triangles and windows.

use rten_onnx::onnx::DataType;

use crate::builder::Symbol;
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{MAX_ELEMENTS, Shape, bounded_element_count};
use crate::onnx::call::Call;
use crate::onnx::tensors;
use crate::ops::Unary;
use crate::tensor::{Data, Scalar, Tensor};

/// start, start + delta, start + 2 delta, and so on before limit.
pub fn range(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let mut file_type = None;
    let mut numbers = [Scalar::Bool(false); 3];
    for (index, number) in numbers.iter_mut().enumerate() {
        let tensor = call.known(index)?;
        let tensor = tensor.ok_or_else(|| call.invalid(format!("operand {index} is missing")))?;
        *number = match (tensor.get(0), tensor.len()) {
            (Some(scalar), 1) if *file_type.get_or_insert(tensor.file_type()) == tensor.file_type() => scalar,
            (_, len) => {
                let of = tensor.file_type();
                return Err(call.invalid(format!("operand {index} is {len} elements of {of}")));
            }
        };
    }
    let invalid = || call.invalid("there are no such ranges");
    let file_type = file_type.ok_or_else(invalid)?;
    let many = || call.unsupported(format!("a range of more than {MAX_ELEMENTS} elements"));
    let bounded = |len: i128| {
        let len = usize::try_from(len.max(0)).ok();
        len.filter(|&len| len <= MAX_ELEMENTS).ok_or_else(many)
    };
    let data = match numbers {
        [Scalar::Int(start), Scalar::Int(limit), Scalar::Int(delta)] if delta != 0 => {
            let (start, limit, delta) = (i128::from(start), i128::from(limit), i128::from(delta));
            let len = bounded((limit - start + delta - delta.signum()) / delta)?;
            // Every element lies between two integers of 64 bits.
            let at = |index: usize| (start + index as i128 * delta) as i64;
            call.builder.compute(len, &call.place)?;
            Data::Int((0..len).map(at).collect())
        }
        [Scalar::Float(start), Scalar::Float(limit), Scalar::Float(delta)] => {
            let (start, limit, delta) = (f64::from(start), f64::from(limit), f64::from(delta));
            let len = ((limit - start) / delta).ceil();
            if !len.is_finite() {
                return Err(invalid());
            }
            let len = bounded(len as i128)?;
            let at = |index: usize| file_type.round((start + index as f64 * delta) as f32);
            call.builder.compute(len, &call.place)?;
            Data::Float((0..len).map(at).collect())
        }
        _ => return Err(invalid()),
    };
    let len = match &data {
        Data::Float(data) => data.len(),
        Data::Int(data) => data.len(),
        Data::Bool(_) | Data::Splat(_) => 0,
    };
    known(call, file_type, vec![len], data)
}

/// One on a diagonal of a matrix of the operand's shape, zero elsewhere.
pub fn eye_like(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let file_type = match call.attributes.int("dtype")? {
        None => x.file_type(),
        Some(number) => named_type(call, number)?,
    };
    let diagonal = call.attributes.int("k")?.unwrap_or(0);
    let &[rows, columns] = x.shape() else {
        return Err(call.invalid(format!("{:?} is the shape of no matrix", x.shape())));
    };
    let on = triangle(call, rows, columns, |column, row| {
        column == row + i128::from(diagonal)
    })?;
    let data = match file_type.element() {
        Some(Element::F32) => Data::Float(on.iter().map(|&on| f32::from(u8::from(on))).collect()),
        Some(Element::Bool) => Data::Bool(on.into()),
        Some(Element::I32 | Element::U32) | None => Data::Int(on.iter().map(|&on| on.into()).collect()),
    };
    known(call, file_type, vec![rows, columns], data)
}

/// What lies on a diagonal of the last two axes and above it, or below it; zero elsewhere.
pub fn trilu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let is_upper = call.attributes.int("upper")?.unwrap_or(1) != 0;
    let diagonal = match call.known_ints(1)?.as_deref() {
        None => 0,
        Some(&[diagonal]) => i128::from(diagonal),
        Some(other) => return Err(call.invalid(format!("{} numbers of a diagonal", other.len()))),
    };
    let x = call.operand(0)?;
    let &[.., rows, columns] = x.shape() else {
        return Err(call.invalid(format!("{:?} is the shape of no matrix", x.shape())));
    };
    let kept = triangle(call, rows, columns, |column, row| match is_upper {
        true => column >= row + diagonal,
        false => column <= row + diagonal,
    })?;
    let of = x.file_type();
    let zero = match of.element() {
        Some(Element::F32) => Scalar::Float(0.0),
        Some(Element::Bool) => Scalar::Bool(false),
        Some(Element::I32 | Element::U32) | None => Scalar::Int(0),
    };
    let kept = known(call, FileType::Bool, vec![rows, columns], Data::Bool(kept.into()))?;
    let zero = known(call, of, Shape::new(), Data::Splat(zero))?;
    Ok(vec![call.builder.select(&kept[0], &x, &zero[0], &call.place)?])
}

pub fn hann_window(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    window(call, [0.5, 0.5, 0.0])
}

pub fn hamming_window(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    window(call, [25.0 / 46.0, 21.0 / 46.0, 0.0])
}

pub fn blackman_window(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    window(call, [0.42, 0.5, 0.08])
}

/// a - b cos(t) + c cos(2 t), where t goes once around in the window's length, or to its last element where the window
/// is symmetric.
fn window(call: &mut Call<'_>, [a, b, c]: [f64; 3]) -> Result<Vec<Symbol>, ModelError> {
    let is_periodic = call.attributes.int("periodic")?.unwrap_or(1) != 0;
    let file_type = match call.attributes.int("output_datatype")? {
        None => FileType::F32,
        Some(number) => named_type(call, number)?,
    };
    let len = match call.known_ints(0)?.as_deref() {
        Some(&[len]) => usize::try_from(len).ok(),
        _ => None,
    };
    let len = len.ok_or_else(|| call.invalid("its size is no number of elements"))?;
    call.builder.compute(len, &call.place)?;
    let period = if is_periodic { len } else { len.saturating_sub(1) };
    let at = |index: usize| {
        let turn = std::f64::consts::TAU * index as f64 / period.max(1) as f64;
        (a - b * turn.cos() + c * (2.0 * turn).cos()) as f32
    };
    let window = known(
        call,
        FileType::F32,
        vec![len],
        Data::Float((0..len).map(at).collect()),
    )?;
    Ok(vec![call.builder.map(
        Unary::Cast(file_type),
        &window[0],
        &call.place,
    )?])
}

/// For each place of a matrix, by column and row, whether it belongs to a part.
fn triangle(
    call: &mut Call<'_>,
    rows: usize,
    columns: usize,
    belongs: impl Fn(i128, i128) -> bool,
) -> Result<Vec<bool>, ModelError> {
    let len = bounded_element_count(&[rows, columns]);
    let len = len.ok_or_else(|| call.unsupported(format!("a matrix of {rows} x {columns}")))?;
    call.builder.compute(len, &call.place)?;
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    Ok(places
        .map(|(column, row)| belongs(column as i128, row as i128))
        .collect())
}

fn named_type(call: &Call<'_>, number: i64) -> Result<FileType, ModelError> {
    let number = i32::try_from(number).map_err(|_| call.invalid(format!("there is no type {number}")))?;
    tensors::file_type(DataType(number), &call.place)
}

fn known(call: &Call<'_>, file_type: FileType, shape: Shape, data: Data) -> Result<Vec<Symbol>, ModelError> {
    let tensor = Tensor::new(file_type, shape, data);
    Ok(vec![Symbol::Known(
        tensor.map_err(|message| call.unsupported(message))?,
    )])
}
