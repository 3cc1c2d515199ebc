//! What the module says to anyone but the upstream: no byte of a token, a key, or a claim.
//!
//! Every claim, header and key has a mark of its own, and all that comes out is searched for them: log
//! lines of every level, metrics, answers, and what workers tell each other. A claim that
//! `audit.claims` names is in the audit line and in nothing else.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "support/release.rs"]
mod release;

use jwt_gate_scenario::Keyring;
use std::time::Duration;

use jwt_gate_test_host::{
    Callout, CalloutResult, Cluster, Host, Level, LogLine, Personality, Phase, Request, RootId, Vm,
};
use release::module;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// Claims of each type, each with a mark; `sub` goes to the upstream.
fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": ["api", "canary-aud"], "sub": "canary-sub", "jti": "canary-jti",
        "scope": "canary-scope", "roles": ["canary-role"], "email": "canary-email@example.org",
        "nested": { "canary-name": { "deep": ["canary-deep", 731_190_557] } },
        "lines": "canary-line\r\nx-admin: 1", "nbf": 1,
    })
}

/// The words of tokens that are refused for each kind of reason, and of good ones.
const TOKENS: [&str; 12] = [
    "",
    "exp=-9999",
    "nbf=+99999",
    "aud=canary-other-aud",
    "iss=https://canary-issuer.example",
    "sign=broken",
    "kid=canary-kid",
    "typ=canary-typ+jwt",
    "header='{\"crit\": [\"canary-crit\"], \"canary-crit\": 1}'",
    "header='{\"alg\": \"canary-alg\"}'",
    "rawheader='canary-header'",
    "payload='{\"canary-payload\": canary-value}'",
];

/// The claims that `audit.claims` names.
const NAMED: [&str; 3] = ["named-tenant", "named-group", "named-deep"];

/// What the identity provider lists as revoked: nobody's business but the upstream's.
const LISTED: &str = "listed-jti";

fn config(keyring: &Keyring) -> String {
    let jwks = keyring.jwks(&["p256-1", "hmac-1"]).unwrap();
    json!({
        "providers": { "p": { "issuer": "https://idp.example", "audiences": ["api"],
            "claim_to_headers": [{ "header_name": "x-jwt-sub", "claim_name": "sub" }, { "header_name": "x-jwt-lines", "claim_name": "lines" }],
            "local_jwks": { "inline_string": jwks } } },
        "rules": [
            { "match": { "prefix": "/scoped" }, "requires": { "provider_name": "p" }, "authorize": { "scopes": ["orders:write"] } },
            { "match": { "prefix": "/denied" }, "requires": { "provider_name": "p" }, "deny": { "claim": { "path": "sub", "prefix": "c" } } },
            { "match": { "prefix": "/shadow" }, "requires": { "provider_name": "p" }, "enforcement": "shadow" },
            { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ],
    })
    .to_string()
}

/// All that there is, switched on.
fn everything(personality: Personality) -> String {
    let remote = |place: &str| json!({ "uri": format!("https://idp.example/{place}"), "cluster": "idp", "timeout": "1s" });
    let provider = json!({
        "issuer": "https://idp.example", "audiences": ["api"],
        "discovery": { "cluster": "idp", "timeout": "1s" },
        "remote_revocations": { "http_uri": remote("revoked") },
        "revoked": [{ "jti": "canary-taken-back" }],
        "from_params": ["t"], "from_cookies": ["t"],
        "from_headers": [{ "name": "authorization", "value_prefix": "Bearer " }],
        "forward_payload_header": "x-jwt-payload",
        "payload_in_metadata": "jwt_payload", "header_in_metadata": "jwt_header",
        "failed_status_in_metadata": "jwt_failure",
        "claim_to_headers": [{ "header_name": "x-jwt-sub", "claim_name": "sub" }, { "header_name": "x-jwt-lines", "claim_name": "lines" }],
    });
    let mut stricter = provider.clone();
    stricter["required_claims"] = json!(["absent"]);
    let rules = json!([
        { "name": "scoped", "match": { "prefix": "/scoped" }, "requires": { "provider_name": "p" }, "authorize": { "scopes": ["orders:write"] } },
        { "name": "denied", "match": { "prefix": "/denied" }, "requires": { "provider_name": "p" }, "deny": { "claim": { "path": "sub", "prefix": "c" } } },
        { "name": "shadow", "match": { "prefix": "/shadow" }, "requires": { "provider_name": "p" }, "authorize": { "scopes": ["x"] }, "enforcement": "shadow" },
        { "name": "optional", "match": { "prefix": "/optional" }, "requires": { "requires_any": { "requirements": [{ "provider_name": "p" }, { "allow_missing_or_failed": {} }] } } },
        { "name": "own", "match": { "path_template": "/own/{id}" }, "requires": { "provider_name": "p" }, "authorize": { "claim": { "path": "sub", "equals_variable": "id" } } },
        { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ]);
    let candidate =
        json!({ "providers": { "p": stricter }, "rules": [{ "match": { "prefix": "/a" } }] });
    let mut config = json!({
        "audit": { "log": "all", "claims": ["tenant", "groups", "told.deep"] },
        "stat_prefix": "here", "providers": { "p": provider }, "rules": rules, "shadow_policy": candidate,
    });
    if personality == Personality::Envoy {
        config["share_keys"] = true.into();
    }
    config.to_string()
}

/// What the identity provider answers.
fn answer(keyring: &Keyring, callout: &Callout) -> CalloutResult {
    let is_for =
        |part: &[u8]| callout.headers.iter().any(|(name, value)| name == b":path" && value == part);
    let body = if is_for(b"/keys") {
        keyring.jwks(&["p256-1"]).unwrap()
    } else if is_for(b"/revoked") {
        json!({ "revoked": [{ "jti": LISTED }] }).to_string()
    } else {
        json!({ "issuer": "https://idp.example", "jwks_uri": "https://idp.example/keys" })
            .to_string()
    };
    let headers = vec![(b":status".to_vec(), b"200".to_vec())];
    CalloutResult::Response { headers, body: body.into_bytes() }
}

struct Searched {
    vm: Vm,
    root: RootId,
    /// Parts of tokens and keys that came in.
    secrets: Vec<String>,
}

impl Searched {
    /// Sends a request and searches what the client gets.
    fn send(&mut self, path: &str, token: &str) -> Phase {
        self.secrets.extend(token.split('.').filter(|part| part.len() > 8).map(str::to_owned));
        let request = Request::get(path)
            .with("authorization", format!("Bearer {token}"))
            .with("x-canary-header", "canary-header-value")
            .with("user-agent", "canary-agent")
            .with("cookie", "session=canary-cookie");
        let stream = self.vm.request(self.root, &request).unwrap();
        let phase = self.vm.stream(stream).unwrap().phase;
        if let Phase::Replied(reply) = &phase {
            let headers = reply.headers.iter().flat_map(|(name, value)| [name, value]);
            for text in headers.chain([&reply.body, &reply.details]) {
                self.search("an answer", &String::from_utf8_lossy(text));
            }
        }
        self.vm.disconnect(stream).unwrap();
        phase
    }

    fn search(&self, place: &str, text: &str) {
        let marks = ["canary", "731190557", LISTED].into_iter().chain(NAMED);
        self.search_for(place, text, marks);
    }

    fn search_for<'m>(&self, place: &str, text: &str, mut marks: impl Iterator<Item = &'m str>) {
        let told = marks.find(|mark| text.contains(mark));
        let told = told.or_else(|| {
            self.secrets.iter().map(String::as_str).find(|secret| text.contains(secret))
        });
        assert_eq!(told, None, "{place}: {text}");
        // NGINX ends a body's line by itself.
        assert!(!text.trim_end().contains(['\n', '\r', '\0']), "{place}: {text:?}");
    }
}

fn nothing_is_told(personality: Personality) {
    let keyring = Keyring::new();
    let host = Host::new(personality);
    if personality == Personality::Nginx {
        host.set_variable("jwt_gate_x_jwt_sub");
        host.set_variable("jwt_gate_x_jwt_lines");
    }
    let vm = host.vm(module()).unwrap();
    let root = vm.configure(config(&keyring).as_bytes()).unwrap().expect("it is good");
    let secret = keyring.jwk("hmac-1", &[]).unwrap();
    let secrets = vec![secret.get("k").and_then(Value::as_str).unwrap().to_owned()];
    let mut searched = Searched { vm, root, secrets };
    let (mut passed, mut answered) = (0, 0);
    for key in ["p256-1", "hmac-1"] {
        for words in TOKENS {
            let claims = if words.contains("payload") {
                String::new()
            } else {
                format!("claims='{}'", claims())
            };
            let token = keyring.mint(host.now().as_secs(), &format!("key={key} {claims} {words}"));
            let token = token.unwrap();
            for path in [
                "/a?access_token=canary-query.a.b",
                "/scoped",
                "/denied",
                "/shadow",
                "/b?q=canary-query",
            ] {
                match searched.send(path, &token) {
                    Phase::Continued => passed += 1,
                    Phase::Replied(_) => answered += 1,
                    Phase::Paused => {}
                }
            }
        }
    }
    assert!(passed >= 20 && answered >= 80, "{passed} passed, {answered} were answered");
    let (logs, metrics) = (searched.vm.logs(), searched.vm.metrics());
    assert!(
        logs.len() > 20 && !metrics.is_empty(),
        "{} lines, {} metrics",
        logs.len(),
        metrics.len()
    );
    logs.iter().for_each(|line| searched.search("a log line", &line.text));
    metrics.iter().for_each(|metric| searched.search("a metric", &metric.name));
}

/// With everything on: a claim that is named is in the audit line, and nothing is anywhere else.
fn what_is_named_is_told_in_the_audit_line_alone(personality: Personality) {
    let keyring = Keyring::new();
    let host = Host::new(personality);
    host.set_log_level(0);
    host.set_cluster("idp", Cluster::Healthy);
    for name in ["x_jwt_sub", "x_jwt_lines", "x_jwt_payload"] {
        host.set_variable(&format!("jwt_gate_{name}"));
    }
    for name in ["jwt_gate", "jwt_payload", "jwt_header", "jwt_failure"] {
        host.set_variable(name);
    }
    let vm = host.vm(module()).unwrap();
    let root = vm.configure(everything(personality).as_bytes()).unwrap();
    let root = root.unwrap_or_else(|| panic!("{:?}", vm.logs()));
    // Each answer may lead to the next question.
    for _ in 0..6 {
        for callout in vm.callouts() {
            vm.deliver(callout.token, answer(&keyring, &callout)).unwrap();
        }
        host.advance(SECOND).unwrap();
    }
    let mut searched = Searched { vm, root, secrets: Vec::new() };
    let mut passed = 0;
    for words in TOKENS.into_iter().chain(["jti=canary-taken-back", "jti=listed-jti"]) {
        let mut told = claims();
        let more = json!({ "tenant": "named-tenant", "groups": ["named-group"], "told": { "deep": { "x": "named-deep" } } });
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if words.contains("jti=") {
            told.as_object_mut().unwrap().remove("jti");
        }
        let claims =
            if words.contains("payload") { String::new() } else { format!("claims='{told}'") };
        let token = keyring.mint(host.now().as_secs(), &format!("key=p256-1 {claims} {words}"));
        let token = token.unwrap();
        for path in [
            "/a?t=canary-query.a.b",
            "/a",
            "/scoped",
            "/denied",
            "/shadow",
            "/optional",
            "/own/x",
            "/b",
        ] {
            passed += usize::from(searched.send(path, &token) == Phase::Continued);
        }
        host.advance(SECOND).unwrap();
        for callout in searched.vm.callouts() {
            searched.vm.deliver(callout.token, answer(&keyring, &callout)).unwrap();
        }
    }
    assert!(passed >= 20, "{passed} passed");
    let (logs, metrics) = (searched.vm.logs(), searched.vm.metrics());
    let is_audit = |line: &&LogLine| line.text.starts_with("{\"audit\"");
    let (audits, others): (Vec<_>, Vec<_>) = logs.iter().partition(is_audit);
    for mark in NAMED {
        let lines = audits.iter().filter(|line| line.text.contains(mark)).count();
        assert!(lines >= 10, "{mark} is told in {lines} audit lines");
    }
    let unnamed = || ["canary", "731190557", LISTED].into_iter();
    audits.iter().for_each(|line| searched.search_for("an audit line", &line.text, unnamed()));
    let says = |text: &str| others.iter().any(|line| line.text.contains(text));
    assert!(says("shadow rule would refuse") && says("candidate policy"), "{others:?}");
    assert!(others.iter().any(|line| line.level == Level::Debug), "{others:?}");
    others.iter().for_each(|line| searched.search("a log line", &line.text));
    assert!(metrics.len() > 10, "{metrics:?}");
    metrics.iter().for_each(|metric| searched.search("a metric", &metric.name));
    let records = host.shared_data();
    assert_eq!(records.keys().is_empty(), personality != Personality::Envoy);
    for key in records.keys() {
        let value = records.value(&key).unwrap();
        for text in [&key, &value] {
            // What workers share is what the identity provider answered, its list among it.
            let marks = ["canary", "731190557"].into_iter().chain(NAMED);
            searched.search_for(
                "a record",
                &String::from_utf8_lossy(text).replace('\0', ""),
                marks,
            );
        }
    }
}

#[test]
fn a_claim_that_is_named_is_told_in_the_audit_line_alone_on_envoy() {
    what_is_named_is_told_in_the_audit_line_alone(Personality::Envoy);
}

#[test]
fn a_claim_that_is_named_is_told_in_the_audit_line_alone_on_nginx() {
    what_is_named_is_told_in_the_audit_line_alone(Personality::Nginx);
}

#[test]
fn nothing_of_a_token_a_key_or_a_request_is_told_on_envoy() {
    nothing_is_told(Personality::Envoy);
}

#[test]
fn nothing_of_a_token_a_key_or_a_request_is_told_on_nginx() {
    nothing_is_told(Personality::Nginx);
}
