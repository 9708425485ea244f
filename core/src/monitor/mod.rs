//! Watching a running model: whether what it sees and what it says are still as they were when somebody looked.
//!
//! ```text
//! frame facts -> features -> block of some seconds -> charts against a reference -> state, alarms -> snapshot
//!                                                  -> sums -> a reference of its own
//! ```
//!
//! [`features`] is the table of what is watched and [`probe`] looks at pixels; [`online`] counts frames into [`blocks`] and keeps
//! what a reference needs ([`learning`]); [`states`] says what signals come to; what a page or a terminal shows is a
//! [`snapshot`]. With the feature `records`, `session` is the one door to all of it, `profile` the reference as text, and
//! `audit`, `feature_log` and `evidence` what is kept. Everything is pure: times and seeds come in, and what is kept are
//! numbers of blocks, never frames or poses.

#[cfg(feature = "records")]
pub mod audit;
pub mod blocks;
#[cfg(feature = "records")]
pub mod canonical;
#[cfg(feature = "records")]
pub mod change_plan;
#[cfg(feature = "records")]
pub mod charts;
#[cfg(feature = "records")]
pub mod compare;
#[cfg(feature = "records")]
mod crc32;
#[cfg(feature = "records")]
pub mod datasheet;
#[cfg(feature = "records")]
pub mod evidence;
#[cfg(feature = "records")]
pub mod feature_log;
pub mod features;
pub mod golden;
#[cfg(feature = "records")]
pub mod judge;
pub mod latency;
pub mod learning;
pub mod online;
pub mod pose_features;
pub mod probe;
#[cfg(feature = "records")]
pub mod profile;
#[cfg(feature = "records")]
mod profile_form;
#[cfg(feature = "records")]
mod profile_text;
pub mod registry;
#[cfg(feature = "records")]
pub mod session;
pub mod shadow;
pub mod slices;
pub mod snapshot;
pub mod states;
#[cfg(feature = "records")]
pub mod thresholds;
pub mod verdict;
