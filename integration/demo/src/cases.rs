//! The requests of the demo, and what should become of each.

use std::{thread, time::Duration};

use jwt_gate_envoy::{Answer, Request, Seen};
use serde_json::{Value, json};

use crate::{Error, stage::Stage};

/// Looks at an answer that is not there yet, and the time between two of them: a new key may be
/// asked for only every 5 s.
const PATIENCE: (u32, Duration) = (16, Duration::from_millis(500));

/// One request and what should become of it.
#[derive(Debug)]
pub(crate) struct Case {
    what: &'static str,
    before: Before,
    target: &'static str,
    credential: Credential,
    spoofed: Option<(&'static str, &'static str)>,
    expected: Expected,
}

/// What happens to the identity provider before the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Rotate,
    GoDown,
}

/// The token, and where it is sent.
#[derive(Debug)]
enum Credential {
    None,
    /// In the header: claims, and words that say how it is signed.
    Header(Value, &'static str),
    /// As the query parameter `access_token`.
    Query(Value),
}

/// What should come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    /// The upstream answers: what it should see as target and as `x-user`.
    Pass { target: &'static str, user: Option<&'static str> },
    /// The gate answers: status, and the body where it is known.
    Refuse { status: u16, body: Option<&'static str> },
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) expected: String,
    pub(crate) came: String,
    pub(crate) challenge: String,
    pub(crate) upstream: String,
    pub(crate) as_expected: bool,
}

impl Case {
    /// Sends the request.
    pub(crate) fn play(&self, stage: &Stage) -> Result<Row, Error> {
        match self.before {
            Before::Nothing => {}
            Before::Rotate => _ = stage.identity().rotate(),
            Before::GoDown => stage.idp().set_down(true),
        }
        let request = self.request(stage)?;
        let answer = match self.before {
            Before::Rotate => self.ask_until_met(stage, &request)?,
            Before::Nothing | Before::GoDown => stage.send(&request)?,
        };
        if self.before == Before::GoDown {
            stage.idp().set_down(false);
        }
        Ok(self.row(&answer))
    }

    fn ask_until_met(&self, stage: &Stage, request: &Request) -> Result<Answer, Error> {
        let (looks, pause) = PATIENCE;
        let mut answer = stage.send(request)?;
        eprintln!("The identity provider signs with a new key; waiting for it to be accepted …");
        for _ in 0..looks {
            if self.expected.is_met(&answer) {
                break;
            }
            thread::sleep(pause);
            answer = stage.send(request)?;
        }
        Ok(answer)
    }

    fn request(&self, stage: &Stage) -> Result<Request, Error> {
        let identity = stage.identity();
        let request = match &self.credential {
            Credential::None => Request::new("GET", self.target),
            Credential::Header(claims, words) => {
                let token = identity.token(claims, words)?;
                Request::new("GET", self.target).header("authorization", format!("Bearer {token}"))
            }
            Credential::Query(claims) => {
                let token = identity.token(claims, "")?;
                Request::new("GET", format!("{}&access_token={token}", self.target))
            }
        };
        let request = request.header("host", stage.proxy().to_string());
        Ok(match self.spoofed {
            Some((name, value)) => request.header(name, value),
            None => request,
        })
    }

    fn row(&self, answer: &Answer) -> Row {
        let seen = Seen::from_answer(answer);
        let came = match seen {
            Some(_) => answer.status.to_string(),
            None => format!("{} {}", answer.status, answer.text().trim_end()),
        };
        Row {
            what: self.what,
            expected: self.expected.to_text(),
            came,
            challenge: answer.values("www-authenticate").into_iter().map(challenge).collect(),
            upstream: seen.as_ref().map_or_else(|| "—".to_owned(), sight),
            as_expected: self.expected.is_met(answer),
        }
    }
}

impl Expected {
    fn is_met(&self, answer: &Answer) -> bool {
        let seen = Seen::from_answer(answer);
        match (self, seen) {
            (Self::Pass { target, user }, Some(seen)) => {
                answer.status == 200
                    && seen.target == *target
                    && seen.values("x-user") == user.as_slice()
                    && seen.values("authorization").is_empty()
            }
            (Self::Refuse { status, body }, None) => {
                answer.status == *status && body.is_none_or(|body| answer.text() == body)
            }
            (Self::Pass { .. }, None) | (Self::Refuse { .. }, Some(_)) => false,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Pass { user: Some(user), .. } => format!("200\nx-user: {user}"),
            Self::Pass { user: None, .. } => "200\nno x-user".to_owned(),
            Self::Refuse { status, body: Some(body) } => format!("{status} {body}"),
            Self::Refuse { status, body: None } => status.to_string(),
        }
    }
}

/// A parameter a line; the realm is the URL of the request, and cut as a table has little room.
fn challenge(value: &str) -> String {
    let realm = value.split_once("realm=\"").and_then(|(before, rest)| {
        let (_, after) = rest.split_once('"')?;
        Some(format!("{before}realm=\"…\"{after}"))
    });
    realm.unwrap_or_else(|| value.to_owned()).replace(", ", ",\n")
}

/// What of a request shows that the gate did its work.
fn sight(seen: &Seen) -> String {
    let mut sight = shortened(&format!("{} {}", seen.method, seen.target));
    for name in ["x-user", "authorization"] {
        for value in seen.values(name) {
            sight.push('\n');
            sight.push_str(&shortened(&format!("{name}: {value}")));
        }
    }
    sight
}

/// A token that got through is no use in a table.
fn shortened(text: &str) -> String {
    const LENGTH: usize = 28;
    match text.char_indices().nth(LENGTH).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => text.to_owned(),
    }
}

/// All cases, in the order in which they are played.
pub(crate) fn all() -> Vec<Case> {
    [anonymous(), bad_tokens(), decisions(), tampering(), provider()]
        .into_iter()
        .flatten()
        .collect()
}

fn reader() -> Value {
    json!({ "sub": "alice", "scope": "orders:read" })
}

fn anonymous() -> Vec<Case> {
    vec![
        case("open path, no token", "/public/hello", Credential::None, pass("/public/hello", None)),
        case("no token", "/orders", Credential::None, refuse(401, "Jwt is missing")),
        case("good token", "/orders", bearer(reader()), pass("/orders", Some("alice"))),
    ]
}

fn bad_tokens() -> Vec<Case> {
    let signed = |words| Credential::Header(reader(), words);
    vec![
        case("expired token", "/orders", signed("exp=-600"), refuse(401, "Jwt is expired")),
        case(
            "forged token (another key, same kid)",
            "/orders",
            signed("key=rsa-forger kid=rsa-1"),
            refuse(401, "Jwt verification fails"),
        ),
        case("alg: none", "/orders", signed("alg=none"), refuse_any(401)),
        case(
            "token for another audience",
            "/orders",
            signed("aud=payroll"),
            refuse(403, "Audiences in Jwt are not allowed"),
        ),
    ]
}

fn decisions() -> Vec<Case> {
    let denied = || refuse(403, "RBAC: access denied");
    let role = |role| bearer(json!({ "sub": "bob", "roles": [role] }));
    vec![
        case("token without the scope", "/orders", role("clerk"), denied()),
        case("right role", "/admin", role("admin"), pass("/admin", Some("bob"))),
        case("wrong role", "/admin", role("clerk"), denied()),
        case("no rule for the path", "/internal", bearer(reader()), denied()),
        case("detour to a guarded path", "/public/..;/admin", Credential::None, refuse_any(400)),
    ]
}

fn tampering() -> Vec<Case> {
    let spoof = Some(("x-user", "admin"));
    let (good, seen) = (bearer(reader()), pass("/orders", Some("alice")));
    let token = case("client sends x-user: admin", "/orders", good, seen);
    let (none, seen) = (Credential::None, pass("/public/hi", None));
    let open = case("the same without a token", "/public/hi", none, seen);
    let query = Credential::Query(reader());
    vec![
        Case { spoofed: spoof, ..token },
        Case { spoofed: spoof, ..open },
        case("token in the query", "/orders?page=2", query, pass("/orders?page=2", Some("alice"))),
    ]
}

fn provider() -> Vec<Case> {
    let good = |what| case(what, "/orders", bearer(reader()), pass("/orders", Some("alice")));
    vec![
        Case { before: Before::Rotate, ..good("key rotated, no restart") },
        Case { before: Before::GoDown, ..good("identity provider down, keys held") },
    ]
}

fn case(
    what: &'static str,
    target: &'static str,
    credential: Credential,
    expected: Expected,
) -> Case {
    Case { what, before: Before::Nothing, target, credential, spoofed: None, expected }
}

fn bearer(claims: Value) -> Credential {
    Credential::Header(claims, "")
}

fn pass(target: &'static str, user: Option<&'static str>) -> Expected {
    Expected::Pass { target, user }
}

fn refuse(status: u16, body: &'static str) -> Expected {
    Expected::Refuse { status, body: Some(body) }
}

fn refuse_any(status: u16) -> Expected {
    Expected::Refuse { status, body: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    fn upstream(target: &str, headers: &str) -> Answer {
        let body =
            format!(r#"{{"method":"GET","target":"{target}","headers":[{headers}],"body":""}}"#);
        let headers = vec![("x-answered-by".to_owned(), "upstream".to_owned())];
        Answer { headers, ..answer(200, &body) }
    }

    #[test]
    fn a_request_passed_only_if_the_upstream_saw_what_it_should() {
        let alice = r#"["x-user","alice"]"#;
        for (came, expected) in [
            (upstream("/a", alice), true),
            (upstream("/a?access_token=x", alice), false),
            (upstream("/a", ""), false),
            (upstream("/a", r#"["x-user","admin"],["x-user","alice"]"#), false),
            (upstream("/a", r#"["x-user","alice"],["authorization","Bearer x"]"#), false),
            (answer(200, "alice"), false),
        ] {
            assert_eq!(pass("/a", Some("alice")).is_met(&came), expected, "{came:?}");
        }
    }

    #[test]
    fn a_request_was_refused_only_by_the_gate_and_as_it_should() {
        for (came, expected) in [
            (answer(401, "Jwt is missing"), true),
            (answer(403, "Jwt is missing"), false),
            (answer(401, "Jwt is expired"), false),
            (Answer { status: 401, ..upstream("/a", "") }, false),
        ] {
            assert_eq!(refuse(401, "Jwt is missing").is_met(&came), expected, "{came:?}");
        }
        assert!(refuse_any(401).is_met(&answer(401, "whatever")));
    }

    #[test]
    fn a_challenge_is_shown_without_the_realm() {
        for (came, shown) in [
            (r#"Bearer realm="http://h/a""#, r#"Bearer realm="…""#),
            (r#"Bearer realm="x", error="e""#, "Bearer realm=\"…\",\nerror=\"e\""),
            ("Basic", "Basic"),
        ] {
            assert_eq!(challenge(came), shown);
        }
    }

    #[test]
    fn a_token_is_not_shown_whole() {
        assert_eq!(shortened("authorization: Bearer eyJhbGciOi"), "authorization: Bearer eyJhbG…");
        assert_eq!(shortened("GET /orders"), "GET /orders");
    }
}
