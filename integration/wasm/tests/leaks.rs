//! What the module says to anyone but the upstream: no byte of a token, a key, or a claim.
//!
//! Every claim, header and key has a mark of its own, and all that comes out is searched for them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "support/release.rs"]
mod release;

use jwt_gate_scenario::Keyring;
use jwt_gate_test_host::{Host, Personality, Phase, Request, RootId, Vm};
use release::module;
use serde_json::{Value, json};

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
        let told = ["canary", "731190557"].into_iter().find(|mark| text.contains(mark));
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

#[test]
fn nothing_of_a_token_a_key_or_a_request_is_told_on_envoy() {
    nothing_is_told(Personality::Envoy);
}

#[test]
fn nothing_of_a_token_a_key_or_a_request_is_told_on_nginx() {
    nothing_is_told(Personality::Nginx);
}
