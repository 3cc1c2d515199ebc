//! Waiting for another process.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Time between two looks.
const STEP: Duration = Duration::from_millis(5);

/// Asks until there is an answer; `None` when the time is over.
pub(crate) fn until<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "the limit is for a process outside this one")]
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if begun.elapsed() >= within {
            return None;
        }
        thread::sleep(STEP);
    }
}
