//! What a model says of a picture and of its mirror image: BlazePose agrees with itself on the drawn person, and no longer
//! where the picture shows too little.

use plumb::backend::{AnyPipeline, Device, LandmarkModel, pose_pipeline};
use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::geometry::ImageSize;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_figure::{Picture, Still, stills};
use plumbline_pipeline::mirrored::both_sides;
use plumbline_tests::report;

/// The mean over pictures, after this was done to them.
fn agreement(pictures: &[Picture], spoiling: Option<(Corruption, Severity)>) -> f64 {
    let mut pipeline = match pose_pipeline(&Device::Cpu, LandmarkModel::Lite, Mode::Static) {
        Ok(pipeline) => pipeline,
        Err(sentence) => panic!("{sentence}"),
    };
    let mut found = Vec::new();
    for drawn in pictures {
        let size = ImageSize {
            width_px: drawn.width_px as u32,
            height_px: drawn.height_px as u32,
        };
        let mut rgba: Vec<u8> = drawn
            .rgb
            .chunks_exact(3)
            .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255])
            .collect();
        if let Some((corruption, severity)) = spoiling {
            Corruptor::new(1)
                .apply(corruption, severity, 0, &mut rgba, size)
                .expect("the size is right");
        }
        let frame = Frame::packed(&rgba, drawn.width_px, drawn.height_px, PixelFormat::Rgba8)
            .expect("a drawn picture has pixels");
        let sides = match &mut pipeline {
            AnyPipeline::Cpu(pipeline) => pollster::block_on(both_sides(pipeline, &frame)),
            AnyPipeline::Gpu(_) => unreachable!("the CPU was asked for"),
        };
        let sides = sides.expect("the CPU runs BlazePose");
        // Who is seen on neither side agrees with nothing.
        found.push(sides.similarity.unwrap_or(0.0));
    }
    found.iter().sum::<f64>() / found.len() as f64
}

#[test]
fn both_sides_of_the_drawn_person_are_alike_until_too_little_is_seen() {
    let severe = Severity::new(4).expect("1 to 5");
    let pictures: Vec<Picture> = stills::grid().iter().step_by(3).map(Still::draw).collect();
    let clean = agreement(&pictures, None);
    let faint = agreement(&pictures, Some((Corruption::Contrast, severe)));
    let covered = agreement(&pictures, Some((Corruption::Occlusion, severe)));
    report(&format!(
        "both sides of the drawn person, lite: alike by {clean:.3}; with a tenth of the contrast {faint:.3}, behind a bar {covered:.3}"
    ));
    assert!(clean > 0.9, "{clean}");
    assert!(
        faint < 0.7 && covered < 0.9 && covered < clean - 0.05,
        "{faint} {covered}"
    );
}
