//! Path templates: `/orders/{id}/items/{item}`, `/files/{path=**}`, and Envoy's URI templates.

mod parse;

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    segments: Box<[Segment]>,
    variables: Box<[Variable]>,
    literal: Box<[u8]>,
    form: Form,
}

/// Whose template it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Ours: `/files/**` is for `/files`, too.
    Own,
    /// Envoy's: `/files/**` is for what is below `/files/`.
    Envoy,
}

#[derive(Clone, Debug)]
enum Segment {
    /// This text.
    Literal(Box<[u8]>),
    /// One segment, not empty, perhaps with text around it.
    One { before: Box<[u8]>, after: Box<[u8]> },
    /// All that is left, perhaps nothing, perhaps with text around it; `inner` still belongs to
    /// the variable that it is in, `after` does not.
    Rest { before: Box<[u8]>, inner: Box<[u8]>, after: Box<[u8]> },
}

/// What some segments have in the place of their wildcards, and the text between.
#[derive(Clone, Debug)]
struct Variable {
    name: Box<str>,
    first: usize,
    last: usize,
}

/// Variables of a path, by name.
pub type Variables<'t, 'p> = Vec<(&'t str, &'p [u8])>;

impl Template {
    /// Compiles a template: segments are text, `*`, `**`, or a variable `{name}`, `{name=*}`,
    /// `{name=**}`, `{name=a/*/b}`, with text around it; after `**` only text may come. The error
    /// is a sentence for its author.
    pub fn compile(text: &str, form: Form) -> Result<Self, String> {
        let (segments, variables) = parse::parse(text)?;
        let literal = literal_of(&segments, form);
        Ok(Self { segments: segments.into(), variables: variables.into(), literal, form })
    }

    /// The text that every path which fits begins with.
    pub fn literal(&self) -> &[u8] {
        &self.literal
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| &*variable.name)
    }

    /// The variables of `path`, if it matches.
    pub fn matches<'p>(&self, path: &'p [u8], ignore_case: bool) -> Option<Variables<'_, 'p>> {
        // `case_sensitive` says nothing about templates there.
        let ignore_case = ignore_case && self.form == Form::Own;
        let mut values = Vec::with_capacity(self.segments.len());
        // Where the next segment begins; beyond the end where its slash is lacking.
        let mut at = path.starts_with(b"/").then_some(1)?;
        for segment in &self.segments {
            let left = path.get(at..);
            let end = match (segment, left) {
                (Segment::Rest { .. }, _) => path.len(),
                (_, Some(left)) => {
                    let length = left.iter().position(|b| *b == b'/').unwrap_or(left.len());
                    at.saturating_add(length)
                }
                (_, None) => return None,
            };
            let part = match left {
                Some(_) => path.get(at..end)?,
                None if self.form == Form::Own => b"",
                None => return None,
            };
            let (skipped, value) = segment.value(part, ignore_case)?;
            let start = at.saturating_add(skipped).min(path.len());
            values.push((start, start.saturating_add(value)));
            at = end.saturating_add(1);
        }
        // Something is left, be it a slash.
        if at <= path.len() {
            return None;
        }
        let value = |variable: &Variable| {
            path.get(values.get(variable.first)?.0..values.get(variable.last)?.1)
        };
        self.variables.iter().map(|variable| Some((&*variable.name, value(variable)?))).collect()
    }
}

impl Segment {
    /// Where in `part` its value begins and how long that is, if `part` fits.
    fn value(&self, part: &[u8], ignore_case: bool) -> Option<(usize, usize)> {
        match self {
            Self::Literal(text) => same(part, text, ignore_case).then_some((0, part.len())),
            Self::One { before, after } => {
                let value = strip_prefix(part, before, ignore_case)?;
                let value = strip_suffix(value, after, ignore_case)?;
                (!value.is_empty()).then_some((before.len(), value.len()))
            }
            Self::Rest { before, inner, after } => {
                let value = strip_prefix(part, before, ignore_case)?;
                let value = strip_suffix(value, after, ignore_case)?;
                strip_suffix(value, inner, ignore_case)?;
                Some((before.len(), value.len()))
            }
        }
    }
}

/// The text before the first wildcard. The slash before a rest is not part of it where the rest may
/// be nothing at all, without its slash.
fn literal_of(segments: &[Segment], form: Form) -> Box<[u8]> {
    let mut text = Vec::new();
    for segment in segments {
        let before = match segment {
            Segment::Literal(before)
            | Segment::One { before, .. }
            | Segment::Rest { before, .. } => before,
        };
        let may_lack = matches!(segment, Segment::Rest { .. }) && form == Form::Own;
        if !(may_lack && before.is_empty()) {
            text.push(b'/');
            text.extend_from_slice(before);
        }
        if !matches!(segment, Segment::Literal(_)) {
            break;
        }
    }
    text.into()
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

    fn found(template: &str, form: Form, path: &str) -> Option<String> {
        let template = Template::compile(template, form).unwrap();
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
            ("/files/{path=**}", "/file", None),
            ("/bar/*/foo", "/bar/x/foo", Some("")),
            ("/bar/*/foo", "/bar/x/y/foo", None),
            ("/bar/*/foo", "/bar//foo", None),
            ("/bar/*/foo", "/bar/a=b*c/foo", Some("")),
            ("/media/{name}.mp4", "/media/a.mp4", Some("name=a")),
            ("/media/{name}.mp4", "/media/.mp4", None),
            ("/**.m3u8", "/a/b.m3u8", Some("")),
            ("/m/**.m3u8", "/m/.m3u8", Some("")),
            ("/", "/", Some("")),
            ("/t/", "/t/", Some("")),
            ("/t/", "/t", None),
            ("/{v=a/*/b}/c", "/a/x/b/c", Some("v=a/x/b")),
            ("/{v=a/*/b}/c", "/a/x/y/b/c", None),
            ("/{v=a/*}.x/c", "/a/1.x/c", Some("v=a/1")),
            ("/x/**/tail", "/x/a/b/tail", Some("")),
            ("/x/**/tail", "/x//tail", Some("")),
            ("/x/**/tail", "/x/tail", None),
            ("/{v=a/**/b}", "/a/q/r/b", Some("v=a/q/r/b")),
            ("/{v=a/**/b}", "/a/b", None),
            ("/w/{v=a/**}", "/w/a/x/y", Some("v=a/x/y")),
            ("/q/{v=*}/{w=**}.x", "/q/1/2/3.x", Some("v=1 w=2/3")),
            ("/y/{v=lit}", "/y/lit", Some("v=lit")),
            ("/a{b}c/d", "/a1c/d", Some("b=1")),
            ("/a{b=**}", "/a1/2", Some("b=1/2")),
            ("/a*", "/ab", Some("")),
            ("/a**/b", "/ax/y/b", Some("")),
        ];
        for (template, path, expected) in cases {
            for form in [Form::Own, Form::Envoy] {
                let found = found(template, form, path);
                assert_eq!(found.as_deref(), expected, "{template} {path} {form:?}");
            }
        }
    }

    #[test]
    fn in_our_own_form_a_rest_may_lack_its_slash() {
        let found = |form| found("/files/{path=**}", form, "/files");
        assert_eq!(found(Form::Own).as_deref(), Some("path="));
        assert_eq!(found(Form::Envoy), None);
    }

    #[test]
    fn only_in_our_own_form_letters_may_have_no_case() {
        for (form, expected) in [(Form::Own, true), (Form::Envoy, false)] {
            let template = Template::compile("/bar/*", form).unwrap();
            assert_eq!(template.matches(b"/BAR/x", true).is_some(), expected, "{form:?}");
        }
    }

    #[test]
    fn every_path_that_fits_begins_with_the_literal_text() {
        let cases = [
            ("/a/{b}/c", "/a/", "/a/"),
            ("/a/**", "/a", "/a/"),
            ("/a/b**", "/a/b", "/a/b"),
            ("/{v=a/*}", "/a/", "/a/"),
            ("/a", "/a", "/a"),
        ];
        for (text, own, envoy) in cases {
            for (form, expected) in [(Form::Own, own), (Form::Envoy, envoy)] {
                let template = Template::compile(text, form).unwrap();
                assert_eq!(template.literal(), expected.as_bytes(), "{text} {form:?}");
            }
        }
    }

    #[test]
    fn a_bad_template_is_refused() {
        let texts = [
            "",
            "a",
            "/{",
            "/{a",
            "/{}",
            "/{a-b}",
            "/{a}/{a}",
            "/**/*",
            "/**/{a}",
            "/**/a/*",
            "/a}",
            "/{a}{b}",
            "/{a}-{b}",
            "/{a=}",
            "/{a=b/}",
            "/{a=/b}",
            "/{a=x*}",
            "/{a=*x}",
            "/a{b=x/*}",
            "/{a=x}y",
            "/*.{ext}",
            "/{a={b}}",
            "/{a=**x}",
        ];
        for text in texts {
            assert!(Template::compile(text, Form::Own).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_that_comes_twice_is_named() {
        let error = Template::compile("/{ab}/{ab}", Form::Own).unwrap_err();
        assert_eq!(error, "has the variable `ab` twice");
    }
}
