//! An example in an Envoy of the tests.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Answer, Behaviour, Bootstrap, Client, Envoy, Idp, Options, Request, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

/// What stands around an example.
pub(crate) struct Stage {
    envoy: Envoy,
    keyring: Keyring,
    _upstream: Upstream,
    _idp: Idp,
}

impl Stage {
    /// Starts Envoy with the example in this file. Its listeners take any free port, and its
    /// clusters lead to the upstream and the identity provider of the tests, without TLS.
    pub(crate) fn open(file: &str) -> Self {
        let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
        let keyring = Keyring::new();
        idp.set("/jwks.json", Behaviour::ok(keyring.jwks(&["p256-1"]).unwrap()));
        let mut bootstrap = read(file);
        for cluster in list(&mut bootstrap["static_resources"]["clusters"]) {
            let address = if cluster["name"] == "idp" { idp.address() } else { upstream.address() };
            cluster["type"] = json!("STATIC");
            cluster.as_object_mut().unwrap().remove("transport_socket");
            let endpoints = &mut list(&mut cluster["load_assignment"]["endpoints"])[0];
            list(&mut endpoints["lb_endpoints"])[0]["endpoint"]["address"]["socket_address"] =
                json!({ "address": address.ip().to_string(), "port_value": address.port() });
        }
        for listener in list(&mut bootstrap["static_resources"]["listeners"]) {
            listener["address"]["socket_address"]["port_value"] = json!(0);
            let code = &mut gate(listener)["typed_config"]["config"]["vm_config"]["code"];
            code["local"]["filename"] = json!(Envoy::module().unwrap());
        }
        let envoy = Envoy::start(&Bootstrap::written(bootstrap), &Options::default());
        let envoy = envoy.unwrap_or_else(|error| panic!("{file}: {error}"));
        Self { envoy, keyring, _upstream: upstream, _idp: idp }
    }

    /// A token, from the words that stand in a scenario's `${token …}`.
    pub(crate) fn token(&self, words: &str) -> String {
        self.keyring.mint(now(), words).unwrap()
    }

    /// What a listener answers to a GET.
    pub(crate) fn get(&self, listener: &str, target: &str, token: Option<&String>) -> Answer {
        let request = Request::new("GET", target).header("host", "api.example");
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        Client::new(self.envoy.address(listener).unwrap()).send(&request).unwrap()
    }
}

/// The time of Envoy.
#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// An example as it stands.
pub(crate) fn read(file: &str) -> Value {
    let text = fs::read_to_string(crate::folder().join(file)).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The first HTTP filter of a listener.
pub(crate) fn gate(listener: &mut Value) -> &mut Value {
    let filter = &mut list(&mut listener["filter_chains"])[0];
    &mut list(&mut list(&mut filter["filters"])[0]["typed_config"]["http_filters"])[0]
}

pub(crate) fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().unwrap()
}
