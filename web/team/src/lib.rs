//! Several workers of a browser compute one frame on the CPU.
//!
//! WebAssembly of the stable toolchain has no shared memory, so each worker is an instance of its own, with its own
//! copy of the weights, and computes a band of every image ([`plumbline_engine::cpu::bands`]). What crosses between
//! bands goes through a `SharedArrayBuffer`, which browsers give to cross-origin isolated pages.
//!
//! | part | who has it |
//! |---|---|
//! | [`lead::Lead`] | the instance that answers: it starts a mate, begins frames, and goes on alone when the mate is lost |
//! | [`mate`] | the other instance: it waits for frames and computes its band |
//! | [`model::SharedModel`] | the lead's models, run by the team where there is one |
//! | [`verdict`] | whether two are faster than one on this machine: counted, not assumed |
//! | [`exchange`] | rows and signals through shared memory |

pub mod exchange;
pub mod lead;
pub mod mate;
pub mod model;
pub mod verdict;

/// The lead and one mate. More would gain little on models of this size: what cannot be divided stays, and each
/// party is one more to wait for.
pub const PARTIES: usize = 2;
