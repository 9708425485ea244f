//! Builds the page: everything that a browser is served, in one folder.
//!
//! Out, in `dist/`: the HTML with hashed scripts, styles and WebAssembly as Trunk gathers them, `models/`
//! with the verified weights and their manifest, `demo/` with the drawn clip. The folder can be put behind
//! any static server that sends the headers of `server.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, files_below, make_folder, read_text, write};
use crate::{Outcome, models, plumb, process, texts, tools};

/// Builds the page and returns its folder.
pub fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    tools::ensure_wasm_target()?;
    let tools = tools::ensure(workspace)?;
    let demo = plumb::draw_demo(workspace)?;
    println!("Building the page in release.");
    let built = workspace.target.join("page");
    process::run(
        Command::new(tools.join("trunk"))
            .args([
                "build",
                "--release",
                "--cargo-profile",
                "web",
                "--offline",
                "--dist",
            ])
            .arg(&built)
            .env("PATH", process::path_with(&tools)?)
            // Trunk reads this as its own switch and accepts only true and false.
            .env_remove("NO_COLOR")
            .current_dir(workspace.root.join("web")),
    )?;

    // The new page is put together beside the old one and swapped in whole.
    let fresh = workspace.target.join("page-fresh");
    remove(&fresh)?;
    copy_below(&built, &fresh)?;
    let html = read_text(&fresh.join("index.html"))?;
    for file in files_below(&fresh)? {
        let extension = file.extension().unwrap_or_default();
        if extension == "js" || extension == "css" {
            write(&file, texts::as_served(&read_text(&file)?).as_bytes())?;
        }
    }
    if let Some(tag) = inline_script(&html) {
        return Err(format!(
            "the built page has the inline script {tag}, which its own content security policy refuses; put it into a \
             file (web/Trunk.toml says how Trunk's start script got its own)"
        ));
    }
    models::publish(workspace, &fresh.join("models"))?;
    make_folder(&fresh.join("demo"))?;
    for file in ["person.mjpeg", "person.json"] {
        copy(&demo.join(file), &fresh.join("demo").join(file))?;
    }
    let dist = workspace.dist();
    remove(&dist)?;
    // A rename does not cross file systems, and CARGO_TARGET_DIR may lie on another one.
    if fs::rename(&fresh, &dist).is_err() {
        copy_below(&fresh, &dist)?;
    }
    Ok(dist)
}

/// The first script tag of a page that names no file.
fn inline_script(html: &str) -> Option<&str> {
    let tags = html.match_indices("<script").map(|(start, _)| {
        let rest = &html[start..];
        rest.find('>').map_or(rest, |end| &rest[..=end])
    });
    tags.into_iter().find(|tag| !tag.contains(" src="))
}

fn copy_below(from: &Path, to: &Path) -> Outcome<()> {
    for file in files_below(from)? {
        let place = to.join(
            file.strip_prefix(from)
                .expect("the listing starts with its folder"),
        );
        make_folder(place.parent().unwrap_or(to))?;
        copy(&file, &place)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}

fn remove(folder: &Path) -> Outcome<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_a_file_are_found() {
        assert_eq!(
            inline_script("<p>script</p><script src=\"/a.js\"></script>"),
            None
        );
        assert_eq!(
            inline_script("<script type=\"module\">let a;</script>"),
            Some("<script type=\"module\">")
        );
        assert_eq!(
            inline_script("<script src=\"/a.js\"></script><script>let a;"),
            Some("<script>")
        );
    }
}
