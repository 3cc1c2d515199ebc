use super::*;

const POLICY: &str = r#"{
  "providers": { "p": { "issuer": "https://idp.example", "roleClaims": ["roles", ["https://x/r"]],
    "local_jwks": { "inline_string": "KEYS" } } },
  "roles": { "clerk": { "permissions": ["orders:read"] }, "chief": { "inherits": ["clerk"] } },
  "requirement_map": { "in": { "provider_name": "p" } },
  "rules": [
    { "name": "a", "match": { "prefix": "/a", "methods": ["GET"] }, "requirement_name": "in",
      "authorize": { "all_of": [ { "permissions": ["orders:read"] }, { "claim": { "path": "x", "present": true } } ] } },
    { "match": { "pathTemplate": "/b/{id}/**" }, "requires": { "requires_any": { "requirements": [
      { "provider_name": "p" }, { "allow_missing": {} } ] } }, "enforcement": "shadow" },
    { "name": "c", "match": { "prefix": "/a/c", "methods": ["POST"] } },
    { "name": "c", "match": { "path": "/d" } } ] }"#;

const KEYS: &str = r#"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"#;

fn lens() -> Lens {
    Lens::read(POLICY.replace("KEYS", KEYS)).unwrap()
}

#[test]
fn a_policy_is_read_in_either_spelling() {
    let lens = lens();
    let names: Vec<_> = lens.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["a", "1", "c", "c"]);
    assert_eq!(lens.places().roles, ["https://x/r", "roles"]);
    assert_eq!(lens.places().scopes, ["scope", "scp"]);
    let needs: Vec<_> = lens.rules.iter().map(|rule| rule.needs_one_token).collect();
    assert_eq!(needs, [true, false, false, false]);
    assert!(lens.rule("1").unwrap().is_shadow && lens.rule("c").is_none());
    assert_eq!(
        lens.spelling(&[Step::Key("rules"), Step::Index(1), Step::Key("match")], "path_template"),
        Some("pathTemplate".to_owned())
    );
}

#[test]
fn faults_of_a_policy_are_told() {
    let faults = Lens::read(r#"{"rule": []}"#.to_owned()).unwrap_err();
    assert_eq!(faults, ["unknown field `rule`; did you mean `rules`?"]);
}

#[test]
fn a_rule_is_the_last_word_where_nothing_below_takes_its_requests() {
    let lens = lens();
    let get = ["GET".to_owned()];
    // `/a/c` lies below `/a`, but POST was never taken by `a`.
    assert!(lens.is_last_word(0, &get));
    assert!(lens.is_last_word(1, &[]) && lens.is_last_word(3, &[]));
    let open = POLICY.replace("KEYS", KEYS).replacen('{', r#"{ "default_action": "allow","#, 1);
    assert!(!Lens::read(open).unwrap().is_last_word(3, &[]));
    let covered = POLICY.replace("KEYS", KEYS).replace(r#", "methods": ["GET"]"#, "");
    assert!(!Lens::read(covered).unwrap().is_last_word(0, &get));
}

#[test]
fn a_condition_is_explained_where_the_log_has_what_makes_it_true() {
    let lens = lens();
    let perm = r#"{"permissions":["orders:read"]}"#;
    let other = r#"{"claim":{"path":"x","present":true}}"#;
    let any = format!(r#"{{"any_of":[{perm},{other}]}}"#);
    let all = format!(r#"{{"all_of":[{perm},{other}]}}"#);
    let not = format!(r#"{{"not":{perm}}}"#);
    let rows = [
        (perm, &["clerk"][..], true, true),
        (perm, &["chief"], true, true),
        (perm, &["other"], false, false),
        (other, &[], false, true),
        (&any, &["clerk"], true, true),
        (&any, &[], false, false),
        (&all, &["clerk"], false, true),
        (&all, &[], false, false),
        (&not, &[], false, true),
    ];
    for (condition, roles, shown, explained) in rows {
        let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
        let held = Held { roles: &roles, scopes: &[] };
        let condition = Condition::read(&serde_json::from_str(condition).unwrap());
        let came = (condition.is_shown(held, &lens), condition.is_explained(held, &lens));
        assert_eq!(came, (shown, explained), "{condition:?} {roles:?}");
    }
}
