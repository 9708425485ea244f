//! A texture that frames are written into, for recordings that cut their input out of a picture.

use std::sync::atomic::Ordering;

use super::{Gpu, GpuError};
use crate::gpu::recording::MAX_TEXTURE_SIDE_PX;
use crate::image::{Frame, PixelFormat};

/// A picture on the GPU: 8 bits a channel, as many columns and rows as the frames that it takes.
#[derive(Debug)]
pub struct PictureTexture {
    gpu: Gpu,
    texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
    /// No other picture of the device has this number.
    pub(super) serial: u64,
    width_px: usize,
    height_px: usize,
    /// Rows of four bytes a pixel, where a frame has three.
    widened: Vec<u8>,
}

impl PictureTexture {
    /// An empty picture of this size.
    ///
    /// # Errors
    /// [`GpuError::PictureSize`], [`GpuError::Rejected`], [`GpuError::DeviceLost`].
    pub fn new(gpu: &Gpu, width_px: usize, height_px: usize) -> Result<Self, GpuError> {
        gpu.check()?;
        let is_taken = |side_px: usize| (1..=MAX_TEXTURE_SIDE_PX).contains(&side_px);
        if !is_taken(width_px) || !is_taken(height_px) {
            return Err(GpuError::PictureSize { width_px, height_px });
        }
        let texture = gpu.guarded("a texture for the frames", || {
            gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("picture"),
                size: extent(width_px, height_px),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            })
        })?;
        gpu.count(|counts| counts.created += 1);
        Ok(Self {
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            serial: gpu.pictures.fetch_add(1, Ordering::Relaxed),
            gpu: gpu.clone(),
            texture,
            width_px,
            height_px,
            widened: Vec::new(),
        })
    }

    /// Columns and rows.
    pub fn size_px(&self) -> (usize, usize) {
        (self.width_px, self.height_px)
    }

    /// Replaces the pixels. Frames submitted before still see the old ones.
    ///
    /// # Errors
    /// [`GpuError::PictureSize`] for a frame of another size, [`GpuError::Rejected`], [`GpuError::DeviceLost`].
    pub fn write(&mut self, frame: &Frame<'_>) -> Result<(), GpuError> {
        self.gpu.check()?;
        let (width_px, height_px) = (frame.width_px(), frame.height_px());
        if (width_px, height_px) != self.size_px() {
            return Err(GpuError::PictureSize { width_px, height_px });
        }
        let (pixels, stride) = match frame.format() {
            PixelFormat::Rgba8 => (frame.pixels(), frame.stride()),
            PixelFormat::Rgb8 => {
                self.widened.clear();
                for row in frame.pixels().chunks(frame.stride()).take(height_px) {
                    let pixels = row[..width_px * 3].as_chunks::<3>().0;
                    self.widened
                        .extend(pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 255]));
                }
                (self.widened.as_slice(), width_px * 4)
            }
        };
        self.gpu.guarded("the frame's pixels", || {
            self.gpu.queue.write_texture(
                self.texture.as_image_copy(),
                pixels,
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(stride as u32),
                    rows_per_image: None,
                },
                extent(width_px, height_px),
            );
        })?;
        self.gpu
            .count(|counts| counts.pixel_bytes += (width_px * height_px * 4) as u64);
        Ok(())
    }
}

fn extent(width_px: usize, height_px: usize) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width: width_px as u32,
        height: height_px as u32,
        depth_or_array_layers: 1,
    }
}
