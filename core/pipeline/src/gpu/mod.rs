//! A tracked frame that stays on the GPU: the picture goes in as a texture, and about a kilobyte comes out.
//!
//! | file | content |
//! |---|---|
//! | `layout` | the words that Rust and WGSL share |
//! | `exchange` | what the CPU tells a frame, and what it is answered |
//! | `program` | shaders put around a model's recording: ingest before, decode after |
//! | `ingest.wgsl` | the model's input, cut out of the picture |
//! | `decode.wgsl` | landmarks in the image, and where to look in the next frame |
//! | `mask.wgsl` | the person's mask, packed for the way back, where the plan has one |
//! | `region.wgsl` | the square around a body |
//! | `pipeline` | which frame runs what, with up to two on their way |
//! | `people` | the same for several people, one frame after the other |
//! | `native` | the same on wgpu (feature `native`) |
//!
//! ```text
//! picture -> ingest -> landmark model -> decode -> answer -> CPU: smooth, show
//!               ^                          |
//!               └──── region, filters ─────┘          (never leaves the GPU)
//! ```
//!
//! A frame is submitted before the one before it has been read, because the region that it looks at is already
//! there, or will be when the GPU comes to it. When a frame finds nobody, the GPU has no region any more; frames that
//! were sent after it come back unseen, and the CPU, which learns of it late, sends them again, the first one through
//! the detector. So the sequence of results is the one that the CPU pipeline gives.

pub mod exchange;
pub mod layout;
#[cfg(feature = "native")]
pub mod native;
pub mod people;
pub mod pipeline;
pub mod program;

pub use people::GpuPeople;
pub use pipeline::{FrameGpu, GpuPosePipeline, Model, SLOTS};
pub use program::View;
