//! `cargo xtask dist`: builds the page and prints what a visitor downloads.
//!
//! It fails where the application has grown past its limit, or what single pages load apart past its own. Sizes are those
//! of the files themselves and after gzip (level 9) and Brotli (quality 11), computed by Node's zlib. Weights and the demo clip are listed but do not count
//! towards the application: they are fetched when asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, files_below};
use crate::{Outcome, node, page, process};

/// What the application without weights may weigh after Brotli.
const LIMIT_BYTES: u64 = 450 * 1024;

/// Programs that single pages load beside the application.
struct Apart {
    what: &'static str,
    programs: [&'static str; 2],
    /// After Brotli.
    limit_bytes: u64,
}

/// An interface each, and a worker: with importers and every operator, and with one backend and all that watches.
const APART: [Apart; 2] = [
    Apart {
        what: "what /models loads apart",
        programs: ["lab", "lab_worker"],
        limit_bytes: 950 * 1024,
    },
    Apart {
        what: "what /monitor and /evaluate load apart",
        programs: ["watch", "watch_worker"],
        limit_bytes: 700 * 1024,
    },
];

impl Apart {
    fn has(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.programs.iter().any(|program| {
            let rest = name.strip_prefix(program).unwrap_or_default();
            [".js", "_bg.wasm"].contains(&rest)
        })
    }
}

/// Prints `[raw, gzip, brotli]` of each file named on the command line as JSON.
const MEASURE: &str = "\
const { readFileSync } = require('node:fs');
const { gzipSync, brotliCompressSync, constants } = require('node:zlib');
const sizes = process.argv.slice(1).map((path) => {
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return [bytes.length, gzipSync(bytes, { level: 9 }).length, brotli.length];
});
console.log(JSON.stringify(sizes));
";

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    if let Some(arg) = args.first() {
        return Err(format!("`cargo xtask dist` takes no '{arg}'"));
    }
    let dist = page::build(workspace)?;
    let files = files_below(&dist)?;
    let is_fetched_later = |path: &PathBuf| {
        let relative = path.strip_prefix(&dist).unwrap_or(path);
        relative.starts_with("demo") || relative.extension().is_some_and(|extension| extension == "graph")
    };
    let (later, served): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(is_fetched_later);
    let mut application = served;
    let apart = APART.map(|apart| {
        let (of_it, rest) = std::mem::take(&mut application)
            .into_iter()
            .partition(|path| apart.has(path));
        application = rest;
        (apart, of_it)
    });

    println!("\n{:<58} {:>10} {:>10} {:>10}", "file", "raw", "gzip", "brotli");
    let total = print_rows(&dist, &application)?;
    print_row("the application, without weights and demo clip", &total);
    let mut sizes = vec![("the application", total[2], LIMIT_BYTES)];
    for (apart, files) in apart {
        println!();
        let total = print_rows(&dist, &files)?;
        print_row(apart.what, &total);
        sizes.push((apart.what, total[2], apart.limit_bytes));
    }
    println!("\nFetched when they are asked for:");
    for path in &later {
        let bytes = std::fs::metadata(path)
            .map_err(|error| format!("{}: {error}", path.display()))?
            .len();
        println!(
            "{:<58} {bytes:>10}",
            path.strip_prefix(&dist).unwrap_or(path).to_string_lossy()
        );
    }
    println!();
    for (what, brotli, limit_bytes) in sizes {
        println!("{}", within_limit(what, brotli, limit_bytes)?);
    }
    Ok(())
}

/// Prints the sizes of files, and gives their sums.
fn print_rows(dist: &Path, files: &[PathBuf]) -> Outcome<[u64; 3]> {
    let mut total = [0_u64; 3];
    for (path, sizes) in files.iter().zip(measure(files)?) {
        print_row(&path.strip_prefix(dist).unwrap_or(path).to_string_lossy(), &sizes);
        for (sum, size) in total.iter_mut().zip(sizes) {
            *sum += size;
        }
    }
    Ok(total)
}

/// A sentence about bytes after Brotli; an error where they have grown too many.
fn within_limit(what: &str, brotli: u64, limit_bytes: u64) -> Outcome<String> {
    let (size, limit) = (brotli.div_ceil(1024), limit_bytes / 1024);
    if brotli > limit_bytes {
        return Err(format!(
            "{what} is {size} KiB after Brotli, and may be {limit}; the table above shows which file grew"
        ));
    }
    Ok(format!(
        "{what}: {size} KiB after Brotli, of {limit} that it may have."
    ))
}

fn print_row(name: &str, [raw, gzip, brotli]: &[u64; 3]) {
    println!("{name:<58} {raw:>10} {gzip:>10} {brotli:>10}");
}

fn measure(files: &[PathBuf]) -> Outcome<Vec<[u64; 3]>> {
    let mut command: Command = node::node()?;
    let json = process::output(command.args(["-e", MEASURE]).args(files))?;
    serde_json::from_str(&json)
        .map_err(|error| format!("Node's answer about file sizes is not understood: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_that_has_grown_too_large_is_an_error() {
        assert!(within_limit("the application", LIMIT_BYTES, LIMIT_BYTES).is_ok());
        let sentence =
            within_limit("the application", LIMIT_BYTES + 1, LIMIT_BYTES).expect_err("a byte too many");
        assert!(sentence.contains("451 KiB"), "{sentence}");
    }
}
