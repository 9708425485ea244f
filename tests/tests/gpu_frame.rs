//! A tracked frame on the GPU against the CPU pipeline, with the real models on the drawn person's clip: the same
//! skeletons, nothing created, little read back, and no waiting for a frame before the next one is sent.

use plumb::backend::{AnyPipeline, Backend, Device, LandmarkModel, mask_pipeline, pose_pipeline};
use plumb::manifest;
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::gpu::native::{Counts, Gpu};
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_figure::{Picture, demo};
use plumbline_pipeline::gpu::GpuPosePipeline;
use plumbline_pipeline::gpu::native::NativeFrames;
use plumbline_pipeline::{Target, Variant, plan_detector, plan_landmarks, plan_landmarks_and_mask};
use plumbline_tests::{report, skip};

/// Frames of the demo clip that a test looks at: a squat and a half.
const FRAMES: usize = 36;
/// At first both backends look at the same region.
const FIRST_FRAMES: usize = 3;
/// Of a mask that is read back, a byte a pixel.
const LEVEL: f32 = 1.0 / 255.0;

fn clip(frames: usize) -> Vec<(Picture, Timestamp)> {
    let clip = demo::clip();
    let picture = |frame| {
        (
            clip.still(frame).draw(),
            Timestamp::from_secs(clip.time_secs(frame)),
        )
    };
    (0..frames).map(picture).collect()
}

fn frame(picture: &Picture) -> Frame<'_> {
    Frame::packed(
        &picture.rgb,
        picture.width_px,
        picture.height_px,
        PixelFormat::Rgb8,
    )
    .expect("a drawn picture has pixels")
}

/// The pipeline of a GPU, or the reason why there is none.
fn on_gpu(model: LandmarkModel) -> Option<Box<GpuPosePipeline<NativeFrames>>> {
    let device = match Device::open(Backend::Gpu) {
        Ok(device) => device,
        Err(sentence) => {
            skip(&sentence);
            return None;
        }
    };
    match pose_pipeline(&device, model, Mode::Tracking) {
        Ok(AnyPipeline::Gpu(pipeline)) => Some(pipeline),
        Ok(AnyPipeline::Cpu(_)) => panic!("the GPU was asked for"),
        Err(sentence) => panic!("{sentence}"),
    }
}

fn receive(pipeline: &mut GpuPosePipeline<NativeFrames>) -> Option<Pose> {
    pollster::block_on(pipeline.receive())
        .expect("the GPU runs BlazePose")
        .pose
}

/// Every landmark's distance from the CPU's, px.
fn distances_px(found: &Pose, expected: &Pose) -> Vec<f32> {
    let points = found.landmarks.iter().zip(&expected.landmarks);
    points
        .map(|(a, b)| a.point_in_image().distance(b.point_in_image()))
        .collect()
}

#[test]
fn the_clip_has_the_cpus_skeletons_and_frames_overlap() {
    let Some(mut on_gpu) = on_gpu(LandmarkModel::Lite) else {
        return;
    };
    let mut on_cpu =
        pose_pipeline(&Device::Cpu, LandmarkModel::Lite, Mode::Tracking).expect("the CPU runs BlazePose");
    let clip = clip(FRAMES);
    let mut found = Vec::new();
    let counts = |pipeline: &GpuPosePipeline<NativeFrames>| pipeline.gpu().device().counts();
    for (index, (picture, time)) in clip.iter().enumerate() {
        let before = counts(&on_gpu);
        on_gpu.submit(frame(picture), *time).expect("room");
        if index < 2 {
            // The detector's turn, and the second picture's own bind group.
            found.push(receive(&mut on_gpu));
            continue;
        }
        // One submission, though the frame before has not been read.
        let after = counts(&on_gpu);
        let pixel_bytes = (picture.width_px * picture.height_px * 4) as u64;
        let expected = Counts {
            encoders: before.encoders + 1,
            passes: before.passes + 1,
            dispatches: after.dispatches,
            submits: before.submits + 1,
            input_bytes: before.input_bytes + 68,
            pixel_bytes: before.pixel_bytes + pixel_bytes,
            read_back_bytes: before.read_back_bytes + 1136,
            created: before.created,
        };
        assert_eq!(after, expected, "frame {index}");
        if index > 2 {
            found.push(receive(&mut on_gpu));
        }
    }
    found.push(receive(&mut on_gpu));
    assert_eq!(on_gpu.in_flight(), 0);

    let (mut first, mut all) = (Vec::new(), Vec::new());
    for (index, ((picture, time), found)) in clip.iter().zip(&found).enumerate() {
        let result = pollster::block_on(on_cpu.process(&frame(picture), *time));
        let expected = result
            .expect("the CPU runs BlazePose")
            .pose
            .expect("she is in each frame");
        let found = found.as_ref().expect("she is in each frame");
        let distances = distances_px(found, &expected);
        if index < FIRST_FRAMES {
            first.extend(distances.iter().copied());
        }
        all.extend(distances);
    }
    first.sort_by(f32::total_cmp);
    all.sort_by(f32::total_cmp);
    let (first_max, median, p99) = (
        first[first.len() - 1],
        all[all.len() / 2],
        all[all.len() * 99 / 100],
    );
    report(&format!(
        "GPU frame against the CPU pipeline, lite, {FRAMES} frames: first {FIRST_FRAMES} frames {first_max:.4} px at \
         most, then median {median:.4}, p99 {p99:.3} px"
    ));
    assert!(first_max <= 0.1, "first frames: {first_max} px");
    assert!(median <= 0.1 && p99 <= 2.0, "median {median} px, p99 {p99} px");
}

/// A frame with the person's mask is one submission as well, and its mask is the CPU's to a grey level, but for a few pixels of the
/// edge: they answer to single grey levels of the picture, which regions that differ by a thousandth of a pixel change.
#[test]
fn a_frame_with_its_mask_is_one_submission_and_the_mask_is_the_cpus() {
    let device = match Gpu::open() {
        Ok(device) => device,
        Err(error) => return skip(&error.to_string()),
    };
    let bytes = |name| manifest::read_model(name).unwrap_or_else(|error| panic!("{error}"));
    let target = Target::Gpu(Variant::SOFTWARE);
    let detector = plan_detector(&bytes("detector"), target).expect("the detector");
    let landmarks = plan_landmarks_and_mask(&bytes("lite"), target).expect("lite");
    let frames = NativeFrames::new(&device, &detector, &landmarks).expect("both models");
    let mut on_gpu = GpuPosePipeline::new(frames, Mode::Tracking, Box::new(|| 0.0));
    let mut on_cpu = mask_pipeline(LandmarkModel::Lite, Mode::Tracking).expect("the CPU runs BlazePose");
    let mut differences = Vec::new();
    for (index, (picture, time)) in clip(FIRST_FRAMES).iter().enumerate() {
        let before = on_gpu.gpu().device().counts();
        on_gpu.submit(frame(picture), *time).expect("room");
        let after = on_gpu.gpu().device().counts();
        if index == 2 {
            assert_eq!(after.submits, before.submits + 1);
            assert_eq!(after.created, before.created);
            let mask_bytes = 256 * 256;
            assert_eq!(after.read_back_bytes, before.read_back_bytes + 1136 + mask_bytes);
        }
        let found = pollster::block_on(on_gpu.receive()).expect("the GPU runs BlazePose");
        let expected = pollster::block_on(on_cpu.process(&frame(picture), *time));
        let expected = expected.expect("the CPU runs BlazePose").mask.expect("a mask");
        let found = found.mask.expect("a mask");
        let pairs = found.values().iter().zip(expected.values());
        differences.extend(pairs.map(|(a, b)| (a - b).abs()));
        let moved = found.region().center.distance(expected.region().center);
        assert!(moved < 0.05, "frame {index}: cut out {moved} px away");
    }
    differences.sort_by(f32::total_cmp);
    let (most, largest) = (
        differences[differences.len() / 1000 * 999],
        differences[differences.len() - 1],
    );
    report(&format!(
        "GPU mask against the CPU's, lite, {FIRST_FRAMES} frames: 99.9 % within {most:.4}, largest {largest:.3}"
    ));
    assert!(most <= LEVEL, "{most}");
    // Nobody in the picture: nobody in the mask.
    let (width_px, height_px) = (320, 240);
    let grey = vec![128; width_px * height_px * 3];
    let empty = Frame::packed(&grey, width_px, height_px, PixelFormat::Rgb8).expect("a picture");
    on_gpu.submit(empty, Timestamp::from_secs(1.0)).expect("room");
    let nobody = pollster::block_on(on_gpu.receive()).expect("the GPU runs BlazePose");
    assert_eq!((nobody.pose, nobody.mask), (None, None));
}

/// The work around the model fits the plan that real GPUs get, fused to the end, as well as the one for software.
#[test]
fn fused_plans_give_the_same_frames() {
    let device = match Gpu::open() {
        Ok(device) => device,
        Err(error) => return skip(&error.to_string()),
    };
    let bytes = |name| manifest::read_model(name).unwrap_or_else(|error| panic!("{error}"));
    let target = Target::Gpu(Variant::HARDWARE);
    let detector = plan_detector(&bytes("detector"), target).expect("the detector");
    let landmarks = plan_landmarks(&bytes("lite"), target).expect("lite");
    let frames = NativeFrames::new(&device, &detector, &landmarks).expect("the GPU takes BlazePose");
    let mut on_gpu = GpuPosePipeline::new(frames, Mode::Tracking, Box::new(|| 0.0));
    let mut on_cpu =
        pose_pipeline(&Device::Cpu, LandmarkModel::Lite, Mode::Tracking).expect("the CPU runs BlazePose");
    let mut worst_px = 0.0_f32;
    for (picture, time) in clip(FIRST_FRAMES) {
        on_gpu.submit(frame(&picture), time).expect("room");
        let found = receive(&mut on_gpu).expect("she is in each frame");
        let result = pollster::block_on(on_cpu.process(&frame(&picture), time));
        let expected = result.expect("the CPU runs BlazePose").pose;
        let distances = distances_px(&found, &expected.expect("she is in each frame"));
        worst_px = distances.into_iter().fold(worst_px, f32::max);
    }
    report(&format!(
        "GPU frame on the plan for hardware: {worst_px:.4} px from the CPU at most"
    ));
    assert!(worst_px <= 0.1, "{worst_px} px");
}

/// She leaves and comes back: the GPU learns of it at once, the CPU a frame late, and nothing is lost for it.
#[test]
fn losing_and_finding_again_is_the_cpus() {
    let Some(mut on_gpu) = on_gpu(LandmarkModel::Lite) else {
        return;
    };
    let mut on_cpu =
        pose_pipeline(&Device::Cpu, LandmarkModel::Lite, Mode::Tracking).expect("the CPU runs BlazePose");
    let mut clip = clip(9);
    for (picture, _) in &mut clip[3..5] {
        picture.rgb.fill(128);
    }
    let mut found = Vec::new();
    for (picture, time) in &clip {
        on_gpu.submit(frame(picture), *time).expect("room");
        if !on_gpu.has_room() {
            found.push(receive(&mut on_gpu));
        }
    }
    while on_gpu.in_flight() > 0 {
        found.push(receive(&mut on_gpu));
    }
    assert_eq!(found.len(), clip.len());
    for (index, ((picture, time), found)) in clip.iter().zip(&found).enumerate() {
        let result = pollster::block_on(on_cpu.process(&frame(picture), *time));
        let expected = result.expect("the CPU runs BlazePose").pose;
        assert_eq!(found.is_some(), expected.is_some(), "frame {index}");
        assert_eq!(found.is_some(), !(3..5).contains(&index), "frame {index}");
        if let (Some(found), Some(expected)) = (found, &expected) {
            let worst_px = distances_px(found, expected).into_iter().fold(0.0, f32::max);
            assert!(worst_px < 0.5, "frame {index}: {worst_px} px");
        }
    }
}
