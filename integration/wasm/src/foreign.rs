//! Foreign functions: what Envoy offers beyond the ABI.
//!
//! Modelled are `verify_signature`, `clear_route_cache`, `declare_property` and
//! `set_envoy_filter_state`; every other name counts as unknown.

mod protobuf;
mod signature;

use wasmtime::Linker;

use crate::abi::{Call, Out, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::vm_state::VmState;
use crate::{Personality, Status};

/// Filter state that Envoy has a factory for; other keys cannot be set this way.
const FACTORIES: [&[u8]; 3] =
    [b"envoy.string", b"envoy.hashable_string", b"envoy.network.upstream_server_name"];

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_call_foreign_function(name: u32, name_len: u32, args: u32, args_len: u32, data: u32,
            size: u32) => dispatch(call, Span(name, name_len), Span(args, args_len), Out(data, size));
    }
    Ok(())
}

fn dispatch(call: &mut Call<'_>, name: Span, args: Span, out: Out) -> Outcome {
    let name = String::from_utf8_lossy(&call.read(name)?).into_owned();
    let args = call.read(args)?;
    match call.personality() {
        Personality::Nginx => {
            return Err(Refusal::rule(format!("unknown foreign function `{name}`")));
        }
        Personality::Bare => return Err(Status::UNIMPLEMENTED.into()),
        Personality::Envoy => {}
    }
    let result = match name.as_str() {
        "verify_signature" => signature::verify(&args)?,
        "clear_route_cache" => clear_route_cache(call),
        "declare_property" => declare_property(call, &args)?,
        "set_envoy_filter_state" => set_filter_state(call, &args)?,
        _ => return Err(Status::NOT_FOUND.into()),
    };
    call.give(&result, out)
}

fn clear_route_cache(call: &mut Call<'_>) -> Vec<u8> {
    if let Some(stream) = call.state().stream() {
        stream.routes_cleared = stream.routes_cleared.saturating_add(1);
    }
    Vec::new()
}

/// A name can be declared once per root context.
fn declare_property(call: &mut Call<'_>, args: &[u8]) -> Result<Vec<u8>, Status> {
    let message = protobuf::Message::parse(args).ok_or(Status::BAD_ARGUMENT)?;
    let name = message.bytes(1).ok_or(Status::BAD_ARGUMENT)?.to_vec();
    let state = call.state();
    let root = state.root_id();
    let root = state.roots.get_mut(&root).ok_or(Status::INTERNAL_FAILURE)?;
    if root.declared.insert(name) { Ok(Vec::new()) } else { Err(Status::BAD_ARGUMENT) }
}

fn set_filter_state(call: &mut Call<'_>, args: &[u8]) -> Result<Vec<u8>, Status> {
    let message = protobuf::Message::parse(args).ok_or(Status::BAD_ARGUMENT)?;
    let path = message.bytes(1).unwrap_or_default();
    if !FACTORIES.contains(&path) {
        return Err(Status::NOT_FOUND);
    }
    let value = message.bytes(2).unwrap_or_default().to_vec();
    let path = path.to_vec();
    let stream = call.state().stream().ok_or(Status::INTERNAL_FAILURE)?;
    stream.properties.insert(path, value);
    Ok(Vec::new())
}
