//! Faults of discovery.

use super::hold;

#[test]
fn discovery_is_that_of_one_issuer() {
    let discovery = r#""discovery": {"cluster": "c", "timeout": "1s"}"#;
    let faulty = "    providers.p.discovery: needs the `issuer` of the provider to be an https URL without a query and a fragment";
    hold(
        r#"{"providers": {"p": {$}}}"#,
        &format!(
            r##"
"issuer": "https://a.example/t", {discovery}
"issuer": "https://a.example", {discovery}, "remote_jwks": {{"cache_duration": "60s", "max_wait": "5s"}}
"issuer": "https://a.example", "discovery": {{"cluster": "c", "timeout": "1s", "jwksHosts": {{"b.example": "d", "c.example:8443": "c"}}}}
{discovery}
{faulty}
"issuer": "http://a.example", {discovery}
{faulty}
"issuer": "https://a.example?x=y", {discovery}
{faulty}
"issuer": "a.example", {discovery}
{faulty}
"issuers": ["https://a.example"], {discovery}
{faulty}
"issuer": "https://a.example", {discovery}, "remote_jwks": {{"http_uri": {{"uri": "https://a.example/k", "cluster": "c", "timeout": "1s"}}}}
    providers.p.remote_jwks.http_uri: must be left out beside `discovery`, which finds out where the keys are
"issuer": "https://a.example", {discovery}, "remote_jwks": {{"min_interval": "0.5s"}}
    providers.p.remote_jwks.min_interval: must be at least 1s
"issuer": "https://a.example", {discovery}, "local_jwks": {{"inline_string": "$JWKS"}}
    providers.p: must have exactly one of local_jwks, remote_jwks, discovery, found 2
"issuer": "https://a.example", "remote_jwks": {{"cache_duration": "60s"}}
    providers.p.remote_jwks.http_uri: is required
"issuer": "https://a.example", "discovery": {{}}
    providers.p.discovery.cluster: is required
    providers.p.discovery.timeout: is required
"issuer": "https://a.example", "discovery": {{"cluster": "c", "timeout": "0s", "jwks_hosts": {{"https://b.example": "d", "b.example/x": "d", "b.example": ""}}}}
    providers.p.discovery.jwks_hosts.b.example: must not be empty
    providers.p.discovery.timeout: must be from 0.001s to 300s
    providers.p.discovery.jwks_hosts.b.example/x: must be a host, with its port where that is not 443, such as `keys.example`
    providers.p.discovery.jwks_hosts.https://b.example: must be a host, with its port where that is not 443, such as `keys.example`
"issuer": "https://a.example", "discovery": {{"cluster": "c", "timeout": "0s", "jwks_hosts": {{"https://b.example": "d", "b.example/x": "d", "u@b.example": "d"}}}}
    providers.p.discovery.timeout: must be from 0.001s to 300s
    providers.p.discovery.jwks_hosts.b.example/x: must be a host, with its port where that is not 443, such as `keys.example`
    providers.p.discovery.jwks_hosts.https://b.example: must be a host, with its port where that is not 443, such as `keys.example`
    providers.p.discovery.jwks_hosts.u@b.example: must be a host, with its port where that is not 443, such as `keys.example`
"##
        ),
    );
}
