//! Running generated cases, many configurations at once.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use jwt_gate_envoy::{Error, Request};
use jwt_gate_scenario::{Expansion, Keyring};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::model::{Ask, Config, NAMES, Place, Play, Scheme, Twist};
use super::paste::paste;
use super::strategy;
use crate::challenge::Url;
use crate::outcome::{Kind, Outcome};
use crate::stage::{Behind, Door, Stage};

/// Requests for each configuration.
const ASKS: usize = 40;
/// Configurations that Envoy has at once.
const BATCH: usize = 48;
/// Batches after which a new Envoy is started.
const BATCHES: usize = 20;
/// Plays at once.
const WORKERS: usize = 2;
/// Steps of making a failing case smaller.
const STEPS: usize = 200;
/// How often a request is tried before a difference counts: two tries may be in two seconds.
const ATTEMPTS: usize = 3;

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests that both sides answered.
    pub comparisons: usize,
    /// Those in which something showed that is on purpose.
    pub explained: usize,
    /// Configurations.
    pub configurations: usize,
    /// Envoys that were started.
    pub envoys: usize,
    /// The smallest case that failed first, to be pasted.
    pub failure: Option<String>,
}

/// A request as text with placeholders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sent {
    /// The method.
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Header lines.
    pub(super) lines: Vec<String>,
}

/// How a request in native words differs from what was asked: what to put back afterwards.
#[derive(Debug, Default)]
struct Translation {
    back: Vec<(String, String)>,
    bodies: Vec<(&'static str, &'static str)>,
}

/// The doors of a configuration.
struct Doors {
    native: Door,
    ours: Door,
    translated: Door,
    router: Door,
}

/// Compares until so many comparisons are made, or one fails.
///
/// # Errors
/// Envoy cannot be started or told.
pub fn run(comparisons: usize, seed: u64) -> Result<Report, Error> {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte = value;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(RunnerConfig::default(), rng);
    let (keyring, plays) = (Keyring::new(), strategy::play(ASKS));
    let mut report = Report::default();
    while report.comparisons < comparisons && report.failure.is_none() {
        let stage = Stage::open()?;
        report.envoys = report.envoys.saturating_add(1);
        for _ in 0..BATCHES {
            if report.comparisons >= comparisons || report.failure.is_some() {
                break;
            }
            let trees = (0..BATCH).filter_map(|_| plays.new_tree(&mut runner).ok());
            batch(&stage, &keyring, trees.collect(), &mut report)?;
        }
    }
    Ok(report)
}

fn batch<T: ValueTree<Value = Play>>(
    stage: &Stage,
    keyring: &Keyring,
    mut trees: Vec<T>,
    report: &mut Report,
) -> Result<(), Error> {
    let plays: Vec<Play> = trees.iter().map(ValueTree::current).collect();
    let outcomes = Mutex::new(Vec::new());
    let queue = Mutex::new(put_up(stage, keyring, &plays)?.into_iter().enumerate().zip(&plays));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(((number, doors), play)) = next else { return };
                    let outcome = match doors {
                        Ok(doors) => doors.play(stage, keyring, play),
                        Err(refused) => (0, 0, Some(refused), Vec::new()),
                    };
                    let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push((number, outcome));
                }
            });
        }
    });
    let mut closed = Vec::new();
    let mut failed = None;
    for (number, (made, explained, failure, doors)) in
        outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
    {
        report.comparisons = report.comparisons.saturating_add(made);
        report.explained = report.explained.saturating_add(explained);
        report.configurations = report.configurations.saturating_add(1);
        closed.extend(doors);
        if let Some(failure) = failure
            && failed.as_ref().is_none_or(|(first, _)| *first > number)
        {
            failed = Some((number, failure));
        }
    }
    stage.take_down(closed)?;
    if let Some((number, failure)) = failed {
        let tree = trees.get_mut(number);
        report.failure = match tree {
            Some(tree) => Some(smallest(stage, keyring, tree, failure)?),
            None => Some(failure),
        };
    }
    Ok(())
}

/// Makes a failing play smaller as long as it fails.
fn smallest<T: ValueTree<Value = Play>>(
    stage: &Stage,
    keyring: &Keyring,
    tree: &mut T,
    mut failure: String,
) -> Result<String, Error> {
    let mut go_on = tree.simplify();
    for _ in 0..STEPS {
        if !go_on {
            break;
        }
        let play = tree.current();
        let doors = put_up(stage, keyring, std::slice::from_ref(&play))?.pop();
        let found = match doors {
            Some(Ok(doors)) => {
                let (_, _, failure, doors) = doors.play(stage, keyring, &play);
                stage.take_down(doors)?;
                failure
            }
            Some(Err(refused)) => Some(refused),
            None => None,
        };
        go_on = match found {
            Some(found) => {
                failure = found;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    Ok(failure)
}

type Opened = Vec<Result<Doors, String>>;

fn put_up(stage: &Stage, keyring: &Keyring, plays: &[Play]) -> Result<Opened, Error> {
    let mut expansion = Expansion::new(keyring, "");
    let mut behind = Vec::new();
    let mut json = |config: &Config| expansion.json(&config.text()).unwrap_or_default();
    for Play { config, .. } in plays {
        let (text, translated) = (json(config), json(&config.in_native_words()));
        let native = |text: &str| Behind::Native(serde_json::from_str(text).unwrap_or(Value::Null));
        behind.extend([native(&text), native(&translated)]);
        behind.extend([Behind::Gate(text), Behind::Router(config.matches())]);
    }
    let mut doors = stage.put_up(&behind)?.into_iter();
    let mut opened = Vec::new();
    for Play { config, .. } in plays {
        let refused = |side, said: Vec<String>| {
            format!("{side} refuses the configuration:\n{}\n{}", config.text(), said.join("\n"))
        };
        let mut next = |side| match doors.next() {
            Some(door) => door.map_err(|said| refused(side, said)),
            None => Err(format!("{side}: no door")),
        };
        let (native, translated, ours, router) =
            (next("native"), next("native"), next("ours"), next("the router"));
        opened.push(match (native, translated, ours, router) {
            (Ok(native), Ok(translated), Ok(ours), Ok(router)) => {
                Ok(Doors { native, ours, translated, router })
            }
            (Err(said), ..) | (_, Err(said), ..) | (_, _, Err(said), _) | (_, _, _, Err(said)) => {
                Err(said)
            }
        });
    }
    Ok(opened)
}

impl Doors {
    /// Asks all; the answer is how many were compared, how many differed on purpose, the first
    /// failure, and the doors to be taken down.
    fn play(
        mut self,
        stage: &Stage,
        keyring: &Keyring,
        play: &Play,
    ) -> (usize, usize, Option<String>, Vec<Door>) {
        let (mut made, mut explained, mut failure) = (0_usize, 0_usize, None);
        for ask in &play.asks {
            for _ in 0..ATTEMPTS {
                made = made.saturating_add(1);
                failure = match self.compare(stage, keyring, &play.config, ask) {
                    Ok(differs) => {
                        explained = explained.saturating_add(usize::from(differs));
                        None
                    }
                    Err(problem) => Some(problem),
                };
                if failure.is_none() {
                    break;
                }
            }
            if failure.is_some() {
                break;
            }
        }
        let Self { native, ours, translated, router } = self;
        (made, explained, failure, vec![native, ours, translated, router])
    }

    /// Whether the outcomes differ, on purpose.
    fn compare(
        &mut self,
        stage: &Stage,
        keyring: &Keyring,
        config: &Config,
        ask: &Ask,
    ) -> Result<bool, String> {
        let mut translation = Translation::default();
        let sent = ask.written(config, None);
        let in_native_words = ask.written(config, Some(&mut translation));
        let mut expansion = Expansion::new(keyring, "");
        expansion.set_now(stage.now());
        let mut texts = Texts { expansion, minted: Vec::new() };
        let request = texts.request(&sent)?;
        let native = send(&mut self.native, &request)?;
        let ours = send(&mut self.ours, &request)?;
        let url = Url { host: "api.example".to_owned(), target: texts.bytes(&sent.target)? };
        let expected = match self.rule(config, ask, &sent, &mut texts)? {
            Found::Ambiguous => refusal(config, &url, 400, "Bad Request"),
            Found::Nothing => refusal(config, &url, 403, "RBAC: access denied"),
            Found::Preflight => native.clone(),
            Found::Rule => {
                let told = texts.request(&in_native_words)?;
                let told = send(&mut self.translated, &told)?;
                translation.undo(&told, &url, &mut texts)?
            }
        };
        if ours == expected {
            return Ok(ours != native);
        }
        let case = paste(&config.text(), &sent, &native, &ours);
        let lines = ours.describe_difference(&expected).join("\n");
        Err(format!("{case}\nwhere ours is to be as `native` here:\n{lines}"))
    }

    /// What the readings of the path find, which Envoy's own router says.
    fn rule(
        &mut self,
        config: &Config,
        ask: &Ask,
        sent: &Sent,
        texts: &mut Texts<'_>,
    ) -> Result<Found, String> {
        if config.preflight && ask.is_preflight() {
            return Ok(Found::Preflight);
        }
        let literal = send(&mut self.router, &texts.request(sent)?)?;
        let (path, query) = sent.target.split_once('?').unwrap_or((&sent.target, ""));
        if ask.twist != Twist::Plain {
            let reading = ask.twist.reading(ask.path);
            let mark = if path.len() < sent.target.len() { "?" } else { "" };
            let other = Sent { target: format!("{reading}{mark}{query}"), ..sent.clone() };
            let other = send(&mut self.router, &texts.request(&other)?)?;
            if other.value(":body") != literal.value(":body") {
                return Ok(Found::Ambiguous);
            }
        }
        Ok(if literal.value(":body") == "none" { Found::Nothing } else { Found::Rule })
    }
}

/// What the readings of a path find.
enum Found {
    Preflight,
    Ambiguous,
    Nothing,
    Rule,
}

fn send(door: &mut Door, request: &Request) -> Result<Outcome, String> {
    door.send(request).map_err(|error| error.to_string())
}

fn refusal(config: &Config, url: &Url, status: u16, body: &str) -> Outcome {
    let mut refusal = url.refusal(status, body);
    if config.strip {
        refusal.set(":body", "");
        refusal.set("content-length", "0");
        refusal.clear("content-type");
        refusal.clear("www-authenticate");
    }
    refusal
}

impl Ask {
    fn is_preflight(&self) -> bool {
        let has = |name: &str| self.lines.iter().any(|line| line.starts_with(name));
        self.method == "OPTIONS" && has("origin:") && has("access-control-request-method:")
    }

    /// The request; in native words where there is a translation to note them in.
    fn written(&self, config: &Config, mut translation: Option<&mut Translation>) -> Sent {
        let mut lines: Vec<String> = self.lines.iter().map(|line| (*line).to_owned()).collect();
        let mut query: Vec<String> = Vec::new();
        for (place, token) in &self.tokens {
            let original = token.text();
            let mut text = original.clone();
            if let Some(translation) = &mut translation
                && let Some((told, words)) = token.in_native_words()
            {
                translation.back.push((told.clone(), original.clone()));
                translation.bodies.extend(words);
                text = told;
            }
            match place.resolve(config) {
                Resolved::Header(name, scheme) => {
                    let written = match (scheme, translation.is_some()) {
                        (Scheme::Good, _) | (Scheme::LowerCase, true) => "Bearer ",
                        (Scheme::LowerCase, false) => "bearer ",
                        (Scheme::Spaces, _) => "Bearer   ",
                        (Scheme::Foreign, true) => "Other ",
                        (Scheme::Foreign, false) => "XBearer ",
                    };
                    if let Some(translation) = &mut translation
                        && matches!(scheme, Scheme::LowerCase | Scheme::Foreign)
                    {
                        let scheme = if scheme == Scheme::Foreign { "XBearer" } else { "bearer" };
                        let was = format!("{scheme} {original}");
                        translation.back.insert(0, (format!("{written}{text}"), was));
                    }
                    lines.push(format!("{name}: {written}{text}"));
                }
                Resolved::Parameter(name) => query.push(format!("{name}={text}")),
                Resolved::Cookie(name) => lines.push(format!("cookie: {name}={text}")),
            }
        }
        // In the order of names, in which the native filter leaves them.
        if !self.query.is_empty() {
            query.insert(0, self.query.to_owned());
        }
        let mut target = self.twist.write(self.path);
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        Sent { method: self.method.to_owned(), target, lines }
    }
}

enum Resolved {
    Header(String, Scheme),
    Parameter(String),
    Cookie(String),
}

impl Place {
    fn resolve(self, config: &Config) -> Resolved {
        let (Self::Header(of, _) | Self::Parameter(of) | Self::Cookie(of)) = self;
        let own = config.providers.get(of).is_some_and(|provider| provider.own_places);
        let name = NAMES.get(of).copied().unwrap_or_default();
        match self {
            Self::Header(_, scheme) if own => Resolved::Header(format!("x-{name}"), scheme),
            Self::Header(_, scheme) => Resolved::Header("authorization".to_owned(), scheme),
            Self::Parameter(_) if own => Resolved::Parameter(format!("p{name}")),
            Self::Parameter(_) => Resolved::Parameter("access_token".to_owned()),
            Self::Cookie(_) => Resolved::Cookie(format!("c{name}")),
        }
    }
}

/// Texts with placeholders; the same text is always the same token.
struct Texts<'k> {
    expansion: Expansion<'k>,
    minted: Vec<(String, String)>,
}

impl Texts<'_> {
    /// The text, each byte one character.
    fn bytes(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${token ") {
            let end = end(after).ok_or("an open placeholder")?;
            let (words, after) = after.split_at_checked(end).ok_or("an open placeholder")?;
            out.push_str(before);
            out.push_str(&self.token(&format!("${{token {words}}}"))?);
            rest = after.strip_prefix('}').unwrap_or(after);
        }
        out.push_str(rest);
        Ok(out)
    }

    fn token(&mut self, placeholder: &str) -> Result<String, String> {
        if let Some((_, token)) = self.minted.iter().find(|(text, _)| text == placeholder) {
            return Ok(token.clone());
        }
        let minted = self.expansion.text(placeholder);
        let token = minted.map_err(|error| format!("{placeholder}: {error}"))?;
        self.minted.push((placeholder.to_owned(), token.clone()));
        Ok(token)
    }

    fn request(&mut self, sent: &Sent) -> Result<Request, String> {
        let target = self.bytes(&sent.target)?;
        let mut request = Request::new(&sent.method, target).header("host", "api.example");
        for line in &sent.lines {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            request = request.header(name, self.bytes(value)?);
        }
        Ok(request)
    }
}

/// Where the placeholder ends: at the first brace that is not in quotes.
fn end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, char)| {
        quoted ^= char == '\'';
        (char == '}' && !quoted).then_some(at)
    })
}

impl Translation {
    /// The outcome as if what was asked had not been translated.
    fn undo(&self, told: &Outcome, url: &Url, texts: &mut Texts<'_>) -> Result<Outcome, String> {
        let (mut outcome, _) = url.with_our_realm(told);
        if outcome.kind == Kind::Answered {
            let body = outcome.value(":body").to_owned();
            if let Some((_, ours)) = self.bodies.iter().find(|(native, _)| *native == body) {
                outcome.set(":body", ours);
                outcome.set("content-length", &ours.len().to_string());
            }
            return Ok(outcome);
        }
        // What a claim is told to be is told once.
        for (name, values) in &mut outcome.fields {
            if name.starts_with("x-") && name.ends_with(['a', 'b']) {
                values.dedup();
            }
        }
        for (told, was) in &self.back {
            let (told, was) = (texts.bytes(told)?, texts.bytes(was)?);
            for value in outcome.fields.values_mut().flatten() {
                *value = value.replace(&told, &was);
            }
        }
        Ok(outcome)
    }
}
