//! The JSON Schema of a configuration (draft 7, which editors know best), made from the declarations by which
//! it is read.

use serde_json::{Map, Value, json};

use crate::config::MESSAGE;
use crate::config::raw::Config;
use crate::config::read::{Read, camel_case};

/// The schemas of records, by name.
pub(crate) type Definitions = Map<String, Value>;

/// A member of a record: its name, its doc comment, its schema, and whether it must be there.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) schema: Value,
    pub(crate) required: bool,
}

/// The JSON Schema of a configuration, for editors: it knows names, types and choices. What has to fit together, such
/// as the name of a provider and the provider, is for [`Policy::from_json`](crate::policy::Policy::from_json).
pub fn schema() -> Value {
    let mut definitions = Definitions::new();
    Config::schema(&mut definitions);
    let mut root = match definitions.remove("Config") {
        Some(Value::Object(root)) => root,
        Some(_) | None => Map::new(),
    };
    if let Some(Value::Object(members)) = root.get_mut("properties") {
        let message = format!("type.googleapis.com/{MESSAGE}");
        members.insert("@type".to_owned(), json!({ "const": message }));
        let doc = "The schema that an editor checks this document by.";
        members.insert("$schema".to_owned(), json!({ "description": doc, "type": "string" }));
    }
    root.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    root.insert("title".to_owned(), "Configuration of jwt-gate".into());
    root.insert("definitions".to_owned(), Value::Object(definitions));
    let mut root = Value::Object(root);
    repoint(&mut root);
    root
}

/// Turns references to the record that has become the root, wherever they stand.
fn repoint(schema: &mut Value) {
    match schema {
        Value::String(to) => {
            let rest = to.strip_prefix("#/definitions/Config");
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                *to = format!("#{rest}");
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(repoint),
        Value::Object(members) => members.values_mut().for_each(repoint),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A doc comment in one line.
pub(crate) fn doc(lines: &[&str]) -> String {
    let words = lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>();
    words.join(" ")
}

/// Notes the schema of a record, and refers to it. It may refer to itself.
pub(crate) fn define(
    name: &'static str,
    definitions: &mut Definitions,
    make: impl FnOnce(&mut Definitions) -> Value,
) -> Value {
    if !definitions.contains_key(name) {
        definitions.insert(name.to_owned(), Value::Null);
        let schema = make(definitions);
        definitions.insert(name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// The schema of a record.
pub(crate) fn record(name: &str, doc: &str, members: Vec<Member>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut either = Vec::new();
    for member in members {
        let camel = camel_case(member.name);
        match (member.required, camel == member.name) {
            (true, true) => required.push(Value::from(member.name)),
            (true, false) => either.push(json!({
                "anyOf": [{ "required": [member.name] }, { "required": [camel] }],
            })),
            (false, _) => {}
        }
        if camel != member.name {
            // The other spelling is accepted, and not offered beside the first.
            let to = format!("#/definitions/{name}/properties/{}", member.name);
            properties.insert(camel, json!({ "$ref": to, "doNotSuggest": true }));
        }
        properties.insert(member.name.to_owned(), described(member.schema, &member.doc));
    }
    let mut schema = json!({
        "description": doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let Value::Object(schema) = &mut schema {
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        if !either.is_empty() {
            schema.insert("allOf".to_owned(), Value::Array(either));
        }
    }
    schema
}

/// The schema of a choice: exactly one of these members.
pub(crate) fn choice(name: &str, doc: &str, members: Vec<Member>) -> Value {
    let mut schema = record(name, doc, members);
    if let Value::Object(schema) = &mut schema {
        schema.insert("minProperties".to_owned(), 1.into());
        schema.insert("maxProperties".to_owned(), 1.into());
    }
    schema
}

/// The schema of words, each with what it means.
pub(crate) fn words(doc: &str, words: &[(&str, String)]) -> Value {
    let each = words.iter().map(|(word, doc)| json!({ "const": word, "description": doc }));
    json!({ "description": doc, "oneOf": each.collect::<Vec<_>>() })
}

/// A schema with a description of its own. Beside a reference nothing counts in draft 7.
fn described(schema: Value, doc: &str) -> Value {
    if doc.is_empty() {
        return schema;
    }
    let mut described = match schema.get("$ref") {
        Some(_) => json!({ "allOf": [schema] }),
        None => schema,
    };
    if let Value::Object(members) = &mut described {
        members.insert("description".to_owned(), doc.into());
    }
    described
}
