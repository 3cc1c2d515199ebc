//! Tokens that are generated, and what the native filter must be sent in their place.

use super::config::{Config, KeySet, NAMES};

/// A token, from the defaults of the keyring's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) of: usize,
    pub(super) key: &'static str,
    pub(super) words: Vec<&'static str>,
    pub(super) flaw: Flaw,
}

/// What the native filter reads in another way than ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    None,
    ExpZero,
    ExpHalf,
    Critical,
    TypeNumber,
    Nested,
    CommaInHeader,
    CommaInPayload,
    EmptyPart,
    PaddedSignature,
}

/// What the native filter is sent in place of a token.
pub(super) struct InNativeWords {
    /// Text that it refuses for what ours refuses the token for.
    pub(super) text: String,
    /// What it says then, and what ours says, where that differs.
    pub(super) bodies: Option<(&'static str, &'static str)>,
    /// The divergence.
    pub(super) id: &'static str,
}

impl Flaw {
    /// The divergence that it is about.
    const fn id(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::ExpZero | Self::ExpHalf => Some("exp-zero"),
            Self::Critical => Some("critical"),
            Self::TypeNumber => Some("typ-is-a-string"),
            Self::Nested => Some("nested-token"),
            Self::CommaInHeader | Self::CommaInPayload => Some("strict-json"),
            Self::EmptyPart => Some("three-parts"),
            Self::PaddedSignature => Some("base64url-strict"),
        }
    }
}

impl Token {
    /// The text that stands for it.
    pub(super) fn text(&self) -> String {
        let name = self.name();
        let mut words =
            vec![format!("key={}-{name}", self.key), format!("iss=https://{name}.example")];
        words.extend(self.words.iter().map(|word| (*word).to_owned()));
        let header = format!(r#""kid":"{}-{name}""#, self.key);
        words.extend(match self.flaw {
            Flaw::None | Flaw::EmptyPart | Flaw::PaddedSignature => None,
            Flaw::ExpZero => Some("exp=0".to_owned()),
            Flaw::ExpHalf => Some("exp=0.5".to_owned()),
            Flaw::Critical => Some(r#"header='{"crit":["x"]}'"#.to_owned()),
            Flaw::TypeNumber => Some(r#"header='{"typ":5}'"#.to_owned()),
            Flaw::Nested => Some(r#"header='{"cty":"JWT"}'"#.to_owned()),
            Flaw::CommaInHeader => Some(format!(r#"rawheader='{{"alg":"ES256",{header},}}'"#)),
            Flaw::CommaInPayload => {
                Some(format!(r#"payload='{{"iss":"https://{name}.example","aud":"api",}}'"#))
            }
        });
        // A claim that stands twice in the words counts as it stands last.
        let mut kept: Vec<String> = Vec::new();
        for word in words {
            kept.retain(|other| named(other) != named(&word));
            kept.push(word);
        }
        match self.flaw {
            Flaw::CommaInPayload => {
                kept.retain(|word| ["key", "kid", "alg", "sign", "payload"].contains(&named(word)))
            }
            Flaw::CommaInHeader => kept.retain(|word| !["kid", "alg"].contains(&named(word))),
            Flaw::None
            | Flaw::ExpZero
            | Flaw::ExpHalf
            | Flaw::Critical
            | Flaw::TypeNumber
            | Flaw::Nested
            | Flaw::EmptyPart
            | Flaw::PaddedSignature => {}
        }
        let token = format!("${{token {}}}", kept.join(" "));
        match self.flaw {
            Flaw::EmptyPart => format!(".{token}"),
            Flaw::PaddedSignature => format!("{token}=="),
            Flaw::None
            | Flaw::ExpZero
            | Flaw::ExpHalf
            | Flaw::Critical
            | Flaw::TypeNumber
            | Flaw::Nested
            | Flaw::CommaInHeader
            | Flaw::CommaInPayload => token,
        }
    }

    /// What the native filter is sent in its place, if it reads the token in another way.
    pub(super) fn in_native_words(&self) -> Option<InNativeWords> {
        const JSON: &str = "Jwt header is an invalid JSON";
        let bad_header = || "${token key=p256-a rawheader='no'}".to_owned();
        let plain = || Self { flaw: Flaw::None, ..self.clone() }.text();
        let (text, ours) = match self.flaw {
            Flaw::None => return None,
            Flaw::ExpZero | Flaw::ExpHalf => {
                let open = plain();
                let open = open.strip_suffix('}').unwrap_or(&open);
                let kept: Vec<&str> = open.split(' ').filter(|w| named(w) != "exp").collect();
                (format!("{} exp=-1000000}}", kept.join(" ")), None)
            }
            Flaw::Critical => {
                (bad_header(), Some("Jwt header has a critical extension that is not supported"))
            }
            Flaw::TypeNumber => (bad_header(), Some("Jwt header [typ] field is not a string")),
            Flaw::Nested => (bad_header(), Some("Jwt header [cty] is not supported")),
            Flaw::CommaInHeader => (bad_header(), None),
            Flaw::CommaInPayload => ("${token key=p256-a payload='no'}".to_owned(), None),
            Flaw::EmptyPart => ("a.b".to_owned(), None),
            Flaw::PaddedSignature => (format!("{}A!", plain()), None),
        };
        Some(InNativeWords { text, bodies: ours.map(|ours| (JSON, ours)), id: self.flaw.id()? })
    }

    /// The divergences that the configuration of the native filter has to be told of.
    pub(super) fn untold(&self, config: &Config) -> Vec<&'static str> {
        let mut ids = Vec::new();
        let without_exp = self.flaw == Flaw::CommaInPayload || self.word("exp") == Some("-");
        if without_exp && config.providers.iter().any(|p| p.expiration.is_none()) {
            ids.push("exp-required");
        }
        let named = NAMES.iter().zip(&config.providers);
        if named.into_iter().any(|(name, p)| self.has_its_way(name, p.keys)) {
            ids.push("algorithm-of-the-key");
        }
        ids
    }

    /// Whether there is a key that does not say what it is for, and is tried for another algorithm.
    fn has_its_way(&self, name: &str, keys: KeySet) -> bool {
        let algorithm = self.word("alg").unwrap_or(match self.key {
            "p256" => "ES256",
            "ed25519" => "EdDSA",
            _ => "HS256",
        });
        let kid = match self.word("kid") {
            Some("-") => None,
            Some(kid) => Some(kid.to_owned()),
            None => Some(format!("{}-{}", self.key, self.name())),
        };
        keys.keys().any(|(key, algorithms)| match keys {
            KeySet::ForOneAlgorithm => false,
            KeySet::WithoutKid => !algorithms.contains(&algorithm),
            KeySet::One | KeySet::Several => {
                let found = kid.as_ref().is_none_or(|kid| *kid == format!("{key}-{name}"));
                found && !algorithms.contains(&algorithm)
            }
        })
    }

    fn name(&self) -> &'static str {
        NAMES.get(self.of).copied().unwrap_or_default()
    }

    /// The value of a word, which counts as it stands last.
    fn word(&self, name: &str) -> Option<&'static str> {
        let split = self.words.iter().rev().filter_map(|word| word.split_once('='));
        split.into_iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

fn named(word: &str) -> &str {
    word.split('=').next().unwrap_or_default()
}
