//! The list of capabilities in `capabilities.yaml` is enough, and not one of them too long.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jwt_gate_envoy::{
    Answer, Behaviour, Bootstrap, Client, Cluster, Envoy, Filter, Idp, Listener, Options, Request,
    Seen, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

use crate::stage::{gate, list, now, read};

/// What no answer shows to be missing, each with what is then lost.
const UNSEEN: [(&str, &str); 3] = [
    ("proxy_get_shared_data", "every worker fetches keys for itself"),
    ("proxy_on_delete", "the memory of a request is never free again"),
    ("proxy_set_shared_data", "every worker fetches keys for itself"),
];

/// A request that waits for keys is given that long.
const PATIENCE: Duration = Duration::from_secs(3);

/// The filter of the example with a policy that uses what the module can do, in a VM of its own.
fn filter(name: &str, without: &str) -> Value {
    let mut bootstrap = read("capabilities.yaml");
    let listener = &mut list(&mut bootstrap["static_resources"]["listeners"])[0];
    let mut filter = gate(listener).take();
    let config = &mut filter["typed_config"]["config"];
    let allowed = &mut config["capability_restriction_config"]["allowed_capabilities"];
    allowed.as_object_mut().unwrap().remove(without);
    config["name"] = json!(name);
    config["root_id"] = json!(name);
    config["vm_config"]["vm_id"] = json!(name);
    config["vm_config"]["code"]["local"]["filename"] = json!(Envoy::module().unwrap());
    // The body is then shown to the filter while it waits.
    config["allow_on_headers_stop_iteration"] = json!(true);
    config["configuration"]["value"] = json!({
        "stat_prefix": name,
        "providers": { name: {
            "issuer": "https://idp.example",
            "claim_to_headers": [{ "header_name": "x-user", "claim_name": "sub" }],
            "payload_in_metadata": "jwt",
            "from_headers": [{ "name": "authorization", "value_prefix": "Bearer " }],
            "from_params": ["token"],
            "remote_jwks": { "http_uri": {
                "uri": format!("http://idp.test/{name}"), "cluster": "idp", "timeout": "60s" } } } },
        "rules": [{ "match": { "prefix": "/public" } },
            { "match": { "prefix": "/" }, "requires": { "provider_name": name } }],
    });
    filter
}

fn capabilities() -> Vec<String> {
    let mut bootstrap = read("capabilities.yaml");
    let listener = &mut list(&mut bootstrap["static_resources"]["listeners"])[0];
    let config = &gate(listener)["typed_config"]["config"]["capability_restriction_config"];
    config["allowed_capabilities"].as_object().unwrap().keys().cloned().collect()
}

fn listener(name: &str, without: &str) -> Listener {
    let trailers = json!({ "enable_trailers": true });
    let listener = Listener::new(name).filter(Filter::Other(filter(name, without)));
    listener.manager("http_protocol_options", trailers)
}

struct Stage {
    envoy: Envoy,
    keyring: Keyring,
    /// Whether the identity provider answers.
    open: Arc<AtomicBool>,
    _idp: Idp,
    _upstream: Upstream,
}

impl Stage {
    /// An Envoy in which one listener has everything.
    fn open(names: &[&str]) -> Self {
        let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
        let (keyring, open) = (Keyring::new(), Arc::new(AtomicBool::new(false)));
        for name in names {
            let (open, keys) = (Arc::clone(&open), keyring.jwks(&["ed25519-1"]).unwrap());
            idp.serve(&format!("/{name}"), move |_| {
                while !open.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(20));
                }
                Behaviour::ok(keys.clone())
            });
        }
        let bootstrap = Bootstrap::new()
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .listener(listener("all", ""));
        let envoy = Envoy::start(&bootstrap, &Options::default());
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { envoy, keyring, open, _idp: idp, _upstream: upstream }
    }

    fn token(&self, words: &str) -> String {
        self.keyring.mint(now(), &format!("key=ed25519-1 {words}")).unwrap()
    }

    /// Checks all that a listener has to do, up to the first thing that it does not.
    fn check(
        &self,
        name: &str,
        at: SocketAddr,
        held: &[Option<Answer>],
    ) -> Result<(), &'static str> {
        let get = |target: &str, headers: &[(&str, &str)]| {
            let request = Request::new("GET", target).header("host", "api.example");
            let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
            Client::new(at).with_patience(PATIENCE).send(&request).ok()
        };
        let bearer = |words: &str| format!("Bearer {}", self.token(words));
        let waited = |answer: Option<&Option<Answer>>| {
            let seen = Seen::from_answer(answer?.as_ref()?)?;
            (is_alice(&seen) && seen.body == "body").then_some(())
        };
        waited(held.first()).ok_or("a body waits with its request")?;
        waited(held.get(1)).ok_or("trailers wait with their request")?;
        let spoofed = get("/public", &[("x-user", "mallory")]);
        let seen = spoofed.as_ref().and_then(Seen::from_answer);
        let is_clean = seen.is_some_and(|seen| seen.values("x-user").is_empty());
        is_clean.then_some(()).ok_or("what only the gate may write is removed")?;
        let none = get("/", &[]).filter(|answer| answer.status == 401);
        let none = none.filter(|answer| !answer.values("www-authenticate").is_empty());
        none.ok_or("who has no token is told so")?;
        let forged = get("/", &[("authorization", &bearer("sign=broken"))]);
        forged.filter(|answer| answer.status == 401).ok_or("a forged token is refused")?;
        let query = get(&format!("/a?b=1&token={}", self.token("")), &[]);
        let seen = query.as_ref().and_then(Seen::from_answer);
        let is_cut = seen.is_some_and(|seen| seen.target == "/a?b=1" && is_alice(&seen));
        is_cut.then_some(()).ok_or("a token in the query does not get to the upstream")?;
        let counter = format!("wasmcustom.jwt_gate.outcomes.{name}.ok.{name}");
        // Counters are told at ticks.
        let counted = (0..60).any(|_| {
            thread::sleep(Duration::from_millis(50));
            self.envoy.counter(&counter).is_ok_and(|count| count > 0)
        });
        counted.then_some(()).ok_or("requests are counted")?;
        let gauge = format!("wasmcustom.jwt_gate.documents.{name}.keys.entries");
        let shown = self.envoy.counter(&gauge).is_ok_and(|keys| keys == 1);
        shown.then_some(()).ok_or("the keys at hand are shown")?;
        let (log, loaded) =
            (self.envoy.log_since(0), format!(" {name} {name}: configuration loaded"));
        let line = log.iter().find(|line| line.contains(&loaded));
        let line = line.ok_or("the log says what was loaded")?;
        let verifies = line.contains("which verifies RS");
        verifies.then_some(()).ok_or("Envoy verifies signatures")
    }
}

fn is_alice(seen: &Seen) -> bool {
    seen.values("x-user") == ["alice"]
}

/// Sends what has to wait for keys to every listener at once, and lets them come.
fn held(
    stage: &Stage,
    listeners: &BTreeMap<&str, SocketAddr>,
) -> BTreeMap<String, Vec<Option<Answer>>> {
    let bearer = format!("Bearer {}", stage.token(""));
    let request = || {
        let request = Request::new("POST", "/").header("host", "api.example");
        request.header("authorization", bearer.as_str())
    };
    let forms = [request().body("body"), request().chunk_and_trailer("body", ("x-end", "1"))];
    thread::scope(|scope| {
        let mut waiting = Vec::new();
        for (name, at) in listeners {
            let client = Client::new(*at).with_patience(PATIENCE);
            let send = |request| scope.spawn(move || client.send(request).ok());
            waiting.push((name.to_string(), forms.iter().map(send).collect::<Vec<_>>()));
        }
        thread::sleep(Duration::from_millis(500));
        stage.open.store(true, Ordering::SeqCst);
        let join = |handles: Vec<thread::ScopedJoinHandle<'_, _>>| {
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        };
        waiting.into_iter().map(|(name, handles)| (name, join(handles))).collect()
    })
}

#[test]
fn without_any_of_the_capabilities_something_is_missing() {
    let capabilities = capabilities();
    let names: Vec<_> = capabilities.iter().map(String::as_str).chain(["all"]).collect();
    let stage = Stage::open(&names);
    let each = capabilities.iter().map(|name| listener(name, name)).collect();
    let taken = stage.envoy.listen_all(each).unwrap_or_else(|error| panic!("{error}"));
    let taken = capabilities.iter().map(String::as_str).zip(taken);
    let mut listeners: BTreeMap<_, _> = taken.filter_map(|(n, at)| Some((n, at.ok()?))).collect();
    listeners.insert("all", stage.envoy.address("all").unwrap());
    let held = held(&stage, &listeners);
    let mut unseen = Vec::new();
    for (name, at) in &listeners {
        match (*name, stage.check(name, *at, &held[*name])) {
            ("all", checked) => assert_eq!(checked, Ok(()), "with all capabilities"),
            (name, Ok(())) => unseen.push(name),
            (_, Err(_)) => {}
        }
    }
    let log = stage.envoy.log_since(0);
    let said = " restricted proxy-wasm capability: ";
    let mut denied = log.iter().filter_map(|line| Some(line.split_once(said)?.1));
    assert_eq!(denied.find(|call| !names.contains(call)), None, "is called and not on the list");
    let expected = UNSEEN.map(|(name, _)| name);
    assert_eq!(unseen, expected, "what nobody misses does not belong on the list");
}
