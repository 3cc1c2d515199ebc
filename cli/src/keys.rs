//! `jwt-gate keys`: which keys of a document would be used, and why others are not.

use std::fmt;

use jwt_gate::crypto::Algorithm;
use jwt_gate::keys::jwk::Key;
use jwt_gate::keys::set::{KeyLimits, KeySet, KeySetError, Skipped};
use jwt_gate::remote::discovery::{Discovery, DiscoveryError, Host};
use serde::Serialize;

use crate::Ending;
use crate::error::Error;
use crate::fetch::{self, Access, Client, FetchError};
use crate::output::{BAD, GOOD, NAME, Output, styled};
use crate::source::Source;

/// Show which keys of a document would be used, and why others are not.
///
/// The exit code is 1 when there is none that would be used.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What an identity provider publishes: a JWK set, or an object of PEM texts; `-` is the standard input.
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// Take it for the text of a `local_jwks`, which may be PEM and may hold shared secrets.
    #[arg(long, conflicts_with = "issuer")]
    local: bool,
    /// The URL is an issuer's: find its keys by what it publishes about itself.
    #[arg(long)]
    issuer: bool,
    /// Another host that the keys of an issuer may be on, as `jwks_hosts` has them.
    #[arg(long, value_name = "HOST", requires = "issuer")]
    jwks_host: Vec<String>,
    /// Show only the keys that a token with this `kid` would be tried with.
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    #[command(flatten)]
    fetch: Access,
}

/// What a document holds.
#[derive(Debug, Serialize)]
struct Report {
    /// A file, or the address that the document comes from.
    file: String,
    /// Why none of it is used; null where some is.
    fault: Option<String>,
    /// The keys, in the order in which they are tried.
    used: Vec<Used>,
    /// Entries that are not used.
    skipped: Vec<Unused>,
}

#[derive(Debug, Serialize)]
struct Used {
    /// Null: the key has no name, and is tried for any token.
    kid: Option<String>,
    algorithms: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Unused {
    place: String,
    reason: String,
}

/// Shows the keys.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let limits = KeyLimits::default();
    let (file, text) = document(arguments, &limits)?;
    let read = if arguments.local {
        KeySet::from_configuration(&text, &limits)
    } else {
        KeySet::from_json(&text, &limits)
    };
    let is_wanted = |key: &&Key| match &arguments.kid {
        Some(kid) => key.kid().is_none_or(|own| own == kid),
        None => true,
    };
    let (fault, used, skipped) = match read {
        Ok((keys, skipped)) => {
            (None, keys.keys().iter().filter(is_wanted).map(Used::of).collect(), skipped)
        }
        Err(KeySetError::NoUsableKey { skipped }) => {
            (Some("no key of it would be used".to_owned()), Vec::new(), skipped)
        }
        Err(error) => (Some(error.to_string()), Vec::new(), Vec::new()),
    };
    let skipped = skipped.iter().map(Unused::of).collect();
    let report = Report { file, fault, used, skipped };
    output.result(&report)?;
    Ok(if report.used.is_empty() { Ending::Faults } else { Ending::Good })
}

/// What it is called, and its text.
fn document(arguments: &Arguments, limits: &KeyLimits) -> Result<(String, Vec<u8>), Error> {
    let name = &arguments.source;
    if !arguments.issuer && !fetch::is_address(name) {
        let source = Source::read(name)?;
        return Ok((source.name().to_owned(), source.text().as_bytes().to_vec()));
    }
    let (endpoint, client) = (fetch::endpoint(name)?, Client::new(&arguments.fetch)?);
    let limit = u64::try_from(limits.max_bytes).unwrap_or(u64::MAX);
    if arguments.local {
        let why = "`--local` is about a file: what a URL has is published";
        return Err(Error::Argument(why.to_owned()));
    }
    let endpoint = if arguments.issuer {
        let hosts = arguments.jwks_host.iter();
        let hosts = hosts.map(|name| Host { name: name.as_str().into(), cluster: "".into() });
        let discovery = Discovery::new(name, "", hosts.collect())
            .ok_or_else(|| FetchError::NotAnIssuer.of(&endpoint))?;
        let found = client.get_either(&discovery.places(), limit)?;
        let wrong =
            |error: DiscoveryError| Error::Keys { name: name.clone(), why: error.to_string() };
        discovery.read(&found, limits.max_depth).map_err(wrong)?
    } else {
        endpoint
    };
    let text = client.get(&endpoint, limit)?;
    Ok((endpoint.to_string(), text))
}

impl Used {
    fn of(key: &Key) -> Self {
        let algorithms = Algorithm::ALL.into_iter().filter(|algorithm| key.serves(*algorithm));
        let algorithms = algorithms.map(Algorithm::name).collect();
        Self { kid: key.kid().map(str::to_owned), algorithms }
    }
}

impl Unused {
    fn of(skipped: &Skipped) -> Self {
        Self { place: skipped.place.to_string(), reason: skipped.reason.to_string() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Used { kid, algorithms } in &self.used {
            let name = match kid {
                Some(kid) => format!("`{kid}`"),
                None => "a key without a name, tried for any token".to_owned(),
            };
            let algorithms = algorithms.join(", ");
            writeln!(f, "{} {}: {algorithms}", styled(GOOD, "✔"), styled(NAME, name))?;
        }
        for Unused { place, reason } in &self.skipped {
            writeln!(f, "{} {}: {reason}", styled(BAD, "✘"), styled(NAME, place))?;
        }
        match &self.fault {
            Some(fault) => writeln!(f, "{}: {}", styled(NAME, &self.file), styled(BAD, fault)),
            None => writeln!(f, "{} used, {} not", self.used.len(), self.skipped.len()),
        }
    }
}
