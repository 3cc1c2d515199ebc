#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use std::sync::Arc;

use jwt_gate::effects::Effects;
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::{Expansion, Keyring};

use super::*;
use crate::report::line::first;
use crate::report::tally::Reader;

const NOW: u64 = 1_800_000_000;

const POLICY: &str = r#"{
  "providers": {
    "idp": {
      "issuer": "https://idp.example",
      "local_jwks": { "inline_string": "${jwks p256-1}" }
    }
  },
  "roles": {
    "viewer": { "permissions": ["orders:read", "reports:read"] },
    "clerk": { "inherits": ["viewer"], "permissions": ["orders:*"] },
    "absent": { "permissions": ["*"] }
  },
  "requirement_map": { "in": { "provider_name": "idp" } },
  "rules": [
    {
      "name": "orders",
      "match": { "path_separated_prefix": "/orders", "methods": ["GET"] },
      "requirement_name": "in",
      "authorize": { "permissions": ["orders:read"] }
    },
    {
      "name": "order",
      "match": { "path_separated_prefix": "/orders", "methods": ["POST"] },
      "requirement_name": "in",
      "authorize": { "permissions": ["orders:write"] }
    },
    {
      "name": "trial",
      "match": { "path": "/trial" },
      "requirement_name": "in",
      "enforcement": "shadow",
      "authorize": { "claim": { "path": "sub", "equals": "alice" } }
    },
    { "name": "ping", "match": { "path": "/ping" }, "requirement_name": "in" },
    { "name": "never", "match": { "prefix": "/old" }, "requirement_name": "in" },
    { "name": "also-never", "match": { "prefix": "/old/open" } },
    { "name": "open", "match": { "path": "/" } }
  ],
  "audit": { "log": "all", "claims": ["sub", "roles", "groups", "realm_access.roles", "scope", "scp"] }
}"#;

/// A request: method, path, and claims of its token beside the usual ones.
type Row = (&'static str, &'static str, Option<&'static str>);

/// Requests of the log.
const LOGGED: [Row; 8] = [
    ("GET", "/orders/7", Some(r#"{"roles":["viewer"]}"#)),
    ("GET", "/orders", Some(r#"{"roles":["clerk"]}"#)),
    ("POST", "/orders", Some(r#"{"roles":["clerk"]}"#)),
    ("POST", "/orders", Some(r#"{"roles":["viewer"]}"#)),
    ("GET", "/orders", None),
    ("GET", "/trial", Some("{}")),
    ("PUT", "/ping", Some(r#"{"scope":"openid ping"}"#)),
    ("GET", "/", None),
];

/// Requests that nobody made, and that pass before the change and not after it.
const UNUSED: [Row; 4] = [
    ("DELETE", "/ping", Some(r#"{"scope":"openid ping"}"#)),
    ("PUT", "/ping", Some(r#"{"scope":"openid"}"#)),
    ("GET", "/trial", Some(r#"{"sub":"mallory"}"#)),
    ("GET", "/orders", Some(r#"{"roles":["viewer"],"exp":1800090000}"#)),
];

struct World {
    keyring: Keyring,
    policy: String,
}

impl World {
    fn new(policy: &str) -> Self {
        let keyring = Keyring::new();
        let policy = Expansion::new(&keyring, "").json(policy).unwrap();
        Self { keyring, policy }
    }

    /// Whether the core lets a request pass under a policy, and what it leaves in the log.
    fn decided(&self, policy: &str, (method, path, claims): Row) -> (bool, String) {
        let policy = Policy::from_json(policy.as_bytes()).unwrap();
        let mut view = vec![
            (b":method".to_vec(), method.as_bytes().to_vec()),
            (b":path".to_vec(), path.as_bytes().to_vec()),
            (b":authority".to_vec(), b"api.example".to_vec()),
        ];
        if let Some(claims) = claims {
            let token = format!("key=p256-1 exp=+600 claims='{claims}'");
            let token = self.keyring.mint(NOW, &token).unwrap();
            view.push((b"authorization".to_vec(), format!("Bearer {token}").into_bytes()));
        }
        let now = Timestamp::from_secs(NOW);
        let gate = Gate::new(Arc::new(policy), now);
        let view = &&*view;
        let effects = match gate.check(Moment { now, may_wait: false }, view, Lent::NOTHING) {
            Decision::Allow(permit) => gate.permit(now, view, &permit),
            Decision::Deny(refusal) => gate.refuse(now, view, &refusal),
            Decision::Wait(_) => panic!("keys are at hand"),
        };
        match effects {
            Effects::Forward(forward) => (true, forward.line.unwrap()),
            Effects::Reply(reply) => (false, reply.line.unwrap()),
        }
    }

    /// Whether the core lets a request pass under a policy.
    fn passes(&self, policy: &str, row: Row) -> bool {
        self.decided(policy, row).0
    }

    /// The log of these requests.
    fn log(&self, requests: &[Row]) -> Vec<String> {
        requests.iter().map(|row| self.decided(&self.policy, *row).1).collect()
    }

    /// The report on a log.
    fn propose(&self, log: &[String]) -> Proposed {
        let lens = Lens::read(self.policy.clone()).unwrap();
        let reader = Reader { lens: Some(&lens), places: lens.places() };
        let mut tally = Tally::new();
        for line in log {
            tally.add(&first(line.as_bytes()).unwrap(), &reader);
        }
        propose("policy.json", &tally, &lens)
    }

    /// The policy after the diff.
    fn patched(&self, diff: &str) -> String {
        let mut old = self.policy.lines();
        let mut new = Vec::new();
        let mut at = 1_usize;
        for line in diff.lines().skip(2) {
            if let Some(place) = line.strip_prefix("@@ -") {
                let start: usize = place.split([',', ' ']).next().unwrap().parse().unwrap();
                while at < start {
                    new.push(old.next().unwrap());
                    at += 1;
                }
                continue;
            }
            if line.starts_with('\\') {
                continue;
            }
            let (sign, text) = line.split_at(1);
            if sign != "+" {
                assert_eq!(old.next(), Some(text), "{diff}");
                at += 1;
            }
            if sign != "-" {
                new.push(text);
            }
        }
        new.extend(old);
        new.join("\n")
    }
}

#[test]
fn what_was_allowed_is_allowed_still_and_what_nobody_used_no_longer() {
    let world = World::new(POLICY);
    let proposed = world.propose(&world.log(&LOGGED));
    let tighter = world.patched(&proposed.diff);
    for row in LOGGED {
        let (before, after) = (world.passes(&world.policy, row), world.passes(&tighter, row));
        assert_eq!(before, after, "{row:?}\n{}", proposed.diff);
    }
    for row in UNUSED {
        assert!(world.passes(&world.policy, row), "{row:?}");
        assert!(!world.passes(&tighter, row), "{row:?}\n{}", proposed.diff);
    }
}

#[test]
fn each_change_is_told_with_its_reason() {
    let world = World::new(POLICY);
    let proposed = world.propose(&world.log(&LOGGED));
    assert_eq!(
        proposed.changes,
        [
            "providers.idp: no token that passed lived longer than 10 minutes; one of 30 minutes or more is refused",
            "roles.clerk: nobody needed all of `orders:*`",
            "roles.viewer: nobody needed all of `reports:read`",
            "rule `trial` is on trial and would have refused none of 1 requests; it is enforced",
            "rule `ping` is only used with PUT",
            "rule `ping` asks for a token only; all 1 that passed have ping",
            "rule `open` is only used with GET, HEAD",
            "rule `also-never` was never found; its requests are refused",
        ]
    );
    assert_eq!(
        proposed.withheld,
        ["rule `never` was never found; without it its requests might find another rule or pass",]
    );
}

#[test]
fn permissions_count_as_used_where_the_log_does_not_name_roles() {
    let world = World::new(&POLICY.replace(r#""roles", "groups", "realm_access.roles", "#, ""));
    let proposed = world.propose(&world.log(&LOGGED));
    let roles = proposed.changes.iter().filter(|change| change.starts_with("roles."));
    assert_eq!(roles.count(), 0, "{:?}", proposed.changes);
    let untold = proposed.withheld.iter().filter(|why| why.contains("audit.claims"));
    assert_eq!(untold.count(), 2, "{:?}", proposed.withheld);
}

#[test]
fn no_scope_is_asked_for_where_the_log_does_not_name_every_claim_with_scopes() {
    let world = World::new(&POLICY.replace(r#", "scp""#, ""));
    let proposed = world.propose(&world.log(&LOGGED));
    assert!(!proposed.diff.contains(r#""scopes""#), "{}", proposed.diff);
}

#[test]
fn a_log_of_refusals_or_of_another_policy_proposes_nothing() {
    let world = World::new(POLICY);
    let proposed = world.propose(&world.log(&[LOGGED[3], LOGGED[4]]));
    assert!(proposed.diff.is_empty() && proposed.withheld[0].contains("audit.log"), "{proposed:?}");
    let candidate = r#"},"candidate":{"decision":"deny","rule":"x","outcome":"scope"}}"#;
    let objected: Vec<_> =
        world.log(&LOGGED[..3]).iter().map(|line| line.replacen("}}", candidate, 1)).collect();
    let proposed = world.propose(&objected);
    assert!(proposed.diff.is_empty() && proposed.withheld[0].contains("audit.log"), "{proposed:?}");
    let strange = world.log(&LOGGED[..1])[0].replace(r#""rule":"orders""#, r#""rule":"unknown""#);
    let proposed = world.propose(&[strange]);
    assert!(proposed.withheld[0].contains("is it of this policy?"), "{proposed:?}");
}

#[test]
fn an_access_log_has_all_whatever_the_policy_has_logged() {
    let world = World::new(POLICY);
    let lines = world.log(&LOGGED);
    let quiet =
        World { policy: world.policy.replace(r#""log": "all""#, r#""log": "none""#), ..world };
    let proposed = quiet.propose(&lines);
    assert!(!proposed.diff.is_empty(), "{proposed:?}");
}
