//! One number of each window over a value. Windows go along the axes as they lie; nothing moves for them.

use super::bounds::Bounds;
use super::{Builder, Live, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::ops::{Pool, Slide, TensorOp, Window};

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
}
