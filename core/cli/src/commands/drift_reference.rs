//! `plumb drift --reference`: whether a clip, or other sessions, are like those of a reference profile.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use plumbline_core::monitor::features::Feature;
use plumbline_core::monitor::judge::{Judgement, Method, judge};
use plumbline_core::monitor::profile::{Labels, Profile};
use plumbline_core::monitor::thresholds::ThresholdSearch;
use plumbline_core::monitor::verdict::Direction;

use crate::Outcome;
use crate::clip::Clip;
use crate::commands::profile::{LookingArguments, SEED, made, read_profile};
use crate::printing::{print_json, written};

/// What the program ends with where something has changed.
const ALARM: u8 = 3;

/// What is asked.
pub struct Wish<'a> {
    /// The reference.
    pub reference: &'a Path,
    /// A clip, or the profile of other sessions.
    pub source: &'a Path,
    /// Blocks until a false alarm of one chart, where another number is wanted than the reference has.
    pub arl0: Option<f64>,
    /// Which model looks at a clip.
    pub looking: &'a LookingArguments,
    /// Print one JSON object.
    pub json: bool,
}

/// Runs the command; 0 where nothing has changed, 3 where something has.
///
/// # Errors
/// Files that cannot be read, a clip without a whole block.
pub fn run(wish: &Wish<'_>) -> Outcome<ExitCode> {
    let mut reference = read_profile(wish.reference)?;
    if let Some(arl0_blocks) = wish.arl0 {
        set_run_length(&mut reference, arl0_blocks)?;
    }
    let is_profile = wish
        .source
        .extension()
        .is_some_and(|extension| extension == "json");
    let other = if is_profile {
        read_profile(wish.source)?
    } else {
        profile_of(&reference, wish)?
    };
    let judgement = judge(&reference, &other, SEED);
    let mut out = io::stdout().lock();
    if wish.json {
        print_json(&mut out, &judgement)?;
    } else {
        written(write(&mut out, &judgement))?;
    }
    Ok(if judgement.alarms.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ALARM)
    })
}

/// The clip as a draft, in the blocks and cells of the reference.
fn profile_of(reference: &Profile, wish: &Wish<'_>) -> Outcome<Profile> {
    let eyes = wish.looking.eyes()?;
    let learning = eyes.watch(
        Clip::open(wish.source)?,
        reference.block.into(),
        reference.cells(),
    )?;
    let mut profile = Profile::draft(made(&eyes, Labels::None, 0)?, reference.block.into());
    let name = wish.source.file_name().unwrap_or_default().to_string_lossy();
    let added = profile.add_session(&name, 0, &learning);
    added.map_err(|error| format!("{}: {error}", wish.source.display()))?;
    Ok(profile)
}

/// Other limits than the reference was made with. They are for this comparison: a copy that is not frozen takes them.
fn set_run_length(reference: &mut Profile, arl0_blocks: f64) -> Outcome<()> {
    let mut draft = Profile::draft(reference.made.clone(), reference.block.into());
    let copied = draft.change(|draft| {
        let (id, state) = (draft.id.clone(), draft.state);
        *draft = reference.clone();
        (draft.id, draft.state) = (id, state);
        draft.charts.arl0_blocks = arl0_blocks;
    });
    copied.map_err(|error| error.to_string())?;
    ThresholdSearch::new(&draft, SEED)
        .finish(&mut draft)
        .map_err(|error| error.to_string())?;
    *reference = draft;
    Ok(())
}

fn write(out: &mut impl Write, judgement: &Judgement) -> io::Result<()> {
    for note in &judgement.notes {
        writeln!(out, "{note}")?;
    }
    let arrow = |direction: Option<Direction>| match direction {
        Some(Direction::Up) => "higher",
        Some(Direction::Down) => "lower",
        None => "",
    };
    match judgement.method {
        Method::Charts => {
            writeln!(
                out,
                "{:<22}{:>12}{:>14}  {:>6}",
                "feature", "highest, sd", "threshold, sd", "block"
            )?;
            for chart in &judgement.charts {
                let block = chart
                    .first_block
                    .map_or_else(|| "-".to_owned(), |block| block.to_string());
                writeln!(
                    out,
                    "{:<22}{:>12.2}{:>14.2}  {block:>6}  {}",
                    chart.feature,
                    chart.highest,
                    chart.threshold,
                    arrow(chart.direction)
                )?;
            }
        }
        Method::Means => {
            writeln!(
                out,
                "{:<22}{:>11}{:>11}  {:<13}{:>9}{:>11}{:>11}",
                "feature", "reference", "now", "unit", "t", "p", "q"
            )?;
            for one in &judgement.means {
                writeln!(
                    out,
                    "{:<22}{:>11.4}{:>11.4}  {:<13}{:>9.2}{:>11.2e}{:>11.2e}  {}",
                    one.feature,
                    one.reference,
                    one.value,
                    Feature::named(&one.feature).map_or("", |feature| feature.spec().unit),
                    one.statistic,
                    one.p,
                    one.q,
                    arrow(one.changed)
                )?;
            }
        }
    }
    let (blocks, reference_blocks) = (judgement.blocks, judgement.reference_blocks);
    match &judgement.alarms[..] {
        [] => writeln!(
            out,
            "as in the reference: {blocks} blocks against {reference_blocks}"
        ),
        alarms => {
            writeln!(
                out,
                "changed: {} ({blocks} blocks against {reference_blocks})",
                alarms.join(", ")
            )?;
            for feature in alarms.iter().filter_map(|name| Feature::named(name)) {
                let spec = feature.spec();
                writeln!(out, "  {}: {}", spec.label, spec.advice)?;
            }
            Ok(())
        }
    }
}
