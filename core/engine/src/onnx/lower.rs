//! What each operator becomes, by kind of operator. A lowering asks for all attributes that change what it computes;
//! those that are left make the model unsupported.
//!
//! Definitions: the operators of the same names (onnx.ai/onnx/operators).

pub(super) mod attention;
pub(super) mod casts;
pub(super) mod constants;
pub(super) mod convolutions;
pub(super) mod einsum;
pub(super) mod gathers;
pub(super) mod grids;
pub(super) mod losses;
pub(super) mod maps;
pub(super) mod norms;
pub(super) mod patterns;
mod places;
pub(super) mod pools;
pub(super) mod products;
pub(super) mod quantised;
pub(super) mod recurrent;
pub(super) mod reductions;
pub(super) mod regions;
pub(super) mod resize;
pub(super) mod rotary;
pub(super) mod scatters;
pub(super) mod shapes;
pub(super) mod spectra;
pub(super) mod states;
pub(super) mod unpools;
pub(super) mod views;
pub(super) mod zips;
