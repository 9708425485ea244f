//! The time of day.

use js_sys::Date;
use wasm_bindgen::JsValue;

/// Seconds since 1970.
pub fn unix_secs() -> u64 {
    (Date::now() / 1000.0) as u64
}

/// A moment as people here write it.
pub fn local(unix_secs: u64) -> String {
    let date = Date::new(&JsValue::from_f64(unix_secs as f64 * 1000.0));
    date.to_locale_string("default", &JsValue::UNDEFINED).into()
}
