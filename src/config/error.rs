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

impl ConfigError {
    /// Its place, such as `providers.auth0.audiences[1]`; empty: the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same of a document that stands at `place` in another one.
    #[must_use]
    pub fn within(self, place: &ConfigPath<'_>) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { path: format!("{place}{dot}{}", self.path), ..self }
    }
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
        self.faults.extend(inner.faults.into_iter().map(|fault| fault.within(place)));
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

    /// Forgets those faults after the first `count` that are at, above or below the place of one of
    /// these: what is lacking there has been said to be wrong.
    pub fn forget_consequences(&mut self, count: usize) {
        let later = self.faults.split_off(count.min(self.faults.len()));
        let is_consequence = |fault: &ConfigError| {
            self.faults.iter().any(|cause| is_within(&cause.path, &fault.path))
        };
        let own: Vec<_> = later.into_iter().filter(|fault| !is_consequence(fault)).collect();
        self.faults.extend(own);
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

/// Whether one of two places is within the other.
fn is_within(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let rest = long.strip_prefix(short);
    rest.is_some_and(|rest| short.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
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

    #[test]
    fn a_fault_within_the_place_of_an_earlier_one_or_around_it_is_its_consequence() {
        let rows = [
            ("a.b", "a.b", true),
            ("a.b", "a", true),
            ("a.b", "a.b.c", true),
            ("a[1]", "a[1].b", true),
            ("a[1]", "a[10]", false),
            ("a.b", "a.bc", false),
            ("a.b", "a.c", false),
            ("", "a", true),
        ];
        for (cause, later, expected) in rows {
            let fault = |path: &str| ConfigError { path: path.to_owned(), message: String::new() };
            let faults = vec![fault(cause), fault(later)];
            let mut faults = Faults { faults, warnings: Vec::new() };
            faults.forget_consequences(1);
            assert_eq!(faults.len() == 1, expected, "{cause} {later}");
        }
    }
}
