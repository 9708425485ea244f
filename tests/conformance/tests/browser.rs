//! The engine as WebAssembly, in a browser, on every operator and random graph that it supports.
//!
//! `cargo xtask test` serves the cases beside this program, as the pack that `conformance --pack FILE` writes.
#![cfg(target_arch = "wasm32")]

use plumbline_conformance::pack;
use plumbline_conformance::run::{Verdict, judge_on_cpu};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Response;

wasm_bindgen_test_configure!(run_in_browser);

/// What is served under this address.
async fn fetch(address: &str) -> Result<Vec<u8>, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let response = JsFuture::from(window.fetch_with_str(address)).await?;
    let response: Response = response.dyn_into()?;
    if !response.ok() {
        return Err(format!("{address}: {}", response.status()).into());
    }
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

#[wasm_bindgen_test]
async fn every_supported_case_passes_in_a_browser() {
    let bytes = fetch("cases.pack").await.expect("the cases are served");
    let cases = pack::read(&bytes).expect("a pack of cases");
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| match judge_on_cpu(case) {
            Verdict::Pass { .. } => None,
            Verdict::Unsupported(sentence) | Verdict::Fail(sentence) => {
                Some(format!("{}: {sentence}", case.name))
            }
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}: {failed:#?}",
        failed.len(),
        cases.len()
    );
    assert!(cases.len() > 1000, "{} cases", cases.len());
}
