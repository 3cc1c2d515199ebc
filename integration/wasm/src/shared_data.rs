//! The shared data of all VMs of a host, and the two ways to compare and swap.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wasmtime::Linker;

use crate::abi::{Call, Out, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::host::World;
use crate::vm_state::VmState;
use crate::{Personality, Status};

/// Values by key, each with the number of its last write.
#[derive(Debug, Default)]
pub(crate) struct Store {
    entries: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    writes: u32,
}

impl Store {
    fn write(&mut self, key: &[u8], value: &[u8]) {
        self.writes = self.writes.wrapping_add(1).max(1);
        self.entries.insert(key.to_vec(), (value.to_vec(), self.writes));
    }

    fn compare_and_swap(
        &mut self,
        personality: Personality,
        key: &[u8],
        value: Option<&[u8]>,
        cas: u32,
    ) -> Result<(), Status> {
        let current = self.entries.get(key).map(|(_, cas)| *cas);
        let accepted = match (personality, current) {
            (Personality::Nginx, None) => cas == 0,
            (Personality::Nginx, Some(current)) => cas == current,
            (Personality::Envoy | Personality::Bare, None) => true,
            (Personality::Envoy | Personality::Bare, Some(current)) => cas == 0 || cas == current,
        };
        match (accepted, value, personality) {
            (false, ..) => return Err(Status::CAS_MISMATCH),
            (true, None, Personality::Nginx) => {
                self.entries.remove(key);
            }
            (true, value, _) => self.write(key, value.unwrap_or_default()),
        }
        Ok(())
    }
}

/// The shared data of a host, seen from outside of every VM.
#[derive(Clone, Debug)]
pub struct SharedData {
    pub(crate) world: Rc<RefCell<World>>,
}

impl SharedData {
    /// The value under a key.
    #[must_use]
    pub fn value(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.world.borrow().shared.entries.get(key).map(|(value, _)| value.clone())
    }

    /// Every key, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.world.borrow().shared.entries.keys().cloned().collect()
    }

    /// Writes as some other filter with the same VM id would.
    pub fn write(&self, key: &[u8], value: &[u8]) {
        self.world.borrow_mut().shared.write(key, value);
    }

    /// Removes a key, as a restart of the host would.
    pub fn remove(&self, key: &[u8]) {
        self.world.borrow_mut().shared.entries.remove(key);
    }
}

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_get_shared_data(key: u32, len: u32, data: u32, size: u32, cas: u32)
            => get(call, Span(key, len), Out(data, size), cas);
        proxy_set_shared_data(key: u32, len: u32, value: u32, value_len: u32, cas: u32)
            => set(call, Span(key, len), Span(value, value_len), cas);
    }
    Ok(())
}

fn available(call: &Call<'_>) -> Outcome {
    match call.personality() {
        Personality::Bare => Err(Status::UNIMPLEMENTED.into()),
        Personality::Nginx if !call.world().shared_memory => {
            Err(Refusal::rule("shared data needs a `shm_kv` zone, and none is configured"))
        }
        Personality::Nginx | Personality::Envoy => Ok(()),
    }
}

fn get(call: &mut Call<'_>, key: Span, value: Out, cas: u32) -> Outcome {
    available(call)?;
    let key = call.read(key)?;
    let found = call.world().shared.entries.get(&key).cloned();
    let (bytes, number) = found.ok_or(Status::NOT_FOUND)?;
    call.give(&bytes, value)?;
    call.write_u32(cas, number)
}

fn set(call: &mut Call<'_>, key: Span, value: Span, cas: u32) -> Outcome {
    available(call)?;
    let key = call.read(key)?;
    let bytes = call.read(value)?;
    let bytes = (value.0 != 0).then_some(bytes.as_slice());
    let personality = call.personality();
    let mut world = call.world();
    Ok(world.shared.compare_and_swap(personality, &key, bytes, cas)?)
}
