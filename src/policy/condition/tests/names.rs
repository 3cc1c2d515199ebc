//! Scopes, roles, permissions, and how the user signed in.

use serde_json::json;

use super::super::Truth::{False, True, Undecided};
use super::{Caller, World};

#[test]
fn scopes_are_words_of_a_string_or_elements_of_a_list() {
    World::new().hold(&[
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "read"}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "write read"}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": " write  read "}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": ["write", "read"]}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scp": "read"}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scp": ["read"]}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "write", "scp": ["read"]}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "reader"}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "orders:read"}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "Read"}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": ""}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": []}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "read,write"}"#, False),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "read\twrite"}"#, False),
        (r#"{"scopes": ["read"]}"#, "{}", Undecided),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": 1}"#, Undecided),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": null}"#, Undecided),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": {"read": true}}"#, Undecided),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": ["read", 1]}"#, Undecided),
        (r#"{"scopes": ["a", "b"]}"#, r#"{"scope": "b a"}"#, True),
        (r#"{"scopes": ["a", "b"]}"#, r#"{"scope": "a"}"#, False),
        (r#"{"scopes": {"all_of": ["a", "b"]}}"#, r#"{"scope": "a"}"#, False),
        (r#"{"scopes": {"all_of": ["a", "b"]}}"#, r#"{"scope": "a b c"}"#, True),
        (r#"{"scopes": {"any_of": ["a", "b"]}}"#, r#"{"scope": "b"}"#, True),
        (r#"{"scopes": {"any_of": ["a", "b"]}}"#, r#"{"scope": "c"}"#, False),
        (r#"{"scopes": {"any_of": ["a", "b"]}}"#, "{}", Undecided),
    ]);
    World::with(json!({ "scope_claims": ["rights", ["x.y", "z"]] })).hold(&[
        (r#"{"scopes": ["read"]}"#, r#"{"rights": "read"}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"x.y": {"z": ["read"]}}"#, True),
        (r#"{"scopes": ["read"]}"#, r#"{"scope": "read"}"#, Undecided),
        (r#"{"scopes": ["read"]}"#, r#"{"x": {"y": {"z": "read"}}}"#, Undecided),
    ]);
}

#[test]
fn roles_are_elements_and_a_string_is_one_role() {
    World::new().hold(&[
        (r#"{"roles": ["admin"]}"#, r#"{"roles": ["admin"]}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": "admin"}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"groups": ["x", "admin"]}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"realm_access": {"roles": ["admin"]}}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": ["x"], "groups": ["admin"]}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": "user admin"}"#, False),
        (r#"{"roles": ["user admin"]}"#, r#"{"roles": "user admin"}"#, True),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": ["administrator", "Admin", "admin "]}"#, False),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": []}"#, False),
        (
            r#"{"roles": ["admin"]}"#,
            r#"{"resource_access": {"a": {"roles": ["admin"]}}}"#,
            Undecided,
        ),
        (r#"{"roles": ["admin"]}"#, r#"{"realm_access": {}}"#, Undecided),
        (r#"{"roles": ["admin"]}"#, r#"{"realm_access": "admin"}"#, Undecided),
        (r#"{"roles": ["admin"]}"#, "{}", Undecided),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": {"admin": 1}}"#, Undecided),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": ["admin", null]}"#, Undecided),
        (r#"{"roles": ["admin"]}"#, r#"{"roles": true}"#, Undecided),
        (r#"{"roles": {"any_of": ["a", "b"]}}"#, r#"{"roles": ["b"]}"#, True),
        (r#"{"roles": {"any_of": ["a", "b"]}}"#, r#"{"roles": ["c"]}"#, False),
        (r#"{"roles": {"all_of": ["a", "b"]}}"#, r#"{"roles": ["b"], "groups": ["a"]}"#, True),
        (r#"{"roles": {"all_of": ["a", "b"]}}"#, r#"{"roles": ["b"]}"#, False),
        (r#"{"roles": ["a", "b"]}"#, r#"{"roles": ["b"]}"#, False),
    ]);
    World::with(json!({ "role_claims": ["resource_access.api.roles"] })).hold(&[
        (r#"{"roles": ["r"]}"#, r#"{"resource_access": {"api": {"roles": ["r"]}}}"#, True),
        (r#"{"roles": ["r"]}"#, r#"{"resource_access": {"other": {"roles": ["r"]}}}"#, Undecided),
        (r#"{"roles": ["r"]}"#, r#"{"roles": ["r"]}"#, Undecided),
    ]);
}

#[test]
fn permissions_are_what_roles_and_scopes_grant() {
    World::new().hold(&[
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": ["clerk"]}"#, True),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"scope": "x clerk"}"#, True),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": "admin"}"#, True),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": ["root"]}"#, True),
        (r#"{"permissions": ["a:b:c"]}"#, r#"{"roles": ["root"]}"#, True),
        (r#"{"permissions": ["items:anything"]}"#, r#"{"roles": ["clerk"]}"#, True),
        (r#"{"permissions": ["items:a:b"]}"#, r#"{"roles": ["clerk"]}"#, False),
        (r#"{"permissions": ["items"]}"#, r#"{"roles": ["clerk"]}"#, False),
        (r#"{"permissions": ["orders:write"]}"#, r#"{"roles": ["clerk"]}"#, False),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": ["nobody", "stranger"]}"#, False),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": ["orders:read"]}"#, False),
        (r#"{"permissions": ["orders:read"]}"#, r#"{"roles": []}"#, False),
        (r#"{"permissions": ["orders:read"]}"#, "{}", Undecided),
        (r#"{"permissions": ["orders:read", "users:write"]}"#, r#"{"roles": "clerk"}"#, False),
        (r#"{"permissions": ["orders:read", "users:write"]}"#, r#"{"roles": "admin"}"#, True),
        (
            r#"{"permissions": {"any_of": ["orders:read", "users:write"]}}"#,
            r#"{"roles": "clerk"}"#,
            True,
        ),
        (r#"{"permissions": {"any_of": ["x:y", "users:write"]}}"#, r#"{"roles": "clerk"}"#, False),
    ]);
}

#[test]
fn a_sign_in_is_strong_and_fresh_enough() {
    World::new().hold(&[
        (r#"{"acr": {"any_of": ["gold"]}}"#, r#"{"acr": "gold"}"#, True),
        (r#"{"acr": {"any_of": ["silver", "gold"]}}"#, r#"{"acr": "gold"}"#, True),
        (r#"{"acr": {"any_of": ["gold"]}}"#, r#"{"acr": "silver"}"#, False),
        (r#"{"acr": {"any_of": ["gold"]}}"#, r#"{"acr": "gold silver"}"#, False),
        (r#"{"acr": {"any_of": ["gold"]}}"#, r#"{"acr": 1}"#, Undecided),
        (r#"{"acr": {"any_of": ["gold"]}}"#, "{}", Undecided),
        (r#"{"acr": {"max_age": "300s"}}"#, r#"{"auth_time": 1799999700}"#, True),
        (r#"{"acr": {"max_age": "300s"}}"#, r#"{"auth_time": 1799999699}"#, False),
        (r#"{"acr": {"max_age": "300s"}}"#, r#"{"auth_time": "1799999999"}"#, Undecided),
        (r#"{"acr": {"max_age": "300s"}}"#, "{}", Undecided),
        (
            r#"{"acr": {"any_of": ["gold"], "max_age": "300s"}}"#,
            r#"{"acr": "gold", "auth_time": 1799999999}"#,
            True,
        ),
        (
            r#"{"acr": {"any_of": ["gold"], "max_age": "300s"}}"#,
            r#"{"acr": "gold", "auth_time": 1}"#,
            False,
        ),
        (
            r#"{"acr": {"any_of": ["gold"], "max_age": "300s"}}"#,
            r#"{"acr": "tin", "auth_time": 1799999999}"#,
            False,
        ),
        (r#"{"acr": {"any_of": ["gold"], "max_age": "300s"}}"#, r#"{"acr": "gold"}"#, Undecided),
    ]);
}

#[test]
fn a_token_type_is_compared_as_a_media_type() {
    let world = World::new();
    let rows = [
        (r#"{"typ": "at+jwt"}"#, True),
        (r#"{"typ": "application/at+jwt"}"#, True),
        (r#"{"typ": "AT+JWT"}"#, True),
        (r#"{"typ": "Application/At+Jwt"}"#, True),
        (r#"{"typ": "JWT"}"#, False),
        (r#"{"typ": "text/at+jwt"}"#, False),
        (r#"{"typ": "at+jwt "}"#, False),
        ("", Undecided),
    ];
    for (header, expected) in rows {
        for wanted in [r#"["at+jwt"]"#, r#"["application/at+jwt"]"#, r#"["x", "at+jwt"]"#] {
            let condition = format!(r#"{{"token_type": {wanted}}}"#);
            let caller = Caller { claims: "{}", header, ..Caller::default() };
            world.hold_one(&condition, caller, expected);
        }
    }
}
