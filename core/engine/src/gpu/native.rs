//! Replays recordings through wgpu: on Vulkan, Metal or Direct3D, for tests and the command line.
//!
//! In: a [`Recording`] once, then one slice of f32 per input and frame. Out: the outputs of the frame. A
//! frame is one encoder, one compute pass and one submission; nothing but the encoder is created for it.
//! Read-back buffers form a ring, so that a frame can be submitted before the one before it is read.
//!
//! The browser has its own replayer in JavaScript: wgpu's web backend cannot compile pipelines
//! asynchronously.

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use super::recording::{ARENA, Access, Recording};

/// Frames that may be on their way at once.
const RING: usize = 3;

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

/// An open device. Several replayers can share one.
#[derive(Clone, Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: AdapterDescription,
    /// Why the device is gone, once it is.
    lost: Arc<Mutex<Option<String>>>,
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
        })
    }

    /// What this device is.
    pub fn adapter(&self) -> &AdapterDescription {
        &self.adapter
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

/// The tensors of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    tensors: Vec<(String, Vec<f32>)>,
}

impl Outputs {
    /// The output with this name.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, data)| data)
    }

    /// Names and elements, in the order of the recording.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.tensors
            .iter()
            .map(|(name, data)| (name.as_str(), data.as_slice()))
    }
}

/// A frame on its way: its read-back buffer, and where the device reports that it is mapped.
type Pending = (usize, mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>);

/// One recording on one device.
#[derive(Debug)]
pub struct Replayer {
    gpu: Gpu,
    recording: Arc<Recording>,
    arena: wgpu::Buffer,
    pipelines: Vec<wgpu::ComputePipeline>,
    bind_groups: Vec<wgpu::BindGroup>,
    ring: Vec<wgpu::Buffer>,
    next: usize,
    pending: VecDeque<Pending>,
}

impl Replayer {
    /// Creates buffers, pipelines (on all cores) and bind groups.
    ///
    /// # Errors
    /// [`GpuError::Rejected`] with the shader or the buffer that the device refuses;
    /// [`GpuError::DeviceLost`].
    pub fn new(gpu: &Gpu, recording: Recording) -> Result<Self, GpuError> {
        gpu.check()?;
        let buffers = gpu.guarded("the buffers", || create_buffers(gpu, &recording))?;
        let layouts: Vec<wgpu::BindGroupLayout> = recording
            .shaders
            .iter()
            .map(|shader| create_layout(gpu, &shader.bindings))
            .collect();
        let pipelines = create_pipelines(gpu, &recording, &layouts)?;
        let bind_groups = gpu.guarded("the bind groups", || {
            recording
                .bind_groups
                .iter()
                .map(|group| {
                    let entries: Vec<wgpu::BindGroupEntry<'_>> = group
                        .bindings
                        .iter()
                        .enumerate()
                        .map(|(i, binding)| wgpu::BindGroupEntry {
                            binding: i as u32,
                            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                                buffer: &buffers[binding.buffer],
                                offset: binding.offset,
                                size: std::num::NonZeroU64::new(binding.bytes),
                            }),
                        })
                        .collect();
                    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: None,
                        layout: &layouts[group.shader],
                        entries: &entries,
                    })
                })
                .collect()
        })?;
        let ring = gpu.guarded("the read-back buffers", || {
            (0..RING)
                .map(|_| {
                    gpu.device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some("read-back"),
                        size: recording.read_back_bytes,
                        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    })
                })
                .collect()
        })?;
        Ok(Self {
            gpu: gpu.clone(),
            arena: buffers[ARENA].clone(),
            recording: Arc::new(recording),
            pipelines,
            bind_groups,
            ring,
            next: 0,
            pending: VecDeque::with_capacity(RING),
        })
    }

    /// What this replayer plays.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// One frame, from inputs to outputs.
    ///
    /// # Errors
    /// Those of [`Self::submit`] and [`Self::receive`].
    pub fn run(&mut self, inputs: &[&[f32]]) -> Result<Outputs, GpuError> {
        self.submit(inputs)?;
        self.receive()
    }

    /// Sends a frame to the device and returns at once. Up to three frames may be on their way.
    ///
    /// # Errors
    /// [`GpuError::WrongInput`], [`GpuError::OutOfTurn`] when the ring is full, [`GpuError::Rejected`],
    /// [`GpuError::DeviceLost`].
    pub fn submit(&mut self, inputs: &[&[f32]]) -> Result<(), GpuError> {
        self.gpu.check()?;
        if self.pending.len() == RING {
            return Err(GpuError::OutOfTurn(
                "three frames are on their way already; receive one first",
            ));
        }
        for (i, port) in self.recording.inputs.iter().enumerate() {
            let given = inputs.get(i).map_or(0, |data| data.len());
            if given != port.len {
                return Err(GpuError::WrongInput {
                    name: port.name.clone(),
                    expected: port.len,
                    given,
                });
            }
        }
        let slot = self.next;
        let gpu = self.gpu.clone();
        gpu.guarded("the frame", || self.encode(inputs, slot))?;
        let (sender, receiver) = mpsc::channel();
        self.ring[slot].map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone when the replayer was dropped with frames on their way.
            let _ = sender.send(result);
        });
        self.pending.push_back((slot, receiver));
        self.next = (slot + 1) % RING;
        Ok(())
    }

    /// Waits for the oldest frame on its way and returns its outputs.
    ///
    /// # Errors
    /// [`GpuError::OutOfTurn`] when no frame is on its way, [`GpuError::DeviceLost`].
    pub fn receive(&mut self) -> Result<Outputs, GpuError> {
        let (slot, mapped) = self
            .pending
            .pop_front()
            .ok_or(GpuError::OutOfTurn("no frame is on its way; submit one first"))?;
        let lost = |reason: String| GpuError::DeviceLost(reason);
        self.gpu
            .device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| lost(error.to_string()))?;
        self.gpu.check()?;
        match mapped.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(lost(error.to_string())),
            Err(_) => return Err(lost("it answered no request to read".into())),
        }
        let buffer = &self.ring[slot];
        let view = buffer
            .get_mapped_range(..)
            .map_err(|error| lost(error.to_string()))?;
        let tensors = self
            .recording
            .outputs
            .iter()
            .map(|port| {
                let start = port.read_back_offset as usize;
                let bytes = &view[start..start + port.len * 4];
                (port.name.clone(), bytemuck::pod_collect_to_vec(bytes))
            })
            .collect();
        drop(view);
        buffer.unmap();
        Ok(Outputs { tensors })
    }

    fn encode(&self, inputs: &[&[f32]], slot: usize) {
        for (port, data) in self.recording.inputs.iter().zip(inputs) {
            self.gpu
                .queue
                .write_buffer(&self.arena, port.arena_offset, bytemuck::cast_slice(data));
        }
        let mut encoder = self
            .gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut current = None;
        for dispatch in &self.recording.dispatches {
            if current != Some(dispatch.shader) {
                pass.set_pipeline(&self.pipelines[dispatch.shader]);
                current = Some(dispatch.shader);
            }
            pass.set_bind_group(0, &self.bind_groups[dispatch.bind_group], &[]);
            let [x, y, z] = dispatch.workgroups;
            pass.dispatch_workgroups(x, y, z);
        }
        drop(pass);
        for port in &self.recording.outputs {
            encoder.copy_buffer_to_buffer(
                &self.arena,
                port.arena_offset,
                &self.ring[slot],
                port.read_back_offset,
                port.len as u64 * 4,
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
    }
}

fn create_buffers(gpu: &Gpu, recording: &Recording) -> Vec<wgpu::Buffer> {
    recording
        .buffers
        .iter()
        .map(|plain| {
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(plain.label),
                size: plain.bytes,
                usage: wgpu::BufferUsages::STORAGE
                    | wgpu::BufferUsages::COPY_SRC
                    | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            if !plain.contents.is_empty() {
                gpu.queue.write_buffer(&buffer, 0, &plain.contents);
            }
            buffer
        })
        .collect()
}

fn create_layout(gpu: &Gpu, accesses: &[Access]) -> wgpu::BindGroupLayout {
    let entries: Vec<wgpu::BindGroupLayoutEntry> = accesses
        .iter()
        .enumerate()
        .map(|(i, access)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage {
                    read_only: *access == Access::Read,
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    gpu.device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        })
}

/// Compiles all shaders, spread over the cores: a driver takes milliseconds for each.
fn create_pipelines(
    gpu: &Gpu,
    recording: &Recording,
    layouts: &[wgpu::BindGroupLayout],
) -> Result<Vec<wgpu::ComputePipeline>, GpuError> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let per_thread = recording.shaders.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = recording
            .shaders
            .chunks(per_thread)
            .zip(layouts.chunks(per_thread))
            .map(|(shaders, layouts)| {
                scope.spawn(move || {
                    shaders
                        .iter()
                        .zip(layouts)
                        .map(|(shader, layout)| {
                            gpu.guarded(&shader.label, || {
                                create_pipeline(gpu, &shader.label, &shader.text, layout)
                            })
                        })
                        .collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let mut pipelines = Vec::with_capacity(recording.shaders.len());
        for worker in workers {
            let compiled = worker.join().map_err(|_| GpuError::Rejected {
                what: "the shaders".into(),
                reason: "the compiler panicked".into(),
            })?;
            pipelines.extend(compiled?);
        }
        Ok(pipelines)
    })
}

fn create_pipeline(
    gpu: &Gpu,
    label: &str,
    text: &str,
    layout: &wgpu::BindGroupLayout,
) -> wgpu::ComputePipeline {
    let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    let layout = gpu
        .device
        .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(layout)],
            immediate_size: 0,
        });
    gpu.device
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: Default::default(),
            cache: None,
        })
}
