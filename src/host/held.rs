//! Requests that wait for keys.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::time::Timestamp;

/// Where a request is. Until it is allowed nothing of it passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Its headers have not been decided on.
    Undecided,
    /// It may pass.
    Allowed,
    /// It was answered, or is gone.
    Ended,
}

/// A request that waits.
#[derive(Debug)]
pub(super) struct Held {
    /// Its context.
    pub(super) context: u32,
    /// When it is answered, come what may.
    pub(super) deadline: Timestamp,
    /// Where it is; its context looks there, too.
    pub(super) phase: Rc<Cell<Phase>>,
}

/// The requests that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct WaitList(RefCell<Vec<Held>>);

impl WaitList {
    /// Adds a request, if fewer than `max` wait.
    pub(super) fn hold(&self, held: Held, max: usize) -> bool {
        let mut list = self.0.borrow_mut();
        let room = list.len() < max;
        if room {
            list.push(held);
        }
        room
    }

    /// Takes all out. While they are decided on, nothing is borrowed: a host may call back.
    pub(super) fn take(&self) -> Vec<Held> {
        self.0.take()
    }

    /// Puts those back that go on waiting, before all that came meanwhile.
    pub(super) fn put_back(&self, mut waiting: Vec<Held>) {
        let mut list = self.0.borrow_mut();
        waiting.append(&mut list);
        *list = waiting;
    }

    /// Forgets a request that is gone.
    pub(super) fn forget(&self, context: u32) {
        self.0.borrow_mut().retain(|held| held.context != context);
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Whether somebody has waited long enough.
    pub(super) fn any_due(&self, now: Timestamp) -> bool {
        self.0.borrow().iter().any(|held| held.deadline <= now)
    }
}
