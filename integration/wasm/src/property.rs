//! Properties: what the proxy knows of a request, and what the filter leaves for others.

use wasmtime::Linker;

use crate::abi::{Call, Out, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::headers::HeaderMap;
use crate::vm_state::VmState;
use crate::{Personality, Status};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_get_property(path: u32, len: u32, data: u32, size: u32)
            => get(call, Span(path, len), Out(data, size));
        proxy_set_property(path: u32, len: u32, value: u32, value_len: u32)
            => set(call, Span(path, len), Span(value, value_len));
    }
    Ok(())
}

fn get(call: &mut Call<'_>, path: Span, out: Out) -> Outcome {
    let path = call.read(path)?;
    let in_stream = call.state().stream().is_some();
    let value = match call.personality() {
        Personality::Nginx if !in_stream => nginx_root(&path)?,
        Personality::Nginx => nginx(call, &path),
        Personality::Envoy | Personality::Bare => envoy(call, &path),
    };
    call.give(&value.ok_or(Status::NOT_FOUND)?, out)
}

/// A root context of NGINX has no request and says so by failing; one name crashes the worker.
fn nginx_root(path: &[u8]) -> Outcome<Option<Vec<u8>>> {
    match path {
        b"plugin_name" => Err(Refusal::crash("`plugin_name` read from a root context")),
        b"plugin_vm_id" => Err(Status::NOT_FOUND.into()),
        b"plugin_root_id" => Ok(Some(b"0".to_vec())),
        _ => Err(Status::INTERNAL_FAILURE.into()),
    }
}

fn nginx(call: &mut Call<'_>, path: &[u8]) -> Option<Vec<u8>> {
    match path {
        b"ngx\0nginx_version" => return Some(b"1.27.4".to_vec()),
        b"plugin_root_id" => return Some(b"0".to_vec()),
        b"ngx\0request_uri" => {
            let map = call.state().stream()?.maps[0].map.as_ref()?;
            return Some(map.target().to_vec());
        }
        b"request\0host" => return Some(b"nginx.internal".to_vec()),
        _ => {}
    }
    let left = call.state().stream().and_then(|stream| stream.properties.get(path).cloned());
    left.or_else(|| outside(call, path)).or_else(|| of_request(call, path))
}

fn envoy(call: &mut Call<'_>, path: &[u8]) -> Option<Vec<u8>> {
    match path {
        b"plugin_name" => return Some(b"jwt-gate".to_vec()),
        b"plugin_root_id" | b"plugin_vm_id" => return Some(Vec::new()),
        _ => {}
    }
    let key = match path.strip_prefix(b"filter_state\0") {
        Some(key) => key.to_vec(),
        None => filter_state_key(path),
    };
    let left = call.state().stream().and_then(|stream| stream.properties.get(&key).cloned());
    left.or_else(|| outside(call, path)).or_else(|| of_request(call, path))
}

fn filter_state_key(path: &[u8]) -> Vec<u8> {
    [b"wasm.".as_slice(), path].concat()
}

fn outside(call: &mut Call<'_>, path: &[u8]) -> Option<Vec<u8>> {
    call.state().stream()?;
    call.world().properties.get(path).cloned()
}

/// Properties that the proxy derives from the request headers, while it lends them.
fn of_request(call: &mut Call<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let nginx = call.personality() == Personality::Nginx;
    let name = path.strip_prefix(b"request\0")?;
    let slot = call.state().stream().map(|stream| &stream.maps[0])?;
    let map = slot.map.as_ref().filter(|_| slot.open || nginx)?;
    request_property(map, name)
}

fn request_property(map: &HeaderMap, name: &[u8]) -> Option<Vec<u8>> {
    let target = || map.get(b":path").unwrap_or_default();
    let cut = || target().iter().position(|byte| *byte == b'?');
    let value = match name {
        b"method" => map.get(b":method")?,
        b"path" => target(),
        b"url_path" => cut().and_then(|at| target().get(..at)).unwrap_or_else(target),
        b"query" => cut().and_then(|at| target().get(at.saturating_add(1)..)).unwrap_or_default(),
        b"host" => map.get(b":authority")?,
        b"scheme" => map.get(b":scheme")?,
        b"useragent" => map.get(b"user-agent")?,
        b"id" => map.get(b"x-request-id")?,
        _ => map.get(name.strip_prefix(b"headers\0")?)?,
    };
    Some(value.to_vec())
}

/// NGINX takes the variables that its configuration names, and names of the filters' own.
fn is_settable(call: &Call<'_>, path: &[u8]) -> bool {
    let named =
        |name: &[u8]| str::from_utf8(name).is_ok_and(|name| call.world().variables.contains(name));
    path == b"ngx\0args"
        || path.strip_prefix(b"ngx\0").map_or_else(|| path.starts_with(b"wasmx\0"), named)
}

fn set(call: &mut Call<'_>, path: Span, value: Span) -> Outcome {
    let path = call.read(path)?;
    let value = call.read(value)?;
    let key = match call.personality() {
        Personality::Envoy => filter_state_key(&path),
        Personality::Nginx if path == b"ngx\0nginx_version" => {
            return Err(Status::INTERNAL_FAILURE.into());
        }
        Personality::Nginx if is_settable(call, &path) => path,
        Personality::Nginx => return Err(Status::NOT_FOUND.into()),
        Personality::Bare => return Err(Status::UNIMPLEMENTED.into()),
    };
    if key == b"ngx\0args" {
        let slot = call.state().stream().map(|stream| &mut stream.maps[0]);
        let map = slot.and_then(|slot| slot.map.as_mut()).ok_or(Status::INTERNAL_FAILURE)?;
        map.set_args(&value);
        return Ok(());
    }
    let nowhere = match call.personality() {
        Personality::Nginx => Status::INTERNAL_FAILURE,
        Personality::Envoy | Personality::Bare => Status::NOT_FOUND,
    };
    let stream = call.state().stream().ok_or(nowhere)?;
    stream.properties.insert(key, value);
    Ok(())
}
