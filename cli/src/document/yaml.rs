//! YAML 1.2 with its core schema; what JSON cannot say is refused.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{MAX_DEPTH, Member, Node, Passage, SyntaxError, Value, refuse_twice};

/// Parts that a text may have when its aliases are followed.
const MAX_NODES: usize = 1_000_000;

/// Reads every document.
pub(super) fn read(passage: &Passage) -> Result<Vec<Node>, SyntaxError> {
    let raw = passage.text().chars().collect();
    let mut builder = Builder { passage, raw, ..Builder::new(passage) };
    let mut parser = Parser::new_from_str(passage.text());
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| builder.failed(&error))?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

/// A list or an object that is not closed yet.
struct Open {
    at: usize,
    anchor: usize,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    /// The members, and the name of the one whose value comes next.
    Object(Vec<Member>, Option<(usize, String)>),
}

struct Builder<'p> {
    passage: &'p Passage,
    raw: Vec<char>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    documents: Vec<Node>,
}

impl<'p> Builder<'p> {
    fn new(passage: &'p Passage) -> Self {
        Self {
            passage,
            raw: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            documents: Vec::new(),
        }
    }

    fn failed(&self, error: &ScanError) -> SyntaxError {
        self.passage.error(error.marker().index(), error.info())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let start = span.start.index();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), span)?;
                self.close(Node { at: self.passage.at(start), value }, anchor, 1)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let node = Node { at: self.passage.at(start), value: node.value.clone() };
                    let size = *size;
                    self.close(node, 0, size)
                }
                None => Err(self.passage.error(start, "an alias of what it stands in itself")),
            },
            Event::SequenceStart(anchor, tag) => {
                self.opened(start, anchor, tag.as_deref(), Parts::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.opened(start, anchor, tag.as_deref(), Parts::Object(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.closed(),
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {
                Ok(())
            }
        }
    }

    fn opened(
        &mut self,
        start: usize,
        anchor: usize,
        tag: Option<&Tag>,
        parts: Parts,
    ) -> Result<(), SyntaxError> {
        let own = if matches!(parts, Parts::List(_)) { "seq" } else { "map" };
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == own)) {
            return Err(self.tag(start, tag));
        }
        if self.open.len() > MAX_DEPTH {
            return Err(self.passage.error(start, "nested too deeply"));
        }
        self.open.push(Open { at: self.passage.at(start), anchor, parts });
        Ok(())
    }

    fn closed(&mut self) -> Result<(), SyntaxError> {
        let Some(Open { at, anchor, parts }) = self.open.pop() else { return Ok(()) };
        let value = match parts {
            Parts::List(elements) => Value::List(elements),
            Parts::Object(members, _) => {
                refuse_twice(&members)?;
                Value::Object(members)
            }
        };
        self.close(Node { at, value }, anchor, 1)
    }

    /// A node is complete, of which `size` parts have not been counted.
    fn close(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), SyntaxError> {
        self.nodes = self.nodes.saturating_add(size);
        if self.nodes > MAX_NODES {
            let message = "too large when its aliases are followed";
            return Err(SyntaxError { at: node.at, message: message.to_owned() });
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), count(&node)));
        }
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.documents.push(node),
            Some(Parts::List(elements)) => elements.push(node),
            Some(Parts::Object(members, name)) => match name.take() {
                Some((at, name)) => members.push(Member { at, name, node }),
                None => *name = Some(as_name(node)?),
            },
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Value, SyntaxError> {
        let (start, end) = (span.start.index(), span.end.index());
        let own = || {
            let raw: String = self.raw.get(start..end).unwrap_or_default().iter().collect();
            Value::Text(self.passage.part(text, start, &raw))
        };
        match tag {
            Some(tag) if tag.is_yaml_core_schema() => match (&*tag.suffix, plain(text)) {
                ("str", _) => Ok(own()),
                ("null", Some(value @ Value::Null))
                | ("bool", Some(value @ Value::Bool(_)))
                | ("int" | "float", Some(value @ Value::Number(_))) => Ok(value),
                _ => Err(self.tag(start, tag)),
            },
            Some(tag) => Err(self.tag(start, tag)),
            None if style == ScalarStyle::Plain => Ok(plain(text).unwrap_or_else(own)),
            None => Ok(own()),
        }
    }

    fn tag(&self, start: usize, tag: &Tag) -> SyntaxError {
        let handle = if tag.is_yaml_core_schema() { "!!" } else { &tag.handle };
        let message = format!("the tag `{handle}{}` has no meaning in JSON", tag.suffix);
        self.passage.error(start, &message)
    }
}

fn count(node: &Node) -> usize {
    let below: usize = match &node.value {
        Value::List(elements) => elements.iter().map(count).sum(),
        Value::Object(members) => members.iter().map(|member| count(&member.node)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    };
    below.saturating_add(1)
}

fn as_name(node: Node) -> Result<(usize, String), SyntaxError> {
    match node.value {
        Value::Text(passage) => Ok((node.at, passage.text().to_owned())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            let message = "a name must be a text; put it into quotes".to_owned();
            Err(SyntaxError { at: node.at, message })
        }
    }
}

/// A plain scalar that is no text (YAML 1.2.2, section 10.3.2).
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => number(text).map(Value::Number),
    }
}

fn number(text: &str) -> Option<String> {
    let based = |digits: &str, radix| u64::from_str_radix(digits, radix).ok();
    let is_plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_alphanumeric());
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| is_plain(digits)) {
            return based(digits, radix).map(|n| n.to_string());
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i128>().ok().map(|n| n.to_string());
    }
    let float = text.parse::<f64>().ok().filter(|x| x.is_finite())?;
    serde_json::to_string(&float).ok()
}
