//! Replays recordings through wgpu: on Vulkan, Metal or Direct3D, for tests and the command line.
//!
//! | file | content |
//! |---|---|
//! | `native` | the device, and why it may refuse |
//! | `native/replayer` | one recording on a device: submit a frame, read it later |
//! | `native/picture` | a texture that frames are written into |
//! | `native/profile` | how long each dispatch of a frame takes |
//!
//! The browser has its own replayer in JavaScript: wgpu's web backend cannot compile pipelines
//! asynchronously.

mod picture;
mod profile;
mod replayer;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use super::recording::MAX_TEXTURE_SIDE_PX;

pub use picture::PictureTexture;
pub use replayer::{Outputs, Reading, Replayer};

/// Why a GPU cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuError {
    /// No Vulkan, Metal or Direct3D 12 driver answers.
    NoAdapter,
    /// The adapter gives no device with the limits that WebGPU guarantees.
    NoDevice {
        /// Adapter name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The device refused something: a shader, a buffer, a submission.
    Rejected {
        /// What was being created or run.
        what: String,
        /// What the device says.
        reason: String,
    },
    /// The device went away: driver reset, card removed, out of memory.
    DeviceLost(String),
    /// An input has the wrong number of elements, or there are too few inputs.
    WrongInput {
        /// Name of the input.
        name: String,
        /// Elements that it has.
        expected: usize,
        /// Elements that were given.
        given: usize,
    },
    /// No frame is on its way, or the ring is full.
    OutOfTurn(&'static str),
    /// A picture has no pixels, or more columns or rows than a texture.
    PictureSize {
        /// Columns.
        width_px: usize,
        /// Rows.
        height_px: usize,
    },
    /// A recording that looks at a picture was given none.
    NoPicture,
}

impl fmt::Display for GpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GpuError::NoAdapter => {
                write!(
                    f,
                    "no GPU: no Vulkan, Metal or Direct3D 12 driver was found; use the CPU backend, or install \
                     Mesa's lavapipe"
                )
            }
            GpuError::NoDevice { adapter, reason } => write!(f, "{adapter} gives no device: {reason}"),
            GpuError::Rejected { what, reason } => write!(f, "the GPU refuses {what}: {reason}"),
            GpuError::DeviceLost(reason) => write!(f, "the GPU stopped: {reason}"),
            GpuError::WrongInput {
                name,
                expected,
                given,
            } => {
                write!(f, "input {name} takes {expected} numbers, {given} were given")
            }
            GpuError::OutOfTurn(reason) => f.write_str(reason),
            GpuError::PictureSize { width_px, height_px } => write!(
                f,
                "a picture of {width_px}x{height_px} px; a texture takes 1 to {MAX_TEXTURE_SIDE_PX} px a side; \
                 use the CPU backend for larger ones"
            ),
            GpuError::NoPicture => f.write_str("the recording looks at a picture, and none was given"),
        }
    }
}

impl std::error::Error for GpuError {}

/// What runs the recordings, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterDescription {
    /// Name of the adapter as its driver gives it.
    pub name: String,
    /// `discrete GPU`, `integrated GPU`, `virtual GPU`, `software` or `unknown`.
    pub kind: &'static str,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// True for an adapter that computes on the CPU; the CPU backend is faster there.
    pub is_software: bool,
}

impl fmt::Display for AdapterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}, {}, {})",
            self.name, self.kind, self.backend, self.driver
        )
    }
}

/// What a device has been asked to do since it was opened. A frame of a recording adds one encoder, one pass and one
/// submission, and creates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Buffers, textures, layouts, modules, pipelines and bind groups.
    pub created: u64,
    /// Command encoders.
    pub encoders: u64,
    /// Compute passes.
    pub passes: u64,
    /// Kernel launches.
    pub dispatches: u64,
    /// Submissions.
    pub submits: u64,
    /// Bytes of inputs written to buffers.
    pub input_bytes: u64,
    /// Bytes of pixels written to textures.
    pub pixel_bytes: u64,
    /// Bytes copied to read-back buffers.
    pub read_back_bytes: u64,
}

/// An open device. Several replayers can share one.
#[derive(Clone, Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: AdapterDescription,
    /// Why the device is gone, once it is.
    lost: Arc<Mutex<Option<String>>>,
    counts: Arc<Mutex<Counts>>,
    /// Distinguishes pictures, so that bind groups made for one are never used for another.
    pictures: Arc<AtomicU64>,
}

impl Gpu {
    /// Opens the best adapter of this machine: discrete before integrated before virtual before software.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`] and [`GpuError::NoDevice`].
    pub fn open() -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
            .into_iter()
            .min_by_key(|adapter| preference(adapter.get_info().device_type))
            .ok_or(GpuError::NoAdapter)?;
        let description = describe(&adapter.get_info());
        // The defaults are what every WebGPU guarantees: a recording that runs here runs in a browser.
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("plumbline"),
            // Asks for nothing but a clock where there is one, for [`Replayer::profile`].
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| GpuError::NoDevice {
                adapter: description.to_string(),
                reason: error.to_string(),
            })?;
        let lost = Arc::new(Mutex::new(None));
        let (on_lost, on_error) = (lost.clone(), lost.clone());
        device.set_device_lost_callback(move |_, reason| note(&on_lost, reason));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            note(&on_error, error.to_string())
        }));
        Ok(Self {
            device,
            queue,
            adapter: description,
            lost,
            counts: Arc::default(),
            pictures: Arc::default(),
        })
    }

    /// What this device is.
    pub fn adapter(&self) -> &AdapterDescription {
        &self.adapter
    }

    /// What the device has been asked to do so far, by all that share it.
    pub fn counts(&self) -> Counts {
        self.counts
            .lock()
            .map_or_else(|_| Counts::default(), |counts| *counts)
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        if let Ok(mut counts) = self.counts.lock() {
            add(&mut counts);
        }
    }

    fn check(&self) -> Result<(), GpuError> {
        match self.lost.lock() {
            Ok(lost) => lost
                .clone()
                .map_or(Ok(()), |reason| Err(GpuError::DeviceLost(reason))),
            Err(_) => Err(GpuError::DeviceLost("its error handler panicked".into())),
        }
    }

    /// Runs `work` and turns what the device objects to into an error.
    fn guarded<T>(&self, what: impl Into<String>, work: impl FnOnce() -> T) -> Result<T, GpuError> {
        let invalid = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let result = work();
        let errors = [
            pollster::block_on(internal.pop()),
            pollster::block_on(memory.pop()),
            pollster::block_on(invalid.pop()),
        ];
        match errors.into_iter().flatten().next() {
            None => Ok(result),
            Some(error) => Err(GpuError::Rejected {
                what: what.into(),
                reason: error.to_string(),
            }),
        }
    }
}

fn note(slot: &Mutex<Option<String>>, reason: String) {
    if let Ok(mut slot) = slot.lock() {
        slot.get_or_insert(reason);
    }
}

fn preference(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

fn describe(info: &wgpu::AdapterInfo) -> AdapterDescription {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete GPU",
        wgpu::DeviceType::IntegratedGpu => "integrated GPU",
        wgpu::DeviceType::VirtualGpu => "virtual GPU",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "unknown",
    };
    AdapterDescription {
        name: info.name.clone(),
        kind,
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        is_software: info.device_type == wgpu::DeviceType::Cpu,
    }
}
