//! A request in words that the native filter understands as ours does, and what it says to them
//! put back.

use std::collections::BTreeSet;

use super::ask::{Ask, Sent};
use super::config::{Config, PART};
use super::texts::Texts;
use crate::challenge::{REALM, Url};
use crate::metadata::SHOWN;
use crate::outcome::{Kind, Outcome};

/// Claims, and the payload, are told in headers that begin so.
const TOLD: [&str; 5] = ["x-sub-", "x-n-", "x-l-", "x-d-e-", "x-payload-"];
/// What later filters are told of a good token is shown in headers that begin so.
const OF_A_TOKEN: [&str; 2] = ["x-told-payload-", "x-told-header-"];

/// The words of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Words {
    /// Its own.
    Own,
    /// Those that the native filter understands as ours does.
    Native,
}

/// How a request in native words differs from what was asked: what to put back afterwards.
#[derive(Debug)]
pub(super) struct Translation {
    own: Sent,
    native: Sent,
    tokens: Vec<(String, String)>,
    bodies: Vec<(&'static str, &'static str)>,
    /// The divergences that may show.
    pub(super) ids: BTreeSet<&'static str>,
}

impl Translation {
    /// Of this request under this configuration.
    pub(super) fn new(ask: &Ask, config: &Config) -> Self {
        let (mut tokens, mut bodies, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (place, token) in &ask.tokens {
            ids.extend(place.id(config));
            ids.extend(token.untold(config));
            if let Some(told) = token.in_native_words() {
                tokens.push((told.text, token.text()));
                bodies.extend(told.bodies);
                ids.insert(told.id);
            }
        }
        let (own, native) = (ask.written(config, Words::Own), ask.written(config, Words::Native));
        Self { own, native, tokens, bodies, ids }
    }

    /// The request in its own words.
    pub(super) const fn own(&self) -> &Sent {
        &self.own
    }

    /// The request in native words; with `part`, for that part of the requirement alone.
    pub(super) fn native(&self, part: Option<&str>) -> Sent {
        let mut sent = self.native.clone();
        sent.lines.extend(part.map(|part| format!("{PART}: {part}")));
        sent
    }

    /// The outcome as if what was asked had not been translated, and the divergences that each
    /// outcome may have.
    pub(super) fn undo(
        &mut self,
        told: &Outcome,
        url: &Url,
        texts: &mut Texts<'_>,
    ) -> Result<Outcome, String> {
        let (mut outcome, realm) = url.with_our_realm(told);
        if realm {
            self.ids.insert(REALM);
        }
        for (native, ours) in &self.bodies {
            let told = |name: &str| name.starts_with(SHOWN);
            let told = outcome.fields.iter_mut().filter(|(name, _)| told(name));
            for value in told.flat_map(|(_, values)| values) {
                *value = value.replace(native, ours);
            }
        }
        if outcome.kind == Kind::Answered {
            let ours = |said: &str| self.bodies.iter().find(|(native, _)| *native == said);
            if let Some((_, ours)) = ours(outcome.value(":body")) {
                outcome.set(":body", ours);
                outcome.set("content-length", &ours.len().to_string());
            }
            if let Some((_, ours)) = ours(outcome.value("grpc-message")) {
                outcome.set("grpc-message", ours);
            }
            let fields = outcome.fields.len();
            outcome.fields.retain(|name, _| !OF_A_TOKEN.iter().any(|told| name.starts_with(told)));
            if outcome.fields.len() < fields {
                self.ids.insert("told-of-who-passes");
            }
            return Ok(outcome);
        }
        outcome.clear(PART);
        for (name, values) in &mut outcome.fields {
            if TOLD.iter().any(|told| name.starts_with(told)) {
                let told = values.len();
                values.dedup();
                if values.len() < told {
                    self.ids.insert("told-once");
                }
            }
        }
        self.put_back(&mut outcome, texts)?;
        Ok(outcome)
    }

    /// What reached the upstream as it was sent, in the words in which it was asked.
    fn put_back(&self, outcome: &mut Outcome, texts: &mut Texts<'_>) -> Result<(), String> {
        let (own, native) = (headers(&self.own, texts)?, headers(&self.native, texts)?);
        for ((name, was), (_, told)) in own.iter().zip(&native) {
            let Some(values) = outcome.fields.get_mut(name) else { continue };
            for separator in [",", "; "] {
                if *values == *told {
                    values.clone_from(was);
                } else if *values == [told.join(separator)] {
                    *values = vec![was.join(separator)];
                }
            }
        }
        for (told, was) in &self.tokens {
            let (told, was) = (texts.bytes(told)?, texts.bytes(was)?);
            for value in outcome.fields.get_mut(":path").into_iter().flatten() {
                *value = value.replace(&told, &was);
            }
        }
        Ok(())
    }
}

/// The headers by name, in the order in which each name first came.
fn headers(sent: &Sent, texts: &mut Texts<'_>) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in &sent.lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        let value = texts.bytes(value)?;
        match all.iter_mut().find(|(other, _)| other == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name.to_owned(), vec![value])),
        }
    }
    Ok(all)
}
