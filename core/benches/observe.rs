//! What watching costs a frame: its picture's statistics, and its place in the numbers of a session, block ends included.
//!
//! `cargo bench -p plumbline_core --bench observe`. The budget of a frame in the browser is 0.3 ms for both.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    native::run();
}

/// Criterion needs threads and files; in a browser the page measures itself.
#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use criterion::Criterion;
    use plumbline_core::geometry::{ImageSize, Point2};
    use plumbline_core::monitor::blocks::BlockLength;
    use plumbline_core::monitor::features::FrameFacts;
    use plumbline_core::monitor::online::Online;
    use plumbline_core::monitor::probe::ImageProbe;
    use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
    use plumbline_core::roi::RotatedRect;
    use plumbline_core::statistics::Random;

    const IMAGE: ImageSize = ImageSize {
        width_px: 1280,
        height_px: 720,
    };

    fn pose(random: &mut Random) -> Pose {
        let mut number = || random.uniform() as f32;
        Pose {
            landmarks: std::array::from_fn(|_| Landmark {
                x_px: 1280.0 * number(),
                y_px: 720.0 * number(),
                z_px: 0.0,
                visibility: number(),
                presence: number(),
            }),
            world: std::array::from_fn(|_| WorldLandmark {
                x_m: number(),
                y_m: number(),
                z_m: number(),
                ..WorldLandmark::default()
            }),
            region: RotatedRect {
                center: Point2::new(640.0, 360.0),
                width_px: 700.0,
                height_px: 700.0,
                rotation: 0.0,
            },
            score: number(),
        }
    }

    pub fn run() {
        let mut criterion = Criterion::default().configure_from_args();
        let mut random = Random::new(1);
        let poses: Vec<Pose> = (0..64).map(|_| pose(&mut random)).collect();
        let pixels: Vec<u8> = (0..IMAGE.width_px * IMAGE.height_px * 4)
            .map(|_| random.bits() as u8)
            .collect();
        criterion.bench_function("probe of a 720p picture", |bencher| {
            bencher.iter(|| ImageProbe::of(&pixels, IMAGE, 4));
        });
        let probe = ImageProbe::of(&pixels, IMAGE, 4);
        let mut online = Online::new(BlockLength::Seconds(5.0));
        let mut frame = 0_u32;
        criterion.bench_function("observe a frame", |bencher| {
            bencher.iter(|| {
                frame += 1;
                // A session that gathers for a reference: after 480 blocks it would not.
                if frame.is_multiple_of(60_000) {
                    online = Online::new(BlockLength::Seconds(5.0));
                }
                let facts = FrameFacts {
                    pose: Some(&poses[frame as usize % poses.len()]),
                    probe,
                    ..FrameFacts::bare(f64::from(frame) / 30.0, IMAGE, 12.0)
                };
                online.observe(&facts)
            });
        });
    }
}
