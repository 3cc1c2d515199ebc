//! The few functions of WASI that a proxy lends to its filters.

use wasmtime::{Caller, Extern, Linker, Memory};

use crate::control::clock;
use crate::error::BrokenRule;
use crate::vm_state::VmState;
use crate::{Level, LogLine};

const MODULE: &str = "wasi_snapshot_preview1";
const SUCCESS: u32 = 0;
const BAD_FD: u32 = 8;
const FAULT: u32 = 21;
const INVALID: u32 = 28;
const NOT_SUPPORTED: u32 = 58;

/// The most random bytes that Envoy hands out at once.
const MAX_RANDOM: u32 = 64 * 1024;

type Host<'a> = Caller<'a, VmState>;

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut host: Host<'_>, count: u32, size: u32| nothing(&mut host, &[count, size]),
    )?;
    linker.func_wrap(MODULE, "environ_get", |_: Host<'_>, _: u32, _: u32| SUCCESS)?;
    linker.func_wrap(MODULE, "args_sizes_get", |mut host: Host<'_>, count: u32, size: u32| {
        nothing(&mut host, &[count, size])
    })?;
    linker.func_wrap(MODULE, "args_get", |_: Host<'_>, _: u32, _: u32| SUCCESS)?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "clock_time_get", clock_time_get)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    linker.func_wrap(MODULE, "proc_exit", |_: Host<'_>, code: u32| -> wasmtime::Result<()> {
        let rule = format!("the guest called proc_exit({code})");
        Err(wasmtime::Error::new(BrokenRule { rule, crash: false }))
    })?;
    link_files(linker)
}

/// Files: a filter has none.
fn link_files(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "fd_close", |_: Host<'_>, _: u32| NOT_SUPPORTED)?;
    linker.func_wrap(MODULE, "fd_seek", |_: Host<'_>, _: u32, _: u64, _: u32, _: u32| {
        NOT_SUPPORTED
    })?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |_: Host<'_>, _: u32, _: u32| NOT_SUPPORTED)?;
    linker.func_wrap(MODULE, "fd_read", |_: Host<'_>, _: u32, _: u32, _: u32, _: u32| {
        NOT_SUPPORTED
    })?;
    linker.func_wrap(MODULE, "fd_prestat_get", |_: Host<'_>, _: u32, _: u32| BAD_FD)?;
    linker.func_wrap(MODULE, "sched_yield", |_: Host<'_>| SUCCESS)?;
    Ok(())
}

fn memory(host: &mut Host<'_>) -> Option<Memory> {
    host.get_export("memory").and_then(Extern::into_memory)
}

fn write(host: &mut Host<'_>, address: u32, bytes: &[u8]) -> u32 {
    let target = memory(host).and_then(|memory| {
        let start = usize::try_from(address).ok()?;
        memory.data_mut(host).get_mut(start..start.checked_add(bytes.len())?)
    });
    target.map_or(FAULT, |target| {
        target.copy_from_slice(bytes);
        SUCCESS
    })
}

fn nothing(host: &mut Host<'_>, counters: &[u32]) -> u32 {
    counters.iter().fold(SUCCESS, |errno, at| errno.max(write(host, *at, &[0; 4])))
}

/// Standard output and error become log lines.
fn fd_write(mut host: Host<'_>, fd: u32, vectors: u32, count: u32, written: u32) -> u32 {
    let level = match fd {
        1 => Level::Info,
        2 => Level::Error,
        _ => return BAD_FD,
    };
    let Some(text) = memory(&mut host).and_then(|m| gather(m.data(&host), vectors, count)) else {
        return FAULT;
    };
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let text = String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned();
    if !text.is_empty() {
        host.data_mut().logs.push(LogLine { level, text });
    }
    write(&mut host, written, &len.to_le_bytes())
}

fn gather(memory: &[u8], vectors: u32, count: u32) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let vectors = memory.get(usize::try_from(vectors).ok()?..)?;
    for vector in vectors.chunks_exact(8).take(usize::try_from(count).ok()?) {
        let (address, rest) = vector.split_first_chunk::<4>()?;
        let (len, _) = rest.split_first_chunk::<4>()?;
        let start = usize::try_from(u32::from_le_bytes(*address)).ok()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        text.extend_from_slice(memory.get(start..start.checked_add(len)?)?);
    }
    Some(text)
}

fn clock_time_get(mut host: Host<'_>, _clock: u32, _precision: u64, time: u32) -> u32 {
    let state = host.data();
    let now = clock(state.personality, state.world.borrow().wall);
    write(&mut host, time, &now.to_le_bytes())
}

/// Bytes that look random and are the same in each run.
fn random_get(mut host: Host<'_>, address: u32, len: u32) -> u32 {
    if len > MAX_RANDOM {
        return INVALID;
    }
    let mut bytes = Vec::new();
    while bytes.len() < usize::try_from(len).unwrap_or(usize::MAX) {
        let state = host.data();
        let mut world = state.world.borrow_mut();
        let mut next = world.random;
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        world.random = next;
        bytes.extend_from_slice(&next.to_le_bytes());
    }
    bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
    write(&mut host, address, &bytes)
}
