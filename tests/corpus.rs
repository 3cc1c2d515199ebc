//! Tokens and paths that others have published, through the whole gate: none passes wrongly, and
//! each that is refused although it is good has a reason here.
//!
//! The collection is read from `../shared/vectors` where it lies beside the checkout; the tests
//! print what they ran.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "test code"
)]

mod support;

#[path = "corpus/paths.rs"]
mod paths;
#[path = "corpus/tokens.rs"]
mod tokens;

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

/// The cases of a file of the collection, if it is there.
fn cases(name: &str) -> Option<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(name);
    let Ok(content) = fs::read(&path) else {
        println!("../shared/vectors/{name} is not there: 0 cases");
        return None;
    };
    let mut text = Vec::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(&*content).read_to_end(&mut text).unwrap();
    } else {
        text = content;
    }
    let lines = text.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    Some(lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}
