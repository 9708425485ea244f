//! Draws the test grid, or the demo clip, as PPM files with their truth as JSON beside them.
//!
//! `cargo run --release -p plumbline_figure --example contact_sheet -- FOLDER [grid|demo|SEED...]`

use plumbline_figure::{Appearance, Still, demo, stills};
use std::path::Path;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((folder, wanted)) = arguments.split_first() else {
        eprintln!("usage: contact_sheet FOLDER [grid|demo|SEED...]");
        std::process::exit(2);
    };
    std::fs::create_dir_all(folder)?;
    let pictures: Vec<Still> = match wanted.first().map(String::as_str) {
        None | Some("grid") => stills::grid(),
        Some("demo") => {
            let clip = demo::clip();
            (0..clip.frame_count()).map(|frame| clip.still(frame)).collect()
        }
        Some(_) => wanted
            .iter()
            .filter_map(|seed| seed.parse().ok())
            .map(passer_by)
            .collect(),
    };
    let start = Instant::now();
    for still in &pictures {
        let path = Path::new(folder).join(&still.name);
        std::fs::write(path.with_extension("ppm"), still.draw().to_ppm())?;
        std::fs::write(path.with_extension("json"), still.truth().to_json())?;
    }
    let each = start.elapsed().as_secs_f64() / pictures.len() as f64;
    println!("{} pictures, {:.0} ms each", pictures.len(), each * 1000.0);
    Ok(())
}

/// A random person in one of the grid's pictures.
fn passer_by(seed: u64) -> Still {
    let grid = stills::grid();
    let still = grid[(seed as usize * 7) % grid.len()].clone();
    Still {
        name: format!("seed{seed}-{}", still.name),
        appearance: Appearance::random(seed),
        ..still
    }
}
