//! The GPU backend: a plan becomes a [`Recording`], plain data that any WebGPU can replay.
//!
//! | file | content |
//! |---|---|
//! | `recording` | the data: WGSL texts, buffers, bind groups, dispatches, inputs and outputs |
//! | `record` | from plan to recording, one exhaustive match over the operators |
//! | `fused` | the operands of steps that compute several nodes |
//! | `kernels` | the WGSL of each family of operators, and why it is tiled the way it is |
//! | `epilogue` | activation and residual, fused into the kernel before them; bilinear sampling |
//! | `shader` | bindings and thread layout around a kernel |
//! | `access` | how a kernel reads and writes tensors that are kept in different ways |
//! | `deferred` | an output that the reader computes, cell by cell |
//! | `pack` | weights in the order and the precision in which the kernels read them |
//! | `weights` | which of them lies in which buffer, and where one that no binding takes is cut |
//! | `native` | replays a recording through wgpu (feature `native`) |
//!
//! All tensors of a frame live in one arena that every dispatch binds read-write, in ranges: WebGPU refuses a
//! dispatch that binds one buffer both read-only and writable, and two arenas with tensors that alternate
//! between them would need more memory and a second planner. Weights lie in a buffer of their own, or in several where
//! they are larger than a buffer may be, bound read-only.
//!
//! Arithmetic is f32, whatever tensors are kept in. Tensors are NHWC without channel padding, the layout of the plan.

mod access;
mod deferred;
mod epilogue;
mod fused;
mod kernels;
#[cfg(feature = "native")]
pub mod native;
mod pack;
pub(crate) mod record;
mod recording;
pub(crate) mod shader;
mod weights;

pub use deferred::DeferredPort;
pub use record::{record, record_divided};
pub use recording::{
    ARENA, Access, BINDING_ALIGNMENT, BindGroup, Binding, Buffer, Dispatch, MAX_BINDING_BYTES, MAX_BINDINGS,
    MAX_BUFFER_BYTES, MAX_TEXTURE_SIDE_PX, MAX_WORKGROUPS, Port, Recording, Shader, WEIGHTS, WeightLimits,
};
