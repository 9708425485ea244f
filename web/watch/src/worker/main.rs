//! The worker's module: serves its page for as long as it lives.

use plumbline_watch::worker::host;

fn main() {
    host::serve();
}
