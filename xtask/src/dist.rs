//! `cargo xtask dist`: builds the page and prints what a visitor downloads.
//!
//! It fails where the application has grown past its limit. Sizes are those of the files themselves and after gzip
//! (level 9) and Brotli (quality 11), computed by Node's zlib. Weights and the demo clip are listed but do not count
//! towards the application: they are fetched when asked for.

use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{Workspace, files_below};
use crate::{Outcome, node, page, process};

/// What the application without weights may weigh after Brotli.
const LIMIT_BYTES: u64 = 450 * 1024;

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
    let (later, application): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(is_fetched_later);

    println!("\n{:<58} {:>10} {:>10} {:>10}", "file", "raw", "gzip", "brotli");
    let mut total = [0_u64; 3];
    for (path, sizes) in application.iter().zip(measure(&application)?) {
        print_row(
            &path.strip_prefix(&dist).unwrap_or(path).to_string_lossy(),
            &sizes,
        );
        for (sum, size) in total.iter_mut().zip(sizes) {
            *sum += size;
        }
    }
    print_row("the application, without weights and demo clip", &total);
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
    println!("\n{}", within_limit(total[2])?);
    Ok(())
}

/// A sentence about the application's bytes after Brotli; an error where it has grown too large.
fn within_limit(brotli: u64) -> Outcome<String> {
    let (size, limit) = (brotli.div_ceil(1024), LIMIT_BYTES / 1024);
    if brotli > LIMIT_BYTES {
        return Err(format!(
            "the application is {size} KiB after Brotli, and may be {limit}; the table above shows which file grew"
        ));
    }
    Ok(format!("{size} KiB after Brotli, of {limit} that it may have."))
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
        assert!(within_limit(LIMIT_BYTES).is_ok());
        let sentence = within_limit(LIMIT_BYTES + 1).expect_err("a byte too many");
        assert!(sentence.contains("451 KiB"), "{sentence}");
    }
}
