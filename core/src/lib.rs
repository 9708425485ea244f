//! What happens to a frame between the models: pure, synchronous, without GPU, clock or I/O.
//!
//! ```text
//! frame -> crop -> detector -> people -> region -> crop -> landmark model -> landmarks -> smoothed pose
//!          ^ preprocess        ^ detection, nms, roi       ^ landmarks, heatmap           ^ smoothing
//! ```
//!
//! [`tracker`] holds the thread: it says which region of a frame which model must see, takes the models' numbers and
//! gives a [`pose::Pose`]; [`people`] holds several such threads. A GPU that decodes frames itself leaves [`pose_smoothing`] to the CPU. All constants are those of MediaPipe's BlazePose as its Python solution 0.10.14 runs it.
//! Modules stand in the order in which data flows through them; [`mask`] and [`backdrop`] stand beside: who of the
//! picture is the person, and what is put behind them.
//!
//! Models that somebody brings: a [`manifest`] says for which [`task`] they are and how a picture becomes their
//! [`model_input`]; a [`proposal`] guesses it from names and shapes; [`decoders`] read what such models give, and [`crops`]
//! say where a model must look that takes one person at a time.
//!
//! How good a model is, by the field's metrics: [`metrics`]. Whether what comes now is like what came before: [`drift`].
//! Both count with [`statistics`].

pub mod anchors;
pub mod backdrop;
mod blur;
pub mod corrupt;
pub mod crops;
pub mod decoders;
pub mod detection;
pub mod drift;
pub mod follower;
pub mod geometry;
pub mod heatmap;
pub mod keypoint_sets;
pub mod landmarks;
pub mod manifest;
pub mod mask;
pub mod metrics;
pub mod model_input;
pub mod monitor;
pub mod nms;
pub mod people;
pub mod pose;
pub mod pose_smoothing;
pub mod preprocess;
pub mod proposal;
pub mod roi;
pub mod selfie;
pub mod skeleton;
pub mod smoothing;
pub mod statistics;
pub mod task;
pub mod time;
pub mod tracker;
