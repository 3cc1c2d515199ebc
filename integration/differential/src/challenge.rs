//! What a refusal looks like, from its status and body, and the one difference that all of them
//! share: our realm leaves out the query.

use crate::outcome::Outcome;

/// The divergence of the realm, by its name in the list.
pub const REALM: &str = "realm-without-query";
/// Bytes of the path that a realm shows.
const MAX_REALM: usize = 256;

/// Where a request went, for the realm of its challenge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Url {
    /// Host and port.
    pub host: String,
    /// Path and query.
    pub target: String,
}

impl Url {
    /// Scheme, host and path, as our challenges show them.
    #[must_use]
    pub fn realm(&self) -> String {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        format!("http://{}{}", self.host, path.get(..MAX_REALM).unwrap_or(path))
    }

    /// What the gate answers when it refuses with this status and body.
    #[must_use]
    pub fn refusal(&self, status: u16, body: &str) -> Outcome {
        let realm = self.realm();
        let challenge = match (status, body) {
            (401, "Jwt is missing") => Some(format!("Bearer realm=\"{realm}\"")),
            (401, _) | (403, "Audiences in Jwt are not allowed") => {
                Some(format!("Bearer realm=\"{realm}\", error=\"invalid_token\""))
            }
            _ => None,
        };
        let mut refusal = Outcome::refusal(status, body, challenge.as_deref());
        if status == 503 {
            refusal.set("retry-after", "1");
        }
        refusal
    }

    /// A native outcome with the realm that ours has; whether that is another one.
    #[must_use]
    pub fn with_our_realm(&self, native: &Outcome) -> (Outcome, bool) {
        let mut expected = native.clone();
        let challenge = native.value("www-authenticate");
        if let Some(rest) = challenge.strip_prefix("Bearer realm=\"")
            && let Some((realm, rest)) = rest.rsplit_once("\", error=").map_or_else(
                || rest.strip_suffix('"').map(|realm| (realm, String::new())),
                |(realm, error)| Some((realm, format!(", error={error}"))),
            )
            && realm.contains('?')
        {
            expected.set("www-authenticate", &format!("Bearer realm=\"{}\"{rest}", self.realm()));
        }
        let differs = expected != *native;
        (expected, differs)
    }
}
