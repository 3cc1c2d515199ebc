//! Whose tokens are asked for, which were found, and what is right or wrong with each.

use super::super::{Case, Findings, Judge};
use super::state;
use crate::credential::{Credential, Location, Prefix};
use crate::explain::{Node, names};
use crate::jws::{Jws, Stated};
use crate::policy::condition::Truth;
use crate::policy::provider::{Keys, Provider};
use crate::requirement::{Leaf, Lenience, ProviderId, Requirement, Verdict};

impl<'g> Judge<'g> {
    /// What a requirement comes to, and its parts by themselves.
    pub(super) fn explain_requirement(self, case: Case<'_>, requirement: &'g Requirement) -> Node {
        let mut nothing = Findings::NONE;
        let verdict = requirement.decide(&mut |leaf| self.leaf(case, leaf, &mut nothing));
        let (what, parts) = match requirement {
            Requirement::Leaf(leaf) => (self.name_of(leaf), self.explain_leaf(case, leaf)),
            Requirement::Any(parts) => ("one of these".to_owned(), self.each(case, parts)),
            Requirement::All(parts) => ("all of these".to_owned(), self.each(case, parts)),
            Requirement::Optional(firm, lenience) => {
                let what = match lenience {
                    Lenience::Missing => "this, or no token",
                    Lenience::Failed => "this, or anything",
                };
                (what.to_owned(), vec![self.explain_requirement(case, firm)])
            }
        };
        let node = Node::new(what, state(&verdict)).with(parts);
        match verdict {
            Verdict::Refused(why) => node.found(why.to_string()),
            Verdict::Unknown(_) => node.found("keys or a list that have to be fetched"),
            Verdict::Valid(_) => node,
        }
    }

    fn each(self, case: Case<'_>, parts: &'g [Requirement]) -> Vec<Node> {
        parts.iter().map(|part| self.explain_requirement(case, part)).collect()
    }

    fn name_of(self, leaf: &Leaf) -> String {
        match leaf {
            Leaf::Open => "nothing is asked for".to_owned(),
            Leaf::Provider { id, .. } => {
                let provider = self.policy.provider(*id);
                format!("a token of `{}`", provider.map_or("", |provider| &provider.name))
            }
            Leaf::AllowMissing(_) => "no token, or a good one".to_owned(),
            Leaf::AllowMissingOrFailed { .. } => "anything; good tokens are made use of".to_owned(),
        }
    }

    /// The places where tokens are looked for, and the tokens there.
    fn explain_leaf(self, case: Case<'_>, leaf: &'g Leaf) -> Vec<Node> {
        match leaf {
            Leaf::Open => Vec::new(),
            Leaf::Provider { id, audiences } => {
                let Some(provider) = self.policy.provider(*id) else { return Vec::new() };
                let audiences = audiences.as_deref();
                let place = |location: &Location| {
                    let tokens = location.find(case.view).into_iter();
                    let node = |token: Credential<'_>| {
                        self.explain_token(case, &token, (*id, provider), location, audiences)
                    };
                    at_place(location, tokens.map(node).collect())
                };
                provider.locations.iter().map(place).collect()
            }
            Leaf::AllowMissing(places) | Leaf::AllowMissingOrFailed { places, .. } => {
                let place = |place: &crate::requirement::Place| {
                    let tokens = place.location.find(case.view).into_iter();
                    let node = |token: Credential<'_>| {
                        let (found, verdict) = self.at_place(case, token.token(), place);
                        let known = place.providers.iter().find(|id| {
                            let provider = self.policy.provider(**id);
                            found.zip(provider).is_some_and(|(a, b)| std::ptr::eq(a, b))
                        });
                        match found.zip(known) {
                            Some((provider, id)) => self.explain_token(
                                case,
                                &token,
                                (*id, provider),
                                &place.location,
                                None,
                            ),
                            None => Node::new("a token of none of the providers", state(&verdict)),
                        }
                    };
                    at_place(&place.location, tokens.map(node).collect())
                };
                places.iter().map(place).collect()
            }
        }
    }

    /// A token as one of a provider.
    fn explain_token(
        self,
        case: Case<'_>,
        credential: &Credential<'_>,
        (id, provider): (ProviderId, &'g Provider),
        location: &Location,
        audiences: Option<&[Box<str>]>,
    ) -> Node {
        let what = format!("a token of `{}`", provider.name);
        let token = match Jws::parse(credential.token(), self.policy.limits.token) {
            Ok(token) => token,
            Err(why) => {
                let form = Node::new("form", false).found(why.to_string());
                return Node::new(what, false).with(vec![form]);
            }
        };
        let mut parts = vec![stated(token.stated())];
        parts.extend(provider.explain_screen(case.moment.now, token.stated(), audiences));
        parts.push(self.explain_signature(case, token, provider));
        let verdict = match self.candidate(case, credential.token(), &[id]) {
            Ok(candidate) => {
                // The location that the provider has, not the one of a place that several share.
                match provider.locations.iter().find(|own| *own == location) {
                    Some(own) => {
                        state(&self.token(case, candidate, (id, provider), own, audiences))
                    }
                    None => Truth::False,
                }
            }
            Err(_) => Truth::False,
        };
        if verdict == Truth::False && parts.iter().all(|part| part.state != Some(Truth::False)) {
            parts.push(Node::new("not revoked", false));
        }
        Node::new(what, verdict).with(parts)
    }

    fn explain_signature(self, case: Case<'_>, token: Jws<'_>, provider: &Provider) -> Node {
        let (kid, algorithm) =
            (token.stated().kid().map(str::to_owned), token.stated().algorithm());
        let expected = match &kid {
            Some(kid) => format!("a key `{kid}` or one without a name, for {algorithm}"),
            None => format!("a key for {algorithm}"),
        };
        let keys = match &provider.keys {
            Keys::Local(keys) => Some(keys),
            Keys::Remote(id) => self.gate.keys(case.moment.now, *id),
        };
        let Some(keys) = keys else {
            let node = Node::new("signature", Truth::Undecided).expected(expected);
            return node.found("the keys have not been fetched");
        };
        let known: Vec<_> = keys.keys().iter().map(|key| key.kid().unwrap_or_default()).collect();
        let fitting = keys.candidates(kid.as_deref(), algorithm).count();
        let found = format!("tried {fitting} of the keys {}", names(&known));
        match token.verify(keys, case.lent.crypto) {
            Ok(_) => Node::new("signature", true).expected(expected).found(found),
            Err(why) => {
                let node = Node::new("signature", false).expected(expected);
                node.found(format!("{why}; {found}"))
            }
        }
    }
}

fn stated(token: &Stated) -> Node {
    let typ = token.typ().map(|typ| format!(", typ `{typ}`")).unwrap_or_default();
    let kid = token.kid().map(|kid| format!(", kid `{kid}`")).unwrap_or_default();
    let claims = crate::json::Value::Object(token.claims().members().clone());
    Node::note("it says").found(format!("alg {}{kid}{typ}; {claims}", token.algorithm()))
}

/// A place that was searched.
fn at_place(location: &Location, tokens: Vec<Node>) -> Node {
    let place = match location {
        Location::Header(name, Prefix::Scheme(scheme)) => {
            format!("header `{}` after `{scheme}`", name.as_str())
        }
        Location::Header(name, Prefix::Literal(prefix)) if prefix.is_empty() => {
            format!("header `{}`", name.as_str())
        }
        Location::Header(name, Prefix::Literal(prefix)) => {
            format!("header `{}` after `{prefix}`", name.as_str())
        }
        Location::Parameter(name) => format!("query parameter `{name}`"),
        Location::Cookie(name) => format!("cookie `{name}`"),
    };
    let found = match tokens.len() {
        0 => "no token".to_owned(),
        1 => "a token".to_owned(),
        count => format!("{count} tokens"),
    };
    Node::note(format!("looked into {place}")).found(found).with(tokens)
}
