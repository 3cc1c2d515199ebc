//! A policy as a person would write it: members in a usual order, what is short on one line.

use serde_json::{Map, Value};

/// The width of a line, beyond which a value is broken into several.
const WIDTH: usize = 96;

/// The usual order of members; all others come after these, by name.
const ORDER: [&str; 39] = [
    "name",
    "match",
    "issuer",
    "issuers",
    "audiences",
    "subjects",
    "algorithms",
    "providers",
    "default_action",
    "bypass_cors_preflight",
    "roles",
    "requirement_map",
    "rules",
    "requires",
    "requirement_name",
    "deny",
    "authorize",
    "enforcement",
    "path",
    "prefix",
    "path_separated_prefix",
    "path_template",
    "safe_regex",
    "methods",
    "hosts",
    "headers",
    "header_name",
    "claim_name",
    "value_prefix",
    "from_headers",
    "from_params",
    "from_cookies",
    "forward",
    "http_uri",
    "uri",
    "cluster",
    "timeout",
    "remote_jwks",
    "local_jwks",
];

/// The text of a value.
pub(crate) fn written(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, 0, &mut text);
    text.push('\n');
    text
}

/// Members in the usual order.
fn ordered(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(name, _)| (place(name), *name));
    members
}

/// `taken` is what stands on the line already.
fn write(value: &Value, depth: usize, taken: usize, text: &mut String) {
    let line = on_one_line(value);
    let indent = depth.saturating_mul(2);
    if indent.saturating_add(taken).saturating_add(line.chars().count()) < WIDTH && depth > 1 {
        text.push_str(&line);
        return;
    }
    let new_line = |depth: usize| format!("\n{}", "  ".repeat(depth));
    let inner = depth.saturating_add(1);
    match value {
        Value::Array(list) if !list.is_empty() => {
            text.push('[');
            for (at, element) in list.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                text.push_str(&new_line(inner));
                write(element, inner, 0, text);
            }
            text.push_str(&(new_line(depth) + "]"));
        }
        Value::Object(object) if !object.is_empty() => {
            text.push('{');
            for (at, (name, member)) in ordered(object).into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                let name = format!("{}: ", Value::from(name.as_str()));
                text.push_str(&(new_line(inner) + &name));
                write(member, inner, name.chars().count().saturating_add(1), text);
            }
            text.push_str(&(new_line(depth) + "}"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&line),
        Value::Array(_) | Value::Object(_) => text.push_str(&line),
    }
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let elements: Vec<_> = list.iter().map(on_one_line).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), on_one_line(value))
            };
            let members: Vec<_> = ordered(object).into_iter().map(member).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stands_on_one_line_and_names_come_first() {
        let policy = serde_json::json!({
            "rules": [{"requirement_name": "in", "match": {"methods": ["GET"], "prefix": "/"}, "name": "a"}],
            "providers": {"p": {"local_jwks": {"inline_string": "x".repeat(80)}, "issuer": "i"}}
        });
        let long = "x".repeat(80);
        let expected = format!(
            r#"{{
  "providers": {{
    "p": {{
      "issuer": "i",
      "local_jwks": {{ "inline_string": "{long}" }}
    }}
  }},
  "rules": [
    {{ "name": "a", "match": {{ "prefix": "/", "methods": ["GET"] }}, "requirement_name": "in" }}
  ]
}}
"#
        );
        let came = written(&policy);
        assert_eq!(
            came.replace("\n        \"inline_string\": ", " \"inline_string\": ")
                .replace("\"\n      }", "\" }"),
            expected
        );
        assert_eq!(serde_json::from_str::<Value>(&came).unwrap(), policy);
    }
}
