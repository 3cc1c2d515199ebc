//! Providers: places, keys, headers.

use std::collections::BTreeSet;

use super::{cache, export, keys, matcher, revocation};
use crate::claims::ClaimPath;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{self, ClaimName};
use crate::config::read::Text;
use crate::credential::{Location, Prefix};
use crate::crypto::Algorithm;
use crate::policy::Limits;
use crate::policy::provider::{Issuer, PayloadHeader, Provider, sanitised};
use crate::remote::Remote;
use crate::request::HeaderName;

/// The native filter's default, in seconds; its 0 means this, too.
const DEFAULT_SKEW: u64 = 60;

/// Compiles the provider `name`.
pub(super) fn provider(
    name: &str,
    raw: &raw::Provider,
    limits: &Limits,
    sources: &mut Vec<Remote>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Provider> {
    let before = faults.len();
    let keys = keys::keys(name, raw, limits, sources, at, faults);
    let revoked = revocation::revoked(&raw.revoked, &at.key("revoked"), faults);
    let remote_revocations = raw.remote_revocations.as_ref().and_then(|remote| {
        let at = at.key("remote_revocations");
        revocation::remote_revocations(name, remote, sources, &at, faults)
    });
    let issuers = issuers(raw, at, faults);
    let subjects = raw.subjects.as_ref();
    let subjects = subjects.and_then(|m| matcher::text(m, &at.key("subjects"), faults));
    let algorithms = algorithms(&raw.algorithms, &at.key("algorithms"), faults);
    let locations = locations(raw, at, faults);
    let payload_header = raw.forward_payload_header.as_ref().filter(|name| !name.is_empty());
    let payload_header = payload_header.and_then(|name| {
        let name = written_header(name, &at.key("forward_payload_header"), faults)?;
        Some(PayloadHeader { name, padded: raw.pad_forward_payload_header })
    });
    let claim_headers = claim_headers(raw, at, faults);
    let exports = export::exports(raw, at, faults);
    let token_cache = raw.jwt_cache_config.as_ref();
    let token_cache = token_cache.map(|own| cache::own(own, &at.key("jwt_cache_config"), faults));
    let written =
        payload_header.iter().map(|h| &h.name).chain(claim_headers.iter().map(|(n, _)| n));
    for name in written {
        if locations.iter().any(|place| matches!(place, Location::Header(read, _) if read == name))
        {
            faults.add(at, format!("header `{name}` cannot be both read for a token and written"));
        }
    }
    if faults.len() != before {
        return None;
    }
    let texts = |list: &[Text]| list.iter().map(|text| text.0.as_str().into()).collect();
    Some(Provider {
        name: name.into(),
        issuers,
        audiences: raw.audiences.iter().map(|aud| sanitised(&aud.0).into()).collect(),
        subjects,
        require_expiration: raw.require_expiration.unwrap_or(true),
        max_lifetime: raw.max_lifetime,
        skew: match raw.clock_skew_seconds {
            None | Some(0) => DEFAULT_SKEW,
            Some(seconds) => u64::from(seconds),
        },
        keys: keys?,
        revoked,
        remote_revocations,
        locations,
        forward: raw.forward,
        payload_header,
        claim_headers,
        exports: exports?,
        clear_route_cache: raw.clear_route_cache,
        algorithms,
        accept_bound: raw.accept_bound_tokens_unchecked,
        role_claims: claim_names(
            raw.role_claims.as_deref(),
            &["roles", "groups", "realm_access.roles"],
        ),
        scope_claims: claim_names(raw.scope_claims.as_deref(), &["scope", "scp"]),
        required_claims: texts(&raw.required_claims),
        token_types: texts(&raw.token_types),
        realm: raw.realm.as_ref().map(|text| text.0.as_str().into()),
        resource_metadata: raw.resource_metadata.as_ref().map(|text| text.0.as_str().into()),
        token_cache,
    })
}

/// A header name; a fault at `at` when it is none.
pub(super) fn header(name: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<HeaderName> {
    match HeaderName::parse(name) {
        Some(name) => Some(name),
        None => faults.none(at, format!("`{name}` is no header name")),
    }
}

/// Headers that mean something to the proxy itself, or to others than the upstream.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "cookie",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The name of a header that the gate is to write.
pub(super) fn written_header(
    name: &str,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<HeaderName> {
    let name = header(name, at, faults)?;
    if RESERVED.contains(&name.as_str()) {
        return faults.none(at, format!("`{name}` has a meaning of its own and cannot be written"));
    }
    Some(name)
}

/// A claim's path.
pub(super) fn claim_path(name: &ClaimName) -> ClaimPath {
    match name {
        ClaimName::Dotted(name) => ClaimPath::Dotted(name.as_str().into()),
        ClaimName::Steps(steps) => {
            ClaimPath::Steps(steps.iter().map(|s| s.as_str().into()).collect())
        }
    }
}

fn claim_names(names: Option<&[ClaimName]>, default: &[&str]) -> Box<[ClaimPath]> {
    match names {
        Some(names) => names.iter().map(claim_path).collect(),
        None => default.iter().map(|name| ClaimPath::Dotted((*name).into())).collect(),
    }
}

fn issuers(raw: &raw::Provider, at: &ConfigPath<'_>, faults: &mut Faults) -> Box<[Issuer]> {
    // An empty issuer is an absent one, as in protobuf.
    let single = raw.issuer.iter().filter(|issuer| !issuer.is_empty());
    let mut issuers: Vec<_> = single.map(|issuer| Issuer::Exact(issuer.as_str().into())).collect();
    let list = at.key("issuers");
    for (i, issuer) in raw.issuers.iter().enumerate() {
        match issuer {
            raw::Issuer::Exact(issuer) => issuers.push(Issuer::Exact(issuer.as_str().into())),
            raw::Issuer::Template(template) => {
                let parts: Vec<&str> = template.split("{tenant}").collect();
                match parts.as_slice() {
                    [before, after] if is_segment(before, after) => {
                        issuers.push(Issuer::Template((*before).into(), (*after).into()));
                    }
                    _ => faults.add(
                        &list.index(i).key("template"),
                        format!("must begin with `https://` and have `{{tenant}}` once, as a path segment; found `{template}`"),
                    ),
                }
            }
        }
    }
    issuers.into()
}

/// Whether a tenant between these is a whole path segment of a host that is given.
fn is_segment(before: &str, after: &str) -> bool {
    let host = before.strip_prefix("https://").and_then(|rest| rest.strip_suffix('/'));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && (after.is_empty() || after.starts_with('/'))
}

fn algorithms(
    names: &[Text],
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Box<[Algorithm]>> {
    let mut algorithms = Vec::new();
    for (i, Text(name)) in names.iter().enumerate() {
        match Algorithm::parse(name) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let known = Algorithm::ALL.map(Algorithm::name).join(", ");
                faults.add(
                    &at.index(i),
                    format!("unknown algorithm `{name}`; expected one of: {known}"),
                );
            }
        }
    }
    (!algorithms.is_empty()).then(|| algorithms.into())
}

/// Places in the order in which the native filter looks at what it found: cookies, parameters,
/// headers, of each kind the last name first.
fn locations(raw: &raw::Provider, at: &ConfigPath<'_>, faults: &mut Faults) -> Box<[Location]> {
    let sorted = |names: &[Text]| {
        let mut sorted = BTreeSet::<Box<str>>::new();
        sorted.extend(names.iter().map(|text| Box::from(text.0.as_str())));
        sorted.into_iter().rev()
    };
    let mut headers = BTreeSet::new();
    for (i, raw::TokenHeader { name, value_prefix }) in raw.from_headers.iter().enumerate() {
        let prefix = value_prefix.as_deref().unwrap_or_default();
        let place = at.key("from_headers");
        let name = header(&name.0, &place.index(i).key("name"), faults);
        headers.extend(name.map(|name| (name, prefix.to_owned())));
    }
    if raw.from_headers.is_empty() && raw.from_params.is_empty() && raw.from_cookies.is_empty() {
        let scheme = Prefix::Scheme("Bearer".into());
        return [
            Location::Parameter("access_token".into()),
            Location::Header(HeaderName::AUTHORIZATION, scheme),
        ]
        .into();
    }
    let headers = headers.into_iter().rev();
    let headers = headers.map(|(name, prefix)| Location::Header(name, prefix_of(&prefix)));
    let parameters = sorted(&raw.from_params).map(Location::Parameter);
    let cookies = sorted(&raw.from_cookies).map(Location::Cookie);
    cookies.chain(parameters).chain(headers).collect()
}

/// A word and a space are a scheme; anything else is taken literally.
fn prefix_of(prefix: &str) -> Prefix {
    match prefix.strip_suffix(' ') {
        Some(scheme) if HeaderName::parse(scheme).is_some() => Prefix::Scheme(scheme.into()),
        Some(_) | None => Prefix::Literal(prefix.into()),
    }
}

fn claim_headers(
    raw: &raw::Provider,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Box<[(HeaderName, ClaimPath)]> {
    let list = at.key("claim_to_headers");
    let each = raw.claim_to_headers.iter().enumerate().filter_map(|(i, entry)| {
        let place = list.index(i);
        let name = written_header(&entry.header_name.0, &place.key("header_name"), faults);
        // Envoy splits at every dot: a name that has dots itself needs `claim_path`.
        let steps = match (&entry.claim_name, entry.claim_path.as_slice()) {
            (Some(name), []) => name.0.split('.').map(Into::into).collect(),
            (None, steps @ [_, ..]) => {
                steps.iter().map(|step| step.key.0.as_str().into()).collect()
            }
            (Some(_), [_, ..]) | (None, []) => {
                return faults.none(&place, "must have exactly one of claim_name, claim_path");
            }
        };
        Some((name?, ClaimPath::Steps(steps)))
    });
    each.collect()
}
