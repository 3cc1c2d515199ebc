//! Certificates of keys.

use rcgen::{
    CertificateParams, Error, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm, date_time_ymd,
};

use super::material::Material;

/// The public part of a key, and what it would sign with.
struct Subject<'k> {
    public: &'k [u8],
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for Subject<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// A certificate in DER, signed by an authority that exists for it alone; none of a shared secret.
pub(super) fn issue(
    material: &Material,
    name: &str,
    expired: bool,
) -> Result<Option<Vec<u8>>, Error> {
    let Some((public, algorithm)) = material.subject() else { return Ok(None) };
    let mut params = CertificateParams::new([format!("{name}.example")])?;
    if expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let authority = Issuer::new(CertificateParams::default(), KeyPair::generate()?);
    let certificate = params.signed_by(&Subject { public, algorithm }, &authority)?;
    Ok(Some(certificate.der().to_vec()))
}
