//! What operators of a file become: operators on images where these fit, tensor operators elsewhere.
//!
//! Options and their defaults follow the TFLite schema, results TFLite's reference kernels. Two ways to the tensor
//! operators were weighed. A [`Builder`](crate::builder::Builder) keeps orders of axes and bounds of integers, which files
//! of other kinds need; here all images have their channels last, every shape is written down and integers have 32 bits,
//! so operators become nodes at once, and a tensor of the file is the value with the same number.

use super::call::Call;
use super::codes::*;
use super::{elementwise, images, shapes, sums};
use crate::error::ModelError;

/// Adds the nodes of an operator to the graph.
///
/// # Errors
/// *Invalid* for options and operands that the operator cannot have, *unsupported* for those that are not handled.
pub fn translate(code: i32, call: &mut Call<'_, '_>) -> Result<(), ModelError> {
    if images::translate(code, call)? {
        return Ok(());
    }
    // A program without tensor operators carries none of what follows.
    if !cfg!(feature = "tensor_ops") {
        return Err(call.unsupported(crate::ops::absent::SENTENCE));
    }
    let is_read =
        elementwise::translate(code, call)? || shapes::translate(code, call)? || sums::translate(code, call)?;
    if is_read {
        Ok(())
    } else if code == CUSTOM {
        Err(call.unsupported("an operator of its author's own, which this engine does not know"))
    } else {
        Err(call.unsupported("this operator is not implemented"))
    }
}
