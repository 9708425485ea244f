//! What readers of model files build graphs with.
//!
//! Files and graphs do not agree on the order of axes: most files put channels before rows and columns, the engine's
//! images put them last. A reader keeps both: shapes as the file has them, and beside each value the [`order::Order`]
//! in which its axes lie in memory.
//!
//! Nor do they agree on the size of integers: files have 64 bits, a frame has 32. Beside each integer value a reader keeps
//! the [`bounds::Bounds`] of its elements, and refuses what has no room.

pub mod bounds;
pub mod order;
