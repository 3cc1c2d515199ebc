//! Keys where the issuer says that they are.

use std::sync::Arc;

use super::keys::{check_timeout, min_interval, push, schedule};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::policy::provider::Keys;
use crate::remote::discovery::{Discovery, Host};
use crate::remote::document::Kind;
use crate::remote::endpoint::Endpoint;
use crate::remote::source::Schedule;
use crate::remote::{Place, Remote};

/// Compiles the discovery of provider `name`, whose place is `at`: two documents, of which the
/// first tells where the second is.
pub(super) fn discovered(
    name: &str,
    provider: &raw::Provider,
    raw: &raw::Discovery,
    sources: &mut Vec<Remote>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Keys> {
    let keys = provider.remote_jwks.as_ref().unwrap_or(&raw::RemoteJwks::EMPTY);
    let (place, remote_place) = (at.key("discovery"), at.key("remote_jwks"));
    check_timeout(raw.timeout, &place, faults);
    if keys.http_uri.is_some() {
        let message = "must be left out beside `discovery`, which finds out where the keys are";
        faults.add(&remote_place.key("http_uri"), message);
    }
    let schedule = schedule(keys, raw.timeout, &remote_place, faults);
    let hosts = hosts(raw, &place.key("jwks_hosts"), faults);
    let issuer = provider.issuer.as_deref().unwrap_or_default();
    let Some(discovery) = Discovery::new(issuer, &raw.cluster.0, hosts) else {
        let message = "needs the `issuer` of the provider to be an https URL without a query and a \
                       fragment";
        return faults.none(&place, message);
    };
    let (timeout, twice) = (raw.timeout, raw.timeout.saturating_mul(2));
    let remote = |kind, place, schedule| Remote {
        provider: name.into(),
        kind,
        place,
        timeout,
        max_wait: keys.max_wait.unwrap_or(twice),
        schedule,
    };
    // Who finds no keys where they were asks whether they have moved.
    let asking = Schedule { ask_interval: Some(min_interval(keys)), ..schedule };
    let place = Place::Either(discovery.places());
    let by = push(sources, remote(Kind::Discovery(Arc::new(discovery)), place, asking));
    Some(Keys::Remote(push(sources, remote(Kind::Keys, Place::Told(by), schedule))))
}

/// Hosts beside the issuer's that may have the keys, and the ways there.
fn hosts(raw: &raw::Discovery, at: &ConfigPath<'_>, faults: &mut Faults) -> Box<[Host]> {
    let mut hosts = Vec::new();
    for (name, cluster) in &raw.jwks_hosts.0 {
        match Endpoint::parse(&format!("https://{name}"), &cluster.0) {
            Some(endpoint) if *endpoint.authority == **name => {
                hosts.push(Host { name: endpoint.host().into(), cluster: endpoint.cluster });
            }
            Some(_) | None => {
                let message = "must be a host, with its port where that is not 443, such as \
                               `keys.example`";
                faults.add(&at.key(name), message);
            }
        }
    }
    hosts.into()
}
