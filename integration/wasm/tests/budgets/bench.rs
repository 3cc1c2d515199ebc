//! Requests of several kinds, and what each costs.

use jwt_gate_test_host::{Host, Personality, Phase, Request, RootId, Vm};

use crate::Cost;
use crate::metered::{keyring, metered};

/// One kind of request.
pub(crate) struct Case {
    pub(crate) name: String,
    config: String,
    /// The words of each token; none: requests without one. `#` is a number, another each time.
    token: Option<&'static str>,
    /// Whether the token's signature is made another one.
    forged: bool,
    passes: bool,
}

/// Requests before the first one that is counted, so that nothing is done for the first time.
const WARM: usize = 6;
/// Requests that are counted; the median counts.
const COUNTED: usize = 5;

const ALICE: &str = r#"key=hmac-1 scope="orders:read orders:write" email=alice@example.com"#;
const FRESH: &str = r#"key=hmac-1 scope="orders:read orders:write" email=alice@example.com jti=#"#;
const FRESH_RSA: &str =
    r#"key=rsa-1 scope="orders:read orders:write" email=alice@example.com jti=#"#;
const FRESH_PSS: &str =
    r#"key=rsa-1 alg=PS256 scope="orders:read orders:write" email=alice@example.com jti=#"#;
const FRESH_EC: &str =
    r#"key=p256-1 scope="orders:read orders:write" email=alice@example.com jti=#"#;
const FRESH_ED: &str =
    r#"key=ed25519-1 scope="orders:read orders:write" email=alice@example.com jti=#"#;
const OLD: &str = r#"key=hmac-1 exp=-3600 jti=#"#;

/// All kinds.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, config: String, token, passes| Case {
        name: name.to_owned(),
        config,
        token,
        forged: false,
        passes,
    };
    let plain = || config("", 0, "");
    let claims = r#","claim_to_headers":[{"header_name":"x-sub","claim_name":"sub"},
        {"header_name":"x-scope","claim_name":"scope"},{"header_name":"x-email","claim_name":"email"}]"#;
    let audit = r#""audit":{"log":"all","claims":["sub","email"]}"#;
    let scopes = r#","authorize":{"scopes":["orders:read"]}"#;
    let beside = |candidate: &str| config_of(&format!(r#""shadow_policy":{candidate}"#));
    let shadow = || beside(&plain());
    let stricter = beside(&config("", 0, r#","authorize":{"scopes":["orders:delete"]}"#));
    vec![
        case("hot", plain(), Some(ALICE), true),
        case("hot, 100 rules", config("", 100, ""), Some(ALICE), true),
        case("hot, 2000 rules", config("", 2_000, ""), Some(ALICE), true),
        case("hot, 3 claim headers", config(claims, 0, ""), Some(ALICE), true),
        case("hot, scopes", config("", 0, scopes), Some(ALICE), true),
        case("hot, audited in the log", config_of(audit), Some(ALICE), true),
        case("hot, shadow policy", shadow(), Some(ALICE), true),
        case("hot, shadow policy that refuses", stricter, Some(ALICE), true),
        case("fresh HS256", plain(), Some(FRESH), true),
        case("fresh HS256, shadow policy", shadow(), Some(FRESH), true),
        case("fresh RS256 by the host", plain(), Some(FRESH_RSA), true),
        case("fresh RS256 by the host, shadow policy", shadow(), Some(FRESH_RSA), true),
        case("fresh PS256", plain(), Some(FRESH_PSS), true),
        case(
            "fresh ES256 by the module",
            config_of(r#""host_crypto":false"#),
            Some(FRESH_EC),
            true,
        ),
        case("fresh EdDSA", plain(), Some(FRESH_ED), true),
        case("refused: missing", plain(), None, false),
        case("refused: missing, shadow policy", shadow(), None, false),
        case("refused: expired", plain(), Some(OLD), false),
        Case { forged: true, ..case("refused: forged HS256", plain(), Some(FRESH), false) },
    ]
}

/// A configuration with one rule and this member at the top.
pub(crate) fn config_of(member: &str) -> String {
    config("", 0, "").replacen('{', &format!("{{{member},"), 1)
}

fn config(provider: &str, rules: usize, rule: &str) -> String {
    let jwks = serde_json::to_string(
        &keyring().jwks(&["hmac-1", "rsa-1", "p256-1", "ed25519-1"]).unwrap(),
    )
    .unwrap();
    let others = (0..rules).map(|i| {
        format!(r#"{{"match":{{"path_separated_prefix":"/team-{}/service-{i}"}}}},"#, i % 97)
    });
    let others: String = others.collect();
    format!(
        r#"{{"providers":{{"p":{{"issuer":"https://idp.example","local_jwks":{{"inline_string":{jwks}}}{provider}}}}},
        "rules":[{others}{{"match":{{"prefix":"/"}},"requires":{{"provider_name":"p"}}{rule}}}]}}"#
    )
}

/// A request as browsers and gateways send it, with a token.
pub(crate) fn request(token: Option<&str>) -> Request {
    let request = Request::get("/orders/7?page=2")
        .with("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
        .with("accept", "application/json")
        .with("accept-encoding", "gzip, br")
        .with("x-request-id", "6f8a3b1e-0d5c-4c1e-9f63-2a7d1f0c9b11")
        .with("x-forwarded-for", "203.0.113.7")
        .with("x-forwarded-proto", "https");
    match token {
        Some(token) => request.with("authorization", format!("Bearer {token}")),
        None => request,
    }
}

/// A worker of Envoy with a metered module.
pub(crate) struct Worker {
    host: Host,
    vm: Vm,
    root: RootId,
}

impl Worker {
    pub(crate) fn new(config: &str) -> Self {
        let host = Host::new(Personality::Envoy);
        let vm = host.vm(metered()).unwrap();
        let root = vm.configure(config.as_bytes()).unwrap().expect("the configuration is good");
        Self { host, vm, root }
    }

    /// What one request costs, from its beginning to its end.
    pub(crate) fn cost(&self, token: Option<&str>, passes: bool) -> Cost {
        let before = self.vm.fuel_spent().unwrap();
        self.vm.reset_hostcalls();
        let stream = self.vm.request(self.root, &request(token)).unwrap();
        let passed = self.vm.stream(stream).unwrap().phase == Phase::Continued;
        self.vm.disconnect(stream).unwrap();
        assert_eq!(passed, passes, "{:?}", self.vm.logs().last());
        let instructions = self.vm.fuel_spent().unwrap() - before;
        Cost { hostcalls: self.vm.hostcalls().values().sum(), instructions }
    }

    pub(crate) fn token(&self, words: &str) -> String {
        keyring().mint(self.host.now().as_secs(), words).unwrap()
    }
}

impl Case {
    /// What a request of this kind costs, once nothing is done for the first time.
    pub(crate) fn cost(&self) -> Cost {
        let worker = Worker::new(&self.config);
        let mut counted: Vec<_> = (0..WARM + COUNTED)
            .map(|n| {
                let token = self.token.map(|words| {
                    let token = worker.token(&words.replace('#', &(1_000 + n).to_string()));
                    if self.forged { forged(&token) } else { token }
                });
                worker.cost(token.as_deref(), self.passes)
            })
            .skip(WARM)
            .collect();
        counted.sort_unstable_by_key(|cost| (cost.instructions, cost.hostcalls));
        counted[COUNTED / 2]
    }
}

/// The token with another first letter of its signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

#[test]
fn the_first_request_is_not_much_slower_than_later_ones() {
    for (kind, words) in [("HS256", FRESH), ("RS256 by the host", FRESH_RSA)] {
        let worker = Worker::new(&config("", 100, ""));
        let cost = |n: usize| {
            worker.cost(Some(&worker.token(&words.replace('#', &(1_000 + n).to_string()))), true)
        };
        let first = cost(0).instructions;
        let later = (1..5).map(cost).map(|cost| cost.instructions).max().unwrap();
        assert!(first <= 10 * later, "{kind}: {first}, later {later}");
    }
}
