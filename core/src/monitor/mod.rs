//! Watching a running model: whether what it sees and what it says are still as they were when somebody looked.
//!
//! ```text
//! frame facts -> features -> block of some seconds -> charts against a reference -> state, alarms -> snapshot
//!                                                  -> sums -> a reference of its own
//! ```
//!
//! [`features`] is the table of what is watched, [`probe`] looks at pixels; what a page or a terminal shows is a
//! [`snapshot`]. Everything is pure: times and seeds come in, and what is kept are sums of blocks, never frames or poses.

pub mod features;
pub mod pose_features;
pub mod probe;
pub mod snapshot;
pub mod verdict;
