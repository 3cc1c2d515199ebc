//! What `docs/monitoring.md` says can be read in Envoy can be read in Envoy.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use jwt_gate_envoy::{
    Bootstrap, Client, Cluster, Envoy, Filter, Listener, Module, Options, Request, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring.md");
    fs::read_to_string(file).unwrap()
}

/// The block behind this comment.
fn example(name: &str) -> String {
    let page = page();
    let (_, behind) = page.split_once(&format!("<!-- {name} -->\n```json\n")).unwrap();
    behind.split_once("\n```").unwrap().0.to_owned()
}

/// The format of the access log.
fn format() -> String {
    let page = page();
    let (_, behind) = page.split_once("inline_string: '").unwrap();
    behind.split_once("'\n").unwrap().0.to_owned()
}

fn policy(keyring: &Keyring) -> Value {
    json!({
        "audit": { "log": "denied", "claims": ["sub", "client_id"] },
        "providers": { "corp": { "issuer": "https://idp.example", "audiences": ["api"],
            "local_jwks": { "inline_string": keyring.jwks(&["p256-1"]).unwrap() } } },
        "rules": [{ "name": "orders", "match": { "path_template": "/orders/{id}" },
            "requires": { "provider_name": "corp" }, "authorize": { "scopes": ["orders"] } }],
    })
}

/// Passes on only what the gate says is of the rule `orders`.
fn rbac() -> Filter {
    let orders = json!({ "filter_state": {
        "key": "wasm.jwt_gate", "string_match": { "contains": r#""rule":"orders""# },
    } });
    let policies =
        json!({ "orders": { "permissions": [{ "any": true }], "principals": [orders] } });
    let kind = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
    let config = json!({ "@type": kind, "rules": { "action": "ALLOW", "policies": policies } });
    Filter::Other(json!({ "name": "rbac", "typed_config": config }))
}

/// What `read` gives as soon as it gives something, or else a failure.
#[expect(clippy::disallowed_methods, reason = "Envoy writes its files after a while")]
fn soon<T>(what: &str, read: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = read() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The text with this time in the place of each.
fn at_one_time(text: &str) -> String {
    let mut parts = text.split("\"time\":\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('"').unwrap();
        out.push_str("\"time\":\"2026-11-25T07:30:12.345Z\"");
        out.push_str(rest);
    }
    out
}

#[test]
#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
fn decisions_are_in_the_log_in_the_access_log_and_in_filter_state_as_the_page_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let access_log = folder.path().join("access.log");
    let (upstream, keyring) = (Upstream::start().unwrap(), Keyring::new());
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let module = Module::new("gate", file, policy(&keyring).to_string());
    let listener = Listener::new("gate").filter(Filter::Wasm(module)).filter(rbac());
    let listener = listener.access_log(&access_log, &format());
    let bootstrap =
        Bootstrap::new().cluster(Cluster::new("upstream", upstream.address())).listener(listener);
    let envoy = Envoy::start(&bootstrap, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let send = |method: &str, words: Option<&str>| {
        let request = Request::new(method, "/orders/7").header("host", "api.example");
        let token = words.map(|words| keyring.mint(now, words).unwrap());
        let request = token.iter().fold(request, |request, token| {
            request.header("authorization", format!("Bearer {token}"))
        });
        Client::new(envoy.address("gate").unwrap()).send(&request).unwrap().status
    };
    assert_eq!(send("GET", None), 401);
    assert_eq!(send("GET", Some("key=p256-1 exp=+600 scope=orders")), 200);
    assert_eq!(send("DELETE", Some("key=p256-1 exp=+600 client_id=app")), 403);

    let lines = soon("a line for each request", || {
        let text = fs::read_to_string(&access_log).ok()?;
        let lines: Vec<_> = text.lines().map(at_one_time).collect();
        (lines.len() == 3).then_some(lines)
    });
    assert_eq!(
        lines.iter().take(2).collect::<Vec<_>>(),
        [&example("access log: missing"), &example("access log: ok"),]
    );
    let log = soon("the audit lines", || {
        let lines = envoy.log_since(0);
        let lines = lines.iter().filter_map(|line| line.get(line.find("{\"audit\"")?..));
        let lines: Vec<_> = lines.map(at_one_time).collect();
        (lines.len() == 2).then_some(lines)
    });
    assert_eq!(log.last(), Some(&example("audit line: scope")));
}
