//! What only a browser can tell: messages between threads, pixels of captured frames, pixels of the drawn skeleton.
#![cfg(target_arch = "wasm32")]

use plumbline_core::backdrop::{Backdrop, Rgb, compose};
use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::mask::{Mask, RegionMask};
use plumbline_core::people::{Person, PersonId};
use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
use plumbline_core::roi::RotatedRect;
use plumbline_core::skeleton::Side;
use plumbline_engine::element::Element;
use plumbline_engine::graph::{Graph, Node, Op};
use plumbline_engine::ops::{Map, TensorOp, Type, Unary};
use plumbline_engine::plan::Plan;
use plumbline_engine::{ErrorKind, cpu, gpu, graph_file};
use plumbline_pipeline::{Timings, Variant};
use plumbline_web::live::backend::{Adapter, Backend, BackendChoice, BackendWish};
use plumbline_web::live::background::{Background, BackgroundKind, MaskModel, MaskSource};
use plumbline_web::live::frame_times::{FrameTimes, VariantTime};
use plumbline_web::live::options::ModelName;
use plumbline_web::live::skeleton_drawing::Mark;
use plumbline_web::live::workers::WorkersWish;
use plumbline_web::platform::page;
use plumbline_web::platform::painter::Painter;
use plumbline_web::platform::picture::{Picture, Screen};
use plumbline_web::platform::support::support;
use plumbline_web::platform::tuning_store;
use plumbline_web::worker::compositor::Compositor;
use plumbline_web::worker::masker::FrameMasks;
use plumbline_web::worker::pixels::PixelReader;
use plumbline_web::worker::protocol::{CutReport, FrameStamp, FromEngine, Measurement, ToEngine};
use plumbline_web::worker::wire;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

wasm_bindgen_test_configure!(run_in_browser);

fn canvas(width_px: u32, height_px: u32) -> (HtmlCanvasElement, CanvasRenderingContext2d) {
    let canvas: HtmlCanvasElement = page::document()
        .create_element("canvas")
        .expect("an element")
        .unchecked_into();
    canvas.set_width(width_px);
    canvas.set_height(height_px);
    let context = canvas
        .get_context("2d")
        .expect("a context")
        .expect("a context")
        .unchecked_into();
    (canvas, context)
}

fn timings() -> Timings {
    Timings {
        crop_millis: 1.25,
        detector_millis: None,
        landmarks_millis: Some(12.5),
        decode_millis: 0.25,
        total_millis: 14.0,
    }
}

fn stamp() -> FrameStamp {
    FrameStamp {
        index: 7,
        time_secs: 0.291_667,
        is_first: true,
    }
}

fn person(id: u32) -> Person {
    let pose = Pose {
        landmarks: std::array::from_fn(|index| Landmark {
            x_px: index as f32 + 0.25,
            y_px: 2.0 * index as f32,
            z_px: -(index as f32),
            visibility: 0.5,
            presence: 0.75,
        }),
        world: std::array::from_fn(|index| WorldLandmark {
            x_m: index as f32 / 8.0,
            y_m: -0.5,
            z_m: 0.125,
            visibility: 0.25,
            presence: 1.0,
        }),
        region: RotatedRect {
            center: Point2::new(180.5, 240.25),
            width_px: 300.0,
            height_px: 301.0,
            rotation: -0.5,
        },
        score: 0.984_375,
    };
    Person {
        id: PersonId(id),
        pose,
    }
}

#[wasm_bindgen_test]
fn every_answer_survives_the_wire() {
    let measurement = |people: &[u32], cut| FromEngine::Measured {
        measurement: Box::new(Measurement {
            frame: stamp(),
            width_px: 360,
            height_px: 480,
            people: people.iter().map(|&id| person(id)).collect(),
            backend: Backend::Gpu,
            workers: 2,
            pixels_millis: 1.5,
            timings: timings(),
            cut,
            total_millis: 20.25,
        }),
        composed: None,
    };
    let cut = |mask_millis, doubt| CutReport {
        millis: 7.5,
        mask_millis,
        doubt,
    };
    let choice = BackendChoice {
        backend: Backend::Gpu,
        reason: "a reason".to_owned(),
    };
    for answer in [
        FromEngine::Awake,
        FromEngine::Started,
        FromEngine::Progress {
            attempt: 2,
            received: 5_000_000_000,
            total: 6_000_000_000,
        },
        FromEngine::WeightsReady {
            attempt: 2,
            weights: ["ab".repeat(32), "cd".repeat(32)],
        },
        FromEngine::Prepared {
            attempt: 3,
            choice: choice.clone(),
            adapter: None,
        },
        FromEngine::Prepared {
            attempt: 3,
            choice,
            adapter: Some(Adapter {
                name: "an adapter".to_owned(),
                is_software: true,
            }),
        },
        FromEngine::GpuReady { attempt: 5 },
        FromEngine::GpuFailed {
            attempt: 5,
            what: "No.".to_owned(),
        },
        FromEngine::Compared {
            attempt: 5,
            cpu: timings(),
            gpu: Timings::default(),
        },
        FromEngine::PrepareFailed {
            attempt: 4,
            sentence: "No.".to_owned(),
        },
        measurement(&[], None),
        measurement(&[1], None),
        measurement(&[], Some(cut(None, None))),
        measurement(&[1, 3, 70_000], Some(cut(Some(3.5), Some(0.125)))),
        FromEngine::Mask(MaskModel::Here),
        FromEngine::Mask(MaskModel::OnItsWay(45)),
        FromEngine::Mask(MaskModel::Missing("No.".to_owned())),
        FromEngine::FrameFailed {
            frame: stamp(),
            sentence: "No.".to_owned(),
        },
        FromEngine::Crashed {
            sentence: "Gone.".to_owned(),
        },
    ] {
        let transfer = js_sys::Array::new();
        let value = wire::encode_answer(&answer, &transfer);
        let decoded = wire::decode_answer(&value).expect("an answer");
        assert_eq!(format!("{decoded:?}"), format!("{answer:?}"));
    }
}

#[wasm_bindgen_test]
fn foreign_messages_are_refused_by_name() {
    let empty = js_sys::Object::new();
    assert_eq!(wire::decode_answer(&empty).expect_err("no kind"), "kind");
    js_sys::Reflect::set(&empty, &"kind".into(), &"dance".into()).expect("a member");
    assert_eq!(
        wire::decode_answer(&empty).expect_err("an unknown kind"),
        "kind dance"
    );
    assert_eq!(
        wire::decode_request(&empty).expect_err("an unknown kind"),
        "kind dance"
    );
}

#[wasm_bindgen_test]
fn requests_without_a_picture_arrive_as_they_were() {
    for request in [
        ToEngine::Begin {
            model: ModelName::Lite,
            wish: BackendWish::Forced(Backend::Cpu),
        },
        ToEngine::Prepare {
            attempt: 9,
            wish: BackendWish::Auto,
            copies_frames: true,
            workers: WorkersWish::Two,
            model: ModelName::Heavy,
        },
        ToEngine::Cancel,
        ToEngine::PrepareGpu {
            variant: Variant::HARDWARE,
        },
        ToEngine::PrepareGpu {
            variant: Variant::SOFTWARE,
        },
        ToEngine::Settle {
            backend: Backend::Gpu,
        },
        ToEngine::Settle {
            backend: Backend::Cpu,
        },
        ToEngine::SetBackground {
            background: Background {
                kind: BackgroundKind::Picture,
                colour: [1, 2, 255],
                softness_px: 7,
                mask: MaskSource::ALL[2],
            },
            behind: None,
        },
    ] {
        let value = wire::encode_request(&request, &js_sys::Array::new());
        let decoded = wire::decode_request(&value).expect("a request");
        assert_eq!(format!("{decoded:?}"), format!("{request:?}"));
    }
}

#[wasm_bindgen_test]
async fn a_frame_says_whether_it_is_compared() {
    let (canvas, _) = canvas(16, 8);
    for compare in [None, Some(Backend::Cpu), Some(Backend::Gpu)] {
        let picture = Screen::Canvas(canvas.clone())
            .capture(0.0)
            .await
            .expect("a picture");
        let request = ToEngine::Measure {
            frame: stamp(),
            compare,
            people: 3,
            picture,
        };
        let value = wire::encode_request(&request, &js_sys::Array::new());
        match wire::decode_request(&value).expect("a request") {
            ToEngine::Measure {
                frame,
                compare: decoded,
                people,
                picture,
            } => {
                assert_eq!((frame, decoded, people), (stamp(), compare, 3));
                picture.close();
            }
            other => panic!("another request came out: {other:?}"),
        }
    }
}

#[wasm_bindgen_test]
fn times_of_both_backends_are_kept_and_forgotten() {
    let weights = ["ab".repeat(32), "cd".repeat(32)];
    let key = tuning_store::key(ModelName::Lite, "an adapter", weights.clone());
    assert!(key.browser.contains('/'), "a name and a version: {}", key.browser);
    tuning_store::clear(&key);
    assert_eq!(tuning_store::load(&key), None);
    let times = FrameTimes {
        cpu_millis: 11.5,
        gpu: vec![VariantTime {
            variant: Variant::HARDWARE,
            millis: 4.25,
        }],
    };
    tuning_store::store(&key, &times);
    assert_eq!(tuning_store::load(&key), Some(times));
    let other = tuning_store::key(ModelName::Lite, "another adapter", weights);
    assert_eq!(tuning_store::load(&other), None);
    page::remember(&key.name(), "damaged");
    assert_eq!(tuning_store::load(&key), None);
    tuning_store::clear(&key);
    assert_eq!(page::remembered(&key.name()), None);
}

/// Four colours, one a corner.
fn paint_corners(context: &CanvasRenderingContext2d) {
    for (colour, x, y) in [
        ("#ff0000", 0.0, 0.0),
        ("#00ff00", 8.0, 0.0),
        ("#0000ff", 0.0, 4.0),
        ("#ffffff", 8.0, 4.0),
    ] {
        context.set_fill_style_str(colour);
        context.fill_rect(x, y, 8.0, 4.0);
    }
}

async fn assert_corners(picture: Picture) {
    let mut reader = PixelReader::default();
    // The second reading uses what the first one kept.
    for _ in 0..2 {
        let pixels = reader.read(&picture).await.expect("pixels");
        assert_eq!(
            (pixels.width_px, pixels.height_px, pixels.rgba.len()),
            (16, 8, 16 * 8 * 4)
        );
        for (x, y, expected) in [
            (1, 1, [255, 0, 0]),
            (14, 1, [0, 255, 0]),
            (1, 6, [0, 0, 255]),
            (14, 6, [255, 255, 255]),
        ] {
            let at = 4 * (16 * y + x);
            assert_eq!(pixels.rgba[at..at + 3], expected, "pixel {x} {y}");
        }
    }
    picture.close();
}

#[wasm_bindgen_test]
async fn captured_frames_keep_their_pixels() {
    let (canvas, context) = canvas(16, 8);
    paint_corners(&context);
    assert_corners(Screen::Canvas(canvas).capture(0.5).await.expect("a frame")).await;
}

#[wasm_bindgen_test]
async fn bitmaps_are_read_as_well() {
    let (canvas, context) = canvas(16, 8);
    paint_corners(&context);
    let promise = page::window()
        .create_image_bitmap_with_html_canvas_element(&canvas)
        .expect("a promise");
    let bitmap = wasm_bindgen_futures::JsFuture::from(promise)
        .await
        .expect("a bitmap");
    assert_corners(Picture::from_js(bitmap).expect("a picture")).await;
}

#[wasm_bindgen_test]
fn the_right_side_is_dashed_and_the_left_is_not() {
    let (canvas, context) = canvas(200, 40);
    canvas
        .set_attribute("style", "position: fixed; width: 200px; height: 40px; color: rgb(255, 0, 0); outline-color: rgb(0, 0, 255); text-decoration-color: rgb(0, 0, 0)")
        .expect("an attribute");
    page::document()
        .body()
        .expect("a body")
        .append_child(&canvas)
        .expect("a child");
    let painter = Painter::new(canvas.clone()).expect("a painter");
    let bone = |y: f32, side| Mark::Bone {
        from: Point2::new(10.0, y),
        to: Point2::new(190.0, y),
        side,
        doubtful: false,
    };
    painter.paint(&[bone(10.0, Side::Left), bone(30.0, Side::Right)]);
    let density = page::window().device_pixel_ratio();
    let count = |y: f64, channel: usize| {
        let row = context
            .get_image_data(0.0, y * density, 200.0 * density, 1.0)
            .expect("pixels")
            .data();
        row.chunks(4).filter(|pixel| pixel[channel] > 200).count() as f64 / density
    };
    let (left, right) = (count(10.0, 0), count(30.0, 2));
    assert!(left > 175.0, "the left line is solid: {left} px of 180");
    assert!(
        (90.0..165.0).contains(&right),
        "the right line has gaps: {right} px of 180"
    );
    canvas.remove();
}

#[wasm_bindgen_test]
fn a_current_browser_lacks_nothing() {
    // Module workers are left out: the test runner replaces `Worker` by a function of its own.
    let support = support();
    assert!(
        support.secure_context && support.camera && support.frame_transfer && support.cache_storage,
        "{support:?}"
    );
}

#[wasm_bindgen_test]
fn the_fatal_panel_appears_with_its_message() {
    let document = page::document();
    let panel = document.create_element("div").expect("an element");
    panel.set_id("fatal");
    panel.set_attribute("hidden", "").expect("an attribute");
    let place = document.create_element("code").expect("an element");
    place.set_attribute("data-message", "").expect("an attribute");
    panel.append_child(&place).expect("a child");
    document
        .body()
        .expect("a body")
        .append_child(&panel)
        .expect("a child");
    page::show_fatal("what happened");
    assert!(!panel.has_attribute("hidden"));
    assert_eq!(place.text_content().as_deref(), Some("what happened"));
    panel.remove();
}

/// The page is built without them; only its own tests are, too.
#[wasm_bindgen_test]
fn a_graph_with_tensor_operators_is_refused() {
    let mut graph = Graph::default();
    let [x, y] = ["x", "y"].map(|name| {
        let (element, shape) = (Element::F32, vec![2]);
        graph.add_typed_value(name, Type { element, shape }, None)
    });
    (graph.inputs, graph.outputs) = (vec![x], vec![y]);
    graph.nodes.push(Node {
        origin: "node 0 (Abs)".to_owned(),
        op: Op::Tensor(TensorOp::Map(Map { f: Unary::Abs })),
        inputs: vec![x],
        output: y,
    });
    let file = graph_file::write(&graph, &[0; 32]).expect("what is written needs none of their code");
    let from_file = graph_file::read(&file).map(|_| ()).expect_err("no such operator");
    let plan = Plan::new(graph).expect("a plan asks no kernel");
    let on_gpu = gpu::record(&plan).map(|_| ()).expect_err("no such operator");
    let on_cpu = cpu::Session::new(plan).map(|_| ()).expect_err("no such operator");
    for error in [from_file, on_gpu, on_cpu] {
        assert_eq!(
            (error.kind(), error.place()),
            (ErrorKind::Unsupported, "node 0 (Abs)")
        );
        assert!(error.to_string().contains("feature `tensor_ops`"), "{error}");
    }
}

/// A picture of 96 by 72 pixels in which no two neighbours are the same, and the mask of somebody in it, cut out at an
/// angle.
fn somebody() -> (ImageSize, Vec<u8>, RegionMask) {
    let size = ImageSize {
        width_px: 96,
        height_px: 72,
    };
    let pixel = |index: u32| {
        let (x, y) = (index % 96, index / 96);
        [(x * 2) as u8, (y * 3) as u8, (40 + (x * 7 + y * 5) % 90) as u8]
    };
    let rgb = (0..96 * 72).flat_map(pixel).collect();
    let region = RotatedRect {
        center: Point2::new(50.0, 34.0),
        width_px: 80.0,
        height_px: 80.0,
        rotation: 0.4,
    };
    let share = |index: i32| {
        let (x, y) = (index % 64 - 30, index / 64 - 34);
        (1.5 - f32::hypot(x as f32 * 1.4, y as f32) / 20.0).clamp(0.0, 1.0)
    };
    let mask = RegionMask::new((0..64 * 64).map(share).collect(), 64, &region).expect("64 by 64");
    (size, rgb, mask)
}

/// The RGBA that the compositor makes of that picture.
async fn composed(background: Background, masks: &[&RegionMask], behind: Option<Picture>) -> Vec<[u8; 4]> {
    let (size, rgb, _) = somebody();
    let rgba: Vec<u8> = rgb
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|&[r, g, b]| [r, g, b, 255])
        .collect();
    let (canvas, context) = canvas(size.width_px, size.height_px);
    let data = web_sys::ImageData::new_with_u8_clamped_array(wasm_bindgen::Clamped(&rgba), size.width_px);
    context
        .put_image_data(&data.expect("a picture"), 0.0, 0.0)
        .expect("it is shown");
    let picture = Screen::Canvas(canvas).capture(0.0).await.expect("a frame");
    let mut compositor = Compositor::default();
    compositor.set(background, behind);
    let masks = (1..).map(PersonId).zip(masks.iter().map(|&mask| mask.clone()));
    let found = FrameMasks::of_skeletons(masks.collect());
    let drawn = compositor.stand_behind(&stamp(), &picture, found);
    let (report, drawn) = drawn.expect("the browser draws");
    assert!(report.is_some());
    let drawn = drawn.expect("a background was wanted");
    let mut reader = PixelReader::default();
    let pixels = reader.read(&drawn).await.expect("pixels");
    assert_eq!((pixels.width_px, pixels.height_px), (96, 72));
    let found = pixels.rgba.as_chunks::<4>().0.to_vec();
    drawn.close();
    picture.close();
    found
}

fn in_front_of(kind: BackgroundKind) -> Background {
    Background {
        kind,
        colour: [200, 30, 90],
        softness_px: 0,
        mask: MaskSource::default(),
    }
}

/// How far the channels of two pictures are apart: on average, and at most. Colours count by how opaque they are.
fn apart(found: &[[u8; 4]], expected: &[u8]) -> (f64, f64) {
    let pairs = found.iter().zip(expected.as_chunks::<4>().0);
    let differences = pairs.flat_map(|(found, expected)| {
        let premultiplied =
            |pixel: &[u8; 4], channel: usize| f64::from(pixel[channel]) * f64::from(pixel[3]) / 255.0;
        let colours =
            [0, 1, 2].map(|channel| (premultiplied(found, channel) - premultiplied(expected, channel)).abs());
        let opacity = (f64::from(found[3]) - f64::from(expected[3])).abs();
        colours.into_iter().chain([opacity])
    });
    let all: Vec<f64> = differences.collect();
    let sum: f64 = all.iter().sum();
    (sum / all.len() as f64, all.iter().copied().fold(0.0, f64::max))
}

#[wasm_bindgen_test]
async fn a_canvas_composes_what_the_command_line_does() {
    let (size, rgb, mask) = somebody();
    let whole = mask.clone().drawn_in().in_image(size);
    let picture = Rgb::new(size, &rgb).expect("three bytes a pixel");
    for (kind, backdrop) in [
        (BackgroundKind::CutOut, Backdrop::Nothing),
        (BackgroundKind::Colour, Backdrop::Colour([200, 30, 90])),
        // The copy that is blurred is as large as this small picture.
        (BackgroundKind::Blur, Backdrop::Blur(3.0)),
    ] {
        let expected = compose(picture, &whole, backdrop).expect("one size");
        let found = composed(in_front_of(kind), &[&mask], None).await;
        let (mean, largest) = apart(&found, &expected);
        assert!(
            mean <= 1.0 && largest <= 6.0,
            "{kind:?}: mean {mean}, largest {largest}"
        );
    }
}

#[wasm_bindgen_test]
async fn several_people_stand_in_front_together() {
    let (size, rgb, mask) = somebody();
    let aside = RotatedRect {
        center: Point2::new(mask.region().center.x + 24.0, mask.region().center.y - 6.0),
        ..*mask.region()
    };
    let other = RegionMask::new(mask.values().to_vec(), 64, &aside).expect("64 by 64");
    let [one, two] = [&mask, &other].map(|mask| mask.clone().drawn_in().in_image(size));
    let whole = one.joined(&two);
    let picture = Rgb::new(size, &rgb).expect("three bytes a pixel");
    for (kind, backdrop) in [
        (BackgroundKind::CutOut, Backdrop::Nothing),
        (BackgroundKind::Colour, Backdrop::Colour([200, 30, 90])),
        (BackgroundKind::Blur, Backdrop::Blur(3.0)),
    ] {
        let expected = compose(picture, &whole, backdrop).expect("one size");
        let found = composed(in_front_of(kind), &[&mask, &other], None).await;
        let (mean, largest) = apart(&found, &expected);
        assert!(
            mean <= 1.0 && largest <= 6.0,
            "{kind:?}: mean {mean}, largest {largest}"
        );
    }
}

#[wasm_bindgen_test]
async fn another_picture_covers_all_of_the_room() {
    let (size, rgb, mask) = somebody();
    let (behind, context) = canvas(2, 4);
    context.set_fill_style_str("#143c5a");
    context.fill_rect(0.0, 0.0, 2.0, 4.0);
    let behind = Screen::Canvas(behind).capture(0.0).await.expect("a frame");
    let whole = mask.clone().drawn_in().in_image(size);
    let picture = Rgb::new(size, &rgb).expect("three bytes a pixel");
    let expected = compose(picture, &whole, Backdrop::Colour([0x14, 0x3c, 0x5a])).expect("one size");
    let found = composed(in_front_of(BackgroundKind::Picture), &[&mask], Some(behind)).await;
    let (mean, largest) = apart(&found, &expected);
    assert!(mean <= 1.0 && largest <= 6.0, "mean {mean}, largest {largest}");
    // Before one was chosen, the colour hides the room.
    let expected = compose(picture, &whole, Backdrop::Colour([200, 30, 90])).expect("one size");
    let found = composed(in_front_of(BackgroundKind::Picture), &[&mask], None).await;
    assert!(apart(&found, &expected).0 <= 1.0);
}

/// The room is what was not to be seen: where nobody is found, nothing of the picture is sharp.
#[wasm_bindgen_test]
async fn where_nobody_is_found_there_is_only_background() {
    let (size, rgb, _) = somebody();
    let picture = Rgb::new(size, &rgb).expect("three bytes a pixel");
    for (kind, backdrop) in [
        (BackgroundKind::CutOut, Backdrop::Nothing),
        (BackgroundKind::Colour, Backdrop::Colour([200, 30, 90])),
        (BackgroundKind::Picture, Backdrop::Colour([200, 30, 90])),
        (BackgroundKind::Blur, Backdrop::Blur(3.0)),
    ] {
        let expected = compose(picture, &Mask::empty(size), backdrop).expect("one size");
        let found = composed(in_front_of(kind), &[], None).await;
        let (mean, largest) = apart(&found, &expected);
        assert!(
            mean <= 1.0 && largest <= 6.0,
            "{kind:?}: mean {mean}, largest {largest}"
        );
    }
}
