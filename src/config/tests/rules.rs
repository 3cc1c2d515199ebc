//! Faults of rules and conditions.

use super::hold;
use crate::policy::Policy;

const MATCH: &str = r#"{"rules": [{"match": {$}}]}"#;

const RULE: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"},
    "forward_payload_header": "x-payload", "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}]}},
  "rules": [{"match": {"path_template": "/t/{tenant}"}, $}]}"#;

const CONDITION: &str = r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"},
    "forward_payload_header": "x-payload", "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}]}},
  "rules": [{"match": {"path_template": "/t/{tenant}"}, "requires": {"provider_name": "p"}, "authorize": {$}}]}"#;

#[test]
fn refused_names_of_a_match_say_why() {
    hold(
        r#"{"rules": [{"match": {"prefix": "/", $}}]}"#,
        r##"
"runtime_fraction": {}
    rules[0].match.runtime_fraction: the native filter ignores it; leave it out, or use `enforcement`
"runtimeFraction": {}
    rules[0].match.runtime_fraction: the native filter ignores it; leave it out, or use `enforcement`
"grpc": {}
    rules[0].match.grpc: the native filter ignores it; match the `content-type` header instead
"tls_context": {}
    rules[0].match.tls_context: the native filter ignores it; leave it out
"dynamic_metadata": []
    rules[0].match.dynamic_metadata: a module cannot read it while it matches; leave it out
"filter_state": []
    rules[0].match.filter_state: a module cannot match on it; leave it out
"cookies": []
    rules[0].match.cookies: the native filter ignores it; leave it out
"##,
    );
}

#[test]
fn a_match_has_exactly_one_path() {
    hold(
        MATCH,
        r##"
"prefix": ""
"path": "/a"
"connect_matcher": {}
(nothing)
    rules[0].match: must have exactly one of prefix, path, safe_regex, path_separated_prefix, path_template, path_match_policy, connect_matcher, found 0
"methods": ["GET"]
    rules[0].match: must have exactly one of prefix, path, safe_regex, path_separated_prefix, path_template, path_match_policy, connect_matcher, found 0
"prefix": "/", "path": "/"
    rules[0].match: must have exactly one of prefix, path, safe_regex, path_separated_prefix, path_template, path_match_policy, connect_matcher, found 2
"connect_matcher": {"x": 1}
    rules[0].match.connect_matcher: unknown field `x`; must be empty
"path_separated_prefix": "/a/b"
"path_separated_prefix": "/a/"
    rules[0].match.path_separated_prefix: must begin with `/` and not end with it; found `/a/`
"path_separated_prefix": "/"
    rules[0].match.path_separated_prefix: must begin with `/` and not end with it; found `/`
"path_separated_prefix": "a"
    rules[0].match.path_separated_prefix: must begin with `/` and not end with it; found `a`
"path_separated_prefix": "/a?b"
    rules[0].match.path_separated_prefix: must be a plain path: no `%`, `\`, `;`, `?`, `#`, `//`, `.` or `..` segment; found `/a?b`
"path_separated_prefix": "/a#b"
    rules[0].match.path_separated_prefix: must be a plain path: no `%`, `\`, `;`, `?`, `#`, `//`, `.` or `..` segment; found `/a#b`
"safe_regex": {"regex": "/a.*"}
"safe_regex": {"google_re2": {}, "regex": "/a.*"}
"safe_regex": {"regex": ""}
    rules[0].match.safe_regex.regex: must not be empty
"safe_regex": {"regex": "(?=a)"}
    rules[0].match.safe_regex: is no regular expression: look-around is not supported
"safe_regex": {"regex": "a{1000}{1000}{1000}"}
    rules[0].match.safe_regex: is no regular expression: compiled regex exceeded size limit
"##,
    );
}

#[test]
fn a_template_is_made_of_segments() {
    hold(
        r#"{"rules": [{"match": {"path_template": "$"}}]}"#,
        r##"
/
/orders/{id}/items/{item}
/files/{path=**}
/a/*/b
/a/**
/{a=*}/b
(nothing)
    rules[0].match.path_template: must not be empty
orders
    rules[0].match.path_template: must begin with `/`, found `orders`
/a/**/b
/{v=a/*/b}/c
/{a=b}
/a{b}.c/*
/a/**/*
    rules[0].match.path_template: only text can follow `**`, which takes the rest
/a{b=x/*}
    rules[0].match.path_template: the variable `b` stands for whole segments, each of them text, `*` or `**`
/{a}/{a}
    rules[0].match.path_template: has the variable `a` twice
/{}
    rules[0].match.path_template: a variable's name is letters, digits and `_`, found ``
/{a
    rules[0].match.path_template: `{a` has no `}`
/a}
    rules[0].match.path_template: has a `}` without its `{`
/{a=}
    rules[0].match.path_template: the variable `a` stands for nothing
/{a}{b}
    rules[0].match.path_template: has two wildcards in one segment
/***
    rules[0].match.path_template: only text can follow `**`, which takes the rest
/{a b}
    rules[0].match.path_template: a variable's name is letters, digits and `_`, found `a b`
"##,
    );
    hold(
        MATCH,
        r##"
"path_match_policy": {"name": "envoy.path.match.uri_template.uri_template_matcher", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", "path_template": "/bar/*/foo"}}
"path_match_policy": {"name": "x", "typed_config": {"@type": "type.googleapis.com/some.Other", "path_template": "/a"}}
    rules[0].match.path_match_policy.typed_config.@type: must be type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig
"path_match_policy": {"name": "x", "typed_config": {"path_template": "/a%20b"}}
    rules[0].match.path_match_policy.typed_config.path_template: must be a plain path: no `%`, `\`, `;`, `?`, `#`, `//`, `.` or `..` segment; found `/a%20b`
"path_match_policy": {"typed_config": {}}
    rules[0].match.path_match_policy.name: is required
    rules[0].match.path_match_policy.typed_config.path_template: is required
"path_match_policy": {"name": "x"}
    rules[0].match.path_match_policy.typed_config: is required
"path_match_policy": {"typed_config": {"path_template": "x"}}
    rules[0].match.path_match_policy.name: is required
    rules[0].match.path_match_policy.typed_config.path_template: must begin with `/`, found `x`
"##,
    );
}

#[test]
fn what_a_match_compares_is_well_formed() {
    hold(
        r#"{"rules": [{"match": {"prefix": "/", $}}]}"#,
        r##"
"methods": ["GET", "VERSION-CONTROL"]
"methods": ["GET", "post"]
    rules[0].match.methods[1]: methods are in upper case, found `post`
"methods": [""]
    rules[0].match.methods[0]: must not be empty
"hosts": ["api.example.com", "*.example.org"]
"hosts": [""]
    rules[0].match.hosts[0]: must not be empty
"headers": [{"name": ":method", "string_match": {"exact": "GET"}}]
"headers": [{"name": "x y"}]
    rules[0].match.headers[0].name: `x y` is no header name
"headers": [{"name": ":protocol"}]
    rules[0].match.headers[0].name: `:protocol` is no header name
"headers": [{"name": "x", "exact_match": "a", "present_match": true}]
    rules[0].match.headers[0]: must have exactly one of the matchers, found 2
"headers": [{"name": "x", "range_match": {"start": 1, "end": 10}, "invert_match": true}]
"headers": [{"name": "x", "range_match": {"start": "a"}}]
    rules[0].match.headers[0].range_match.start: must be a whole number, found a string
"headers": [{"name": "x", "string_match": {}}]
    rules[0].match.headers[0].string_match: must have exactly one of exact, prefix, suffix, contains, safe_regex, found 0
"headers": [{"name": "x", "string_match": {"custom": {}}}]
    rules[0].match.headers[0].string_match.custom: extensions of the proxy are out of a module's reach
"headers": [{"name": "x", "string_match": {"prefix": ""}}]
    rules[0].match.headers[0].string_match.prefix: must not be empty
"headers": [{"name": "x", "safe_regex_match": {"regex": "["}}]
    rules[0].match.headers[0].safe_regex_match: is no regular expression: found unclosed character class
"query_parameters": [{"name": "a", "string_match": {"exact": "b"}, "present_match": true}]
    rules[0].match.query_parameters[0]: must have only one of string_match, present_match
"query_parameters": [{"string_match": {"exact": "b"}}]
    rules[0].match.query_parameters[0].name: is required
"query_parameters": [{"name": "a"}, {"name": ""}]
    rules[0].match.query_parameters[1].name: must not be empty
"##,
    );
}

#[test]
fn a_rule_asks_for_what_there_is() {
    hold(
        RULE,
        r##"
"requires": {}
"name": "x", "enforcement": "shadow"
"name": ""
    rules[0].name: must not be empty
"enforcement": "off"
    rules[0].enforcement: must be `enforce` or `shadow`, found `off`
"requires": {"provider_name": "P"}
    rules[0].requires.provider_name: there is no provider `P`
"requires": {"provider_name": "p"}, "requirement_name": "x"
    rules[0]: must have only one of requires, requirement_name
"requirement_name": "x"
    rules[0].requirement_name: there is no requirement `x`
"requires": {"extract_only_without_validation": {}}
"requires": {"extract_only_without_validation": {"verification_status_header": "X-Verified"}}
"requires": {"extract_only_without_validation": {"verification_status_header": ""}}
"requires": {"extract_only_without_validation": {"verification_status_header": "host"}}
    rules[0].requires.extract_only_without_validation.verification_status_header: `host` has a meaning of its own and cannot be written
"requires": {"extract_only_without_validation": {"verification_status_header": "authorization"}}
    rules[0].requires.extract_only_without_validation.verification_status_header: header `authorization` is already read or written
"requires": {"allow_missing": {"x": 1}}
    rules[0].requires.allow_missing: unknown field `x`; must be empty
"requires": {"allow_missing": true}
    rules[0].requires.allow_missing: must be an object, found a boolean
"requires": {"requires_any": {"requirements": [{"provider_name": "p"}]}}
    rules[0].requires.requires_any.requirements: must have at least two, found 1
"requires": {"requires_all": {"requirements": []}}
    rules[0].requires.requires_all.requirements: must have at least two, found 0
"requires": {"requires_all": {}}
    rules[0].requires.requires_all.requirements: must have at least two, found 0
"requires": {"requires_any": [{"provider_name": "p"}]}
    rules[0].requires.requires_any: must be an object, found a list
"requires": {"provider_and_audiences": {"audiences": ["a"]}}
    rules[0].requires.provider_and_audiences.provider_name: is required
"requires": {"provider_and_audiences": {"provider_name": "p", "audiences": [""]}}
    rules[0].requires.provider_and_audiences.audiences[0]: must not be empty
"authorize": {"scopes": ["a"]}
    rules[0].authorize: needs `requires`: without a token there are no claims
"deny": {"scopes": ["a"]}
    rules[0].deny: needs `requires`: without a token there are no claims
"authorise": {"scopes": ["a"]}
    rules[0]: unknown field `authorise`; did you mean `authorize`?
"##,
    );
    hold(
        "{\"rules\": [$]}",
        r##"
{}
    rules[0].match: is required
{"match": null}
    rules[0].match: is required
5
    rules[0]: must be an object, found a number
"##,
    );
}

#[test]
fn a_condition_asks_for_something_that_can_be() {
    hold(
        CONDITION,
        r##"
(nothing)
    rules[0].authorize: must have exactly one of scopes, roles, permissions, claim, acr, token_type, all_of, any_of, not, found 0
"scope": ["a"]
    rules[0].authorize: unknown field `scope`; did you mean `scopes`?
    rules[0].authorize: must have exactly one of scopes, roles, permissions, claim, acr, token_type, all_of, any_of, not, found 0
"scopes": ["a", ""]
    rules[0].authorize.scopes[1]: must not be empty
"scopes": {"any_of": []}
    rules[0].authorize.scopes: must name at least one
"scopes": {"any_of": ["a"], "all_of": ["b"]}
    rules[0].authorize.scopes: must have exactly one of all_of, any_of, found 2
"scopes": {"none_of": ["a"]}
    rules[0].authorize.scopes: unknown field `none_of`; expected one of: all_of, any_of
    rules[0].authorize.scopes: must have exactly one of all_of, any_of, found 0
"scopes": "a"
    rules[0].authorize.scopes: must be a list, or an object with `all_of` or `any_of`, found a string
"roles": []
    rules[0].authorize.roles: must name at least one
"permissions": ["a:b"]
    rules[0].authorize.permissions: needs the top-level `roles`, which say what a role may do
"acr": {}
    rules[0].authorize.acr: must have any_of, max_age or both
"acr": {"max_age": 300}
    rules[0].authorize.acr.max_age: must be a duration such as "5s", found a number
"acr": {"any_of": [""]}
    rules[0].authorize.acr.any_of[0]: must not be empty
"token_type": "at+jwt"
"all_of": []
    rules[0].authorize.all_of: must have at least one condition
"any_of": []
    rules[0].authorize.any_of: must have at least one condition
"any_of": [{"scopes": ["a"]}, {"roles": []}]
    rules[0].authorize.any_of[1].roles: must name at least one
"not": []
    rules[0].authorize.not: must be an object, found a list
"not": {"not": {"scopes": []}}
    rules[0].authorize.not.not.scopes: must name at least one
"##,
    );
}

#[test]
fn a_claim_is_asked_one_thing() {
    hold(
        &CONDITION.replace("{$}", r#"{"claim": {$}}"#),
        r##"
"path": "a", "equals": 1.5
"path": ["a", "b"], "present": false
"path": "a", "at_least": 1, "at_most": 2
"equals": 1
    rules[0].authorize.claim.path: is required
"path": "", "equals": 1
    rules[0].authorize.claim.path: must not be empty
"path": [], "equals": 1
    rules[0].authorize.claim.path: must be a claim name or a list of steps, found a list
"path": ["a", ""], "equals": 1
    rules[0].authorize.claim.path[1]: must not be empty
"path": 5, "equals": 1
    rules[0].authorize.claim.path: must be a claim name or a list of steps, found a number
"path": "a"
    rules[0].authorize.claim: must have exactly one of equals, any_of, all_of, none_of, prefix, suffix, contains, safe_regex, present, at_least and at_most, equals_variable, equals_header, found 0
"path": "a", "equals": 1, "present": true
    rules[0].authorize.claim: must have exactly one of equals, any_of, all_of, none_of, prefix, suffix, contains, safe_regex, present, at_least and at_most, equals_variable, equals_header, found 2
"path": "a", "prefix": "x", "suffix": "y"
    rules[0].authorize.claim: must have exactly one of exact, prefix, suffix, contains, safe_regex, found 2
"path": "a", "equals": null
    rules[0].authorize.claim: must have exactly one of equals, any_of, all_of, none_of, prefix, suffix, contains, safe_regex, present, at_least and at_most, equals_variable, equals_header, found 0
"path": "a", "equals": [1]
    rules[0].authorize.claim.equals: must be a string, number or boolean, found a list
"path": "a", "any_of": []
    rules[0].authorize.claim: must name at least one value
"path": "a", "all_of": []
    rules[0].authorize.claim: must name at least one value
"path": "a", "none_of": []
    rules[0].authorize.claim: must name at least one value
"path": "a", "any_of": "x"
"path": "a", "contains": ""
    rules[0].authorize.claim.contains: must not be empty
"path": "a", "safe_regex": "("
    rules[0].authorize.claim.safe_regex: is no regular expression: found open group without closing ')'
"path": "a", "at_least": 1.5
    rules[0].authorize.claim.at_least: must be a whole number, found a number
"path": "a", "present": "yes"
    rules[0].authorize.claim.present: must be true or false, found a string
"path": "a", "equals_variable": "tenant"
"path": "a", "equals_variable": "id"
    rules[0].authorize.claim.equals_variable: the rule's path_template has no variable `id`
"path": "a", "equals_header": "x-tenant"
"path": "a", "equals_header": "x tenant"
    rules[0].authorize.claim.equals_header: `x tenant` is no header name
"path": "a", "equals_header": "X-Payload"
    rules[0].authorize.claim.equals_header: `x-payload` is written by the gate; compare with another header
"path": "a", "equals_header": "x-user"
    rules[0].authorize.claim.equals_header: `x-user` is written by the gate; compare with another header
"##,
    );
    hold(
        r#"{"providers": {"p": {"local_jwks": {"inline_string": "$JWKS"}}}, "rules": [{"match": {"prefix": "/"},
            "requires": {"provider_name": "p"}, "authorize": {"claim": {"path": "a", $}}}]}"#,
        r##"
"equals_variable": "id"
    rules[0].authorize.claim.equals_variable: the rule's path_template has no variable `id`
"##,
    );
}

#[test]
fn rules_for_a_domain_that_can_never_match_are_warned_of_by_name() {
    let document = r#"{"rules": [{"match": {"prefix": "/a"}}, {"match": {"prefix": "/a/b"}}],
        "_rules_": [{"_match_domain_": ["*"], "rules": [{"match": {"prefix": "/c"}}]}]}"#;
    let policy = Policy::from_json(document.as_bytes()).unwrap();
    let warned = ["rules[0]", "rules[1]"]
        .map(|at| format!("{at}: never matches, because rule `_rules_[0]` takes all its requests"));
    let warnings: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, warned);
    assert_eq!(policy.summary(), "0 providers, 3 rules");
}
