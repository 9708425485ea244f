//! Python with packages, each set of them in a virtual environment of its own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{make_folder, read, read_text, sha256_hex, write};
use crate::{Outcome, process};

/// A Python that has what `requirements` asks for, in `folder/venv`. It is made at the first call and when the
/// requirements change; `notice` says meanwhile what it is for.
pub fn ensure(folder: &Path, requirements: &Path, notice: &str) -> Outcome<PathBuf> {
    let venv = folder.join("venv");
    let python = if cfg!(windows) {
        venv.join("Scripts/python.exe")
    } else {
        venv.join("bin/python")
    };
    let stamp = folder.join("venv-made-by");
    let wanted = sha256_hex(&read(requirements)?);
    if python.exists() && read_text(&stamp).is_ok_and(|seen| seen == wanted) {
        return Ok(python);
    }
    let system = process::on_path("python3")
        .or_else(|| process::on_path("python"))
        .ok_or("Python was not found; install Python 3.11 or newer")?;
    println!("{notice}");
    make_folder(folder)?;
    process::run(Command::new(system).args(["-m", "venv"]).arg(&venv))?;
    process::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(requirements),
    )?;
    write(&stamp, wanted.as_bytes())?;
    Ok(python)
}
