//! The members of an object, in either spelling.

use super::{Read, object};
use crate::config::error::{ConfigPath, Faults};
use crate::json::{Object, Value};

/// The members of an object while it is read as a record.
pub(in crate::config) struct Members<'v> {
    members: &'v Object,
    names: &'static [&'static str],
}

impl<'v> Members<'v> {
    /// Takes `value` for an object that may have the members `names` (in `snake_case` here, and
    /// in either spelling there); notes each one that is not among them.
    pub(in crate::config) fn of(
        value: &'v Value,
        names: &'static [&'static str],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let members = object(value, at, faults)?;
        for name in members.keys() {
            if !names.iter().any(|known| **name == **known || **name == *camel_case(known)) {
                faults.add(at, unknown(name, names));
            }
        }
        Some(Self { members, names })
    }

    /// Reads the member `name`. JSON `null` is an absent member, as in protobuf's JSON form.
    pub(in crate::config) fn member<T: Read>(
        &self,
        name: &'static str,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<T> {
        debug_assert!(self.names.contains(&name));
        match self.get(name, at, faults) {
            Some(value) => T::read(value, &at.key(name), faults),
            None => T::absent().or_else(|| faults.none(&at.key(name), "is required")),
        }
    }

    /// Notes each of these members that is there, with why it is not taken.
    pub(in crate::config) fn refuse(
        &self,
        names: &[(&str, &str)],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) {
        for (name, why) in names {
            if self.get(name, at, faults).is_some() {
                faults.add(&at.key(name), *why);
            }
        }
    }

    /// The value of the member `name`, in either spelling.
    pub(in crate::config) fn get(
        &self,
        name: &str,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<&'v Value> {
        let camel = camel_case(name);
        let snake = self.members.get(name);
        let other = if camel == name { None } else { self.members.get(&*camel) };
        if snake.is_some() && other.is_some() {
            faults.add(&at.key(name), format!("is there twice, also as `{camel}`"));
        }
        snake.or(other).filter(|value| **value != Value::Null)
    }
}

/// The name in protobuf's JSON form; a name that begins with `_` has no other.
pub(in crate::config) fn camel_case(name: &str) -> String {
    if name.starts_with('_') {
        return name.to_owned();
    }
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut chars = word.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.push_str(chars.as_str());
    }
    camel
}

/// How many slips a mistyped name may have to be taken for another.
pub(in crate::config) fn slips(name: &str) -> usize {
    name.len().div_ceil(4).min(3).min(name.len().saturating_sub(1))
}

/// What to say about a name that is not among `names`.
pub(in crate::config) fn unknown(name: &str, names: &[&'static str]) -> String {
    let distance = |known: &str| strsim::osa_distance(name, known);
    let slip = |known: &&&str| distance(known).min(distance(&camel_case(known)));
    // `provider` is not misspelt, it is `provider_name` cut short.
    let cut = |known: &&&str| name.len() >= 4 && known.starts_with(name);
    let nearest = names.iter().min_by_key(slip).filter(|known| slip(known) <= slips(name));
    let nearest = nearest.or_else(|| names.iter().find(cut));
    match nearest {
        Some(nearest) => format!("unknown field `{name}`; did you mean `{nearest}`?"),
        None if names.is_empty() => format!("unknown field `{name}`; must be empty"),
        None => format!("unknown field `{name}`; expected one of: {}", names.join(", ")),
    }
}

/// The member's name, of a Rust name that may be a raw identifier.
pub(in crate::config) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
