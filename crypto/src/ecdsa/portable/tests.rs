use super::*;

use ecdsa::elliptic_curve::{Field, PrimeField};
use proptest::prelude::*;

/// A signature of these numbers, if they are ones of the curve.
fn signature<C: Tabled>(r: Scalar<C>, s: Scalar<C>) -> Option<Signature<C>> {
    Signature::from_scalars(r, s).ok()
}

/// A number made of octets that somebody else chose.
fn number<C: Tabled>(octets: &[u8]) -> Scalar<C> {
    let length = FieldBytes::<C>::default().len().min(octets.len());
    scalar::<C>(&octets[..length]).unwrap()
}

/// A key whose tables are there.
fn key<C: Tabled>(secret: Scalar<C>) -> Known<C> {
    let known = Known::<C>::new((ProjectivePoint::<C>::generator() * secret).to_affine());
    let any = signature::<C>(Scalar::<C>::ONE, Scalar::<C>::ONE).unwrap();
    while known.by_tables(&[], &any).is_none() {}
    known
}

/// The verdict of both, which is the same.
fn verdict<C: Tabled>(key: &Known<C>, hash: &[u8], signature: &Signature<C>) -> bool {
    let ours = key.by_tables(hash, signature).unwrap();
    let crates = hazmat::verify_prehashed(&key.point, hash, signature).is_ok();
    assert_eq!(ours, crates, "{hash:?}");
    ours
}

/// A good signature over a hash, for a nonce.
fn sign<C: Tabled>(
    secret: Scalar<C>,
    nonce: Scalar<C>,
    hash: &[u8],
) -> Option<(Scalar<C>, Scalar<C>)> {
    let point = (ProjectivePoint::<C>::generator() * nonce).to_affine();
    let r = Scalar::<C>::reduce(&point.x());
    let inverse: Option<Scalar<C>> = Field::invert(&nonce).into();
    Some((r, inverse? * (scalar::<C>(hash)? + r * secret)))
}

fn a_signature_has_one_verdict<C: Tabled>(octets: &[[u8; 64]; 3], change: &[u8; 64]) {
    let [secret, nonce, _] = octets.map(|octets| number::<C>(&octets));
    let length = FieldBytes::<C>::default().len().min(64);
    let hash = &octets[2][..length];
    if bool::from(secret.is_zero()) {
        return;
    }
    let key = key::<C>(secret);
    let Some((r, s)) = sign::<C>(secret, nonce, hash) else { return };
    if let Some(good) = signature::<C>(r, s) {
        assert!(verdict(&key, hash, &good));
        // n - s is as good as s to ECDSA, and no question of the tables.
        assert!(verdict(&key, hash, &signature::<C>(r, -s).unwrap()));
        let other = number::<C>(change);
        for (r, s) in [(r + other, s), (r, s + other), (other, s), (r, other), (other, other)] {
            signature::<C>(r, s).map(|changed| verdict(&key, hash, &changed));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_signature_has_one_verdict_by_tables_and_by_the_crate(
        octets in proptest::array::uniform3(proptest::array::uniform(any::<u8>())),
        change in proptest::array::uniform(any::<u8>()),
    ) {
        a_signature_has_one_verdict::<p256::NistP256>(&octets, &change);
        a_signature_has_one_verdict::<p384::NistP384>(&octets, &change);
        a_signature_has_one_verdict::<p521::NistP521>(&octets, &change);
    }
}

fn the_odd_cases_have_one_verdict<C: Tabled>() {
    let one = Scalar::<C>::ONE;
    let small = [one, one + one, Scalar::<C>::from(32_u64)];
    let odd = [Scalar::<C>::ROOT_OF_UNITY];
    let numbers: Vec<_> = small.into_iter().chain(odd).flat_map(|n| [n, -n]).collect();
    for secret in &numbers {
        let key = key::<C>(*secret);
        for r in &numbers {
            for s in &numbers {
                let signature = signature::<C>(*r, *s).unwrap();
                // A hash of 0; one for which the sum is infinity; one for which both products
                // are the same point, so that it is doubled.
                for z in [Scalar::<C>::ZERO, -*r * secret, *r * secret] {
                    let mut hash = little_endian::<C>(z);
                    hash.reverse();
                    let good = verdict(&key, &hash, &signature);
                    assert!(!good || z != -*r * secret, "infinity");
                }
            }
        }
    }
}

#[test]
fn the_odd_cases_have_one_verdict_by_tables_and_by_the_crate() {
    the_odd_cases_have_one_verdict::<p256::NistP256>();
    the_odd_cases_have_one_verdict::<p384::NistP384>();
    the_odd_cases_have_one_verdict::<p521::NistP521>();
}

#[test]
fn a_hash_that_is_longer_than_the_order_has_no_verdict_by_tables() {
    assert!(scalar::<p256::NistP256>(&[1; 33]).is_none());
    assert!(scalar::<p521::NistP521>(&[1; 64]).is_some());
}
