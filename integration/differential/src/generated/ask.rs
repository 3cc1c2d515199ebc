//! Requests that are generated, and how they are written down.

use super::config::{BEARER, Config, LITERAL, NAMES, prefix};
use super::texts::ESCAPED;
use super::token::Token;
use super::words::Words;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) twist: Twist,
    pub(super) query: &'static str,
    /// A parameter behind all others.
    pub(super) tail: &'static str,
    pub(super) lines: Vec<&'static str>,
    pub(super) tokens: Vec<(Place, Token)>,
}

/// How a path is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Twist {
    Plain,
    TwoSlashes,
    Dot,
    Dots,
    Escape,
    Parameters,
}

/// Where a token is sent: the places of a provider, and how its scheme is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Header(usize, Scheme),
    Parameter(usize, Escape),
    Cookie(usize, Quotes),
}

/// What of a query parameter is percent-encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Escape {
    Nothing,
    Name,
    Token,
}

/// Whether a cookie's value is in quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Quotes {
    Without,
    Within,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    Good,
    Spaces,
    LowerCase,
    Foreign,
}

/// A request as text with placeholders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sent {
    /// The method.
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Header lines.
    pub(super) lines: Vec<String>,
}

impl Ask {
    pub(super) fn is_preflight(&self) -> bool {
        let has = |name: &str| self.lines.iter().any(|line| line.starts_with(name));
        self.method == "OPTIONS" && has("origin:") && has("access-control-request-method:")
    }

    /// Whether it says so itself.
    pub(super) fn is_grpc(&self) -> bool {
        self.lines.contains(&"content-type: application/grpc")
    }

    /// Its query as those read it for whom the last parameter of a name counts, where there are two.
    pub(super) fn last_of_twice(&self) -> Option<&'static str> {
        let (first, last) = self.query.split_once('&')?;
        let name = |parameter: &'static str| parameter.split('=').next();
        (name(first) == name(last)).then_some(last)
    }

    /// The request, in these words.
    pub(super) fn written(&self, config: &Config, words: Words) -> Sent {
        let mut lines: Vec<String> = self.lines.iter().map(|line| (*line).to_owned()).collect();
        let mut query: Vec<String> = Vec::new();
        for (place, token) in &self.tokens {
            let text = match (words, token.in_native_words()) {
                (Words::Native, Some(told)) => told.text,
                (Words::Native, None) | (Words::Own, _) => token.text(),
            };
            match place.resolve(config) {
                Resolved::Header(name, scheme, prefix) => {
                    lines.push(format!("{name}: {}{text}", scheme.written(words, prefix)));
                }
                Resolved::Parameter(name, escape) => query.push(escape.written(&name, &text)),
                Resolved::Cookie(name, Quotes::Without) => {
                    lines.push(format!("cookie: {name}={text}"));
                }
                Resolved::Cookie(name, Quotes::Within) => {
                    lines.push(format!("cookie: {name}=\"{text}\""));
                }
            }
        }
        // In the order of names, in which the native filter leaves them.
        if !self.query.is_empty() {
            query.insert(0, self.query.to_owned());
        }
        if !self.tail.is_empty() {
            query.push(self.tail.to_owned());
        }
        let mut target = self.twist.write(self.path);
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        Sent { method: self.method.to_owned(), target, lines }
    }
}

impl Scheme {
    /// What stands before a token, where this prefix is wanted.
    fn written(self, words: Words, prefix: &str) -> &'static str {
        let is_literal = prefix == LITERAL;
        match (self, words) {
            (Self::Foreign, Words::Native) => "Other ",
            (Self::Foreign, Words::Own) if is_literal => "xjwt=",
            (Self::Foreign, Words::Own) => "XBearer ",
            (Self::Good, _) if is_literal => LITERAL,
            (Self::Spaces, _) if is_literal => "jwt=\"",
            (Self::LowerCase, _) if is_literal => "JWT=",
            (Self::Good, _) | (Self::LowerCase, Words::Native) => BEARER,
            (Self::LowerCase, Words::Own) => "bearer ",
            (Self::Spaces, _) => "Bearer   ",
        }
    }

    /// The divergence that it is about.
    fn id(self, prefix: &str) -> Option<&'static str> {
        match self {
            Self::Good | Self::Spaces => None,
            Self::LowerCase => (prefix != LITERAL).then_some("scheme-case"),
            Self::Foreign => Some("prefix-at-the-start"),
        }
    }
}

impl Escape {
    /// A parameter of this name with this token.
    fn written(self, name: &str, token: &str) -> String {
        match (self, name.split_at_checked(1)) {
            (Self::Name, Some((first, rest))) => {
                let first = first.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
                format!("{first}{rest}={token}")
            }
            (Self::Token, _) => format!("{name}={ESCAPED}{token}"),
            (Self::Nothing | Self::Name, _) => format!("{name}={token}"),
        }
    }
}

enum Resolved {
    Header(String, Scheme, &'static str),
    Parameter(String, Escape),
    Cookie(String, Quotes),
}

impl Place {
    fn resolve(self, config: &Config) -> Resolved {
        let (Self::Header(of, _) | Self::Parameter(of, _) | Self::Cookie(of, _)) = self;
        let own = config.providers.get(of).is_some_and(|provider| provider.own_places);
        let name = NAMES.get(of).copied().unwrap_or_default();
        match self {
            Self::Header(_, scheme) if own => {
                Resolved::Header(format!("x-{name}"), scheme, prefix(name))
            }
            Self::Header(_, scheme) => Resolved::Header("authorization".to_owned(), scheme, BEARER),
            Self::Parameter(_, escape) if own => Resolved::Parameter(format!("p{name}"), escape),
            Self::Parameter(_, escape) => Resolved::Parameter("access_token".to_owned(), escape),
            Self::Cookie(_, quotes) => Resolved::Cookie(format!("c{name}"), quotes),
        }
    }

    /// Whether it is `authorization`, of which Envoy makes one line.
    pub(super) fn is_joined(self, config: &Config) -> bool {
        matches!(self.resolve(config), Resolved::Header(name, ..) if name == "authorization")
    }

    /// Has the scheme written as what it is.
    pub(super) fn name_the_scheme(&mut self) {
        if let Self::Header(_, scheme @ Scheme::Foreign) = self {
            *scheme = Scheme::Good;
        }
    }

    /// The divergence that how it is written is about.
    pub(super) fn id(self, config: &Config) -> Option<&'static str> {
        match self.resolve(config) {
            Resolved::Header(_, scheme, prefix) => scheme.id(prefix),
            Resolved::Parameter(..) | Resolved::Cookie(..) => None,
        }
    }
}

impl Twist {
    /// The path so written; `path` begins with a slash.
    fn write(self, path: &str) -> String {
        match self {
            Self::Plain => path.to_owned(),
            Self::TwoSlashes => format!("/{path}"),
            Self::Dot => format!("/.{path}"),
            Self::Dots => format!("/x/..{path}"),
            Self::Escape => format!("{path}%2e"),
            Self::Parameters => format!("{path};v=1"),
        }
    }

    /// How else it may be read.
    pub(super) fn reading(self, path: &str) -> String {
        if self == Self::Escape { format!("{path}.") } else { path.to_owned() }
    }
}
