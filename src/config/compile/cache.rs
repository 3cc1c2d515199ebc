//! Room for verified tokens.

use crate::cache::Room;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{JwtCacheConfig, TokenCache};

/// Entries that a cache may be told to have at most.
const MOST: u32 = 1_000_000;

const MIB: usize = 1024 * 1024;

/// Bytes that a cache takes where nothing else is said.
const BYTES: usize = 16 * MIB;

/// The room that all providers share which have none of their own.
pub(super) fn shared(raw: Option<&TokenCache>, at: &ConfigPath<'_>, faults: &mut Faults) -> Room {
    let entries = raw.and_then(|raw| raw.entries).unwrap_or(10_000);
    if entries > MOST {
        faults.add(&at.key("entries"), format!("must be at most {MOST}, found {entries}"));
    }
    let bytes = raw.and_then(|raw| raw.max_bytes).map_or(BYTES, size);
    if !(MIB..=1024 * MIB).contains(&bytes) {
        let message = format!("must be from {MIB} to {}, found {bytes}", 1024 * MIB);
        faults.add(&at.key("max_bytes"), message);
    }
    Room { entries: size(entries), bytes, largest: usize::MAX }
}

/// A provider's own room, with the native filter's defaults, which 0 stands for, too.
pub(super) fn own(raw: &JwtCacheConfig, at: &ConfigPath<'_>, faults: &mut Faults) -> Room {
    let or = |value: Option<u32>, default| value.filter(|value| *value > 0).unwrap_or(default);
    let entries = or(raw.jwt_cache_size, 100);
    if entries > MOST {
        faults.add(&at.key("jwt_cache_size"), format!("must be at most {MOST}, found {entries}"));
    }
    let largest = size(or(raw.jwt_max_token_size, 4096));
    Room { entries: size(entries), bytes: BYTES, largest }
}

fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
