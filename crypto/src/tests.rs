#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// The RSA key of RFC 7520, section 3.3.
const N: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";

/// Its signature over `a message`, PS256; small enough that n can be added in the same length.
const PS256: &str = "Ak_pHLZLUBIZ55EakzbWQE3ohvtVe9QGien4gIqt8ZxIYR3LnhDhITTejmpnC0RV5IcNDHcmt_1m8HAB9kolfgD2BxcKP7cJq5pfuen2_BxWOXDuotLgWvbM4tpGjl7D6UGzTPgAtKe9fUDh3b5wCmQNDqjhLg6dCAna-4ayoeaIZQgrkEMWD6EX5lP9swtMsBqbi_j8T0ke_Jz_195gIo4Sg5C_WrhkuQL-p4uSXY1k53KGEJiKqnL__xC0vnzaBOSRmqxM5uemjCUxpQGhdWFKAdeUzJDee2D8SAM8Y9l7xyttLfbzqOkbCRUIMozusaJkGOngbYhWDixeCJKK8g";

/// Its signature over `message 1`, RS256; small likewise.
const RS256: &str = "YCc--sjMCSgtXC1v8T2aGA0FAVn50ow6wQYzecPYH77yxdZtyuVK-VFHnPEDAKXTgygC1CdcW7xYHIO8T3Rdbejgzh8DmyXdb5_Wupr-uCWEagN4s5by6P-o92gsnpXDqmM_opIjEk2Rc0Yn5WOuE-ou7C2lWxrKZJq5M90LWIUbCQxqg62Kk1ljKJHf6jnDC14NPOpWhlZek4DyL_2AwLw8yHUdqAYjTpbrnHs7hry7lA5iNJuTo2KfZoOlGosbfS38ugX4iEEsCA-N8bPpwP7NVsVrDaDA2bz6UN7WMyBHX4pq1V4wcw9DBBtcZyAPsZt4FT5wCPeSxyWj2jsJFg";

/// The P-256 key of RFC 7515, appendix A.3.
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

/// The key of RFC 8037, appendix A.2.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn octets(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xff; bits.div_ceil(8)];
    n[0] >>= n.len() * 8 - bits;
    n
}

/// a + b of big-endian integers, in the length of a.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    assert_eq!(carry, 0, "the sum is longer");
    sum.reverse();
    sum
}

#[test]
fn an_rsa_key_has_2048_to_4096_bits() {
    for bits in [2048, 2049, 2056, 3072, 4095, 4096] {
        let key = VerifyingKey::rsa(&modulus(bits), &[1, 0, 1]);
        assert_eq!(format!("{:?}", key.unwrap()), format!("VerifyingKey(RSA, {bits} bits)"));
    }
    for bits in [8, 512, 1024, 2040, 2047, 4097, 4104, 8192, 16384] {
        let error = VerifyingKey::rsa(&modulus(bits), &[1, 0, 1]).unwrap_err();
        assert_eq!(error, KeyError::ModulusSize { bits });
    }
    let error = VerifyingKey::rsa(&[], &[3]).unwrap_err();
    assert_eq!(error, KeyError::ModulusSize { bits: 0 });
}

#[test]
fn an_rsa_modulus_is_odd() {
    let mut n = octets(N);
    *n.last_mut().unwrap() ^= 1;
    assert_eq!(VerifyingKey::rsa(&n, &[3]).unwrap_err(), KeyError::ModulusEven);
}

#[test]
fn an_rsa_exponent_is_odd_at_least_3_and_of_33_bits() {
    let n = octets(N);
    for e in [&[3][..], &[17], &[1, 0, 1], &[0xff; 4], &[1, 0xff, 0xff, 0xff, 0xff]] {
        assert!(VerifyingKey::rsa(&n, e).is_ok(), "{e:?}");
    }
    for e in [&[][..], &[1], &[2], &[4], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1; 6], &[1; 9], &n] {
        assert_eq!(VerifyingKey::rsa(&n, e).unwrap_err(), KeyError::Exponent, "{e:?}");
    }
}

#[test]
fn rsa_integers_have_their_shortest_form() {
    let n = octets(N);
    let longer = [&[0], &*n].concat();
    let error = VerifyingKey::rsa(&longer, &[3]).unwrap_err();
    assert_eq!(error, KeyError::NotMinimal { member: "n" });
    for e in [&[0][..], &[0, 3], &[0, 1, 0, 1]] {
        let error = VerifyingKey::rsa(&n, e).unwrap_err();
        assert_eq!(error, KeyError::NotMinimal { member: "e" }, "{e:?}");
    }
}

#[test]
fn an_rsa_signature_is_below_the_modulus_and_as_long() {
    let n = octets(N);
    let key = VerifyingKey::rsa(&n, &[1, 0, 1]).unwrap();
    let cases: [(_, &[u8], _); 2] = [
        (Algorithm::Ps256, b"a message", octets(PS256)),
        (Algorithm::Rs256, b"message 1", octets(RS256)),
    ];
    for (algorithm, message, signature) in cases {
        assert!(key.verify(algorithm, message, &signature, &NoHostCrypto), "{algorithm}");
        let wrong = [
            sum(&signature, &n),
            n.clone(),
            vec![0; 256],
            vec![0xff; 256],
            signature[1..].to_vec(),
            signature[..255].to_vec(),
            [&[0], &*signature].concat(),
            [&*signature, &[0]].concat(),
            Vec::new(),
        ];
        for (i, wrong) in wrong.iter().enumerate() {
            assert!(!key.verify(algorithm, message, wrong, &NoHostCrypto), "{algorithm}: row {i}");
        }
        assert!(
            !key.verify(algorithm, b"another message", &signature, &NoHostCrypto),
            "{algorithm}"
        );
    }
}

#[test]
fn a_modulus_one_bit_over_full_octets_serves_no_pss() {
    for (bits, pss) in [(2048, true), (2049, false), (2050, true), (3072, true), (4089, false)] {
        let key = VerifyingKey::rsa(&modulus(bits), &[1, 0, 1]).unwrap();
        for algorithm in [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512] {
            assert_eq!(key.serves(algorithm), pss, "{bits} bits, {algorithm}");
        }
        assert!(key.serves(Algorithm::Rs256), "{bits} bits");
    }
}

#[test]
fn ec_coordinates_have_the_length_of_the_field() {
    let (x, y) = (octets(P256_X), octets(P256_Y));
    assert!(VerifyingKey::ec(Curve::P256, &x, &y).is_ok());
    let longer = [&[0], &*x].concat();
    for (curve, wrong) in [
        (Curve::P256, &x[1..]),
        (Curve::P256, &longer),
        (Curve::P256, &[]),
        (Curve::P384, &x),
        (Curve::P521, &[1; 65]),
        (Curve::P521, &[1; 67]),
    ] {
        let expected = KeyError::Coordinate { curve, octets: wrong.len() };
        assert_eq!(VerifyingKey::ec(curve, wrong, &y).unwrap_err(), expected, "x");
        if curve == Curve::P256 {
            assert_eq!(VerifyingKey::ec(curve, &x, wrong).unwrap_err(), expected, "y");
        }
    }
}

#[test]
fn an_ec_key_is_a_point_of_its_curve() {
    for curve in [Curve::P256, Curve::P384, Curve::P521] {
        for octet in [0, 1, 0xff] {
            let coordinate = vec![octet; curve.octets()];
            let error = VerifyingKey::ec(curve, &coordinate, &coordinate).unwrap_err();
            assert_eq!(error, KeyError::NotOnCurve { curve }, "{octet}");
        }
    }
    let (x, y) = (octets(P256_X), octets(P256_Y));
    assert!(VerifyingKey::ec(Curve::P256, &y, &x).is_err(), "the coordinates swapped");
}

#[test]
fn an_ed25519_key_has_one_encoding_and_a_large_order() {
    assert!(VerifyingKey::ed25519(&octets(ED25519_X)).is_ok());
    for length in [0, 31, 33, 57, 64] {
        let error = VerifyingKey::ed25519(&vec![1; length]).unwrap_err();
        assert_eq!(error, KeyError::Ed25519Size { octets: length });
    }
    // y = 1, y = -1, y = 0, and y = 1 as p + 1.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    let mut p_plus_one = minus_one;
    p_plus_one[0] = 0xee;
    for x in [one, minus_one, [0; 32], p_plus_one] {
        let error = VerifyingKey::ed25519(&x).unwrap_err();
        assert_eq!(error, KeyError::Ed25519SmallOrder, "{x:?}");
    }
    // y = p + 3 means y = 3, which is a point of large order; y = p + 2 = 2 is none at all.
    let mut three = [0; 32];
    three[0] = 3;
    assert!(VerifyingKey::ed25519(&three).is_ok());
    for low in [0xef, 0xf0] {
        let mut x = minus_one;
        x[0] = low;
        assert_eq!(VerifyingKey::ed25519(&x).unwrap_err(), KeyError::Ed25519Point, "{low:#x}");
    }
}

#[test]
fn an_ed25519_signature_is_not_of_small_order() {
    // Made with the private key, with R = 1: the equation holds, the strict rules do not.
    let signature = octets(
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSCi4lsPEVR6muKthI7Xcxx3-Z8ahxLTY0VdNE2zOsBA",
    );
    let key = VerifyingKey::ed25519(&octets(ED25519_X)).unwrap();
    assert!(!key.verify(Algorithm::EdDsa, b"message", &signature, &NoHostCrypto));
}

#[test]
fn an_ed25519_signature_has_one_verdict_with_and_without_a_table() {
    // RFC 8037, appendix A.4.
    let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let good = octets(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
    let with = VerifyingKey::ed25519(&octets(ED25519_X)).unwrap();
    let mut without = VerifyingKey::ed25519(&octets(ED25519_X)).unwrap();
    without.forgo_table();
    for key in [with, without] {
        let verify = |signature: &[u8]| {
            key.verify(Algorithm::EdDsa, message.as_bytes(), signature, &NoHostCrypto)
        };
        // The second time the table is there.
        assert!(verify(&good) && verify(&good));
        for at in 0..64 {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(!verify(&changed), "octet {at}");
        }
    }
}

#[test]
fn a_signature_is_one_of_the_named_algorithm_only() {
    // RFC 7515, appendix A.3, and RFC 8037, appendix A.4.
    let ec = VerifyingKey::ec(Curve::P256, &octets(P256_X), &octets(P256_Y)).unwrap();
    let ed = VerifyingKey::ed25519(&octets(ED25519_X)).unwrap();
    for (key, own, token) in [
        (
            ec,
            Algorithm::Es256,
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            ed,
            Algorithm::EdDsa,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ] {
        let (message, signature) = token.rsplit_once('.').unwrap();
        for algorithm in Algorithm::ALL {
            let verified =
                key.verify(algorithm, message.as_bytes(), &octets(signature), &NoHostCrypto);
            assert_eq!(verified, algorithm == own, "{own} as {algorithm}");
        }
    }
}

#[test]
fn a_secret_serves_the_hashes_that_are_no_longer_than_it() {
    for octets in [0, 1, 16, 31] {
        let error = VerifyingKey::hmac(&vec![7; octets]).unwrap_err();
        assert_eq!(error, KeyError::Secret { octets });
    }
    for (octets, expected) in [
        (32, &["HS256"][..]),
        (47, &["HS256"]),
        (48, &["HS256", "HS384"]),
        (63, &["HS256", "HS384"]),
        (64, &["HS256", "HS384", "HS512"]),
        (1000, &["HS256", "HS384", "HS512"]),
    ] {
        let key = VerifyingKey::hmac(&vec![7; octets]).unwrap();
        assert_eq!(served(&key), expected, "{octets} octets");
    }
}

#[test]
fn a_tag_is_compared_whole() {
    use jwt_compact::Algorithm as _;
    use jwt_compact::alg::{Hs256, Hs256Key};

    let secret = [7; 32];
    let key = VerifyingKey::hmac(&secret).unwrap();
    let tag = Hs256.sign(&Hs256Key::new(secret), b"message").as_bytes().into_owned();
    assert!(key.verify(Algorithm::Hs256, b"message", &tag, &NoHostCrypto));
    for length in 0..32 {
        assert!(
            !key.verify(Algorithm::Hs256, b"message", &tag[..length], &NoHostCrypto),
            "{length}"
        );
    }
    for longer in [[&*tag, &[0]].concat(), [&*tag, &*tag].concat()] {
        assert!(!key.verify(Algorithm::Hs256, b"message", &longer, &NoHostCrypto));
    }
    for algorithm in [Algorithm::Hs384, Algorithm::Hs512, Algorithm::Rs256] {
        assert!(!key.verify(algorithm, b"message", &tag, &NoHostCrypto), "{algorithm}");
    }
}

#[test]
fn the_family_comes_from_the_key() {
    let keys = [
        (
            VerifyingKey::rsa(&octets(N), &[1, 0, 1]),
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        (VerifyingKey::ec(Curve::P256, &octets(P256_X), &octets(P256_Y)), &["ES256"]),
        (VerifyingKey::ed25519(&octets(ED25519_X)), &["EdDSA"]),
    ];
    for (key, expected) in keys {
        assert_eq!(served(&key.unwrap()), expected);
    }
}

#[test]
fn debug_shows_no_key() {
    let keys = [
        (VerifyingKey::ec(Curve::P256, &octets(P256_X), &octets(P256_Y)), "EC, P-256"),
        (VerifyingKey::ed25519(&octets(ED25519_X)), "Ed25519"),
        (VerifyingKey::hmac(&[0x41; 40]), "HMAC, 40 octets"),
    ];
    for (key, expected) in keys {
        assert_eq!(format!("{:?}", key.unwrap()), format!("VerifyingKey({expected})"));
    }
}

fn served(key: &VerifyingKey) -> Vec<&'static str> {
    Algorithm::ALL.into_iter().filter(|a| key.serves(*a)).map(Algorithm::name).collect()
}

/// A host with one answer to everything, which notes what it was asked.
#[derive(Debug)]
struct Oracle {
    answer: Option<bool>,
    asked: std::cell::RefCell<Vec<String>>,
}

impl HostCrypto for Oracle {
    fn verify(&self, question: &Question<'_>) -> Option<bool> {
        self.asked.borrow_mut().push(question.scheme.to_string());
        self.answer
    }
}

#[test]
fn a_host_decides_if_it_can_and_is_not_asked_what_is_wrong_by_its_range() {
    let rsa = VerifyingKey::rsa(&octets(N), &[1, 0, 1]).unwrap();
    let ec = VerifyingKey::ec(Curve::P256, &octets(P256_X), &octets(P256_Y)).unwrap();
    let ed = VerifyingKey::ed25519(&octets(ED25519_X)).unwrap();
    let (good, in_range) = (octets(RS256), [1; 64]);
    // Without an answer the verdict is our own.
    let rows: [(&VerifyingKey, _, &[u8], Option<&str>, bool); 9] = [
        (&rsa, Algorithm::Rs256, &good, Some("RS256"), true),
        (&rsa, Algorithm::Rs384, &good, Some("RS384"), false),
        (&rsa, Algorithm::Rs256, &octets(N), None, false),
        (&rsa, Algorithm::Rs256, &good[1..], None, false),
        (&rsa, Algorithm::Ps256, &good, None, false),
        (&rsa, Algorithm::Es256, &in_range, None, false),
        (&ec, Algorithm::Es256, &in_range, Some("ES256"), false),
        (&ec, Algorithm::Es256, &[0; 64], None, false),
        (&ed, Algorithm::EdDsa, &in_range, None, false),
    ];
    for (row, (key, algorithm, signature, question, ours)) in rows.into_iter().enumerate() {
        for answer in [None, Some(true), Some(false)] {
            let host = Oracle { answer, asked: Vec::new().into() };
            let verified = key.verify(algorithm, b"message 1", signature, &host);
            let expected = if question.is_some() { answer.unwrap_or(ours) } else { ours };
            assert_eq!(verified, expected, "row {row}, {answer:?}");
            assert_eq!(host.asked.take(), question.into_iter().collect::<Vec<_>>(), "row {row}");
        }
    }
}
