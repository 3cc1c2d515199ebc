//! The request, as a proxy shows it.

use jwt_gate::credential::{Location, Prefix};

use super::Arguments;
use crate::error::Error;

/// A request that is decided on.
#[derive(Debug)]
pub(super) struct Request {
    lines: Vec<(String, String)>,
}

impl Request {
    /// The request that the arguments describe.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Argument(what.to_owned());
        let (method, target) = arguments
            .request
            .split_once(' ')
            .filter(|(_, target)| target.starts_with('/') || target.contains("://"))
            .ok_or_else(|| {
                wrong(
                    "--request must be a method and a target, which is a URL or begins with `/`: \"GET /orders/7\"",
                )
            })?;
        let (scheme, rest) = target.split_once("://").unwrap_or(("https", target));
        let (authority, path) = if rest.starts_with('/') {
            ("localhost", rest.to_owned())
        } else {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            (authority, format!("/{path}"))
        };
        let pseudo = [(":method", method), (":scheme", scheme), (":authority", authority)];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut lines: Vec<_> = pseudo.into_iter().map(own).collect();
        lines.push((":path".to_owned(), path));
        let mut request = Self { lines };
        for line in &arguments.header {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| wrong("--header must be a name and a value: \"x-tenant: acme\""))?;
            request.add(&name.to_ascii_lowercase(), value.trim());
        }
        if let Some(token) = &arguments.token {
            request.add("authorization", &format!("Bearer {}", token.trim()));
        }
        Ok(request)
    }

    /// Adds a header; `host` is the authority.
    fn add(&mut self, name: &str, value: &str) {
        let name = if name == "host" { ":authority" } else { name };
        if name == ":authority" {
            self.lines.retain(|(known, _)| known != name);
        }
        self.lines.push((name.to_owned(), value.to_owned()));
    }

    /// Puts a token where a provider looks for it.
    pub(super) fn put(&mut self, token: &str, location: &Location) {
        match location {
            Location::Header(name, Prefix::Scheme(scheme)) => {
                self.add(name.as_str(), &format!("{scheme} {token}"));
            }
            Location::Header(name, Prefix::Literal(prefix)) => {
                self.add(name.as_str(), &format!("{prefix}{token}"));
            }
            Location::Parameter(name) => {
                for (_, path) in self.lines.iter_mut().filter(|(name, _)| name == ":path") {
                    let sign = if path.contains('?') { '&' } else { '?' };
                    path.push_str(&format!("{sign}{name}={token}"));
                }
            }
            Location::Cookie(name) => self.add("cookie", &format!("{name}={token}")),
        }
    }

    /// As the core looks at it.
    pub(super) fn view(&self) -> Vec<(&str, &str)> {
        self.lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
