//! Placeholders: `${…}` in the texts of a scenario.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use crate::keyring::{KeyError, Keyring, pem};
use crate::token::{self, MintError};
use crate::words::{self, Word, WordsError};

/// Expands the texts of one scenario, in their order: what one names, a later one can name again.
#[derive(Debug)]
pub struct Expansion<'k> {
    keyring: &'k Keyring,
    idp: String,
    now: u64,
    token: String,
    memory: BTreeMap<String, String>,
}

/// Why a text cannot be expanded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExpandError {
    /// A `${` without its `}`.
    #[error("`${{` without its `}}`")]
    Open,
    /// A placeholder that does not exist.
    #[error("there is no placeholder `${{{0}}}`")]
    Unknown(String),
    /// A placeholder whose words do not fit it.
    #[error("`${{{placeholder} …}}`: {reason}")]
    Shape {
        /// Which one.
        placeholder: &'static str,
        /// How it must look.
        reason: &'static str,
    },
    /// Words that cannot be read.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A key that cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A token that cannot be made.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// `again` for a name that nothing had before.
    #[error("nothing was named `{0}` before")]
    Nameless(String),
    /// A name that is given twice.
    #[error("something was named `{0}` already")]
    Named(String),
    /// Bytes that are not UTF-8 where a text is needed.
    #[error("not UTF-8, which only header values and request targets may be")]
    NotText,
}

/// Expands one text that stands by itself, at the time `now_secs` (Unix seconds).
pub fn expand(
    text: &str,
    keyring: &Keyring,
    idp: &str,
    now_secs: u64,
) -> Result<String, ExpandError> {
    let mut expansion = Expansion::new(keyring, idp);
    expansion.set_now(now_secs);
    expansion.text(text)
}

impl<'k> Expansion<'k> {
    /// An expansion that remembers nothing yet; `idp` is the URI of the JWKS endpoint.
    #[must_use]
    pub fn new(keyring: &'k Keyring, idp: &str) -> Self {
        let (idp, token, memory) = (idp.to_owned(), String::new(), BTreeMap::new());
        Self { keyring, idp, now: 0, token, memory }
    }

    /// The same with words that every token has which does not say otherwise.
    #[must_use]
    pub fn with_token(self, words: &str) -> Self {
        Self { token: words.to_owned(), ..self }
    }

    /// The time, in Unix seconds, that tokens count from.
    pub const fn set_now(&mut self, now_secs: u64) {
        self.now = now_secs;
    }

    /// The text with its placeholders replaced.
    pub fn text(&mut self, text: &str) -> Result<String, ExpandError> {
        String::from_utf8(self.bytes(text)?).map_err(|_| ExpandError::NotText)
    }

    /// The same, where it need not be UTF-8 in the end.
    pub fn bytes(&mut self, text: &str) -> Result<Vec<u8>, ExpandError> {
        self.replace(text, |value| value)
    }

    /// The same for JSON text: what a placeholder becomes is escaped as the inside of a string.
    pub fn json(&mut self, text: &str) -> Result<String, ExpandError> {
        let expanded = self.replace(text, |value| match String::from_utf8(value) {
            Ok(value) => {
                let quoted = serde_json::Value::from(value).to_string();
                let inside = quoted.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
                inside.unwrap_or_default().as_bytes().to_vec()
            }
            Err(error) => error.into_bytes(),
        })?;
        String::from_utf8(expanded).map_err(|_| ExpandError::NotText)
    }

    fn replace(
        &mut self,
        text: &str,
        escape: impl Fn(Vec<u8>) -> Vec<u8>,
    ) -> Result<Vec<u8>, ExpandError> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let end = words::placeholder_end(after).ok_or(ExpandError::Open)?;
            let (placeholder, after) = after.split_at_checked(end).ok_or(ExpandError::Open)?;
            out.extend_from_slice(before.as_bytes());
            out.extend(escape(self.placeholder(placeholder)?));
            rest = after.strip_prefix('}').unwrap_or(after);
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(out)
    }

    fn placeholder(&mut self, placeholder: &str) -> Result<Vec<u8>, ExpandError> {
        let (command, rest) = placeholder.split_once(' ').unwrap_or((placeholder, ""));
        match command {
            "idp" if rest.is_empty() => Ok(self.idp.clone().into_bytes()),
            "issuer" if rest.is_empty() => Ok(self.issuer().as_bytes().to_vec()),
            "moved" if rest.is_empty() => Ok(format!("{}/moved.json", self.issuer()).into_bytes()),
            "elsewhere" if rest.is_empty() => {
                let path = self.issuer().splitn(4, '/').nth(3).map(|path| format!("/{path}"));
                let path = path.unwrap_or_default();
                Ok(format!("https://keys.example{path}/moved.json").into_bytes())
            }
            "jwks" => self.jwks(rest),
            "jwk" => self.jwk(rest),
            "pem" => Ok(self.keyring.pem(rest)?.into_bytes()),
            "cert" => self.certificate(rest).map(String::into_bytes),
            "token" => self.token(rest).map(String::into_bytes),
            "again" => self.again(rest).map(String::into_bytes),
            "segment" => self.segment(rest),
            "now" => self.moment(rest),
            "hex" => hex(rest),
            "json" => {
                let text = String::from_utf8(self.placeholder(rest)?);
                let text = text.map_err(|_| ExpandError::NotText)?;
                Ok(serde_json::Value::from(text).to_string().into_bytes())
            }
            "base64" => Ok(BASE64_STANDARD.encode(self.placeholder(rest)?).into_bytes()),
            _ => Err(ExpandError::Unknown(command.to_owned())),
        }
    }

    /// The URL that discovery begins at.
    fn issuer(&self) -> &str {
        self.idp.strip_suffix("/jwks.json").unwrap_or(&self.idp)
    }

    fn jwks(&self, rest: &str) -> Result<Vec<u8>, ExpandError> {
        let names: Vec<&str> = rest.split_whitespace().collect();
        Ok(self.keyring.jwks(&names)?.into_bytes())
    }

    fn jwk(&mut self, rest: &str) -> Result<Vec<u8>, ExpandError> {
        let words = self.words(rest)?;
        let Some((Word::Bare(name), members)) = words.split_first() else {
            let reason = "the name of a key comes first";
            return Err(ExpandError::Shape { placeholder: "jwk", reason });
        };
        let mut overrides: Vec<(&str, &str)> = Vec::new();
        for word in members {
            let Word::Named(member, value) = word else {
                let reason = "one key, then `name=value`";
                return Err(ExpandError::Shape { placeholder: "jwk", reason });
            };
            if overrides.iter().any(|(name, _)| name == member) {
                return Err(WordsError::Twice(member.clone()).into());
            }
            overrides.push((member, value));
        }
        Ok(self.keyring.jwk(name, &overrides)?.to_string().into_bytes())
    }

    fn certificate(&self, rest: &str) -> Result<String, ExpandError> {
        let reason = "the name of a key, `expired` or not, and `x5c`, `x5t`, `x5t#S256` or nothing";
        let shape = || ExpandError::Shape { placeholder: "cert", reason };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (name, form) = words.split_first().ok_or_else(shape)?;
        let (expired, form) = match form {
            ["expired", form @ ..] => (true, form),
            form => (false, form),
        };
        let der = self.keyring.certificate(name, expired)?;
        let thumbprint =
            |algorithm| Ok(BASE64_URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &der)));
        match form {
            [] => Ok(pem("CERTIFICATE", &der)),
            ["x5c"] => Ok(BASE64_STANDARD.encode(&der)),
            ["x5t"] => thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            ["x5t#S256"] => thumbprint(&digest::SHA256),
            _ => Err(shape()),
        }
    }

    fn token(&mut self, rest: &str) -> Result<String, ExpandError> {
        let mut words = self.words(rest)?;
        let is_name = |word: &Word| matches!(word, Word::Named(name, _) if name == "as");
        let name = words.iter().position(is_name).map(|at| words.remove(at));
        let general = self.words(&self.token.clone())?;
        words::complete(&mut words, general);
        let token = token::mint(self.keyring, self.now, &words)?;
        if let Some(Word::Named(_, name)) = name
            && self.memory.insert(name.clone(), token.clone()).is_some()
        {
            return Err(ExpandError::Named(name));
        }
        Ok(token)
    }

    fn again(&self, rest: &str) -> Result<String, ExpandError> {
        let name = rest.trim();
        self.memory.get(name).cloned().ok_or_else(|| ExpandError::Nameless(name.to_owned()))
    }

    fn segment(&mut self, rest: &str) -> Result<Vec<u8>, ExpandError> {
        let reason = "`0`, `1` or `2`, then `again name` or `token …`";
        let shape = || ExpandError::Shape { placeholder: "segment", reason };
        let (index, rest) = rest.split_once(' ').ok_or_else(shape)?;
        let index: usize = index.parse().map_err(|_| shape())?;
        let token = match rest.split_once(' ').unwrap_or((rest, "")) {
            ("again", name) => self.again(name)?,
            ("token", words) => self.token(words)?,
            _ => return Err(shape()),
        };
        token.split('.').nth(index).map(|part| part.as_bytes().to_vec()).ok_or_else(shape)
    }

    fn moment(&self, rest: &str) -> Result<Vec<u8>, ExpandError> {
        let reason = "nothing, `+600` or `-5`";
        let shape = || ExpandError::Shape { placeholder: "now", reason };
        let seconds = match rest.trim() {
            "" => 0,
            signed if signed.starts_with(['+', '-']) => signed.parse().map_err(|_| shape())?,
            _ => return Err(shape()),
        };
        Ok(self.now.saturating_add_signed(seconds).to_string().into_bytes())
    }

    /// Words, and what is a placeholder in their values.
    fn words(&mut self, rest: &str) -> Result<Vec<Word>, ExpandError> {
        let mut words = words::words(rest)?;
        for word in &mut words {
            if let Word::Named(_, value) = word
                && value.contains("${")
            {
                *value = self.text(value)?;
            }
        }
        Ok(words)
    }
}

fn hex(digits: &str) -> Result<Vec<u8>, ExpandError> {
    let reason = "pairs of hexadecimal digits";
    let shape = || ExpandError::Shape { placeholder: "hex", reason };
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return Err(shape());
    }
    let pair = |pair: &[u8]| {
        let pair = str::from_utf8(pair).ok().filter(|p| !p.starts_with('+'))?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.as_bytes().chunks(2).map(pair).collect::<Option<_>>().ok_or_else(shape)
}

#[cfg(test)]
mod tests;
