//! Tokens whose signatures were tampered with, in all the ways that implementations fell for.

mod encodings;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::keyring::{KeyError, Keyring};
use crate::token::MintError;

/// A token, and whether its signature is one.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// The algorithm, and what was done.
    pub label: String,
    /// The token.
    pub token: String,
    /// Whether it has to be accepted all the same.
    pub good: bool,
}

/// Forgeries, and the keys that they are meant for.
#[derive(Clone, Debug)]
pub struct Forgeries {
    /// The keys, as a JWK set.
    pub jwks: String,
    /// The forgeries.
    pub cases: Vec<Forgery>,
}

/// The keys that most are signed with.
const KEYS: [&str; 7] = ["rsa-1", "rsa3072-1", "p256-1", "p384-1", "p521-1", "ed25519-1", "hmac-1"];

const SIGNERS: [(&str, &str); 14] = [
    ("rsa-1", "RS256"),
    ("rsa-1", "RS384"),
    ("rsa-1", "RS512"),
    ("rsa3072-1", "RS256"),
    ("rsa-1", "PS256"),
    ("rsa-1", "PS384"),
    ("rsa-1", "PS512"),
    ("p256-1", "ES256"),
    ("p384-1", "ES384"),
    ("p521-1", "ES512"),
    ("ed25519-1", "EdDSA"),
    ("hmac-1", "HS256"),
    ("hmac-1", "HS384"),
    ("hmac-1", "HS512"),
];

/// Orders of the base points, big-endian and as long as a coordinate (SEC 2; RFC 8032, 5.1).
const P256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const P521: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
const ED25519: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

/// One good token of each algorithm and what can be made of it; `now_secs` is the time in Unix
/// seconds.
///
/// # Errors
/// The keyring cannot make a key or a token.
pub fn forgeries(keyring: &Keyring, now_secs: u64) -> Result<Forgeries, MintError> {
    let mut keys = KEYS.iter().map(|key| keyring.jwk(key, &[])).collect::<Result<Vec<_>, _>>()?;
    let mut all = Vec::new();
    for (key, algorithm) in SIGNERS {
        let mint = |key: &str, sub: &str| {
            keyring.mint(now_secs, &format!("key={key} alg={algorithm} kid={} sub={sub}", own(key)))
        };
        let token = mint(key, "alice")?;
        let Some((input, signature)) = split(&token) else { continue };
        let mut add = |what: &str, signature: &[u8], good: bool| {
            let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
            let label = format!("{key} {algorithm}: {what}");
            all.push(Forgery { label, token: format!("{input}.{signature}"), good });
        };
        add("as it was made", &signature, true);
        for (what, other) in [
            ("of another message", mint(key, "bob")?),
            ("of another key", mint(&format!("{key}-other"), "alice")?),
        ] {
            add(what, &split(&other).map(|(_, signature)| signature).unwrap_or_default(), false);
        }
        generic(&signature, &mut add);
        match key.split_once('-').map(|(kind, _)| kind) {
            Some("rsa" | "rsa3072") => of_rsa(&modulus(keyring, key)?, &signature, &mut add),
            Some("p256") => of_ecdsa(&hex(P256), &signature, &mut add),
            Some("p384") => of_ecdsa(&hex(P384), &signature, &mut add),
            Some("p521") => of_ecdsa(&hex(P521), &signature, &mut add),
            Some("ed25519") => of_ed25519(&signature, &mut add),
            Some("hmac") => of_hmac(&signature, &mut add),
            Some(_) | None => {}
        }
    }
    for (forgery, jwk) in encodings::all(now_secs.saturating_add(3_600)) {
        all.push(forgery);
        keys.push(jwk);
    }
    Ok(Forgeries { jwks: serde_json::json!({ "keys": keys }).to_string(), cases: all })
}

type Add<'a> = dyn FnMut(&str, &[u8], bool) + 'a;

/// The `kid` under which a key of another name pretends to be the published one.
fn own(key: &str) -> &str {
    key.strip_suffix("-other").unwrap_or(key)
}

fn split(token: &str) -> Option<(String, Vec<u8>)> {
    let (input, signature) = token.rsplit_once('.')?;
    Some((input.to_owned(), BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?))
}

fn modulus(keyring: &Keyring, key: &str) -> Result<Vec<u8>, KeyError> {
    let jwk = keyring.jwk(key, &[])?;
    let n = jwk.get("n").and_then(|n| BASE64_URL_SAFE_NO_PAD.decode(n.as_str()?).ok());
    Ok(n.unwrap_or_default())
}

fn generic(signature: &[u8], add: &mut Add<'_>) {
    let length = signature.len();
    for at in [0, length / 2, length.saturating_sub(1)] {
        for bit in [1, 0x80] {
            let mut flipped = signature.to_vec();
            flipped.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= bit);
            add(&format!("octet {at} xor {bit:#x}"), &flipped, false);
        }
    }
    add("nothing but zeros", &vec![0; length], false);
    add("nothing but ones", &vec![0xff; length], false);
    add("an octet too short", signature.get(1..).unwrap_or_default(), false);
    add(
        "an octet too short at the end",
        signature.split_last().map(|(_, rest)| rest).unwrap_or_default(),
        false,
    );
    add("a zero before it", &[&[0], signature].concat(), false);
    add("a zero behind it", &[signature, &[0]].concat(), false);
    add("twice", &[signature, signature].concat(), false);
}

fn of_rsa(n: &[u8], signature: &[u8], add: &mut Add<'_>) {
    let one = [&vec![0; n.len().saturating_sub(1)][..], &[1]].concat();
    add("one", &one, false);
    add("the modulus", n, false);
    add("the modulus less one", &difference(n, &one), false);
    add("the modulus less the signature", &difference(n, signature), false);
    let (sum, carry) = sum(signature, n);
    let sum = if carry { [&[1], &*sum].concat() } else { sum };
    add("the signature and the modulus", &sum, false);
}

fn of_ecdsa(n: &[u8], signature: &[u8], add: &mut Add<'_>) {
    let (r, s) = signature.split_at(signature.len() / 2);
    let zero = vec![0; n.len()];
    let one = [&vec![0; n.len().saturating_sub(1)][..], &[1]].concat();
    // JOSE has no rule that s be the lower one of the two.
    add("n - s", &[r, &difference(n, s)].concat(), true);
    for (what, r, s) in [
        ("r and s exchanged", s, r),
        ("r = 0", &*zero, s),
        ("s = 0", r, &*zero),
        ("r = 1", &*one, s),
        ("r = s = 1", &*one, &*one),
        ("r = n", n, s),
        ("s = n", r, n),
        ("r = n, s = 0", n, &*zero),
        ("r = n - r", &*difference(n, r), s),
    ] {
        add(what, &[r, s].concat(), false);
    }
    for (what, r, s) in [("r + n", &sum(r, n).0, &s.to_vec()), ("s + n", &r.to_vec(), &sum(s, n).0)]
    {
        add(what, &[&r[..], &s[..]].concat(), false);
    }
    add("in DER", &der(r, s), false);
}

fn of_hmac(tag: &[u8], add: &mut Add<'_>) {
    for octets in [0, 1, 10, 16, 32, 48] {
        if let Some(part) = tag.get(..octets).filter(|part| part.len() < tag.len()) {
            add(&format!("cut to {octets} octets"), part, false);
        }
    }
}

fn of_ed25519(signature: &[u8], add: &mut Add<'_>) {
    let (r, s) = signature.split_at(32);
    // Little-endian, unlike all else.
    let reversed = |octets: &[u8]| octets.iter().rev().copied().collect::<Vec<u8>>();
    let (s_and_order, _) = sum(&reversed(s), &hex(ED25519));
    add("S and the order", &[r, &reversed(&s_and_order)].concat(), false);
    let mut identity = [0; 32];
    identity[0] = 1;
    add("R = 1", &[&identity, s].concat(), false);
    add("R = 1, S = 0", &[identity, [0; 32]].concat(), false);
    // y = 2^255 - 18 is 1, written in another way.
    let mut not_canonical = [0xff; 32];
    (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
    add("R = p + 1", &[&not_canonical, s].concat(), false);
}

/// a + b of big-endian integers of one length, and whether there is a carry.
fn sum(a: &[u8], b: &[u8]) -> (Vec<u8>, bool) {
    let mut carry = 0_u16;
    let mut digits: Vec<u8> = Vec::with_capacity(a.len());
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        let digit = u16::from(*a).saturating_add(u16::from(*b)).saturating_add(carry);
        carry = digit >> 8;
        digits.push(digit.to_le_bytes()[0]);
    }
    digits.reverse();
    (digits, carry == 1)
}

/// a - b of big-endian integers of one length, modulo 256 to that length.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let complement: Vec<u8> = b.iter().map(|octet| !octet).collect();
    let one = [&vec![0; a.len().saturating_sub(1)][..], &[1]].concat();
    sum(&sum(a, &complement).0, &one).0
}

fn hex(text: &str) -> Vec<u8> {
    let mut digits = text.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok());
    let octet = || Some(digits.next()? << 4 | digits.next()?);
    std::iter::from_fn(octet).collect()
}

/// r and s as DER, which is what other protocols than JOSE have.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |octets: &[u8]| {
        let digits: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
        let sign = digits.first().is_none_or(|first| *first >= 0x80);
        let content = if sign { [&[0], &*digits].concat() } else { digits };
        [&[2, u8::try_from(content.len()).unwrap_or(0)], &*content].concat()
    };
    let content = [integer(r), integer(s)].concat();
    let length = u8::try_from(content.len()).unwrap_or(0);
    let head: &[u8] = if length < 0x80 { &[0x30, length] } else { &[0x30, 0x81, length] };
    [head, &*content].concat()
}
