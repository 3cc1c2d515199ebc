//! Keys that are rotated every second, four workers, requests without a pause.
//!
//! `SOAK_SECONDS` says how long; `make soak` runs it for a minute.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code; Envoy takes its time from the same clock"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Envoy, Filter, Idp, Listener, Module, Options, Request,
    Upstream,
};
use jwt_gate_scenario::Keyring;

/// Threads that send requests.
const CLIENTS: usize = 4;
/// How many of the newest keys are published: older ones have been taken back.
const PUBLISHED: usize = 4;
const CONFIG: &str = r#"{ "providers": { "p": { "issuer": "https://idp.example",
    "remote_jwks": { "http_uri": { "uri": "http://idp.test/jwks", "cluster": "idp", "timeout": "2s" },
      "min_interval": "1s", "max_wait": "3s" } } },
  "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ] }"#;

/// What a client has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Good tokens by the status that they got.
    good: BTreeMap<u16, u64>,
    /// Forged tokens by the status that they got.
    forged: BTreeMap<u16, u64>,
    longest: Duration,
}

fn key(number: usize) -> String {
    format!("ed25519-{number}")
}

/// A token by the newest key, and each eighth one forged.
fn run(client: Client, keyring: &Keyring, newest: &AtomicUsize, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    for count in 0_u64.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let forged = count % 8 == 7;
        let sign = if forged { " sign=broken" } else { "" };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let words = format!("key={}{sign}", key(newest.load(Ordering::SeqCst)));
        let token = keyring.mint(now, &words).unwrap();
        let request = Request::new("GET", "/").header("host", "api.example");
        let begun = Instant::now();
        let answer =
            client.send(&request.header("authorization", format!("Bearer {token}"))).unwrap();
        seen.longest = seen.longest.max(begun.elapsed());
        let counts = if forged { &mut seen.forged } else { &mut seen.good };
        *counts.entry(answer.status).or_default() += 1;
    }
    seen
}

#[test]
fn no_good_token_is_refused_while_keys_are_rotated_every_second() {
    let seconds = std::env::var("SOAK_SECONDS").ok().map_or(10, |text| text.parse().unwrap());
    let keyring = Arc::new(Keyring::new());
    let newest = Arc::new(AtomicUsize::new(0));
    let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
    let publish = |number: usize| {
        let keys: Vec<_> = (number.saturating_sub(PUBLISHED - 1)..=number).map(key).collect();
        let names: Vec<_> = keys.iter().map(String::as_str).collect();
        idp.set("/jwks", Behaviour::ok(keyring.jwks(&names).unwrap()));
        // Only what is published signs tokens.
        newest.store(number, Ordering::SeqCst);
    };
    publish(0);
    let module = Module::new("soak", Envoy::module().unwrap(), CONFIG);
    let bootstrap = Bootstrap::new()
        .cluster(Cluster::new("upstream", upstream.address()))
        .cluster(Cluster::new("idp", idp.address()))
        .listener(Listener::new("soak").filter(Filter::Wasm(module)));
    let mut options = Options::default();
    options.concurrency = 4;
    let envoy = Envoy::start(&bootstrap, &options).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(envoy.address("soak").unwrap());

    let over = AtomicBool::new(false);
    let all: Vec<Seen> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| run(client, &keyring, &newest, &over))).collect();
        for number in 1..=seconds {
            thread::sleep(Duration::from_secs(1));
            publish(number);
        }
        over.store(true, Ordering::SeqCst);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });

    let sum = |of: fn(&Seen) -> &BTreeMap<u16, u64>, wrong: fn(u16) -> bool| {
        let counts = all.iter().flat_map(of).map(|(status, count)| (*status, *count));
        counts.fold((0, 0), |(total, bad), (status, count)| {
            (total + count, if wrong(status) { bad + count } else { bad })
        })
    };
    let (good, refused) = sum(|seen| &seen.good, |status| !matches!(status, 200 | 503));
    let (_, put_off) = sum(|seen| &seen.good, |status| status == 503);
    let (forged, passed) = sum(|seen| &seen.forged, |status| !matches!(status, 401 | 503));
    let longest = all.iter().map(|seen| seen.longest).max().unwrap_or_default();
    let fetches = idp.requests("/jwks");
    println!(
        "{seconds} s: {good} good tokens, {refused} wrongly refused, {put_off} put off with 503; \
         {forged} forged, {passed} wrongly passed; {fetches} fetches; longest request {longest:?}"
    );
    assert_eq!((refused, passed), (0, 0), "{all:#?}");
    assert!(put_off * 100 <= good, "{put_off} of {good} put off");
    // One fetch a rotation, and one more at the start.
    let most = u64::try_from(seconds).unwrap() * 3 / 2 + 2;
    assert!(fetches <= most, "{fetches} fetches in {seconds} s");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}
