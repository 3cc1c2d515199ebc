//! Every query of the rules and of the dashboard finds its series in what a real Envoy serves.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "metrics/promql.rs"]
mod promql;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Envoy, Filter, Idp, Listener, Module, Options, Request,
    Upstream,
};
use jwt_gate_scenario::Keyring;
use promql::{groupings, selectors};
use serde_json::{Value, json};

/// A series: name and labels.
type Series = (String, BTreeMap<String, String>);

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring");
    fs::read_to_string(folder.join(file)).unwrap()
}

/// The queries by the name of what asks them, and the names that recording rules give.
fn queries() -> (Vec<(String, String)>, BTreeSet<String>) {
    let rules: Value = serde_yaml_ng::from_str(&read("rules.yaml")).unwrap();
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (mut queries, mut recorded) = (Vec::new(), BTreeSet::new());
    for rule in list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"])) {
        recorded.extend(text(&rule, "record"));
        let name = text(&rule, "record").or(text(&rule, "alert")).unwrap();
        queries.push((name, text(&rule, "expr").unwrap()));
    }
    for panel in list(&dashboard["panels"]) {
        let title = text(&panel, "title").unwrap();
        let targets = list(&panel["targets"]).into_iter();
        queries.extend(targets.map(|target| (title.clone(), text(&target, "expr").unwrap())));
    }
    assert!(queries.len() > 20, "{queries:?}");
    (queries, recorded)
}

/// The series of the gate in Prometheus' text form, with their values.
fn series(envoy: &Envoy) -> BTreeMap<Series, f64> {
    parse(&envoy.admin("/stats/prometheus").unwrap())
}

/// The series that the page shows.
fn shown() -> BTreeMap<Series, f64> {
    let page = read("../monitoring.md");
    let (_, behind) = page.split_once("<!-- series -->\n```\n").unwrap();
    parse(behind.split_once("```").unwrap().0)
}

fn parse(text: &str) -> BTreeMap<Series, f64> {
    let lines = text.lines().filter(|line| line.starts_with("jwt_gate"));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
            let labels = labels.trim_end_matches('}').split("\",").filter(|l| !l.is_empty());
            let labels = labels.map(|label| {
                let (label, value) = label.split_once("=\"").unwrap();
                (label.to_owned(), value.trim_end_matches('"').to_owned())
            });
            ((name.to_owned(), labels.collect()), value.parse().unwrap())
        })
        .collect()
}

fn value(series: &BTreeMap<Series, f64>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels = labels.iter().map(|(l, v)| ((*l).to_owned(), (*v).to_owned())).collect();
    series.get(&(name.to_owned(), labels)).copied().unwrap_or(0.0)
}

/// What is wrong with a query.
fn complaint(
    query: &str,
    series: &BTreeMap<Series, f64>,
    recorded: &BTreeSet<String>,
) -> Option<String> {
    let mut labels = BTreeSet::new();
    for selector in selectors(query) {
        if selector.metric.contains(':') {
            labels
                .extend(["rule", "provider", "kind", "enforcement", "decision"].map(str::to_owned));
            if !recorded.contains(&selector.metric) {
                return Some(format!("nothing records {}", selector.metric));
            }
            continue;
        }
        let of_metric = series.keys().filter(|(name, _)| *name == selector.metric);
        let is_meant = |labels: &BTreeMap<String, String>| {
            let mut matchers = selector.matchers.iter();
            matchers.all(|matcher| labels.get(&matcher.label).is_some_and(|v| matcher.holds(v)))
        };
        let meant: Vec<_> = of_metric.filter(|(_, labels)| is_meant(labels)).collect();
        if meant.is_empty() {
            return Some(format!("no series for {selector:?}"));
        }
        labels.extend(meant.into_iter().flat_map(|(_, labels)| labels.keys().cloned()));
    }
    let unknown = groupings(query).into_iter().find(|label| !labels.contains(*label));
    unknown.map(|label| format!("no series has the label `{label}`"))
}

/// An Envoy with the labels of `envoy-stats.yaml`, and what stands around it.
struct Stage {
    envoy: Envoy,
    keyring: Keyring,
    _parties: (Upstream, Idp),
}

impl Stage {
    fn new() -> Self {
        let (upstream, idp, keyring) =
            (Upstream::start().unwrap(), Idp::start().unwrap(), Keyring::new());
        idp.set("/corp", Behaviour::ok(keyring.jwks(&["p256-1"]).unwrap().into_bytes()));
        idp.set("/down", Behaviour::ok(Vec::new()).with_status(500));
        let remote = |path: &str| {
            json!({ "http_uri": {
            "uri": format!("http://idp.test{path}"), "cluster": "idp", "timeout": "1s" } })
        };
        let provider = |name: &str| {
            json!({ "issuer": format!("https://{name}.example"),
            "audiences": ["api"], "remote_jwks": remote(&format!("/{name}")) })
        };
        let policy = json!({
            "stat_prefix": "edge.a",
            "providers": { "corp": provider("corp"), "down": provider("down") },
            "rules": [
                { "name": "orders \"v2\".x", "match": { "prefix": "/orders" },
                  "requires": { "provider_name": "corp" } },
                { "name": "trial", "match": { "prefix": "/trial" }, "enforcement": "shadow",
                  "requires": { "provider_name": "corp" }, "authorize": { "scopes": ["read"] } },
                { "match": { "prefix": "/down" }, "requires": { "provider_name": "down" } },
            ],
            "shadow_policy": {
                "providers": { "corp": provider("corp") },
                "rules": [{ "match": { "prefix": "/orders" }, "requires": { "provider_name": "corp" } }],
            },
        });
        let module = Module::new("gate", Envoy::module().unwrap(), policy.to_string());
        let bootstrap = Bootstrap::new()
            .labelled()
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .listener(Listener::new("gate").filter(Filter::Wasm(module)));
        let envoy = Envoy::start(&bootstrap, &Options::default());
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { envoy, keyring, _parties: (upstream, idp) }
    }

    #[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
    fn token(&self, words: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.keyring.mint(now, &format!("key=p256-1 {words}")).unwrap()
    }

    fn get(&self, target: &str, token: Option<&str>) -> u16 {
        let request = Request::new("GET", target).header("host", "api.example");
        let request = token.into_iter().fold(request, |request, token| {
            request.header("authorization", format!("Bearer {token}"))
        });
        Client::new(self.envoy.address("gate").unwrap()).send(&request).unwrap().status
    }

    /// Requests of every kind that a query asks for.
    fn traffic(&self) {
        assert_eq!(self.get("/down", Some(&self.token("iss=https://down.example"))), 503);
        let again = self.token("iss=https://corp.example");
        for n in 0..40 {
            assert_eq!(self.get("/orders/1", Some(&again)), 200);
            let fresh = self.token(&format!("iss=https://corp.example jti=t{n}"));
            assert_eq!(self.get("/orders/1", Some(&fresh)), 200);
        }
        // One in seventeen is timed, whichever it is.
        for _ in 0..20 {
            assert_eq!(self.get("/orders/1", Some(&again)), 200);
        }
        for _ in 0..20 {
            assert_eq!(self.get("/orders/1", None), 401);
        }
        let forged = self.token("iss=https://corp.example sign=broken");
        assert_eq!(self.get("/orders/1", Some(&forged)), 401);
        assert_eq!(self.get("/trial", Some(&again)), 200);
        assert_eq!(self.get("/nowhere", None), 403);
    }
}

/// The series once they fulfil something, or the last ones.
#[expect(clippy::disallowed_methods, reason = "counters reach Envoy at the next tick")]
fn soon(
    envoy: &Envoy,
    are_there: impl Fn(&BTreeMap<Series, f64>) -> bool,
) -> BTreeMap<Series, f64> {
    let start = Instant::now();
    loop {
        let series = series(envoy);
        if are_there(&series) || start.elapsed() > Duration::from_secs(20) {
            return series;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_query_finds_its_series_whose_number_no_traffic_changes() {
    let stage = Stage::new();
    stage.traffic();
    let gate = ("gate", "edge.a");
    let requests =
        |series: &BTreeMap<Series, f64>, rule: &str, enforcement: &str, decision: &str| {
            let labels =
                [gate, ("rule", rule), ("enforcement", enforcement), ("decision", decision)];
            value(series, "jwt_gate_requests", &labels)
        };
    let all = soon(&stage.envoy, |series| {
        shown().into_iter().all(|(name, value)| series.get(&name) == Some(&value))
            && requests(series, "2", "enforce", "deny") >= 1.0
    });
    assert_eq!(requests(&all, "2", "enforce", "deny"), 1.0, "{all:#?}");
    for (series, value) in shown() {
        assert_eq!(all.get(&series), Some(&value), "{series:?} {all:#?}");
    }

    // Histograms reach the page when Envoy has merged what its workers recorded.
    let complete = |series: &BTreeMap<Series, f64>| {
        let (queries, recorded) = queries();
        queries.iter().all(|(_, query)| complaint(query, series, &recorded).is_none())
    };
    let all = soon(&stage.envoy, complete);
    let (queries, recorded) = queries();
    let wrong = queries.iter().filter_map(|(name, query)| {
        complaint(query, &all, &recorded).map(|why| format!("{name}: {why} in {query}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{all:#?}");

    let names: BTreeSet<_> = all.into_keys().collect();
    for n in 0..30 {
        let token = stage.token(&format!("iss=https://corp.example sub=u{n} aud=a{n}"));
        stage.get(&format!("/orders/{n}?x={n}"), Some(&token));
        stage.get(&format!("/nowhere/{n}"), Some(&token));
    }
    let later = soon(&stage.envoy, |series| requests(series, "-", "enforce", "deny") >= 31.0);
    assert_eq!(requests(&later, "-", "enforce", "deny"), 31.0);
    let new: Vec<_> = later.into_keys().filter(|key| !names.contains(key)).collect();
    let audience = |key: &Series| key.1.get("outcome").is_some_and(|outcome| outcome == "audience");
    assert!(new.len() == 1 && new.iter().all(audience), "only one outcome is new: {new:#?}");
}
