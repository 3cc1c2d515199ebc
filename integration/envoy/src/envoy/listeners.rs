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
/// How Envoy begins to say which listeners it refuses.
const LISTENERS_REFUSED: &str = "Error adding/updating listener(s) ";
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
    /// Adds a listener to the running Envoy; the answer is where it listens. Several threads may do
    /// that at once, if each has a port of its own.
    ///
    /// # Errors
    /// Envoy refuses it: [`Error::Refused`] with what it logged since. Or it takes too long.
    pub fn listen(&self, listener: Listener) -> Result<SocketAddr, Error> {
        let (logged, name) = (self.log.len(), listener.name().to_owned());
        match self.take_in(vec![listener], LISTEN_WITHIN)?.pop() {
            Some(Ok(address)) => Ok(address),
            Some(Err(_)) => Err(Error::Refused { log: self.log.since(logged) }),
            None => Err(Error::NoListener(name)),
        }
    }

    /// Adds many listeners at once; for each, where it listens, or what Envoy says against it.
    ///
    /// # Errors
    /// Envoy cannot be told, or takes too long.
    pub fn listen_all(
        &self,
        listeners: Vec<Listener>,
    ) -> Result<Vec<Result<SocketAddr, Vec<String>>>, Error> {
        self.take_in(listeners, LISTEN_ALL_WITHIN)
    }

    fn take_in(
        &self,
        listeners: Vec<Listener>,
        within: Duration,
    ) -> Result<Vec<Result<SocketAddr, Vec<String>>>, Error> {
        let names: Vec<String> = listeners.iter().map(|l| l.name().to_owned()).collect();
        let logged = self.log.len();
        self.publish(|all| all.extend(listeners))?;
        let all = wait::until(within, || {
            let (addresses, log) = (self.addresses().ok()?, self.log.since(logged));
            let outcome = |name: &String| match addresses.get(name) {
                Some(address) => Some(Ok(*address)),
                None => objections(&log, name).map(Err),
            };
            names.iter().map(outcome).collect::<Option<Vec<_>>>()
        });
        let Some(all) = all else {
            self.close_all(&names)?;
            let log = self.log.since(logged).into_iter().filter(|l| !l.contains(" info "));
            return Err(Error::NotReady { seconds: within.as_secs(), log: log.collect() });
        };
        let refused = names.into_iter().zip(&all).filter(|(_, outcome)| outcome.is_err());
        let refused: Vec<String> = refused.map(|(name, _)| name).collect();
        if !refused.is_empty() {
            // Or the next listeners would be refused together with these.
            self.close_all(&refused)?;
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

/// What the log says about a listener that Envoy did not take in, alone or with all others.
fn objections(log: &[String], listener: &str) -> Option<Vec<String>> {
    let begin = format!("{listener}: ");
    // One line with the first of those refused, and one for each other; or what cannot be read.
    let is_about = |line: &&String| match line.split_once(" config update rejected: ") {
        Some((_, why)) => why.strip_prefix(LISTENERS_REFUSED).is_none_or(|w| w.starts_with(&begin)),
        None => line.starts_with(&begin),
    };
    let about = || log.iter().filter(|line| line.contains(listener)).cloned().collect();
    log.iter().find(is_about).map(|_| about())
}
