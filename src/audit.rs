//! The audit line: a decision as one line of JSON, for the proxy's log and for later filters.
//!
//! Of a token only those claims are told that the configuration names, and only of a token that
//! was verified. The line is printable ASCII, whatever a claim holds: nobody writes a line of
//! their own into the log.

mod write;

use crate::claims::ClaimPath;
use crate::effects::{Effects, Export};
use crate::gate::{Account, Trial};
use crate::policy::Policy;
use crate::request::{Pseudo, RequestView};
use crate::time::Timestamp;
use write::Members;

/// The form of the line; another one gets another name.
const FORM: &str = "jwt-gate/1";

/// What later filters know the line by: `wasm.jwt_gate` on Envoy, `$jwt_gate` on NGINX.
pub const EXPORT: &str = "jwt_gate";

/// Methods that have a name of their own (RFC 9110, section 9.3, and RFC 5789).
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// What is told of decisions.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Which of them get a line in the log.
    pub log: Logged,
    /// The claims that are told, and what they are called.
    pub claims: Box<[(Box<str>, ClaimPath)]>,
}

/// Decisions that get a line in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Logged {
    /// Refusals, also those that a rule on trial does not enforce, and what a candidate policy
    /// decides in another way.
    Denied,
    /// All.
    All,
    /// None: only later filters read it.
    None,
}

impl Logged {
    fn has(self, account: &Account<'_>) -> bool {
        match self {
            Self::Denied => account.why.is_some() || differing(account).is_some(),
            Self::All => true,
            Self::None => false,
        }
    }
}

impl Effects {
    /// The same, and what the policy wants to be told of the decision.
    pub(crate) fn audited(
        mut self,
        policy: &Policy,
        now: Timestamp,
        view: &dyn RequestView,
        account: &Account<'_>,
    ) -> Self {
        let Some(audit) = &policy.audit else { return self };
        let text = line(audit, now, view, account);
        let (exports, line) = match &mut self {
            Self::Forward(forward) => (&mut forward.exports, &mut forward.line),
            Self::Reply(reply) => (&mut reply.exports, &mut reply.line),
        };
        exports.push(Export { name: EXPORT.into(), value: text.clone().into_bytes() });
        *line = audit.log.has(account).then_some(text);
        self
    }
}

fn line(audit: &Audit, now: Timestamp, view: &dyn RequestView, account: &Account<'_>) -> String {
    let mut line = Members::new();
    line.text("audit", FORM);
    line.text("time", &now.to_rfc3339());
    line.text("decision", if account.why.is_some() { "deny" } else { "allow" });
    line.text("enforcement", if account.is_shadow() { "shadow" } else { "enforce" });
    line.optional("rule", account.rule.map(|rule| &*rule.name));
    line.optional("route", account.rule.map(|rule| &*rule.matcher.text));
    line.text("method", method(view));
    line.number("status", account.status().map(u64::from));
    line.optional("provider", account.provider.map(|provider| &*provider.name));
    line.text("outcome", account.outcome());
    if let Some(why) = account.why {
        line.text("reason", &why.to_string());
    }
    if let lifetime @ Some(_) = account.lifetime() {
        line.number("lifetime", lifetime);
    }
    if !account.accepted.is_empty() && !audit.claims.is_empty() {
        line.object("claims", |claims| {
            for (name, path) in &audit.claims {
                let tokens = account.accepted.iter();
                let told = tokens.map(|accepted| accepted.token.claims());
                if let Some(value) = told.filter_map(|claims| claims.at(path)).next() {
                    claims.claim(name, value);
                }
            }
        });
    }
    if let Some(trial) = differing(account) {
        line.object("candidate", |candidate| {
            candidate.text("decision", if trial.why.is_some() { "deny" } else { "allow" });
            candidate.optional("rule", trial.rule.map(|rule| &*rule.name));
            candidate.number("status", trial.status().map(u64::from));
            candidate.text("outcome", trial.outcome());
            if let Some(why) = &trial.why {
                candidate.text("reason", &why.to_string());
            }
        });
    }
    line.end()
}

/// What a candidate policy says, if that is something else.
fn differing<'a>(account: &Account<'a>) -> Option<&'a Trial<'a>> {
    account.trial.filter(|trial| trial.differs())
}

/// The method, if it is one of HTTP's own: any other is the client's free text.
fn method(view: &dyn RequestView) -> &'static str {
    let sent = view.pseudo(Pseudo::Method).unwrap_or_default();
    METHODS.into_iter().find(|known| *known.as_bytes() == *sent).unwrap_or("OTHER")
}
