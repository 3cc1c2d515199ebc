//! The module in `proxy-wasm-host`, a host that others wrote from the specification: a second opinion
//! on how the module uses the ABI. It runs on its own: `make second-host`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proxy_wasm_host::abi::v0_2_1::types::{LogLevel, MapType, Status, StreamType};
use proxy_wasm_host::abi::v0_2_1::{
    Access, CalloutId, Callouts, ContextId, Guest, Host, HttpCall, HttpCallRefusal, Invocation,
    LocalResponse, LogContext, LogSink, PluginConfig, Started, StreamState, VmServices,
};
use proxy_wasm_host::{Engine, HeaderMap, Limits, Module, VecHeaderMap};

/// What the module logged and asked for.
#[derive(Default)]
pub struct Record {
    lines: Mutex<Vec<String>>,
    calls: Mutex<Vec<(ContextId, CalloutId, HttpCall<'static>)>>,
}

impl Record {
    /// The lines of the log so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The HTTP calls that were made since the last question.
    pub fn calls(&self) -> Vec<(ContextId, CalloutId, HttpCall<'static>)> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogSink for Record {
    fn log(&self, _: LogContext<'_>, level: LogLevel, message: &[u8]) {
        let line = format!("{level:?} {}", String::from_utf8_lossy(message));
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Callouts for Record {
    fn http_call(
        &self,
        call: Invocation,
        callout: CalloutId,
        request: HttpCall<'_>,
    ) -> Result<(), HttpCallRefusal> {
        if request.upstream.as_ref() != b"idp" {
            return Err(HttpCallRefusal::UnknownUpstream);
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push((call.context, callout, request.into_owned()));
        Ok(())
    }
}

/// A request, and what the module did with it.
#[derive(Default)]
pub struct Request {
    /// Its headers.
    pub headers: VecHeaderMap,
    /// The status and `www-authenticate` of the answer, if the module gave one.
    pub answer: Option<(u32, Option<String>)>,
    /// Whether it was resumed.
    pub resumed: bool,
}

impl Request {
    /// A GET of `/orders` with these headers.
    pub fn get(headers: &[(&str, &str)]) -> Self {
        let mut request = Self::default();
        let pseudo = [(":method", "GET"), (":path", "/orders"), (":authority", "api.example")];
        for (name, value) in pseudo.iter().chain(headers) {
            // This map takes every write.
            let _ = request.headers.add(name.as_bytes(), value.as_bytes());
        }
        request
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name.as_bytes()).map(|value| String::from_utf8_lossy(&value).into_owned())
    }
}

impl StreamState for Request {
    fn header_map(
        &mut self,
        _: Invocation,
        _: Access,
        map: MapType,
    ) -> Result<&mut dyn HeaderMap, Status> {
        match map {
            MapType::HttpRequestHeaders => Ok(&mut self.headers),
            _ => Err(Status::BadArgument),
        }
    }

    fn continue_stream(&mut self, _: Invocation, _: StreamType) -> Result<(), Status> {
        self.resumed = true;
        Ok(())
    }

    fn send_local_response(
        &mut self,
        _: Invocation,
        response: LocalResponse<'_>,
    ) -> Result<(), Status> {
        let challenge = response.header(b"www-authenticate").map(Cow::from);
        let challenge = challenge.map(|value| String::from_utf8_lossy(&value).into_owned());
        self.answer = Some((response.status_code, challenge));
        Ok(())
    }
}

/// The module with a configuration; the host, its root context, and what it logged and asked for.
///
/// # Errors
/// There is no module, or it or its configuration is refused: with what the module logged.
pub fn start(configuration: &str) -> Result<(Guest, ContextId, Arc<Record>), String> {
    let record = Arc::new(Record::default());
    let (engine, module) = module().as_ref().map_err(Clone::clone)?;
    let host = Host::new(engine).map_err(|error| error.to_string())?;
    let services = VmServices::new(record.clone()).with_callouts(record.clone());
    let guest = Guest::new(&host, module, services.with_vm_id("jwt-gate"), &Limits::default());
    let mut guest = guest.map_err(|error| error.to_string())?;
    let plugin = PluginConfig::new().with_name("jwt-gate").with_configuration(configuration);
    match guest.start(plugin).map_err(|error| error.to_string())? {
        Started::Serving(root) => Ok((guest, root, record)),
        _ => Err(record.lines().join("\n")),
    }
}

/// Compiled once: that takes longer than all the rest.
fn module() -> &'static Result<(Engine, Module), String> {
    static MODULE: OnceLock<Result<(Engine, Module), String>> = OnceLock::new();
    MODULE.get_or_init(|| {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/jwt-gate.wasm");
        let path = std::env::var_os("JWT_GATE_WASM").map_or(default, PathBuf::from);
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let engine = Engine::new().map_err(|error| error.to_string())?;
        let module = Module::new(&engine, &bytes).map_err(|error| error.to_string())?;
        Ok((engine, module))
    })
}
