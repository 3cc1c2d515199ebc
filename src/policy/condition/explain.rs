//! What a condition asks for, and what a token has.

use super::{Acr, Condition, Facts, Names, Test, Truth};
use crate::claims::ClaimPath;
use crate::explain::{Node, names, text};
use crate::json::Value;

impl Condition {
    /// The condition as a tree; every node is decided by [`Self::holds`].
    pub(crate) fn explain(&self, facts: &Facts<'_>) -> Node {
        let holds = self.holds(facts);
        let all = |parts: &[Self]| parts.iter().map(|part| part.explain(facts)).collect();
        match self {
            Self::AllOf(parts) => Node::new("all of", holds).with(all(parts)),
            Self::AnyOf(parts) => Node::new("any of", holds).with(all(parts)),
            Self::Not(part) => Node::new("not", holds).with(vec![part.explain(facts)]),
            Self::Scopes(asked) => leaf("scopes", holds, asked, scopes(facts)),
            Self::Roles(asked) => leaf("roles", holds, asked, roles(facts)),
            Self::Permissions(asked) => {
                let has = [roles(facts), scopes(facts)].into_iter().flatten().collect::<Vec<_>>();
                let has = (!has.is_empty()).then(|| has.join(", "));
                leaf("permissions, by roles and scopes", holds, asked, has)
            }
            Self::Claim(path, test) => {
                let found = facts.subject.token.claims().at(path);
                let node = Node::new(format!("claim `{}`", claim(path)), holds);
                node.expected(test.expected(facts)).found(shown(found))
            }
            Self::Acr(acr) => acr.explain(holds, facts),
            Self::TokenType(types) => {
                let found = facts.subject.token.typ().unwrap_or("nothing").to_owned();
                Node::new("token_type", holds).expected(one_of(types)).found(found)
            }
        }
    }
}

fn leaf(what: &str, holds: Truth, asked: &Names, has: Option<String>) -> Node {
    let expected = if asked.all { each_of(&asked.names) } else { one_of(&asked.names) };
    Node::new(what, holds).expected(expected).found(has.unwrap_or("nothing".to_owned()))
}

fn scopes(facts: &Facts<'_>) -> Option<String> {
    facts.subject.names(facts.subject.scope_claims, true).map(|has| names(&has))
}

fn roles(facts: &Facts<'_>) -> Option<String> {
    facts.subject.names(facts.subject.role_claims, false).map(|has| names(&has))
}

fn each_of<T: AsRef<str>>(list: &[T]) -> String {
    if list.len() == 1 { names(list) } else { format!("each of {}", names(list)) }
}

fn one_of<T: AsRef<str>>(list: &[T]) -> String {
    if list.len() == 1 { names(list) } else { format!("one of {}", names(list)) }
}

fn claim(path: &ClaimPath) -> String {
    match path {
        ClaimPath::Dotted(name) => name.to_string(),
        ClaimPath::Steps(steps) => steps.join("` → `"),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), Value::to_string)
}

fn values(list: &[Value]) -> Vec<String> {
    list.iter().map(Value::to_string).collect()
}

impl Test {
    fn expected(&self, facts: &Facts<'_>) -> String {
        match self {
            Self::AnyOf(list) => one_of(&values(list)),
            Self::AllOf(list) => each_of(&values(list)),
            Self::NoneOf(list) => format!("none of {}", names(&values(list))),
            Self::Text(matcher) => matcher.describe(),
            Self::Present(true) => "there".to_owned(),
            Self::Present(false) => "absent".to_owned(),
            Self::Between(least, most) => match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("{least} or more"),
                (None, Some(most)) => format!("{most} or less"),
                (None, None) => "a number".to_owned(),
            },
            Self::Variable(name) => {
                let found = facts.variables.iter().find(|(known, _)| *known == &**name);
                let value = found.map_or("nothing".to_owned(), |(_, value)| text(value));
                format!("`{value}`, the variable `{name}` of the path")
            }
            Self::Header(name) => {
                let lines = facts.view.lines(name);
                let value = lines.single().map_or("nothing".to_owned(), text);
                format!("`{value}`, the value of the header `{}`", name.as_str())
            }
        }
    }
}

impl Acr {
    fn explain(&self, holds: Truth, facts: &Facts<'_>) -> Node {
        let claims = facts.subject.token.claims();
        let mut expected = Vec::new();
        let mut found = Vec::new();
        if !self.any_of.is_empty() {
            expected.push(one_of(&self.any_of));
            found.push(format!("acr {}", shown(claims.get("acr"))));
        }
        if let Some(age) = self.max_age {
            expected.push(format!("signed in {} s ago or later", age.as_secs()));
            let now = facts.now.as_secs();
            found.push(format!("auth_time {}, now {now}", shown(claims.get("auth_time"))));
        }
        Node::new("acr", holds).expected(expected.join(", ")).found(found.join(", "))
    }
}
