//! What costs most, by part of the gate.

use jwt_gate_test_host::Request;
use serde_json::{Value, json};

use crate::metered::keyring;
use crate::worker::Worker;

/// Bytes of headers that Envoy lets through, less what every request has.
const ROOM: usize = 59 * 1024;

/// Bytes of a token that are looked at.
const TOKEN: usize = 8_192;

/// A configuration, and a request of a client who means ill.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) config: String,
    make: fn(&Worker) -> Request,
}

impl Case {
    pub(crate) fn request(&self, worker: &Worker) -> Request {
        (self.make)(worker)
    }
}

fn config(keys: &[&str], rules: &Value, more: &Value) -> String {
    let mut provider = json!({
        "issuer": "https://idp.example",
        "claim_to_headers": [{ "header_name": "x-jwt-sub", "claim_name": "sub" }],
        "local_jwks": { "inline_string": keyring().jwks(keys).unwrap() },
    });
    provider.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    json!({ "host_crypto": false, "providers": { "p": provider }, "rules": rules }).to_string()
}

fn one_rule() -> Value {
    json!([{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }])
}

/// Rules of each kind, as an API has them.
fn many_rules() -> Value {
    let mut rules: Vec<Value> = (0..40)
        .map(|n| {
            json!({ "match": { "path_template": format!("/team-{n}/{{user}}/orders/{{rest=**}}") },
                    "requires": { "provider_name": "p" } })
        })
        .collect();
    rules.extend((0..4).map(|n| {
        json!({ "match": { "safe_regex": { "regex": format!("/v{n}/([a-z0-9]+/)*(report|export)-[0-9]{{1,8}}") } },
                "requires": { "provider_name": "p" } })
    }));
    rules.push(json!({ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }));
    rules.into()
}

/// Rules that look at a parameter each, or all at one.
fn by_query() -> String {
    let rules: Vec<Value> = (0..45)
        .map(|n| {
            json!({ "match": { "prefix": "/", "query_parameters": [ { "name": "q", "string_match": { "exact": format!("{n}") } } ] },
                    "requires": { "provider_name": "p" } })
        })
        .collect();
    config(&["p256-1"], &rules.into(), &json!({}))
}

pub(crate) fn bearer(token: &str) -> Request {
    Request::get("/orders/7").with("authorization", format!("Bearer {token}"))
}

/// A request as every client sends it: a token that has not been here before.
pub(crate) fn ordinary() -> Case {
    let more = json!({});
    Case {
        name: "a token by RS256 that comes for the first time",
        config: config(&["rsa-1"], &one_rule(), &more),
        make: |worker| bearer(&worker.token(r#"key=rsa-1 scope="orders:read orders:write" jti=1"#)),
    }
}

/// Keys without a name, whose moduli are odd numbers of 4096 bits.
fn large_keys() -> String {
    let modulus = format!("x{}E", "V".repeat(681));
    let key = keyring().jwk("rsa-1", &[("n", &modulus), ("kid", "-")]).unwrap();
    let keys = json!({ "keys": vec![key; 5] }).to_string();
    config(&["p256-1"], &one_rule(), &json!({ "local_jwks": { "inline_string": keys } }))
}

/// A token of this payload, filled up to the largest size that is looked at.
fn large(open: &str, unit: &str, close: &str) -> String {
    let room = (TOKEN - 400) / 4 * 3;
    let count = (room - open.len() - close.len()) / unit.len();
    format!("key=p256-1 payload='{open}{}{close}'", unit.repeat(count))
}

fn path(unit: &str) -> Request {
    Request::get(&unit.repeat(ROOM / unit.len()))
}

/// The worst of each kind.
pub(crate) fn worst() -> Vec<Case> {
    let case = |name, config, make| Case { name, config, make };
    let plain = || config(&["p256-1"], &one_rule(), &json!({}));
    let rules = || config(&["p256-1"], &many_rules(), &json!({}));
    let places = json!({ "from_headers": (0..3).map(|n| json!({ "name": format!("x-{n}") })).collect::<Vec<_>>(),
        "from_params": (0..3).map(|n| format!("t{n}")).collect::<Vec<_>>(),
        "from_cookies": (0..3).map(|n| format!("t{n}")).collect::<Vec<_>>() });
    let exports = json!({ "payload_in_metadata": "claims", "forward_payload_header": "x-payload" });
    vec![
        case("a token of 8 KiB: one claim after the other", plain(), |w| {
            let claims = (0..).map(|n| format!(r#""c{n}":{n},"#)).scan(0, |length, member| {
                *length += member.len();
                (*length < 5_600).then_some(member)
            });
            let claims: String = claims.collect();
            bearer(&w.token(&format!(
                r#"key=p256-1 payload='{{{claims}"iss":"https://idp.example","exp":99999999999}}'"#
            )))
        }),
        case("a token of 8 KiB: a list of 2,800 numbers", plain(), |w| {
            bearer(&w.token(&large(
                r#"{"iss":"https://idp.example","exp":99999999999,"x":["#,
                "1,",
                "1]}",
            )))
        }),
        case("a token of 8 KiB: lists in lists, beyond the limit", plain(), |w| {
            bearer(&w.token(&large(r#"{"x":"#, "[", "1}")))
        }),
        case("a token of 8 KiB: lists within the limit, again and again", plain(), |w| {
            let nest = format!("{}{},", "[".repeat(60), "]".repeat(60));
            bearer(&w.token(&large(
                r#"{"iss":"https://idp.example","exp":99999999999,"x":["#,
                &nest,
                "1]}",
            )))
        }),
        case("a token of 8 KiB: escapes", config(&["p256-1"], &one_rule(), &exports), |w| {
            bearer(&w.token(&large(
                r#"{"iss":"https://idp.example","exp":99999999999,"x":""#,
                r"\u00e9",
                r#""}"#,
            )))
        }),
        case("a token of 59 KiB", plain(), |_| bearer(&"a".repeat(ROOM))),
        case("59 KiB of dots", plain(), |_| bearer(&".".repeat(ROOM))),
        case("59 KiB of commas and schemes", plain(), |_| {
            Request::get("/").with("authorization", "Basic x, Bearer,".repeat(ROOM / 16))
        }),
        case("no kid: four keys of 4096 bits are tried", large_keys(), |w| {
            let token = w.token("key=rsa-1 kid=-");
            let (signed, _) = token.rsplit_once('.').unwrap();
            bearer(&format!("{signed}.{}Q", "V".repeat(682)))
        }),
        case(
            "no kid: four keys of P-521 are tried",
            config(&["p521-1", "p521-2", "p521-3", "p521-4", "p521-5"], &one_rule(), &json!({})),
            |w| bearer(&w.token("key=p521-6 kid=-")),
        ),
        case("tokens in 9 places", config(&["p256-1"], &one_rule(), &places), |w| {
            let token = w.token("key=p256-1");
            let query: Vec<_> = (0..3).map(|n| format!("t{n}={token}")).collect();
            let mut request = Request::get(&format!("/?{}", query.join("&")))
                .with("cookie", (0..3).map(|n| format!("t{n}={token}; ")).collect::<String>());
            for n in 0..3 {
                request = request.with(&format!("x-{n}"), &token);
            }
            request
        }),
        case(
            "a cookie line of 59 KiB, 3 names looked for",
            config(&["p256-1"], &one_rule(), &places),
            |_| Request::get("/").with("cookie", "a=b;".repeat(ROOM / 4)),
        ),
        case(
            "a query of 59 KiB with escapes, 3 names looked for",
            config(&["p256-1"], &one_rule(), &places),
            |_| Request::get(&format!("/?{}", "%61=b&".repeat(ROOM / 6))),
        ),
        case("a query of 59 KiB with escapes, 45 rules by query", by_query(), |_| {
            let path = r"/%2e%2e/\..;a//b".repeat(16);
            Request::get(&format!("{path}?{}", "%71=b&".repeat(ROOM / 6 - 64)))
        }),
        case("90 headers of 600 bytes", plain(), |_| {
            let name = |n: usize| format!("x-{n}-{}", "a".repeat(590));
            (0..90).fold(Request::get("/"), |request, n| request.with(&name(n), "v"))
        }),
        case("a plain path of 59 KiB, 45 rules", rules(), |_| path("/v1/a")),
        case("59 KiB of escapes in a path, 45 rules", rules(), |_| path("/%61")),
        case("59 KiB of all liberties in a path, 45 rules", rules(), |_| path(r"/%2e%2e/\..;a//b")),
        case("8 KiB of all liberties in a path, 45 rules", rules(), |_| {
            Request::get(&r"/%2e%2e/\..;a//b".repeat(512))
        }),
        case("512 bytes of all liberties in a path, 45 rules", rules(), |_| {
            Request::get(&r"/%2e%2e/\..;a//b".repeat(32))
        }),
        case("59 KiB for an expression", rules(), |_| {
            Request::get(&format!("/v1/{}", "a/".repeat(ROOM / 2)))
        }),
        case("59 KiB of escapes for an expression", rules(), |_| {
            Request::get(&format!("/v1/{}", "%61/".repeat(ROOM / 4)))
        }),
    ]
}
