//! Ed25519: ours and `ed25519-dalek`'s strict rules have one verdict on keys, signatures and messages
//! that the fuzzer chose, and on good signatures with its changes.

#![no_main]

use ed25519_dalek::{Signature, Signer, SigningKey};
use jwt_gate::crypto::{Algorithm, NoHostCrypto, VerifyingKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((seed, rest)) = input.split_first_chunk::<32>() else { return };
    let Some((change, message)) = rest.split_first_chunk::<64>() else { return };
    // As they come: a point, R and S.
    same(seed, message, change);
    // A signature that is good but for the change.
    let key = SigningKey::from_bytes(seed);
    let mut signature = key.sign(message).to_bytes();
    signature.iter_mut().zip(change).for_each(|(octet, change)| *octet = octet.wrapping_add(*change));
    same(key.verifying_key().as_bytes(), message, &signature);
});

fn same(x: &[u8; 32], message: &[u8], signature: &[u8; 64]) {
    let Ok(ours) = VerifyingKey::ed25519(x) else { return };
    let crates = ed25519_dalek::VerifyingKey::from_bytes(x).expect("a key that we take");
    let verified = crates.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
    // With the fourth, the key gets its table of multiples.
    for _ in 0..4 {
        assert_eq!(ours.verify(Algorithm::EdDsa, message, signature, &NoHostCrypto), verified);
    }
}
