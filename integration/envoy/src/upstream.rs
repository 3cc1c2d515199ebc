//! The service behind the proxy: it answers with what it saw.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    client::Answer,
    error::Error,
    message::{self, Incoming},
    server::{Reply, Response, Server},
};

/// A header by which an answer of the upstream is told from one of the proxy.
const MARK: (&str, &str) = ("x-answered-by", "upstream");

/// Where an answer to HEAD, which has no body, says what the upstream saw.
const SEEN: &str = "x-seen";

/// An echo server on a port of 127.0.0.1, until it is dropped.
///
/// Every request is answered 200 with [`Seen`] as JSON.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
}

impl Upstream {
    /// Starts one.
    ///
    /// # Errors
    /// No port could be had.
    pub fn start() -> Result<Self, Error> {
        Server::start(echo).map(|server| Self { server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// A request as the upstream saw it; bytes beyond ASCII are the characters U+0080 to U+00FF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target, byte for byte.
    pub target: String,
    /// The headers, in order, with repetitions.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Seen {
    /// What the upstream saw, where it was the upstream that answered.
    #[must_use]
    pub fn from_answer(answer: &Answer) -> Option<Self> {
        let (name, value) = MARK;
        if answer.values(name) != [value] {
            return None;
        }
        match answer.values(SEEN).first() {
            Some(seen) => serde_json::from_str(seen).ok(),
            None => serde_json::from_slice(&answer.body).ok(),
        }
    }

    /// The values of a header, in order.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }
}

/// The values of a header in a list of headers, in order.
pub(crate) fn values<'h>(headers: &'h [(String, String)], name: &str) -> Vec<&'h str> {
    let named = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

fn echo(request: &Incoming) -> Reply {
    let seen = Seen {
        method: request.method.clone(),
        target: request.target.clone(),
        headers: request.headers.clone(),
        body: message::text(&request.body),
    };
    let Ok(json) = serde_json::to_string(&seen) else { return Reply::Close };
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers = vec![header(MARK), header(("content-type", "application/json"))];
    if request.method == "HEAD" {
        headers.push(header((SEEN, &ascii(&json))));
    }
    Reply::Full(Response { status: 200, headers, body: json.into_bytes().into() })
}

/// The same JSON with the characters beyond ASCII as escapes, all of which are below U+0100.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            '\u{7f}'.. => text.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => text.push(char),
        }
    }
    text
}
