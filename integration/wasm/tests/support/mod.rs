//! The module in a proxy with one identity provider, for what a scenario cannot express.

mod release;

use std::sync::OnceLock;
use std::time::Duration;

use jwt_gate_scenario::Keyring;
use jwt_gate_test_host::{CalloutResult, Cluster, Host, Personality, Request};
pub(crate) use release::module;

/// A provider whose keys are behind a URL, for all paths; `sub` goes into a header, the claims to
/// later filters.
pub(crate) const CONFIG: &str = r#"{ "providers": { "p": { "issuer": "https://idp.example",
    "claim_to_headers": [ { "header_name": "x-jwt-sub", "claim_name": "sub" } ],
    "payload_in_metadata": "jwt_payload",
    "remote_jwks": { "http_uri": { "uri": "https://idp.example/jwks.json", "cluster": "idp",
        "timeout": "1s" }, "cache_duration": "600s" } } },
  "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ] }"#;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

fn keyring() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING.get_or_init(Keyring::new)
}

/// A host that reaches the provider; NGINX has what [`CONFIG`] needs for its identity header.
pub(crate) fn host(personality: Personality) -> Host {
    let host = Host::new(personality);
    host.set_cluster("idp", Cluster::Healthy);
    if personality == Personality::Nginx {
        host.set_variable("jwt_gate_x_jwt_sub");
        host.proxy_set_header("x-jwt-sub", "jwt_gate_x_jwt_sub");
    }
    host
}

/// A token, from the words that stand in a scenario's `${token …}`.
pub(crate) fn token(host: &Host, words: &str) -> String {
    keyring().mint(host.now().as_secs(), words).unwrap()
}

/// The text of a set of these keys.
pub(crate) fn jwks(keys: &[&str]) -> String {
    keyring().jwks(keys).unwrap()
}

/// An answer with a status and a body.
pub(crate) fn response(status: u16, body: impl Into<Vec<u8>>) -> CalloutResult {
    let headers = vec![(b":status".to_vec(), status.to_string().into_bytes())];
    CalloutResult::Response { headers, body: body.into() }
}

/// An answer with these keys.
pub(crate) fn keys(keys: &[&str]) -> CalloutResult {
    response(200, jwks(keys))
}

/// A request with a token in its `authorization`, and a header that only the gate may write.
pub(crate) fn request(token: &str) -> Request {
    Request::get("/orders")
        .with("x-jwt-sub", "spoofed")
        .with("authorization", format!("Bearer {token}"))
}
