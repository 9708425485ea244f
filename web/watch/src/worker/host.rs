//! The worker's loop: hands what a page says to who watches its session or to who evaluates its files.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use plumbline_web::platform::channel::Channel;
use plumbline_web::worker::watch_wire::decode_to_watch;
use wasm_bindgen::JsCast;

use super::evaluator::Evaluator;
use super::watching::Watching;

/// Whether files are evaluated here.
static EVALUATES: AtomicBool = AtomicBool::new(false);

/// Serves whoever started this worker, for as long as it lives.
pub fn serve() {
    let Ok(scope) = js_sys::global().dyn_into::<web_sys::DedicatedWorkerGlobalScope>() else {
        return;
    };
    let page: Channel = scope.unchecked_into();
    let evaluator: Rc<RefCell<Option<Evaluator>>> = Rc::default();
    let dying = page.clone();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        // Whoever watches hears that the program stopped.
        if EVALUATES.load(Ordering::Relaxed) {
            Evaluator::last_words(&dying, info.to_string());
        }
    }));
    // Says that somebody listens, to either.
    let watching = Watching::new(page.clone());
    page.clone()
        .on_message(move |posted| match decode_to_watch(&posted) {
            Ok(message) => watching.hear_page(message),
            Err(_) => {
                EVALUATES.store(true, Ordering::Relaxed);
                let mut evaluator = evaluator.borrow_mut();
                evaluator
                    .get_or_insert_with(|| Evaluator::new(page.clone()))
                    .hear(&posted);
            }
        });
}
