//! Faults of rules and conditions.

use super::hold;

const MATCH: &str = r#"{"rules": [{"match": {$}}]}"#;

const RULE: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"},
    "forward_payload_header": "x-payload", "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}]}},
  "rules": [{"match": {"path_template": "/t/{tenant}"}, $}]}"#;

const CONDITION: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"},
    "forward_payload_header": "x-payload", "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}]}},
  "rules": [{"match": {"path_template": "/t/{tenant}"}, "requires": {"provider_name": "p"}, "authorize": {$}}]}"#;

#[test]
fn refused_names_of_a_match_say_why() {
    hold(r#"{"rules": [{"match": {"prefix": "/", $}}]}"#, &[
        (r#""runtime_fraction": {}"#, &["x"]),
        (r#""runtimeFraction": {}"#, &["x"]),
        (r#""grpc": {}"#, &["x"]),
        (r#""tls_context": {}"#, &["x"]),
        (r#""dynamic_metadata": []"#, &["x"]),
        (r#""filter_state": []"#, &["x"]),
        (r#""cookies": []"#, &["x"]),
    ]);
}

#[test]
fn a_match_has_exactly_one_path() {
    hold(MATCH, &[
        (r#""prefix": """#, &[]),
        (r#""path": "/a""#, &[]),
        (r#""connect_matcher": {}"#, &[]),
        ("", &["x"]),
        (r#""methods": ["GET"]"#, &["x"]),
        (r#""prefix": "/", "path": "/""#, &["x"]),
        (r#""connect_matcher": {"x": 1}"#, &["rules[0].match.connect_matcher: unknown field `x`; must be empty"]),
        (r#""path_separated_prefix": "/a/b""#, &[]),
        (r#""path_separated_prefix": "/a/""#, &["x"]),
        (r#""path_separated_prefix": "/""#, &["x"]),
        (r#""path_separated_prefix": "a""#, &["x"]),
        (r#""path_separated_prefix": "/a?b""#, &["x"]),
        (r#""path_separated_prefix": "/a#b""#, &["x"]),
        (r#""safe_regex": {"regex": "/a.*"}"#, &[]),
        (r#""safe_regex": {"google_re2": {}, "regex": "/a.*"}"#, &[]),
        (r#""safe_regex": {"regex": ""}"#, &["rules[0].match.safe_regex.regex: must not be empty"]),
        (r#""safe_regex": {"regex": "(?=a)"}"#, &["x"]),
        (r#""safe_regex": {"regex": "a{1000}{1000}{1000}"}"#, &["x"]),
    ]);
}

#[test]
fn a_template_is_made_of_segments() {
    hold(r#"{"rules": [{"match": {"path_template": "$"}}]}"#, &[
        ("/", &[]),
        ("/orders/{id}/items/{item}", &[]),
        ("/files/{path=**}", &[]),
        ("/a/*/b", &[]),
        ("/a/**", &[]),
        ("/{a=*}/b", &[]),
        ("", &["rules[0].match.path_template: must not be empty"]),
        ("orders", &["x"]),
        ("/a/**/b", &["x"]),
        ("/{a}/{a}", &["x"]),
        ("/{}", &["x"]),
        ("/{a", &["x"]),
        ("/a}", &["x"]),
        ("/{a=b}", &["x"]),
        ("/{a}{b}", &["x"]),
        ("/***", &["x"]),
        ("/{a b}", &["x"]),
        ("/a?b", &["x"]),
    ]);
    hold(MATCH, &[
        (r#""path_match_policy": {"name": "envoy.path.match.uri_template.uri_template_matcher", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", "path_template": "/bar/*/foo"}}"#, &[]),
        (r#""path_match_policy": {"typed_config": {}}"#, &["x"]),
        (r#""path_match_policy": {"name": "x"}"#, &["x"]),
        (r#""path_match_policy": {"typed_config": {"path_template": "x"}}"#, &["x"]),
    ]);
}

#[test]
fn what_a_match_compares_is_well_formed() {
    hold(r#"{"rules": [{"match": {"prefix": "/", $}}]}"#, &[
        (r#""methods": ["GET", "VERSION-CONTROL"]"#, &[]),
        (r#""methods": ["GET", "post"]"#, &["rules[0].match.methods[1]: methods are in upper case, found `post`"]),
        (r#""methods": [""]"#, &["rules[0].match.methods[0]: must not be empty"]),
        (r#""hosts": ["api.example.com", "*.example.org"]"#, &[]),
        (r#""hosts": [""]"#, &["rules[0].match.hosts[0]: must not be empty"]),
        (r#""hosts": ["*"]"#, &["x"]),
        (r#""hosts": ["a.*.example"]"#, &["x"]),
        (r#""hosts": ["*example.org"]"#, &["x"]),
        (r#""headers": [{"name": ":method", "string_match": {"exact": "GET"}}]"#, &[]),
        (r#""headers": [{"name": "x y"}]"#, &["rules[0].match.headers[0].name: `x y` is no header name"]),
        (r#""headers": [{"name": ":protocol"}]"#, &["rules[0].match.headers[0].name: `:protocol` is no header name"]),
        (r#""headers": [{"name": "x", "exact_match": "a", "present_match": true}]"#, &["x"]),
        (r#""headers": [{"name": "x", "range_match": {"start": 1, "end": 10}, "invert_match": true}]"#, &[]),
        (r#""headers": [{"name": "x", "range_match": {"start": "a"}}]"#, &["x"]),
        (r#""headers": [{"name": "x", "string_match": {}}]"#, &["x"]),
        (r#""headers": [{"name": "x", "string_match": {"custom": {}}}]"#, &["x"]),
        (r#""headers": [{"name": "x", "string_match": {"prefix": ""}}]"#, &["rules[0].match.headers[0].string_match.prefix: must not be empty"]),
        (r#""headers": [{"name": "x", "safe_regex_match": {"regex": "["}}]"#, &["x"]),
        (r#""query_parameters": [{"name": "a", "string_match": {"exact": "b"}, "present_match": true}]"#, &["x"]),
        (r#""query_parameters": [{"string_match": {"exact": "b"}}]"#, &["rules[0].match.query_parameters[0].name: is required"]),
        (r#""query_parameters": [{"name": "a"}, {"name": ""}]"#, &["rules[0].match.query_parameters[1].name: must not be empty"]),
    ]);
}

#[test]
fn a_rule_asks_for_what_there_is() {
    hold(RULE, &[
        (r#""requires": {}"#, &[]),
        (r#""name": "x", "enforcement": "shadow""#, &[]),
        (r#""name": """#, &["rules[0].name: must not be empty"]),
        (r#""enforcement": "off""#, &["rules[0].enforcement: must be `enforce` or `shadow`, found `off`"]),
        (r#""requires": {"provider_name": "P"}"#, &["x"]),
        (r#""requires": {"provider_name": "p"}, "requirement_name": "x""#, &["rules[0]: must have only one of requires, requirement_name"]),
        (r#""requirement_name": "x""#, &["rules[0].requirement_name: there is no requirement `x`"]),
        (r#""requires": {"extract_only_without_validation": {}}"#, &["x"]),
        (r#""requires": {"allow_missing": {"x": 1}}"#, &["rules[0].requires.allow_missing: unknown field `x`; must be empty"]),
        (r#""requires": {"allow_missing": true}"#, &["rules[0].requires.allow_missing: must be an object, found a boolean"]),
        (r#""requires": {"requires_any": {"requirements": [{"provider_name": "p"}]}}"#, &["x"]),
        (r#""requires": {"requires_all": {"requirements": []}}"#, &["x"]),
        (r#""requires": {"requires_all": {}}"#, &["x"]),
        (r#""requires": {"requires_any": [{"provider_name": "p"}]}"#, &["x"]),
        (r#""requires": {"provider_and_audiences": {"audiences": ["a"]}}"#, &["x"]),
        (r#""requires": {"provider_and_audiences": {"provider_name": "p", "audiences": [""]}}"#, &["x"]),
        (r#""requires": {"requires_any": {"requirements": [{"allow_missing": {}}, {"provider_name": "q"}]}}"#,
            &["rules[0].requires.requires_any.requirements[1].provider_name: there is no provider `q`"]),
        (r#""authorize": {"scopes": ["a"]}"#, &["rules[0].authorize: needs `requires`: without a token there are no claims"]),
        (r#""requires": {}, "authorize": {"scopes": ["a"]}"#, &["x"]),
        (r#""deny": {"scopes": ["a"]}"#, &["rules[0].deny: needs `requires`: without a token there are no claims"]),
        (r#""authorise": {"scopes": ["a"]}"#, &["rules[0]: unknown field `authorise`; did you mean `authorize`?"]),
    ]);
    hold("{\"rules\": [$]}", &[
        ("{}", &["rules[0].match: is required"]),
        (r#"{"match": null}"#, &["rules[0].match: is required"]),
        ("5", &["rules[0]: must be an object, found a number"]),
    ]);
}

#[test]
fn a_condition_asks_for_something_that_can_be() {
    hold(CONDITION, &[
        ("", &["x"]),
        (r#""scope": ["a"]"#, &["x"]),
        (r#""scopes": ["a", ""]"#, &["rules[0].authorize.scopes[1]: must not be empty"]),
        (r#""scopes": {"any_of": []}"#, &["rules[0].authorize.scopes: must name at least one"]),
        (r#""scopes": {"any_of": ["a"], "all_of": ["b"]}"#, &["x"]),
        (r#""scopes": {"none_of": ["a"]}"#, &["x"]),
        (r#""scopes": "a""#, &["x"]),
        (r#""scopes": ["a b"]"#, &["x"]),
        (r#""roles": []"#, &["rules[0].authorize.roles: must name at least one"]),
        (r#""permissions": ["a:b"]"#, &["rules[0].authorize.permissions: needs the top-level `roles`, which say what a role may do"]),
        (r#""acr": {}"#, &["rules[0].authorize.acr: must have any_of, max_age or both"]),
        (r#""acr": {"max_age": 300}"#, &["x"]),
        (r#""acr": {"any_of": [""]}"#, &["rules[0].authorize.acr.any_of[0]: must not be empty"]),
        (r#""token_type": []"#, &["x"]),
        (r#""token_type": "at+jwt""#, &["rules[0].authorize.token_type: must be a list, found a string"]),
        (r#""all_of": []"#, &["rules[0].authorize.all_of: must have at least one condition"]),
        (r#""any_of": []"#, &["rules[0].authorize.any_of: must have at least one condition"]),
        (r#""any_of": [{"scopes": ["a"]}, {"roles": []}]"#, &["rules[0].authorize.any_of[1].roles: must name at least one"]),
        (r#""not": []"#, &["rules[0].authorize.not: must be an object, found a list"]),
        (r#""not": {"not": {"scopes": []}}"#, &["rules[0].authorize.not.not.scopes: must name at least one"]),
    ]);
}

#[test]
fn a_claim_is_asked_one_thing() {
    hold(&CONDITION.replace("{$}", r#"{"claim": {$}}"#), &[
        (r#""path": "a", "equals": 1.5"#, &[]),
        (r#""path": ["a", "b"], "present": false"#, &[]),
        (r#""path": "a", "at_least": 1, "at_most": 2"#, &[]),
        (r#""equals": 1"#, &["rules[0].authorize.claim.path: is required"]),
        (r#""path": "", "equals": 1"#, &["rules[0].authorize.claim.path: must not be empty"]),
        (r#""path": [], "equals": 1"#, &["x"]),
        (r#""path": ["a", ""], "equals": 1"#, &["rules[0].authorize.claim.path[1]: must not be empty"]),
        (r#""path": 5, "equals": 1"#, &["x"]),
        (r#""path": "a""#, &["x"]),
        (r#""path": "a", "equals": 1, "present": true"#, &["x"]),
        (r#""path": "a", "prefix": "x", "suffix": "y""#, &["x"]),
        (r#""path": "a", "equals": null"#, &["x"]),
        (r#""path": "a", "equals": [1]"#, &["x"]),
        (r#""path": "a", "any_of": []"#, &["x"]),
        (r#""path": "a", "all_of": []"#, &["x"]),
        (r#""path": "a", "none_of": []"#, &["x"]),
        (r#""path": "a", "any_of": "x""#, &["rules[0].authorize.claim.any_of: must be a list, found a string"]),
        (r#""path": "a", "contains": """#, &["rules[0].authorize.claim.contains: must not be empty"]),
        (r#""path": "a", "safe_regex": "(""#, &["x"]),
        (r#""path": "a", "at_least": 1.5"#, &["x"]),
        (r#""path": "a", "at_least": 5, "at_most": 4"#, &["x"]),
        (r#""path": "a", "present": "yes""#, &["rules[0].authorize.claim.present: must be true or false, found a string"]),
        (r#""path": "a", "equals_variable": "tenant""#, &[]),
        (r#""path": "a", "equals_variable": "id""#, &["rules[0].authorize.claim.equals_variable: the rule's path_template has no variable `id`"]),
        (r#""path": "a", "equals_header": "x-tenant""#, &[]),
        (r#""path": "a", "equals_header": "x tenant""#, &["rules[0].authorize.claim.equals_header: `x tenant` is no header name"]),
        (r#""path": "a", "equals_header": "X-Payload""#, &["rules[0].authorize.claim.equals_header: `x-payload` is written by the gate; compare with another header"]),
        (r#""path": "a", "equals_header": "x-user""#, &["rules[0].authorize.claim.equals_header: `x-user` is written by the gate; compare with another header"]),
        (r#""path": "a", "equals_header": "x_user""#, &["x"]),
    ]);
    hold(
        r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"}}}, "rules": [{"match": {"prefix": "/"},
            "requires": {"provider_name": "p"}, "authorize": {"claim": {"path": "a", $}}}]}"#,
        &[(r#""equals_variable": "id""#, &["rules[0].authorize.claim.equals_variable: the rule's path_template has no variable `id`"])],
    );
}
