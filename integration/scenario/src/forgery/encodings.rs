//! RSA signatures whose encodings are nearly right. Only who has the private key can make one for a
//! given key, but anybody can make a key for a given encoding: with the exponent 3, the cube of a
//! number less the encoding is a modulus under which that number is its signature.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Forgery, difference, hex};

/// The largest number whose cube has 2048 bits; it is odd.
const ROOT: &str = "6597fa94f5b8f20ac16666ad0f7137bc6601d8856282a057c8a46b033e4c107961d7c4d95e90eb70e25b02e570091389c75bda57d0548c11988af15d2cb2babc57ea2fc86fb55e1358c3cfadabca843ae654a2fc133";

/// `DigestInfo` of SHA-256 up to the hash (RFC 8017, 9.2, note 1).
const DIGEST_INFO: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

const NO_NULL: &[u8] = b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20";

const LONG_FORM: &[u8] =
    b"\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

type Encoding = fn(&[u8]) -> Vec<u8>;

/// Algorithm, what is done, whether it is right, and the encoding for the hash of a message.
const ENCODINGS: [(&str, &str, bool, Encoding); 26] = [
    ("RS256", "as it should be", true, |hash| framed(&[DIGEST_INFO, hash].concat())),
    ("RS256", "no NULL", false, |hash| framed(&[NO_NULL, hash].concat())),
    ("RS256", "a length in its long form", false, |hash| framed(&[LONG_FORM, hash].concat())),
    ("RS256", "the hash alone", false, framed),
    ("RS256", "an octet behind the hash", false, |hash| early(hash, 1)),
    ("RS256", "8 octets behind the hash", false, |hash| early(hash, 8)),
    ("RS256", "194 octets behind the hash", false, |hash| early(hash, 194)),
    ("RS256", "block type 0", false, |hash| changed(&framed(&[DIGEST_INFO, hash].concat()), 1, 1)),
    ("RS256", "block type 2", false, |hash| changed(&framed(&[DIGEST_INFO, hash].concat()), 1, 3)),
    ("RS256", "no zero in front", false, |hash| {
        changed(&framed(&[DIGEST_INFO, hash].concat()), 0, 1)
    }),
    ("RS256", "padding of something else", false, |hash| {
        changed(&framed(&[DIGEST_INFO, hash].concat()), 100, 1)
    }),
    ("RS256", "another hash", false, |hash| {
        changed(&framed(&[DIGEST_INFO, hash].concat()), 254, 1)
    }),
    ("RS256", "the encoding of PSS", false, |hash| pss(hash, 32, 1, 0xbc)),
    ("PS256", "as it should be", true, |hash| pss(hash, 32, 1, 0xbc)),
    ("PS256", "no salt", false, |hash| pss(hash, 0, 1, 0xbc)),
    ("PS256", "a salt of 20", false, |hash| pss(hash, 20, 1, 0xbc)),
    ("PS256", "a salt of 31", false, |hash| pss(hash, 31, 1, 0xbc)),
    ("PS256", "a salt of 33", false, |hash| pss(hash, 33, 1, 0xbc)),
    ("PS256", "a salt of 64", false, |hash| pss(hash, 64, 1, 0xbc)),
    ("PS256", "as much salt as there is room for", false, |hash| pss(hash, 222, 1, 0xbc)),
    ("PS256", "separator 0", false, |hash| pss(hash, 32, 0, 0xbc)),
    ("PS256", "separator 2", false, |hash| pss(hash, 32, 2, 0xbc)),
    ("PS256", "trailer 0xcc", false, |hash| pss(hash, 32, 1, 0xcc)),
    ("PS256", "an octet of the mask", false, |hash| changed(&pss(hash, 32, 1, 0xbc), 50, 1)),
    ("PS256", "an octet of the hash", false, |hash| changed(&pss(hash, 32, 1, 0xbc), 240, 1)),
    ("PS256", "the encoding of PKCS #1 v1.5", false, |hash| framed(&[DIGEST_INFO, hash].concat())),
];

/// Tokens with such signatures, which are good until then in Unix seconds, and their keys.
pub(super) fn all(until: u64) -> Vec<(Forgery, Value)> {
    let made = ENCODINGS.iter().enumerate().map(|(number, (algorithm, what, good, encoding))| {
        let kid = format!("encoding-{number}");
        let header = json!({ "alg": algorithm, "kid": kid });
        let claims = json!({ "iss": "https://idp.example", "sub": "alice", "exp": until });
        let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
        let input = format!("{header}.{claims}");
        let encoded = encoding(digest(&SHA256, input.as_bytes()).as_ref());
        let (n, signature) = key(&encoded);
        let jwk = json!({ "kty": "RSA", "kid": kid, "n": encode(&n), "e": "Aw" });
        let label = format!("{algorithm}, an encoding: {what}");
        let token = format!("{input}.{}", encode(&signature));
        (Forgery { label, token, good: *good }, jwk)
    });
    made.collect()
}

/// A modulus under which the second number is a signature with this encoding.
fn key(encoded: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut root = hex(&format!("0{ROOT}"));
    // A modulus is odd.
    if let (Some(last), Some(true)) = (root.last_mut(), encoded.last().map(|octet| octet % 2 == 1))
    {
        *last &= 0xfe;
    }
    let cube = product(&product(&root, &root), &root);
    let signature = fitted(&root);
    (difference(&fitted(&cube), encoded), signature)
}

/// As an integer of 256 octets.
fn fitted(integer: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = integer.iter().copied().skip_while(|octet| *octet == 0).collect();
    [vec![0; 256_usize.saturating_sub(digits.len())], digits].concat()
}

/// a · b of big-endian integers.
fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![0_u64; a.len().saturating_add(b.len())];
    for (i, a) in a.iter().rev().enumerate() {
        let below = digits.iter_mut().skip(i);
        for (digit, b) in below.zip(b.iter().rev()) {
            *digit = digit.saturating_add(u64::from(*a).saturating_mul(u64::from(*b)));
        }
    }
    let mut carry = 0_u64;
    let mut octets: Vec<u8> = Vec::with_capacity(digits.len());
    for digit in digits {
        carry = carry.saturating_add(digit);
        octets.push(carry.to_le_bytes()[0]);
        carry >>= 8;
    }
    octets.reverse();
    octets
}

/// The frame of PKCS #1 v1.5 around this.
fn framed(info: &[u8]) -> Vec<u8> {
    [&[0, 1], &*vec![0xff; 253_usize.saturating_sub(info.len())], &[0], info].concat()
}

/// A shorter padding, and as many zeros behind the hash.
fn early(hash: &[u8], garbage: usize) -> Vec<u8> {
    let padding = vec![0xff; 202_usize.saturating_sub(garbage)];
    [&[0, 1], &*padding, &[0], DIGEST_INFO, hash, &*vec![0; garbage]].concat()
}

/// EMSA-PSS with a salt so long, and these parts.
fn pss(hash: &[u8], salt: usize, separator: u8, trailer: u8) -> Vec<u8> {
    let salt = vec![7; salt];
    let hash = digest(&SHA256, &[&[0; 8], hash, &*salt].concat());
    let zeros = vec![0; 222_usize.saturating_sub(salt.len())];
    let block = [&*zeros, &[separator], &*salt].concat();
    let mask = (0_u32..).flat_map(|counter| {
        let part = digest(&SHA256, &[hash.as_ref(), &counter.to_be_bytes()].concat());
        part.as_ref().to_vec()
    });
    let mut encoded: Vec<u8> = block.iter().zip(mask).map(|(block, mask)| block ^ mask).collect();
    encoded.iter_mut().take(1).for_each(|octet| *octet &= 0x7f);
    [&encoded, hash.as_ref(), &[trailer]].concat()
}

fn changed(encoded: &[u8], at: usize, bits: u8) -> Vec<u8> {
    let mut changed = encoded.to_vec();
    changed.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= bits);
    changed
}

fn encode(octets: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(octets)
}
