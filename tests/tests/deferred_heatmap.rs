//! Heatmaps that the refinement computes where it looks give the very poses that whole heatmaps give.

use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_engine::plan::{Options, Plan};
use plumbline_figure::demo;
use plumbline_pipeline::models::{HEATMAP, LANDMARK_OUTPUTS};
use plumbline_pipeline::{CpuInference, PosePipeline, Target, plan_detector, plan_landmarks, plan_model};
use plumbline_tests::models::bytes_of;

/// Frames of the demo clip.
const FRAMES: usize = 12;

/// The pose in each frame, on the CPU.
fn poses(detector: &Plan, landmarks: Plan) -> Vec<Option<Pose>> {
    let [detector, landmarks] =
        [detector.clone(), landmarks].map(|plan| CpuInference::new(plan).expect("the CPU takes BlazePose"));
    let mut pipeline = PosePipeline::new(detector, landmarks, Mode::Tracking, Box::new(|| 0.0))
        .expect("both are BlazePose models");
    let clip = demo::clip();
    (0..FRAMES)
        .map(|frame| {
            let drawn = clip.still(frame).draw();
            let time = Timestamp::from_secs(clip.time_secs(frame));
            let picture = Frame::packed(&drawn.rgb, drawn.width_px, drawn.height_px, PixelFormat::Rgb8)
                .expect("a drawn picture has pixels");
            pollster::block_on(pipeline.process(&picture, time))
                .expect("the CPU runs it")
                .pose
        })
        .collect()
}

#[test]
fn looking_at_few_cells_changes_no_bit() {
    for model in ["lite", "full", "heavy"] {
        let (Some(detector), Some(bytes)) = (bytes_of("detector"), bytes_of(model)) else {
            return;
        };
        let detector = plan_detector(&detector, Target::Cpu).expect("a plan");
        let deferred = plan_landmarks(&bytes, Target::Cpu).expect("a plan");
        let whole = plan_model(&bytes, &LANDMARK_OUTPUTS, &Options::default()).expect("a plan");
        assert_eq!(
            deferred.graph.output_named(HEATMAP),
            None,
            "it is left to the refinement"
        );
        assert!(whole.graph.output_named(HEATMAP).is_some());
        let [found, expected] = [deferred, whole].map(|plan| poses(&detector, plan));
        assert!(
            expected.iter().all(Option::is_some),
            "{model}: the drawn person is in each frame"
        );
        assert_eq!(found, expected, "{model}");
    }
}
