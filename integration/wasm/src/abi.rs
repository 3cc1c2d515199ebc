//! A hostcall on its way: counting, injected failures, access to the guest's memory.

use std::cell::RefMut;

use wasmtime::{Caller, Extern, Linker, Memory};

use crate::error::{BrokenRule, Outcome, Refusal};
use crate::host::World;
use crate::vm_state::{Entry, VmState};
use crate::{Personality, Status};

/// Where bytes lie in the guest: address and length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) u32, pub(crate) u32);

/// Where the guest wants the address and the length of bytes that the host gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out(pub(crate) u32, pub(crate) u32);

/// Registers hostcalls: `name(arguments) => expression;`, the expression being an [`Outcome`].
macro_rules! hostcalls {
    ($linker:ident, $call:ident,
     $( $name:ident ( $($arg:ident : $ty:ty),* ) => $body:expr; )*) => { $(
        $linker.func_wrap(
            "env",
            stringify!($name),
            |caller: wasmtime::Caller<'_, VmState>, $($arg: $ty),*| {
                Call::enter(caller, stringify!($name), |$call| $body)
            },
        )?;
    )* };
}
pub(crate) use hostcalls;

/// One hostcall: the guest that called, and its memory.
pub(crate) struct Call<'a> {
    caller: Caller<'a, VmState>,
    memory: Memory,
}

impl<'a> Call<'a> {
    /// Runs the body of a hostcall and turns what it comes to into what the guest sees.
    pub(crate) fn enter(
        mut caller: Caller<'a, VmState>,
        name: &'static str,
        body: impl FnOnce(&mut Self) -> Outcome,
    ) -> wasmtime::Result<u32> {
        caller.data_mut().count(name);
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
            return Ok(Status::INVALID_MEMORY_ACCESS.0);
        };
        let mut call = Call { caller, memory };
        let outcome = call.allowed(name).and_then(|()| body(&mut call));
        match outcome {
            Ok(()) => Ok(Status::OK.0),
            Err(Refusal::Status(status)) => Ok(status.0),
            Err(Refusal::Rule(rule)) => Err(wasmtime::Error::new(rule)),
            Err(Refusal::Engine(error)) => Err(error),
        }
    }

    fn allowed(&mut self, name: &'static str) -> Outcome {
        if self.entry() == Entry::Initialize {
            match self.personality() {
                Personality::Nginx => {
                    return Err(Refusal::crash(format!("`{name}` during `_initialize`")));
                }
                Personality::Envoy | Personality::Bare if name != "proxy_log" => {
                    return Err(Refusal::rule(format!("`{name}` is restricted in `_initialize`")));
                }
                Personality::Envoy | Personality::Bare => {}
            }
        }
        match self.world().faults.take(name) {
            Some(status) => Err(status.into()),
            None => Ok(()),
        }
    }

    pub(crate) fn state(&mut self) -> &mut VmState {
        self.caller.data_mut()
    }

    pub(crate) fn peek(&self) -> &VmState {
        self.caller.data()
    }

    pub(crate) fn world(&self) -> RefMut<'_, World> {
        self.caller.data().world.borrow_mut()
    }

    pub(crate) fn personality(&self) -> Personality {
        self.caller.data().personality
    }

    pub(crate) fn entry(&self) -> Entry {
        self.caller.data().entry
    }

    /// The bytes that the guest points at.
    pub(crate) fn read(&self, span: Span) -> Outcome<Vec<u8>> {
        let bytes = self.memory.data(&self.caller);
        let found = range(span.0, span.1).and_then(|range| bytes.get(range));
        Ok(found.ok_or(Status::INVALID_MEMORY_ACCESS)?.to_vec())
    }

    pub(crate) fn write(&mut self, address: u32, bytes: &[u8]) -> Outcome {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let memory = self.memory.data_mut(&mut self.caller);
        let target = range(address, len).and_then(|range| memory.get_mut(range));
        target.ok_or(Status::INVALID_MEMORY_ACCESS)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, address: u32, value: u32) -> Outcome {
        self.write(address, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, address: u32, value: u64) -> Outcome {
        self.write(address, &value.to_le_bytes())
    }

    /// Hands bytes to the guest, in memory that the guest allocates; no bytes are a null pointer.
    pub(crate) fn give(&mut self, bytes: &[u8], out: Out) -> Outcome {
        let bytes = &*self.world().faults.twist(bytes.to_vec());
        let len = u32::try_from(bytes.len()).map_err(|_| Status::INTERNAL_FAILURE)?;
        let address = if bytes.is_empty() { 0 } else { self.allocate(len)? };
        self.write(address, bytes)?;
        self.write_u32(out.0, address)?;
        self.write_u32(out.1, len)
    }

    fn allocate(&mut self, len: u32) -> Outcome<u32> {
        let export = ["proxy_on_memory_allocate", "malloc"]
            .into_iter()
            .find_map(|name| self.caller.get_export(name).and_then(Extern::into_func));
        let allocate = export.and_then(|func| func.typed::<u32, u32>(&self.caller).ok());
        let allocate = allocate.ok_or_else(|| {
            let rule = "the guest exports no allocator".to_owned();
            Refusal::Rule(BrokenRule { rule, crash: false })
        })?;
        match allocate.call(&mut self.caller, len).map_err(Refusal::Engine)? {
            0 => Err(Status::INVALID_MEMORY_ACCESS.into()),
            address => Ok(address),
        }
    }
}

fn range(address: u32, len: u32) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(address).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}

/// The parts of the ABI that no personality models: NGINX traps on them, the others say so.
pub(crate) fn link_unmodelled(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_close_stream(_stream: u32) => unmodelled(call, "proxy_close_stream");
        proxy_register_shared_queue(_name: u32, _len: u32, _id: u32)
            => unmodelled(call, "proxy_register_shared_queue");
        proxy_resolve_shared_queue(_vm: u32, _vm_len: u32, _name: u32, _len: u32, _id: u32)
            => unmodelled(call, "proxy_resolve_shared_queue");
        proxy_dequeue_shared_queue(_id: u32, _data: u32, _size: u32)
            => unmodelled(call, "proxy_dequeue_shared_queue");
        proxy_enqueue_shared_queue(_id: u32, _data: u32, _size: u32)
            => unmodelled(call, "proxy_enqueue_shared_queue");
        proxy_grpc_call(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32, _g: u32, _h: u32,
            _i: u32, _j: u32, _k: u32, _l: u32) => unmodelled(call, "proxy_grpc_call");
        proxy_grpc_stream(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32, _g: u32, _h: u32,
            _i: u32) => unmodelled(call, "proxy_grpc_stream");
        proxy_grpc_send(_id: u32, _data: u32, _size: u32, _end: u32)
            => unmodelled(call, "proxy_grpc_send");
        proxy_grpc_cancel(_id: u32) => unmodelled(call, "proxy_grpc_cancel");
        proxy_grpc_close(_id: u32) => unmodelled(call, "proxy_grpc_close");
    }
    Ok(())
}

fn unmodelled(call: &Call<'_>, name: &str) -> Outcome {
    match call.personality() {
        Personality::Nginx => Err(Refusal::rule(format!("`{name}` is not implemented"))),
        Personality::Envoy | Personality::Bare => Err(Status::UNIMPLEMENTED.into()),
    }
}
