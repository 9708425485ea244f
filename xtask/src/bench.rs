//! `cargo xtask bench`: Plumbline beside other runtimes, in one page, in turns, on the same input.
//!
//! In: which models, runtimes and browser, and how many rounds. Out: a table on standard output and
//! `results.json`. This side builds, fetches and serves; the page in `tests/bench/page` measures;
//! `tests/bench/run.mjs` drives a browser over it. What cannot be built or installed becomes a row with its reason.

mod arguments;
mod peers;
pub mod site;

use std::fs::File;

use crate::server::Server;
use crate::workspace::{Workspace, make_folder};
use crate::{Outcome, browser, node, page, process};
use arguments::{Arguments, Browser};

/// The bench is no part of the product: it embeds pages of its own origin, one for each runtime, and its peers start
/// workers from blobs. Everything still comes from this machine.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
    style-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob: data:; frame-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'";

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    let arguments = Arguments::parse(args)?;
    let folder = workspace.target.join("bench");
    make_folder(&folder)?;
    node::install(workspace, "tests/e2e", "the driver of browsers is there")?;
    let (site, networks) = match &arguments.networks {
        Some(wanted) => site::assemble_networks(workspace, &folder, wanted)?,
        None => (site::assemble(workspace, &folder)?, Vec::new()),
    };

    let ledger = folder.join("served.txt");
    let file = File::create(&ledger).map_err(|error| format!("{}: {error}", ledger.display()))?;
    let server = Server::bind(0, site.clone())?
        .with_policy(POLICY)
        .with_ledger(file);
    let address = server.address();
    let serving = std::thread::spawn(move || server.run());

    if let Some(rounds) = arguments.starts {
        time_starts(workspace, rounds, &address)?;
    } else if arguments.rounds > 0 {
        let results = arguments
            .json
            .clone()
            .unwrap_or_else(|| folder.join("results.json"));
        let mut driver = node::node()?;
        driver
            .arg(workspace.root.join("tests/bench/run.mjs"))
            .args(arguments.for_driver(&networks))
            .env("PLUMBLINE_ADDRESS", &address)
            .env("PLUMBLINE_SITE", &site)
            .env("PLUMBLINE_LEDGER", &ledger)
            .env("PLUMBLINE_SIZES", folder.join("sizes.json"))
            .env("PLUMBLINE_RESULTS", &results)
            .current_dir(&workspace.root);
        match arguments.browser {
            Browser::Chromium => driver.env("PLUMBLINE_CHROMIUM", browser::chromium()?),
            Browser::Firefox => driver.env(
                "PLUMBLINE_FIREFOX",
                browser::firefox()?
                    .ok_or("no Firefox was found; install it, or set FIREFOX to the path of its program")?,
            ),
        };
        if let Some(lavapipe) = browser::lavapipe() {
            driver.env("PLUMBLINE_LAVAPIPE", lavapipe);
        }
        process::run(&mut driver)?;
        println!("\nThe rows are in {}.", results.display());
    }
    if arguments.keep_open {
        println!("\nThe bench page is served at {address} (stop with Ctrl+C).");
        // It ends only with this process.
        let _ = serving.join();
    }
    Ok(())
}

/// Times cold and warm starts of the built page, of Plumbline alone and of its peers, in turns.
fn time_starts(workspace: &Workspace, rounds: u32, bench_address: &str) -> Outcome<()> {
    let page = Server::bind(0, page::build(workspace)?)?;
    let page_address = page.address();
    std::thread::spawn(move || page.run());
    let results = workspace.target.join("bench/starts.json");
    process::run(
        node::node()?
            .arg(workspace.root.join("tests/bench/start.mjs"))
            .arg(format!("rounds={rounds}"))
            .env("PLUMBLINE_ADDRESS", bench_address)
            .env("PLUMBLINE_PAGE", page_address)
            .env("PLUMBLINE_CHROMIUM", browser::chromium()?)
            .env("PLUMBLINE_RESULTS", &results)
            .current_dir(&workspace.root),
    )?;
    println!("\nAll starts are in {}.", results.display());
    Ok(())
}
