//! Decodes a clip with FFmpeg's programs as child processes.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use plumbline_core::time::Timestamp;
use serde::Deserialize;

use super::ClipFrame;
use crate::Outcome;
use crate::picture::Picture;

/// What `ffprobe` says about a clip.
#[derive(Debug, Deserialize)]
struct Probe {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    packets: Vec<Packet>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    width: usize,
    height: usize,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Packet {
    pts_time: Option<String>,
}

/// The frames of any clip that FFmpeg decodes.
///
/// # Errors
/// FFmpeg missing, a file that is no clip, a clip without video.
pub fn decode(path: &Path) -> Outcome<impl Iterator<Item = Outcome<ClipFrame>> + use<>> {
    let probe = probe(path)?;
    let Some(stream) = probe.streams.first() else {
        return Err(format!("the clip has no video stream: {}", path.display()));
    };
    let (width_px, height_px) = stream.shown_size();
    if width_px == 0 || height_px == 0 {
        return Err(format!(
            "the video is {width_px}x{height_px} px and so holds no pixel: {}",
            path.display()
        ));
    }
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start("ffmpeg", &error))?;
    let pixels = child.stdout.take().ok_or("the output of ffmpeg cannot be read")?;
    Ok(Frames {
        child,
        pixels,
        path: path.to_path_buf(),
        width_px,
        height_px,
        times: frame_times(&probe.packets),
        index: 0,
        ended: false,
    })
}

fn probe(path: &Path) -> Outcome<Probe> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-of",
            "json",
            "-show_entries",
        ])
        .arg("stream=width,height:stream_side_data=rotation:packet=pts_time")
        .arg(path)
        .output()
        .map_err(|error| cannot_start("ffprobe", &error))?;
    if !output.status.success() {
        return Err(format!(
            "this is neither a picture nor a clip that ffmpeg can read ({}): {}",
            last_line(&output.stderr),
            path.display()
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        format!(
            "the answer of ffprobe is not as expected ({error}): {}",
            path.display()
        )
    })
}

impl Stream {
    /// Columns and rows after the turn that the file asks players for, which ffmpeg makes by itself.
    fn shown_size(&self) -> (usize, usize) {
        let rotation = self
            .side_data_list
            .iter()
            .find_map(|data| data.rotation)
            .unwrap_or(0.0);
        let quarter_turns = (rotation / 90.0).round() as i64;
        if quarter_turns % 2 == 0 {
            (self.width, self.height)
        } else {
            (self.height, self.width)
        }
    }
}

/// Presentation times in showing order, counted from the first; empty when a packet states none.
fn frame_times(packets: &[Packet]) -> Vec<f64> {
    let parse = |packet: &Packet| packet.pts_time.as_ref()?.parse::<f64>().ok();
    let Some(mut times) = packets.iter().map(parse).collect::<Option<Vec<f64>>>() else {
        return Vec::new();
    };
    times.sort_by(f64::total_cmp);
    let first = times.first().copied().unwrap_or(0.0);
    times.iter().map(|time| time - first).collect()
}

fn cannot_start(program: &str, error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        format!(
            "{program} is not installed, and clips are decoded by it; install FFmpeg (https://ffmpeg.org)"
        )
    } else {
        format!("{program} cannot be started ({error})")
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .last()
        .unwrap_or("no reason given")
        .trim()
        .to_owned()
}

/// Reads the pipe of raw pixels picture by picture.
struct Frames {
    child: Child,
    pixels: ChildStdout,
    path: PathBuf,
    width_px: usize,
    height_px: usize,
    times: Vec<f64>,
    index: usize,
    ended: bool,
}

impl Frames {
    /// The next picture, or nothing at the end of the pipe.
    fn read_picture(&mut self) -> Outcome<Option<Picture>> {
        let mut rgb = Vec::with_capacity(self.width_px * self.height_px * 3);
        let wanted = self.width_px * self.height_px * 3;
        self.pixels
            .by_ref()
            .take(wanted as u64)
            .read_to_end(&mut rgb)
            .map_err(|error| format!("the pipe from ffmpeg broke ({error})"))?;
        match rgb.len() {
            0 => Ok(None),
            len if len == wanted => Ok(Some(Picture {
                width_px: self.width_px,
                height_px: self.height_px,
                rgb,
            })),
            len => Err(format!(
                "frame {} ends after {len} of {wanted} bytes: {}",
                self.index,
                self.path.display()
            )),
        }
    }

    /// Whether ffmpeg ended well; a clip without a single frame is an error too.
    fn finish(&mut self) -> Outcome<()> {
        let mut reason = Vec::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            // What ffmpeg says only decorates the message below.
            let _ = stderr.read_to_end(&mut reason);
        }
        let status = self
            .child
            .wait()
            .map_err(|error| format!("ffmpeg cannot be waited for ({error})"))?;
        if status.success() && self.index > 0 {
            return Ok(());
        }
        Err(format!(
            "ffmpeg could not decode the clip ({}): {}",
            last_line(&reason),
            self.path.display()
        ))
    }

    /// When frame `index` is shown. Where the packets and the frames do not pair up, the last known step goes on.
    fn time(&self) -> Timestamp {
        const FALLBACK_STEP_SECS: f64 = 1.0 / 30.0;
        let known = self.times.len();
        let secs = match self.times.get(self.index) {
            Some(&secs) => secs,
            None if known >= 2 => {
                let step_secs = self.times[known - 1] - self.times[known - 2];
                self.times[known - 1] + step_secs * (self.index + 1 - known) as f64
            }
            None => self.index as f64 * FALLBACK_STEP_SECS,
        };
        Timestamp::from_secs(secs)
    }
}

impl Iterator for Frames {
    type Item = Outcome<ClipFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.read_picture() {
            Ok(Some(picture)) => {
                let frame = ClipFrame {
                    picture,
                    time: self.time(),
                };
                self.index += 1;
                Some(Ok(frame))
            }
            Ok(None) => {
                self.ended = true;
                self.finish().err().map(Err)
            }
            Err(sentence) => {
                self.ended = true;
                Some(Err(sentence))
            }
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // A reader that stops early leaves ffmpeg writing into a pipe; it ends with it. Both fail where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_ffprobe_are_understood() {
        let turned = r#"{"packets":[{"pts_time":"0.5"},{"pts_time":"1.5"},{"pts_time":"1.0"}],
            "streams":[{"width":640,"height":480,"side_data_list":[{},{"rotation":-90}]}]}"#;
        let probe: Probe = serde_json::from_str(turned).expect("valid JSON");
        assert_eq!(probe.streams[0].shown_size(), (480, 640));
        assert_eq!(frame_times(&probe.packets), [0.0, 0.5, 1.0]);

        let bare: Probe =
            serde_json::from_str(r#"{"packets":[{}],"streams":[{"width":2,"height":4}]}"#).expect("valid");
        assert_eq!(bare.streams[0].shown_size(), (2, 4));
        assert!(frame_times(&bare.packets).is_empty());

        let audio: Probe = serde_json::from_str("{}").expect("valid JSON");
        assert!(audio.streams.is_empty());
    }
}
