//! The kernels, one file for each family of operators. Each turns a node, or the nodes of a fused step, into WGSL
//! with all shapes as constants.
//!
//! Kernels of single nodes hold what they accumulate in registers and read tensors straight from storage: tiles in
//! workgroup memory lose on software adapters, where a barrier splits the kernel (0.05 against 0.9 GMAC/s on
//! SwiftShader), and on hardware the operands of a layer fit the caches at these sizes. Kernels of fused steps
//! (`block`, `tail`) need workgroup memory or barriers by their nature; they are for hardware.

pub(super) mod block;
pub(super) mod concat;
pub(super) mod convolution;
pub(super) mod depth_to_space;
pub(super) mod depthwise;
pub(super) mod elementwise;
pub(super) mod pad;
pub(super) mod pointwise;
pub(super) mod pool;
pub(super) mod resize;
pub(super) mod squeeze_excite;
pub(super) mod tail;
