//! What a provider asks of its tokens, one by one.

use super::{Issuer, Provider};
use crate::explain::{Node, names};
use crate::jws::Stated;
use crate::time::Timestamp;

impl Provider {
    /// Every check of [`Self::screen`], also those behind the first that fails.
    pub(crate) fn explain_screen(
        &self,
        now: Timestamp,
        token: &Stated,
        audiences: Option<&[Box<str>]>,
    ) -> Vec<Node> {
        let claims = token.claims();
        let mut nodes = Vec::new();
        if !self.issuers.is_empty() {
            let accepted: Vec<_> = self.issuers.iter().map(issuer).collect();
            let node = Node::new("issuer", self.screen_issuer(claims).is_ok());
            nodes.push(node.expected(names(&accepted)).found(format!("`{}`", claims.issuer())));
        }
        nodes.push(self.explain_time(now, token));
        let audiences = self.wanted_audiences(audiences);
        if !audiences.is_empty() {
            let node = Node::new("audience", Self::screen_audience(claims, audiences).is_ok());
            nodes.push(node.expected(names(audiences)).found(names(&claims.audiences())));
        }
        nodes.extend(self.explain_demands(now, token));
        if let Some(algorithms) = &self.algorithms {
            let accepted: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let node = Node::new("algorithm", self.screen_algorithm(token).is_ok());
            nodes.push(node.expected(names(&accepted)).found(token.algorithm().name()));
        }
        nodes
    }

    fn explain_time(&self, now: Timestamp, token: &Stated) -> Node {
        let claims = token.claims();
        let screened = self.screen_time(now, claims);
        let of = |name: &str, time: Option<u64>| time.map(|time| format!("{name} {time}"));
        let times: Vec<_> =
            [of("nbf", claims.nbf), of("exp", claims.exp)].into_iter().flatten().collect();
        let found = if times.is_empty() { "no nbf, no exp".to_owned() } else { times.join(", ") };
        let found = match &screened {
            Ok(()) => found,
            Err(why) => format!("{found}: {why}"),
        };
        let expected = format!("now {}, give or take {} s", now.as_secs(), self.skew);
        Node::new("valid now", screened.is_ok()).expected(expected).found(found)
    }

    /// What is asked beside issuer, audience and time, as far as the provider asks it.
    fn explain_demands(&self, now: Timestamp, token: &Stated) -> Vec<Node> {
        let claims = token.claims();
        let mut nodes = Vec::new();
        if let Some(subjects) = &self.subjects {
            let node = Node::new("subject", self.screen_subject(claims).is_ok());
            nodes.push(node.expected(subjects.describe()).found(format!("`{}`", claims.subject())));
        }
        if self.require_expiration || self.max_lifetime.is_some() {
            let expected = match self.max_lifetime {
                Some(most) => format!("less than {} s to live", most.as_secs()),
                None => "an exp".to_owned(),
            };
            let found = claims.exp.map_or("no exp".to_owned(), |exp| {
                format!("{} s to live", exp.saturating_sub(now.as_secs()))
            });
            let node = Node::new("lifetime", self.screen_lifetime(now, claims).is_ok());
            nodes.push(node.expected(expected).found(found));
        }
        if !self.required_claims.is_empty() {
            let node = Node::new("required_claims", self.screen_required(claims).is_ok());
            let there: Vec<_> = claims.members().keys().collect();
            nodes.push(node.expected(names(&self.required_claims)).found(names(&there)));
        }
        if !self.token_types.is_empty() {
            let node = Node::new("token_types", self.screen_type(token).is_ok());
            let found = token.typ().map_or("nothing".to_owned(), |typ| format!("`{typ}`"));
            nodes.push(node.expected(names(&self.token_types)).found(found));
        }
        if self.screen_binding(claims).is_err() {
            let node = Node::new("not bound to a sender", false);
            nodes.push(node.found("a `cnf`, which is not checked here"));
        }
        nodes
    }
}

fn issuer(issuer: &Issuer) -> String {
    match issuer {
        Issuer::Exact(exact) => exact.to_string(),
        Issuer::Template(before, after) => format!("{before}{{tenant}}{after}"),
    }
}
