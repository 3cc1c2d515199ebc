//! Faults, each with its place; and what is no fault.
//!
//! `tests/scenarios/config_faults.toml` has those that a user meets first.

mod discovery;
mod native;
mod providers;
mod rules;

use crate::config::ConfigError;
use crate::policy::Policy;

/// A key set (RFC 8037, appendix A.2), as it stands inside a JSON string.
const JWKS: &str = r#"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"#;

fn faults(document: &str) -> Vec<String> {
    match Policy::from_json(document.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(faults) => {
            let line =
                |fault: &ConfigError| fault.to_string().replace('\r', r"\r").replace('\n', r"\n");
            faults.iter().map(line).collect()
        }
    }
}

/// Holds each row of `table`, put where `frame` has `$`, against the faults that stand below it,
/// indented; none where it is taken.
fn hold(frame: &str, table: &str) {
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        match (line.strip_prefix("    "), rows.last_mut()) {
            (Some(fault), Some((_, faults))) => faults.push(fault),
            (None, _) if line == "(nothing)" => rows.push(("", Vec::new())),
            (Some(_), None) | (None, _) => rows.push((line, Vec::new())),
        }
    }
    let mut wrong = Vec::new();
    for (text, expected) in rows {
        // `$JWKS` stands in frames and in texts.
        let document = frame.replace("$JWKS", JWKS).replace('$', &text.replace("$JWKS", JWKS));
        let came = faults(&document);
        if came != expected {
            wrong.push(format!("{text}\n  expected {expected:#?}\n  came {came:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn yaml_in_place_of_text_is_told_where_it_can_be_written() {
    for yaml in
        ["providers:\n  p: {}\n", "\n# a policy\nproviders: {}", "---\nrules: []", "rules: []"]
    {
        assert_eq!(faults(yaml), [super::YAML], "{yaml:?}");
    }
}

#[test]
fn a_document_is_one_json_object() {
    hold(
        "$",
        r##"
{}
{"providers": {}, "rules": []}
(nothing)
    the configuration: the document ends too early at line 1, column 0
{
    the configuration: the document ends too early at line 1, column 1
{} {}
    the configuration: not valid JSON at line 1, column 4
[]
    must be an object, found a list
null
    must be an object, found null
"{}"
    must be an object, found a string
{"rules": [], "rules": []}
    the configuration: a member is there twice at line 1, column 21
{"rules": [],}
    the configuration: not valid JSON at line 1, column 14
{"rules": null}
{"rules": {}}
    rules[0].match: is required
{"rules": 5}
    rules[0]: must be an object, found a number
{"providers": []}
    providers: must be an object, found a list
"##,
    );
}

#[test]
fn what_the_native_filter_has_and_a_module_cannot_do_is_refused_by_name() {
    hold(
        "{$}",
        r##"
"filter_state_rules": {"name": "x"}
    filter_state_rules: a module cannot choose rules by filter state; match on a header or a path instead
"filterStateRules": {"name": "x"}
    filter_state_rules: a module cannot choose rules by filter state; match on a header or a path instead
"##,
    );
}

#[test]
fn a_document_may_name_its_message_and_no_other() {
    hold(
        "{$}",
        r##"
"@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", "rules": []
"@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
    @type: must be type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
"@type": 1
    @type: must be type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
"##,
    );
}

#[test]
fn settings_of_the_top_level_are_read_strictly() {
    hold(
        "{$}",
        r##"
"stat_prefix": "edge."
"stat_prefix": "edge_1.a-b"
"stat_prefix": ""
"stat_prefix": "a b"
    stat_prefix: must be letters, digits, `_`, `-` and `.`, found `a b`
"default_action": "allow"
"default_action": "deny"
"default_action": "ALLOW"
    default_action: must be `deny` or `allow`, found `ALLOW`
"default_action": true
    default_action: must be a string, found a boolean
"host": "envoy"
"host": "nginx"
"host": "bare"
"host": "apache"
    host: must be `envoy` or `nginx` or `bare`, found `apache`
"bypass_cors_preflight": 1
    bypass_cors_preflight: must be true or false, found a number
"strip_failure_response": "true"
"strip_failure_response": "yes"
    strip_failure_response: must be true or false, found a string
"##,
    );
}

#[test]
fn limits_have_a_range() {
    hold(
        r#"{"limits": {$}}"#,
        r##"
"max_token_bytes": 1
"max_token_bytes": 1048576
"max_token_bytes": 0
    limits.max_token_bytes: must be from 1 to 1048576, found 0
"max_token_bytes": 1048577
    limits.max_token_bytes: must be from 1 to 1048576, found 1048577
"max_token_bytes": -1
    limits.max_token_bytes: must be a whole number that is not negative, found a number
"max_token_bytes": 1.5
    limits.max_token_bytes: must be a whole number that is not negative, found a number
"max_token_bytes": 4294967296
    limits.max_token_bytes: must be at most 4294967295, found 4294967296
"maxTokenBytes": "4096"
"max_depth": 100
"max_depth": 0
    limits.max_depth: must be from 1 to 100, found 0
"max_depth": 101
    limits.max_depth: must be from 1 to 100, found 101
"max_keys": 10000
"max_keys": 0
    limits.max_keys: must be from 1 to 10000, found 0
"max_keys": 10001
    limits.max_keys: must be from 1 to 10000, found 10001
"max_keys_tried": 100
"max_keys_tried": 0
    limits.max_keys_tried: must be from 1 to 100, found 0
"max_keys_tried": 101
    limits.max_keys_tried: must be from 1 to 100, found 101
"max_jwks_bytes": 16777216
"max_jwks_bytes": 0
    limits.max_jwks_bytes: must be from 1 to 16777216, found 0
"max_jwks_bytes": 16777217
    limits.max_jwks_bytes: must be from 1 to 16777216, found 16777217
"max_held_requests": 1
"max_held_requests": 1000000
"max_held_requests": 1000001
    limits.max_held_requests: must be from 1 to 1000000, found 1000001
"max_token_byte": 1
    limits: unknown field `max_token_byte`; did you mean `max_token_bytes`?
"##,
    );
}

#[test]
fn role_tables_are_closed_and_without_cycles() {
    hold(
        r#"{"roles": {$}}"#,
        r##"
"a": {"permissions": ["orders:read", "orders:*", "*:read", "*"]}
"a": {"inherits": ["a"]}
    roles.a.inherits: inherits from itself: a -> a
"a": {"inherits": ["b"]}, "b": {"inherits": ["c"]}, "c": {"inherits": ["a"]}
    roles.a.inherits: inherits from itself: a -> b -> c -> a
"a": {"inherits": ["b"]}, "bb": {}
    roles.a.inherits[0]: there is no role `b`
"a": {"inherits": "b"}, "b": {}
"a": {"permission": []}
    roles.a: unknown field `permission`; did you mean `permissions`?
"a": {"permissions": [5]}
    roles.a.permissions[0]: must be a string, found a number
"a": {"inherits": ["b", "c"]}, "b": {"inherits": ["d"]}, "c": {"inherits": ["d"]}, "d": {}
"##,
    );
}
