//! Path templates: `/orders/{id}/items/{item}`, `/files/{path=**}`, and Envoy's URI templates.

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    segments: Box<[Segment]>,
    literal: Box<[u8]>,
}

#[derive(Clone, Debug)]
enum Segment {
    /// This text.
    Literal(Box<[u8]>),
    /// One segment, not empty, perhaps with text around it.
    One { before: Box<[u8]>, name: Option<Box<str>>, after: Box<[u8]> },
    /// All that is left, perhaps nothing; ends with this text.
    Rest { name: Option<Box<str>>, after: Box<[u8]> },
}

/// Variables of a path, by name.
pub type Variables<'t, 'p> = Vec<(&'t str, &'p [u8])>;

impl Template {
    /// Compiles a template: segments are literal text, `*`, `**`, `{name}`, `{name=*}` or
    /// `{name=**}`; `**` only as the last one. The error is a sentence for its author.
    pub fn compile(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("must begin with `/`, found `{text}`"));
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let mut segments = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            let segment = Segment::compile(part)?;
            if matches!(segment, Segment::Rest { .. }) && i.saturating_add(1) != parts.len() {
                return Err(format!("`{part}` takes the rest of the path and must come last"));
            }
            segments.push(segment);
        }
        let template = Self { literal: literal_of(&segments), segments: segments.into() };
        let mut names: Vec<_> = template.variables().collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        });
        match twice {
            Some(name) => Err(format!("has the variable `{name}` twice")),
            None => Ok(template),
        }
    }

    /// The text that every path which fits begins with.
    pub fn literal(&self) -> &[u8] {
        &self.literal
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::One { name, .. } | Segment::Rest { name, .. } => name.as_deref(),
        })
    }

    /// The variables of `path`, if it matches.
    pub fn matches<'p>(&self, path: &'p [u8], ignore_case: bool) -> Option<Variables<'_, 'p>> {
        let mut variables = Variables::new();
        let mut rest = Some(path.strip_prefix(b"/")?);
        for segment in &self.segments {
            if let Segment::Rest { name, after } = segment {
                let left = rest.take().unwrap_or_default();
                let value = strip_suffix(left, after, ignore_case)?;
                variables.extend(name.as_deref().map(|name| (name, value)));
                continue;
            }
            let here = rest?;
            let end = here.iter().position(|b| *b == b'/').unwrap_or(here.len());
            let (part, left) = here.split_at_checked(end)?;
            rest = left.strip_prefix(b"/");
            match segment {
                Segment::Literal(literal) if same(part, literal, ignore_case) => {}
                Segment::One { before, name, after } => {
                    let value = strip_prefix(part, before, ignore_case)?;
                    let value = strip_suffix(value, after, ignore_case)?;
                    if value.is_empty() {
                        return None;
                    }
                    variables.extend(name.as_deref().map(|name| (name, value)));
                }
                Segment::Literal(_) | Segment::Rest { .. } => return None,
            }
        }
        rest.is_none().then_some(variables)
    }
}

impl Segment {
    fn compile(part: &str) -> Result<Self, String> {
        if let Some(after) = part.strip_prefix("**") {
            return Ok(Self::Rest { name: None, after: literal(after)? });
        }
        if let Some((before, after)) = part.split_once('*').filter(|_| !part.contains('{')) {
            return Ok(Self::One { before: literal(before)?, name: None, after: literal(after)? });
        }
        let Some((before, rest)) = part.split_once('{') else {
            return Ok(Self::Literal(literal(part)?));
        };
        let Some((inside, after)) = rest.split_once('}') else {
            return Err(format!("`{part}` has a `{{` without its `}}`"));
        };
        let (name, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || !name.bytes().all(word) {
            return Err(format!("`{part}`: a variable's name is letters, digits and `_`"));
        }
        let name = Some(name.into());
        let (before, after) = (literal(before)?, literal(after)?);
        match pattern {
            "*" => Ok(Self::One { before, name, after }),
            "**" if before.is_empty() => Ok(Self::Rest { name, after }),
            _ => Err(format!("`{part}`: a variable stands for `*` or, as a whole segment, `**`")),
        }
    }
}

/// The segments before the first variable one. The slash before a rest is not part of it: the rest
/// may be nothing at all, without its slash.
fn literal_of(segments: &[Segment]) -> Box<[u8]> {
    let mut text = Vec::new();
    for segment in segments {
        match segment {
            Segment::Literal(literal) => {
                text.push(b'/');
                text.extend_from_slice(literal);
            }
            Segment::One { before, .. } => {
                text.push(b'/');
                text.extend_from_slice(before);
                break;
            }
            Segment::Rest { .. } => break,
        }
    }
    text.into()
}

fn literal(text: &str) -> Result<Box<[u8]>, String> {
    match text.chars().find(|c| matches!(c, '*' | '{' | '}')) {
        Some(c) => Err(format!("`{c}` is not expected in `{text}`")),
        None => Ok(text.as_bytes().into()),
    }
}

/// Whether two texts are the same.
pub fn same(a: &[u8], b: &[u8], ignore_case: bool) -> bool {
    if ignore_case { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// What follows `prefix` in `text`.
pub fn strip_prefix<'t>(text: &'t [u8], prefix: &[u8], ignore_case: bool) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    same(head, prefix, ignore_case).then_some(rest)
}

fn strip_suffix<'t>(text: &'t [u8], suffix: &[u8], ignore_case: bool) -> Option<&'t [u8]> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    same(tail, suffix, ignore_case).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str, path: &str) -> Option<String> {
        let template = Template::compile(template).unwrap();
        let variables = template.matches(path.as_bytes(), false)?;
        let shown = variables.iter().map(|(k, v)| format!("{k}={}", String::from_utf8_lossy(v)));
        Some(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn variables_are_found() {
        let cases = [
            ("/orders/{id}", "/orders/7", Some("id=7")),
            ("/orders/{id}", "/orders/", None),
            ("/orders/{id}", "/orders/7/", None),
            ("/orders/{id}", "/orders/7/x", None),
            ("/orders/{id}/items/{item}", "/orders/7/items/8", Some("id=7 item=8")),
            ("/files/{path=**}", "/files/a/b/c", Some("path=a/b/c")),
            ("/files/{path=**}", "/files/", Some("path=")),
            ("/files/{path=**}", "/files", Some("path=")),
            ("/files/{path=**}", "/file", None),
            ("/bar/*/foo", "/bar/x/foo", Some("")),
            ("/bar/*/foo", "/bar/x/y/foo", None),
            ("/media/{name}.mp4", "/media/a.mp4", Some("name=a")),
            ("/media/{name}.mp4", "/media/.mp4", None),
            ("/**.m3u8", "/a/b.m3u8", Some("")),
            ("/", "/", Some("")),
        ];
        for (template, path, expected) in cases {
            assert_eq!(found(template, path).as_deref(), expected, "{template} {path}");
        }
    }

    #[test]
    fn a_bad_template_is_refused() {
        for text in
            ["", "a", "/{", "/{a", "/{}", "/{a-b}", "/{a}/{a}", "/**/a", "/{a=b}", "/a}", "/{a}{b}"]
        {
            assert!(Template::compile(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_that_comes_twice_is_named() {
        assert_eq!(Template::compile("/{ab}/{ab}").unwrap_err(), "has the variable `ab` twice");
    }
}
