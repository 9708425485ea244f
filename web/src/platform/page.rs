//! The window, its address, its clock, its small memory and its theme.

use leptos::prelude::{GetValue, LocalStorage, StoredValue};
use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlElement, Window};

/// The window. The app runs in one; the engine, when it runs in a worker, does not come here.
pub fn window() -> Window {
    web_sys::window().expect("the app is started by a page, which has a window")
}

/// The document.
pub fn document() -> Document {
    window().document().expect("a page's window has a document")
}

/// Where the app is served, ending in a slash; from the element that the build writes into the page.
pub fn base_path() -> String {
    document()
        .query_selector("meta[name=plumbline-app]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("data-base"))
        .filter(|base| base.starts_with('/') && base.ends_with('/'))
        .unwrap_or_else(|| "/".to_owned())
}

/// The path of the address.
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The query of the address, with its question mark.
pub fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// Puts another path into the address bar without loading anything.
pub fn push_path(path: &str) {
    if let Ok(history) = window().history() {
        // The only failure is an address of another origin, and every caller passes a path.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
    }
}

/// Names the page.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Moves keyboard and screen reader to an element, by its id.
pub fn focus(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|found| found.dyn_into::<HtmlElement>().ok())
    {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// Prints the page.
pub fn print() {
    // Fails only where dialogs are blocked, and then nothing happens, as the person asked.
    let _ = window().print();
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(catch, js_namespace = performance, js_name = mark)]
    fn performance_mark(name: &str) -> Result<JsValue, JsValue>;
}

/// Milliseconds of a steady clock since the page, or the worker, began to load.
pub fn now_millis() -> f64 {
    performance_now()
}

/// Date and time as this person writes them.
pub fn local_date_and_time() -> String {
    String::from(js_sys::Date::new_0().to_locale_string("default", &JsValue::UNDEFINED))
}

/// Sets a User Timing mark, in the page or in the worker. `tests/bench/start.mjs` reads them.
pub fn mark(name: &str) {
    // A mark is a note for measurements; a browser that refuses it loses nothing.
    let _ = performance_mark(name);
}

/// A remembered choice.
pub fn remembered(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Remembers a choice on this device. Silently does nothing where the browser keeps no storage: the choice then lasts
/// until the page closes.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Forgets one remembered choice.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        // What is not there is forgotten already.
        let _ = storage.remove_item(key);
    }
}

/// Forgets all remembered choices.
pub fn forget_choices() {
    if let Some(storage) = storage() {
        let _ = storage.clear();
    }
}

/// Names and values of all remembered choices.
pub fn remembered_choices() -> Vec<(String, String)> {
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let count = storage.length().unwrap_or(0);
    (0..count)
        .filter_map(|index| {
            let key = storage.key(index).ok().flatten()?;
            let value = storage.get_item(&key).ok().flatten()?;
            Some((key, value))
        })
        .collect()
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// Forces a theme (`light`, `dark`), or follows the system (`auto`).
pub fn set_theme(theme: &str) {
    let Some(root) = document().document_element() else {
        return;
    };
    // Setting an attribute with a valid name cannot fail.
    let _ = if theme == "auto" {
        root.remove_attribute("data-theme")
    } else {
        root.set_attribute("data-theme", theme)
    };
}

/// What the browser told of a request that this page made.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeRequest {
    /// Address.
    pub address: String,
    /// What asked for it: `script`, `link`, `fetch`, …
    pub initiator: String,
    /// Bytes over the network, headers included; 0 where it came from the cache.
    pub transferred: u64,
}

/// Every request since the page began to load, the page itself first.
pub fn made_requests() -> Vec<MadeRequest> {
    let Some(performance) = window().performance() else {
        return Vec::new();
    };
    ["navigation", "resource"]
        .iter()
        .flat_map(|kind| performance.get_entries_by_type(kind).to_vec())
        .filter_map(|entry| entry.dyn_into::<web_sys::PerformanceResourceTiming>().ok())
        .map(|entry| MadeRequest {
            address: entry.name(),
            initiator: entry.initiator_type(),
            transferred: transferred_bytes(&entry),
        })
        .collect()
}

fn transferred_bytes(entry: &web_sys::PerformanceResourceTiming) -> u64 {
    js_sys::Reflect::get(entry, &"transferSize".into())
        .ok()
        .and_then(|size| size.as_f64())
        .map_or(0, |size| size as u64)
}

/// The origin of this page.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// A listener on the window.
#[derive(Clone, Copy, Debug)]
pub struct WindowListener {
    name: &'static str,
    callback: StoredValue<js_sys::Function, LocalStorage>,
}

impl WindowListener {
    /// Listens no more.
    pub fn remove(self) {
        // Removing a listener from a window does not fail.
        let _ = window().remove_event_listener_with_callback(self.name, &self.callback.get_value());
    }
}

/// Calls `handler` for an event of the window, until the listener is removed.
pub fn on_window_event(name: &'static str, handler: impl Fn(web_sys::Event) + 'static) -> WindowListener {
    let callback: js_sys::Function = Closure::<dyn Fn(web_sys::Event)>::new(handler)
        .into_js_value()
        .unchecked_into();
    // Adding a listener to a window does not fail.
    let _ = window().add_event_listener_with_callback(name, &callback);
    WindowListener {
        name,
        callback: StoredValue::new_local(callback),
    }
}

/// Keeps a line for tests, in the array `window.plumblineResults`.
pub fn keep_for_inspection(line: &str) {
    let window = window();
    let name = JsValue::from_str("plumblineResults");
    let kept = js_sys::Reflect::get(&window, &name)
        .ok()
        .and_then(|kept| kept.dyn_into::<js_sys::Array>().ok());
    let kept = kept.unwrap_or_else(|| {
        let fresh = js_sys::Array::new();
        // Windows take any member.
        let _ = js_sys::Reflect::set(&window, &name, &fresh);
        fresh
    });
    kept.push(&JsValue::from_str(line));
}

/// Opens a `dialog` over the page.
pub fn open_dialog(id: &str) {
    if let Some(dialog) = document()
        .get_element_by_id(id)
        .and_then(|found| found.dyn_into::<web_sys::HtmlDialogElement>().ok())
    {
        // Fails only when it is open already.
        let _ = dialog.show_modal();
    }
}

/// Calls `handler` whenever an element changes its size, for the life of the element.
pub fn on_resize(element: &web_sys::Element, handler: impl Fn() + 'static) {
    let closure = Closure::<dyn Fn()>::new(handler);
    if let Ok(observer) = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()) {
        observer.observe(element);
    }
    closure.forget();
}

/// Calls `handler` with the key of each key press that is a shortcut: no modifier is held, and the focus is on nothing
/// that uses the key itself. The handler says whether it used the key.
pub fn on_shortcut(handler: impl Fn(&str) -> bool + 'static) {
    on_window_event("keydown", move |event| {
        let Some(press) = event.dyn_ref::<web_sys::KeyboardEvent>() else {
            return;
        };
        if press.ctrl_key()
            || press.meta_key()
            || press.alt_key()
            || press.repeat()
            || press.default_prevented()
        {
            return;
        }
        let target = press
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let is_taken = target.is_some_and(|element| {
            let wanted = if press.key() == " " {
                "input, select, textarea, button, a, summary, dialog *"
            } else {
                "input:not([type=checkbox], [type=file]), select, textarea, dialog *"
            };
            element.matches(wanted).unwrap_or(false)
        });
        if !is_taken && handler(&press.key()) {
            press.prevent_default();
        }
    });
}

/// Shows the page from its top.
pub fn scroll_to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Takes the sentence of the static page away, once the app stands.
pub fn remove_boot_panel() {
    if let Some(panel) = document().get_element_by_id("boot") {
        panel.remove();
    }
}

/// Calls `handler` with the message of a panic, besides logging it.
pub fn on_panic(handler: impl Fn(String) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        handler(info.to_string());
    }));
}

/// Shows the panel that says that the page itself failed. Plain DOM, because after a panic the app cannot draw.
pub fn show_fatal(message: &str) {
    let document = document();
    let Some(panel) = document.get_element_by_id("fatal") else {
        return;
    };
    if let Ok(Some(place)) = panel.query_selector("[data-message]") {
        place.set_text_content(Some(message));
    }
    // Removing an attribute does not fail.
    let _ = panel.remove_attribute("hidden");
}
