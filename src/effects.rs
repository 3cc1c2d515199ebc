//! What the host must do to the request: a value, applied in one place.

mod export;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use export::Export;

use crate::credential::{Location, without_cookies, without_parameters};
use crate::gate::{Accepted, Permit, Refusal};
use crate::json::{Number, Value, decimal};
use crate::policy::Policy;
use crate::policy::provider::Provider;
use crate::rejection::{Challenge, Rejection};
use crate::request::{HeaderName, Pseudo, RequestView};

/// One change to the request headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderOp {
    /// Remove every line of that name.
    Remove(HeaderName),
    /// Add a line.
    Add(HeaderName, Vec<u8>),
    /// Replace `:path`.
    SetPath(Vec<u8>),
}

/// An answer in place of the upstream's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
    /// Why, in one word, for the proxy's own logs.
    pub details: &'static str,
    /// What the proxy's logs can read beside.
    pub exports: Vec<Export>,
    /// The audit line.
    pub line: Option<String>,
}

/// What is done to a request that goes on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Forward {
    /// Changes of the headers, in this order.
    pub headers: Vec<HeaderOp>,
    /// What later filters can read.
    pub exports: Vec<Export>,
    /// Whether the proxy is to choose the route again, by the headers as they are then.
    pub reroute: bool,
    /// The audit line.
    pub line: Option<String>,
}

/// Everything the host has to do about one decided request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Effects {
    /// Change the request and forward it.
    Forward(Forward),
    /// Answer it here.
    Reply(Reply),
}

/// How much of the request's path, and of its host, goes into a challenge, in bytes.
const MAX_REALM: usize = 256;

impl Effects {
    /// Lets a request through: strips what only the gate may write, whoever sent it and whether or
    /// not there was a token; takes the used tokens out; then tells what the tokens say.
    pub(crate) fn permit(policy: &Policy, view: &dyn RequestView, permit: &Permit<'_>) -> Self {
        let mut ops = Vec::new();
        strip(&policy.owned, view, &mut ops);
        take_out(permit.accepted(), view, &mut ops);
        let mut told = Vec::<(HeaderName, Vec<u8>)>::new();
        let mut reroute = false;
        for accepted in permit.accepted() {
            let claims = tell_claims(accepted);
            let provider = accepted.provider;
            let is_told = !claims.is_empty() || provider.exports.payload.is_some();
            reroute |= provider.clear_route_cache && is_told;
            let mine: Vec<_> = tell_payload(accepted).into_iter().chain(claims).collect();
            // Two providers that write one header would leave the upstream to choose.
            told.retain(|(name, _)| mine.iter().all(|(other, _)| other != name));
            told.extend(mine);
        }
        let findings = permit.findings();
        for name in &findings.unverified {
            told.retain(|(other, _)| other != *name);
            told.push(((*name).clone(), b"false".to_vec()));
        }
        ops.extend(told.into_iter().map(|(name, value)| HeaderOp::Add(name, value)));
        let exports = export::exports(policy, &findings.failures, permit.accepted());
        Self::Forward(Forward { headers: ops, exports, reroute, line: None })
    }

    /// Refuses a request.
    pub(crate) fn refuse(policy: &Policy, view: &dyn RequestView, refusal: &Refusal<'_>) -> Self {
        let why = &refusal.why;
        let answer = why.answer();
        let mut headers = Vec::new();
        let mut body = String::new();
        if !policy.strip_failure_response {
            body = why.body();
            headers.push(("content-type", "text/plain".to_owned()));
            let challenger = policy.challenger(refusal.rule);
            headers.extend(
                challenge(answer.challenge, why, challenger, view).map(|c| ("www-authenticate", c)),
            );
        }
        if matches!(why, Rejection::KeysUnavailable | Rejection::RevocationsUnavailable) {
            headers.push(("retry-after", "1".to_owned()));
        }
        let exports = export::exports(policy, &refusal.findings.failures, &[]);
        let (status, details) = (answer.status, answer.label);
        Self::Reply(Reply { status, headers, body, details, exports, line: None })
    }

    /// The line that goes to the proxy's log when all this is done.
    pub fn line(&self) -> Option<&str> {
        match self {
            Self::Forward(Forward { line, .. }) | Self::Reply(Reply { line, .. }) => {
                line.as_deref()
            }
        }
    }

    /// The answer of a gate whose configuration has faults.
    pub fn misconfigured() -> Self {
        Self::Reply(Self::plain(&Rejection::Misconfigured))
    }

    /// The answer to a refusal that no policy has a say in.
    pub fn plain(why: &Rejection) -> Reply {
        let headers = vec![("content-type", "text/plain".to_owned())];
        let answer = why.answer();
        let (status, details, exports) = (answer.status, answer.label, Vec::new());
        Reply { status, headers, body: why.body(), details, exports, line: None }
    }
}

/// Removes owned headers in every spelling that a server may take for the same: `X_User` is
/// `x-user` to whoever makes variables of names.
fn strip(owned: &[HeaderName], view: &dyn RequestView, ops: &mut Vec<HeaderOp>) {
    if owned.is_empty() {
        return;
    }
    view.each_name(&mut |name| {
        let Some(name) = str::from_utf8(name).ok() else { return };
        let is_owned = |owned: &HeaderName| is_same_variable(owned.as_str(), name);
        if owned.iter().any(is_owned) {
            let op = HeaderName::parse(name).map(HeaderOp::Remove);
            if op.as_ref().is_some_and(|op| !ops.contains(op)) {
                ops.extend(op);
            }
        }
    });
}

/// Whether two header names are one to servers that make variables of names: some of them turn
/// whatever is no letter and no digit into `_`.
pub(crate) fn is_same_variable(a: &str, b: &str) -> bool {
    let fold = |b: u8| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// Takes the tokens out of the request whose providers do not forward them.
fn take_out(accepted: &[Accepted<'_>], view: &dyn RequestView, ops: &mut Vec<HeaderOp>) {
    let mut parameters = Vec::new();
    let mut cookies = Vec::new();
    for accepted in accepted.iter().filter(|accepted| !accepted.provider.forward) {
        match accepted.location {
            Location::Header(name, _) => {
                let op = HeaderOp::Remove(name.clone());
                if !ops.contains(&op) {
                    ops.push(op);
                }
            }
            Location::Parameter(name) => parameters.push(&**name),
            Location::Cookie(name) => cookies.push(&**name),
        }
    }
    if !parameters.is_empty() {
        let target = view.pseudo(Pseudo::Path).unwrap_or_default();
        ops.extend(without_parameters(&target, &parameters).map(HeaderOp::SetPath));
    }
    if !cookies.is_empty() {
        ops.push(HeaderOp::Remove(HeaderName::COOKIE));
        for line in view.lines(&HeaderName::COOKIE).as_slice() {
            let left = without_cookies(line, &cookies).unwrap_or_else(|| line.to_vec());
            if !left.is_empty() {
                ops.push(HeaderOp::Add(HeaderName::COOKIE, left));
            }
        }
    }
}

/// What surrounds a header's value without belonging to it.
const BLANKS: [char; 2] = [' ', '\t'];

/// The payload of a token, for the upstream.
fn tell_payload(accepted: &Accepted<'_>) -> Option<(HeaderName, Vec<u8>)> {
    let header = accepted.provider.payload_header.as_ref()?;
    let mut payload = accepted.token.payload().to_owned();
    while header.padded && !payload.len().is_multiple_of(4) {
        payload.push('=');
    }
    Some((header.name.clone(), payload.into_bytes()))
}

/// The claims of a token that the upstream is told.
fn tell_claims(accepted: &Accepted<'_>) -> Vec<(HeaderName, Vec<u8>)> {
    let claims = accepted.token.claims();
    let told = accepted.provider.claim_headers.iter();
    let told = told.map(|(name, path)| Some((name.clone(), header_value(claims.at(path)?)?)));
    told.flatten().collect()
}

/// A claim as a header value, in the native filter's encodings; integers exactly. `None` for what
/// has none: null, the empty string, and text that no header may carry (RFC 9110, section 5.5).
/// Blanks at an end are such text: whoever reads the header drops them, and another name is left.
fn header_value(claim: &Value) -> Option<Vec<u8>> {
    let text = match claim {
        Value::Null => return None,
        Value::String(text) => text.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Number(number) => match number {
            Number::Unsigned(n) => n.to_string(),
            Number::Negative(n) => format!("{n}.000000"),
            // The native filter's integers end where 64 bits do.
            Number::Float(x) => match decimal::magnitude(*x).filter(|_| *x >= 0.0) {
                Some(n) => n.to_string(),
                None => decimal::fixed(*x),
            },
        },
        Value::Array(_) | Value::Object(_) => STANDARD.encode(claim.to_string()),
    };
    let legal = |b: u8| !b.is_ascii_control() || b == b'\t';
    let is_whole = !text.is_empty() && !text.starts_with(BLANKS) && !text.ends_with(BLANKS);
    (is_whole && text.bytes().all(legal)).then(|| text.into_bytes())
}

/// `WWW-Authenticate` (RFC 6750, section 3).
fn challenge(
    kind: Challenge,
    why: &Rejection,
    provider: Option<&Provider>,
    view: &dyn RequestView,
) -> Option<String> {
    let error = match kind {
        Challenge::None => return None,
        Challenge::Bare => None,
        Challenge::Error(error) => Some(error),
    };
    let realm = provider.and_then(|p| p.realm.as_deref().map(str::to_owned));
    let mut text = format!("Bearer realm=\"{}\"", quoted(&realm.unwrap_or_else(|| url(view))));
    let mut add = |name: &str, value: &str| {
        text.push_str(&format!(", {name}=\"{}\"", quoted(value)));
    };
    if let Some(error) = error {
        add("error", error);
    }
    if let Rejection::Scope(scope) = why {
        add("scope", scope);
    }
    if let Rejection::StepUp { acr_values, max_age } = why {
        if !acr_values.is_empty() {
            add("acr_values", acr_values);
        }
        if let Some(seconds) = max_age {
            add("max_age", &seconds.to_string());
        }
    }
    if let Some(metadata) = provider.and_then(|p| p.resource_metadata.as_deref()) {
        add("resource_metadata", metadata);
    }
    Some(text)
}

/// The request's URL without its query, which may hold a token.
fn url(view: &dyn RequestView) -> String {
    let text = |name| view.pseudo(name).map(|v| String::from_utf8_lossy(&v).into_owned());
    let scheme = text(Pseudo::Scheme).unwrap_or_else(|| "http".to_owned());
    let path = text(Pseudo::Path).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let authority = text(Pseudo::Authority).unwrap_or_default();
    let short = |text: &str| text.get(..text.floor_char_boundary(MAX_REALM)).map(str::to_owned);
    let [scheme, authority, path] =
        [&*scheme, &authority, path].map(|t| short(t).unwrap_or_default());
    format!("{scheme}://{authority}{path}")
}

/// The inside of a quoted string (RFC 9110, section 5.6.4); what may not stand there is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c == ' ' || c.is_ascii_graphic()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_encoded_as_the_native_filter_does() {
        let cases = [
            (r#""a b é""#, Some("a b é")),
            ("true", Some("true")),
            ("42", Some("42")),
            ("9007199254740993", Some("9007199254740993")),
            ("1.0", Some("1")),
            ("3.0e3", Some("3000")),
            ("1e19", Some("10000000000000000000")),
            ("1e20", Some("100000000000000000000.000000")),
            ("-0.0", Some("0")),
            ("-5", Some("-5.000000")),
            ("1.5", Some("1.500000")),
            ("1e-7", Some("0.000000")),
            ("[1,\"a\"]", Some("WzEsImEiXQ==")),
            ("null", None),
            (r#""""#, None),
            (r#""a\r\nb""#, None),
            (r#"" a""#, None),
            (r#""a ""#, None),
            (r#""\ta""#, None),
            (r#""a\u0000""#, None),
            (r#""a\u007f""#, None),
        ];
        for (json, expected) in cases {
            let value = crate::json::parse(json.as_bytes(), 8).unwrap();
            assert_eq!(header_value(&value).as_deref(), expected.map(str::as_bytes), "{json}");
        }
    }

    #[test]
    fn owned_headers_are_stripped_in_every_spelling() {
        let owned = [HeaderName::parse("x-user-id").unwrap()];
        let request: &[_] = &[
            ("X-User-Id", "a"),
            ("x_user_id", "b"),
            ("x-user_id", "c"),
            ("x.user.id", "d"),
            ("x-user-id", "e"),
            ("x!user~id", "f"),
            ("x-user", "g"),
        ];
        let mut ops = Vec::new();
        strip(&owned, &request, &mut ops);
        let removed = ["x-user-id", "x_user_id", "x-user_id", "x.user.id", "x!user~id"];
        assert_eq!(ops, removed.map(|name| HeaderOp::Remove(HeaderName::parse(name).unwrap())));
    }

    #[test]
    fn a_challenge_cannot_be_broken_out_of() {
        assert_eq!(quoted("a\"b\\c\r\n\u{e9}d"), "a\\\"b\\\\cd");
        let request: &[_] =
            &[(":scheme", "https"), (":authority", "h"), (":path", "/a?access_token=secret")];
        assert_eq!(url(&request), "https://h/a");
        let (host, path) = ("h".repeat(60_000), "/p".repeat(30_000));
        let request: &[_] = &[(":scheme", "https"), (":authority", &*host), (":path", &*path)];
        assert_eq!(url(&request).len(), "https://".len() + 2 * MAX_REALM);
    }
}
