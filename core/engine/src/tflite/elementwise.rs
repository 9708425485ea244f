//! Functions of each element, of one or two operands that stretch over each other.

use super::call::Call;
use super::codes::*;
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::ValueId;
use crate::ops::{Binary, Select, TensorOp, Unary, Zip};

/// Adds the operator's nodes, where it is of this kind; says whether it is.
pub fn translate(code: i32, call: &mut Call<'_, '_>) -> Result<bool, ModelError> {
    if let Some(f) = unary(code, call)? {
        let x = call.operand(0)?;
        let result = call.map(f, x)?;
        call.give(0, result)?;
        return Ok(true);
    }
    if let Some((f, activation)) = binary(code) {
        let result = zip(call, f, [0, 1])?;
        let result = match activation {
            Some(number) => call.activated(result, number)?,
            None => result,
        };
        call.give(0, result)?;
        return Ok(true);
    }
    let x = call.operand(0);
    let result = match code {
        RSQRT => {
            let root = call.map(Unary::Sqrt, x?)?;
            call.map(Unary::Reciprocal, root)?
        }
        SQUARE => zip(call, Binary::Mul, [0, 0])?,
        SQUARED_DIFFERENCE => {
            let difference = zip(call, Binary::Sub, [0, 1])?;
            call.tensor(
                TensorOp::Zip(Zip { f: Binary::Mul }),
                vec![difference, difference],
            )?
        }
        FLOOR_DIV => {
            let quotient = zip(call, Binary::Div, [0, 1])?;
            // Of integers it would round towards zero.
            call.map(Unary::Floor, quotient)?
        }
        NOT_EQUAL => {
            let same = zip(call, Binary::Equal, [0, 1])?;
            call.map(Unary::Not, same)?
        }
        SELECT | SELECT_V2 => {
            let operands = vec![call.operand(0)?, call.operand(1)?, call.operand(2)?];
            call.tensor(TensorOp::Select(Select), operands)?
        }
        _ => return Ok(false),
    };
    call.give(0, result)?;
    Ok(true)
}

fn zip(call: &mut Call<'_, '_>, f: Binary, operands: [usize; 2]) -> Result<ValueId, ModelError> {
    let operands = vec![call.operand(operands[0])?, call.operand(operands[1])?];
    call.tensor(TensorOp::Zip(Zip { f }), operands)
}

fn unary(code: i32, call: &Call<'_, '_>) -> Result<Option<Unary>, ModelError> {
    Ok(Some(match code {
        ABS => Unary::Abs,
        CEIL => Unary::Ceil,
        COS => Unary::Cos,
        ELU => Unary::Elu(1.0),
        EXP => Unary::Exp,
        FLOOR => Unary::Floor,
        GELU if call.flag(0, "approximate")? => Unary::GeluTanh,
        GELU => Unary::Gelu,
        HARD_SWISH => Unary::HardSwish,
        LEAKY_RELU => Unary::LeakyRelu(call.float(0, 0.0, "alpha")?),
        LOG => Unary::Log,
        LOGICAL_NOT => Unary::Not,
        LOGISTIC => Unary::Sigmoid,
        NEG => Unary::Neg,
        RELU => Unary::Relu,
        RELU6 => Unary::Clip { low: 0.0, high: 6.0 },
        RELU_N1_TO_1 => Unary::Clip { low: -1.0, high: 1.0 },
        ROUND => Unary::Round,
        SIN => Unary::Sin,
        SQRT => Unary::Sqrt,
        TANH => Unary::Tanh,
        CAST => {
            let to = match call.graph.value(call.outputs[0]).element {
                Element::F32 => FileType::F32,
                Element::I32 => FileType::I32,
                Element::Bool => FileType::Bool,
                Element::U32 => FileType::U32,
            };
            Unary::Cast(to)
        }
        _ => return Ok(None),
    }))
}

/// A function of two operands, and the number of the option that says what is applied to the result, where there is one.
fn binary(code: i32) -> Option<(Binary, Option<usize>)> {
    Some(match code {
        ADD => (Binary::Add, Some(0)),
        SUB => (Binary::Sub, Some(0)),
        MUL => (Binary::Mul, Some(0)),
        DIV => (Binary::Div, Some(0)),
        MAXIMUM => (Binary::Max, None),
        MINIMUM => (Binary::Min, None),
        POW => (Binary::Pow, None),
        FLOOR_MOD => (Binary::Mod, None),
        PRELU => (Binary::PRelu, None),
        EQUAL => (Binary::Equal, None),
        LESS => (Binary::Less, None),
        LESS_EQUAL => (Binary::LessOrEqual, None),
        GREATER => (Binary::Greater, None),
        GREATER_EQUAL => (Binary::GreaterOrEqual, None),
        LOGICAL_AND => (Binary::And, None),
        LOGICAL_OR => (Binary::Or, None),
        _ => return None,
    })
}
