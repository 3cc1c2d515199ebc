//! JSON.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{MAX_DEPTH, Member, Node, Passage, SyntaxError, Value, refuse_twice};

/// RFC 8259 and nothing beyond.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads one document.
pub(super) fn read(passage: &Passage) -> Result<Node, SyntaxError> {
    let reader = Reader { passage, characters: characters(passage.text()) };
    let parsed = parse_to_ast(passage.text(), &CollectOptions::default(), &STRICT)
        .map_err(|error| reader.error(error.range().start, &error.kind().to_string()))?;
    match parsed.value {
        Some(value) => reader.node(&value, 0),
        None => Err(passage.error(0, "there is nothing in it")),
    }
}

/// The number of the character that each octet belongs to.
fn characters(text: &str) -> Vec<usize> {
    let of = |(number, c): (usize, char)| std::iter::repeat_n(number, c.len_utf8());
    text.chars().enumerate().flat_map(of).collect()
}

struct Reader<'p> {
    passage: &'p Passage,
    characters: Vec<usize>,
}

impl Reader<'_> {
    /// The number of the character of the file that is at an octet of the text.
    fn at(&self, octet: usize) -> usize {
        let end = || self.characters.last().map_or(0, |last| last.saturating_add(1));
        self.passage.at(self.characters.get(octet).copied().unwrap_or_else(end))
    }

    fn error(&self, octet: usize, message: &str) -> SyntaxError {
        let mut chars = message.chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase());
        let message = first.into_iter().chain(chars).collect();
        SyntaxError { at: self.at(octet), message }
    }

    fn node(&self, value: &ast::Value<'_>, depth: usize) -> Result<Node, SyntaxError> {
        let start = value.start();
        if depth > MAX_DEPTH {
            return Err(self.error(start, "nested too deeply"));
        }
        let deeper = depth.saturating_add(1);
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
            ast::Value::StringLit(literal) => Value::Text(self.text(literal)),
            ast::Value::Array(array) => {
                let elements = array.elements.iter().map(|element| self.node(element, deeper));
                Value::List(elements.collect::<Result<_, _>>()?)
            }
            ast::Value::Object(object) => {
                let members = object.properties.iter().map(|property| {
                    let (at, name) = (self.at(property.start()), property.name.as_str().to_owned());
                    Ok(Member { at, name, node: self.node(&property.value, deeper)? })
                });
                let members = members.collect::<Result<Vec<_>, _>>()?;
                refuse_twice(&members)?;
                Value::Object(members)
            }
        };
        Ok(Node { at: self.at(start), value })
    }

    fn text(&self, literal: &ast::StringLit<'_>) -> Passage {
        let raw = self.passage.text().get(literal.range.start..literal.range.end);
        let start = self.characters.get(literal.range.start).copied().unwrap_or_default();
        self.passage.part(&literal.value, start, raw.unwrap_or_default())
    }
}
