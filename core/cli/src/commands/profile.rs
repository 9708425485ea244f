//! `plumb profile`: clips become a reference profile, a draft or frozen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::datasheet::Datasheet;
use plumbline_core::monitor::profile::{Labels, Made, Profile};
use plumbline_core::monitor::thresholds::ThresholdSearch;
use serde::Serialize;

use crate::Outcome;
use crate::backend::{Backend, LandmarkModel};
use crate::clip::Clip;
use crate::manifest;
use crate::printing::print_json;
use crate::watched_clip::{Eyes, PREPROCESSING};

/// Makes a reference profile of clips: what pictures and answers are like when all is well
#[derive(Args)]
pub struct Arguments {
    /// Each clip is a session of its own
    #[arg(required = true, value_name = "CLIP")]
    clips: Vec<PathBuf>,
    /// The profile
    #[arg(short, value_name = "P.json")]
    output: PathBuf,
    /// Answers to the datasheet's questions, TOML: who, people, consent, camera, light, clothing, views, gaps, contact
    #[arg(long, value_name = "F.toml")]
    datasheet: Option<PathBuf>,
    /// Freeze it: it never changes any more. Needs a whole datasheet, 120 blocks and 3 sessions
    #[arg(long)]
    freeze: bool,
    /// A draft that the clips are added to
    #[arg(long, value_name = "DRAFT.json")]
    add_to: Option<PathBuf>,
    /// The reference that this becomes the next version of
    #[arg(long, value_name = "P.json")]
    replaces: Option<PathBuf>,
    #[command(flatten)]
    looking: LookingArguments,
    /// Length of a block: seconds, or frames:N
    #[arg(long, value_name = "SECS|frames:N", default_value = "5", value_parser = block_length)]
    block: BlockLength,
    /// Who says what is right in the clips; what a model labelled cannot be frozen
    #[arg(long, default_value = "none", value_parser = labels)]
    labels: Labels,
    /// Mean number of blocks until one chart alarms by chance
    #[arg(long, value_name = "N", default_value_t = 20_000.0, value_parser = arl0)]
    arl0: f64,
    /// Print what the profile holds as JSON
    #[arg(long)]
    json: bool,
}

/// Which model looks at clips, and how.
#[derive(Args)]
pub struct LookingArguments {
    /// The landmark model
    #[arg(long, value_enum, default_value = "full")]
    pub model: LandmarkModel,
    /// Where models run
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Backend,
    /// Seconds between looks at a frame and its mirror image, which cost four model runs each; 0 for none
    #[arg(long, value_name = "SECS", default_value_t = 1.0, value_parser = not_negative)]
    pub mirror_every: f64,
}

impl LookingArguments {
    /// Opens the models.
    ///
    /// # Errors
    /// No usable GPU.
    pub fn eyes(&self) -> Outcome<Eyes> {
        let mirror_every_secs = Some(self.mirror_every).filter(|secs| *secs > 0.0);
        Eyes::open(self.model, self.backend, mirror_every_secs)
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(secs) if secs >= 0.0 && secs.is_finite() => Ok(secs),
        _ => Err("must be a number of seconds, or 0".to_owned()),
    }
}

/// A run length.
pub fn arl0(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(blocks) if (10.0..=1e9).contains(&blocks) => Ok(blocks),
        _ => Err("must be a number of blocks from 10 to 1,000,000,000".to_owned()),
    }
}

fn block_length(text: &str) -> Result<BlockLength, String> {
    if let Some(frames) = text.strip_prefix("frames:") {
        return match frames.parse() {
            Ok(frames @ 1..=100_000) => Ok(BlockLength::Frames(frames)),
            _ => Err("a block has 1 to 100,000 frames".to_owned()),
        };
    }
    match text.parse::<f64>() {
        Ok(secs) if (0.1..=3_600.0).contains(&secs) => Ok(BlockLength::Seconds(secs)),
        _ => Err("a block has .1 to 3,600 seconds, or is given as frames:N".to_owned()),
    }
}

fn labels(text: &str) -> Result<Labels, String> {
    match text {
        "none" => Ok(Labels::None),
        "human" => Ok(Labels::Human),
        "drawn" => Ok(Labels::Drawn),
        "model" => Ok(Labels::Model),
        _ => Err("must be none, human, drawn or model".to_owned()),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct ProfileJson<'a> {
    id: &'a str,
    version: u32,
    is_frozen: bool,
    blocks: u64,
    block_secs: f64,
    sessions: usize,
    charts: usize,
    missing: Vec<String>,
    /// Correlation times, seconds, the longest of all sessions.
    tau_secs: Vec<(&'static str, Option<f64>)>,
}

/// Runs the command.
///
/// # Errors
/// Clips or files that cannot be read, too few frames for a block, what is missing for freezing.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let eyes = arguments.looking.eyes()?;
    let at_unix_secs = now_unix_secs();
    let mut profile = match &arguments.add_to {
        Some(path) => read_profile(path)?,
        None => Profile::draft(made(&eyes, arguments.labels, at_unix_secs)?, arguments.block),
    };
    for path in &arguments.clips {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let learning = eyes.watch(Clip::open(path)?, profile.block.into(), profile.cells())?;
        let added = profile.add_session(&name, at_unix_secs, &learning);
        added.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let refused = |error: plumbline_core::monitor::profile::ProfileError| error.to_string();
    if let Some(path) = &arguments.replaces {
        profile.replace(&read_profile(path)?).map_err(refused)?;
    }
    let datasheet = arguments.datasheet.as_deref().map(read_datasheet).transpose()?;
    let set = profile.change(|profile| {
        profile.charts.arl0_blocks = arguments.arl0;
        if let Some(datasheet) = datasheet {
            profile.datasheet = datasheet;
        }
    });
    set.map_err(refused)?;
    ThresholdSearch::new(&profile, SEED)
        .finish(&mut profile)
        .map_err(refused)?;
    if arguments.freeze {
        profile.freeze(at_unix_secs).map_err(refused)?;
    }
    let output = &arguments.output;
    fs::write(output, profile.text() + "\n")
        .map_err(|error| format!("cannot write the profile ({error}): {}", output.display()))?;
    print(arguments, &profile)
}

/// Of thresholds, so that the same clips give the same profile.
pub const SEED: u64 = 1;

fn print(arguments: &Arguments, profile: &Profile) -> Outcome<()> {
    use plumbline_core::monitor::features::Feature;
    let charts = profile
        .features
        .values()
        .filter(|feature| feature.chart.is_some())
        .count();
    let tau_secs = |feature: Feature| {
        let of_it = profile
            .sessions
            .iter()
            .filter_map(|session| session.features.get(feature.spec().name));
        of_it.filter_map(|of_it| of_it.tau_secs).reduce(f64::max)
    };
    let missing = if profile.is_frozen() {
        Vec::new()
    } else {
        profile.missing()
    };
    if arguments.json {
        let json = ProfileJson {
            id: &profile.id,
            version: profile.version,
            is_frozen: profile.is_frozen(),
            blocks: profile.blocks(),
            block_secs: profile.block_secs(),
            sessions: profile.sessions.len(),
            charts,
            missing,
            tau_secs: Feature::ALL
                .map(|feature| (feature.spec().name, tau_secs(feature)))
                .into(),
        };
        return print_json(&mut std::io::stdout().lock(), &json);
    }
    println!(
        "{}: version {}, {}, {} blocks of {:.1} s from {} sessions, {charts} charts",
        arguments.output.display(),
        profile.version,
        if profile.is_frozen() { "frozen" } else { "a draft" },
        profile.blocks(),
        profile.block_secs(),
        profile.sessions.len(),
    );
    println!("{}", profile.id);
    for feature in Feature::ALL {
        if let Some(secs) = tau_secs(feature) {
            println!("  {:<22} correlation time {secs:.2} s", feature.spec().name);
        }
    }
    if !missing.is_empty() {
        println!("before it can be frozen:");
        missing.iter().for_each(|what| println!("  {what}"));
    }
    Ok(())
}

/// What a profile of this program and these models is made with.
///
/// # Errors
/// A model that the manifest does not name.
pub fn made(eyes: &Eyes, labels: Labels, at_unix_secs: u64) -> Outcome<Made> {
    let model = eyes.model().name();
    Ok(Made {
        model: model.to_owned(),
        model_sha256: manifest::sha256_of(model)?,
        detector_sha256: Some(manifest::sha256_of("detector")?),
        preprocessing: PREPROCESSING.to_owned(),
        backend: eyes.backend().name().to_owned(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        at_unix_secs,
        labels,
        more: serde_json::Map::new(),
    })
}

/// Now, or what `SOURCE_DATE_EPOCH` says, so that the same clips give the same bytes.
pub fn now_unix_secs() -> u64 {
    let given = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}

/// Reads a profile.
///
/// # Errors
/// A file that cannot be read or is no profile.
pub fn read_profile(path: &Path) -> Outcome<Profile> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the profile ({error}): {}", path.display()))?;
    Profile::read(&text).map_err(|error| format!("{error}: {}", path.display()))
}

fn read_datasheet(path: &Path) -> Outcome<Datasheet> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the datasheet ({error}): {}", path.display()))?;
    Datasheet::from_toml(&text).map_err(|sentence| format!("{sentence}: {}", path.display()))
}
