//! Envoy's configuration, as far as the tests and the demo need it.
//!
//! Paths reach the filter as they were sent: the connection managers neither normalise them nor
//! merge slashes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde_json::{Map, Value, json};

/// The type URLs' common part.
const TYPES: &str = "type.googleapis.com";

/// The labels of the gate's metrics, as `docs/monitoring.md` gives them to users.
const STATS: &str = include_str!("../../../docs/monitoring/envoy-stats.yaml");

/// What Envoy starts with.
#[derive(Debug, Clone, Default)]
pub struct Bootstrap {
    clusters: Vec<Cluster>,
    listeners: Vec<Listener>,
    admin_port: u16,
    labelled: bool,
    written: Option<Value>,
}

impl Bootstrap {
    /// A bootstrap as it is written, but for the admin interface.
    #[must_use]
    pub fn written(bootstrap: Value) -> Self {
        Self { written: Some(bootstrap), ..Self::default() }
    }

    /// A bootstrap without clusters and listeners; the admin interface takes any free port.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more cluster.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// With one more listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// With the admin interface on this port of 127.0.0.1.
    #[must_use]
    pub fn admin_port(self, port: u16) -> Self {
        Self { admin_port: port, ..self }
    }

    /// With the labels that `docs/monitoring/envoy-stats.yaml` makes of the gate's metrics.
    #[must_use]
    pub fn labelled(self) -> Self {
        Self { labelled: true, ..self }
    }

    /// The configuration; `further_listeners` is the file in which more listeners will be found.
    pub(crate) fn to_json(&self, further_listeners: Option<&str>) -> Value {
        let dynamic = further_listeners.map_or_else(
            || json!({}),
            |path| {
                json!({ "lds_config": {
                    "resource_api_version": "V3",
                    "path_config_source": { "path": path },
                } })
            },
        );
        let admin = json!({ "address": address(self.admin_port) });
        if let Some(Value::Object(written)) = &self.written {
            let mut bootstrap = written.clone();
            bootstrap.insert("admin".to_owned(), admin);
            return Value::Object(bootstrap);
        }
        json!({
            "node": { "id": "jwt-gate", "cluster": "jwt-gate" },
            "admin": admin,
            "static_resources": {
                "clusters": self.clusters.iter().map(Cluster::to_json).collect::<Vec<_>>(),
                "listeners": self.listeners.iter().map(Listener::to_json).collect::<Vec<_>>(),
            },
            "dynamic_resources": dynamic,
            "stats_config": self.stats(),
        })
    }

    fn stats(&self) -> Value {
        let stats = self.labelled.then(|| serde_yaml_ng::from_str::<Value>(STATS).ok()).flatten();
        stats.and_then(|stats| stats.get("stats_config").cloned()).unwrap_or_else(|| json!({}))
    }
}

/// A cluster with one endpoint, or none, or of whatever endpoint a request names.
#[derive(Debug, Clone)]
pub struct Cluster {
    name: String,
    endpoint: Option<SocketAddr>,
    header: Option<String>,
}

impl Cluster {
    /// A cluster with this endpoint.
    #[must_use]
    pub fn new(name: &str, endpoint: SocketAddr) -> Self {
        Self { name: name.to_owned(), endpoint: Some(endpoint), header: None }
    }

    /// A cluster that has no endpoint: it is known, but nobody is there.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), endpoint: None, header: None }
    }

    /// A cluster that speaks HTTP/2 to the address which this header of a request names.
    #[must_use]
    pub fn named_by(name: &str, header: &str) -> Self {
        Self { header: Some(header.to_owned()), ..Self::empty(name) }
    }

    fn to_json(&self) -> Value {
        if let Some(header) = &self.header {
            let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
            let http2 = json!({ "explicit_http_config": { "http2_protocol_options": {} } });
            return json!({
                "name": self.name,
                "type": "ORIGINAL_DST",
                "lb_policy": "CLUSTER_PROVIDED",
                "original_dst_lb_config": { "use_http_header": true, "http_header_name": header },
                "typed_extension_protocol_options": { options: typed(options, http2) },
            });
        }
        let endpoints = self.endpoint.map(|endpoint| {
            let address = json!({ "socket_address": {
                "address": endpoint.ip().to_string(), "port_value": endpoint.port(),
            } });
            json!({ "lb_endpoints": [{ "endpoint": { "address": address } }] })
        });
        json!({
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": "10s",
            "load_assignment": {
                "cluster_name": self.name,
                "endpoints": endpoints.into_iter().collect::<Vec<_>>(),
            },
        })
    }
}

/// A listener on 127.0.0.1 that routes what its filters let through to the cluster `upstream`.
#[derive(Debug, Clone)]
pub struct Listener {
    name: String,
    port: u16,
    filters: Vec<Filter>,
    manager: Map<String, Value>,
    answer: Option<u16>,
    routes: Vec<Value>,
    access_log: Option<(PathBuf, String)>,
}

impl Listener {
    /// A listener without filters; it takes any free port.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            port: 0,
            filters: Vec::new(),
            manager: Map::new(),
            answer: None,
            routes: Vec::new(),
            access_log: None,
        }
    }

    /// On this port.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// With one more filter in front of the router.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// With this field of the connection manager, in place of what it has otherwise.
    #[must_use]
    pub fn manager(mut self, field: &str, value: Value) -> Self {
        self.manager.insert(field.to_owned(), value);
        self
    }

    /// That answers by itself, with this status and no body, what its filters let through.
    #[must_use]
    pub fn answering(self, status: u16) -> Self {
        Self { answer: Some(status), ..self }
    }

    /// With one more route, looked at before the one for everything.
    #[must_use]
    pub fn route(mut self, route: Value) -> Self {
        self.routes.push(route);
        self
    }

    /// With a line of this format in this file for each request.
    #[must_use]
    pub fn access_log(self, file: impl Into<PathBuf>, format: &str) -> Self {
        Self { access_log: Some((file.into(), format!("{format}\n"))), ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn to_json(&self) -> Value {
        let route = match self.answer {
            Some(status) => json!({
                "match": { "prefix": "/" }, "direct_response": { "status": status },
            }),
            None => json!({ "match": { "prefix": "/" }, "route": { "cluster": "upstream" } }),
        };
        let mut filters: Vec<_> = self.filters.iter().map(Filter::to_json).collect();
        let router = "envoy.extensions.filters.http.router.v3.Router";
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": typed(router, json!({ "suppress_envoy_headers": true })),
        }));
        let mut routes = self.routes.clone();
        routes.push(route);
        let logs = self.access_log.iter().map(|(file, format)| {
            let log = json!({
                "path": file,
                "log_format": { "text_format_source": { "inline_string": format } },
            });
            let name = "envoy.extensions.access_loggers.file.v3.FileAccessLog";
            json!({ "name": "envoy.access_loggers.file", "typed_config": typed(name, log) })
        });
        let mut manager = json!({
            "stat_prefix": self.name,
            "normalize_path": false,
            "merge_slashes": false,
            "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
            "generate_request_id": false,
            "route_config": { "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": routes,
            }] },
            "http_filters": filters,
            "access_log": logs.collect::<Vec<_>>(),
        });
        if let Some(fields) = manager.as_object_mut() {
            fields.extend(self.manager.clone());
        }
        let name = "envoy.extensions.filters.network.http_connection_manager.v3.\
                    HttpConnectionManager";
        json!({
            "name": self.name,
            "address": address(self.port),
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": typed(name, manager),
            }] }],
        })
    }
}

/// An HTTP filter.
#[derive(Debug, Clone)]
pub enum Filter {
    /// A WebAssembly module.
    Wasm(Module),
    /// Envoy's own JWT filter, with its configuration.
    JwtAuthn(Value),
    /// Any other, as an entry of `http_filters`.
    Other(Value),
}

impl Filter {
    fn to_json(&self) -> Value {
        match self {
            Self::Wasm(module) => json!({
                "name": "jwt-gate",
                "typed_config": typed(
                    "envoy.extensions.filters.http.wasm.v3.Wasm",
                    json!({ "config": module.to_json() }),
                ),
            }),
            Self::JwtAuthn(configuration) => json!({
                "name": "envoy.filters.http.jwt_authn",
                "typed_config": typed(
                    "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                    configuration.clone(),
                ),
            }),
            Self::Other(filter) => filter.clone(),
        }
    }
}

/// A WebAssembly module with its plugin configuration; it fails closed.
#[derive(Debug, Clone)]
pub struct Module {
    name: String,
    file: PathBuf,
    configuration: Value,
    stop_iteration: Option<bool>,
}

impl Module {
    /// The module in this file. All modules of one file share a VM for each thread of Envoy; the
    /// name tells them apart, also in the log.
    #[must_use]
    pub fn new(name: &str, file: impl Into<PathBuf>, configuration: impl Into<String>) -> Self {
        let text = json!({ "value": configuration.into() });
        let configuration = typed("google.protobuf.StringValue", text);
        Self { name: name.to_owned(), file: file.into(), configuration, stop_iteration: None }
    }

    /// The same, with its configuration as a `Struct` in place of text.
    #[must_use]
    pub fn of_struct(name: &str, file: impl Into<PathBuf>, configuration: &Value) -> Self {
        let configuration = typed("google.protobuf.Struct", json!({ "value": configuration }));
        Self { name: name.to_owned(), file: file.into(), configuration, stop_iteration: None }
    }

    /// With `allow_on_headers_stop_iteration`.
    #[must_use]
    pub fn stop_iteration(self, allowed: bool) -> Self {
        Self { stop_iteration: Some(allowed), ..self }
    }

    fn to_json(&self) -> Value {
        let mut plugin = json!({
            "name": self.name,
            "root_id": self.name,
            "failure_policy": "FAIL_CLOSED",
            "vm_config": {
                "vm_id": "jwt-gate",
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": self.file } },
            },
            "configuration": self.configuration,
        });
        if let (Some(allowed), Some(plugin)) = (self.stop_iteration, plugin.as_object_mut()) {
            plugin.insert("allow_on_headers_stop_iteration".to_owned(), json!(allowed));
        }
        plugin
    }
}

/// A message with its type, as `typed_config` wants it.
pub(crate) fn typed(name: &str, mut message: Value) -> Value {
    if let Some(members) = message.as_object_mut() {
        members.insert("@type".to_owned(), json!(format!("{TYPES}/{name}")));
    }
    message
}

fn address(port: u16) -> Value {
    let address = Ipv4Addr::LOCALHOST.to_string();
    json!({ "socket_address": { "address": address, "port_value": port } })
}
