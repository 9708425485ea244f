//! The kernels, one file for each family of operators. Each turns a node into WGSL with all shapes as
//! constants.
//!
//! All of them hold what they accumulate in registers and read tensors straight from storage. Tiles in
//! workgroup memory lose on the adapters at hand: on software adapters a barrier splits the kernel (0.05
//! against 0.9 GMAC/s on SwiftShader), and on hardware the operands of a whole layer fit the caches at these
//! sizes.

pub(super) mod concat;
pub(super) mod convolution;
pub(super) mod depth_to_space;
pub(super) mod depthwise;
pub(super) mod elementwise;
pub(super) mod pad;
pub(super) mod pointwise;
pub(super) mod pool;
pub(super) mod resize;
