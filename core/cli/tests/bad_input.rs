//! Bad input gets a sentence that names what is wrong and an exit code of 1; never a panic, never silence.

#[path = "support/terminal.rs"]
mod terminal;

use std::process::Command;

use terminal::{Scratch, assert_refused, plumb};

/// A PNG file that claims a size and ends after one (valid) empty data chunk.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // 8 bits a channel, RGB, the only compression, filter and order that browsers write.
    header.extend([8, 2, 0, 0, 0]);
    let chunk = |content: &[u8]| {
        let length = (content.len() as u32 - 4).to_be_bytes();
        [&length[..], content, &crc32(content).to_be_bytes()].concat()
    };
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(&header),
        &chunk(b"IDAT"),
        &chunk(b"IEND"),
    ]
    .concat()
}

/// The checksum of PNG chunks (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[test]
fn files_that_are_no_model_are_refused() {
    let scratch = Scratch::new("models");
    let text = b"This is a letter, not a model.\n".repeat(40);
    for (name, contents, expected) in [
        ("empty.tflite", &b""[..], "invalid model"),
        ("letter.tflite", &text[..], "invalid model"),
        ("magic.tflite", b"\x1c\0\0\0TFL3", "invalid model"),
        (
            "wild.tflite",
            b"\xff\xff\xff\x7fTFL3\0\0\0\0\0\0\0\0",
            "invalid model",
        ),
    ] {
        assert_refused(&["inspect", &scratch.file(name, contents)], expected);
    }
    assert_refused(&["inspect", "/no/such/model.tflite"], "cannot read the model");
}

#[test]
fn damaged_models_are_refused() {
    let Ok(model) = plumb::manifest::read_model("lite") else {
        eprintln!("skipped: the weights are missing; `cargo xtask models` fetches them");
        return;
    };
    let scratch = Scratch::new("damage");
    let truncated = scratch.file("truncated.tflite", &model[..model.len() / 2]);
    assert_refused(&["inspect", &truncated], "invalid model");
    let mut flipped = model.clone();
    for byte in &mut flipped[4..8] {
        *byte ^= 0x10;
    }
    assert_refused(
        &["inspect", &scratch.file("flipped.tflite", &flipped)],
        "invalid model",
    );
    assert_refused(
        &["inspect", "lite", "--outputs", "Elbow"],
        "there is no output named Elbow",
    );
}

#[test]
fn pictures_without_or_with_too_many_pixels_are_refused() {
    let scratch = Scratch::new("pictures");
    for (name, contents, expected) in [
        ("nothing.png", png_of_size(0, 0), "the picture"),
        ("no-rows.png", png_of_size(640, 0), "the picture"),
        (
            "large.png",
            png_of_size(12_000, 9000),
            "12000x9000 px, 108 megapixels; at most 64 are read",
        ),
        ("cut.png", png_of_size(64, 64), "the picture cannot be decoded"),
        (
            "half.jpg",
            b"\xff\xd8\xff\xe0".to_vec(),
            "the picture cannot be decoded",
        ),
    ] {
        assert_refused(
            &[
                "pose",
                &scratch.file(name, &contents),
                "--model",
                "lite",
                "--json",
            ],
            expected,
        );
    }
    assert_refused(&["pose", "/no/such/picture.png"], "there is no such file");
}

#[test]
fn motion_jpeg_without_pictures_is_refused() {
    let scratch = Scratch::new("motion-jpeg");
    assert_refused(&["pose", &scratch.file("empty.mjpeg", b"")], "The clip is empty");
    assert_refused(
        &["pose", &scratch.file("text.mjpeg", b"hello")],
        "no picture at byte 0",
    );
}

#[test]
fn files_that_are_no_clip_are_refused() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        eprintln!("skipped: FFmpeg is not installed");
        return;
    }
    let scratch = Scratch::new("clips");
    assert_refused(
        &["pose", &scratch.file("letter.mp4", b"not a clip")],
        "neither a picture nor a clip",
    );
    let sound = scratch.0.join("sound.wav").display().to_string();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", &sound])
        .status()
        .expect("ffmpeg answered before");
    assert!(made.success());
    assert_refused(&["pose", &sound], "the clip has no video stream");
}

#[test]
fn clips_say_when_ffmpeg_is_missing() {
    let scratch = Scratch::new("no-ffmpeg");
    let clip = scratch.file("clip.mp4", b"any bytes");
    let output = Command::new(env!("CARGO_BIN_EXE_plumb"))
        .args(["pose", &clip])
        .env("PATH", &scratch.0)
        .output()
        .expect("plumb was built for this test");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ffprobe is not installed"), "{said}");
}

#[test]
fn masks_say_what_can_stand_behind_a_person() {
    let folder = Scratch::new("mask");
    let picture = folder.file("small.png", &png_of_size(1, 1));
    let mask = |behind: &str, expected: &str| {
        assert_refused(
            &["mask", &picture, "--output", "x.png", "--behind", behind],
            expected,
        );
    };
    mask("#12", "#12 is no colour; write six hexadecimal digits");
    mask(
        "nowhere.png",
        "`nothing`, `blur`, a colour like #1a2b3c or a picture",
    );
    let output = plumb(&["mask", &picture, "--output", "x.png", "--feather=-1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("0 to 1000"));
}

#[test]
fn unknown_models_and_rates_are_refused() {
    assert_refused(
        &["pose", "x.png", "--model", "huge"],
        "models are detector, lite, full, heavy",
    );
    let output = plumb(&["pose", "x.png", "--as", "dance"]);
    assert_eq!(output.status.code(), Some(2), "usage errors have clap's code");
    assert!(String::from_utf8_lossy(&output.stderr).contains("tasks that give points are movenet"));
    let output = plumb(&["pose", "x.mp4", "--fps", "0"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("a rate is a number above zero"));
    assert_refused(&["inspect", "tiny"], "models are detector, lite, full, heavy");
}
