//! A drawn person with known joints.
//!
//! A parametric human figure: [`Body`] measures and a [`Pose`] of joint angles become a [`Skeleton`] by forward
//! kinematics; [`sculpt`] puts flesh and clothes on it as signed-distance solids; [`render`] traces them into an
//! RGB [`Picture`]; [`Truth`] says where the 33 BlazePose landmarks really are, in pixels and metres, and what the
//! joint angles are. [`Motion`]s are pure functions of time with labels. No picture of a real person is needed for
//! the demo, the end-to-end tests, or accuracy against truth.
//!
//! **Invariant:** the same input gives the same bytes on every platform and number of threads. Only operations
//! that IEEE 754 rounds exactly are used; [`portable`] builds the few elementary functions from them.
//!
//! Flow: `Body`, `Pose` -> [`skeleton`] -> [`sculpt`] -> [`scene`] -> [`shading`] -> [`render`]; beside it
//! `Skeleton`, [`Camera`] -> [`truth`]. [`Still`] and [`Clip`] bundle it; [`demo`] and [`stills`] are the two
//! definitions that tests and the page share.

pub mod angles;
pub mod anthropometry;
pub mod appearance;
pub mod camera;
pub mod clip;
pub mod demo;
pub mod landmarks;
pub mod motion;
pub mod portable;
pub mod pose;
pub mod random;
pub mod render;
pub mod scene;
pub mod sculpt;
pub mod sequence;
pub mod shading;
pub mod shapes;
pub mod skeleton;
pub mod stills;
pub mod truth;
pub mod vector;

pub use anthropometry::Body;
pub use appearance::Appearance;
pub use camera::Camera;
pub use clip::{Clip, Still};
pub use motion::{Bout, Label, Motion};
pub use pose::Pose;
pub use render::Picture;
pub use sequence::Sequence;
pub use shading::Quality;
pub use skeleton::Skeleton;
pub use truth::Truth;
