//! One step: what happens, and what is expected of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::endpoint::{self, Endpoints};
use super::raw;
use crate::driver::Document;

/// What is wrong with a step.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StepProblem {
    /// A duration in another form.
    #[error("`after = \"{0}\"`: must be like `300s` or `250ms`")]
    Duration(String),
    /// A request without a blank.
    #[error("`request` must be `METHOD target`")]
    Request,
    /// A key that needs another one.
    #[error("`{key}` needs {needs}")]
    Needs {
        /// The key.
        key: &'static str,
        /// What is missing.
        needs: &'static str,
    },
    /// An outcome that does not exist.
    #[error("`outcome = \"{0}\"`: must be `allow` or `deny`")]
    Outcome(String),
    /// An empty step.
    #[error("it does nothing")]
    Empty,
    /// Two bodies.
    #[error("`idp`: only one of `keys`, `jwks`, `body` and `size` can be the body")]
    Bodies,
    /// A fault that does not exist.
    #[error("`idp.fault = \"{0}\"`: must be `refused`, `reset`, `timeout` or `truncated`")]
    Fault(String),
    /// An answer beside a fault that has none.
    #[error("`idp`: with this `fault` there is no answer to describe")]
    FaultAnswer,
    /// A body of some size that is cut.
    #[error("`idp`: `size` cannot be truncated")]
    FaultSize,
}

/// A step with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) after: Duration,
    pub(crate) idp: Endpoints,
    pub(crate) request: Option<(RequestText, Expected)>,
    pub(crate) exports: Option<BTreeMap<String, String>>,
    pub(crate) rerouted: Option<bool>,
    pub(crate) fetches: Option<u64>,
    pub(crate) log: Vec<String>,
    pub(crate) audit: Option<Vec<String>>,
    pub(crate) counters: BTreeMap<String, u64>,
}

/// A request with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct RequestText {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What is expected of a request, with placeholders.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// It reaches the upstream.
    Allow { path: Option<String>, upstream: BTreeMap<String, Vec<String>>, gone: Vec<String> },
    /// The gate answers it.
    Deny {
        status: u16,
        body: Option<String>,
        challenge: Option<String>,
        answer: BTreeMap<String, String>,
    },
}

impl Step {
    pub(super) fn read(mut raw: raw::Step) -> Result<Self, StepProblem> {
        let after = raw.after.take().map_or(Ok(Duration::ZERO), |after| duration(&after))?;
        let idp = endpoint::endpoints([
            (Document::Keys, raw.idp.take()),
            (Document::Moved, raw.moved.take()),
            (Document::Discovery, raw.discovery.take()),
            (Document::Metadata, raw.metadata.take()),
        ])?;
        let (fetches, log) = (raw.fetches, raw.log.take().unwrap_or_default());
        let (exports, rerouted) = (raw.exports.clone(), raw.rerouted);
        let (audit, counters) = (raw.audit.take(), raw.counters.take().unwrap_or_default());
        let request = match raw.request.take() {
            Some(line) => {
                let request = RequestText::read(&line, raw.headers.take().unwrap_or_default())?;
                Some((request, Expected::read(raw)?))
            }
            None => {
                refuse(&decided(&raw), "a `request`")?;
                None
            }
        };
        if after.is_zero() && idp.is_empty() && request.is_none() {
            return Err(StepProblem::Empty);
        }
        Ok(Self { after, idp, request, exports, rerouted, fetches, log, audit, counters })
    }
}

impl RequestText {
    fn read(line: &str, headers: Vec<(String, String)>) -> Result<Self, StepProblem> {
        let (method, target) = line.split_once(' ').ok_or(StepProblem::Request)?;
        if method.is_empty() || target.is_empty() {
            return Err(StepProblem::Request);
        }
        Ok(Self { method: method.to_owned(), target: target.to_owned(), headers })
    }
}

impl Expected {
    fn read(raw: raw::Step) -> Result<Self, StepProblem> {
        match raw.outcome.as_deref() {
            Some("allow") => {
                refuse(&denied(&raw), "`outcome = \"deny\"`")?;
                let upstream = raw.upstream.unwrap_or_default().into_iter();
                Ok(Self::Allow {
                    path: raw.path,
                    upstream: upstream.map(|(name, values)| (name, values.into_vec())).collect(),
                    gone: raw.gone.unwrap_or_default(),
                })
            }
            Some("deny") => {
                refuse(&allowed(&raw), "`outcome = \"allow\"`")?;
                let needs = StepProblem::Needs { key: "outcome = \"deny\"", needs: "a `status`" };
                Ok(Self::Deny {
                    status: raw.status.ok_or(needs)?,
                    body: raw.body,
                    challenge: raw.challenge,
                    answer: raw.answer.unwrap_or_default(),
                })
            }
            Some(other) => Err(StepProblem::Outcome(other.to_owned())),
            None => Err(StepProblem::Needs { key: "request", needs: "an `outcome`" }),
        }
    }
}

/// Keys with which of them are there.
type Presence = Vec<(&'static str, bool)>;

fn decided(raw: &raw::Step) -> Presence {
    let mut keys = vec![
        ("headers", raw.headers.is_some()),
        ("outcome", raw.outcome.is_some()),
        ("exports", raw.exports.is_some()),
    ];
    keys.extend(denied(raw));
    keys.extend(allowed(raw));
    keys
}

fn denied(raw: &raw::Step) -> Presence {
    vec![
        ("status", raw.status.is_some()),
        ("body", raw.body.is_some()),
        ("challenge", raw.challenge.is_some()),
        ("answer", raw.answer.is_some()),
    ]
}

fn allowed(raw: &raw::Step) -> Presence {
    vec![
        ("upstream", raw.upstream.is_some()),
        ("gone", raw.gone.is_some()),
        ("path", raw.path.is_some()),
        ("rerouted", raw.rerouted.is_some()),
    ]
}

fn refuse(keys: &Presence, needs: &'static str) -> Result<(), StepProblem> {
    match keys.iter().find(|(_, there)| *there) {
        Some((key, _)) => Err(StepProblem::Needs { key, needs }),
        None => Ok(()),
    }
}

fn duration(text: &str) -> Result<Duration, StepProblem> {
    let wrong = || StepProblem::Duration(text.to_owned());
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
    if let Some(digits) = text.strip_suffix("ms") {
        return number(digits).map(Duration::from_millis);
    }
    let digits = text.strip_suffix('s').ok_or_else(wrong)?;
    number(digits).map(Duration::from_secs)
}
