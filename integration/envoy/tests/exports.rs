//! What the module leaves for later filters of Envoy, and how Envoy answers gRPC requests for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use jwt_gate_envoy::{
    Answer, Bootstrap, Client, Cluster, Envoy, Filter, Idp, Listener, Module, Options, Request,
    Seen, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

/// An Envoy with the module, and what stands behind it.
struct Stage {
    envoy: Envoy,
    keyring: Keyring,
    _upstream: Upstream,
    _idp: Idp,
}

impl Stage {
    fn new(policy: &dyn Fn(&Keyring) -> Value, shape: impl Fn(Listener) -> Listener) -> Self {
        let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
        let keyring = Keyring::new();
        let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
        let module = Module::new("gate", file, policy(&keyring).to_string());
        let listener = shape(Listener::new("gate").filter(Filter::Wasm(module)));
        let bootstrap = Bootstrap::new()
            .cluster(Cluster::new("upstream", upstream.address()))
            .listener(listener);
        let envoy = Envoy::start(&bootstrap, &Options::default());
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { envoy, keyring, _upstream: upstream, _idp: idp }
    }

    #[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
    fn token(&self, words: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.keyring.mint(now, words).unwrap()
    }

    fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::new("GET", target).header("host", "api.example");
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        Client::new(self.envoy.address("gate").unwrap()).send(&request).unwrap()
    }

    fn get_with(&self, target: &str, words: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token(words));
        self.get(target, &[("authorization", &bearer)])
    }
}

fn provider(keyring: &Keyring) -> Value {
    json!({ "issuer": "https://idp.example", "audiences": ["api"],
        "local_jwks": { "inline_string": keyring.jwks(&["p256-1"]).unwrap() } })
}

fn exporting(keyring: &Keyring) -> Value {
    let mut provider = provider(keyring);
    let members = provider.as_object_mut().unwrap();
    for (name, value) in [
        ("payload_in_metadata", json!("jwt_payload")),
        ("header_in_metadata", json!("jwt_header")),
        ("failed_status_in_metadata", json!("jwt_status")),
        ("clear_route_cache", json!(true)),
        ("claim_to_headers", json!([{ "header_name": "x-tenant", "claim_name": "tenant" }])),
    ] {
        members.insert(name.to_owned(), value);
    }
    json!({ "providers": { "p": provider },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }] })
}

fn filter(name: &str, message: &str, mut config: Value) -> Filter {
    let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{message}");
    config.as_object_mut().unwrap().insert("@type".to_owned(), json!(kind));
    Filter::Other(json!({ "name": name, "typed_config": config }))
}

/// Lets only those through whose claims say that they are of the tenant `blue`.
fn rbac() -> Filter {
    let blue = json!({ "filter_state": {
        "key": "wasm.jwt_payload", "string_match": { "contains": r#""tenant":"blue""# },
    } });
    let policy = json!({ "permissions": [{ "any": true }], "principals": [blue] });
    let rules = json!({ "action": "ALLOW", "policies": { "blue": policy } });
    filter("rbac", "rbac.v3.RBAC", json!({ "rules": rules }))
}

/// Tells the upstream the claims once more.
fn lua() -> Filter {
    let code = "function envoy_on_request(handle)\n\
        local claims = handle:streamInfo():filterState():get('wasm.jwt_payload')\n\
        handle:headers():replace('x-lua', tostring(claims))\nend";
    let source = json!({ "default_source_code": { "inline_string": code } });
    filter("lua", "lua.v3.Lua", source)
}

#[expect(clippy::disallowed_methods, reason = "a file is written after a while")]
fn lines_of(file: &Path, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count || start.elapsed() > Duration::from_secs(10) {
            return lines;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn later_filters_and_the_access_log_read_what_the_module_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let format = "%RESPONSE_CODE% %FILTER_STATE(wasm.jwt_header:PLAIN)% \
        %FILTER_STATE(wasm.jwt_status:PLAIN)% %CEL(filter_state['wasm.jwt_payload'].contains('blue'))%";
    let stage = Stage::new(&exporting, |listener| {
        listener.filter(lua()).filter(rbac()).access_log(&log, format)
    });
    let answer = stage.get_with("/", "key=p256-1 tenant=blue");
    let seen = Seen::from_answer(&answer).unwrap();
    assert!(seen.values("x-lua").concat().contains(r#""tenant":"blue""#), "{seen:?}");
    let answer = stage.get_with("/", "key=p256-1 tenant=red");
    assert_eq!((answer.status, answer.text().as_str()), (403, "RBAC: access denied"));
    assert_eq!(stage.get("/", &[]).status, 401);
    assert_eq!(stage.get_with("/", "key=p256-1 exp=-600").status, 401);
    let header = r#"{"alg":"ES256","kid":"p256-1"}"#;
    assert_eq!(
        lines_of(&log, 4),
        [
            format!("200 {header} - true"),
            format!("403 {header} - false"),
            r#"401 - {"code":1,"message":"Jwt is missing"} -"#.to_owned(),
            r#"401 - {"code":3,"message":"Jwt is expired"} -"#.to_owned(),
        ]
    );
}

#[test]
fn a_route_is_chosen_by_a_claim() {
    let route = json!({
        "match": { "prefix": "/", "headers": [
            { "name": "x-tenant", "string_match": { "exact": "blue" } } ] },
        "direct_response": { "status": 299, "body": { "inline_string": "the blue one" } },
    });
    let stage = Stage::new(&exporting, |listener| listener.route(route.clone()));
    let answer = stage.get_with("/", "key=p256-1 tenant=blue");
    assert_eq!((answer.status, answer.text().as_str()), (299, "the blue one"));
    let answer = stage.get_with("/", "key=p256-1 tenant=red");
    assert!(Seen::from_answer(&answer).is_some(), "{answer:?}");
}

/// Status and message of a gRPC answer, and its challenge.
fn grpc(answer: &Answer) -> (u16, String, String, String) {
    let one = |name: &str| answer.values(name).join(",");
    assert_eq!(one("content-type"), "application/grpc", "{answer:?}");
    assert!(answer.body.is_empty(), "{answer:?}");
    (answer.status, one("grpc-status"), one("grpc-message"), one("www-authenticate"))
}

#[test]
fn grpc_requests_are_answered_as_the_native_filter_answers_them() {
    let policy = |keyring: &Keyring| {
        json!({ "providers": { "p": provider(keyring) }, "rules": [
            { "match": { "prefix": "/scoped" }, "requires": { "provider_name": "p" },
              "authorize": { "scopes": ["write"] } },
            { "match": { "prefix": "/api" }, "requires": { "provider_name": "p" } } ] })
    };
    let stage = Stage::new(&policy, |listener| listener);
    let bearer = |words: &str| format!("Bearer {}", stage.token(words));
    let realm = |path: &str| format!("Bearer realm=\"http://api.example{path}\"");
    let invalid = format!("{}, error=\"invalid_token\"", realm("/api"));
    let scope = "error=\"insufficient_scope\", scope=\"write\"";
    let (good, other) = (bearer("key=p256-1"), bearer("key=p256-1 aud=other"));
    let rows = [
        ("/api", "", "16", "Jwt is missing", realm("/api")),
        (
            "/api",
            "Bearer a.b.c",
            "16",
            "Jwt header is an invalid Base64url encoded",
            invalid.clone(),
        ),
        ("/api", &other, "7", "Audiences in Jwt are not allowed", invalid),
        ("/scoped", &good, "7", "RBAC: access denied", format!("{}, {scope}", realm("/scoped"))),
        ("/nowhere", "", "7", "RBAC: access denied", String::new()),
        ("//api", "", "13", "Bad Request", String::new()),
    ];
    for kind in ["application/grpc", "application/grpc+proto"] {
        for (target, authorization, status, message, challenge) in &rows {
            let mut headers = vec![("content-type", kind)];
            if !authorization.is_empty() {
                headers.push(("authorization", authorization));
            }
            let came = grpc(&stage.get(target, &headers));
            let expected = (200, (*status).to_owned(), (*message).to_owned(), challenge.clone());
            assert_eq!(came, expected, "{kind} {target}");
        }
    }
    let web = stage.get("/api", &[("content-type", "application/grpc-web")]);
    assert_eq!((web.status, web.text().as_str()), (401, "Jwt is missing"));
}
