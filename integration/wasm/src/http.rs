//! Hostcalls on headers and bodies.

use wasmtime::Linker;

use crate::abi::{Call, Out, Span, hostcalls};
use crate::callout::Body;
use crate::error::Outcome;
use crate::headers::{HeaderMap, deserialize, serialize};
use crate::vm_state::{Entry, VmState};
use crate::{Personality, Status};

const CALL_RESPONSE_HEADERS: u32 = 6;
const CALL_RESPONSE_TRAILERS: u32 = 7;

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_get_header_map_value(map: u32, key: u32, len: u32, data: u32, size: u32)
            => get(call, map, Span(key, len), Out(data, size));
        proxy_add_header_map_value(map: u32, key: u32, len: u32, value: u32, value_len: u32)
            => change(call, map, Span(key, len), Span(value, value_len), HeaderMap::add);
        proxy_replace_header_map_value(map: u32, key: u32, len: u32, value: u32, value_len: u32)
            => change(call, map, Span(key, len), Span(value, value_len), HeaderMap::replace);
        proxy_remove_header_map_value(map: u32, key: u32, len: u32)
            => change(call, map, Span(key, len), Span(0, 0), |map, key, _| map.remove(key));
        proxy_get_header_map_pairs(map: u32, data: u32, size: u32)
            => pairs(call, map, Out(data, size));
        proxy_set_header_map_pairs(map: u32, data: u32, len: u32)
            => set_pairs(call, map, Span(data, len));
        proxy_get_header_map_size(map: u32, size: u32) => map_size(call, map, size);
        proxy_get_buffer_bytes(buffer: u32, start: u32, max: u32, data: u32, size: u32)
            => get_buffer(call, buffer, Span(start, max), Out(data, size));
        proxy_set_buffer_bytes(buffer: u32, start: u32, size: u32, data: u32, len: u32)
            => set_buffer(call, buffer, Span(start, size), Span(data, len));
    }
    Ok(())
}

/// Looks at a map, if the filter may: after the headers went on, Envoy has it for the access log alone.
fn look<T>(call: &mut Call<'_>, map: u32, look: impl FnOnce(&HeaderMap) -> T) -> Outcome<T> {
    let personality = call.personality();
    let logging = call.entry() == Entry::Log;
    if map == CALL_RESPONSE_HEADERS || map == CALL_RESPONSE_TRAILERS {
        let answer = call.peek().answer.as_ref();
        let headers =
            answer.filter(|_| map == CALL_RESPONSE_HEADERS).and_then(|a| a.headers.as_ref());
        return headers.map(look).ok_or_else(|| Status::BAD_ARGUMENT.into());
    }
    let context = call.peek().context;
    let stream = call.peek().streams.get(&context).filter(|stream| stream.alive);
    let index = usize::try_from(map).unwrap_or(usize::MAX);
    let slot = stream.and_then(|stream| stream.maps.get(index));
    let slot = slot.filter(|slot| slot.open || logging || personality == Personality::Nginx);
    let map = slot.and_then(|slot| slot.map.as_ref());
    map.map(look).ok_or_else(|| Status::BAD_ARGUMENT.into())
}

fn edit(call: &mut Call<'_>, map: u32, edit: impl FnOnce(&mut HeaderMap)) -> Outcome {
    let personality = call.personality();
    let index = usize::try_from(map).unwrap_or(usize::MAX);
    let stream = call.state().stream().ok_or(Status::BAD_ARGUMENT)?;
    let slot = stream.maps.get_mut(index).ok_or(Status::BAD_ARGUMENT)?;
    let open = slot.open || personality == Personality::Nginx;
    let map = slot.map.as_mut().filter(|_| open).ok_or(Status::BAD_ARGUMENT)?;
    edit(map);
    Ok(())
}

fn get(call: &mut Call<'_>, map: u32, key: Span, value: Out) -> Outcome {
    let key = call.read(key)?;
    let found = look(call, map, |map| map.get(&key).map(<[u8]>::to_vec))?;
    call.give(&found.ok_or(Status::NOT_FOUND)?, value)
}

fn change(
    call: &mut Call<'_>,
    map: u32,
    key: Span,
    value: Span,
    apply: impl FnOnce(&mut HeaderMap, &[u8], &[u8]),
) -> Outcome {
    let key = call.read(key)?;
    let value = call.read(value)?;
    edit(call, map, |map| apply(map, &key, &value))
}

/// All pairs; of a map that is not there Envoy gives none, without an error.
fn pairs(call: &mut Call<'_>, map: u32, out: Out) -> Outcome {
    let pairs = look(call, map, HeaderMap::pairs).unwrap_or_default();
    call.give(&serialize(&pairs), out)
}

fn set_pairs(call: &mut Call<'_>, map: u32, data: Span) -> Outcome {
    let bytes = call.read(data)?;
    let pairs = deserialize(&bytes).ok_or(Status::PARSE_FAILURE)?;
    edit(call, map, |map| map.set_all(&pairs))
}

fn map_size(call: &mut Call<'_>, map: u32, size: u32) -> Outcome {
    let bytes = look(call, map, |map| {
        let lengths =
            map.pairs().into_iter().map(|(name, value)| name.len().saturating_add(value.len()));
        lengths.fold(0_usize, usize::saturating_add)
    })?;
    call.write_u32(size, u32::try_from(bytes).unwrap_or(u32::MAX))
}

fn get_buffer(call: &mut Call<'_>, buffer: u32, part: Span, out: Out) -> Outcome {
    let state = call.peek();
    let root = state.roots.get(&state.root_id());
    let stream = state.streams.get(&state.context).filter(|stream| stream.alive);
    let bytes = match (buffer, state.entry) {
        (0, Entry::RequestBody) => stream.map(|stream| stream.request_body.as_slice()),
        (1, Entry::ResponseBody) => stream.map(|stream| stream.response_body.as_slice()),
        (4, _) => match state.answer.as_ref().map(|answer| &answer.body) {
            Some(Body::Whole(bytes)) => Some(bytes.as_slice()),
            Some(Body::Announced(_)) => return Err(Status::BAD_ARGUMENT.into()),
            Some(Body::Absent) | None => None,
        },
        (6, _) => root.map(|_| [].as_slice()),
        (7, _) => root.map(|root| root.configuration.as_slice()),
        _ => None,
    };
    let bytes = bytes.ok_or(Status::NOT_FOUND)?;
    let start = usize::try_from(part.0).unwrap_or(usize::MAX);
    let rest = bytes.get(start..).ok_or(Status::BAD_ARGUMENT)?;
    let taken = rest.len().min(usize::try_from(part.1).unwrap_or(usize::MAX));
    let taken = rest.get(..taken).unwrap_or_default().to_vec();
    call.give(&taken, out)
}

fn set_buffer(call: &mut Call<'_>, buffer: u32, part: Span, data: Span) -> Outcome {
    let bytes = call.read(data)?;
    let entry = call.entry();
    let stream = call.state().stream().ok_or(Status::BAD_ARGUMENT)?;
    let target = match (buffer, entry) {
        (0, Entry::RequestBody) => &mut stream.request_body,
        (1, Entry::ResponseBody) => &mut stream.response_body,
        _ => return Err(Status::BAD_ARGUMENT.into()),
    };
    let start = usize::try_from(part.0).unwrap_or(usize::MAX).min(target.len());
    let size = usize::try_from(part.1).unwrap_or(usize::MAX);
    let end = start.saturating_add(size).min(target.len());
    target.splice(start..end, bytes);
    Ok(())
}
