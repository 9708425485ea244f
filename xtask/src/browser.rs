//! Finds the browsers and media programs that the tests need, and on Debian as root installs the ones that
//! are missing.
//!
//! A Chromium is required: without one the answer is a sentence that says how to get it. Firefox with Mesa's
//! software Vulkan, and ffmpeg, are asked for as well; where they cannot be had the caller skips what needs
//! them and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, process};

/// Names on PATH under which Chromium and its kin are installed.
const CHROMIUM_PROGRAMS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "chrome",
];

/// Places outside PATH: macOS bundles, then Windows folders.
const CHROMIUM_PLACES: [&str; 7] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
];

const FIREFOX_PROGRAMS: [&str; 2] = ["firefox-esr", "firefox"];

const FIREFOX_PLACES: [&str; 2] = [
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    r"C:\Program Files\Mozilla Firefox\firefox.exe",
];

/// Where distributions put the descriptions of Vulkan drivers.
const VULKAN_DRIVER_FOLDERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
];

/// A Chromium, Chrome or Edge.
pub fn chromium() -> Outcome<PathBuf> {
    if let Some(path) = named_by("CHROME")? {
        return Ok(path);
    }
    find(&CHROMIUM_PROGRAMS, &CHROMIUM_PLACES)
        .or_else(|| {
            install("chromium", "the browser tests run in it", || {
                find(&CHROMIUM_PROGRAMS, &[])
            })
        })
        .ok_or_else(|| {
            "no Chromium, Chrome or Edge was found; install one, or set CHROME to the path of its program"
                .to_owned()
        })
}

/// A Firefox, where there is one or it can be installed.
pub fn firefox() -> Outcome<Option<PathBuf>> {
    if let Some(path) = named_by("FIREFOX")? {
        return Ok(Some(path));
    }
    Ok(find(&FIREFOX_PROGRAMS, &FIREFOX_PLACES).or_else(|| {
        install("firefox-esr", "it runs the page's WebGPU path", || {
            find(&FIREFOX_PROGRAMS, &[])
        })
    }))
}

/// The description file of lavapipe, Mesa's software Vulkan: a GPU for machines that have none.
pub fn lavapipe() -> Option<PathBuf> {
    find_lavapipe().or_else(|| {
        install(
            "mesa-vulkan-drivers",
            "its software Vulkan runs the GPU tests",
            find_lavapipe,
        )
    })
}

/// ffmpeg, which decodes and makes clips.
pub fn ffmpeg() -> Option<PathBuf> {
    process::on_path("ffmpeg")
        .or_else(|| install("ffmpeg", "it decodes clips", || process::on_path("ffmpeg")))
}

/// The program that an environment variable names, which must then exist.
fn named_by(variable: &str) -> Outcome<Option<PathBuf>> {
    match std::env::var_os(variable).map(PathBuf::from) {
        Some(path) if path.is_file() => Ok(Some(path)),
        Some(path) => Err(format!(
            "{variable} names {}, which is not a file",
            path.display()
        )),
        None => Ok(None),
    }
}

fn find(programs: &[&str], places: &[&str]) -> Option<PathBuf> {
    let on_path = programs.iter().find_map(|program| process::on_path(program));
    on_path.or_else(|| places.iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn find_lavapipe() -> Option<PathBuf> {
    VULKAN_DRIVER_FOLDERS.iter().find_map(|folder| {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        files.into_iter().find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"))
                && path.extension().is_some_and(|extension| extension == "json")
        })
    })
}

/// Installs a Debian package and looks again. None where this is not Debian, not root, or it did not work.
fn install(package: &str, why: &str, look: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    if !Path::new("/etc/debian_version").is_file() || !is_root() {
        return None;
    }
    println!("Installing the Debian package {package}: {why}.");
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut command)
    };
    let outcome =
        apt_get(&["update"]).and_then(|()| apt_get(&["install", "-y", "--no-install-recommends", package]));
    match outcome {
        Ok(()) => look(),
        Err(sentence) => {
            println!("{package} could not be installed: {sentence}.");
            None
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
