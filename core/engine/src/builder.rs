//! What readers of model files build graphs with.
//!
//! Files and graphs do not agree on the order of axes: most files put channels before rows and columns, the engine's
//! images put them last. A reader keeps both: shapes as the file has them, and beside each value the [`order::Order`]
//! in which its axes lie in memory.

pub mod order;
