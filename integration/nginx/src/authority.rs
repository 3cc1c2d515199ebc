//! Who vouches for the endpoint, and its certificate.

use std::fs;
use std::io;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// The name of the endpoint's host.
pub(crate) const HOST: &str = "idp.test";

/// A folder with certificates in PEM, until it is dropped.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// A new authority, and a certificate of it for the endpoint.
    pub(crate) fn new() -> io::Result<Self> {
        let authority = Self { folder: tempfile::tempdir()? };
        let mut authority_params = CertificateParams::default();
        authority_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let own = authority_params.self_signed(&key).map_err(io::Error::other)?;
        fs::write(authority.certificate(), own.pem())?;

        let names = [HOST.to_owned(), "keys.example".to_owned()];
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        // A name like that of the authority would say that it vouches for itself.
        params.distinguished_name.push(DnType::CommonName, HOST);
        let issuer = Issuer::new(authority_params, key);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let signed = params.signed_by(&key, &issuer).map_err(io::Error::other)?;
        fs::write(authority.server_certificate(), signed.pem())?;
        fs::write(authority.server_key(), key.serialize_pem())?;
        Ok(authority)
    }

    /// The certificate of the authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The certificate of the endpoint.
    pub(crate) fn server_certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The key of the endpoint.
    pub(crate) fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}
