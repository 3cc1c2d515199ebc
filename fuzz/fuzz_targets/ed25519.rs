//! Ed25519: ours and `ed25519-dalek`'s strict rules have one verdict on keys, signatures and messages
//! that the fuzzer chose, on good signatures with its changes, and on keys and signatures that lie
//! off the base point's group.

#![no_main]
#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use std::sync::LazyLock;

use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signature;
use jwt_gate::crypto::{Algorithm, NoHostCrypto, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha512};

const MESSAGES: [&[u8]; 4] = [b"", b"a", &[0x5a; 111], &[0xa5; 500]];

/// A key by both, what it signed, and with what signature.
struct Signed {
    x: [u8; 32],
    ours: VerifyingKey,
    crates: ed25519_dalek::VerifyingKey,
    message: &'static [u8],
    signature: [u8; 64],
}

/// Each message, with key and R moved by each point of small order: an eighth of them is good.
static SIGNED: LazyLock<Vec<Signed>> = LazyLock::new(|| {
    let all = MESSAGES.iter().zip(1_u64..).flat_map(|(message, secret)| {
        (0..64_usize).map(move |n| signed(message, Scalar::from(secret * 0xDEAD_BEEF_CAFE), n))
    });
    all.collect()
});

fn signed(message: &'static [u8], a: Scalar, torsion: usize) -> Signed {
    let r = a * a;
    let x = (ED25519_BASEPOINT_TABLE * &a + EIGHT_TORSION[torsion / 8]).compress().to_bytes();
    let big_r = (ED25519_BASEPOINT_TABLE * &r + EIGHT_TORSION[torsion % 8]).compress().to_bytes();
    let hash = Sha512::new().chain_update(big_r).chain_update(x).chain_update(message);
    let s = r + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * a;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&big_r);
    signature[32..].copy_from_slice(s.as_bytes());
    let ours = VerifyingKey::ed25519(&x).expect("a key of a large order");
    let crates = ed25519_dalek::VerifyingKey::from_bytes(&x).expect("a point");
    Signed { x, ours, crates, message, signature }
}

fuzz_target!(|input: &[u8]| {
    let [choice, rest @ ..] = input else { return };
    if *choice == 0xff {
        // As they come: a point, R and S.
        let Some((x, rest)) = rest.split_first_chunk() else { return };
        let Some((signature, message)) = rest.split_first_chunk() else { return };
        return another_key(x, message, signature);
    }
    let all = &*SIGNED;
    let Signed { x, ours, crates, message, signature } = &all[usize::from(*choice) % all.len()];
    // Pairs of a place, in the signature, the key or the message, and what is added there.
    let (mut x, mut signature, mut message) = (*x, *signature, message.to_vec());
    let mut is_another_key = false;
    for change in rest.chunks_exact(2) {
        let octet = match usize::from(change[0]) {
            at @ 0..64 => Some(&mut signature[at]),
            at @ 64..96 => {
                is_another_key = true;
                Some(&mut x[at - 64])
            }
            at => message.get_mut(at - 96),
        };
        octet.into_iter().for_each(|octet| *octet = octet.wrapping_add(change[1]));
    }
    if is_another_key {
        return another_key(&x, &message, &signature);
    }
    same(ours, crates, &message, &signature);
});

/// A key that serves once has no table made for it.
fn another_key(x: &[u8; 32], message: &[u8], signature: &[u8; 64]) {
    let Ok(mut ours) = VerifyingKey::ed25519(x) else { return };
    ours.forgo_table();
    let crates = ed25519_dalek::VerifyingKey::from_bytes(x).expect("a key that we take");
    same(&ours, &crates, message, signature);
}

fn same(
    ours: &VerifyingKey,
    crates: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &[u8; 64],
) {
    let verified = crates.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
    // With the fourth, the key gets its table of multiples.
    for _ in 0..4 {
        assert_eq!(ours.verify(Algorithm::EdDsa, message, signature, &NoHostCrypto), verified);
    }
}
