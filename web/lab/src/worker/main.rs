//! The worker's module: serves its page for as long as it lives.

use plumbline_lab::worker::host;

fn main() {
    host::serve();
}
