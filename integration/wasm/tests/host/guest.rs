//! Small guests in WAT: what each callback does, with strings written in place.

use std::fmt::Write as _;

use jwt_gate_test_host::{Cluster, Host, Module, Personality, Request, RootId, StreamId, Vm};

pub(crate) const CONTINUE: u32 = 0;
pub(crate) const PAUSE: u32 = 1;

/// Imports under short names, an allocator, and three ways to log what a hostcall did:
/// `$say` a status, `$show` the bytes that it gave, `$read` a header.
const PRELUDE: &str = r#"
(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
(import "env" "proxy_set_effective_context" (func $become (param i32) (result i32)))
(import "env" "proxy_continue_stream" (func $resume (param i32) (result i32)))
(import "env" "proxy_send_local_response"
  (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_get_header_map_value"
  (func $get (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
(import "env" "proxy_add_header_map_value"
  (func $add (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_replace_header_map_value"
  (func $set (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_http_call"
  (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_get_status" (func $call_status (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_get_shared_data" (func $shared (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
(import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))
(import "env" "proxy_get_metric" (func $metric (param i32 i32) (result i32)))
(import "env" "proxy_call_foreign_function"
  (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $print (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 4)
(global $free (mut i32) (i32.const 65536))
(global $waiter (mut i32) (i32.const 0))
(func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
  (global.get $free)
  (global.set $free (i32.add (global.get $free) (local.get $size))))
(func $say (param $status i32)
  (i32.store8 (i32.const 8) (i32.add (i32.const 48) (i32.div_u (local.get $status) (i32.const 10))))
  (i32.store8 (i32.const 9) (i32.add (i32.const 48) (i32.rem_u (local.get $status) (i32.const 10))))
  (drop (call $log (i32.const 2) (i32.const 8) (i32.const 2))))
(func $show (param $status i32)
  (if (local.get $status)
    (then (call $say (local.get $status)))
    (else (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20)))))))
(func $read (param $map i32) (param $key i32) (param $len i32)
  (call $show (call $get (local.get $map) (local.get $key) (local.get $len)
    (i32.const 16) (i32.const 20))))
(func $deny (param $status i32)
  (call $say (call $reply (local.get $status) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1))))
"#;

/// A guest under construction. In bodies, `@"text"` is address and length of that text,
/// `@{a=b;c=d}` of a list of pairs, `@out` two addresses for bytes that the host gives, and
/// a bare `#7` a constant.
#[derive(Default)]
pub(crate) struct Guest {
    body: String,
    data: Vec<u8>,
}

impl Guest {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A callback that takes `$context` and returns nothing, or `result`.
    pub(crate) fn on(mut self, callback: &str, body: &str, result: Option<u32>) -> Self {
        let params = match callback {
            "http_call_response" => {
                "(param $token i32) (param $headers i32) (param $size i32) (param i32)"
            }
            "configure" | "vm_start" | "context_create" | "request_trailers" => "(param $size i32)",
            "request_headers" | "request_body" | "response_headers" => {
                "(param $size i32) (param $end i32)"
            }
            _ => "",
        };
        let returns = result.map_or("", |_| "(result i32)");
        let last = result.map_or_else(String::new, |value| format!("#{value}"));
        let name = format!("(func (export \"proxy_on_{callback}\") (param $context i32)");
        writeln!(self.body, "{name} {params} {returns} {body} {last})").unwrap();
        self
    }

    pub(crate) fn configure(self, body: &str) -> Self {
        self.on("configure", body, Some(1))
    }

    pub(crate) fn tick(self, body: &str) -> Self {
        self.on("tick", body, None)
    }

    pub(crate) fn headers(self, body: &str, action: u32) -> Self {
        self.on("request_headers", body, Some(action))
    }

    pub(crate) fn answer(self, body: &str) -> Self {
        self.on("http_call_response", body, None)
    }

    /// Any other part of a module.
    pub(crate) fn with(mut self, text: &str) -> Self {
        self.body.push_str(text);
        self
    }

    pub(crate) fn wat(mut self) -> String {
        let body = std::mem::take(&mut self.body);
        let body = self.place(&body);
        let data: String = self.data.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\{byte:02x}").unwrap();
            text
        });
        format!("(module {PRELUDE} {body} (data (i32.const 1024) \"{data}\"))")
    }

    pub(crate) fn module(self) -> Module {
        let wat = self.wat();
        Module::from_bytes(wat.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{wat}"))
    }

    fn place(&mut self, body: &str) -> String {
        let mut placed = String::new();
        let mut rest = body.replace("@out", "#16 #20");
        while let Some(at) = rest.find('@') {
            let (before, after) = rest.split_at(at);
            placed.push_str(before);
            let close = if after.starts_with("@\"") { '"' } else { '}' };
            let (text, after) = after[2..].split_once(close).unwrap();
            let bytes = if close == '"' { text.as_bytes().to_vec() } else { pairs(text) };
            write!(placed, "#{} #{}", 1024 + self.data.len(), bytes.len()).unwrap();
            self.data.extend(bytes);
            rest = after.to_owned();
        }
        placed.push_str(&rest);
        constants(&placed)
    }
}

fn pairs(text: &str) -> Vec<u8> {
    let pairs: Vec<(&str, &str)> =
        text.split(';').map(|pair| pair.split_once('=').unwrap()).collect();
    let size = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
    let mut bytes = size(pairs.len()).to_vec();
    for (name, value) in &pairs {
        bytes.extend([size(name.len()), size(value.len())].concat());
    }
    for (name, value) in &pairs {
        bytes.extend(format!("{name}\0{value}\0").into_bytes());
    }
    bytes
}

fn constants(text: &str) -> String {
    let mut parts = text.split('#');
    let mut wat = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        write!(wat, "(i32.const {number}){rest}").unwrap();
    }
    wat
}

/// A dispatch of `GET /tenant/jwks.json` to this cluster that says its status.
pub(crate) fn dispatch(cluster: &str) -> String {
    format!(
        "(call $say (call $call @\"{cluster}\" @{{:method=GET;:path=/tenant/jwks.json;:authority=idp}} \
         #0 #0 #0 #0 #1000 #24))"
    )
}

/// A configured guest on a host with the cluster `idp`.
pub(crate) struct Running {
    pub(crate) host: Host,
    pub(crate) vm: Vm,
    pub(crate) root: RootId,
}

impl Running {
    pub(crate) fn new(personality: Personality, guest: Guest) -> Self {
        let host = Host::new(personality);
        host.set_cluster("idp", Cluster::Healthy);
        let vm = host.vm(&guest.module()).unwrap();
        let root = vm.configure(b"{}").unwrap().unwrap();
        Self { host, vm, root }
    }

    pub(crate) fn get(&self) -> StreamId {
        self.vm.request(self.root, &Request::get("/orders?id=7")).unwrap()
    }

    /// What was logged so far, one word a line.
    pub(crate) fn said(&self) -> Vec<String> {
        self.vm.logs().into_iter().map(|line| line.text).collect()
    }
}

/// Owned pairs.
pub(crate) fn headers(pairs: &[(&str, &str)]) -> jwt_gate_test_host::Headers {
    let owned =
        |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    pairs.iter().map(owned).collect()
}
