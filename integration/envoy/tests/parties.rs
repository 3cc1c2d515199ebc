//! The parties around Envoy do what their documentation says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Envoy, Error, Fault, Filter, Idp, Listener, Options,
    Request, Seen, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

/// Envoy with the clusters `upstream` and `idp`, and what stands behind them.
struct Stage {
    envoy: Envoy,
    idp: Idp,
    _upstream: Upstream,
}

impl Stage {
    fn new(listener: Listener) -> Self {
        let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
        let bootstrap = Bootstrap::new()
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .cluster(Cluster::empty("nobody"))
            .listener(listener);
        let envoy = Envoy::start(&bootstrap, &Options::default());
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { envoy, idp, _upstream: upstream }
    }

    fn client(&self, listener: &str) -> Client {
        Client::new(self.envoy.address(listener).unwrap())
    }
}

/// Envoy's own filter, with the keys that the identity provider has under this path.
fn native(path: &str) -> Filter {
    Filter::JwtAuthn(json!({
        "providers": { "p": {
            "issuer": "https://idp.example",
            "audiences": ["api"],
            "claim_to_headers": [{ "header_name": "x-user", "claim_name": "sub" }],
            "remote_jwks": { "http_uri": {
                "uri": format!("http://idp.test{path}"), "cluster": "idp", "timeout": "0.3s",
            } },
        } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    }))
}

#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn get(target: &str) -> Request {
    Request::new("GET", target).header("host", "api.example")
}

#[test]
fn the_upstream_tells_what_it_saw_byte_for_byte() {
    let stage = Stage::new(Listener::new("plain"));
    let request = Request::new("POST", "//a/../b/%2e%2E;x\\y?q=%zz")
        .header("host", "api.example")
        .header("x-many", "1")
        .header("x-bytes", b"\xff\xfe".as_slice())
        .header("x-many", "2")
        .body("four");
    let answer = stage.client("plain").send(&request).unwrap();
    let seen = Seen::from_answer(&answer).unwrap();
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", "four"));
    assert_eq!(seen.target, "//a/../b/%2e%2E;x\\y?q=%zz");
    assert_eq!(seen.values("x-many"), ["1", "2"]);
    assert_eq!(seen.values("x-bytes"), ["\u{ff}\u{fe}"]);
    assert_eq!(seen.values("host"), ["api.example"]);
    assert!(seen.values("x-request-id").is_empty());
}

#[test]
fn the_upstream_tells_what_it_saw_of_a_head_request_too() {
    let stage = Stage::new(Listener::new("plain"));
    let request = Request::new("HEAD", "/a").header("host", "api.example");
    let answer = stage.client("plain").send(&request.header("x-bytes", b"\xff\x80".as_slice()));
    let seen = Seen::from_answer(&answer.unwrap()).unwrap();
    assert_eq!((seen.method.as_str(), seen.values("x-bytes")), ("HEAD", vec!["\u{ff}\u{80}"]));
}

#[test]
fn an_answer_of_the_proxy_is_not_taken_for_the_upstreams() {
    let stage = Stage::new(Listener::new("guarded").filter(native("/jwks.json")));
    let answer = stage.client("guarded").send(&get("/")).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (401, "Jwt is missing"));
    assert_eq!(Seen::from_answer(&answer), None);
}

#[test]
fn a_listener_can_be_added_while_envoy_runs() {
    let stage = Stage::new(Listener::new("first"));
    for name in ["second", "third"] {
        let address = stage.envoy.listen(Listener::new(name)).unwrap();
        let answer = Client::new(address).send(&get("/")).unwrap();
        assert!(Seen::from_answer(&answer).is_some(), "{name}");
    }
    let broken = Listener::new("broken").filter(Filter::JwtAuthn(json!({ "rulez": [] })));
    let refused = stage.envoy.listen(broken);
    let Err(Error::Refused { log }) = refused else { panic!("{refused:?}") };
    assert!(log.iter().any(|line| line.contains("rulez")), "{log:?}");
    assert!(matches!(stage.envoy.address("broken"), Err(Error::NoListener(_))));
    stage.envoy.listen(Listener::new("after the broken one")).unwrap();
    stage.envoy.close("second").unwrap();
    stage.envoy.listen(Listener::new("fourth")).unwrap();
    assert!(matches!(stage.envoy.address("second"), Err(Error::NoListener(_))));
}

#[test]
fn validation_says_what_is_wrong() {
    let bootstrap = |filter| Bootstrap::new().listener(Listener::new("l").filter(filter));
    let upstream = Cluster::empty("upstream");
    let good = bootstrap(Filter::JwtAuthn(json!({}))).cluster(upstream.clone());
    Envoy::validate(&good).unwrap_or_else(|error| panic!("{error}"));
    let bad = bootstrap(Filter::JwtAuthn(json!({ "rulez": [] }))).cluster(upstream);
    let Err(Error::Refused { log }) = Envoy::validate(&bad) else { panic!("not refused") };
    assert!(log.iter().any(|line| line.contains("rulez")), "{log:?}");
}

#[test]
fn a_bootstrap_that_is_refused_is_an_error_with_envoys_words() {
    let wrong = Listener::new("l").filter(Filter::Other(json!({ "name": "no.such.filter" })));
    let bootstrap = Bootstrap::new().cluster(Cluster::empty("upstream")).listener(wrong);
    let Err(Error::Refused { log }) = Envoy::start(&bootstrap, &Options::default()) else {
        panic!("not refused");
    };
    assert!(log.iter().any(|line| line.contains("no.such.filter")), "{log:?}");
}

#[test]
fn envoy_is_gone_when_it_is_dropped() {
    let stage = Stage::new(Listener::new("l"));
    let admin = stage.envoy.admin_address();
    assert_eq!(stage.envoy.admin("/ready").unwrap().trim(), "LIVE");
    drop(stage);
    assert!(std::net::TcpStream::connect(admin).is_err());
}

#[test]
fn a_token_of_the_keyring_passes_envoys_own_filter_and_a_bad_one_does_not() {
    let (keyring, now) = (Keyring::new(), now());
    let stage = Stage::new(Listener::new("guarded").filter(native("/jwks.json")));
    let keys = keyring.jwks(&["rsa-1", "p256-1", "ed25519-1"]).unwrap();
    stage.idp.set("/jwks.json", Behaviour::ok(keys));
    let client = stage.client("guarded");
    for (words, expected) in [
        ("", Ok("alice")),
        ("key=p256-1 sub=bob", Ok("bob")),
        ("key=ed25519-1", Ok("alice")),
        ("exp=-600", Err((401, "Jwt is expired"))),
        ("key=rsa-forger kid=rsa-1", Err((401, "Jwt verification fails"))),
        ("aud=other", Err((403, "Audiences in Jwt are not allowed"))),
    ] {
        let token = keyring.mint(now, words).unwrap();
        let request = get("/").header("authorization", format!("Bearer {token}"));
        let answer = client.send(&request).unwrap();
        let text = answer.text();
        let came = match Seen::from_answer(&answer) {
            Some(seen) => Ok(seen.values("x-user").join(",")),
            None => Err((answer.status, text.as_str())),
        };
        assert_eq!(came, expected.map(str::to_owned), "{words}");
    }
    assert_eq!(stage.idp.requests("/jwks.json"), 1);
}

#[test]
fn the_faults_of_the_identity_provider_are_what_they_say() {
    let idp = Idp::start().unwrap();
    let keys = || Behaviour::ok(r#"{"keys":[]}"#);
    let rows = [
        ("/ok", keys(), Ok((200, 11))),
        ("/status", keys().with_status(500), Ok((500, 11))),
        ("/size", Behaviour::of_size(3_000_000), Ok((200, 3_000_000))),
        ("/reset", keys().with_fault(Fault::Reset), Err("unexpected end of file")),
        ("/headers", keys().with_fault(Fault::CutHeaders), Err("unexpected end of file")),
        ("/truncated", keys().with_fault(Fault::Truncated), Err("unexpected end of file")),
        ("/timeout", keys().with_fault(Fault::Timeout), Err("Resource temporarily unavailable")),
        ("/header", keys().with_header("cache-control", "max-age=60"), Ok((200, 11))),
    ];
    let client = Client::new(idp.address()).with_patience(Duration::from_millis(200));
    for (path, behaviour, expected) in rows {
        idp.set(path, behaviour);
        match (client.send(&get(path)), expected) {
            (Ok(answer), Ok(expected)) => {
                assert_eq!((answer.status, answer.body.len()), expected, "{path}");
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{path}: {error}");
            }
            (came, expected) => panic!("{path}: {came:?}, not {expected:?}"),
        }
        assert_eq!(idp.requests(path), 1, "{path}");
    }
    assert_eq!(client.send(&get("/nowhere")).unwrap().status, 404);
    let header = client.send(&get("/header?x=y")).unwrap();
    assert_eq!(header.values("cache-control"), ["max-age=60"]);
    idp.set_down(true);
    assert!(client.send(&get("/ok")).is_err());
    idp.set_down(false);
    assert_eq!(client.send(&get("/ok")).unwrap().status, 200);
    idp.stop();
    let refused = std::net::TcpStream::connect(idp.address()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    idp.resume().unwrap();
    assert_eq!(client.send(&get("/ok")).unwrap().status, 200);
}

#[test]
fn a_path_can_be_answered_by_a_function_of_the_query() {
    let idp = Idp::start().unwrap();
    idp.serve("/echo", |query| Behaviour::ok(query));
    let answer = Client::new(idp.address()).send(&get("/echo?a=b&c")).unwrap();
    assert_eq!(answer.text(), "a=b&c");
}

#[test]
fn envoy_meets_each_fault_of_the_identity_provider() {
    let token = Keyring::new().mint(now(), "key=p256-1").unwrap();
    let stage = Stage::new(Listener::new("l"));
    for (name, fault, statistic) in [
        ("reset", Fault::Reset, "cluster.idp.upstream_cx_destroy_remote_with_active_rq"),
        ("truncated", Fault::Truncated, "cluster.idp.upstream_cx_destroy_remote_with_active_rq"),
        ("timeout", Fault::Timeout, "cluster.idp.upstream_rq_timeout"),
    ] {
        let path = format!("/{name}/jwks.json");
        stage.idp.set(&path, Behaviour::ok(r#"{"keys":[]}"#).with_fault(fault));
        let listener = Listener::new(name).filter(native(&path));
        let client = Client::new(stage.envoy.listen(listener).unwrap());
        let before = stage.envoy.counter(statistic).unwrap();
        let request = get("/").header("authorization", format!("Bearer {token}"));
        let answer = client.send(&request).unwrap();
        let expected = (401, "Jwks remote fetch is failed");
        assert_eq!((answer.status, answer.text().as_str()), expected, "{name}");
        assert_eq!(stage.envoy.counter(statistic).unwrap(), before.saturating_add(1), "{name}");
        assert!(stage.idp.requests(&path) > 0, "{name}");
    }
}

#[test]
fn a_listener_is_named_in_envoys_own_words() {
    let stage = Stage::new(Listener::new("l"));
    let dump: Value = serde_json::from_str(&stage.envoy.admin("/config_dump").unwrap()).unwrap();
    assert!(dump.to_string().contains(r#""name":"l""#), "{dump}");
    assert!(matches!(stage.envoy.address("m"), Err(Error::NoListener(name)) if name == "m"));
}
