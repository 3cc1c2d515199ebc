//! `jwt-gate explain`: why a request passes or not, as a tree.

mod claims;
mod keys;
mod request;
mod text;

use std::sync::Arc;

use jwt_gate::effects::{Effects, HeaderOp};
use jwt_gate::explain::Node;
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::policy::condition::Truth;
use jwt_gate::policy::rule::Rule;
use jwt_gate::time::Timestamp;
use serde::Serialize;

use crate::Ending;
use crate::clock;
use crate::configuration;
use crate::error::Error;
use crate::output::Output;
use crate::source::Source;

/// Explain why a request passes or not.
///
/// The exit code is 1 when the decision is another one than expected.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration, or a file that has one in it.
    #[arg(value_name = "FILE")]
    file: String,
    /// Method and target, such as "GET /orders/7" or "GET https://api.example/orders/7".
    #[arg(long, value_name = "REQUEST")]
    request: String,
    /// A header of the request, such as "x-tenant: acme"; any number of them.
    #[arg(long, value_name = "LINE")]
    header: Vec<String>,
    /// A token, sent as "authorization: Bearer TOKEN".
    #[arg(long, conflicts_with = "claims")]
    token: Option<String>,
    /// A file with claims, taken for those of a token with a good signature; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    claims: Option<String>,
    /// The provider of the token with these claims; by default the one that has its issuer.
    #[arg(long, requires = "claims", value_name = "NAME")]
    provider: Option<String>,
    /// Keys of the providers that have theirs behind a URL: a file, or PROVIDER=FILE.
    #[arg(long, value_name = "FILE")]
    jwks: Vec<String>,
    /// The time, in Unix seconds or as 2026-01-31T12:00:00Z; by default the present.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    now: Option<Timestamp>,
    /// The decision that is expected.
    #[arg(long, value_name = "DECISION", default_value = "allow")]
    expect: Outcome,
}

/// A decision.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// The request goes to the upstream.
    Allow,
    /// It is answered by the gate.
    Deny,
}

/// A decision, and why.
#[derive(Debug, Serialize)]
struct Explained {
    decision: Outcome,
    /// Status of the answer; null when the request goes on.
    status: Option<u16>,
    rule: Option<RuleName>,
    /// Why it is refused; null when it is not.
    reason: Option<String>,
    /// What was assumed.
    assumed: Vec<String>,
    tree: Step,
    /// What is changed of the request that the upstream gets; null when it gets none.
    upstream: Option<Upstream>,
    /// The answer in its place; null when there is none.
    answer: Option<Answer>,
}

#[derive(Debug, Serialize)]
struct RuleName {
    name: String,
    place: String,
}

/// A node of the tree.
#[derive(Debug, Serialize)]
struct Step {
    what: String,
    /// true, false or "undecided"; null where nothing was asked.
    state: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Self>,
}

#[derive(Debug, Serialize)]
struct Upstream {
    removed: Vec<String>,
    added: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}

/// Explains a decision.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let now = arguments.now.unwrap_or_else(clock::now);
    let mut request = request::Request::new(arguments)?;
    let mut assumed = Vec::new();
    let source = Source::read(&arguments.file)?;
    let configuration = configuration::only(&source)?;
    let text = match &arguments.claims {
        Some(file) => {
            let claims = claims::Claims::read(file)?;
            let placed =
                claims.put(configuration.root, arguments.provider.as_deref(), now, &mut request)?;
            assumed.push(placed.assumed);
            placed.configuration
        }
        None => configuration.root.to_string(),
    };
    let policy = Policy::from_json(text.as_bytes());
    let policy = policy.map_err(|faults| Error::faults(&arguments.file, &faults))?;
    let mut gate = Gate::new(Arc::new(policy), now);
    assumed.extend(keys::give(&mut gate, now, &arguments.jwks)?);
    let explained = explain(&gate, now, &request, assumed);
    output.result(&explained)?;
    let is_good = explained.decision == arguments.expect;
    Ok(if is_good { Ending::Good } else { Ending::Faults })
}

fn explain(
    gate: &Gate,
    now: Timestamp,
    request: &request::Request,
    assumed: Vec<String>,
) -> Explained {
    let (lines, moment) = (request.view(), Moment { now, may_wait: false });
    let view = lines.as_slice();
    let explanation = gate.explain(moment, &view, Lent::NOTHING);
    let (effects, reason) = match gate.check(moment, &view, Lent::NOTHING) {
        Decision::Allow(permit) => (gate.permit(now, &view, &permit), None),
        Decision::Deny(refusal) => {
            (gate.refuse(now, &view, &refusal), Some(refusal.why.to_string()))
        }
        // It may not wait, and does not.
        Decision::Wait(_) => (Effects::misconfigured(), None),
    };
    let name = |(place, rule): (String, &Rule)| RuleName { name: rule.name.to_string(), place };
    let (decision, status, upstream, answer) = match effects {
        Effects::Forward(forward) => (Outcome::Allow, None, Some(upstream(forward.headers)), None),
        Effects::Reply(reply) => {
            let own = |(name, value): (&str, String)| (name.to_owned(), value);
            let headers = reply.headers.into_iter().map(own).collect();
            let answer = Answer { headers, body: reply.body };
            (Outcome::Deny, Some(reply.status), None, Some(answer))
        }
    };
    let (rule, tree) = (explanation.rule.map(name), Step::of(explanation.tree));
    Explained { decision, status, rule, reason, assumed, tree, upstream, answer }
}

/// What is changed of a request.
fn upstream(ops: Vec<HeaderOp>) -> Upstream {
    let mut upstream = Upstream { removed: Vec::new(), added: Vec::new(), path: None };
    let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
    for op in ops {
        match op {
            HeaderOp::Remove(name) => upstream.removed.push(name.as_str().to_owned()),
            HeaderOp::Add(name, value) => {
                upstream.added.push((name.as_str().to_owned(), text(value)));
            }
            HeaderOp::SetPath(path) => upstream.path = Some(text(path)),
        }
    }
    upstream
}

impl Step {
    fn of(node: Node) -> Self {
        let state = match node.state {
            None => serde_json::Value::Null,
            Some(Truth::True) => true.into(),
            Some(Truth::False) => false.into(),
            Some(Truth::Undecided) => "undecided".into(),
        };
        let parts = node.parts.into_iter().map(Self::of).collect();
        Self { what: node.what, state, expected: node.expected, found: node.found, parts }
    }
}

#[cfg(test)]
mod tests;
