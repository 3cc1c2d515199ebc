//! Where results go: text with colours on a terminal, or one JSON document.

use std::fmt;
use std::io::{self, BufWriter, Write};

use anstream::AutoStream;
use anstream::stream::{AsLockedWrite, RawStream};
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use serde::Serialize;

use crate::error::Error;

/// What is good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is probably not meant.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
/// Names of things: places, rules.
pub(crate) const NAME: Style = Style::new().bold();

/// The form of a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// JSON for programs.
    Json,
}

/// Where the result of a command goes.
pub(crate) struct Output<'w> {
    writer: BufWriter<&'w mut dyn Write>,
    form: Form,
}

impl<'w> Output<'w> {
    /// Results of this form go to `writer`.
    pub(crate) fn new(writer: &'w mut dyn Write, form: Form) -> Self {
        Self { writer: BufWriter::new(writer), form }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Writes a result in the form that was asked for.
    pub(crate) fn result<R: Serialize + fmt::Display>(&mut self, result: &R) -> Result<(), Error> {
        match self.form {
            Form::Text => write!(self.writer, "{result}")?,
            Form::Json => {
                serde_json::to_writer_pretty(&mut self.writer, result).map_err(io::Error::from)?;
                writeln!(self.writer)?;
            }
        }
        Ok(())
    }

    /// Writes what has one form only.
    pub(crate) fn octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.writer.write_all(octets)
    }

    /// Writes what is still held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A text in a style; [`stream`] takes the style away where it is not wanted.
pub(crate) fn styled<T: fmt::Display>(style: Style, text: T) -> String {
    format!("{style}{text}{style:#}")
}

/// Standard output or error, with colours or without.
pub(crate) fn stream<S: RawStream + AsLockedWrite>(raw: S, color: ColorChoice) -> AutoStream<S> {
    let choice = match color {
        ColorChoice::Auto => AutoStream::choice(&raw),
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    AutoStream::new(raw, choice)
}

/// Tells why there is no result.
pub(crate) fn complain(error: &Error, color: ColorChoice) {
    let mut stderr = stream(io::stderr(), color);
    // There is nobody left to tell of a standard error that is closed.
    _ = writeln!(stderr, "{}: {error}", styled(BAD, "error"));
}
