//! One recording on one device.
//!
//! In: a [`Recording`] once, then for each frame the contents of its inputs, and a picture where its shaders look at
//! one. Out: a [`Reading`], which gives the outputs when the device has come so far. A frame is one encoder, one
//! compute pass and one submission; nothing but the encoder is created for it. Read-back buffers form a ring, so that
//! a frame can be submitted before the one before it is read.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use super::picture::PictureTexture;
use super::{Gpu, GpuError};
use crate::gpu::recording::{Access, BindGroup, Dispatch, Recording};

/// Frames that may be on their way at once.
const RING: usize = 3;
/// What of a buffer's first contents is on its way to the device at once.
const UPLOAD_BYTES: usize = 32 << 20;
/// Pictures whose bind groups are kept: those of a ring, and as many before a change of size.
const KEPT_PICTURES: usize = 2 * RING;

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

    /// The output with this name as words of 32 bits, whatever its elements make of them.
    pub fn get_words(&self, name: &str) -> Option<&[u32]> {
        self.get(name).map(bytemuck::cast_slice)
    }

    /// Names and elements, in the order of the recording.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.tensors
            .iter()
            .map(|(name, data)| (name.as_str(), data.as_slice()))
    }
}

/// A read-back buffer, and whether a frame owns it.
#[derive(Clone, Debug)]
struct Slot {
    buffer: wgpu::Buffer,
    is_taken: Arc<AtomicBool>,
}

/// A frame on its way. Dropped unread, it gives its read-back buffer back.
#[derive(Debug)]
pub struct Reading {
    gpu: Gpu,
    recording: Arc<Recording>,
    slot: Slot,
    submission: wgpu::SubmissionIndex,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Reading {
    /// Waits for this frame, and for none that was submitted later; gives its outputs by name.
    ///
    /// # Errors
    /// [`GpuError::DeviceLost`].
    pub fn wait(self) -> Result<Outputs, GpuError> {
        let recording = self.recording.clone();
        let words = self.wait_for_words()?;
        let tensors = recording.outputs.iter().map(|port| {
            let start = port.read_back_offset as usize / 4;
            (port.name.clone(), words[start..start + port.len].to_vec())
        });
        Ok(Outputs {
            tensors: tensors.collect(),
        })
    }

    /// As [`Self::wait`], but gives all outputs as one, each at its offset in the read-back buffer.
    ///
    /// # Errors
    /// [`GpuError::DeviceLost`].
    pub fn wait_for_words(self) -> Result<Vec<f32>, GpuError> {
        let lost = |reason: String| GpuError::DeviceLost(reason);
        let wait = wgpu::PollType::Wait {
            submission_index: Some(self.submission.clone()),
            timeout: None,
        };
        self.gpu
            .device
            .poll(wait)
            .map_err(|error| lost(error.to_string()))?;
        self.gpu.check()?;
        match self.mapped.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(lost(error.to_string())),
            Err(_) => return Err(lost("it answered no request to read".into())),
        }
        let view = self
            .slot
            .buffer
            .get_mapped_range(..)
            .map_err(|error| lost(error.to_string()))?;
        Ok(bytemuck::pod_collect_to_vec(&view))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.slot.buffer.unmap();
        self.slot.is_taken.store(false, Ordering::Relaxed);
    }
}

/// A bind group that is made once, or one for each picture.
#[derive(Debug)]
enum Bound {
    Fixed(wgpu::BindGroup),
    /// By the picture's serial number, oldest first.
    ByPicture(VecDeque<(u64, wgpu::BindGroup)>),
}

/// One recording on one device.
#[derive(Debug)]
pub struct Replayer {
    pub(super) gpu: Gpu,
    pub(super) recording: Arc<Recording>,
    buffers: Vec<wgpu::Buffer>,
    layouts: Vec<wgpu::BindGroupLayout>,
    pipelines: Vec<wgpu::ComputePipeline>,
    bind_groups: Vec<Bound>,
    ring: Vec<Slot>,
    next: usize,
    pending: VecDeque<Reading>,
}

impl Replayer {
    /// Creates buffers, pipelines (on all cores) and bind groups. What the buffers hold at first is let go once the
    /// device has it.
    ///
    /// # Errors
    /// [`GpuError::Rejected`] with the shader or the buffer that the device refuses;
    /// [`GpuError::DeviceLost`].
    pub fn new(gpu: &Gpu, mut recording: Recording) -> Result<Self, GpuError> {
        gpu.check()?;
        let buffers = gpu.guarded("the buffers", || create_buffers(gpu, &mut recording))?;
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
                    let accesses = &recording.shaders[group.shader].bindings;
                    if accesses.iter().all(|access| access.is_buffer()) {
                        let layout = &layouts[group.shader];
                        Bound::Fixed(create_bind_group(gpu, group, accesses, layout, &buffers, None))
                    } else {
                        Bound::ByPicture(VecDeque::with_capacity(KEPT_PICTURES))
                    }
                })
                .collect()
        })?;
        let ring = gpu.guarded("the read-back buffers", || {
            (0..RING)
                .map(|_| Slot {
                    buffer: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some("read-back"),
                        size: recording.read_back_bytes,
                        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    }),
                    is_taken: Arc::default(),
                })
                .collect()
        })?;
        gpu.count(|counts| counts.created += RING as u64);
        Ok(Self {
            gpu: gpu.clone(),
            buffers,
            layouts,
            recording: Arc::new(recording),
            pipelines,
            bind_groups,
            ring,
            next: 0,
            pending: VecDeque::with_capacity(RING),
        })
    }

    /// What this replayer plays, without the contents of its buffers.
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
    /// Those of [`Self::start`].
    pub fn submit(&mut self, inputs: &[&[f32]]) -> Result<(), GpuError> {
        let reading = self.start(None, inputs)?;
        self.pending.push_back(reading);
        Ok(())
    }

    /// Waits for the oldest frame of [`Self::submit`] on its way and returns its outputs.
    ///
    /// # Errors
    /// [`GpuError::OutOfTurn`] when no frame is on its way, [`GpuError::DeviceLost`].
    pub fn receive(&mut self) -> Result<Outputs, GpuError> {
        self.pending
            .pop_front()
            .ok_or(GpuError::OutOfTurn("no frame is on its way; submit one first"))?
            .wait()
    }

    /// Sends a frame to the device and returns at once with what will read it. The picture's pixels are those that it
    /// has now; it may be written again before the frame has run.
    ///
    /// # Errors
    /// [`GpuError::WrongInput`], [`GpuError::NoPicture`], [`GpuError::OutOfTurn`] when three frames are on their
    /// way, [`GpuError::Rejected`], [`GpuError::DeviceLost`].
    pub fn start(
        &mut self,
        picture: Option<&PictureTexture>,
        inputs: &[&[f32]],
    ) -> Result<Reading, GpuError> {
        self.gpu.check()?;
        self.check_inputs(inputs)?;
        let slot = self.ring[self.next].clone();
        if slot.is_taken.load(Ordering::Relaxed) {
            return Err(GpuError::OutOfTurn(
                "three frames are on their way already; receive one first",
            ));
        }
        self.bind_picture(picture)?;
        let gpu = self.gpu.clone();
        let submission = gpu.guarded("the frame", || self.encode(picture, inputs, &slot.buffer))?;
        let (sender, mapped) = mpsc::channel();
        slot.buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone when the reading was dropped.
            let _ = sender.send(result);
        });
        slot.is_taken.store(true, Ordering::Relaxed);
        self.next = (self.next + 1) % RING;
        Ok(Reading {
            gpu,
            recording: self.recording.clone(),
            slot,
            submission,
            mapped,
        })
    }

    pub(super) fn check_inputs(&self, inputs: &[&[f32]]) -> Result<(), GpuError> {
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
        Ok(())
    }

    pub(super) fn write_inputs(&self, inputs: &[&[f32]]) {
        for (port, data) in self.recording.inputs.iter().zip(inputs) {
            let bytes = bytemuck::cast_slice(data);
            self.gpu
                .queue
                .write_buffer(&self.buffers[port.buffer], port.offset, bytes);
        }
    }

    /// Puts a dispatch into a pass; its pipeline is set anew.
    pub(super) fn issue(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        dispatch: &Dispatch,
        picture: Option<&PictureTexture>,
    ) {
        pass.set_pipeline(&self.pipelines[dispatch.shader]);
        self.issue_with_pipeline(pass, dispatch, picture);
    }

    /// Puts a dispatch into a pass whose pipeline is set already.
    fn issue_with_pipeline(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        dispatch: &Dispatch,
        picture: Option<&PictureTexture>,
    ) {
        let group = match &self.bind_groups[dispatch.bind_group] {
            Bound::Fixed(group) => Some(group),
            Bound::ByPicture(known) => known
                .iter()
                .find(|(serial, _)| picture.is_some_and(|picture| picture.serial == *serial))
                .map(|(_, group)| group),
        };
        pass.set_bind_group(0, group, &[]);
        let [x, y, z] = dispatch.workgroups;
        pass.dispatch_workgroups(x, y, z);
    }

    /// Makes the bind groups of a picture that has not been seen before.
    fn bind_picture(&mut self, picture: Option<&PictureTexture>) -> Result<(), GpuError> {
        for (group, bound) in self.recording.bind_groups.iter().zip(&mut self.bind_groups) {
            let Bound::ByPicture(known) = bound else { continue };
            let picture = picture.ok_or(GpuError::NoPicture)?;
            if known.iter().any(|(serial, _)| *serial == picture.serial) {
                continue;
            }
            let made = self.gpu.guarded("the frame's bind group", || {
                create_bind_group(
                    &self.gpu,
                    group,
                    &self.recording.shaders[group.shader].bindings,
                    &self.layouts[group.shader],
                    &self.buffers,
                    Some(picture),
                )
            })?;
            if known.len() == KEPT_PICTURES {
                known.pop_front();
            }
            known.push_back((picture.serial, made));
        }
        Ok(())
    }

    fn encode(
        &self,
        picture: Option<&PictureTexture>,
        inputs: &[&[f32]],
        read_back: &wgpu::Buffer,
    ) -> wgpu::SubmissionIndex {
        let Gpu { device, queue, .. } = &self.gpu;
        self.write_inputs(inputs);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut current = None;
        for dispatch in &self.recording.dispatches {
            if current == Some(dispatch.shader) {
                self.issue_with_pipeline(&mut pass, dispatch, picture);
            } else {
                self.issue(&mut pass, dispatch, picture);
                current = Some(dispatch.shader);
            }
        }
        drop(pass);
        for port in &self.recording.outputs {
            encoder.copy_buffer_to_buffer(
                &self.buffers[port.buffer],
                port.offset,
                read_back,
                port.read_back_offset,
                port.len as u64 * 4,
            );
        }
        let submission = queue.submit([encoder.finish()]);
        self.gpu.count(|counts| {
            counts.encoders += 1;
            counts.passes += 1;
            counts.dispatches += self.recording.dispatches.len() as u64;
            counts.submits += 1;
            counts.input_bytes += self
                .recording
                .inputs
                .iter()
                .map(|port| port.len as u64 * 4)
                .sum::<u64>();
            counts.read_back_bytes += self
                .recording
                .outputs
                .iter()
                .map(|port| port.len as u64 * 4)
                .sum::<u64>();
        });
        submission
    }
}

fn create_bind_group(
    gpu: &Gpu,
    group: &BindGroup,
    accesses: &[Access],
    layout: &wgpu::BindGroupLayout,
    buffers: &[wgpu::Buffer],
    picture: Option<&PictureTexture>,
) -> wgpu::BindGroup {
    let mut ranges = group.bindings.iter();
    let entries: Vec<wgpu::BindGroupEntry<'_>> = accesses
        .iter()
        .enumerate()
        .filter_map(|(i, access)| {
            let resource = match access {
                Access::Read | Access::ReadWrite => {
                    let range = ranges.next()?;
                    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &buffers[range.buffer],
                        offset: range.offset,
                        size: std::num::NonZeroU64::new(range.bytes),
                    })
                }
                Access::Texture | Access::ExternalTexture => {
                    wgpu::BindingResource::TextureView(&picture?.view)
                }
            };
            Some(wgpu::BindGroupEntry {
                binding: i as u32,
                resource,
            })
        })
        .collect();
    gpu.count(|counts| counts.created += 1);
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout,
        entries: &entries,
    })
}

fn create_buffers(gpu: &Gpu, recording: &mut Recording) -> Vec<wgpu::Buffer> {
    recording
        .buffers
        .iter_mut()
        .map(|plain| {
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(plain.label),
                size: plain.bytes,
                usage: wgpu::BufferUsages::STORAGE
                    | wgpu::BufferUsages::COPY_SRC
                    | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let contents = std::mem::take(&mut plain.contents);
            for (number, part) in contents.chunks(UPLOAD_BYTES).enumerate() {
                let offset = (number * UPLOAD_BYTES) as u64;
                gpu.queue.write_buffer(&buffer, offset, part);
                // The device copies what was written before: a driver would hold all of it a second time till then. It
                // is asked again with the frame whether it is lost.
                if part.len() == UPLOAD_BYTES {
                    gpu.queue.submit([]);
                    let _ = gpu.device.poll(wgpu::PollType::wait_indefinitely());
                }
            }
            gpu.count(|counts| counts.created += 1);
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
            ty: match access {
                Access::Read | Access::ReadWrite => wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage {
                        read_only: *access == Access::Read,
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                Access::Texture => wgpu::BindingType::Texture {
                    sample_type: wgpu::TextureSampleType::Float { filterable: false },
                    view_dimension: wgpu::TextureViewDimension::D2,
                    multisampled: false,
                },
                Access::ExternalTexture => wgpu::BindingType::ExternalTexture,
            },
            count: None,
        })
        .collect();
    gpu.count(|counts| counts.created += 1);
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
    // Module, layout, pipeline.
    gpu.count(|counts| counts.created += 3);
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
