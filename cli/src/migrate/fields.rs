//! Reading an object of a foreign configuration so that nothing in it is overlooked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::notes::Notes;

/// The members of an object that were not looked at yet, by their names in snake_case.
#[derive(Debug)]
pub(crate) struct Fields<'v> {
    members: BTreeMap<String, &'v Value>,
    place: String,
}

impl<'v> Fields<'v> {
    /// The members of `value`; what is no object is a fault.
    pub(crate) fn of(value: &'v Value, place: &str, notes: &mut Notes) -> Self {
        let members = match value {
            Value::Object(object) => object.iter().filter(|(_, value)| !value.is_null()),
            Value::Null => return Self { members: BTreeMap::new(), place: place.to_owned() },
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                notes.fault(place, "is not an object");
                return Self { members: BTreeMap::new(), place: place.to_owned() };
            }
        };
        let members = members.map(|(name, value)| (snake(name), value)).collect();
        Self { members, place: place.to_owned() }
    }

    /// Where the object stands.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Where a member stands.
    pub(crate) fn at(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// A member, which then counts as looked at.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'v Value> {
        self.members.remove(name)
    }

    /// A member that is a string, a number or a boolean, as text.
    pub(crate) fn text(&mut self, name: &str, notes: &mut Notes) -> Option<String> {
        let value = self.take(name)?;
        let text = text(value);
        if text.is_none() {
            notes.fault(&self.at(name), "is not a string");
        }
        text
    }

    /// A member that is a boolean.
    pub(crate) fn flag(&mut self, name: &str, notes: &mut Notes) -> Option<bool> {
        let value = self.take(name)?;
        if value.as_bool().is_none() {
            notes.fault(&self.at(name), "is not true or false");
        }
        value.as_bool()
    }

    /// The elements of a member that is a list; none when it is absent.
    pub(crate) fn list(&mut self, name: &str, notes: &mut Notes) -> &'v [Value] {
        match self.take(name) {
            None => &[],
            Some(Value::Array(list)) => list,
            Some(_) => {
                notes.fault(&self.at(name), "is not a list");
                &[]
            }
        }
    }

    /// The elements of a member that is a list of texts.
    pub(crate) fn texts(&mut self, name: &str, notes: &mut Notes) -> Vec<String> {
        let place = self.at(name);
        let list = self.list(name, notes);
        list.iter()
            .filter_map(|element| {
                let text = text(element);
                if text.is_none() {
                    notes.fault(&place, "is not a list of texts");
                }
                text
            })
            .collect()
    }

    /// Members that restrict nothing: what is there of them is told to be left out.
    pub(crate) fn harmless(&mut self, names: &[&str], why: &str, notes: &mut Notes) {
        for name in names {
            if self.take(name).is_some() {
                notes.dropped(&self.at(name), why);
            }
        }
    }

    /// What was not looked at may restrict something.
    pub(crate) fn finish(self, notes: &mut Notes) {
        for name in self.members.keys() {
            let why = "is not known to this command: if it restricts nothing, leave it out";
            notes.fault(&self.at(name), why);
        }
    }
}

/// A scalar as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A name in camelCase as it is in snake_case. A name with several capitals in a row, such as
/// `remoteJWKS`, has one `_` before them.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut after_capital = true;
    for c in name.chars() {
        if c.is_ascii_uppercase() && !after_capital {
            snake.push('_');
        }
        after_capital = c.is_ascii_uppercase();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_either_spelling() {
        let names =
            ["jwksUri", "remoteJWKS", "ipBlocks", "from_headers", "clientCIDRs", "URL"].map(snake);
        assert_eq!(
            names,
            ["jwks_uri", "remote_jwks", "ip_blocks", "from_headers", "client_cidrs", "url"]
        );
    }

    #[test]
    fn what_was_not_looked_at_is_a_fault() {
        let (mut notes, value) = (Notes::default(), serde_json::json!({"a": 1, "newThing": true}));
        let mut fields = Fields::of(&value, "spec", &mut notes);
        assert_eq!(fields.text("a", &mut notes), Some("1".to_owned()));
        fields.finish(&mut notes);
        let notes = notes.finish();
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].place == "spec.new_thing" && notes[0].kind == super::super::notes::Kind::Fault
        );
    }
}
