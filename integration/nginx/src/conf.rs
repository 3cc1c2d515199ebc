//! NGINX's configuration for a scenario.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use jwt_gate_scenario::document;

use crate::authority::Authority;

/// The longest argument of a directive that NGINX takes, in bytes.
pub(crate) const LONGEST: usize = 4_000;

/// A server with the module in front of an upstream.
#[derive(Debug)]
pub(crate) struct Site<'s> {
    pub(crate) port: u16,
    pub(crate) module: &'s Path,
    /// What tells wasmtime where it finds the module compiled.
    pub(crate) cache: &'s Path,
    /// The policy, as JSON text.
    pub(crate) policy: &'s str,
    pub(crate) upstream: SocketAddr,
    /// Where this NGINX listens with TLS in front of the endpoint.
    pub(crate) front: u16,
    pub(crate) authority: &'s Authority,
    pub(crate) endpoint: SocketAddr,
}

impl Site<'_> {
    /// The whole of `nginx.conf`; nothing where the policy is too long for NGINX.
    pub(crate) fn text(&self) -> Option<String> {
        let policy = quoted(self.policy);
        if policy.len() > LONGEST {
            return None;
        }
        let document = serde_json::from_str(self.policy).unwrap_or_default();
        let (mut server, mut location) = (String::new(), String::new());
        for name in document::identity_headers(&document) {
            let variable = format!("jwt_gate_{}", snake(&name));
            _ = writeln!(server, "set ${variable} \"\";");
            _ = writeln!(location, "proxy_set_header {name} ${variable};");
        }
        for name in document::exports(&document) {
            _ = writeln!(server, "set ${name} \"\";");
        }
        for name in document::token_headers(&document) {
            _ = writeln!(location, "proxy_set_header {name} $http_{};", snake(&name));
        }
        let (port, upstream, front, endpoint) =
            (self.port, self.upstream, self.front, self.endpoint);
        let trusted = self.authority.certificate();
        let (certificate, key) = (self.authority.server_certificate(), self.authority.server_key());
        let (trusted, certificate, key) = (trusted.display(), certificate.display(), key.display());
        let (module, cache) = (self.module.display(), self.cache.display());
        Some(format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log info;\n\
             events {{ worker_connections 256; }}\n\
             wasm {{ module jwt_gate {module}; shm_kv * 12m; wasmtime {{ cache_config {cache}; }}\n\
             tls_trusted_certificate {trusted}; tls_verify_cert on; tls_verify_host on; }}\n\
             http {{\n\
             access_log off;\n\
             client_body_temp_path body; proxy_temp_path proxy; large_client_header_buffers 4 64k;\n\
             server {{\nlisten 127.0.0.1:{front} ssl;\n\
             ssl_certificate {certificate}; ssl_certificate_key {key};\n\
             location / {{ proxy_pass http://{endpoint}; proxy_set_header Host $http_host; }}\n}}\n\
             server {{\nlisten 127.0.0.1:{port};\n{server}\
             location / {{\n\
             proxy_wasm_request_headers_in_access on;\n\
             proxy_wasm jwt_gate {policy};\n\
             proxy_pass http://{upstream};\nproxy_http_version 1.1;\n\
             proxy_set_header Host $http_host;\nproxy_set_header Connection \"\";\n{location}\
             }}\n}}\n}}\n"
        ))
    }
}

/// As one argument of a directive.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A header's name as it stands in a variable's.
fn snake(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// A configuration without what only ngx_wasm_module knows, for an NGINX that does not have it.
#[must_use]
pub fn without_wasm(conf: &str) -> String {
    let mut kept = String::new();
    let mut rest = conf;
    while let Some(at) = next_wasm(rest) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        rest = from.get(end(from)..).unwrap_or_default();
    }
    kept + rest
}

/// Where the next directive of the module begins.
fn next_wasm(conf: &str) -> Option<usize> {
    ["wasm {", "proxy_wasm"].iter().filter_map(|name| conf.find(name)).min()
}

/// Where the directive at the beginning ends: behind its block, or behind its semicolon outside of
/// quotes.
fn end(conf: &str) -> usize {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, char) in conf.char_indices() {
        match char {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '{' => depth = depth.saturating_add(1),
            '}' if depth <= 1 => return at.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return at.saturating_add(1),
            _ => {}
        }
    }
    conf.len()
}
