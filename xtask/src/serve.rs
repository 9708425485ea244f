//! `cargo xtask serve`: builds the page and serves it on this machine.

use crate::server::Server;
use crate::workspace::Workspace;
use crate::{Outcome, page};

/// Where the page is served when no port is asked for.
const DEFAULT_PORT: u16 = 8080;

/// Runs the command; it returns only when the port cannot be had.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    let port = match args {
        [] => DEFAULT_PORT,
        [flag, port] if flag == "--port" => port
            .parse()
            .map_err(|_| format!("'{port}' is not a port number between 0 and 65535"))?,
        [arg, ..] => return Err(format!("`cargo xtask serve` takes --port N, not '{arg}'")),
    };
    // Taken before the build, so that a port in use is known at once and not after minutes.
    let server = Server::bind(port, workspace.dist())?;
    page::build(workspace)?;
    println!(
        "\nPlumbline is served at {} (stop with Ctrl+C).",
        server.address()
    );
    server.run();
    Ok(())
}
