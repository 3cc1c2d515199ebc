//! Listeners that come and go while Envoy runs.

use std::fs;
use std::net::SocketAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Envoy, write, written};
use crate::bootstrap::{Listener, typed};
use crate::error::Error;
use crate::wait;

/// The file with the listeners that came after the start.
pub(super) const LISTENERS: &str = "listeners.json";
/// How long Envoy may take to take in a listener.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);
/// How long Envoy may take to take in many of them.
const LISTEN_ALL_WITHIN: Duration = Duration::from_secs(120);

/// The listeners that came after the start.
#[derive(Debug, Default)]
pub(super) struct Further {
    version: u64,
    listeners: Vec<Listener>,
}

impl Envoy {
    /// Adds a listener to the running Envoy; the answer is where it listens.
    ///
    /// # Errors
    /// Envoy refuses it: [`Error::Refused`] with what it logged since.
    pub fn listen(&self, listener: Listener) -> Result<SocketAddr, Error> {
        let (before, logged) = (self.refusals()?, self.log.len());
        let name = listener.name().to_owned();
        self.publish(|listeners| listeners.push(listener))?;
        let outcome = wait::until(LISTEN_WITHIN, || match self.address(&name) {
            Err(Error::NoListener(_)) => match self.refusals() {
                Ok(now) if now == before => None,
                Ok(_) => Some(Err(Error::Refused { log: self.log.since(logged) })),
                Err(error) => Some(Err(error)),
            },
            address => Some(address),
        });
        let outcome = outcome.unwrap_or_else(|| Err(Error::NoListener(name.clone())));
        if outcome.is_err() {
            // Or the next listener would be refused together with this one.
            self.close(&name)?;
        }
        outcome
    }

    /// Adds many listeners at once; for each, where it listens, or what Envoy says against it.
    ///
    /// # Errors
    /// Envoy cannot be told, or takes too long.
    pub fn listen_all(
        &self,
        listeners: Vec<Listener>,
    ) -> Result<Vec<Result<SocketAddr, Vec<String>>>, Error> {
        let names: Vec<String> = listeners.iter().map(|l| l.name().to_owned()).collect();
        let (before, logged) = (self.updates()?, self.log.len());
        self.publish(|all| all.extend(listeners))?;
        let taken = || self.updates().ok().filter(|now| *now != before);
        let all = wait::until(LISTEN_ALL_WITHIN, || {
            taken()?;
            let (addresses, log) = (self.addresses().ok()?, self.log.since(logged));
            let outcome = |name: &String| match addresses.get(name) {
                Some(address) => Some(Ok(*address)),
                None => objections(&log, name).map(Err),
            };
            names.iter().map(outcome).collect::<Option<Vec<_>>>()
        });
        let all = all.ok_or_else(|| Error::NotReady {
            seconds: LISTEN_ALL_WITHIN.as_secs(),
            log: self.log.since(logged).into_iter().filter(|l| !l.contains(" info ")).collect(),
        })?;
        let refused: Vec<_> = names.iter().zip(&all).filter(|(_, l)| l.is_err()).collect();
        if !refused.is_empty() {
            // Or the next listeners would be refused together with these.
            self.publish(|all| all.retain(|l| !refused.iter().any(|(name, _)| *name == l.name())))?;
        }
        Ok(all)
    }

    /// Takes away listeners; does not wait until they are gone.
    ///
    /// # Errors
    /// Envoy cannot be told.
    pub fn close_all(&self, listeners: &[String]) -> Result<(), Error> {
        self.publish(|all| all.retain(|l| !listeners.iter().any(|name| *name == l.name())))
    }

    /// Takes away a listener that was added with [`Self::listen`]; does not wait until it is gone.
    ///
    /// # Errors
    /// Envoy cannot be told.
    pub fn close(&self, listener: &str) -> Result<(), Error> {
        self.publish(|listeners| listeners.retain(|other| other.name() != listener))
    }

    /// How often Envoy could not read or take in the listeners.
    fn refusals(&self) -> Result<u64, Error> {
        let rejected = self.counter("listener_manager.lds.update_rejected")?;
        Ok(rejected.saturating_add(self.counter("listener_manager.lds.update_failure")?))
    }

    /// How often Envoy read the listeners, whatever it thought of them.
    fn updates(&self) -> Result<u64, Error> {
        let taken = self.counter("listener_manager.lds.update_success")?;
        Ok(taken.saturating_add(self.refusals()?))
    }

    fn publish(&self, change: impl FnOnce(&mut Vec<Listener>)) -> Result<(), Error> {
        let (next, path) =
            (self.folder.path().join("next.json"), self.folder.path().join(LISTENERS));
        let mut further: MutexGuard<'_, Further> =
            self.further.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut further.listeners);
        further.version = further.version.saturating_add(1);
        write(&next, &further.to_json())?;
        // Envoy looks at the file when another is moved there, never at one half written.
        fs::rename(&next, &path).map_err(written(&path))
    }
}

impl Further {
    /// As Envoy reads it from a file.
    pub(super) fn to_json(&self) -> Value {
        let typed =
            |listener: &Listener| typed("envoy.config.listener.v3.Listener", listener.to_json());
        let resources: Vec<_> = self.listeners.iter().map(typed).collect();
        json!({ "version_info": self.version.to_string(), "resources": resources })
    }
}

/// What the log says against a listener, if it says something.
fn objections(log: &[String], listener: &str) -> Option<Vec<String>> {
    let begins = format!("{listener}: ");
    let about = || log.iter().filter(|line| line.contains(listener)).cloned().collect();
    log.iter().any(|line| line.contains(&begins)).then(about)
}
