//! Faults of providers.

use super::{JWKS, hold};
use crate::policy::Policy;

const LOCAL: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"}, $}}}"#;

#[test]
fn refused_names_of_a_provider_say_why() {
    hold(
        r#"{"providers": {"p": {"local_jwks": {$}}}}"#,
        r##"
"filename": "/x"
    providers.p.local_jwks.filename: a module cannot read files; put the JWK set into `inline_string`
"environment_variable": "X"
    providers.p.local_jwks.environment_variable: the environment is read by the proxy, not by the module; put the JWK set into `inline_string`
"environmentVariable": "X"
    providers.p.local_jwks.environment_variable: the environment is read by the proxy, not by the module; put the JWK set into `inline_string`
"watched_directory": {"path": "/x"}
    providers.p.local_jwks.watched_directory: a module cannot watch files; use `remote_jwks` for keys that change
"##,
    );
}

#[test]
fn exports_have_names_that_are_not_shared_by_different_kinds() {
    hold(
        LOCAL,
        r##"
"payload_in_metadata": "https://idp.example", "header_in_metadata": "h", "failed_status_in_metadata": "f"
"payloadInMetadata": "x", "normalizePayloadInMetadata": {"spaceDelimitedClaims": ["scope"]}
"payload_in_metadata": "", "header_in_metadata": ""
"normalize_payload_in_metadata": {}
"clear_route_cache": true
"payload_in_metadata": "a\u0000b"
    providers.p.payload_in_metadata: must not have control characters in it
"payload_in_metadata": "x", "header_in_metadata": "x"
    providers.p.header_in_metadata: `x` is the payload_in_metadata of provider `p`, too
"normalize_payload_in_metadata": {"space_delimited_claims": [""]}
    providers.p.normalize_payload_in_metadata.space_delimited_claims[0]: must not be empty
"##,
    );
    hold(
        r#"{"providers": {
            "p": {"local_jwks": {"inline_string": "$JWKS"}, "payload_in_metadata": "x"},
            "q": {"local_jwks": {"inline_string": "$JWKS"}, $}}}"#,
        r##"
"payload_in_metadata": "x"
"failed_status_in_metadata": "x"
    providers.q.failed_status_in_metadata: `x` is the payload_in_metadata of provider `p`, too
"##,
    );
}

#[test]
fn what_only_envoy_can_do_is_refused_on_other_hosts() {
    hold(
        r#"{$, "clear_route_cache": true, "local_jwks": {"inline_string": "$JWKS"}}}}"#,
        r##"
"host": "envoy", "providers": {"p": {"payload_in_metadata": "a-b"
"host": "nginx", "providers": {"p": {"payload_in_metadata": "a-b", "header_in_metadata": "a_b"
    providers.p: `a-b` must be letters, digits and `_`: on NGINX it names a variable
    providers.p.clear_route_cache: only Envoy chooses a route again; leave it out
"host": "bare", "providers": {"p": {"payload_in_metadata": "a"
    providers.p: `a` has nowhere to go on this host; use `claim_to_headers` or `forward_payload_header`
    providers.p.clear_route_cache: only Envoy chooses a route again; leave it out
"##,
    );
}

#[test]
fn what_does_nothing_is_warned_of() {
    let document = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"},
        "normalize_payload_in_metadata": {}, "clear_route_cache": true}}}"#;
    let policy = Policy::from_json(document.replace("$JWKS", JWKS).as_bytes()).unwrap();
    let warnings: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "providers.p.normalize_payload_in_metadata: does nothing without payload_in_metadata",
            "providers.p.clear_route_cache: does nothing without claim_to_headers or payload_in_metadata",
        ]
    );
}

#[test]
fn local_keys_are_one_usable_set() {
    hold(
        r#"{"providers": {"p": {"local_jwks": {$}}}}"#,
        r##"
"inline_string": "$JWKS"
(nothing)
    providers.p.local_jwks: must have exactly one of inline_string, inline_bytes
"inline_string": ""
    providers.p.local_jwks.inline_string: the document ends too early at line 1, column 0
"inline_string": "$JWKS", "inline_bytes": "e30="
    providers.p.local_jwks: must have exactly one of inline_string, inline_bytes
"inline_string": "{}"
    providers.p.local_jwks.inline_string: a JWK set is expected, an object with the list `keys`, or an object of PEM texts; there is no `keys`
"inline_string": "{\"keys\":[]}"
    providers.p.local_jwks.inline_string: `keys` is empty
"inline_string": "-----BEGIN PUBLIC KEY-----"
    providers.p.local_jwks.inline_string: no usable key; PEM block 1: not PEM: a line `-----BEGIN …-----`, lines of base64, a line `-----END …-----` with the same words
"inline_string": "-----BEGIN PRIVATE KEY-----"
    providers.p.local_jwks.inline_string: PEM block 1 is a private key, which must not leave its owner; give the public one: `openssl pkey -in key.pem -pubout`, or the JWK without `d`, `p`, `q`, `dp`, `dq` and `qi`
"inline_string": "{\"keys\":[{\"kty\":\"AKP\"}]}"
    providers.p.local_jwks.inline_string: no usable key; keys[0]: `kty` `AKP` is not supported
"inline_string": "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"
    providers.p.local_jwks.inline_string: no usable key; keys[0]: a secret of 6 octets (HS256 needs 32, HS384 48, HS512 64)
"inline_bytes": "eyJrZXlzIjpbXX0="
    providers.p.local_jwks.inline_bytes: `keys` is empty
"inline_bytes": "?"
    providers.p.local_jwks.inline_bytes: must be base64
"inline_bytes": "eyJrZXlzIjpbXX0"
    providers.p.local_jwks.inline_bytes: `keys` is empty
"inline_bytes": "eyJrZXlzIjpbXSwiPz8_Ijoxfg=="
    providers.p.local_jwks.inline_bytes: not valid JSON at line 1, column 19
"inline_bytes": "a+-a"
    providers.p.local_jwks.inline_bytes: must be base64
"inline_string": 5
    providers.p.local_jwks.inline_string: must be a string, found a number
"##,
    );
}

#[test]
fn issuers_are_exact_or_a_template_for_tenants() {
    hold(
        LOCAL,
        r##"
"issuer": ""
"issuers": ["https://a.example", "b"]
"issuers": [{"template": "https://a.example/{tenant}/v2.0"}]
"issuers": [{"template": "https://a.example/{tenant}"}]
"issuers": ["https://a.example", ""]
    providers.p.issuers[1]: must not be empty
"issuers": [5]
    providers.p.issuers[0]: must be a string or an object with `template`, found a number
"issuers": [{}]
    providers.p.issuers[0].template: is required
"issuers": [{"template": "{tenant}"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `{tenant}`
"issuers": [{"template": "https://a.example/x"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `https://a.example/x`
"issuers": [{"template": "https://a.example/{tenant}/{tenant}"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `https://a.example/{tenant}/{tenant}`
"issuers": [{"template": "http://a.example/{tenant}"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `http://a.example/{tenant}`
"issuers": [{"template": "https://a.example/x{tenant}"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `https://a.example/x{tenant}`
"issuers": [{"template": "https://a.example/{realm}"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `https://a.example/{realm}`
"issuers": [{"template": "https://a.example/*"}]
    providers.p.issuers[0].template: must begin with `https://` and have `{tenant}` once, as a path segment; found `https://a.example/*`
"issuer": 5
    providers.p.issuer: must be a string, found a number
"##,
    );
}

#[test]
fn algorithms_are_known_and_never_none() {
    hold(
        LOCAL,
        r##"
"algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
"algorithms": ["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512"]
"algorithms": ["none"]
    providers.p.algorithms[0]: unknown algorithm `none`; expected one of: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512
"algorithms": ["EdDSA", "rs256", "ES256K"]
    providers.p.algorithms[1]: unknown algorithm `rs256`; expected one of: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512
    providers.p.algorithms[2]: unknown algorithm `ES256K`; expected one of: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512
"algorithms": [""]
    providers.p.algorithms[0]: must not be empty
"algorithms": "RS256"
"##,
    );
}

#[test]
fn headers_of_a_provider_have_names() {
    hold(
        LOCAL,
        r##"
"from_headers": [{"name": "X-Jwt", "value_prefix": ""}]
"from_headers": [{"name": ""}]
    providers.p.from_headers[0].name: must not be empty
"from_headers": [{}]
    providers.p.from_headers[0].name: is required
"from_headers": [{"name": "x"}, {"name": "x y"}]
    providers.p.from_headers[1].name: `x y` is no header name
"from_headers": [{"name": ":path"}]
    providers.p.from_headers[0].name: `:path` is no header name
"from_headers": ["x"]
    providers.p.from_headers[0]: must be an object, found a string
"from_headers": [{"name": "x", "prefix": "y"}]
    providers.p.from_headers[0]: unknown field `prefix`; expected one of: name, value_prefix
"from_params": [""]
    providers.p.from_params[0]: must not be empty
"from_cookies": [""]
    providers.p.from_cookies[0]: must not be empty
"forward_payload_header": "x:y"
    providers.p.forward_payload_header: `x:y` is no header name
"forward_payload_header": ":authority"
    providers.p.forward_payload_header: `:authority` is no header name
"forward_payload_header": "x\r\ny"
    providers.p.forward_payload_header: `x\r\ny` is no header name
"claim_to_headers": [{"header_name": "x-a", "claim_name": "a"}]
"claim_to_headers": [{"header_name": "x-a", "claim_path": [{"key": "a.b"}, {"key": "c"}]}]
"claim_to_headers": [{"header_name": ":method", "claim_name": "a"}]
    providers.p.claim_to_headers[0].header_name: `:method` is no header name
"claim_to_headers": [{"header_name": "host", "claim_name": "a"}]
    providers.p.claim_to_headers[0].header_name: `host` has a meaning of its own and cannot be written
"claim_to_headers": [{"header_name": "x-a"}]
    providers.p.claim_to_headers[0]: must have exactly one of claim_name, claim_path
"claim_to_headers": [{"header_name": "x-a", "claim_name": "a", "claim_path": [{"key": "b"}]}]
    providers.p.claim_to_headers[0]: must have exactly one of claim_name, claim_path
"claim_to_headers": [{"claim_name": "a"}]
    providers.p.claim_to_headers[0].header_name: is required
"claim_to_headers": [{"header_name": "x-a", "claim_name": ""}]
    providers.p.claim_to_headers[0].claim_name: must not be empty
"##,
    );
}

#[test]
fn a_header_is_read_for_a_token_or_written_and_never_both() {
    hold(
        LOCAL,
        r##"
"from_headers": [{"name": "x-jwt"}], "forward_payload_header": "X-Jwt"
    providers.p: header `x-jwt` cannot be both read for a token and written
"from_headers": [{"name": "x-jwt"}], "claim_to_headers": [{"header_name": "X-JWT", "claim_name": "a"}]
    providers.p: header `x-jwt` cannot be both read for a token and written
"forward_payload_header": "Authorization"
    providers.p: header `authorization` cannot be both read for a token and written
"from_headers": [{"name": "x-jwt"}], "forward_payload_header": "authorization"
"##,
    );
    hold(
        r#"{"providers": {
            "a": {"local_jwks": {"inline_string": "$JWKS"}, "from_headers": [{"name": "x-a"}], "forward_payload_header": "x-b"},
            "b": {"local_jwks": {"inline_string": "$JWKS"}, $}}}"#,
        r##"
"from_headers": [{"name": "x-c"}]
"##,
    );
}

#[test]
fn numbers_and_durations_of_a_provider_have_a_range() {
    hold(
        LOCAL,
        r##"
"clock_skew_seconds": 0
"clock_skew_seconds": 4294967295
"clock_skew_seconds": -1
    providers.p.clock_skew_seconds: must be a whole number that is not negative, found a number
"clock_skew_seconds": "60s"
    providers.p.clock_skew_seconds: must be a whole number that is not negative, found a string
"max_lifetime": "3600s"
"max_lifetime": {"seconds": "3600"}
"max_lifetime": {"seconds": 1, "nanos": 1000000000}
    providers.p.max_lifetime.nanos: must be below 10^9, found 1000000000
"max_lifetime": {"second": 1}
    providers.p.max_lifetime: unknown field `second`; did you mean `seconds`?
"max_lifetime": {"seconds": -1}
    providers.p.max_lifetime.seconds: must be a whole number that is not negative, found a number
"max_lifetime": 3600
    providers.p.max_lifetime: must be a duration such as "5s", found a number
"max_lifetime": "1h"
    providers.p.max_lifetime: must be a duration such as "5s", found `1h`
"max_lifetime": "-1s"
    providers.p.max_lifetime: must be a duration such as "5s", found `-1s`
"max_lifetime": "s"
    providers.p.max_lifetime: must be a duration such as "5s", found `s`
"max_lifetime": "1.0000000001s"
    providers.p.max_lifetime: must be a duration such as "5s", found `1.0000000001s`
"max_lifetime": ""
    providers.p.max_lifetime: must be a duration such as "5s", found ``
"subjects": {"exact": "a", "prefix": "b"}
    providers.p.subjects: must have exactly one of exact, prefix, suffix, contains, safe_regex, found 2
"subjects": {}
    providers.p.subjects: must have exactly one of exact, prefix, suffix, contains, safe_regex, found 0
"subjects": {"safe_regex": {"regex": "("}}
    providers.p.subjects.safe_regex: is no regular expression: found open group without closing ')'
"subjects": {"custom": {}}
    providers.p.subjects.custom: extensions of the proxy are out of a module's reach
"audiences": "api"
"audiences": 5
    providers.p.audiences[0]: must be a string, found a number
"forward": "true"
"required_claims": [""]
    providers.p.required_claims[0]: must not be empty
"token_types": [5]
    providers.p.token_types[0]: must be a string, found a number
"role_claims": [[]]
    providers.p.role_claims[0]: must be a claim name or a list of steps, found a list
"realm": ""
    providers.p.realm: must not be empty
"require_expiration": "no"
    providers.p.require_expiration: must be true or false, found a string
"##,
    );
}

#[test]
fn a_remote_key_set_is_behind_an_absolute_url() {
    hold(
        r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "$", "cluster": "c", "timeout": "1s"}}}}}"#,
        r##"
https://a.example/jwks?x=y
http://a.example:8080/jwks
https://[::1]:8443/jwks
https://a.example
(nothing)
    providers.p.remote_jwks.http_uri.uri: must not be empty
a.example/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
//a.example/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
ftp://a.example/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
file:///etc/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
https:///jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
https://user@a.example/jwks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
https://a.example/j wks
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
https://a.example/jwks#f
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
https://a.example/\r\nhost: b
    providers.p.remote_jwks.http_uri.uri: must be an absolute http or https URL without a user and a fragment
"##,
    );
    hold(
        r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "https://a.example/j", "cluster": "c", $}}}}}"#,
        r##"
"timeout": "0.001s"
"timeout": "300s"
"timeout": "0s"
    providers.p.remote_jwks.http_uri.timeout: must be from 0.001s to 300s
"timeout": "301s"
    providers.p.remote_jwks.http_uri.timeout: must be from 0.001s to 300s
"timeout": "1s", "method": "POST"
    providers.p.remote_jwks.http_uri: unknown field `method`; expected one of: uri, cluster, timeout
"timeout": "1s", "Cluster": "c"
    providers.p.remote_jwks.http_uri: unknown field `Cluster`; did you mean `cluster`?
"##,
    );
    hold(
        r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "https://a.example/j", "cluster": "c", "timeout": "1s"}, $}}}}"#,
        r##"
"cache_duration": "0.001s"
"cache_duration": "0s"
    providers.p.remote_jwks.cache_duration: must be at least 0.001s
"async_fetch": {}
"async_fetch": {"fast_listener": true, "failed_refetch_duration": "1s"}
"async_fetch": {"fast_listener": 1}
    providers.p.remote_jwks.async_fetch.fast_listener: must be true or false, found a number
"async_fetch": {"failed_refetch_duration": "1"}
    providers.p.remote_jwks.async_fetch.failed_refetch_duration: must be a duration such as "5s", found `1`
"retry_policy": {"num_retries": 2}
"retryPolicy": {}
"retry_policy": {"retry_back_off": {"base_interval": "0.01s", "max_interval": "20s"}, "num_retries": 10}
"retry_policy": {"retry_back_off": {}}
    providers.p.remote_jwks.retry_policy.retry_back_off.base_interval: is required
"retry_policy": {"retry_back_off": {"base_interval": "0s"}}
    providers.p.remote_jwks.retry_policy.retry_back_off.base_interval: must be at least 0.001s
"retry_policy": {"retry_back_off": {"base_interval": "2s", "max_interval": "1s"}}
    providers.p.remote_jwks.retry_policy.retry_back_off.max_interval: must not be less than base_interval
"retry_policy": {"retry_on": "5xx"}
    providers.p.remote_jwks.retry_policy.retry_on: the native filter ignores it: a fetch is tried again after any failure
"stale_if_error": "86400s", "refetch_on_unknown_kid": false, "min_interval": "5s", "max_wait": "2s"
"refetch_on_unknown_kid": {"min_interval": "5s"}
    providers.p.remote_jwks.refetch_on_unknown_kid: must be true or false, found an object
"stale_if_error": 5
    providers.p.remote_jwks.stale_if_error: must be a duration such as "5s", found a number
"##,
    );
}
