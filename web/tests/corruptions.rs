//! Spoiled pictures have the same bits in a browser as natively.
#![cfg(target_arch = "wasm32")]

use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::geometry::ImageSize;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

#[path = "../../core/src/corrupt/test_card.rs"]
mod test_card;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn corruptions_have_the_bits_that_are_kept() {
    let size = ImageSize {
        width_px: 64,
        height_px: 48,
    };
    let mut found = String::new();
    for corruption in Corruption::ALL {
        for severity in Severity::ALL {
            let mut rgba = test_card::picture(64, 48);
            Corruptor::new(11)
                .apply(corruption, severity, 3, &mut rgba, size)
                .expect("the size is right");
            let bits = test_card::hash(&rgba);
            found += &format!("{} {} {bits:016x}\n", corruption.id(), severity.level());
        }
    }
    assert_eq!(found, include_str!("../../tests/fixtures/corruption_bits.txt"));
}
