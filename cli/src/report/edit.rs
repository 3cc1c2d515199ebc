//! Changing a place in a JSON text without touching how the rest of it is written.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::lens::Step;

/// Where the value at `path` stands.
pub(crate) fn place(text: &str, path: &[Step<'_>]) -> Option<Range<usize>> {
    let mut value = serde_json::from_str::<&RawValue>(text).ok()?;
    for step in path {
        value = match step {
            Step::Key(key) => {
                serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get()).ok()?.get(*key)?
            }
            Step::Index(at) => {
                serde_json::from_str::<Vec<&RawValue>>(value.get()).ok()?.get(*at)?
            }
        };
    }
    range(text, value)
}

/// Puts `value` in place of what stands at `path`.
pub(crate) fn replace(text: &str, path: &[Step<'_>], value: &str) -> Option<String> {
    let at = place(text, path)?;
    Some([text.get(..at.start)?, value, text.get(at.end..)?].concat())
}

/// Adds a member at the end of the object at `path`, written like the ones before it.
pub(crate) fn add_member(text: &str, path: &[Step<'_>], name: &str, value: &str) -> Option<String> {
    let at = place(text, path)?;
    let object = text.get(at.clone())?;
    let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(object).ok()?;
    let ends = members.values().filter_map(|value| range(object, value)).map(|range| range.end);
    let Some(end) = ends.max() else {
        return replace(text, path, &format!("{{ \"{name}\": {value} }}"));
    };
    let before = spacing(object);
    let here = at.start.checked_add(end)?;
    Some([text.get(..here)?, ",", before, "\"", name, "\": ", value, text.get(here..)?].concat())
}

/// Takes away an element of the list at `path`, or a member of the object there.
pub(crate) fn remove(text: &str, path: &[Step<'_>], child: Step<'_>) -> Option<String> {
    let whole = place(text, path)?;
    let mut child_path = path.to_vec();
    child_path.push(child);
    let value = place(text, &child_path)?;
    let begin = match child {
        Step::Index(_) => value.start,
        // Before a value come a colon and the name, in quotes.
        Step::Key(_) => {
            let before = text.get(..value.start)?.trim_end().strip_suffix(':')?.trim_end();
            let name = before.strip_suffix('"')?;
            name.rfind('"')?
        }
    };
    let after = text.get(value.end..whole.end)?;
    let blank = |text: &str| text.len().saturating_sub(text.trim_start().len());
    if let Some(further) = after.trim_start().strip_prefix(',') {
        let next = whole.end.checked_sub(further.len())?.checked_add(blank(further))?;
        return Some([text.get(..begin)?, text.get(next..)?].concat());
    }
    // The last one: the comma before it goes, too.
    let before = text.get(..begin)?.trim_end();
    let before = before.strip_suffix(',').unwrap_or(before);
    Some([before, text.get(value.end..)?].concat())
}

/// The white space before the first member of an object.
fn spacing(object: &str) -> &str {
    let inside = object.strip_prefix('{').unwrap_or(object);
    let end = inside.find('"').unwrap_or(0);
    match inside.get(..end) {
        Some("") | None => " ",
        Some(spacing) => spacing,
    }
}

/// Where a part of `text` that was borrowed from it stands.
fn range(text: &str, part: &RawValue) -> Option<Range<usize>> {
    let start = part.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(start..start.checked_add(part.get().len())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "a": [ {"x": 1}, {"y" : [2 , 3]},
    {} ],
  "b": {
    "c": "d",
    "e": {}
  }
}"#;

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let came = replace(TEXT, &[Step::Key("a"), Step::Index(1), Step::Key("y")], "[3]").unwrap();
        assert_eq!(came, TEXT.replace("[2 , 3]", "[3]"));
        assert_eq!(replace(TEXT, &[Step::Key("z")], "1"), None);
    }

    #[test]
    fn a_member_is_added_as_its_neighbours_are_written() {
        let rows = [
            (&[Step::Key("b")][..], "\"e\": {}", "\"e\": {},\n    \"f\": 1"),
            (&[Step::Key("a"), Step::Index(0)], "{\"x\": 1}", "{\"x\": 1, \"f\": 1}"),
            (&[Step::Key("a"), Step::Index(2)], "{} ]", "{ \"f\": 1 } ]"),
        ];
        for (path, from, to) in rows {
            assert_eq!(add_member(TEXT, path, "f", "1").unwrap(), TEXT.replace(from, to));
        }
    }

    #[test]
    fn what_is_removed_takes_its_comma_along() {
        let rows = [
            (&[Step::Key("a")][..], Step::Index(0), "{\"x\": 1}, ", ""),
            (&[Step::Key("a")], Step::Index(2), ",\n    {} ]", " ]"),
            (&[Step::Key("b")], Step::Key("c"), "\"c\": \"d\",\n    ", ""),
            (&[Step::Key("b")], Step::Key("e"), ",\n    \"e\": {}", ""),
            (&[Step::Key("a"), Step::Index(0)], Step::Key("x"), "\"x\": 1", ""),
        ];
        for (path, child, from, to) in rows {
            assert_eq!(remove(TEXT, path, child).unwrap(), TEXT.replace(from, to), "{child:?}");
        }
    }
}
