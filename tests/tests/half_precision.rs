//! What binary16 between the layers costs in accuracy: the landmarks of the drawn person, f32 against binary16, on the
//! GPU backend as hardware runs it.

use plumb::backend::LandmarkModel;
use plumb::manifest;
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::native::Gpu;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_engine::plan::{Plan, Precision};
use plumbline_engine::{passes, tflite};
use plumbline_figure::clip::Still;
use plumbline_figure::stills;
use plumbline_pipeline::gpu::GpuPosePipeline;
use plumbline_pipeline::gpu::native::NativeFrames;
use plumbline_pipeline::models::{DETECTOR_OUTPUTS, LANDMARK_OUTPUTS};
use plumbline_tests::{report, skip};

/// What the project promises, in px of pictures that are 480 px wide; a body fills most of their height.
const MAX_P95_PX: f32 = 0.1;
/// Stills of the grid that are looked at: every eleventh, so that sizes, views and clothes all occur.
const EVERY: usize = 11;

fn plan(model: &str, outputs: &[&str], precision: Precision) -> Plan {
    let bytes = manifest::read_model(model).unwrap_or_else(|sentence| panic!("{sentence}"));
    let mut graph = tflite::import(&bytes).expect("the model is sound");
    passes::select_outputs(&mut graph, outputs).expect("the outputs exist");
    passes::optimise(&mut graph).expect("the passes take BlazePose");
    Plan::with(graph, Level::Tail, precision).expect("a plan")
}

/// The pose in each picture, found anew in each.
fn poses(gpu: &Gpu, model: LandmarkModel, precision: Precision, stills: &[Still]) -> Vec<Option<Pose>> {
    let detector = plan("detector", &DETECTOR_OUTPUTS, Precision::Single);
    let landmarks = plan(model.name(), &LANDMARK_OUTPUTS, precision);
    let frames = NativeFrames::new(gpu, &detector, &landmarks).expect("the adapter takes both");
    let mut pipeline = GpuPosePipeline::new(frames, Mode::Static, Box::new(|| 0.0));
    stills
        .iter()
        .map(|still| {
            let drawn = still.draw();
            let frame = Frame::packed(&drawn.rgb, drawn.width_px, drawn.height_px, PixelFormat::Rgb8)
                .expect("a drawn picture has pixels");
            pipeline
                .submit(frame, Timestamp::from_micros(0))
                .expect("the adapter takes a frame");
            pollster::block_on(pipeline.receive())
                .expect("the adapter runs it")
                .pose
        })
        .collect()
}

#[test]
fn binary16_moves_landmarks_by_less_than_a_tenth_of_a_pixel() {
    let gpu = match Gpu::open() {
        Ok(gpu) => gpu,
        Err(error) => return skip(&format!("binary16 on the GPU: {error}")),
    };
    let stills: Vec<Still> = stills::grid().into_iter().step_by(EVERY).collect();
    // Full and heavy are wider and move less (p95 0.06 px for full); compiling them takes a test too long.
    let model = LandmarkModel::Lite;
    let [single, half] =
        [Precision::Single, Precision::Half].map(|precision| poses(&gpu, model, precision, &stills));
    let mut moved_px: Vec<f32> = Vec::new();
    for (still, pair) in stills.iter().zip(single.iter().zip(&half)) {
        let (Some(single), Some(half)) = pair else {
            panic!("{}: nobody in {}", model.name(), still.name);
        };
        for (a, b) in single.landmarks.iter().zip(&half.landmarks) {
            let (a, b) = (a.point_in_image(), b.point_in_image());
            moved_px.push((a.x - b.x).hypot(a.y - b.y));
        }
    }
    moved_px.sort_by(f32::total_cmp);
    let at = |share: f32| moved_px[((moved_px.len() - 1) as f32 * share) as usize];
    report(&format!(
        "binary16, {}: landmarks move by p50 {:.3}, p95 {:.3}, max {:.3} px",
        model.name(),
        at(0.5),
        at(0.95),
        at(1.0)
    ));
    assert!(at(0.95) <= MAX_P95_PX, "{}: p95 {} px", model.name(), at(0.95));
}
