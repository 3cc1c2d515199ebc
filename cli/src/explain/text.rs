//! An explanation for people.

use std::fmt;

use serde_json::Value;

use super::{Explained, Outcome, Step};
use crate::output::{BAD, DOUBTFUL, GOOD, NAME, styled};

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_verdict(f)?;
        for assumed in &self.assumed {
            writeln!(f, "{} {assumed}", styled(DOUBTFUL, "assumed:"))?;
        }
        writeln!(f)?;
        for part in &self.tree.parts {
            part.write(f, 0)?;
        }
        self.write_end(f)
    }
}

impl Explained {
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decision {
            Outcome::Allow => f.write_str(&styled(GOOD, "allow"))?,
            Outcome::Deny => f.write_str(&styled(BAD, "deny"))?,
        }
        if let Some(status) = self.status {
            write!(f, " with {status}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, " (rule {}, {})", styled(NAME, &rule.name), rule.place)?;
        }
        writeln!(f)
    }

    fn write_end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(upstream) = &self.upstream {
            writeln!(f, "\nthe upstream gets the request")?;
            upstream.removed.iter().try_for_each(|name| writeln!(f, "  without {name}"))?;
            for (name, value) in &upstream.added {
                writeln!(f, "  with    {name}: {value}")?;
            }
            if let Some(path) = &upstream.path {
                writeln!(f, "  with    the path {path}")?;
            }
        }
        if let Some(answer) = &self.answer {
            writeln!(f, "\nthe caller gets")?;
            for (name, value) in &answer.headers {
                writeln!(f, "  {name}: {value}")?;
            }
            if !answer.body.is_empty() {
                writeln!(f, "  {}", answer.body)?;
            }
        }
        Ok(())
    }
}

impl Step {
    /// The step and its parts, each level two columns further to the right. Of a rule that is not for the request
    /// the first part that is false says enough.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let width = depth.saturating_mul(2);
        let mark = match &self.state {
            Value::Bool(true) => styled(GOOD, "✔"),
            Value::Bool(false) => styled(BAD, "✘"),
            Value::String(_) => styled(DOUBTFUL, "?"),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => "·".to_owned(),
        };
        write!(f, "{:width$}{mark} {}", "", self.what)?;
        let passed_over =
            self.what.ends_with("is for the request") && self.state == Value::Bool(false);
        let lacking = self.parts.iter().find(|part| part.state == Value::Bool(false));
        if let (true, Some(part)) = (passed_over, lacking) {
            write!(f, ": {}", part.what)?;
            part.write_values(f)?;
            return writeln!(f);
        }
        self.write_values(f)?;
        writeln!(f)?;
        self.parts.iter().try_for_each(|part| part.write(f, depth.saturating_add(1)))
    }

    fn write_values(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}; found {found}"),
            (Some(expected), None) => write!(f, ": expected {expected}"),
            (None, Some(found)) => write!(f, ": {found}"),
            (None, None) => Ok(()),
        }
    }
}
