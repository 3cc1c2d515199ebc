//! Sets of requests, and where they overlap: from policies that are all asked to rules of which
//! the first decides.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::provider::{escaped, object, some_texts};

/// Sets that overlapping makes, at most.
const MOST: usize = 500;

/// A set of requests.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Region {
    /// Paths.
    pub(crate) path: Path,
    /// Methods; `None`: all.
    pub(crate) methods: Option<BTreeSet<String>>,
    /// Hosts, exact or `*.example.org`; `None`: all.
    pub(crate) hosts: Option<BTreeSet<String>>,
    /// Header matchers, as JSON text; all must match.
    pub(crate) headers: BTreeSet<String>,
}

/// A set of paths.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Path {
    /// All.
    #[default]
    Any,
    /// This one.
    Exact(String),
    /// Those that begin so.
    Prefix(String),
    /// Those that end so.
    Suffix(String),
    /// Those of a template, as Envoy has it.
    Template(String),
}

/// It is not known whether two sets of paths overlap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unknown(pub(crate) Path, pub(crate) Path);

impl Path {
    /// What is in both; `Ok(None)`: nothing.
    fn meet(&self, other: &Self) -> Result<Option<Self>, Unknown> {
        let unknown = || Err(Unknown(self.clone(), other.clone()));
        Ok(match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Self::Any, path) | (path, Self::Any) => Some(path.clone()),
            (Self::Exact(exact), pattern) | (pattern, Self::Exact(exact)) => match pattern {
                Self::Exact(_) => None,
                Self::Prefix(prefix) => {
                    exact.starts_with(prefix).then(|| Self::Exact(exact.clone()))
                }
                Self::Suffix(suffix) => exact.ends_with(suffix).then(|| Self::Exact(exact.clone())),
                Self::Template(_) => return unknown(),
                Self::Any => Some(Self::Exact(exact.clone())),
            },
            (Self::Prefix(a), Self::Prefix(b)) if a.starts_with(b.as_str()) => Some(self.clone()),
            (Self::Prefix(a), Self::Prefix(b)) if b.starts_with(a.as_str()) => Some(other.clone()),
            (Self::Prefix(_), Self::Prefix(_)) => None,
            (Self::Suffix(a), Self::Suffix(b)) if a.ends_with(b.as_str()) => Some(self.clone()),
            (Self::Suffix(a), Self::Suffix(b)) if b.ends_with(a.as_str()) => Some(other.clone()),
            (Self::Suffix(_), Self::Suffix(_)) => None,
            (Self::Template(template), Self::Prefix(prefix))
            | (Self::Prefix(prefix), Self::Template(template)) => {
                let literal = template.split('{').next().unwrap_or_default();
                let literal = literal.split('*').next().unwrap_or_default();
                if literal.starts_with(prefix.as_str()) {
                    Some(Self::Template(template.clone()))
                } else if prefix.starts_with(literal) {
                    return unknown();
                } else {
                    None
                }
            }
            (Self::Template(_) | Self::Suffix(_), _) | (_, Self::Suffix(_)) => {
                return unknown();
            }
        })
    }
}

impl Region {
    /// What is in both; `Ok(None)`: nothing.
    pub(crate) fn meet(&self, other: &Self) -> Result<Option<Self>, Unknown> {
        let methods = match (&self.methods, &other.methods) {
            (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let hosts = match (&self.hosts, &other.hosts) {
            (Some(a), Some(b)) => {
                Some(a.iter().flat_map(|a| b.iter().filter_map(|b| meet_hosts(a, b))).collect())
            }
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let is_empty =
            |set: &Option<BTreeSet<String>>| set.as_ref().is_some_and(BTreeSet::is_empty);
        if is_empty(&methods) || is_empty(&hosts) {
            return Ok(None);
        }
        let headers = self.headers.union(&other.headers).cloned().collect();
        let path = self.path.meet(&other.path)?;
        Ok(path.map(|path| Self { path, methods, hosts, headers }))
    }

    /// Whether all of `other` is in this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.meet(other).is_ok_and(|meet| meet.as_ref() == Some(other))
    }

    /// What a rule matches for it.
    pub(crate) fn matcher(&self) -> Value {
        let texts = |set: &Option<BTreeSet<String>>| {
            let set: Vec<String> = set.iter().flatten().cloned().collect();
            some_texts(&set)
        };
        let (name, path) = match &self.path {
            Path::Any => ("prefix", Value::from("/")),
            Path::Exact(path) => ("path", Value::from(path.as_str())),
            Path::Prefix(prefix) => ("prefix", Value::from(prefix.as_str())),
            Path::Suffix(suffix) => ("safe_regex", Value::from(format!(".*{}", escaped(suffix)))),
            Path::Template(template) => ("path_match_policy", template_matcher(template)),
        };
        let headers = self.headers.iter().filter_map(|header| serde_json::from_str(header).ok());
        let headers = super::provider::some_list(headers.collect());
        object([
            (name, path),
            ("methods", texts(&self.methods)),
            ("hosts", texts(&self.hosts)),
            ("headers", headers),
        ])
    }
}

/// Envoy's matcher of URI templates, which differs from `path_template` at the end of a path.
fn template_matcher(template: &str) -> Value {
    json!({
        "name": "envoy.path.match.uri_template.uri_template_matcher",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            "path_template": template
        }
    })
}

fn meet_hosts(a: &str, b: &str) -> Option<String> {
    let is_below = |host: &str, pattern: &str| {
        pattern.strip_prefix('*').is_some_and(|end| host.ends_with(end) && host.len() > end.len())
    };
    if a == b || is_below(a, b) {
        Some(a.to_owned())
    } else if is_below(b, a) {
        Some(b.to_owned())
    } else {
        None
    }
}

/// The sets, and all that they have in common, the narrower ones before the wider ones: the first
/// that a request is in lies within all those that it is in. The error is two that may overlap.
pub(crate) fn parted(regions: Vec<Region>) -> Result<Vec<Region>, Unknown> {
    let mut all: BTreeSet<Region> = regions.into_iter().collect();
    loop {
        let mut found = BTreeSet::new();
        let listed: Vec<&Region> = all.iter().collect();
        for (at, a) in listed.iter().enumerate() {
            for b in listed.iter().skip(at.saturating_add(1)) {
                let meet = a.meet(b)?;
                found.extend(meet.filter(|meet| !all.contains(meet)));
            }
        }
        if found.is_empty() || all.len() > MOST {
            break;
        }
        all.extend(found);
    }
    let mut sorted: Vec<Region> = Vec::new();
    for region in all {
        let at = sorted.iter().position(|wider| wider.covers(&region));
        sorted.insert(at.unwrap_or(sorted.len()), region);
    }
    Ok(settled(sorted))
}

/// Moves each behind all that it covers.
fn settled(mut regions: Vec<Region>) -> Vec<Region> {
    let mut sorted: Vec<Region> = Vec::new();
    while !regions.is_empty() {
        let narrow = regions.iter().position(|region| {
            regions.iter().all(|other| other == region || !region.covers(other))
        });
        sorted.push(regions.remove(narrow.unwrap_or(0)));
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(path: Path, methods: &[&str], hosts: &[&str]) -> Region {
        let set = |names: &[&str]| {
            Some(names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>())
                .filter(|s| !s.is_empty())
        };
        Region { path, methods: set(methods), hosts: set(hosts), headers: BTreeSet::new() }
    }

    fn prefix(text: &str) -> Path {
        Path::Prefix(text.to_owned())
    }

    #[test]
    fn sets_are_parted_with_the_narrow_ones_first() {
        let all = region(Path::Any, &[], &[]);
        let reads = region(Path::Any, &["GET"], &[]);
        let admin = region(prefix("/admin"), &[], &[]);
        let came = parted(vec![all.clone(), reads.clone(), admin.clone()]).unwrap();
        let both = region(prefix("/admin"), &["GET"], &[]);
        assert_eq!((&came[0], &came[3]), (&both, &all));
        assert!(came.contains(&reads) && came.contains(&admin) && came.len() == 4);
    }

    #[test]
    fn hosts_and_exact_paths_meet_what_they_are_in() {
        let rows = [
            (
                region(Path::Any, &[], &["*.example.org"]),
                region(Path::Any, &[], &["a.example.org"]),
                true,
            ),
            (
                region(Path::Any, &[], &["*.example.org"]),
                region(Path::Any, &[], &["example.org"]),
                false,
            ),
            (
                region(prefix("/a"), &[], &[]),
                region(Path::Exact("/a/b".to_owned()), &[], &[]),
                true,
            ),
            (region(prefix("/a"), &["GET"], &[]), region(prefix("/a"), &["PUT"], &[]), false),
            (
                region(Path::Suffix(".html".to_owned()), &[], &[]),
                region(Path::Exact("/x.html".to_owned()), &[], &[]),
                true,
            ),
        ];
        for (a, b, expected) in rows {
            let meet = a.meet(&b).unwrap();
            assert_eq!(meet.as_ref() == Some(&b), expected, "{a:?} {b:?}");
            assert_eq!(meet, b.meet(&a).unwrap());
        }
    }

    #[test]
    fn what_cannot_be_said_is_an_error() {
        let a = region(Path::Suffix(".html".to_owned()), &[], &[]);
        assert!(parted(vec![a, region(prefix("/a"), &[], &[])]).is_err());
    }
}
