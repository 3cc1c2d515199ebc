//! Conditions, as far as names in a log decide them.

use serde_json::Value;

use super::{Lens, member, texts};

/// A condition over a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Condition {
    /// Scopes.
    Scopes(Names),
    /// Roles.
    Roles(Names),
    /// Permissions.
    Permissions(Names),
    /// Every one of these.
    AllOf(Vec<Self>),
    /// One of these.
    AnyOf(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Something that the names do not tell.
    Other,
}

/// Names of which all or any are asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Names {
    /// Whether every one is needed.
    pub(crate) all: bool,
    /// The names.
    pub(crate) names: Vec<String>,
}

/// What a caller has, as far as the log says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'c> {
    /// Roles.
    pub(crate) roles: &'c [String],
    /// Scopes.
    pub(crate) scopes: &'c [String],
}

impl Held<'_> {
    /// Roles and scopes: a scope grants what the role of its name does.
    pub(crate) fn both(&self) -> Vec<&str> {
        self.roles.iter().chain(self.scopes).map(String::as_str).collect()
    }
}

impl Names {
    fn read(value: &Value) -> Self {
        match (member(value, "all_of"), member(value, "any_of")) {
            (None, Some(any)) => Self { all: false, names: texts(Some(any)) },
            (all, _) => Self { all: true, names: texts(all.or(Some(value))) },
        }
    }

    fn hold(&self, has: impl Fn(&str) -> bool) -> bool {
        let mut names = self.names.iter();
        if self.all { names.all(|name| has(name)) } else { names.any(|name| has(name)) }
    }
}

impl Condition {
    /// Reads a condition that the core understood.
    pub(crate) fn read(value: &Value) -> Self {
        let parts = |name: &str| {
            let list = member(value, name)?.as_array()?;
            Some(list.iter().map(Self::read).collect::<Vec<_>>())
        };
        if let Some(names) = member(value, "scopes") {
            Self::Scopes(Names::read(names))
        } else if let Some(names) = member(value, "roles") {
            Self::Roles(Names::read(names))
        } else if let Some(names) = member(value, "permissions") {
            Self::Permissions(Names::read(names))
        } else if let Some(parts) = parts("all_of") {
            Self::AllOf(parts)
        } else if let Some(parts) = parts("any_of") {
            Self::AnyOf(parts)
        } else if let Some(part) = member(value, "not") {
            Self::Not(Box::new(Self::read(part)))
        } else {
            Self::Other
        }
    }

    /// Whether the names in the log by themselves make it true.
    pub(crate) fn is_shown(&self, held: Held<'_>, lens: &Lens) -> bool {
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        match self {
            Self::Scopes(names) => names.hold(|name| has(held.scopes, name)),
            Self::Roles(names) => names.hold(|name| has(held.roles, name)),
            Self::Permissions(names) => names.hold(|name| lens.grants(&held.both(), name)),
            Self::AllOf(parts) => parts.iter().all(|part| part.is_shown(held, lens)),
            Self::AnyOf(parts) => parts.iter().any(|part| part.is_shown(held, lens)),
            Self::Not(_) | Self::Other => false,
        }
    }

    /// Whether it is known by which roles and scopes it is true, given that it is: it stays true
    /// as long as those grant what they grant for it.
    pub(crate) fn is_explained(&self, held: Held<'_>, lens: &Lens) -> bool {
        match self {
            Self::Permissions(_) => self.is_shown(held, lens),
            Self::AllOf(parts) => parts.iter().all(|part| part.is_explained(held, lens)),
            // Which of the parts is true is not known.
            Self::AnyOf(parts) => {
                parts.iter().any(|part| part.is_shown(held, lens))
                    || parts.iter().all(|part| part.is_explained(held, lens))
            }
            // What it asks for within `not` is never taken away.
            Self::Scopes(_) | Self::Roles(_) | Self::Not(_) | Self::Other => true,
        }
    }

    /// Permissions that make it true, and those that make it false.
    pub(crate) fn permissions<'c>(
        &'c self,
        wanted: &mut Vec<&'c str>,
        unwanted: &mut Vec<&'c str>,
    ) {
        match self {
            Self::Permissions(names) => wanted.extend(names.names.iter().map(String::as_str)),
            Self::AllOf(parts) | Self::AnyOf(parts) => {
                parts.iter().for_each(|part| part.permissions(wanted, unwanted));
            }
            Self::Not(part) => part.permissions(unwanted, wanted),
            Self::Scopes(_) | Self::Roles(_) | Self::Other => {}
        }
    }

    /// Scopes and roles that are asked for, outside of `not`, each with what it is.
    pub(crate) fn names(&self) -> Vec<(&'static str, &str)> {
        let mut found = Vec::new();
        self.collect_names(&mut found);
        found
    }

    fn collect_names<'c>(&'c self, found: &mut Vec<(&'static str, &'c str)>) {
        let (kind, names) = match self {
            Self::Scopes(names) => ("scope", names),
            Self::Roles(names) => ("role", names),
            Self::Permissions(names) => ("permission", names),
            Self::AllOf(parts) | Self::AnyOf(parts) => {
                return parts.iter().for_each(|part| part.collect_names(found));
            }
            Self::Not(_) | Self::Other => return,
        };
        found.extend(names.names.iter().map(|name| (kind, name.as_str())));
    }
}
