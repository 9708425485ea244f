//! Several drawn people in one picture: all are found where they were drawn, and keep their numbers while they move,
//! leave and come back.

use plumb::backend::{Backend, Device, LandmarkModel, people_pipeline, pose_pipeline};
use plumb::picture::Picture;
use plumbline_core::people::{Person, PersonId};
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_figure::clip::Clip;
use plumbline_figure::pose::degrees;
use plumbline_figure::{Appearance, Body, Bout, Camera, Motion, Quality, Sequence};
use plumbline_tests::report;

/// Of each person's part of the picture.
const WIDTH_PX: usize = 300;
const HEIGHT_PX: usize = 480;
const FRAMES_PER_SECOND: f64 = 5.0;
/// Large joints, by their places in the skeleton: shoulders, elbows, hips, knees, ankles.
const JOINTS: [usize; 10] = [11, 12, 13, 14, 23, 24, 25, 26, 27, 28];
/// How far they may be from where they were drawn, on average over a frame, px. Measured with lite: 5.9 at most.
const MAX_MEAN_ERROR_PX: f64 = 10.0;

/// Somebody in a part of the picture.
fn clip(motion: Motion, height_m: f64, yaw: f64, seed: u64) -> Clip {
    Clip {
        name: motion.name().to_owned(),
        body: Body::of_height(height_m),
        appearance: Appearance::random(seed),
        sequence: Sequence::new(vec![Bout::of(motion, 3)]),
        camera: Camera::default().at_yaw(degrees(yaw)),
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        frames_per_sec: FRAMES_PER_SECOND,
        quality: Quality::PLAIN,
    }
}

/// The parts side by side; of those who are away, the wall that was behind them.
fn side_by_side(clips: &[Clip], frame: usize, is_away: impl Fn(usize) -> bool) -> Picture {
    let width_px = WIDTH_PX * clips.len();
    let mut rgb = vec![0; 3 * width_px * HEIGHT_PX];
    for (part, clip) in clips.iter().enumerate() {
        let drawn = clip.still(frame).draw();
        for y in 0..HEIGHT_PX {
            let row = &drawn.rgb[3 * WIDTH_PX * y..][..3 * WIDTH_PX];
            let out = &mut rgb[3 * (width_px * y + WIDTH_PX * part)..][..3 * WIDTH_PX];
            if is_away(part) {
                for pixel in out.chunks_exact_mut(3) {
                    pixel.copy_from_slice(&row[..3]);
                }
            } else {
                out.copy_from_slice(row);
            }
        }
    }
    Picture {
        width_px,
        height_px: HEIGHT_PX,
        rgb,
    }
}

/// In which part of the picture a person's hips are, and how far their joints are from those drawn there, px.
fn place(person: &Person, clips: &[Clip], frame: usize) -> (usize, f64) {
    let hips_px = (person.pose.landmarks[23].x_px + person.pose.landmarks[24].x_px) / 2.0;
    let part = (hips_px.max(0.0) as usize / WIDTH_PX).min(clips.len() - 1);
    let truth = clips[part].still(frame).truth();
    let errors = JOINTS.map(|index| {
        let (found, drawn) = (person.pose.landmarks[index], truth.joints[index]);
        let x_px = drawn.x_px + (WIDTH_PX * part) as f64;
        (f64::from(found.x_px) - x_px).hypot(f64::from(found.y_px) - drawn.y_px)
    });
    (part, errors.iter().sum::<f64>() / JOINTS.len() as f64)
}

#[test]
fn several_people_are_found_and_keep_their_numbers() {
    let clips = [
        clip(Motion::Squat, 1.7, 0.0, 3),
        clip(Motion::Wave, 1.8, 30.0, 8),
        clip(Motion::March, 1.6, 0.0, 21),
    ];
    let mut pipeline = people_pipeline(&Device::Cpu, LandmarkModel::Lite, Mode::Tracking, 4)
        .unwrap_or_else(|sentence| panic!("{sentence}"));
    let mut numbers: [Option<PersonId>; 3] = [None; 3];
    let mut errors_px = Vec::new();
    for frame in 0..18 {
        // The one in the middle is away for a second.
        let is_away = |part: usize| part == 1 && (6..11).contains(&frame);
        let picture = side_by_side(&clips, frame, is_away);
        let time = Timestamp::from_secs(frame as f64 / FRAMES_PER_SECOND);
        let found = pollster::block_on(pipeline.process(&picture.frame().expect("it has pixels"), time));
        let people = found.expect("the CPU runs BlazePose").people;
        let mut seen = [false; 3];
        for person in &people {
            let (part, error_px) = place(person, &clips, frame);
            assert!(!is_away(part), "frame {frame}: somebody is seen who is away");
            assert!(
                !std::mem::replace(&mut seen[part], true),
                "frame {frame}: two in part {part}"
            );
            assert_eq!(
                *numbers[part].get_or_insert(person.id),
                person.id,
                "frame {frame}, part {part}"
            );
            assert!(
                error_px < MAX_MEAN_ERROR_PX,
                "frame {frame}, part {part}: {error_px:.1} px"
            );
            errors_px.push(error_px);
        }
        for (part, seen) in seen.into_iter().enumerate() {
            // Whoever comes back is looked for within half a second.
            let may_be_missing = is_away(part) || (part == 1 && (11..14).contains(&frame));
            assert!(seen || may_be_missing, "frame {frame}: nobody in part {part}");
        }
    }
    report(&format!(
        "three drawn people, lite: large joints off by {:.1} px on average, {:.1} at most",
        errors_px.iter().sum::<f64>() / errors_px.len() as f64,
        errors_px.iter().copied().fold(0.0, f64::max)
    ));
}

/// The page follows one person with the pipeline for several.
#[test]
fn one_of_several_is_the_one() {
    let clips = [clip(Motion::Squat, 1.7, 0.0, 3), clip(Motion::Wave, 1.8, 30.0, 8)];
    let sentence = |sentence: String| -> ! { panic!("{sentence}") };
    let (device, lite) = (Device::Cpu, LandmarkModel::Lite);
    let mut one = pose_pipeline(&device, lite, Mode::Tracking).unwrap_or_else(|said| sentence(said));
    let mut several = people_pipeline(&device, lite, Mode::Tracking, 1).unwrap_or_else(|said| sentence(said));
    for frame in 0..10 {
        // Everybody leaves and comes back, which is when the detector decides.
        let picture = side_by_side(&clips, frame, |_| (4..6).contains(&frame));
        let time = Timestamp::from_secs(frame as f64 / FRAMES_PER_SECOND);
        let pixels = picture.frame().expect("it has pixels");
        let pose = pollster::block_on(one.process(&pixels, time))
            .expect("the CPU runs BlazePose")
            .pose;
        let people = pollster::block_on(several.process(&pixels, time))
            .expect("the CPU runs BlazePose")
            .people;
        assert_eq!(pose.is_some(), !(4..6).contains(&frame), "frame {frame}");
        let poses: Vec<_> = people.into_iter().map(|person| person.pose).collect();
        assert_eq!(poses, Vec::from_iter(pose), "frame {frame}");
    }
}

/// How far the large joints of the GPU's people may be from those of the CPU's, px. Measured on lavapipe: 0.63.
const MAX_GPU_DIFFERENCE_PX: f32 = 2.0;

#[test]
fn the_gpu_finds_the_people_of_the_cpu() {
    let device = match Device::open(Backend::Gpu) {
        Ok(device) => device,
        Err(sentence) => {
            eprintln!("skipped: {sentence}");
            return;
        }
    };
    let clips = [
        clip(Motion::Squat, 1.7, 0.0, 3),
        clip(Motion::Wave, 1.8, 30.0, 8),
        clip(Motion::March, 1.6, 0.0, 21),
    ];
    let pipeline = |device: &Device| {
        people_pipeline(device, LandmarkModel::Lite, Mode::Tracking, 3)
            .unwrap_or_else(|said| panic!("{said}"))
    };
    let (mut on_cpu, mut on_gpu) = (pipeline(&Device::Cpu), pipeline(&device));
    let mut largest_px: f32 = 0.0;
    for frame in 0..9 {
        let picture = side_by_side(&clips, frame, |part| part == 1 && (3..5).contains(&frame));
        let time = Timestamp::from_secs(frame as f64 / FRAMES_PER_SECOND);
        let pixels = picture.frame().expect("it has pixels");
        let [cpu, gpu] = [&mut on_cpu, &mut on_gpu].map(|pipeline| {
            let found = pollster::block_on(pipeline.process(&pixels, time));
            found
                .unwrap_or_else(|error| panic!("frame {frame}: {error}"))
                .people
        });
        let ids = |people: &[Person]| people.iter().map(|person| person.id).collect::<Vec<_>>();
        assert_eq!(ids(&gpu), ids(&cpu), "frame {frame}");
        for (cpu, gpu) in cpu.iter().zip(&gpu) {
            for index in JOINTS {
                let [a, b] = [cpu, gpu].map(|person| person.pose.landmarks[index].point_in_image());
                largest_px = largest_px.max(a.distance(b));
            }
        }
    }
    report(&format!(
        "three drawn people, lite: the GPU's large joints are within {largest_px:.3} px of the CPU's"
    ));
    assert!(largest_px <= MAX_GPU_DIFFERENCE_PX, "{largest_px} px");
}
