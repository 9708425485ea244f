//! How long each kernel takes, by the device's own clock.
//!
//! Every dispatch runs in a compute pass of its own with a timestamp at either end, so the sum is longer than a frame:
//! passes that follow each other inside one frame overlap on hardware, and these do not.

use super::replayer::Replayer;
use super::{Gpu, GpuError};

/// Timestamps that one query set holds: WebGPU's limit.
const MAX_TIMESTAMPS: usize = 4096;

impl Replayer {
    /// Runs a frame on these inputs with a stopwatch around each dispatch; gives nanoseconds, one a dispatch, in the
    /// order of the recording.
    ///
    /// # Errors
    /// [`GpuError::Rejected`] where the adapter has no timestamps, or the recording looks at a picture or has more
    /// dispatches than a query set has room for; [`GpuError::WrongInput`]; [`GpuError::DeviceLost`].
    pub fn profile(&mut self, inputs: &[&[f32]]) -> Result<Vec<f64>, GpuError> {
        self.gpu.check()?;
        self.check_inputs(inputs)?;
        let count = 2 * self.recording.dispatches.len();
        let refused = |reason: &str| GpuError::Rejected {
            what: "timestamps".into(),
            reason: reason.into(),
        };
        if !self
            .gpu
            .device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY)
        {
            return Err(refused("this adapter has none"));
        }
        if count > MAX_TIMESTAMPS {
            return Err(refused("the recording has too many dispatches"));
        }
        let gpu = self.gpu.clone();
        let (buffer, period_nanos) = gpu.guarded("the timed frame", || {
            self.encode_timed(&gpu, inputs, count as u32)
        })?;
        let (sender, mapped) = std::sync::mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody waits any more when the caller has given up.
            let _ = sender.send(result);
        });
        let lost = |reason: String| GpuError::DeviceLost(reason);
        gpu.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| lost(error.to_string()))?;
        gpu.check()?;
        mapped
            .recv()
            .map_err(|error| lost(error.to_string()))?
            .map_err(|error| lost(error.to_string()))?;
        let view = buffer
            .get_mapped_range(..)
            .map_err(|error| lost(error.to_string()))?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&view);
        Ok(ticks
            .chunks_exact(2)
            .map(|pair| pair[1].saturating_sub(pair[0]) as f64 * period_nanos)
            .collect())
    }

    /// Submits the frame; gives the buffer that the ticks arrive in, and how many nanoseconds a tick is.
    fn encode_timed(&self, gpu: &Gpu, inputs: &[&[f32]], count: u32) -> (wgpu::Buffer, f64) {
        let bytes = u64::from(count) * 8;
        let buffer = |usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let readable = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timestamps"),
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        self.write_inputs(inputs);
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (index, dispatch) in self.recording.dispatches.iter().enumerate() {
            let first = 2 * index as u32;
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(first),
                    end_of_pass_write_index: Some(first + 1),
                }),
            });
            self.issue(&mut pass, dispatch, None);
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &readable, 0, bytes);
        gpu.queue.submit([encoder.finish()]);
        (readable, f64::from(gpu.queue.get_timestamp_period()))
    }
}
