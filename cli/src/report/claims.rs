//! What the named claims of an audit line say about the caller.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Names that are taken out of one claim: there are never that many.
const MOST_NAMES: usize = 256;

/// What a claim ends with that the gate has cut.
const CUT: char = '…';

/// Where the caller's client, roles and scopes are, each as a dotted path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Places {
    /// The first of these that is there names the client.
    pub(crate) client: Vec<String>,
    /// Claims with roles.
    pub(crate) roles: Vec<String>,
    /// Claims with scopes.
    pub(crate) scopes: Vec<String>,
}

impl Default for Places {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            client: owned(&["client_id", "azp", "cid", "appid", "sub"]),
            roles: owned(&["roles", "groups", "realm_access.roles"]),
            scopes: owned(&["scope", "scp"]),
        }
    }
}

/// Who called, as far as the log says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Caller {
    /// The client.
    pub(crate) client: Option<String>,
    /// Roles, each once; `None`: the log has no such claim.
    pub(crate) roles: Option<Vec<String>>,
    /// Scopes, each once; `None`: the log has no such claim.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Places {
    /// Reads the claims of a line.
    pub(crate) fn read(&self, claims: Option<&RawValue>) -> Caller {
        let Some(claims) = claims else { return Caller::default() };
        let Ok(claims) = serde_json::from_str::<BTreeMap<Cow<'_, str>, Value>>(claims.get()) else {
            return Caller::default();
        };
        let client = self.client.iter().find_map(|path| text(at(&claims, path)?));
        Caller {
            client,
            roles: names(&claims, &self.roles, false),
            scopes: names(&claims, &self.scopes, true),
        }
    }
}

/// A claim by its whole name, or else by the members that the dots part.
fn at<'c>(claims: &'c BTreeMap<Cow<'_, str>, Value>, path: &str) -> Option<&'c Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    rest.split('.').try_fold(claims.get(first)?, |value, key| value.get(key))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// The names in the claims `paths`. `None` where none is there.
fn names(
    claims: &BTreeMap<Cow<'_, str>, Value>,
    paths: &[String],
    spaced: bool,
) -> Option<Vec<String>> {
    let mut found = None::<Vec<String>>;
    for value in paths.iter().filter_map(|path| at(claims, path)) {
        let into = found.get_or_insert_default();
        match value {
            // The gate cuts what is long: of a list or an only name nothing is left that is sure.
            Value::String(text) if text.ends_with(CUT) => {
                let whole = text.rsplit_once(' ').map_or("", |(whole, _)| whole);
                if spaced && !text.starts_with(['[', '{']) {
                    into.extend(whole.split(' ').map(str::to_owned));
                }
            }
            Value::String(text) if spaced => into.extend(text.split(' ').map(str::to_owned)),
            Value::String(text) => into.push(text.clone()),
            Value::Array(list) => {
                into.extend(
                    list.iter().take(MOST_NAMES).filter_map(Value::as_str).map(str::to_owned),
                );
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
    }
    found.map(|mut names| {
        names.truncate(MOST_NAMES);
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        names
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(claims: &str) -> Caller {
        let raw = serde_json::from_str::<&RawValue>(claims).unwrap();
        Places::default().read(Some(raw))
    }

    #[test]
    fn the_caller_is_read_from_whatever_claims_there_are() {
        let owned =
            |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        let rows = [
            (r#"{"sub":"alice"}"#, Some("alice"), None, None),
            (r#"{"sub":"alice","azp":"app"}"#, Some("app"), None, None),
            (r#"{"client_id":7,"scope":"b a  b"}"#, Some("7"), None, owned(&["a", "b"])),
            (r#"{"scp":["x"],"scope":""}"#, None, None, owned(&["x"])),
            (r#"{"roles":["r",1],"groups":"g"}"#, None, owned(&["g", "r"]), None),
            (r#"{"realm_access.roles":["r"]}"#, None, owned(&["r"]), None),
            (r#"{"realm_access":{"roles":["r"]}}"#, None, owned(&["r"]), None),
            (r#"{"roles":null}"#, None, owned(&[]), None),
            (r#"{"scope":"a b c…","roles":"[\"a\",\"b…"}"#, None, owned(&[]), owned(&["a", "b"])),
            (r#"[1]"#, None, None, None),
        ];
        for (claims, client, roles, scopes) in rows {
            let expected = Caller { client: client.map(str::to_owned), roles, scopes };
            assert_eq!(caller(claims), expected, "{claims}");
        }
    }
}
