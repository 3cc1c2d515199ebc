//! A path, and what servers may make of it.

use std::sync::LazyLock;

use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Gate, Moment};
use jwt_gate::policy::path::{Readings, Target, percent_decode};
use jwt_gate::time::Timestamp;

use crate::gate::{NOW, Verdict, gate, request, verdict};
use crate::reference;

/// How a server may read a path.
#[derive(Clone, Copy, Debug)]
struct Server {
    decodes: usize,
    backslash: bool,
    parameters: bool,
    merges_first: bool,
    splits: bool,
}

impl Server {
    fn all() -> impl Iterator<Item = Self> {
        (0..48_usize).map(|n| Self {
            decodes: n / 16,
            backslash: n & 1 != 0,
            parameters: n & 2 != 0,
            merges_first: n & 4 != 0,
            splits: n & 8 != 0,
        })
    }

    /// The names of the path's segments, as that server sees them.
    fn read(self, path: &[u8]) -> Vec<Vec<u8>> {
        let mut bytes = path.to_vec();
        for _ in 0..self.decodes {
            bytes = percent_decode(&bytes);
        }
        if self.splits {
            bytes = bytes.split(|b| matches!(b, b'?' | b'#')).next().unwrap_or_default().to_vec();
        }
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
        kept.retain(|segment| !segment.is_empty());
        kept.into_iter().map(<[u8]>::to_vec).collect()
    }
}

fn fresh() -> (Gate, TokenCache) {
    let keys = serde_json::Value::from(reference::jwks());
    gate(&format!(
        r#"{{"providers":{{"p":{{"local_jwks":{{"inline_string":{keys}}}}}}},
        "rules":[{{"match":{{"path_separated_prefix":"/admin"}},"requires":{{"provider_name":"p"}}}},
                 {{"match":{{"prefix":""}}}}]}}"#
    ))
}

thread_local! {
    static GATE: LazyLock<(Gate, TokenCache)> = const { LazyLock::new(fresh) };
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
    let passes =
        GATE.with(|gate| matches!(verdict(&gate.0, &gate.1, moment, &lines), Verdict::Passes(_)));
    if passes {
        let path = raw.split(|b| *b == b'?').next().unwrap_or_default();
        for server in Server::all() {
            let read = server.read(path);
            assert_ne!(
                read.first().map(Vec::as_slice),
                Some(&b"admin"[..]),
                "it is /admin to {server:?}"
            );
        }
    }
}
