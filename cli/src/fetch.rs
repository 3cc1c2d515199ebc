//! Fetching a document from where an identity provider publishes it.
//!
//! As careful as a proxy would be: TLS except on this machine, no redirects, bounded in time and size.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jwt_gate::remote::endpoint::Endpoint;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::error::Error;

/// How to reach a server.
#[derive(Debug, clap::Args)]
pub(crate) struct Access {
    /// Certificates in PEM of those who may vouch for a server, in place of those that the system trusts.
    #[arg(long, value_name = "FILE")]
    ca: Option<String>,
    /// How long a fetch may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// Why a fetch brought no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It is no address.
    #[error("expected an absolute `https` URL without a user, a fragment and spaces")]
    NotAnAddress,
    /// It is nobody's who issues tokens.
    #[error("expected an issuer: an `https` URL without a query")]
    NotAnIssuer,
    /// Anybody on the way could put keys of his own in the place of those that are published.
    #[error(
        "`http` is for this machine only: what comes from elsewhere without TLS may be anybody's"
    )]
    Unprotected,
    /// It is elsewhere, and the gate would not look there.
    #[error(
        "answered with status {status}, which leads to `{location}`: the gate follows no redirects, so that address is the one to name"
    )]
    Elsewhere {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// The answer has a status that is not 200.
    #[error("answered with status {0}, expected 200")]
    Status(u16),
    /// It is larger than a document may be.
    #[error("more than the {0} bytes that are accepted")]
    TooLarge(u64),
    /// It took too long.
    #[error("no complete answer within {0} s; `--timeout` allows more")]
    Timeout(u16),
    /// Nobody vouches for the server.
    #[error("its certificate is not accepted: {0}; `--ca` names who else may vouch for it")]
    Certificate(rustls::CertificateError),
    /// There was no answer.
    #[error(transparent)]
    NoAnswer(io::Error),
}

impl FetchError {
    /// Why the document at `endpoint` could not be had.
    pub(crate) fn of(self, endpoint: &Endpoint) -> Error {
        Error::Fetch { name: endpoint.to_string(), source: Box::new(self) }
    }

    /// Whether the document is not there, and perhaps elsewhere.
    const fn is_absence(&self) -> bool {
        matches!(self, Self::Elsewhere { .. } | Self::Status(300..500))
    }
}

/// Whether a name is an address and not a file.
pub(crate) fn is_address(name: &str) -> bool {
    name.contains("://")
}

/// The endpoint that a URL names.
pub(crate) fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let Some(endpoint) = Endpoint::parse(url, "") else {
        // There may be a password in it.
        let name = "the address".to_owned();
        return Err(Error::Fetch { name, source: Box::new(FetchError::NotAnAddress) });
    };
    if endpoint.scheme == "http" && !is_here(&endpoint) {
        return Err(FetchError::Unprotected.of(&endpoint));
    }
    Ok(endpoint)
}

/// Whether it is on this machine.
fn is_here(endpoint: &Endpoint) -> bool {
    let authority = &*endpoint.authority;
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Fetches documents.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    timeout: u16,
}

impl Client {
    /// Reaches servers in this way, and through the proxy that the environment names.
    pub(crate) fn new(access: &Access) -> Result<Self, Error> {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots(access.ca.as_deref())?)))
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let config = Config::builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(access.timeout.into())))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("jwt-gate/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.new_agent(), timeout: access.timeout })
    }

    /// The document at this endpoint, of so many bytes at most.
    pub(crate) fn get(&self, endpoint: &Endpoint, limit: u64) -> Result<Vec<u8>, Error> {
        self.answer(endpoint, limit).map_err(|error| error.of(endpoint))
    }

    /// The document at the first of two endpoints, or else at the second.
    pub(crate) fn get_either(&self, places: &[Endpoint; 2], limit: u64) -> Result<Vec<u8>, Error> {
        let [first, second] = places;
        match self.answer(first, limit) {
            Err(error) if error.is_absence() => {
                self.answer(second, limit).map_err(|_| error.of(first))
            }
            answer => answer.map_err(|error| error.of(first)),
        }
    }

    fn answer(&self, endpoint: &Endpoint, limit: u64) -> Result<Vec<u8>, FetchError> {
        let Endpoint { scheme, authority, path, .. } = endpoint;
        let mut request = self.agent.get(format!("{scheme}://{authority}{path}"));
        if is_here(endpoint) {
            request = request.config().proxy(None).build();
        }
        let wrong = |error| self.error(error);
        let mut answer = request.header("accept", "application/json").call().map_err(wrong)?;
        let status = answer.status().as_u16();
        if status != 200 {
            let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
            // What is behind the question mark may be a secret.
            let location = location.and_then(|location| location.split('?').next());
            return Err(match location {
                Some(location) if (300..400).contains(&status) => {
                    FetchError::Elsewhere { status, location: location.to_owned() }
                }
                Some(_) | None => FetchError::Status(status),
            });
        }
        answer.body_mut().with_config().limit(limit).read_to_vec().map_err(wrong)
    }

    fn error(&self, error: ureq::Error) -> FetchError {
        if let ureq::Error::Timeout(_) = error {
            return FetchError::Timeout(self.timeout);
        }
        if let ureq::Error::BodyExceedsLimit(limit) = error {
            return FetchError::TooLarge(limit);
        }
        let error = error.into_io();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(why)) = tls {
            return FetchError::Certificate(why.clone());
        }
        FetchError::NoAnswer(error)
    }
}

/// The certificates of those who may vouch for a server.
fn roots(file: Option<&str>) -> Result<Vec<Certificate<'static>>, Error> {
    let owned = |der: &CertificateDer<'_>| Certificate::from_der(der).to_owned();
    let Some(file) = file else {
        return Ok(rustls_native_certs::load_native_certs().certs.iter().map(owned).collect());
    };
    let wrong = |why: String| Error::Certificates { name: file.to_owned(), why };
    let text = fs::read(file).map_err(|source| Error::Read { name: file.to_owned(), source })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("no certificate in PEM (`-----BEGIN CERTIFICATE-----`)".to_owned()));
    }
    Ok(found.iter().map(owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_only_this_machine_is_asked() {
        let rows = [
            ("http://127.0.0.1/keys", None),
            ("http://localhost:8080", None),
            ("http://[::1]:80/keys", None),
            ("https://idp.example/keys?a=secret", None),
            ("http://idp.example/keys?a=secret", Some("http://idp.example/keys: `http` is for")),
            ("http://127.0.0.1.example", Some("http://127.0.0.1.example/: `http` is for")),
            ("http://localhost.example", Some("http://localhost.example/: `http` is for")),
            ("http://10.0.0.1", Some("http://10.0.0.1/: `http` is for")),
            ("ftp://idp.example/keys", Some("the address: expected an absolute `https` URL")),
            ("https://user:secret@idp.example", Some("the address: expected an absolute")),
        ];
        for (url, expected) in rows {
            let told = endpoint(url).err().map(|error| error.to_string());
            let is_told = match (&told, expected) {
                (None, None) => true,
                (Some(told), Some(expected)) => told.starts_with(expected),
                (None, Some(_)) | (Some(_), None) => false,
            };
            assert!(is_told, "{url}: {told:?}");
        }
    }
}
