//! A configuration, and what happens then: requests, answers of the endpoint, words of other
//! workers, time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Gate, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::remote::fetch::{Answer, FetchError};
use jwt_gate::remote::record::Record;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Keyring;

use crate::gate::{FORGED, Lines, NOW, OWNED, Verdict, gate, policy, request, verdict};
use crate::input::Input;

/// What stands in each configuration. All ask for a token below `/p`, and for none below `/open`.
const PROVIDER: &str = r#""issuer":"https://idp.example","forward_payload_header":"x-jwt-payload",
    "claim_to_headers":[{"header_name":"x-jwt-sub","claim_name":"sub"}],
    "remote_jwks":{"http_uri":{"uri":"https://idp.example/jwks","cluster":"idp","timeout":"1s"},
        "cache_duration":"300s"}"#;

const CONFIGS: [(&str, &str); 6] = [
    ("", r#""requires":{"provider_name":"p"}"#),
    (r#","from_params":["t"],"from_cookies":["t"]"#, r#""requires":{"provider_name":"p"}"#),
    (
        "",
        r#""requires":{"requires_any":{"requirements":[{"provider_name":"p"},{"provider_name":"q"}]}}"#,
    ),
    (
        "",
        r#""requires":{"requires_all":{"requirements":[{"provider_name":"p"},{"allow_missing":{}}]}}"#,
    ),
    (
        "",
        r#""requires":{"provider_name":"p"},"authorize":{"claim":{"path":"sub","any_of":["alice","bob"]}}"#,
    ),
    (
        r#","revoked":[{"sub":"mallory"}],"forward":true"#,
        r#""requires":{"provider_name":"p"},"deny":{"claim":{"path":"sub","equals":"mallory"}}"#,
    ),
];

/// Words of a token, and the key that makes it good, if one does.
const TOKENS: [(&str, Option<&str>); 9] = [
    ("key=ed25519-1 sub=alice", Some("ed25519-1")),
    ("key=ed25519-1 sub=bob kid=-", Some("ed25519-1")),
    ("key=ed25519-2 sub=bob", Some("ed25519-2")),
    ("key=ed25519-3 kid=ed25519-1 sub=alice", None),
    ("key=ed25519-1 sub=alice sign=broken", None),
    ("key=ed25519-1 sub=alice exp=-9999", None),
    ("key=ed25519-1 sub=alice iss=https://other.example", None),
    ("key=ed25519-1 sub=alice alg=none sign=none", None),
    ("key=hmac-1 kid=ed25519-1 sub=alice", None),
];

/// Sets of keys that the endpoint may publish.
const SETS: [&[&str]; 4] =
    [&["ed25519-1"], &["ed25519-2"], &["ed25519-1", "ed25519-2"], &["ed25519-4"]];

struct World {
    policies: Vec<Arc<Policy>>,
    tokens: Vec<(String, Option<&'static str>)>,
    sets: Vec<String>,
}

/// Tokens that live as long as the story.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let keyring = Keyring::new();
    let mint = |(words, key): &(&str, Option<&'static str>)| {
        let words = if words.contains("exp=") {
            (*words).to_owned()
        } else {
            format!("{words} exp=+99999999")
        };
        (keyring.mint(NOW, &words).unwrap(), *key)
    };
    let jwks = |keys: &&[&str]| keyring.jwks(keys).unwrap();
    let other = PROVIDER.replace("idp.example", "q.example").replace("x-jwt-sub", "x-q-sub");
    let other = other.replace("x-jwt-payload", "x-q-payload");
    let policy = |(provider, rule): &(&str, &str)| {
        policy(&format!(
            r#"{{"providers":{{"p":{{{PROVIDER}{provider}}},"q":{{{other}}}}},
            "rules":[{{"match":{{"prefix":"/p"}},{rule}}},{{"match":{{"prefix":"/open"}}}}]}}"#
        ))
    };
    let policies = CONFIGS.iter().map(policy).collect();
    World {
        policies,
        tokens: TOKENS.iter().map(mint).collect(),
        sets: SETS.iter().map(jwks).collect(),
    }
});

/// How much happens at most.
const STEPS: usize = 64;

struct Story {
    gate: Gate,
    cache: TokenCache,
    now: Timestamp,
    /// Keys that the endpoint or another worker has shown so far.
    shown: Vec<&'static str>,
}

/// The first byte chooses a configuration; then each byte begins what happens next.
pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let policy = &WORLD.policies[usize::from(input.byte()) % CONFIGS.len()];
    let (gate, cache) = gate(Arc::clone(policy));
    let mut story = Story { gate, cache, now: Timestamp::from_secs(NOW), shown: Vec::new() };
    for _ in 0..STEPS {
        if input.is_empty() {
            return;
        }
        story.step(&mut input);
    }
}

impl Story {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 8 {
            0 => self.now = self.now.plus(Duration::from_secs(u64::from(input.byte()) * 4)),
            1 => {
                self.now = self.now.plus(Duration::from_millis(u64::from(input.byte())));
                for source in self.gate.sources() {
                    let _ = self.gate.tick(self.now, source);
                }
            }
            2 => self.answer(input),
            3 => self.other_worker(input),
            _ => self.request(input),
        }
    }

    /// The endpoint answers, asked or not.
    fn answer(&mut self, input: &mut Input<'_>) {
        let Some(source) = self.gate.sources().nth(usize::from(input.byte() % 2)) else { return };
        let choice = input.byte();
        let set = WORLD.sets.get(usize::from(choice));
        let (status, body) = match set {
            Some(set) => (200, set.as_bytes()),
            None => (if choice & 1 == 0 { 200 } else { 500 }, input.bytes()),
        };
        let end = if choice == 255 {
            Err(FetchError::NoAnswer)
        } else {
            Ok(Answer { status, body, fresh_for: None })
        };
        self.learn(set.map(|_| usize::from(choice)));
        let _ = self.gate.settle(self.now, source, end);
    }

    /// Another worker, or a filter that only says so, leaves a record.
    fn other_worker(&mut self, input: &mut Input<'_>) {
        let Some(source) = self.gate.sources().nth(usize::from(input.byte() % 2)) else { return };
        let choice = usize::from(input.byte());
        let mut record = Record::from_bytes(input.bytes());
        if let Some(set) = WORLD.sets.get(choice) {
            record.body = set.clone().into_bytes();
            self.learn(Some(choice));
        }
        let _ = self.gate.adopt(self.now, source, &record);
    }

    fn learn(&mut self, set: Option<usize>) {
        let keys = set.and_then(|set| SETS.get(set).copied()).unwrap_or_default();
        self.shown.extend(keys);
    }

    fn request(&mut self, input: &mut Input<'_>) {
        let (lines, good) = self.lines(input);
        let moment = Moment { now: self.now, may_wait: input.byte() & 1 == 0 };
        let path = lines[3].1.clone();
        match verdict(&self.gate, &self.cache, moment, &lines) {
            Verdict::Passes(_) => {
                let open = path.starts_with(b"/open");
                assert!(
                    open || good.iter().any(|key| self.shown.contains(key)),
                    "it passes without a key"
                );
            }
            Verdict::Answered(reply) => {
                assert!(matches!(reply.status, 400 | 401 | 403 | 503), "{}", reply.status);
            }
            Verdict::Waits(lack) => {
                assert!(moment.may_wait, "it waits where it may not");
                let _ = self.gate.want(self.now, lack);
            }
        }
    }

    /// A request, and the keys that make a token in it good.
    fn lines(&self, input: &mut Input<'_>) -> (Lines, Vec<&'static str>) {
        let mut good = Vec::new();
        let mut headers: Vec<(&[u8], Vec<u8>)> = Vec::new();
        let mut path =
            input.one_of(&[&b"/p"[..], b"/p/x", b"/open", b"/open/x", b"/other"]).to_vec();
        for _ in 0..input.byte() % 4 {
            let (token, key) = &WORLD.tokens[usize::from(input.byte()) % WORLD.tokens.len()];
            good.extend(key);
            match input.byte() % 6 {
                0 => path.extend_from_slice(format!("?t={token}").as_bytes()),
                1 => headers.push((b"cookie", format!("t={token}").into_bytes())),
                2 => headers.push((b"authorization", format!("bearer  {token}").into_bytes())),
                3 => headers.push((b"authorization", [token.as_bytes(), input.bytes()].concat())),
                _ => headers.push((b"authorization", format!("Bearer {token}").into_bytes())),
            }
        }
        for _ in 0..input.byte() % 4 {
            headers.push((input.one_of(&OWNED), FORGED.to_vec()));
        }
        path.extend_from_slice(input.bytes());
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        (request(&path, &headers), good)
    }
}
