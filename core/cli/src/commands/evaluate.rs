//! `plumb evaluate`: how good a model is, from its predictions and the truth, by the field's metrics.
//!
//! What is computed and how files are read is `plumbline_core::metrics`; here are files, folders, pictures and the printing.

mod folders;
mod images;
mod text;

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use plumbline_core::metrics::calibrator::{Calibration, Method};
use plumbline_core::metrics::evaluation::{Evaluation, Role, Settings, Tags, Task};
use plumbline_core::metrics::report::Report;
use plumbline_core::metrics::slices::SliceSpec;
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::backend::LandmarkModel;
use crate::manifest::hex;
use crate::printing::{print_json, written};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// Says how good a model is: COCO keypoints, classes, PCK, masks, actions, repetitions, angles
#[derive(Args)]
#[command(after_help = "\
Tasks and their files:
  keypoints    --truth COCO.json --predictions RESULTS.json, or --truth COCO.json --images DIR --model full
  classes      --predictions FILE.csv        label,CLASS...: a probability a class; label is a name or a place from 0
  pck          --predictions FILE.csv        joint,truth_x,truth_y,predicted_x,predicted_y,size
  repetitions  --predictions FILE.csv        truth,predicted
  angles       --predictions FILE.csv        truth,predicted
  segments     --truth DIR --predictions DIR     a text file a video, a label a line
  detections   --truth FILE.csv --predictions FILE.csv     video,label,start,end and score
  masks        --truth DIR --predictions DIR     PNG files; one grey level or colour a class
Tables may have a column item (the image or clip of a row) and columns tag:NAME, by which --slice parts them.")]
pub struct Arguments {
    /// What is evaluated
    #[arg(long, value_name = "keypoints|classes|pck|repetitions|angles|segments|detections|masks", value_parser = parse_task)]
    task: Wanted,
    /// What is so: a file, or a folder of files
    #[arg(long, value_name = "PATH")]
    truth: Option<PathBuf>,
    /// What the model said: a file, or a folder of files
    #[arg(long, value_name = "PATH")]
    predictions: Option<PathBuf>,
    /// Keypoints: pictures that the truth names, which the model of --model looks at
    #[arg(long, value_name = "DIR", conflicts_with = "predictions")]
    images: Option<PathBuf>,
    /// Keypoints with --images: which model
    #[arg(long, value_enum, default_value = "full")]
    model: LandmarkModel,
    /// Keypoints with --images: how many people are looked for in a picture
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
    people: u8,
    /// Keypoints with --images: keep the predictions as a file of COCO results
    #[arg(long, value_name = "FILE", requires = "images")]
    keep_predictions: Option<PathBuf>,
    /// What is said of images, clips or videos: a CSV file with a column item and one for each tag
    #[arg(long, value_name = "FILE")]
    tags: Option<PathBuf>,
    /// Parts the rows by a tag: by=TAG, by=TAG,edges=1:2:3 or by=TAG,min=30; can be repeated
    #[arg(long = "slice", value_name = "by=TAG", value_parser = SliceSpec::parse)]
    slices: Vec<SliceSpec>,
    /// Classes: bins of the calibration error
    #[arg(long, value_name = "N", default_value_t = 15)]
    bins: usize,
    /// Classes: the columns hold logits; a softmax makes them probabilities
    #[arg(long)]
    logits: bool,
    /// Classes: fit a calibration to these rows, and try it on parts that it was not fitted to
    #[arg(long, value_name = "temperature|isotonic", value_parser = Method::from_str)]
    calibrate: Option<Method>,
    /// Where the fitted calibration is written
    #[arg(long, short, value_name = "FILE", requires = "calibrate")]
    output: Option<PathBuf>,
    /// Classes: apply a calibration before anything is counted
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Keypoints: the id of the category, where it is not the only one and not called person
    #[arg(long, value_name = "ID")]
    category: Option<i64>,
    /// Segments: the label of frames in which nothing happens
    #[arg(long, value_name = "LABEL")]
    background: Option<String>,
    /// Segments: the last segment ends a frame early, as in older forks of MS-TCN's code
    #[arg(long)]
    last_ends_early: bool,
    /// Segments and detections: overlaps, as in 0.1,0.25,0.5
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    overlaps: Option<Vec<f64>>,
    /// PCK: shares of the person's size, as in 0.1,0.2
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    shares: Option<Vec<f64>>,
    /// Angles: what the values are counted in
    #[arg(long, default_value = "deg")]
    unit: String,
    /// Masks: the grey level of pixels that do not count
    #[arg(long, value_name = "N")]
    ignore: Option<u8>,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Print figures and slices as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// A task, or masks, which are pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Task(Task),
    Masks,
}

fn parse_task(id: &str) -> Result<Wanted, String> {
    if id == "masks" {
        return Ok(Wanted::Masks);
    }
    Task::from_str(id)
        .map(Wanted::Task)
        .map_err(|error| format!("{error}, masks"))
}

/// What the files say, before it is printed.
///
/// # Errors
/// Files that cannot be read or are not what the task needs; each names the file and, where there is one, the row.
pub fn report(arguments: &Arguments) -> Outcome<Report> {
    match arguments.task {
        Wanted::Masks => folders::masks(arguments),
        Wanted::Task(task) => evaluate(arguments, task),
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let report = report(arguments)?;
    let mut out = io::stdout().lock();
    if arguments.json {
        print_json(&mut out, &report)
    } else if arguments.csv {
        written(io::Write::write_all(&mut out, report.to_csv().as_bytes()))
    } else {
        written(text::write(&mut out, &report))
    }
}

fn evaluate(arguments: &Arguments, task: Task) -> Outcome<Report> {
    let roles = task.roles();
    if roles == [Role::Rows] && arguments.truth.is_some() {
        return Err(format!(
            "the task {} has truth and prediction in one table: give it with --predictions",
            task.id()
        ));
    }
    if task != Task::Classes && (arguments.calibrate.is_some() || arguments.calibration.is_some()) {
        return Err("calibrations are for the task classes".to_owned());
    }
    if task != Task::Keypoints && arguments.images.is_some() {
        return Err("--images is for the task keypoints".to_owned());
    }
    let mut evaluation = Evaluation::new(task, settings(arguments)?).map_err(|error| error.to_string())?;
    let mut hashes = Vec::new();
    if arguments.images.is_some() {
        hashes.extend(images::read(arguments, &mut evaluation)?);
    } else {
        for &role in roles {
            let path = path_of(arguments, role)?;
            if task.takes_folders() {
                for file in folders::text_files(path)? {
                    hashes.push(read(&mut evaluation, role, &file)?);
                }
            } else {
                hashes.push(read(&mut evaluation, role, path)?);
            }
        }
    }
    let mut report = evaluation.report().map_err(|error| error.to_string())?;
    for (source, hash) in report.sources.iter_mut().zip(hashes) {
        source.sha256 = Some(hash);
    }
    if let (Some(path), Some(calibration)) = (&arguments.output, evaluation.calibration()) {
        let text = serde_json::to_string(calibration).map_err(|error| error.to_string())?;
        std::fs::write(path, text + "\n")
            .map_err(|error| format!("cannot write the calibration ({error}): {}", path.display()))?;
    }
    Ok(report)
}

fn settings(arguments: &Arguments) -> Outcome<Settings> {
    let tags = match &arguments.tags {
        Some(path) => {
            Tags::from_csv(&whole(path)?).map_err(|error| error.in_source(&name_of(path)).to_string())?
        }
        None => Tags::default(),
    };
    let calibration = match &arguments.calibration {
        Some(path) => Some(
            serde_json::from_slice::<Calibration>(&whole(path)?)
                .map_err(|error| format!("{} is no calibration ({error})", path.display()))?,
        ),
        None => None,
    };
    Ok(Settings {
        slices: arguments.slices.clone(),
        tags,
        bins: arguments.bins,
        are_logits: arguments.logits,
        calibrate: arguments.calibrate,
        calibration,
        category: arguments.category,
        background: arguments.background.clone(),
        last_ends_early: arguments.last_ends_early,
        overlaps: arguments.overlaps.clone(),
        shares: arguments.shares.clone(),
        unit: arguments.unit.clone(),
    })
}

/// The path that was given for a role.
fn path_of(arguments: &Arguments, role: Role) -> Outcome<&Path> {
    let (path, option) = match role {
        Role::Truth => (&arguments.truth, "--truth"),
        Role::Predictions | Role::Rows => (&arguments.predictions, "--predictions"),
    };
    path.as_deref()
        .ok_or_else(|| format!("{option} is missing; plumb evaluate --help lists the files of each task"))
}

/// A file's name without its folders.
fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn whole(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read the file ({error}): {}", path.display()))
}

/// Feeds a file to the evaluation, and gives its SHA-256. Long ones show how far they are.
fn read(evaluation: &mut Evaluation, role: Role, path: &Path) -> Outcome<String> {
    let unreadable = |error: io::Error| format!("cannot read the file ({error}): {}", path.display());
    let mut file = File::open(path).map_err(unreadable)?;
    let n_bytes = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    let name = name_of(path);
    let in_words = |error: plumbline_core::metrics::MetricError| error.to_string();
    evaluation.begin(role, &name).map_err(in_words)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut progress = Progress::new(&name, n_bytes);
    loop {
        let n = file.read(&mut piece).map_err(unreadable)?;
        if n == 0 {
            break;
        }
        hash.update(&piece[..n]);
        evaluation.push(&piece[..n]).map_err(in_words)?;
        progress.add(n as u64);
    }
    evaluation.end().map_err(in_words)?;
    Ok(hex(&hash.finalize()))
}

/// How far a long piece of work is, on standard error where a person reads it.
struct Progress<'a> {
    what: &'a str,
    whole: u64,
    done: u64,
    shown: Instant,
    is_shown: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str, whole: u64) -> Self {
        Self {
            what,
            whole,
            done: 0,
            shown: Instant::now(),
            is_shown: io::stderr().is_terminal(),
        }
    }

    fn add(&mut self, more: u64) {
        self.done += more;
        if self.is_shown && self.whole > 0 && self.shown.elapsed() > Duration::from_secs(1) {
            eprintln!(
                "{}: {} %",
                self.what,
                100 * self.done.min(self.whole) / self.whole
            );
            self.shown = Instant::now();
        }
    }
}
