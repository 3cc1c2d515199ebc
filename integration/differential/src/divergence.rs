//! The differences that are on purpose: `integration/envoy/divergences.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// A difference that is on purpose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// Its name.
    pub id: String,
    /// What differs.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Document and section that it follows.
    pub standard: String,
    /// What the native filter says to the case.
    pub native: String,
    /// What ours says.
    pub ours: String,
    /// File and id of the case that shows it.
    pub case: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    divergence: Vec<Divergence>,
}

/// Reads the list.
///
/// # Errors
/// It cannot be read, is not in the format, has something empty or a name twice.
pub fn load(path: &Path) -> Result<BTreeMap<String, Divergence>, String> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
    let file: File = toml::from_str(&text).map_err(|error| format!("{place}: {error}"))?;
    let mut all = BTreeMap::new();
    for divergence in file.divergence {
        let Divergence { id, what, reason, standard, native, ours, case } = &divergence;
        if [id, what, reason, standard, native, ours, case]
            .iter()
            .any(|text| text.trim().is_empty())
        {
            return Err(format!("{place}: `{id}`: something is empty"));
        }
        let id = id.clone();
        if all.insert(id.clone(), divergence).is_some() {
            return Err(format!("{place}: `{id}` is there twice"));
        }
    }
    Ok(all)
}
