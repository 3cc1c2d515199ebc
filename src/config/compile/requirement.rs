//! Requirements: names become providers, and what may be missing gets its places.

use super::Names;
use super::provider::written_header;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{Requires, RequiresList};
use crate::credential::Location;
use crate::policy::provider::Provider;
use crate::request::HeaderName;
use crate::requirement::{Leaf, Place, ProviderId, Requirement};

/// Compiles requirements of one document.
pub(super) struct Compiler<'c> {
    /// What names mean.
    pub(super) names: &'c Names<'c>,
    /// The providers, in the order of their names; `None` for one with a fault.
    pub(super) providers: &'c [Option<Provider>],
}

impl Compiler<'_> {
    /// Compiles a requirement that stands by itself.
    pub(super) fn requirement(
        &self,
        raw: &Requires,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Requirement> {
        let all: Vec<_> = (0..self.providers.len()).map(ProviderId).collect();
        self.within(raw, &all, at, faults)
    }

    /// Compiles a requirement; a token that may be missing may be one of `scope`.
    fn within(
        &self,
        raw: &Requires,
        scope: &[ProviderId],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Requirement> {
        let mut found = Vec::new();
        if let Some(name) = &raw.provider_name {
            let id = self.names.provider(&name.0, &at.key("provider_name"), faults);
            found.push(id.map(|id| leaf(Leaf::Provider { id, audiences: None })));
        }
        if let Some(pair) = &raw.provider_and_audiences {
            let place = at.key("provider_and_audiences");
            let id =
                self.names.provider(&pair.provider_name.0, &place.key("provider_name"), faults);
            let sanitised =
                pair.audiences.iter().map(|a| crate::policy::provider::sanitised(&a.0).into());
            let audiences = Some(sanitised.collect());
            found.push(id.map(|id| leaf(Leaf::Provider { id, audiences })));
        }
        if let Some(list) = &raw.requires_any {
            found.push(self.any(list, scope, &at.key("requires_any"), faults));
        }
        if let Some(list) = &raw.requires_all {
            let parts = self.parts(
                &list.requirements.iter().enumerate().collect::<Vec<_>>(),
                scope,
                &at.key("requires_all"),
                faults,
            );
            found.push(parts.map(Requirement::All));
        }
        if raw.allow_missing.is_some() {
            found.push(Some(leaf(Leaf::AllowMissing(self.places(scope)))));
        }
        if raw.allow_missing_or_failed.is_some() {
            found.push(Some(self.any_token(scope, None)));
        }
        if let Some(extract) = &raw.extract_only_without_validation {
            let place = at.key("extract_only_without_validation");
            let place = place.key("verification_status_header");
            let header = self.status_header(extract.header(), &place, faults);
            found.push(header.map(|header| self.any_token(scope, Some(header))));
        }
        match <[_; 1]>::try_from(found) {
            Ok([one]) => one,
            Err(none) if none.is_empty() => Some(leaf(Leaf::Open)),
            Err(several) => {
                faults.none(at, format!("must have at most one member, found {}", several.len()))
            }
        }
    }

    fn any_token(&self, scope: &[ProviderId], status: Option<HeaderName>) -> Requirement {
        leaf(Leaf::AllowMissingOrFailed { places: self.places(scope), status })
    }

    /// A header that tells of a token which is not good: no token may be read from it.
    fn status_header(
        &self,
        name: &str,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<HeaderName> {
        let name = written_header(name, at, faults)?;
        let is_read =
            |place: &Location| matches!(place, Location::Header(read, _) if *read == name);
        let writes = |provider: &Provider| provider.written().any(|written| *written == name);
        let mut providers = self.providers.iter().flatten();
        if providers.any(|provider| provider.locations.iter().any(is_read) || writes(provider)) {
            return faults.none(at, format!("header `{name}` is already read or written"));
        }
        Some(name)
    }

    /// Any of several: what may be missing comes last, and may be a token of the others only. So
    /// a foreign token at their places is a failure and no missing token.
    fn any(
        &self,
        list: &RequiresList,
        scope: &[ProviderId],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Requirement> {
        let mut named = Vec::new();
        named_in(list, &mut named);
        let providers = &self.names.config.providers;
        let mut siblings: Vec<_> = named
            .iter()
            .filter_map(|name| providers.keys().position(|known| known == name))
            .map(ProviderId)
            .collect();
        if siblings.is_empty() {
            siblings = scope.to_vec();
        }
        let is_optional = |(_, part): &(usize, &Requires)| {
            part.allow_missing.is_some()
                || part.allow_missing_or_failed.is_some()
                || part.extract_only_without_validation.is_some()
        };
        let parts = list.requirements.iter().enumerate();
        let (optional, firm): (Vec<_>, Vec<_>) = parts.partition(is_optional);
        let sorted = [firm, optional].concat();
        self.parts(&sorted, &siblings, at, faults).map(Requirement::Any)
    }

    fn parts(
        &self,
        parts: &[(usize, &Requires)],
        scope: &[ProviderId],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Box<[Requirement]>> {
        let list = at.key("requirements");
        if parts.len() < 2 {
            return faults.none(&list, format!("must have at least two, found {}", parts.len()));
        }
        let compiled: Vec<_> = parts
            .iter()
            .map(|(i, part)| self.within(part, scope, &list.index(*i), faults))
            .collect();
        compiled.into_iter().collect()
    }

    /// The places of these providers; a place that several share is one.
    fn places(&self, scope: &[ProviderId]) -> Box<[Place]> {
        let mut places = Vec::<Place>::new();
        for id in scope {
            let provider = self.providers.get(id.0).and_then(Option::as_ref);
            for location in provider.iter().flat_map(|provider| &provider.locations) {
                match places.iter_mut().find(|place| place.location == *location) {
                    Some(place) => place.providers.push(*id),
                    None => {
                        places.push(Place { location: location.clone(), providers: vec![*id] });
                    }
                }
            }
        }
        places.into()
    }
}

/// The providers that requirements name, at any depth.
fn named_in<'r>(list: &'r RequiresList, names: &mut Vec<&'r str>) {
    for part in &list.requirements {
        let pair = part.provider_and_audiences.as_ref();
        let name = part.provider_name.as_ref().or(pair.map(|pair| &pair.provider_name));
        names.extend(name.map(|name| name.0.as_str()));
        for nested in [&part.requires_any, &part.requires_all].into_iter().flatten() {
            named_in(nested, names);
        }
    }
}

const fn leaf(leaf: Leaf) -> Requirement {
    Requirement::Leaf(leaf)
}
