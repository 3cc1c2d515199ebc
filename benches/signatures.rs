//! What one signature costs, by algorithm: a message as long as a usual token, a key that has been
//! loaded and used before.
//!
//! Run with `cargo bench --bench signatures`. The figures are of this machine's native code;
//! WebAssembly has no wide multiplication, and multiplies those of RSA and EC by two to four.
#![expect(clippy::unwrap_used, reason = "benchmark code")]

use divan::{Bencher, black_box};
use jwt_gate::crypto::{Algorithm, NoHostCrypto};
use jwt_gate::keys::set::{KeyLimits, KeySet};
use jwt_gate_scenario::{Algorithm as Signs, Keyring};

/// Signing input in octets.
const MESSAGE: usize = 1117;

/// Names of the keyring's keys, and what they sign with.
const CASES: [(&str, Algorithm, Signs); 8] = [
    ("rsa-1", Algorithm::Rs256, Signs::Rs256),
    ("rsa-1", Algorithm::Ps256, Signs::Ps256),
    ("rsa3072-1", Algorithm::Rs256, Signs::Rs256),
    ("p256-1", Algorithm::Es256, Signs::Es256),
    ("p384-1", Algorithm::Es384, Signs::Es384),
    ("p521-1", Algorithm::Es512, Signs::Es512),
    ("ed25519-1", Algorithm::EdDsa, Signs::EdDsa),
    ("hmac-1", Algorithm::Hs256, Signs::Hs256),
];

fn main() {
    divan::main();
}

#[divan::bench(args = CASES.map(|(key, algorithm, _)| format!("{algorithm} {key}")))]
fn verify(bencher: Bencher<'_, '_>, case: &str) {
    let of = |(key, algorithm, _): &(&str, Algorithm, Signs)| format!("{algorithm} {key}") == case;
    let (name, algorithm, signs) = CASES.into_iter().find(of).unwrap();
    let keyring = Keyring::new();
    let limits = KeyLimits { allow_symmetric: true, ..KeyLimits::default() };
    let (set, _) = KeySet::from_json(keyring.jwks(&[name]).unwrap().as_bytes(), &limits).unwrap();
    let key = set.keys().first().unwrap();
    let message = [b'a'; MESSAGE];
    let signature = keyring.sign(name, signs, &message).unwrap();
    let verify = || key.verify(algorithm, black_box(&message), &signature, &NoHostCrypto);
    assert!(verify(), "{algorithm}");
    bencher.bench(|| black_box(verify()));
}
