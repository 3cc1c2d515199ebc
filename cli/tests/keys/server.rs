//! An identity provider on this machine, with TLS and without.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::{fs, thread};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An authority, and a certificate of it for 127.0.0.1.
pub(crate) struct Authority {
    /// The authority's certificate in PEM.
    pub(crate) pem: String,
    server: Arc<ServerConfig>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let (base64, issuer) = (BASE64_STANDARD.encode(own.der()), Issuer::new(params, key));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");

        let (params, key) = (
            CertificateParams::new(["127.0.0.1".to_owned()]).unwrap(),
            KeyPair::generate().unwrap(),
        );
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .unwrap();
        Self { pem, server: Arc::new(server) }
    }
}

/// What a server answers to a target.
type Answers = fn(SocketAddr, &str) -> String;

/// Answers at this address until the process ends.
pub(crate) fn serve(authority: Option<&Authority>, answers: Answers) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, tls) = (listener.local_addr().unwrap(), authority.map(|a| Arc::clone(&a.server)));
    thread::spawn(move || {
        // A client that refuses the certificate hangs up.
        for connection in listener.incoming().flatten() {
            _ = match &tls {
                Some(tls) => {
                    let session = ServerConnection::new(Arc::clone(tls)).unwrap();
                    answer(StreamOwned::new(session, connection), address, answers)
                }
                None => answer(connection, address, answers),
            };
        }
    });
    address
}

fn answer(connection: impl Read + Write, at: SocketAddr, answers: Answers) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let connection = connection.get_mut();
    connection.write_all(answers(at, target).as_bytes())?;
    connection.flush()
}

/// An address where somebody listens and never answers.
pub(crate) fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An answer with a status, further headers and a body.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

/// The key set of the documentation.
pub(crate) fn keys() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command");
    fs::read_to_string(format!("{folder}/jwks.json")).unwrap()
}
