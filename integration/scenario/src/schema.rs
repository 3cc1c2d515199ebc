//! JSON Schema, as far as the published schema of the audit line needs it.
//!
//! A keyword that is not among those is an error: it would check nothing.

use serde_json::Value;

/// What of `value` is not as `schema` says, each with its place; empty: nothing.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "line", &mut found);
    found
}

fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        return found.push(format!("{at}: the schema is no object"));
    };
    for (keyword, wanted) in keywords {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "const" => value == wanted,
            "enum" => wanted.as_array().is_some_and(|values| values.contains(value)),
            "type" => types(wanted).any(|kind| is(value, kind)),
            "pattern" => wanted.as_str().is_some_and(|pattern| fits(pattern, value)),
            "minimum" => number(value, wanted).is_none_or(|(value, bound)| value >= bound),
            "maximum" => number(value, wanted).is_none_or(|(value, bound)| value <= bound),
            "required" => lacking(wanted, value).is_empty(),
            "additionalProperties" => *wanted != false || unknown(keywords, value).is_empty(),
            "properties" => {
                properties(wanted, value, at, found);
                true
            }
            _ => false,
        };
        if !holds {
            found.push(format!("{at}: `{value}` against `{keyword}`: {wanted}"));
        }
    }
}

fn types(wanted: &Value) -> impl Iterator<Item = &str> {
    let one = wanted.as_str();
    let several = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several)
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Patterns are of characters, classes of digits with a number, and escaped dots: that of a time.
fn fits(pattern: &str, value: &Value) -> bool {
    let Some(mut text) = value.as_str() else { return true };
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let Some(mut pattern) = inner else { return false };
    while let Some(first) = pattern.chars().next() {
        let digits = pattern.strip_prefix("[0-9]{").and_then(|rest| rest.split_once('}'));
        if let Some((count, rest)) = digits {
            let count = count.parse().unwrap_or(0);
            let Some((head, tail)) = text.split_at_checked(count) else { return false };
            if count == 0 || !head.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            (pattern, text) = (rest, tail);
            continue;
        }
        let literal = pattern.strip_prefix('\\').unwrap_or(pattern);
        let Some(wanted) = literal.chars().next().filter(|c| *c != '[' || first == '\\') else {
            return false;
        };
        let Some(tail) = text.strip_prefix(wanted) else { return false };
        (pattern, text) = (literal.strip_prefix(wanted).unwrap_or_default(), tail);
    }
    text.is_empty()
}

fn number(value: &Value, bound: &Value) -> Option<(f64, f64)> {
    value.as_f64().zip(bound.as_f64())
}

fn lacking<'w>(wanted: &'w Value, value: &Value) -> Vec<&'w str> {
    types(wanted).filter(|name| value.get(name).is_none()).collect()
}

fn unknown<'v>(keywords: &serde_json::Map<String, Value>, value: &'v Value) -> Vec<&'v String> {
    let known = |name: &&String| keywords.get("properties").is_some_and(|p| p.get(name).is_some());
    value.as_object().into_iter().flat_map(|members| members.keys()).filter(|n| !known(n)).collect()
}

fn properties(wanted: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, schema) in wanted.as_object().into_iter().flatten() {
        if let Some(member) = value.get(name) {
            check(schema, member, &format!("{at}.{name}"), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_schema_does_not_allow_is_found() {
        let time = json!({ "pattern": "^[0-9]{2}:[0-9]{2}\\.[0-9]{1}Z$" });
        let object = json!({ "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": { "type": ["integer", "null"], "minimum": 1, "maximum": 2 } } });
        let rows = [
            (&time, json!("12:34.5Z"), 0),
            (&time, json!("12:34.5"), 1),
            (&time, json!("12:34x5Z"), 1),
            (&time, json!("1a:34.5Z"), 1),
            (&time, json!("12:34.5Z\n"), 1),
            (&object, json!({ "a": 1 }), 0),
            (&object, json!({ "a": null }), 0),
            (&object, json!({ "a": 3 }), 1),
            (&object, json!({ "a": 0.5 }), 2),
            (&object, json!({ "a": "1" }), 1),
            (&object, json!({}), 1),
            (&object, json!({ "a": 1, "b": 1 }), 1),
            (&object, json!([]), 2),
            (&json!({ "const": 1, "enum": [1, 2] }), json!(2), 1),
            (&json!({ "maxLength": 1 }), json!(""), 1),
        ];
        for (schema, value, expected) in rows {
            let found = violations(schema, &value);
            assert_eq!(found.len(), expected, "{schema} {value} {found:?}");
        }
    }
}
