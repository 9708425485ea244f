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
//! # What was measured with it
//!
//! MediaPipe 0.10.14 (`mp.solutions.pose`, static mode; lite / full / heavy) finds the person in 33 of 33 stills of
//! [`stills::grid`], in 84 of 84 frames of the demo clip and in 48 of 48 random appearances, with left and right
//! never exchanged. Mean error of the body's landmarks: 7 / 6 / 5 % of the torso's length in the grid,
//! 5 / 4.5 / 4 % in the demo. In side view the near knee's image angle is within 5 / 4 / 5 degrees of the projected
//! truth in all 11 postures. Native and WebAssembly pictures and truth of 33 random people are the same bytes. A
//! 480 x 640 still in full quality takes an eighth of a march over all solids with the same rays.
//!
//! # Limits
//!
//! - Depth and world landmarks of pose models carry a bias of their own on this figure as on real people (a standing
//!   knee reads 10 to 30 degrees flexed in world landmarks). Test mathematics on the true joints, and models in the
//!   image plane, from the side or half left.
//! - The spine is one straight segment, the pelvis stays level, fingers and face do not move, cloth does not hang.
//!   The clavicle only rises with the arm overhead.
//! - A seat stands in the picture for the whole of a sequence that needs one; a squat in the same sequence passes
//!   through it.
//! - Landmarks of the face, hands and feet are placed where BlazePose draws them, by eye, within about a centimetre.
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
