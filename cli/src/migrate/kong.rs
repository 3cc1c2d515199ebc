//! From Kong's declarative configuration: the plugins `jwt` and `acl`.
//!
//! A consumer's key is a provider, since Kong finds the key by the token's issuer; the groups of `acl`
//! say which providers a route takes.

mod consumer;
mod route;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::notes::Notes;
use super::provider::{object, some_list};
use consumer::Consumers;
use route::{Plugins, Route};

/// Plugins that say nothing about who may do what.
const HARMLESS: [&str; 22] = [
    "acme",
    "aws-lambda",
    "correlation-id",
    "cors",
    "datadog",
    "file-log",
    "grpc-gateway",
    "grpc-web",
    "http-log",
    "loggly",
    "opentelemetry",
    "post-function",
    "prometheus",
    "proxy-cache",
    "rate-limiting",
    "request-transformer",
    "response-ratelimiting",
    "response-transformer",
    "statsd",
    "syslog",
    "tcp-log",
    "zipkin",
];

/// Makes a policy of a configuration.
pub(crate) fn migrate(documents: &[Value], notes: &mut Notes) -> Value {
    let [document] = documents else {
        notes.fault("", "there must be one document");
        return json!({});
    };
    let mut fields = Fields::of(document, "", notes);
    let all = [
        "_format_version",
        "_transform",
        "_info",
        "_comment",
        "_workspace",
        "upstreams",
        "certificates",
        "ca_certificates",
        "snis",
        "targets",
    ];
    all.iter().for_each(|name| _ = fields.take(name));
    let global = Plugins::default().with(fields.list("plugins", notes), "plugins", notes);
    let consumers = Consumers::read(&mut fields, notes);
    let mut routes = Vec::new();
    for service in fields.list("services", notes) {
        services(service, &global, &mut routes, notes);
    }
    for route in fields.list("routes", notes) {
        routes.extend(Route::read(route, &global, "routes", notes));
    }
    fields.finish(notes);
    policy(routes, &consumers, notes)
}

fn services(service: &Value, global: &Plugins, routes: &mut Vec<Route>, notes: &mut Notes) {
    let name = service.get("name").and_then(Value::as_str).unwrap_or("service").to_owned();
    let mut fields = Fields::of(service, &name, notes);
    let upstream = [
        "name",
        "id",
        "url",
        "host",
        "port",
        "protocol",
        "path",
        "retries",
        "connect_timeout",
        "read_timeout",
        "write_timeout",
        "tags",
        "client_certificate",
        "tls_verify",
        "tls_verify_depth",
        "ca_certificates",
    ];
    upstream.iter().for_each(|name| _ = fields.take(name));
    if fields.flag("enabled", notes) == Some(false) {
        notes.dropped(&name, "is not enabled: requests for its routes are refused");
        fields.list("routes", notes);
        fields.list("plugins", notes);
        return fields.finish(notes);
    }
    let place = fields.at("plugins");
    let plugins = global.with(fields.list("plugins", notes), &place, notes);
    for route in fields.list("routes", notes) {
        routes.extend(Route::read(route, &plugins, &name, notes));
    }
    fields.finish(notes);
}

/// Rules in the order in which Kong looks at routes.
fn policy(mut routes: Vec<Route>, consumers: &Consumers, notes: &mut Notes) -> Value {
    routes.sort_by_key(|route| std::cmp::Reverse(route.rank()));
    let (mut providers, mut rules, mut preflight) = (Map::new(), Vec::new(), None);
    for route in &routes {
        let runs_on_preflight = route
            .plugins
            .get("jwt")
            .map(|jwt| jwt.pointer("/run_on_preflight") != Some(&json!(false)));
        if let Some(runs) = runs_on_preflight {
            if preflight.is_some_and(|other| other != runs) {
                notes.differs(
                    &route.place,
                    "run_on_preflight is for all routes here: preflights are asked for tokens",
                );
                preflight = Some(true);
            } else {
                preflight = Some(runs);
            }
        }
        rules.extend(route.rules(consumers, &mut providers, notes));
    }
    let bypass = if preflight == Some(false) { json!(true) } else { Value::Null };
    object([
        ("providers", Value::Object(providers)),
        ("bypass_cors_preflight", bypass),
        ("rules", some_list(rules)),
    ])
}
