//! The schema that is published, and what it says of configurations that are known to be good or not.

use std::path::{Path, PathBuf};
use std::{env, fs};

use jwt_gate::policy::Policy;
use jwt_gate_scenario::{Expansion, Keyring, Suite};
use serde_json::{Map, Value};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_published_schema_is_the_one_that_the_code_makes() {
    let path = repository().join("filter-config/schema.json");
    let made = super::Schema(jwt_gate::config::schema()).to_string();
    if env::var("SCHEMA").is_ok_and(|schema| schema == "write") {
        fs::write(&path, &made).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap();
    assert!(published == made, "stale: SCHEMA=write cargo test -p jwt-gate-cli schema");
}

#[test]
fn every_configuration_of_the_examples_and_scenarios_that_compiles_fits_the_schema() {
    let keyring = Keyring::new();
    let scenarios = Suite::load(&repository().join("tests/scenarios")).unwrap();
    let mut count = 0;
    for scenario in scenarios {
        let mut expansion = Expansion::new(&keyring, "https://idp.example/jwks.json");
        expansion.set_now(1_800_000_000);
        let Ok(text) = expansion.json(scenario.config()) else { continue };
        if Policy::from_json(text.as_bytes()).is_ok() {
            let faults = faults(&text);
            assert!(faults.is_empty(), "{}: {faults:?}", scenario.name());
            count += 1;
        }
    }
    assert!(count > 300, "only {count}");
}

#[test]
fn broken_configurations_do_not_fit_the_schema() {
    let rows = [
        ("[]", ": array"),
        (r#"{"providres": {}}"#, ".providres: unknown"),
        (r#"{"rules": [{}]}"#, ".rules[0]: no match"),
        (r#"{"rules": [{"match": {"prefx": "/"}}]}"#, ".rules[0].match.prefx: unknown"),
        (r#"{"rules": [{"match": {"grpc": {}}}]}"#, ".rules[0].match.grpc: unknown"),
        (r#"{"rules": [{"match": {}, "name": ""}]}"#, ".rules[0].name: too short"),
        (r#"{"default_action": "alow"}"#, ".default_action: none of"),
        (r#"{"bypassCorsPreflight": "yes"}"#, ".bypassCorsPreflight: string"),
        (r#"{"limits": {"max_keys": -1}}"#, ".limits.max_keys: too small"),
        (r#"{"limits": {"max_keys": "x"}}"#, ".limits.max_keys: pattern"),
        (
            r#"{"providers": {"a": {"remote_jwks": {"http_uri": {"uri": "x", "cluster": "y", "timeout": "5"}}}}}"#,
            ".providers.a.remote_jwks.http_uri.timeout: none of",
        ),
        (
            r#"{"providers": {"a": {"remote_jwks": {"retry_policy": {"retry_back_off": {}}}}}}"#,
            ".providers.a.remote_jwks.retry_policy.retry_back_off: none of",
        ),
        (
            r#"{"rules": [{"match": {}, "authorize": {"scopes": [], "roles": ["a"]}}]}"#,
            ".rules[0].authorize: members",
        ),
        (r#"{"rules": [{"match": {}, "authorize": {}}]}"#, ".rules[0].authorize: members"),
        (r#"{"@type": "x"}"#, ".@type: not the one"),
    ];
    for (text, expected) in rows {
        assert!(Policy::from_json(text.as_bytes()).is_err(), "{text}");
        let faults = faults(text);
        assert!(faults.iter().any(|fault| fault == expected), "{text}: {faults:?}");
    }
}

#[test]
fn every_member_is_described() {
    let schema = jwt_gate::config::schema();
    let definitions = schema["definitions"].as_object().unwrap().values();
    for record in definitions.chain([&schema]).filter(|record| record.get("properties").is_some()) {
        for (name, member) in record["properties"].as_object().unwrap() {
            let is_plain =
                !name.starts_with('@') && !matches!(name.as_str(), "google_re2" | "fast_listener");
            let is_described = member.get("description").is_some() || member.get("$ref").is_some();
            assert!(!is_plain || is_described || name == "name", "{name}: {member}");
        }
    }
}

/// What is wrong with a configuration by the schema.
fn faults(text: &str) -> Vec<String> {
    let schema = jwt_gate::config::schema();
    let mut check = Check { root: &schema, faults: Vec::new() };
    check.value(&schema, &without_nulls(serde_json::from_str(text).unwrap()), "");
    check.faults
}

/// A member that is null is absent, which no editor needs to know.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// As much of JSON Schema as the schema uses; a keyword that is not known here is a fault of this check.
struct Check<'s> {
    root: &'s Value,
    faults: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(keywords) = schema.as_object() else {
            assert_eq!(*schema, Value::Bool(true));
            return;
        };
        if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
            let to = self.root.pointer(to.strip_prefix('#').unwrap()).expect(to);
            return self.value(to, value, at);
        }
        for (keyword, wanted) in keywords {
            if let Some(fault) = self.keyword(keyword, wanted, schema, value, at) {
                self.faults.push(format!("{at}: {fault}"));
            }
        }
    }

    /// Whether a value fits a schema.
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut check = Check { root: self.root, faults: Vec::new() };
        check.value(schema, value, "");
        check.faults.is_empty()
    }

    fn keyword(
        &mut self,
        keyword: &str,
        wanted: &Value,
        schema: &Value,
        value: &Value,
        at: &str,
    ) -> Option<String> {
        let list = || wanted.as_array().unwrap().iter();
        let is_wrong = match keyword {
            "type" => {
                let kind = kind(value);
                let is = |wanted: &Value| wanted == kind || wanted == "number" && kind == "integer";
                let fits = if wanted.is_array() { list().any(is) } else { is(wanted) };
                return (!fits).then(|| kind.to_owned());
            }
            "const" => return (value != wanted).then(|| "not the one".to_owned()),
            "anyOf" => {
                return (!list().any(|s| self.fits(s, value))).then(|| "none of".to_owned());
            }
            "oneOf" => {
                let fits = list().filter(|s| self.fits(s, value)).count() == 1;
                return (!fits).then(|| "none of".to_owned());
            }
            "allOf" => {
                list().for_each(|schema| self.value(schema, value, at));
                return None;
            }
            "required" => {
                let members = value.as_object()?;
                let lacking = list().find(|name| !members.contains_key(name.as_str().unwrap()))?;
                return Some(format!("no {}", lacking.as_str().unwrap()));
            }
            "properties" | "additionalProperties" => {
                self.members(keyword, schema, value, at);
                return None;
            }
            "items" => {
                for (i, element) in value.as_array()?.iter().enumerate() {
                    self.value(wanted, element, &format!("{at}[{i}]"));
                }
                return None;
            }
            "minLength" => value.as_str()?.is_empty(),
            "minItems" => value.as_array()?.is_empty(),
            "pattern" => {
                let fits = regex_lite::Regex::new(wanted.as_str().unwrap()).unwrap();
                return (!fits.is_match(value.as_str()?)).then(|| "pattern".to_owned());
            }
            "minimum" => {
                return (value.as_f64()? < wanted.as_f64()?).then(|| "too small".to_owned());
            }
            "maximum" => value.as_f64()? > wanted.as_f64()?,
            "minProperties" | "maxProperties" => {
                return (value.as_object()?.len() != 1).then(|| "members".to_owned());
            }
            "description" | "title" | "$schema" | "definitions" | "examples" | "doNotSuggest" => {
                false
            }
            other => panic!("{other} is not known"),
        };
        is_wrong.then(|| if keyword == "minLength" { "too short" } else { keyword }.to_owned())
    }

    fn members(&mut self, keyword: &str, schema: &Value, value: &Value, at: &str) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, member) in value.as_object().unwrap_or(&none) {
            let at = format!("{at}.{name}");
            match (known.get(name), keyword) {
                (Some(schema), "properties") => self.value(schema, member, &at),
                (None, "additionalProperties") if schema[keyword] == Value::Bool(false) => {
                    self.faults.push(format!("{at}: unknown"));
                }
                (None, "additionalProperties") => self.value(&schema[keyword], member, &at),
                (Some(_) | None, _) => {}
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() && number.as_f64().unwrap().fract() != 0.0 => {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
