//! Every reading that a server may have of a path; none leads past a rule.

use proptest::prelude::*;
use serde_json::json;

use jwt_gate::policy::path::percent_decode;

use super::budget;
use super::support::{NOW, check, gate, request};

/// How a server may read a path.
#[derive(Clone, Copy, Debug)]
struct Server {
    decodes: usize,
    backslash: bool,
    parameters: bool,
    merges_first: bool,
}

impl Server {
    fn all() -> impl Iterator<Item = Self> {
        (0..4usize).flat_map(|decodes| {
            (0..8u8).map(move |bits| Self {
                decodes,
                backslash: bits & 1 == 1,
                parameters: bits & 2 == 2,
                merges_first: bits & 4 == 4,
            })
        })
    }

    fn read(self, path: &str) -> String {
        let mut bytes = path.as_bytes().to_vec();
        for _ in 0..self.decodes {
            bytes = percent_decode(&bytes);
        }
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if self.backslash {
            text = text.replace('\\', "/");
        }
        let mut kept: Vec<&str> = Vec::new();
        for segment in text.split('/').skip(1) {
            let name = match segment.split_once(';') {
                Some((name, _)) if self.parameters => name,
                _ => segment,
            };
            match name {
                "" if self.merges_first => {}
                "." => {}
                ".." => drop(kept.pop()),
                name => kept.push(name),
            }
        }
        kept.retain(|segment| !segment.is_empty());
        format!("/{}", kept.join("/"))
    }
}

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "public",
        "admin",
        "..",
        ".",
        "..;",
        "%2e%2e",
        "%252e%252e",
        "..%3b",
        "x;y",
        "",
        "..;x",
    ]);
    let mark = prop::sample::select(vec!["/", "/", "/", "\\", "%2f", "%5c", "%252f"]);
    prop::collection::vec((name, mark), 1..7).prop_map(|parts| {
        let parts: String = parts.into_iter().map(|(name, mark)| format!("{name}{mark}")).collect();
        format!("/{}", parts.trim_end_matches('/'))
    })
}

proptest! {
    #![proptest_config(budget(2048))]

    #[test]
    fn no_reading_of_a_path_leads_past_a_rule(path in path()) {
        let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let gate = gate(&json!({
            "providers": { "p": { "local_jwks": { "inline_string": key } } },
            "rules": [
                { "match": { "path_separated_prefix": "/admin" }, "requires": { "provider_name": "p" } },
                { "match": { "prefix": "/" } },
            ],
        })).unwrap();
        if check(&gate, NOW, &request(&path, &[])).is_ok() {
            for server in Server::all() {
                let read = server.read(&path);
                prop_assert!(read != "/admin" && !read.starts_with("/admin/"), "{path} is {read} to {server:?}");
            }
        }
    }
}
