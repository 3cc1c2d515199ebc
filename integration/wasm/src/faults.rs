//! Failures that a test injects into hostcalls.

use std::collections::BTreeMap;

use crate::Status;

/// How often an injected failure happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At the next call alone.
    Once,
    /// At the call after this many good ones, alone.
    After(u32),
    /// At every call.
    Always,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    by_name: BTreeMap<String, (Status, Times)>,
}

impl Faults {
    pub(crate) fn add(&mut self, hostcall: &str, status: Status, times: Times) {
        self.by_name.insert(hostcall.to_owned(), (status, times));
    }

    /// The failure that this call meets, if any.
    pub(crate) fn take(&mut self, hostcall: &str) -> Option<Status> {
        let (status, times) = self.by_name.get_mut(hostcall)?;
        let status = *status;
        match times {
            Times::Always => return Some(status),
            Times::After(left @ 1..) => {
                *left = left.saturating_sub(1);
                return None;
            }
            Times::Once | Times::After(0) => {}
        }
        self.by_name.remove(hostcall);
        Some(status)
    }
}
