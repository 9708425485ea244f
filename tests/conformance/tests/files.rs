//! The ONNX backend test suite: whatever the official package writes is read, or refused for a reason that names a gap of
//! this engine, and what is read gives the results that the suite expects. `cargo xtask conformance` writes the cases, and
//! runs them on both backends.

use std::collections::BTreeMap;

use plumbline_conformance::case::Case;
use plumbline_conformance::compare::compare;
use plumbline_conformance::files::{folder, group};
use plumbline_conformance::run::{Verdict, judge_on_cpu};
use plumbline_engine::onnx::header::Header;
use plumbline_engine::onnx::wire;
use plumbline_engine::{ErrorKind, ModelError};

/// Says that the cases are absent, past the test runner, which shows what failing tests print only.
fn skip() {
    eprintln!("skipped: the ONNX suite is not in target/conformance; `cargo xtask conformance` writes it");
}

/// Whether all of a case's files are read; their header and values agree where they are.
fn read(case: &Case) -> Result<(), ModelError> {
    let model = wire::read_model(&case.model)?;
    let header = Header::read(&model, &BTreeMap::new())?;
    let inputs = case.read_inputs()?;
    let outputs = case.read_outputs()?;
    assert_eq!(inputs.len(), header.inputs.len(), "{}", case.name);
    for (declared, value) in header.inputs.iter().zip(&inputs) {
        let name = format!("{}, {}", case.name, declared.name);
        assert_eq!(value.file_type(), declared.file_type, "{name}");
        assert_eq!(value.shape().len(), declared.shape.len(), "{name}");
    }
    assert_eq!(outputs.len(), header.outputs.len(), "{}", case.name);
    for (declared, value) in header.outputs.iter().zip(&outputs) {
        assert_eq!(
            value.file_type(),
            declared.file_type,
            "{}, {}",
            case.name,
            declared.name
        );
        compare(value, value, case.tolerance).expect("a value is like itself");
    }
    Ok(())
}

#[test]
fn every_file_of_the_suite_is_read_or_a_gap_is_named() {
    let mut n_cases = 0;
    let mut n_read = 0;
    for name in ["node", "light", "random", "families", "fuzz"] {
        for entry in group(&folder(), name).expect("the script's own index") {
            let case = entry.load().expect("the files of the case are there");
            n_cases += 1;
            match read(&case) {
                Ok(()) => n_read += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{}: {error}", case.name),
            }
        }
    }
    if n_cases == 0 {
        return skip();
    }
    eprintln!("measured: {n_read} of {n_cases} cases of the ONNX suite are read");
    // The others have strings, sequences, floats of 8 bits or integers of 4.
    assert!(n_read * 10 > n_cases * 8, "{n_read} of {n_cases}");
}

/// The large networks take longer and are left to the command.
#[test]
fn no_case_of_the_suite_fails() {
    let groups =
        ["node", "fuzz", "families"].map(|name| group(&folder(), name).expect("the script's own index"));
    let cases = groups.concat();
    if cases.is_empty() {
        return skip();
    }
    for entry in &cases {
        let case = entry.load().expect("the files of the case are there");
        if let Verdict::Fail(sentence) = judge_on_cpu(&case) {
            panic!("{}: {sentence}", case.name);
        }
    }
}
