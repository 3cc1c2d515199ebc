//! Keys in PEM (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{KeyError, VerifyingKey};
use crate::keys::jwk::Label;
use crate::keys::public::{DerError, PublicKey};

/// Why a block of PEM is not used. Never shows what is encoded in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PemError {
    /// It is no text.
    #[error("a certificate or a public key in PEM is expected, not {found}")]
    NotText {
        /// What it is.
        found: &'static str,
    },
    /// There is not exactly one block.
    #[error("one block of PEM is expected, found {found}")]
    NotOne {
        /// How many there are.
        found: usize,
    },
    /// The block is not as RFC 7468 says.
    #[error(
        "not PEM: a line `-----BEGIN …-----`, lines of base64, a line `-----END …-----` with the same words"
    )]
    Malformed,
    /// It holds a private key.
    #[error("a private key")]
    Private,
    /// It holds something else.
    #[error("`{label}` is not read; `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE` are")]
    Label {
        /// What it says that it holds.
        label: Label,
    },
    /// What is encoded is no key that we know.
    #[error(transparent)]
    Der(#[from] DerError),
    /// It is a key that we would not use.
    #[error(transparent)]
    Key(#[from] KeyError),
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Whether there is a block of PEM in `text`.
pub(super) fn is_in(text: &str) -> bool {
    text.contains(BEGIN)
}

/// The blocks of PEM in `text`, without what stands between them; a block that does not end goes
/// on to the next.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut begins = text.match_indices(BEGIN).map(|(at, _)| at).peekable();
    std::iter::from_fn(move || {
        let at = begins.next()?;
        let end = begins.peek().copied().unwrap_or(text.len());
        text.get(at..end).map(without_tail)
    })
}

/// A block, cut behind its last line.
fn without_tail(block: &str) -> &str {
    let end = block.split_once(END).and_then(|(_, tail)| {
        let (_, rest) = tail.split_once(DASHES)?;
        block.len().checked_sub(rest.len())
    });
    end.and_then(|end| block.get(..end)).unwrap_or(block)
}

/// The only key in `text`.
pub(super) fn only_key(text: &str) -> Result<VerifyingKey, PemError> {
    let mut blocks = blocks(text);
    match (blocks.next(), blocks.count()) {
        (Some(block), 0) => key(block),
        (first, others) => {
            Err(PemError::NotOne { found: usize::from(first.is_some()).saturating_add(others) })
        }
    }
}

/// The key of a block.
pub(super) fn key(block: &str) -> Result<VerifyingKey, PemError> {
    // Looked at first: also a private key that is spoilt must be told to be one.
    if label(block).is_some_and(|label| label.contains("PRIVATE KEY")) {
        return Err(PemError::Private);
    }
    let (label, der) = decode(block).ok_or(PemError::Malformed)?;
    let key = match label {
        "CERTIFICATE" => PublicKey::from_certificate(&der)?,
        "PUBLIC KEY" => PublicKey::from_spki(&der)?,
        "RSA PUBLIC KEY" => PublicKey::from_pkcs1(&der)?,
        label => return Err(PemError::Label { label: Label::new(label) }),
    };
    Ok(key.verifying()?)
}

fn label(block: &str) -> Option<&str> {
    let (label, _) = block.strip_prefix(BEGIN)?.split_once(DASHES)?;
    Some(label)
}

/// What a block holds, with its label. Lines may be of any length: a key often comes in one.
fn decode(block: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = block.strip_prefix(BEGIN)?.split_once(DASHES)?;
    let (body, end) = rest.split_once(END)?;
    let base64: String = body.lines().map(str::trim_end).collect();
    let is_whole = body.starts_with(['\r', '\n']) && end.strip_suffix(DASHES) == Some(label);
    let der = STANDARD.decode(base64).ok()?;
    is_whole.then_some((label, der))
}
