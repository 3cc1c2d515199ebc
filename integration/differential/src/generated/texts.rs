//! Texts with placeholders; the same text is always the same token.

use jwt_gate_envoy::Request;
use jwt_gate_scenario::{Expansion, Keyring};

use super::ask::Sent;

/// The first letter of every token, percent-encoded; before a placeholder it stands for that letter.
pub(super) const ESCAPED: &str = "%65";

/// What the placeholders of requests stand for.
pub(super) struct Texts<'k> {
    expansion: Expansion<'k>,
    minted: Vec<(String, String)>,
    now: u64,
}

impl<'k> Texts<'k> {
    /// Tokens of this time, in Unix seconds.
    pub(super) fn new(keyring: &'k Keyring, now: u64) -> Self {
        let mut expansion = Expansion::new(keyring, "");
        expansion.set_now(now);
        Self { expansion, minted: Vec::new(), now }
    }

    /// The time that its tokens are of.
    pub(super) const fn now(&self) -> u64 {
        self.now
    }

    /// The text, each byte one character.
    pub(super) fn bytes(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${token ") {
            let end = end(after).ok_or("an open placeholder")?;
            let (words, after) = after.split_at_checked(end).ok_or("an open placeholder")?;
            out.push_str(before);
            let token = self.token(&format!("${{token {words}}}"))?;
            let is_escaped = out.ends_with(ESCAPED);
            out.push_str(token.strip_prefix('e').filter(|_| is_escaped).unwrap_or(&token));
            rest = after.strip_prefix('}').unwrap_or(after);
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The request as it is sent.
    pub(super) fn request(&mut self, sent: &Sent) -> Result<Request, String> {
        let target = self.bytes(&sent.target)?;
        let mut request = Request::new(&sent.method, target).header("host", "api.example");
        for line in &sent.lines {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            request = request.header(name, self.bytes(value)?);
        }
        Ok(request)
    }

    fn token(&mut self, placeholder: &str) -> Result<String, String> {
        if let Some((_, token)) = self.minted.iter().find(|(text, _)| text == placeholder) {
            return Ok(token.clone());
        }
        let minted = self.expansion.text(placeholder);
        let token = minted.map_err(|error| format!("{placeholder}: {error}"))?;
        self.minted.push((placeholder.to_owned(), token.clone()));
        Ok(token)
    }
}

/// Where the placeholder ends: at the first brace that is not in quotes.
fn end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, char)| {
        quoted ^= char == '\'';
        (char == '}' && !quoted).then_some(at)
    })
}
