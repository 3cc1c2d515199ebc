//! Faults of a configuration, each with the place it is at.

use std::fmt;

/// Place in the configuration document, such as `providers.auth0.audiences[1]`.
#[derive(Clone, Copy, Debug)]
pub struct ConfigPath<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> ConfigPath<'a> {
    /// The document itself.
    pub const ROOT: ConfigPath<'static> = ConfigPath { parent: None, step: Step::Root };

    /// The member `key` of the object at this place.
    #[must_use]
    pub fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// The element `index` of the list at this place.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// A fault at this place.
    pub fn fault(&self, message: impl Into<String>) -> ConfigError {
        ConfigError { path: self.to_string(), message: message.into() }
    }
}

impl fmt::Display for ConfigPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match (self.step, self.parent.map(|p| p.step)) {
            (Step::Root, _) => Ok(()),
            (Step::Key(k), None | Some(Step::Root)) => f.write_str(k),
            (Step::Key(k), Some(Step::Key(_) | Step::Index(_))) => write!(f, ".{k}"),
            (Step::Index(i), _) => write!(f, "[{i}]"),
        }
    }
}

/// One fault of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    path: String,
    message: String,
}

impl std::error::Error for ConfigError {}

/// `place: message`; the message alone when the fault is the document's own.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// The faults found so far, in the order of the document's meaning, and what is no fault and yet
/// probably not meant.
#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
}

impl Faults {
    /// Notes a fault at `place`.
    pub fn add(&mut self, place: &ConfigPath<'_>, message: impl Into<String>) {
        self.faults.push(place.fault(message));
    }

    /// Notes at `place` what is no fault.
    pub fn warn(&mut self, place: &ConfigPath<'_>, message: impl Into<String>) {
        self.warnings.push(place.fault(message));
    }

    /// What is no fault; it is given once.
    pub fn take_warnings(&mut self) -> Vec<ConfigError> {
        std::mem::take(&mut self.warnings)
    }

    /// Takes in the faults of a document that stands at `place` in this one.
    pub fn take_in(&mut self, place: &ConfigPath<'_>, inner: Self) {
        self.faults.extend(inner.faults.into_iter().map(|fault| {
            let dot = if fault.path.is_empty() { "" } else { "." };
            ConfigError { path: format!("{place}{dot}{}", fault.path), ..fault }
        }));
    }

    /// Notes a fault at `place` and yields nothing: for the end of a reading function.
    pub fn none<T>(&mut self, place: &ConfigPath<'_>, message: impl Into<String>) -> Option<T> {
        self.add(place, message);
        None
    }

    /// All faults, if there are any.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<ConfigError>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            Some(_) | None => Err(self.faults),
        }
    }

    /// Number of faults.
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_place() {
        let providers = ConfigPath::ROOT.key("providers");
        let auth0 = providers.key("auth0");
        let audiences = auth0.key("audiences");
        let fault = audiences.index(1).fault("must not be empty");
        assert_eq!(fault.to_string(), "providers.auth0.audiences[1]: must not be empty");
    }
}
