//! Nothing that stands where a certificate or a key is expected stops the gate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::{GOOD, block, configured, der, fetched};

/// Certificates and keys of every kind, the bad ones included, as DER with the label they had.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let good = GOOD.into_iter().flat_map(|(_, certificate, public)| [certificate, public]);
    let more = [pem!("rsa.pkcs1"), pem!("rsa-pss"), pem!("p256.explicit"), pem!("secp256k1")];
    let label =
        |pem: &'static str| pem.strip_prefix("-----BEGIN ").unwrap().split_once("-----").unwrap().0;
    good.chain(more).map(|pem| (label(pem), der(pem))).collect()
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn mutated_der_is_a_key_or_has_a_reason(
        which in 0..14_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (label, mut der) = corpus().swap_remove(which);
        for (at, octet) in changes {
            let at = at.index(der.len());
            der[at] = octet;
        }
        der.truncate(cut.map_or(der.len(), |cut| cut.index(der.len())));
        prop_assert!(!configured(&block(label, &der)).is_empty());
        let jwk = serde_json::json!({ "keys": [{ "kty": "RSA", "x5c": [STANDARD.encode(&der)] }] });
        prop_assert!(!fetched(&jwk.to_string()).is_empty());
    }

    #[test]
    fn mutated_pem_is_a_key_or_has_a_reason(
        which in 0..14_usize,
        at in any::<prop::sample::Index>(),
        put in prop_oneof!["[ -~\n\r]{0,3}", Just("-----".to_owned()), Just("-----BEGIN ".to_owned()), Just("-----END ".to_owned())],
        take in 0..8_usize,
    ) {
        let (label, der) = corpus().swap_remove(which);
        let mut text = block(label, &der);
        let at = at.index(text.len());
        text.replace_range(at..(at + take).min(text.len()), &put);
        prop_assert!(!configured(&text).is_empty());
        let map = serde_json::json!({ "a": text }).to_string();
        prop_assert!(!fetched(&map).is_empty());
    }

    #[test]
    fn any_octets_are_a_key_or_have_a_reason(der in prop::collection::vec(any::<u8>(), 0..200)) {
        for label in ["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"] {
            prop_assert!(!configured(&block(label, &der)).is_empty());
        }
    }
}

#[test]
fn every_single_octet_of_a_certificate_may_be_anything() {
    for pem in [pem!("p256"), pem!("ed25519")] {
        let good = der(pem);
        for at in 0..good.len() {
            for octet in [0, 0x1f, 0x7f, 0x80, 0x84, 0xff, good[at] ^ 1] {
                let mut der = good.clone();
                der[at] = octet;
                let jwk = serde_json::json!({ "keys": [{ "kty": "EC", "x5c": [STANDARD.encode(&der)] }] });
                assert!(!fetched(&jwk.to_string()).is_empty(), "{at} {octet}");
            }
        }
    }
}

#[test]
fn nesting_and_length_of_der_are_bounded() {
    // Sequences in sequences: nothing that is skipped is entered.
    let mut nested = vec![0x30, 0];
    for _ in 0..100_000 {
        let length = u32::try_from(nested.len()).unwrap().to_be_bytes();
        let header = match nested.len() {
            0..=0x7f => vec![0x30, length[3]],
            0x80..=0xff => vec![0x30, 0x81, length[3]],
            0x100..=0xffff => vec![0x30, 0x82, length[2], length[3]],
            _ => break,
        };
        nested.splice(0..0, header);
    }
    let reason = "no usable key; PEM block 1: not an X.509 certificate in DER";
    assert_eq!(configured(&block("CERTIFICATE", &nested)), [reason]);
    for length in [&[0x84, 0xff, 0xff, 0xff, 0xff][..], &[0x80], &[0x88, 1, 0, 0, 0, 0, 0, 0, 0]] {
        let der = [&[0x30], length].concat();
        assert_eq!(configured(&block("CERTIFICATE", &der)), [reason]);
    }
}
