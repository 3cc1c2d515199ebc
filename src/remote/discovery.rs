//! What an issuer says of itself: OpenID Connect Discovery 1.0 and RFC 8414.

use crate::json::{self, JsonError, Value};
use crate::keys::jwk::Label;
use crate::remote::endpoint::Endpoint;

/// The longest address of keys that is taken, in bytes.
const MAX_URI: usize = 2048;

/// Whose document is asked for, and where its keys may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    issuer: Box<str>,
    /// The issuer's own URL.
    home: Endpoint,
    hosts: Box<[Host]>,
}

/// A host that may have the keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    /// Its name, as [`Endpoint::host`] has it.
    pub name: Box<str>,
    /// The cluster that leads there.
    pub cluster: Box<str>,
}

/// Why a body says nothing about an issuer's keys.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DiscoveryError {
    /// The document is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The document is JSON, but no object.
    #[error("an object is expected, not {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A member is not there, or no string.
    #[error("`{0}` must be there and be a string")]
    Member(&'static str),
    /// It is about another issuer (RFC 8414, 3.3).
    #[error("`issuer` is `{found}`, expected exactly `{expected}`")]
    Issuer {
        /// What it names.
        found: Label,
        /// What the provider has.
        expected: Box<str>,
    },
    /// The address of the keys is none that would be used (RFC 8414, 2).
    #[error("`jwks_uri` must be an https URL without a user and a fragment, found `{found}`")]
    Address {
        /// What it is.
        found: Label,
    },
    /// The keys are on a host that the configuration does not know.
    #[error(
        "`jwks_uri` is on host `{host}`, expected `{home}`; to allow that one too, name its cluster: `jwks_hosts: {{\"{host}\": \"…\"}}`"
    )]
    Host {
        /// The host.
        host: Label,
        /// The issuer's.
        home: Box<str>,
    },
}

impl Discovery {
    /// Asks for the document of `issuer`, whose host `cluster` leads to; keys may be there, or on
    /// one of `hosts`.
    ///
    /// An issuer is an `https` URL without a query (RFC 8414, 2).
    pub fn new(issuer: &str, cluster: &str, hosts: Box<[Host]>) -> Option<Self> {
        let home = Endpoint::parse(issuer, cluster)?;
        let is_issuer = home.scheme == "https" && !home.path.contains('?');
        is_issuer.then(|| Self { issuer: issuer.into(), home, hosts })
    }

    /// Where the document may be, in the order in which to ask: behind the issuer (OpenID Connect
    /// Discovery 1.0, 4), or between its host and its path (RFC 8414, 3).
    pub fn places(&self) -> [Endpoint; 2] {
        let base = self.home.path.trim_end_matches('/');
        let at = |path: String| Endpoint { path: path.into(), ..self.home.clone() };
        [
            at(format!("{base}/.well-known/openid-configuration")),
            at(format!("/.well-known/oauth-authorization-server{base}")),
        ]
    }

    /// Reads a document: where the issuer's keys are.
    pub fn read(&self, body: &[u8], max_depth: usize) -> Result<Endpoint, DiscoveryError> {
        let document = json::parse(body, max_depth)?;
        let members = document
            .as_object()
            .ok_or_else(|| DiscoveryError::NotAnObject { found: document.kind() })?;
        let member = |name: &'static str| {
            members.get(name).and_then(Value::as_str).ok_or(DiscoveryError::Member(name))
        };
        let issuer = member("issuer")?;
        if *issuer != *self.issuer {
            let (found, expected) = (Label::new(issuer), self.issuer.clone());
            return Err(DiscoveryError::Issuer { found, expected });
        }
        let uri = member("jwks_uri")?;
        let endpoint = Endpoint::parse(uri, &self.home.cluster);
        let endpoint = endpoint
            .filter(|endpoint| endpoint.scheme == "https" && uri.len() <= MAX_URI)
            .ok_or_else(|| DiscoveryError::Address { found: Label::new(uri) })?;
        let (host, home) = (endpoint.host(), self.home.host());
        match self.hosts.iter().find(|known| *known.name == *host) {
            Some(Host { cluster, .. }) => Ok(Endpoint { cluster: cluster.clone(), ..endpoint }),
            None if host == home => Ok(endpoint),
            None => Err(DiscoveryError::Host { host: Label::new(&host), home: home.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(issuer: &str) -> Discovery {
        let host = Host { name: "keys.example".into(), cluster: "keys".into() };
        Discovery::new(issuer, "idp", [host].into()).unwrap()
    }

    #[test]
    fn the_well_known_places_are_those_of_the_standards() {
        for (issuer, oidc, oauth) in [
            ("https://a.example", "", ""),
            ("https://a.example/", "", ""),
            ("https://a.example/t/x", "/t/x", "/t/x"),
            ("https://a.example/t/x/", "/t/x", "/t/x"),
        ] {
            let paths = discovery(issuer).places().map(|place| place.path.to_string());
            let expected = [
                format!("{oidc}/.well-known/openid-configuration"),
                format!("/.well-known/oauth-authorization-server{oauth}"),
            ];
            assert_eq!(paths, expected, "{issuer}");
        }
    }

    #[test]
    fn an_issuer_without_a_place_has_no_document() {
        let none = ["http://a.example", "https://a.example?x", "https://a.example#x", "a", ""];
        for issuer in none {
            assert_eq!(Discovery::new(issuer, "idp", Box::default()), None, "{issuer}");
        }
    }

    #[test]
    fn keys_are_on_the_issuers_host_or_on_one_that_is_named() {
        let discovery = discovery("https://a.example/t");
        let rows = [
            ("https://a.example/k", Ok(("idp", "a.example", "/k"))),
            ("https://A.example:443/k?x=y", Ok(("idp", "A.example:443", "/k?x=y"))),
            ("https://keys.example/k", Ok(("keys", "keys.example", "/k"))),
            ("https://KEYS.example", Ok(("keys", "KEYS.example", "/"))),
            ("https://a.example:8443/k", Err("is on host `a.example:8443`, expected `a.example`")),
            ("https://evil.example/k", Err("is on host `evil.example`, expected `a.example`")),
            ("https://a.example.evil/k", Err("is on host `a.example.evil`")),
            ("https://xa.example/k", Err("is on host `xa.example`")),
            ("https://a.example@evil/k", Err("must be an https URL")),
            ("http://a.example/k", Err("must be an https URL")),
            ("//a.example/k", Err("must be an https URL")),
            ("/k", Err("must be an https URL")),
            ("https://a.example/k#f", Err("must be an https URL")),
            ("https://a.example\\@evil/k", Err("must be an https URL")),
            ("https://a.example/k k", Err("must be an https URL")),
            ("", Err("must be an https URL")),
        ];
        for (uri, expected) in rows {
            let document = serde_json::json!({ "issuer": "https://a.example/t", "jwks_uri": uri });
            let read = discovery.read(document.to_string().as_bytes(), 8);
            match (read, expected) {
                (Ok(e), Ok(expected)) => {
                    assert_eq!((&*e.cluster, &*e.authority, &*e.path), expected, "{uri}");
                }
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (read, expected) => panic!("{uri}: {read:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn the_document_is_about_exactly_this_issuer() {
        let discovery = discovery("https://a.example/t");
        let issuers = ["https://a.example/t/", "https://a.example/T", "https://a.example", "", "x"];
        let document =
            |issuer: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://a.example/k"}}"#);
        assert!(discovery.read(document("https://a.example/t").as_bytes(), 8).is_ok());
        for issuer in issuers {
            let error = discovery.read(document(issuer).as_bytes(), 8).unwrap_err();
            let expected =
                format!("`issuer` is `{issuer}`, expected exactly `https://a.example/t`");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let discovery = discovery("https://a.example");
        let rows = [
            ("", "the document ends too early at line 1, column 0"),
            ("<html>", "not valid JSON at line 1, column 1"),
            ("[]", "an object is expected, not a list"),
            ("{}", "`issuer` must be there and be a string"),
            (r#"{"issuer":["https://a.example"]}"#, "`issuer` must be there and be a string"),
            (r#"{"issuer":"https://a.example"}"#, "`jwks_uri` must be there and be a string"),
            (
                r#"{"issuer":"x","issuer":"https://a.example","jwks_uri":"https://a.example/k"}"#,
                "a member is there twice at line 1, column 22",
            ),
            (r#"{"keys":[]}"#, "`issuer` must be there and be a string"),
        ];
        for (body, expected) in rows {
            let error = discovery.read(body.as_bytes(), 8).unwrap_err();
            assert_eq!(error.to_string(), expected, "{body}");
        }
    }
}
