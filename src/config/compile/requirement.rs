//! Requirements: names become providers, and what may be missing gets its places.

use super::Names;
use super::provider::written_header;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{Requires, RequiresList};
use crate::credential::Location;
use crate::policy::provider::Provider;
use crate::request::HeaderName;
use crate::requirement::{Leaf, Lenience, Place, ProviderId, Requirement};

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

    /// Any of several. What may be missing beside demands of the list says how lenient they are
    /// together, and looks at no token itself: it could take one that a demand refused.
    fn any(
        &self,
        list: &RequiresList,
        scope: &[ProviderId],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Requirement> {
        let parts = list.requirements.iter().enumerate();
        let (optional, firm): (Vec<_>, Vec<_>) = parts.partition(|(_, part)| is_optional(part));
        // What always passes comes last.
        let passes = |(_, part): &(_, &Requires)| part.extract_only_without_validation.is_some();
        let (last, first): (Vec<_>, Vec<_>) = firm.into_iter().partition(passes);
        let firm = [first, last].concat();
        let may_fail = optional.iter().any(|(_, part)| part.allow_missing_or_failed.is_some());
        let sorted = [firm.clone(), optional.clone()].concat();
        let mut compiled = self.parts(&sorted, scope, at, faults)?.into_vec();
        if firm.is_empty() || optional.is_empty() {
            return Some(Requirement::Any(compiled.into()));
        }
        compiled.truncate(firm.len());
        let lenience = if may_fail { Lenience::Failed } else { Lenience::Missing };
        Some(Requirement::Optional(Box::new(Requirement::Any(compiled.into())), lenience))
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

fn is_optional(part: &Requires) -> bool {
    let members = [
        part.provider_name.is_some(),
        part.provider_and_audiences.is_some(),
        part.requires_any.is_some(),
        part.requires_all.is_some(),
        part.extract_only_without_validation.is_some(),
    ];
    !members.contains(&true)
        && (part.allow_missing.is_some() || part.allow_missing_or_failed.is_some())
}

const fn leaf(leaf: Leaf) -> Requirement {
    Requirement::Leaf(leaf)
}
