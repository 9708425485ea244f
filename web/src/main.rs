//! The page's entry: mounts the app.

fn main() {
    plumbline_web::app::start();
}
