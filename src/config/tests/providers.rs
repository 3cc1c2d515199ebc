//! Faults of providers.

use super::hold;

const LOCAL: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"}, $}}}"#;

#[test]
fn refused_names_of_a_provider_say_why() {
    hold(LOCAL, &[
        (r#""payload_in_metadata": "x""#, &["x"]),
        (r#""header_in_metadata": "x""#, &["x"]),
        (r#""failed_status_in_metadata": "x""#, &["x"]),
        (r#""normalize_payload_in_metadata": {}"#, &["x"]),
        (r#""clear_route_cache": true"#, &["x"]),
        (r#""jwt_cache_config": {}"#, &["x"]),
        (r#""discovery": {}"#, &["x"]),
        (r#""revoked": []"#, &["x"]),
        (r#""remote_revocations": {}"#, &["x"]),
        (r#""payloadInMetadata": "x""#, &["x"]),
    ]);
    hold(r#"{"providers": {"p": {"local_jwks": {$}}}}"#, &[
        (r#""filename": "/x""#, &["x"]),
        (r#""environment_variable": "X""#, &["x"]),
        (r#""environmentVariable": "X""#, &["x"]),
        (r#""watched_directory": {"path": "/x"}"#, &["x"]),
    ]);
}

#[test]
fn local_keys_are_one_usable_set() {
    hold(r#"{"providers": {"p": {"local_jwks": {$}}}}"#, &[
        (r#""inline_string": "$JWKS""#, &[]),
        ("", &["x"]),
        (r#""inline_string": """#, &["x"]),
        (r#""inline_string": "$JWKS", "inline_bytes": "e30=""#, &["x"]),
        (r#""inline_string": "{}""#, &["x"]),
        (r#""inline_string": "{\"keys\":[]}""#, &["x"]),
        (r#""inline_string": "-----BEGIN PUBLIC KEY-----""#, &["x"]),
        (r#""inline_string": "{\"keys\":[{\"kty\":\"AKP\"}]}""#, &["x"]),
        (r#""inline_string": "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}""#, &["x"]),
        (r#""inline_bytes": "eyJrZXlzIjpbXX0=""#, &["x"]),
        (r#""inline_bytes": "?""#, &["x"]),
        (r#""inline_string": 5"#, &["x"]),
    ]);
}

#[test]
fn issuers_are_exact_or_a_template_for_tenants() {
    hold(LOCAL, &[
        (r#""issuer": """#, &[]),
        (r#""issuers": ["https://a.example", "b"]"#, &[]),
        (r#""issuers": [{"template": "https://a.example/{tenant}/v2.0"}]"#, &[]),
        (r#""issuers": [{"template": "https://a.example/{tenant}"}]"#, &[]),
        (r#""issuers": ["https://a.example", ""]"#, &["providers.p.issuers[1]: must not be empty"]),
        (r#""issuers": [5]"#, &["x"]),
        (r#""issuers": [{}]"#, &["providers.p.issuers[0].template: is required"]),
        (r#""issuers": [{"template": "{tenant}"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://{tenant}"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://{tenant}.example/x"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/x"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/{tenant}/{tenant}"}]"#, &["x"]),
        (r#""issuers": [{"template": "http://a.example/{tenant}"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/x{tenant}"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/{tenant}x"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/{realm}"}]"#, &["x"]),
        (r#""issuers": [{"template": "https://a.example/*"}]"#, &["x"]),
        (r#""issuers": ["*"]"#, &["x"]),
        (r#""issuer": 5"#, &["providers.p.issuer: must be a string, found a number"]),
    ]);
}

#[test]
fn algorithms_are_known_and_never_none() {
    hold(LOCAL, &[
        (r#""algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]"#, &[]),
        (r#""algorithms": ["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512"]"#, &[]),
        (r#""algorithms": ["none"]"#, &["x"]),
        (r#""algorithms": ["EdDSA", "rs256", "ES256K"]"#, &["x"]),
        (r#""algorithms": [""]"#, &["providers.p.algorithms[0]: must not be empty"]),
        (r#""algorithms": "RS256""#, &["providers.p.algorithms: must be a list, found a string"]),
    ]);
}

#[test]
fn headers_of_a_provider_have_names() {
    hold(LOCAL, &[
        (r#""from_headers": [{"name": "X-Jwt", "value_prefix": ""}]"#, &[]),
        (r#""from_headers": [{"name": ""}]"#, &["providers.p.from_headers[0].name: must not be empty"]),
        (r#""from_headers": [{}]"#, &["providers.p.from_headers[0].name: is required"]),
        (r#""from_headers": [{"name": "x"}, {"name": "x y"}]"#, &["providers.p.from_headers[1].name: `x y` is no header name"]),
        (r#""from_headers": [{"name": ":path"}]"#, &["providers.p.from_headers[0].name: `:path` is no header name"]),
        (r#""from_headers": ["x"]"#, &["providers.p.from_headers[0]: must be an object, found a string"]),
        (r#""from_headers": [{"name": "x", "prefix": "y"}]"#, &["x"]),
        (r#""from_params": [""]"#, &["providers.p.from_params[0]: must not be empty"]),
        (r#""from_cookies": [""]"#, &["providers.p.from_cookies[0]: must not be empty"]),
        (r#""forward_payload_header": "x:y""#, &["providers.p.forward_payload_header: `x:y` is no header name"]),
        (r#""forward_payload_header": ":authority""#, &["providers.p.forward_payload_header: `:authority` is no header name"]),
        (r#""forward_payload_header": "x\r\ny""#, &["x"]),
        (r#""claim_to_headers": [{"header_name": "x-a", "claim_name": "a"}]"#, &[]),
        (r#""claim_to_headers": [{"header_name": "x-a", "claim_path": [{"key": "a.b"}, {"key": "c"}]}]"#, &[]),
        (r#""claim_to_headers": [{"header_name": ":method", "claim_name": "a"}]"#, &["x"]),
        (r#""claim_to_headers": [{"header_name": "host", "claim_name": "a"}]"#, &["x"]),
        (r#""claim_to_headers": [{"header_name": "x-a"}]"#, &["x"]),
        (r#""claim_to_headers": [{"header_name": "x-a", "claim_name": "a", "claim_path": [{"key": "b"}]}]"#, &["x"]),
        (r#""claim_to_headers": [{"claim_name": "a"}]"#, &["providers.p.claim_to_headers[0].header_name: is required"]),
        (r#""claim_to_headers": [{"header_name": "x-a", "claim_name": ""}]"#, &["providers.p.claim_to_headers[0].claim_name: must not be empty"]),
    ]);
}

#[test]
fn a_header_is_read_for_a_token_or_written_and_never_both() {
    hold(LOCAL, &[
        (r#""from_headers": [{"name": "x-jwt"}], "forward_payload_header": "X-Jwt""#, &["x"]),
        (r#""from_headers": [{"name": "x-jwt"}], "claim_to_headers": [{"header_name": "X-JWT", "claim_name": "a"}]"#, &["x"]),
        (r#""forward_payload_header": "Authorization""#, &["x"]),
        (r#""from_headers": [{"name": "x-jwt"}], "forward_payload_header": "authorization""#, &[]),
        (r#""from_cookies": ["c"], "forward_payload_header": "cookie""#, &["x"]),
        (r#""from_headers": [{"name": "x_jwt"}], "forward_payload_header": "x-jwt""#, &["x"]),
    ]);
    hold(
        r#"{"providers": {
            "a": {"local_jwks": {"inline_string": "$JWKS"}, "from_headers": [{"name": "x-a"}], "forward_payload_header": "x-b"},
            "b": {"local_jwks": {"inline_string": "$JWKS"}, $}}}"#,
        &[
            (r#""from_headers": [{"name": "x-c"}]"#, &[]),
            (r#""from_headers": [{"name": "x-b"}]"#, &["x"]),
            (r#""forward_payload_header": "x-a""#, &["x"]),
        ],
    );
}

#[test]
fn numbers_and_durations_of_a_provider_have_a_range() {
    hold(LOCAL, &[
        (r#""clock_skew_seconds": 0"#, &[]),
        (r#""clock_skew_seconds": 4294967295"#, &[]),
        (r#""clock_skew_seconds": -1"#, &["providers.p.clock_skew_seconds: must be a whole number that is not negative, found a number"]),
        (r#""clock_skew_seconds": "60s""#, &["providers.p.clock_skew_seconds: must be a whole number that is not negative, found a string"]),
        (r#""max_lifetime": "3600s""#, &[]),
        (r#""max_lifetime": {"seconds": "3600"}"#, &[]),
        (r#""max_lifetime": {"seconds": 1, "nanos": 1000000000}"#, &["providers.p.max_lifetime.nanos: must be below 10^9, found 1000000000"]),
        (r#""max_lifetime": {"second": 1}"#, &["providers.p.max_lifetime: unknown field `second`; did you mean `seconds`?"]),
        (r#""max_lifetime": {"seconds": -1}"#, &["x"]),
        (r#""max_lifetime": 3600"#, &["x"]),
        (r#""max_lifetime": "1h""#, &["x"]),
        (r#""max_lifetime": "-1s""#, &["x"]),
        (r#""max_lifetime": "s""#, &["x"]),
        (r#""max_lifetime": "1.0000000001s""#, &["x"]),
        (r#""max_lifetime": """#, &["x"]),
        (r#""subjects": {"exact": "a", "prefix": "b"}"#, &["x"]),
        (r#""subjects": {}"#, &["x"]),
        (r#""subjects": {"safe_regex": {"regex": "("}}"#, &["x"]),
        (r#""subjects": {"custom": {}}"#, &["x"]),
        (r#""audiences": "api""#, &["providers.p.audiences: must be a list, found a string"]),
        (r#""required_claims": [""]"#, &["providers.p.required_claims[0]: must not be empty"]),
        (r#""token_types": [5]"#, &["providers.p.token_types[0]: must be a string, found a number"]),
        (r#""role_claims": [[]]"#, &["x"]),
        (r#""realm": """#, &["providers.p.realm: must not be empty"]),
        (r#""require_expiration": "no""#, &["providers.p.require_expiration: must be true or false, found a string"]),
    ]);
}

#[test]
fn a_remote_key_set_is_behind_an_absolute_url() {
    hold(r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "$", "cluster": "c", "timeout": "1s"}}}}}"#, &[
        ("https://a.example/jwks?x=y", &[]),
        ("http://a.example:8080/jwks", &[]),
        ("https://[::1]:8443/jwks", &[]),
        ("https://a.example", &[]),
        ("", &["providers.p.remote_jwks.http_uri.uri: must not be empty"]),
        ("a.example/jwks", &["x"]),
        ("/jwks", &["x"]),
        ("//a.example/jwks", &["x"]),
        ("ftp://a.example/jwks", &["x"]),
        ("file:///etc/jwks", &["x"]),
        ("https:///jwks", &["x"]),
        ("https://user:secret@a.example/jwks", &["x"]),
        ("https://a.example/j wks", &["x"]),
        ("https://a.example/jwks#f", &["x"]),
        ("https://a.example/\\r\\nhost: b", &["x"]),
        ("HTTPS://a.example/jwks", &[]),
    ]);
    hold(r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "https://a.example/j", "cluster": "c", $}}}}}"#, &[
        (r#""timeout": "0.001s""#, &[]),
        (r#""timeout": "300s""#, &[]),
        (r#""timeout": "0s""#, &["providers.p.remote_jwks.http_uri.timeout: must be above zero and at most 300s"]),
        (r#""timeout": "301s""#, &["providers.p.remote_jwks.http_uri.timeout: must be above zero and at most 300s"]),
        (r#""timeout": "1s", "method": "POST""#, &["x"]),
        (r#""timeout": "1s", "Cluster": "c""#, &["x"]),
    ]);
    hold(r#"{"providers": {"p": {"remote_jwks": {"http_uri": {"uri": "https://a.example/j", "cluster": "c", "timeout": "1s"}, $}}}}"#, &[
        (r#""cache_duration": "0.001s""#, &[]),
        (r#""cache_duration": "0s""#, &["providers.p.remote_jwks.cache_duration: must be at least 0.001s"]),
        (r#""async_fetch": {}"#, &[]),
        (r#""async_fetch": {"fast_listener": true, "failed_refetch_duration": "1s"}"#, &[]),
        (r#""async_fetch": {"fast_listener": 1}"#, &["x"]),
        (r#""async_fetch": {"failed_refetch_duration": "1"}"#, &["x"]),
        (r#""retry_policy": {"num_retries": 2}"#, &["x"]),
        (r#""retryPolicy": {}"#, &["x"]),
        (r#""stale_if_error": "86400s", "refetch_on_unknown_kid": false, "min_interval": "5s", "max_wait": "2s""#, &[]),
        (r#""refetch_on_unknown_kid": {"min_interval": "5s"}"#, &["x"]),
        (r#""stale_if_error": 5"#, &["x"]),
    ]);
}
