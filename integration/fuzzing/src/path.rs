//! A path and a query, and what servers may make of them.

use std::sync::LazyLock;

use jwt_gate::gate::{Gate, Lent, Moment};
use jwt_gate::policy::path::{Readings, Target, percent_decode};
use jwt_gate::time::Timestamp;

use crate::gate::{NOW, Verdict, gate, once, policy, request};
use crate::reference;

/// What a server may do to a path that it has decoded.
#[derive(Clone, Copy, Debug)]
struct Server {
    backslash: bool,
    parameters: bool,
    merges_first: bool,
    splits: bool,
}

impl Server {
    /// All that do something of their own to this path.
    fn all(path: &[u8]) -> impl Iterator<Item = Self> {
        let has = |wanted: &[u8]| path.iter().any(|b| wanted.contains(b));
        let (backslash, parameters, splits) = (has(b"\\"), has(b";"), has(b"?#"));
        let choices = (0..16_usize).map(|n| Self {
            backslash: n & 1 != 0,
            parameters: n & 2 != 0,
            merges_first: n & 4 != 0,
            splits: n & 8 != 0,
        });
        choices.filter(move |server| {
            (!server.backslash || backslash)
                && (!server.parameters || parameters)
                && (!server.splits || splits)
        })
    }

    /// The first of the names of the path's segments, as that server sees them.
    fn first(self, path: &[u8]) -> Option<&[u8]> {
        let end = path.iter().position(|b| self.splits && matches!(b, b'?' | b'#'));
        let bytes = &path[..end.unwrap_or(path.len())];
        let is_slash = |b: &u8| *b == b'/' || self.backslash && *b == b'\\';
        let mut kept: Vec<&[u8]> = Vec::new();
        for segment in bytes.split(is_slash) {
            let name = match segment.iter().position(|b| *b == b';') {
                Some(at) if self.parameters => &segment[..at],
                Some(_) | None => segment,
            };
            match name {
                b"" if self.merges_first => {}
                b"." => {}
                b".." => drop(kept.pop()),
                name => kept.push(name),
            }
        }
        kept.into_iter().find(|segment| !segment.is_empty())
    }
}

/// What servers may decode a path to: up to twice, and with UTF-8 that is longer than it need be.
fn decodings(path: &[u8]) -> Vec<Vec<u8>> {
    let once = percent_decode(path);
    let twice = percent_decode(&once);
    let mut all = vec![path.to_vec(), once, twice];
    all.extend(all.clone().iter().map(|bytes| shortened(bytes)));
    all.sort();
    all.dedup();
    all
}

/// ASCII that is written in two to four octets, as ASCII.
fn shortened(bytes: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, after) = match rest {
            [a @ (0xc0 | 0xc1), b @ 0x80..=0xbf, after @ ..] => ((a & 1) << 6 | (b & 0x3f), after),
            [0xe0, a @ (0x80 | 0x81), b @ 0x80..=0xbf, after @ ..]
            | [0xf0, 0x80, a @ (0x80 | 0x81), b @ 0x80..=0xbf, after @ ..] => {
                ((a & 1) << 6 | (b & 0x3f), after)
            }
            _ => (*first, tail),
        };
        short.push(byte);
        rest = after;
    }
    short
}

fn fresh() -> Gate {
    let keys = serde_json::Value::from(reference::jwks());
    let policy = policy(&format!(
        r#"{{"providers":{{"p":{{"local_jwks":{{"inline_string":{keys}}}}}}},
        "rules":[{{"match":{{"path_separated_prefix":"/admin"}},"requires":{{"provider_name":"p"}}}},
                 {{"match":{{"prefix":"","query_parameters":[{{"name":"q","present_match":true}}]}},"requires":{{"provider_name":"p"}}}},
                 {{"match":{{"prefix":""}}}}]}}"#
    ));
    gate(policy).0
}

thread_local! {
    static GATE: LazyLock<Gate> = const { LazyLock::new(fresh) };
}

/// The bytes are the request target.
pub(crate) fn run(raw: &[u8]) {
    let target = Target::new(raw);
    if let Readings::Several(readings) = target.readings() {
        let decoded = percent_decode(target.path());
        let plain = decoded.strip_prefix(b"/").unwrap_or(&decoded);
        let decoded = [b"/", plain].concat();
        assert!(readings.iter().any(|r| **r == *decoded), "what it decodes to is no reading");
    }
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    let lines = request(raw, &[]);
    // There is no token for a cache to know.
    let verdict = GATE.with(|gate| once(gate, Lent::NOTHING, moment, &lines));
    if matches!(verdict, Verdict::Passes(_)) {
        let path = raw.split(|b| *b == b'?').next().unwrap_or_default();
        for decoded in decodings(path) {
            for server in Server::all(&decoded) {
                let first = server.first(&decoded);
                assert_ne!(first, Some(&b"admin"[..]), "it is /admin to {server:?}");
            }
        }
        let query = raw.splitn(2, |b| *b == b'?').nth(1).unwrap_or_default();
        let mut names = query.split(|b| *b == b'&').filter_map(|pair| {
            let raw = pair.split(|b| *b == b'=').next()?;
            Some(percent_decode(raw))
        });
        assert!(!names.any(|name| name == b"q"), "there is a `q` to whoever decodes the query");
    }
}
