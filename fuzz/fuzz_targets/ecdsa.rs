//! ECDSA: ours and the curves' crates have one verdict on signatures and hashes that the fuzzer chose,
//! and on good signatures with its changes.

#![no_main]

use jwt_gate::crypto::{Algorithm, Curve, NoHostCrypto, VerifyingKey};
use libfuzzer_sys::fuzz_target;

macro_rules! same {
    ($crate_:ident, $octets:literal, $curve:ident, $algorithm:ident, $input:expr) => {{
        use $crate_::ecdsa::signature::{Signer, Verifier};
        use $crate_::ecdsa::{Signature, SigningKey};

        let Some((secret, rest)) = $input.split_first_chunk::<$octets>() else { return };
        let Some((change, message)) = rest.split_first_chunk::<{ 2 * $octets }>() else { return };
        let Ok(secret) = SigningKey::from_slice(secret) else { return };
        let crates = secret.verifying_key();
        let point = crates.to_sec1_point(false);
        let (x, y) = (point.x().expect("no infinity"), point.y().expect("not compressed"));
        let ours = VerifyingKey::ec(Curve::$curve, x, y).expect("a key of the curve");
        let good: Signature = secret.sign(message);
        let mut changed = good.to_bytes();
        changed.iter_mut().zip(change).for_each(|(octet, c)| *octet = octet.wrapping_add(*c));
        for octets in [&changed[..], &change[..]] {
            let verified = Signature::from_slice(octets)
                .is_ok_and(|signature| crates.verify(message, &signature).is_ok());
            // With the fourth, the key gets its table of multiples, with the eighth the base point.
            for _ in 0..8 {
                let verdict = ours.verify(Algorithm::$algorithm, message, octets, &NoHostCrypto);
                assert_eq!(verdict, verified);
            }
        }
    }};
}

fuzz_target!(|input: &[u8]| {
    let Some((curve, input)) = input.split_first() else { return };
    match curve % 3 {
        0 => same!(p256, 32, P256, Es256, input),
        1 => same!(p384, 48, P384, Es384, input),
        _ => same!(p521, 66, P521, Es512, input),
    }
});
