//! Trunk and wasm-bindgen, the two build tools that turn the web package into files a browser loads, and the compiler's
//! own target for them.
//!
//! Both must have exact versions: Trunk because its output format is post-processed here, wasm-bindgen
//! because its tool and its library exchange a private format and must be of one release. A tool is taken
//! from `target/tools`, then from PATH where its version is right, and is otherwise compiled from crates.io
//! into `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, read_text};
use crate::{Outcome, process};

/// What browsers run.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The newest Trunk that the pinned toolchain compiles.
const TRUNK_VERSION: &str = "0.21.14";

/// One tool: the program to look for, the package that holds it, and its version.
struct Tool {
    program: &'static str,
    package: &'static str,
    version: String,
    /// Whether the package compiles with the lock file it was published with.
    locked: bool,
    why: &'static str,
}

/// Makes sure that the toolchain compiles for browsers. rust-toolchain.toml asks for it, but rustup may have been told
/// to install nothing by itself.
pub fn ensure_wasm_target() -> Outcome<()> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .is_dir()
    {
        return Ok(());
    }
    println!("Installing the Rust target {WASM_TARGET}: the page is compiled for it.");
    process::run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
}

/// Makes sure that both tools are there, and returns a folder that holds them under their own names.
pub fn ensure(workspace: &Workspace) -> Outcome<PathBuf> {
    ensure_all_of(&["trunk", "wasm-bindgen"], workspace)
}

/// Makes sure that wasm-bindgen is there, and returns its folder.
pub fn ensure_wasm_bindgen(workspace: &Workspace) -> Outcome<PathBuf> {
    ensure_all_of(&["wasm-bindgen"], workspace)
}

fn ensure_all_of(programs: &[&str], workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.target.join("tools");
    let lock = read_text(&workspace.root.join("Cargo.lock"))?;
    let wasm_bindgen = locked_version(&lock, "wasm-bindgen")
        .ok_or("Cargo.lock names no wasm-bindgen; the web package must depend on it")?;
    let tools = [
        Tool {
            program: "trunk",
            package: "trunk",
            version: TRUNK_VERSION.to_owned(),
            locked: true,
            why: "it compiles the page to WebAssembly and gathers its files",
        },
        Tool {
            program: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            version: wasm_bindgen.to_owned(),
            locked: false,
            why: "it joins WebAssembly and JavaScript, and must be of the release in Cargo.lock",
        },
    ];
    for tool in tools.iter().filter(|tool| programs.contains(&tool.program)) {
        provide(tool, &folder)?;
    }
    Ok(folder.join("bin"))
}

/// Puts one tool into `folder/bin`, unless the right version is there.
fn provide(tool: &Tool, folder: &Path) -> Outcome<()> {
    let installed = folder
        .join("bin")
        .join(format!("{}{}", tool.program, std::env::consts::EXE_SUFFIX));
    if has_version(&installed, &tool.version) {
        return Ok(());
    }
    if let Some(found) = process::on_path(tool.program).filter(|path| has_version(path, &tool.version)) {
        return adopt(&found, tool, folder);
    }
    println!(
        "Compiling {} {} into target/tools: {}.",
        tool.package, tool.version, tool.why
    );
    println!("This happens once and takes some minutes.");
    let mut install = process::cargo();
    install
        .args(["install", tool.package, "--version", &tool.version, "--root"])
        .arg(folder)
        .arg("--force");
    if tool.locked {
        install.arg("--locked");
    }
    // Its own build folder would be thrown away; under target/ an interrupted build goes on where it stopped.
    install
        .env("CARGO_TARGET_DIR", folder.join("build"))
        .current_dir(folder.parent().unwrap_or(folder));
    process::run(&mut install)?;
    if has_version(&installed, &tool.version) {
        Ok(())
    } else {
        Err(format!(
            "{} was installed but does not answer as {}",
            installed.display(),
            tool.version
        ))
    }
}

/// Copies a tool and the programs of the same package beside it into `folder/bin`.
fn adopt(found: &Path, tool: &Tool, folder: &Path) -> Outcome<()> {
    println!(
        "Using {} {} from {}.",
        tool.program,
        tool.version,
        found.display()
    );
    let bin = folder.join("bin");
    crate::workspace::make_folder(&bin)?;
    let programs: &[&str] = match tool.program {
        "wasm-bindgen" => &["wasm-bindgen", "wasm-bindgen-test-runner"],
        program => &[program],
    };
    for program in programs {
        let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        let source = found.with_file_name(&file);
        std::fs::copy(&source, bin.join(&file))
            .map_err(|error| format!("cannot copy {} to {}: {error}", source.display(), bin.display()))?;
    }
    Ok(())
}

fn has_version(program: &Path, version: &str) -> bool {
    process::version_of(program).is_some_and(|line| line.split_whitespace().nth(1) == Some(version))
}

/// The version of a package in the text of a Cargo.lock.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package_with_exactly_this_name() {
        let lock = "\
[[package]]
name = \"wasm-bindgen-macro\"
version = \"9.9.9\"

[[package]]
name = \"wasm-bindgen\"
version = \"0.2.130\"
source = \"registry\"
";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
        assert_eq!(locked_version("", "wasm-bindgen"), None);
    }
}
