//! `plumb robustness`: what a model loses under twelve corruptions in five severities each, on people whose places are
//! known, and how far a small attack can move its joints.
//!
//! Each number stands beside the clean one and what is lost of it. Two numbers sum up, as Hendrycks and Dietterich (2019)
//! and Michaelis et al. (*Benchmarking Robustness in Object Detection*, 2019) do: the mean of 1 - OKS over all corruptions
//! and severities, and the mean OKS under corruption as a share of the clean one.

mod attack;
mod scores;
mod shown;

use std::io;
use std::path::PathBuf;

use clap::Args;
use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::metrics::MetricError;
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_figure::{demo, stills};
use serde::Serialize;

use self::attack::{AttackReport, attack};
use self::scores::{Drops, Scorer, Scores};
use self::shown::{Shown, labelled};
use crate::Outcome;
use crate::backend::{AnyPipeline, Backend, Device, LandmarkModel, pose_pipeline};
use crate::printing::{print_json, written};

/// Decides noise and the order of attacks.
const SEED: u64 = 5;
/// Runs of the model for each attacked picture.
const QUERIES: u32 = 200;
/// Levels of 255 by which an attack may change a pixel.
const BUDGETS: [u8; 2] = [4, 8];

/// Says what a model loses under twelve corruptions in five severities, and how far a small attack moves its joints
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["figure", "truth"]))]
pub struct Arguments {
    /// On drawn people: 33 stills, and a clip for the frame rate
    #[arg(long)]
    figure: bool,
    /// On photographs: COCO's labels of people (person_keypoints_*.json)
    #[arg(long, value_name = "COCO.json", requires = "images")]
    truth: Option<PathBuf>,
    /// The folder of these photographs
    #[arg(long, value_name = "FOLDER", requires = "truth")]
    images: Option<PathBuf>,
    /// The landmark model
    #[arg(long, value_enum, default_value = "full")]
    model: LandmarkModel,
    /// What runs the models
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Backend,
    /// How many pictures are attacked; 0 for none
    #[arg(long, value_name = "N", default_value_t = 3)]
    attacked: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    model: &'static str,
    backend: &'static str,
    pictures: usize,
    /// Images without somebody whose shoulders and hips are labelled.
    left_out: usize,
    clean: Scores,
    /// Of the clip that frame rates are tried on.
    clean_clip: Option<Scores>,
    conditions: Vec<Condition>,
    /// Mean of 1 - OKS.
    mean_corruption_error: f64,
    /// Mean OKS as a share of the clean one.
    relative_performance: Option<f64>,
    attacks: Vec<AttackReport>,
    notes: Vec<&'static str>,
}

/// A corruption in one severity.
#[derive(Serialize)]
struct Condition {
    corruption: &'static str,
    severity: u8,
    scores: Scores,
    drops: Drops,
}

/// Runs the command.
///
/// # Errors
/// A sentence: files or models that cannot be used.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let (pictures, left_out) = match (&arguments.truth, &arguments.images) {
        (Some(truth), Some(images)) => labelled(truth, images)?,
        _ => (stills::grid().iter().map(Shown::drawn).collect(), 0),
    };
    let report = measured(arguments, &pictures, left_out)?;
    if arguments.json {
        return print_json(&mut io::stdout().lock(), &report);
    }
    written(print(&mut io::stdout().lock(), &report))
}

fn measured(arguments: &Arguments, pictures: &[Shown], left_out: usize) -> Outcome<Report> {
    let device = Device::open(arguments.backend)?;
    let mut alone = Model::new(&device, arguments.model, Mode::Static)?;
    let mut following = Model::new(&device, arguments.model, Mode::Tracking)?;
    let clip: Vec<Shown> = match arguments.figure {
        true => {
            let clip = demo::clip();
            (0..clip.frame_count())
                .map(|frame| Shown::drawn(&clip.still(frame)))
                .collect()
        }
        false => Vec::new(),
    };
    let clean = alone.score(pictures.iter().cloned())?;
    let clean_clip = match clip.is_empty() {
        true => None,
        false => Some(following.score(clip.iter().cloned())?),
    };
    let mut conditions = Vec::new();
    for corruption in Corruption::ALL {
        let is_of_clip = corruption == Corruption::LowFrameRate;
        let (shown, reference, model) = match (is_of_clip, &clean_clip) {
            (false, _) => (pictures, &clean, &mut alone),
            (true, Some(clean)) => (&clip[..], clean, &mut following),
            // Photographs have no frame rate.
            (true, None) => continue,
        };
        if !arguments.json {
            eprintln!("{}: {} pictures", corruption.id(), shown.len());
        }
        let mut before = None;
        for severity in Severity::ALL {
            let scores = match before.filter(|_| !corruption.has_severities()) {
                Some(scores) => scores,
                None => {
                    let mut corruptor = Corruptor::new(SEED);
                    let spoiled = shown.iter().enumerate();
                    model.score(spoiled.map(|(frame, shown)| {
                        shown.spoiled(&mut corruptor, corruption, severity, frame as u32)
                    }))?
                }
            };
            before = Some(scores);
            conditions.push(Condition {
                corruption: corruption.id(),
                severity: severity.level(),
                scores,
                drops: scores.drops(reference),
            });
        }
    }
    // The same stills under every budget.
    let step = (pictures.len() / arguments.attacked.max(1)).max(1);
    let chosen: Vec<Shown> = pictures
        .iter()
        .step_by(step)
        .take(arguments.attacked)
        .cloned()
        .collect();
    let mut attacks = Vec::new();
    for levels in BUDGETS.into_iter().filter(|_| !chosen.is_empty()) {
        attacks.push(attack(&chosen, levels, QUERIES, SEED, &mut |shown| {
            alone.find(shown)
        })?);
    }
    let mean_of =
        |value: fn(&Condition) -> f64| conditions.iter().map(value).sum::<f64>() / conditions.len() as f64;
    let kept: Vec<f64> = conditions
        .iter()
        .filter_map(|condition| condition.drops.oks)
        .map(|drop| 1.0 - drop)
        .collect();
    let mut notes = vec![
        "PCK and being right are told in lengths of the trunk; somebody who is not found has no joint right.",
        "Truth moves along with rotation, scale and mirroring; under a low frame rate it is of the moment.",
        "Of somebody who is not found the certainty is 0 and right: a calibration error that falls with the share of people found is no good news.",
        "The attack is a lower bound of what somebody can do who knows the model.",
    ];
    if clean_clip.is_none() {
        notes.push("Photographs have no frame rate, so eleven corruptions are tried.");
    }
    Ok(Report {
        model: arguments.model.name(),
        backend: arguments.backend.name(),
        pictures: pictures.len(),
        left_out,
        clean,
        clean_clip,
        mean_corruption_error: mean_of(|condition| 1.0 - condition.scores.oks),
        relative_performance: (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64),
        conditions,
        attacks,
        notes,
    })
}

/// A model that finds people in pictures, each alone or one after the other.
struct Model<'a> {
    device: &'a Device,
    model: LandmarkModel,
    mode: Mode,
    pipeline: AnyPipeline,
}

impl<'a> Model<'a> {
    fn new(device: &'a Device, model: LandmarkModel, mode: Mode) -> Outcome<Self> {
        Ok(Self {
            device,
            model,
            mode,
            pipeline: pose_pipeline(device, model, mode)?,
        })
    }

    /// The numbers of pictures; frames of a clip are followed from the first on.
    fn score(&mut self, pictures: impl Iterator<Item = Shown>) -> Outcome<Scores> {
        if self.mode == Mode::Tracking {
            // Whom it followed in the clip before.
            self.pipeline = pose_pipeline(self.device, self.model, self.mode)?;
        }
        let failed = |error: MetricError| error.to_string();
        let mut scorer = Scorer::new().map_err(failed)?;
        for (frame, shown) in pictures.enumerate() {
            let pose = self.find_at(&shown, frame as f64 / demo::clip().frames_per_sec)?;
            scorer.observe(&shown, pose.as_ref()).map_err(failed)?;
        }
        scorer.scores().map_err(failed)
    }

    fn find(&mut self, shown: &Shown) -> Outcome<Option<Pose>> {
        self.find_at(shown, 0.0)
    }

    fn find_at(&mut self, shown: &Shown, time_secs: f64) -> Outcome<Option<Pose>> {
        let [width, height] = [shown.size.width_px, shown.size.height_px].map(|side| side as usize);
        let frame = Frame::packed(&shown.rgba, width, height, PixelFormat::Rgba8)
            .map_err(|error| error.to_string())?;
        let result = pollster::block_on(self.pipeline.process(&frame, Timestamp::from_secs(time_secs)));
        Ok(result.map_err(|error| error.to_string())?.pose)
    }
}

/// Rounded to tenths, without a sign of zero.
fn tenths(value: f64) -> f64 {
    (10.0 * value).round() / 10.0 + 0.0
}

fn print(out: &mut impl io::Write, report: &Report) -> io::Result<()> {
    let Report { clean, .. } = report;
    writeln!(
        out,
        "{} on {}, {} pictures ({} left out)\n\n{:<15} {:>8} {:>7} {:>7} {:>7} {:>7} {:>9}",
        report.model,
        report.backend,
        report.pictures,
        report.left_out,
        "corruption",
        "severity",
        "OKS",
        "PCK",
        "found",
        "ECE",
        "OKS lost"
    )?;
    let row = |out: &mut dyn io::Write, name: &str, severity: &str, scores: &Scores, lost: &str| {
        let Scores {
            oks, pck, found, ece, ..
        } = scores;
        writeln!(
            out,
            "{name:<15} {severity:>8} {oks:>7.3} {pck:>7.3} {found:>7.3} {ece:>7.3} {lost:>9}"
        )
    };
    row(out, "clean", "", clean, "")?;
    if let Some(clean) = &report.clean_clip {
        row(out, "clean clip", "", clean, "")?;
    }
    for condition in &report.conditions {
        let lost = condition
            .drops
            .oks
            .map_or_else(|| "–".to_owned(), |drop| format!("{:.1} %", tenths(100.0 * drop)));
        row(
            out,
            condition.corruption,
            &condition.severity.to_string(),
            &condition.scores,
            &lost,
        )?;
    }
    writeln!(
        out,
        "\nmean corruption error (1 - OKS): {:.3}",
        report.mean_corruption_error
    )?;
    if let Some(share) = report.relative_performance {
        writeln!(
            out,
            "of the clean OKS is left, on average: {:.1} %",
            100.0 * share
        )?;
    }
    for attack in &report.attacks {
        let moved = match (attack.moved_px_mean, attack.moved_px_max) {
            (Some(mean), Some(max)) => {
                format!("joints moved by {mean:.1} px of 256 on average, {max:.1} at most")
            }
            _ => "nobody is left".to_owned(),
        };
        writeln!(
            out,
            "attack by {} of 255 levels, {} queries, {} pictures: {moved}; {} lost",
            attack.levels, attack.queries, attack.pictures, attack.lost
        )?;
    }
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}
