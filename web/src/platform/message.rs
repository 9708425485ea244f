//! Messages of programs that single pages load, as objects that can be posted: JSON text, and what rides along. The app's
//! own are written field by field (`worker/wire.rs`), because there is one a frame.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// Where the text stands in a posted object.
const TEXT: &str = "text";
/// Where what rides along stands.
const LOAD: &str = "load";

/// A message as an object.
pub fn encode(message: &impl Serialize, load: Option<&JsValue>) -> JsValue {
    let object = Object::new();
    let text = serde_json::to_string(message).expect("messages have only texts as keys");
    let set = |name: &str, value: &JsValue| {
        Reflect::set(&object, &name.into(), value).expect("a new object takes any member");
    };
    set(TEXT, &text.into());
    if let Some(load) = load {
        set(LOAD, load);
    }
    object.into()
}

/// A posted object as a message, with what rides along.
///
/// # Errors
/// What is wrong with it.
pub fn decode<T: DeserializeOwned>(posted: &JsValue) -> Result<(T, JsValue), String> {
    let member = |name: &str| Reflect::get(posted, &name.into()).map_err(|_| format!("it has no {name}"));
    let text = member(TEXT)?.as_string().ok_or("it has no text")?;
    let message = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok((message, member(LOAD)?))
}
