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
    /// Where the next lie comes from; `None`: the host says what is.
    lies: Option<u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, hostcall: &str, status: Status, times: Times) {
        self.by_name.insert(hostcall.to_owned(), (status, times));
    }

    /// From now on, one answer in four is not what it should be.
    pub(crate) const fn lie(&mut self, seed: u64) {
        self.lies = Some(seed | 1);
    }

    /// The bytes that the guest gets in place of these: cut off, none, twice, with other lengths
    /// inside, or with other bits.
    pub(crate) fn twist(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let Some(dice) = &mut self.lies else { return bytes };
        // Marsaglia's xorshift.
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        let [kind, at, high, bits, ..] = (*dice >> 11).to_le_bytes();
        let place = usize::from(u16::from_le_bytes([at, high])).checked_rem(bytes.len());
        match (kind % 24, place) {
            (0, Some(place)) => bytes.truncate(place),
            (1, _) => bytes.clear(),
            (2, _) => bytes.extend_from_within(..),
            // Where pairs say how many they are, and how long.
            (3, _) => bytes.iter_mut().take(12).for_each(|byte| *byte ^= bits),
            (4, _) => bytes.iter_mut().take(4).for_each(|byte| *byte = u8::MAX),
            (5, Some(place)) => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bits),
            _ => {}
        }
        bytes
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
