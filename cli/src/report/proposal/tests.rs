#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use std::sync::Arc;

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
  "limits": { "max_token_bytes": 4000 }
}"#;

/// A request: method, path, claims of its token beside the usual ones, and the rule that it finds.
type Row = (&'static str, &'static str, Option<&'static str>, &'static str);

/// Requests of the log.
const LOGGED: [Row; 8] = [
    ("GET", "/orders/7", Some(r#"{"roles":["viewer"]}"#), "orders"),
    ("GET", "/orders", Some(r#"{"roles":["clerk"]}"#), "orders"),
    ("POST", "/orders", Some(r#"{"roles":["clerk"]}"#), "order"),
    ("POST", "/orders", Some(r#"{"roles":["viewer"]}"#), "order"),
    ("GET", "/orders", None, "orders"),
    ("GET", "/trial", Some("{}"), "trial"),
    ("PUT", "/ping", Some(r#"{"scope":"openid ping"}"#), "ping"),
    ("GET", "/", None, "open"),
];

/// Requests that nobody made, and that pass before the change and not after it.
const UNUSED: [Row; 4] = [
    ("DELETE", "/ping", Some(r#"{"scope":"openid ping"}"#), "ping"),
    ("PUT", "/ping", Some(r#"{"scope":"openid"}"#), "ping"),
    ("GET", "/trial", Some(r#"{"sub":"mallory"}"#), "trial"),
    ("GET", "/orders", Some(r#"{"roles":["viewer"],"exp":1800090000}"#), "orders"),
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

    /// Whether the core lets a request pass under a policy.
    fn passes(&self, policy: &str, (method, path, claims, _): Row) -> bool {
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
        let moment = Moment { now, may_wait: false };
        matches!(gate.check(moment, &&*view, Lent::NOTHING), Decision::Allow(_))
    }

    /// The report on a log of these requests, which the core decided, with these claims in it.
    fn propose(&self, requests: &[Row], names_claims: bool) -> Proposed {
        let lens = Lens::read(self.policy.clone()).unwrap();
        let reader = Reader { lens: Some(&lens), places: lens.places() };
        let mut tally = Tally::new();
        for row in requests {
            let (method, _, claims, rule) = *row;
            let decision = if self.passes(&self.policy, *row) { "allow" } else { "deny" };
            let claims = claims.filter(|_| names_claims).unwrap_or("{}");
            let line = format!(
                r#"{{"audit":"jwt-gate/1","time":"2027-01-15T08:00:00.000Z","decision":"{decision}","rule":"{rule}","method":"{method}","provider":"idp","outcome":"ok","lifetime":600,"claims":{claims}}}"#
            );
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
    let proposed = world.propose(&LOGGED, true);
    let tighter = world.patched(&proposed.diff);
    for row in LOGGED {
        let (before, after) = (world.passes(&world.policy, row), world.passes(&tighter, row));
        assert_eq!(before, after, "{row:?}\n{}", proposed.diff);
    }
    for row in UNUSED {
        assert!(world.passes(&world.policy, row), "{row:?}");
    }
    let still: Vec<_> = UNUSED.iter().filter(|row| world.passes(&tighter, **row)).collect();
    // That every token had the scope is only said where the log would have every scope.
    assert_eq!(still, [&UNUSED[1]], "{}", proposed.diff);
}

#[test]
fn each_change_is_told_with_its_reason() {
    let proposed = World::new(POLICY).propose(&LOGGED, true);
    assert_eq!(
        proposed.changes,
        [
            "providers.idp: no token that passed lived longer than 10 minutes; one of 30 minutes or more is refused",
            "roles.clerk: nobody needed all of `orders:*`",
            "roles.viewer: nobody needed all of `reports:read`",
            "rule `trial` is on trial and would have refused none of 1 requests; it is enforced",
            "rule `ping` is only used with PUT",
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
    let proposed = World::new(POLICY).propose(&LOGGED, false);
    let roles = proposed.changes.iter().filter(|change| change.starts_with("roles."));
    assert_eq!(roles.count(), 0, "{:?}", proposed.changes);
    let untold = proposed.withheld.iter().filter(|why| why.contains("audit.claims"));
    assert_eq!(untold.count(), 2, "{:?}", proposed.withheld);
}

#[test]
fn a_log_of_refusals_proposes_nothing() {
    let refused = [LOGGED[3], LOGGED[4]];
    let proposed = World::new(POLICY).propose(&refused, true);
    assert!(proposed.diff.is_empty() && proposed.withheld[0].contains("audit.log"), "{proposed:?}");
    let strange = [("GET", "/orders", Some(r#"{"roles":["clerk"]}"#), "unknown")];
    let proposed = World::new(POLICY).propose(&strange, true);
    assert!(proposed.withheld[0].contains("is it of this policy?"), "{proposed:?}");
}
