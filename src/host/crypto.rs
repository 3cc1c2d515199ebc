//! The host's cryptography: Envoy's foreign function `verify_signature`.

use std::cell::RefCell;
use std::fmt;

use super::abi;
use crate::crypto::probe::Probe;
use crate::crypto::{Hash, HostCrypto, Question, Scheme, der};
use crate::wire::put_octets;

const FUNCTION: &str = "verify_signature";

/// The answer to a good signature: field 1 of its message, `true`.
const VALID: &[u8] = &[0x08, 0x01];

/// The function, for the schemes that it has been seen to get right; for none where it is not.
#[derive(Debug, Default)]
pub(super) struct EnvoyCrypto {
    /// Each scheme with the answer to a bad signature. No other answer refuses a token.
    schemes: Vec<(Scheme, Vec<u8>)>,
    /// The argument. It stays, so that the next one needs no memory of its own.
    argument: RefCell<Argument>,
}

impl EnvoyCrypto {
    /// Tries the function. It must tell a good signature from a bad one, and a bad one from a key
    /// that it cannot read, in each of the schemes that it is used for.
    ///
    /// Only for Envoy: elsewhere a call of a function that is not there may be a trap.
    pub(super) fn probe() -> Self {
        let mut found = Self::default();
        for probe in Probe::all() {
            let good = found.ask(&probe.good());
            let (Some(bad), unreadable) = (found.ask(&probe.bad()), found.ask(&probe.unreadable()))
            else {
                continue;
            };
            if good.as_deref() == Some(VALID) && bad != VALID && unreadable.as_ref() != Some(&bad) {
                found.schemes.push((probe.scheme(), bad));
            }
        }
        found
    }

    fn ask(&self, question: &Question<'_>) -> Option<Vec<u8>> {
        let argument = &mut *self.argument.try_borrow_mut().ok()?;
        abi::call_foreign_function(FUNCTION, argument.write(question)).ok()
    }
}

impl HostCrypto for EnvoyCrypto {
    fn verify(&self, question: &Question<'_>) -> Option<bool> {
        let (_, refusal) = self.schemes.iter().find(|(scheme, _)| *scheme == question.scheme)?;
        let answer = self.ask(question)?;
        match answer.as_slice() {
            VALID => Some(true),
            answer if answer == refusal => Some(false),
            _ => None,
        }
    }
}

/// What it is used for, for the log.
impl fmt::Display for EnvoyCrypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.schemes.iter().map(|(scheme, _)| scheme.to_string()).collect();
        if names.is_empty() { f.write_str("no signatures") } else { f.write_str(&names.join(" ")) }
    }
}

/// The function's argument, a message of protobuf.
#[derive(Debug, Default)]
struct Argument {
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Argument {
    fn write(&mut self, question: &Question<'_>) -> &[u8] {
        self.message.clear();
        let (Scheme::RsaPkcs1(hash) | Scheme::Ecdsa(hash)) = question.scheme;
        put_octets(1, name(hash).as_bytes(), &mut self.message);
        put_octets(2, question.key, &mut self.message);
        match question.scheme {
            Scheme::RsaPkcs1(_) => put_octets(3, question.signature, &mut self.message),
            Scheme::Ecdsa(_) => {
                self.signature.clear();
                der::ecdsa_signature(question.signature, &mut self.signature);
                put_octets(3, &self.signature, &mut self.message);
            }
        }
        put_octets(4, question.message, &mut self.message);
        &self.message
    }
}

const fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "sha256",
        Hash::Sha384 => "sha384",
        Hash::Sha512 => "sha512",
    }
}
