//! Documents in JSON and YAML whose parts know where they stand.

mod embedded;
mod json;
pub(crate) mod nginx;
mod yaml;

use std::fmt;

pub(crate) use embedded::Passage;

/// A value and where it begins: the number of a character of the file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number as JSON writes it.
    Number(String),
    Text(Passage),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Where its name begins.
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) node: Node,
}

/// Why a text is no document, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// Nesting that a document may have: more than any configuration has.
const MAX_DEPTH: usize = 200;

/// Reads the documents of a text: one in JSON, or any number in YAML.
pub(crate) fn read(passage: &Passage) -> Result<Vec<Node>, SyntaxError> {
    let Some(first) = passage.text().chars().find(|c| !c.is_whitespace()) else {
        return Err(passage.error(0, "there is nothing in it"));
    };
    // YAML can begin so as well; but who begins so means JSON, which does not forgive as much.
    if matches!(first, '{' | '[') { Ok(vec![read_json(passage)?]) } else { yaml::read(passage) }
}

/// Reads a text that must be JSON.
pub(crate) fn read_json(passage: &Passage) -> Result<Node, SyntaxError> {
    json::read(passage)
}

impl Node {
    /// The member `name` of an object, in `snake_case` or in `camelCase`.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.node)
    }

    /// The same with its name.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| is_name(&member.name, name))
    }

    /// The member `name`, in the spelling that it has, to change it.
    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Value::Object(members) = &mut self.value else { return None };
        members.iter_mut().find(|member| member.name == name).map(|member| &mut member.node)
    }

    /// The members; none where it is no object.
    pub(crate) fn members(&self) -> &[Member] {
        if let Value::Object(members) = &self.value { members } else { &[] }
    }

    /// The elements; none where it is no list.
    pub(crate) fn elements(&self) -> &[Self] {
        if let Value::List(elements) = &self.value { elements } else { &[] }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&Passage> {
        if let Value::Text(passage) = &self.value { Some(passage) } else { None }
    }

    /// What a member says in words.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text().map(Passage::text)
    }

    /// Where a place of the configuration is, such as `providers.auth0.audiences[1]`; as near as
    /// the document has it.
    pub(crate) fn find(&self, place: &str) -> usize {
        self.seek(place).unwrap_or(self.at)
    }

    /// `None` where this node has nothing of the place.
    fn seek(&self, place: &str) -> Option<usize> {
        if place.is_empty() {
            return Some(self.at);
        }
        if let Some((index, rest)) = place.strip_prefix('[').and_then(|p| p.split_once(']')) {
            let element = self.elements().get(index.parse::<usize>().ok()?)?;
            return Some(element.find(rest));
        }
        let place = place.strip_prefix('.').unwrap_or(place);
        // A name may have dots in it, so that the longest one that is there is meant.
        let under = |member: &Member| {
            let rest = [member.name.clone(), snake_case(&member.name)];
            rest.iter().find_map(|name| place.strip_prefix(name.as_str()).map(|r| r.len()))
        };
        let fits = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        let rest = |length: usize| place.get(place.len().saturating_sub(length)..);
        let found = self.members().iter().filter_map(|m| Some((rest(under(m)?)?, m)));
        let (rest, member) = found.filter(|(rest, _)| fits(rest)).min_by_key(|(r, _)| r.len())?;
        // What is said of a member itself is said at its name.
        Some(if rest.is_empty() { member.at } else { member.node.seek(rest).unwrap_or(member.at) })
    }
}

/// Whether a member of this name is the one that is known as `name`.
fn is_name(found: &str, name: &str) -> bool {
    found == name || snake_case(found) == name
}

/// The name in `snake_case` of one in `camelCase`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Compact JSON.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Number(number) => f.write_str(number),
            Value::Text(passage) => quoted(f, passage.text()),
            Value::List(elements) => {
                f.write_str("[")?;
                for (i, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Value::Object(members) => {
                f.write_str("{")?;
                for (i, Member { name, node, .. }) in members.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    quoted(f, name)?;
                    write!(f, ":{node}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// A member that is there twice: two readers would see two documents.
fn refuse_twice(members: &[Member]) -> Result<(), SyntaxError> {
    let mut names = std::collections::BTreeSet::new();
    match members.iter().find(|member| !names.insert(member.name.as_str())) {
        Some(Member { at, name, .. }) => {
            Err(SyntaxError { at: *at, message: format!("`{name}` is there twice") })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Position, Source};

    /// Line and column of each place.
    fn positions(text: &str, places: &[&str]) -> Vec<(usize, usize)> {
        let documents = read(&Passage::whole(text)).unwrap();
        let source = Source::of("file", text);
        let position = |place: &&str| {
            let Position { line, column } = source.position(documents[0].find(place));
            (line, column)
        };
        places.iter().map(position).collect()
    }

    #[test]
    fn a_place_is_found_in_json_and_in_yaml() {
        let places = ["providers.a.b.issuer", "providers.a.b", "rules[1].match", "rules[7]", ""];
        let json =
            "{\n\t\"providers\": {\"a.b\": {\"issuer\": 1}},\n \"rules\": [{}, {\"match\": {}}]}";
        assert_eq!(positions(json, &places), [(2, 24), (2, 16), (3, 17), (3, 2), (1, 1)]);
        let yaml = "# x\nproviders:\n  a.b:\n    issuer: 1\nrules:\n- {}\n- match: {}\n";
        assert_eq!(positions(yaml, &places), [(4, 5), (3, 3), (7, 3), (5, 1), (2, 1)]);
    }

    #[test]
    fn a_member_is_found_in_either_spelling_and_the_longest_name_counts() {
        let text = r#"{"remoteJwks": {"httpUri": 1}, "a": {"b": 1}, "a.b": 2}"#;
        let places = ["remote_jwks.http_uri", "remote_jwks.cache_duration", "a.b", "a.c"];
        assert_eq!(positions(text, &places), [(1, 17), (1, 2), (1, 47), (1, 32)]);
    }

    #[test]
    fn what_is_no_document_is_told_with_its_place() {
        let rows = [
            ("", 0, "there is nothing in it"),
            ("{\"a\": 1,}", 7, "trailing commas are not allowed"),
            ("{\"a\": 1,\n \"a\": 2}", 10, "`a` is there twice"),
            ("a: 1\nb: 2\na: 3\n", 10, "`a` is there twice"),
            ("a: *b\n", 3, "while parsing node, found unknown anchor"),
            ("a: !!binary x\n", 3, "the tag `!!binary` has no meaning in JSON"),
            ("1: x\n", 0, "a name must be a text; put it into quotes"),
        ];
        for (text, at, message) in rows {
            let error = read(&Passage::whole(text)).unwrap_err();
            assert_eq!(error, SyntaxError { at, message: message.to_owned() }, "{text:?}");
        }
    }

    #[test]
    fn yaml_means_what_its_core_schema_says() {
        let rows = [
            ("a: [~, null, '', \"\"]", r#"{"a":[null,null,"",""]}"#),
            ("a: [true, False, yes, 'true']", r#"{"a":[true,false,"yes","true"]}"#),
            ("a: [1, -1, +1, 0x1F, 0o17, 010]", r#"{"a":[1,-1,1,31,15,10]}"#),
            ("a: [1.5, .5, 1e3, 1., -.5]", r#"{"a":[1.5,0.5,1000.0,1.0,-0.5]}"#),
            ("a: [5s, 1_000, 2026-01-31]", r#"{"a":["5s","1_000","2026-01-31"]}"#),
            ("a: [!!str 5, !!int 5]", r#"{"a":["5",5]}"#),
            ("a: &x {b: 1}\nc: *x", r#"{"a":{"b":1},"c":{"b":1}}"#),
            ("a: |\n  x\n  y\nb: >-\n  x\n  y", r#"{"a":"x\ny\n","b":"x y"}"#),
        ];
        for (text, expected) in rows {
            let documents = read(&Passage::whole(text)).unwrap();
            assert_eq!(documents[0].to_string(), expected, "{text}");
        }
    }

    #[test]
    fn neither_depth_nor_aliases_take_more_than_they_may() {
        let deep = format!("a: {}1{}", "[".repeat(230), "]".repeat(230));
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        for i in 1..40 {
            let before = i - 1;
            laughs.push_str(&format!("a{i}: &a{i} [*a{before}, *a{before}]\n"));
        }
        for (text, expected) in [(deep, "nested too deeply"), (laughs, "too large")] {
            let error = read(&Passage::whole(&text)).unwrap_err();
            assert!(error.message.contains(expected), "{}", error.message);
        }
    }
}
