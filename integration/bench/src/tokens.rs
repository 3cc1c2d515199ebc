//! The tokens that are sent.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use jwt_gate_scenario::{Keyring, MintError};

use crate::error::Error;

/// The keys of the provider.
pub(crate) const KEYS: [&str; 6] = ["rsa-1", "p256-1", "p384-1", "p521-1", "ed25519-1", "hmac-1"];
/// The provider's issuer.
pub(crate) const ISSUER: &str = "https://idp.example";
/// The audience that it issues tokens for.
pub(crate) const AUDIENCE: &str = "api";
/// Paths that begin so need no token.
pub(crate) const OPEN_PREFIX: &str = "/public/";
/// Claims beside those that each token has for itself: what a provider commonly puts in.
const CLAIMS: &str = r#"{
    "azp": "7b1d0f3c-orders-frontend", "tenant": "t-4711", "scope": "openid profile orders:read orders:write",
    "roles": ["clerk", "auditor", "viewer"], "email": "alice.doe@customers.example", "email_verified": true,
    "name": "Alice Doe", "preferred_username": "alice.doe", "acr": "1", "sid": "6f6a6d8e-2a7c-4bd0-8a43-0f6f7a2b9c1d",
    "realm_access": {"roles": ["offline_access", "uma_authorization"]}
}"#;

/// A kind of token, and how many different ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Batch {
    /// How each is made; `None` for requests without a token.
    pub(crate) recipe: Option<Recipe>,
    /// How many.
    pub(crate) count: u32,
}

/// How a token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recipe {
    /// Name of the algorithm.
    pub(crate) algorithm: &'static str,
    /// What is wrong with it, as words of the scenario format.
    pub(crate) fault: &'static str,
}

/// Files with tokens, one on each line.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    files: BTreeMap<Batch, PathBuf>,
}

impl Recipe {
    /// A good token.
    pub(crate) const fn good(algorithm: &'static str) -> Self {
        Self { algorithm, fault: "" }
    }

    fn words(self, number: u32) -> String {
        let Self { algorithm, fault } = self;
        let key = match algorithm {
            "ES256" => "p256-1",
            "ES384" => "p384-1",
            "ES512" => "p521-1",
            "EdDSA" => "ed25519-1",
            "HS256" => "hmac-1",
            _ => "rsa-1",
        };
        let lifetime = if fault.contains("exp=") { "" } else { "exp=+86400" };
        format!(
            "key={key} alg={algorithm} {lifetime} {fault} iss={ISSUER} aud={AUDIENCE} \
             sub=user-{number:08} jti=9d2c7a41-5f0e-4c11-b0c3-{number:012} claims='{CLAIMS}'"
        )
    }
}

impl Files {
    /// Files in this folder; none as yet.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: BTreeMap::new() }
    }

    /// The file with these tokens, which are made when they are first asked for.
    pub(crate) fn file(&mut self, keyring: &Keyring, batch: &Batch) -> Result<PathBuf, Error> {
        if let Some(file) = self.files.get(batch) {
            return Ok(file.clone());
        }
        let file = self.folder.join(format!("tokens-{}", self.files.len()));
        let tokens = match batch.recipe {
            Some(recipe) => mint(keyring, recipe, batch.count)?,
            None => vec![String::new()],
        };
        fs::write(&file, tokens.join("\n") + "\n").map_err(Error::file(&file))?;
        self.files.insert(batch.clone(), file.clone());
        Ok(file)
    }
}

/// Makes so many different tokens, on all cores.
pub(crate) fn mint(
    keyring: &Keyring,
    recipe: Recipe,
    count: u32,
) -> Result<Vec<String>, MintError> {
    let now = now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let make = |first: usize| {
        let numbers = (0..count).skip(first).step_by(threads);
        numbers.map(|number| keyring.mint(now, &recipe.words(number))).collect::<Vec<_>>()
    };
    let made = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || make(first))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    made.into_iter().collect()
}

#[expect(clippy::disallowed_methods, reason = "tokens are for a proxy that has the real time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_token_of_a_batch_is_another_one() {
        let recipe = Recipe::good("HS256");
        let tokens = mint(&Keyring::new(), recipe, 101).unwrap();
        let different: BTreeSet<_> = tokens.iter().collect();
        assert_eq!((tokens.len(), different.len()), (101, 101));
        let length = tokens[0].len();
        assert!((700..900).contains(&length), "{length}");
    }
}
