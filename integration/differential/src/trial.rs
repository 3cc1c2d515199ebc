//! One case, ready to be sent, and what is held against its outcomes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jwt_gate_envoy::Request;
use jwt_gate_scenario::{ExpandError, Expansion, Keyring};

use crate::challenge::{REALM, Url};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::written::{Case, Fields};

/// A case with its placeholders expanded.
pub(crate) struct Trial<'c, 'k> {
    case: &'c Case,
    expansion: Mutex<Expansion<'k>>,
    /// What is sent.
    pub(crate) request: Request,
    url: Url,
}

impl<'c, 'k> Trial<'c, 'k> {
    /// Of the time that it is.
    pub(crate) fn new(
        stage: &Stage,
        keyring: &'k Keyring,
        case: &'c Case,
    ) -> Result<Self, ExpandError> {
        let mut expansion = Expansion::new(keyring, "");
        expansion.set_now(stage.now());
        let (method, target) = case.send.split_once(' ').unwrap_or((&case.send, ""));
        let target = expansion.bytes(target)?;
        let mut url = Url {
            host: "api.example".to_owned(),
            target: target.iter().copied().map(char::from).collect(),
        };
        let mut headers = Vec::new();
        if let Some(words) = &case.bearer {
            let token = expansion.text(&format!("${{token {words}}}"))?;
            headers.push(("authorization".to_owned(), format!("Bearer {token}").into_bytes()));
        }
        for line in &case.headers {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = expansion.bytes(value.strip_prefix(' ').unwrap_or(value))?;
            if name.eq_ignore_ascii_case("host") {
                url.host = String::from_utf8_lossy(&value).into_owned();
            }
            headers.push((name.to_owned(), value));
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.insert(0, ("host".to_owned(), url.host.clone().into_bytes()));
        }
        let request =
            headers.into_iter().fold(Request::new(method, target), |request, (name, value)| {
                request.header(name, value)
            });
        let request = match &case.body {
            Some(body) => request.body(body.as_bytes()),
            None => request,
        };
        Ok(Self { case, expansion: Mutex::new(expansion), request, url })
    }

    /// What is not as written, and the divergences that showed.
    pub(crate) fn compare(
        &self,
        native: &Outcome,
        ours: &Outcome,
    ) -> (Vec<String>, BTreeSet<String>) {
        let case = self.case;
        let mut problems = Vec::new();
        for (side, wanted, came) in [("native", case.native(), native), ("ours", case.ours(), ours)]
        {
            if came.to_string() != wanted {
                problems.push(format!("{side}: expected `{wanted}`, came `{came}`"));
            }
        }
        problems.extend(self.unlike("native", native, &case.with));
        problems.extend(self.unlike("ours", ours, &case.with));
        problems.extend(self.unlike("native", native, &case.native_with));
        problems.extend(self.unlike("ours", ours, &case.ours_with));
        let mut shown: BTreeSet<String> = case.divergence.clone().into_iter().collect();
        let expected = if case.native() == case.ours() {
            let (expected, realm) = self.url.with_our_realm(native);
            if realm {
                shown.insert(REALM.to_owned());
            }
            Some(expected)
        } else {
            self.refusal(case.ours())
        };
        if let Some(expected) = expected {
            let declared = |field: &&str| case.ours_with.contains_key(*field);
            let others: Vec<&str> =
                ours.differing(&expected).into_iter().filter(|f| !declared(f)).collect();
            if !others.is_empty() {
                problems.extend(ours.describe_difference(&expected));
            }
        }
        (problems, shown)
    }

    /// The whole refusal that `401 words` stands for; nothing where it passes.
    fn refusal(&self, outcome: &str) -> Option<Outcome> {
        let (status, body) = outcome.split_once(' ')?;
        Some(self.url.refusal(status.parse().ok()?, body))
    }

    fn unlike(&self, side: &str, came: &Outcome, wanted: &Fields) -> Vec<String> {
        let mut problems = Vec::new();
        for (field, values) in wanted {
            let mut expansion = self.expansion.lock().unwrap_or_else(PoisonError::into_inner);
            let mut expand = |value: &String| {
                let bytes = expansion.bytes(value).map_err(|error| error.to_string());
                bytes.map(|bytes| bytes.into_iter().map(char::from).collect::<String>())
            };
            match values.list().iter().map(&mut expand).collect::<Result<Vec<_>, _>>() {
                Ok(wanted) if wanted == came.values(field) => {}
                // `*` stands for any value.
                Ok(wanted) if wanted == ["*"] && came.values(field).len() == 1 => {}
                Ok(wanted) => problems.push(format!(
                    "{side}: {field}: expected {wanted:?}, came {:?}",
                    came.values(field)
                )),
                Err(error) => problems.push(format!("{field}: {error}")),
            }
        }
        problems
    }
}
