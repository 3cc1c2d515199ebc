//! The doors of a generated configuration, and what must come through ours.

use std::collections::BTreeSet;

use jwt_gate_envoy::{Behaviour, Error, Request};
use jwt_gate_scenario::{Expansion, Keyring};
use serde_json::Value;

use super::Play;
use super::ask::{Ask, Twist};
use super::config::{Config, NAMES, NO_PART, Rule, Side};
use super::need::Need;
use super::paste::paste;
use super::texts::Texts;
use super::words::Translation;
use crate::challenge::Url;
use crate::outcome::{Kind, Outcome};
use crate::stage::{Behind, Door, Stage, Version};

/// The doors of a configuration.
pub(super) struct Doors {
    native: Door,
    ours: Door,
    translated: Door,
    router: Door,
    version: Version,
}

/// Why a token was refused is shown in headers that begin so.
const FAILURES: &str = "x-told-failed_status-";

/// The ids of the divergences that showed in a comparison; none where both sides say the same.
pub(super) type Shown = BTreeSet<&'static str>;

/// What the readings of a request find.
enum Found<'c> {
    Preflight,
    /// Not one and the same; with the id of the divergence.
    Several(&'static str),
    Nothing,
    Rule(&'c Rule),
}

impl Doors {
    /// Puts up the doors of all these configurations; in place of doors, who refuses one, and why.
    pub(super) fn put_up(
        stage: &Stage,
        keyring: &Keyring,
        plays: &[Play],
    ) -> Result<Vec<Result<Self, String>>, Error> {
        let behind = plays.iter().flat_map(|play| behind(stage, keyring, &play.config));
        let mut doors = stage.put_up(&behind.collect::<Vec<_>>())?.into_iter();
        let opened = plays.iter().map(|Play { config, .. }| {
            let sides: Vec<_> = doors.by_ref().take(4).collect();
            let opened: Result<Vec<Door>, Vec<String>> = sides.into_iter().collect();
            let refused = |said: Vec<String>| {
                format!("refused:\n{}\n{}", config.json(Side::Native), said.join("\n"))
            };
            let version = if config.http2 { Version::Http2 } else { Version::Http1 };
            let mut opened = opened.map_err(refused)?.into_iter();
            match (opened.next(), opened.next(), opened.next(), opened.next()) {
                (Some(native), Some(translated), Some(ours), Some(router)) => {
                    Ok(Self { native, ours, translated, router, version })
                }
                _ => Err("a door is lacking".to_owned()),
            }
        });
        Ok(opened.collect())
    }

    /// The doors, to be taken down.
    pub(super) fn all(self) -> [Door; 4] {
        [self.native, self.ours, self.translated, self.router]
    }

    /// Asks all sides, and tells where ours does not say what it must.
    pub(super) fn compare(
        &mut self,
        texts: &mut Texts<'_>,
        config: &Config,
        ask: &Ask,
    ) -> Result<Shown, String> {
        let mut translation = Translation::new(ask, config);
        let sent = translation.own().clone();
        let request = texts.request(&sent)?;
        let native = send(&mut self.native, &request, self.version)?;
        let ours = send(&mut self.ours, &request, self.version)?;
        let url = Url { host: "api.example".to_owned(), target: texts.bytes(&sent.target)? };
        let mut expected = match self.rule(config, ask, texts)? {
            Found::Several(id) => {
                translation.ids.insert(id);
                refusal(config, ask, &url, Refusal::Ambiguous)
            }
            Found::Nothing if !config.open => {
                translation.ids.insert("no-rule");
                refusal(config, ask, &url, Refusal::NoRule)
            }
            Found::Preflight | Found::Nothing => native.clone(),
            Found::Rule(rule) => {
                let told = self.told(rule, &native, &mut translation, texts)?;
                translation.undo(&told, &url, texts)?
            }
        };
        if expected.kind == Kind::Passed && strip_other_spellings(config, ask, &mut expected) {
            translation.ids.insert("other-spellings");
        }
        if ours == expected {
            return Ok(if ours == native { Shown::new() } else { translation.ids });
        }
        let case = paste(config, &sent, &native, &ours);
        let lines = ours.describe_difference(&expected).join("\n");
        Err(format!("{case}\nwhere ours is to be as `native` here:\n{lines}"))
    }

    /// What the native filter says where it is told what ours does by itself. Without a divergence
    /// to be told of it is what it says anyway.
    fn told(
        &mut self,
        rule: &Rule,
        native: &Outcome,
        translation: &mut Translation,
        texts: &mut Texts<'_>,
    ) -> Result<Outcome, String> {
        let version = self.version;
        let mut ask = |door: &mut Door, part: Option<&str>| {
            send(door, &texts.request(&translation.native(part))?, version)
        };
        let whole = match translation.ids.is_empty() {
            true => native.clone(),
            false => ask(&mut self.translated, None)?,
        };
        let Some(parts) = rule.halved() else { return Ok(whole) };
        if whole.kind == Kind::Answered {
            return Ok(whole);
        }
        // The native filter leaves what it did for a part that was not fulfilled.
        let mut found = None;
        let asked = parts.iter().take_while(|part| !matches!(part, Need::Nothing)).enumerate();
        for (number, _) in asked.filter(|(_, part)| part.demands()) {
            let alone = ask(&mut self.translated, Some(&number.to_string()))?;
            if alone.kind == Kind::Passed {
                found = Some(alone);
                break;
            }
        }
        let mut found = match found {
            Some(found) => found,
            None => ask(&mut self.translated, Some(NO_PART))?,
        };
        // What was refused is told all the same.
        found.fields.retain(|name, _| !name.starts_with(FAILURES));
        let failures = whole.fields.into_iter().filter(|(name, _)| name.starts_with(FAILURES));
        found.fields.extend(failures);
        translation.ids.insert("half-taken");
        Ok(found)
    }

    /// What the readings of the path and of the query find, which Envoy's own router says.
    fn rule<'c>(
        &mut self,
        config: &'c Config,
        ask: &Ask,
        texts: &mut Texts<'_>,
    ) -> Result<Found<'c>, String> {
        if config.preflight && ask.is_preflight() {
            return Ok(Found::Preflight);
        }
        let mut sent = ask.written(config, super::words::Words::Own);
        // What answers gRPC has no body, and the router answers in its body.
        sent.lines.retain(|line| !line.starts_with("content-type:"));
        let target = sent.target.clone();
        let mut find = |target: &str| {
            target.clone_into(&mut sent.target);
            let answer = send(&mut self.router, &texts.request(&sent)?, self.version)?;
            Ok::<_, String>(answer.value(":body").to_owned())
        };
        let literal = find(&target)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut paths = vec![path.to_owned()];
        if ask.twist != Twist::Plain {
            let reading = ask.twist.reading(ask.path);
            let mark = if path.len() < target.len() { "?" } else { "" };
            if find(&format!("{reading}{mark}{query}"))? != literal {
                return Ok(Found::Several("ambiguous-path"));
            }
            paths.push(reading);
        }
        if let Some(last) = ask.last_of_twice() {
            let query = query.replacen(ask.query, last, 1);
            for path in paths {
                if find(&format!("{path}?{query}"))? != literal {
                    return Ok(Found::Several("ambiguous-query"));
                }
            }
        }
        let number = literal.parse::<usize>().ok();
        Ok(number.and_then(|n| config.rules.get(n)).map_or(Found::Nothing, Found::Rule))
    }
}

/// What stands behind the doors of a configuration: native, translated, ours, router.
fn behind(stage: &Stage, keyring: &Keyring, config: &Config) -> [Behind; 4] {
    for side in [Side::Native, Side::Translated] {
        for (name, provider) in NAMES.iter().zip(&config.providers) {
            if let Some((path, keys)) = provider.served(name, side) {
                let keys = Expansion::new(keyring, "").text(&keys).unwrap_or_default();
                stage.serve(&path, Behaviour::ok(keys));
            }
        }
    }
    let text = |side| {
        let text = config.json(side).to_string();
        Expansion::new(keyring, "").json(&text).unwrap_or_default()
    };
    let native = |side| Behind::Native(serde_json::from_str(&text(side)).unwrap_or(Value::Null));
    let gate = text(Side::Gate);
    let gate = match config.structured {
        true => Behind::GateOfStruct(serde_json::from_str(&gate).unwrap_or(Value::Null)),
        false => Behind::Gate(gate),
    };
    [native(Side::Native), native(Side::Translated), gate, Behind::Router(config.matches())]
}

fn send(door: &mut Door, request: &Request, version: Version) -> Result<Outcome, String> {
    door.send(request, version).map_err(|error| error.to_string())
}

/// Takes out the headers that ours takes for owned ones, by another spelling.
fn strip_other_spellings(config: &Config, ask: &Ask, passed: &mut Outcome) -> bool {
    let mut any = false;
    for line in &ask.lines {
        let name = line.split(':').next().unwrap_or_default();
        if name.contains('_') && config.owns(&name.replace('_', "-")) {
            any |= passed.fields.remove(name).is_some();
        }
    }
    any
}

/// What ours alone refuses.
#[derive(Clone, Copy)]
enum Refusal {
    Ambiguous,
    NoRule,
}

fn refusal(config: &Config, ask: &Ask, url: &Url, why: Refusal) -> Outcome {
    let (status, in_grpc, body) = match why {
        Refusal::Ambiguous => (400, "13", "Bad Request"),
        Refusal::NoRule => (403, "7", "RBAC: access denied"),
    };
    let mut refusal = url.refusal(status, body);
    if ask.is_grpc() {
        refusal.set(":status", "200");
        refusal.set(":body", "");
        refusal.set("content-length", "0");
        refusal.set("content-type", "application/grpc");
        refusal.set("grpc-status", in_grpc);
        if !config.strip {
            refusal.set("grpc-message", body);
        }
        return refusal;
    }
    if config.strip {
        refusal.set(":body", "");
        refusal.set("content-length", "0");
        refusal.clear("content-type");
        refusal.clear("www-authenticate");
    }
    refusal
}
