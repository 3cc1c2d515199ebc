//! RSA: an encoding that the fuzzer chose has one verdict by ours and by the `rsa` crate, under a key
//! that is made for it; so has a signature that it chose under a modulus that it chose.

#![no_main]

use std::sync::LazyLock;

use jwt_gate::crypto::{Algorithm, NoHostCrypto, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

const MESSAGE: &[u8] = b"a message";

/// Lengths of moduli in octets.
const LENGTHS: [usize; 3] = [256, 384, 512];

/// For each length, the largest numbers, one even and one odd, whose cubes fit into it.
static ROOTS: LazyLock<Vec<[BigUint; 2]>> = LazyLock::new(|| {
    let largest = |octets: &usize| {
        let bound = BigUint::from(1_u32) << (octets * 8);
        // Newton's way to the cube root, from above.
        let mut root = BigUint::from(1_u32) << (octets * 8 / 3 + 1);
        loop {
            let next = (&root * 2_u32 + &bound / (&root * &root)) / 3_u32;
            if next >= root {
                break;
            }
            root = next;
        }
        while &root * &root * &root >= bound {
            root -= 1_u32;
        }
        let below = &root - 1_u32;
        let is_even = root.to_bytes_le()[0] % 2 == 0;
        if is_even { [root, below] } else { [below, root] }
    };
    LENGTHS.iter().map(largest).collect()
});

/// One octet that says what it is about, and then what the fuzzer chose.
fuzz_target!(|input: &[u8]| {
    let [choice, rest @ ..] = input else { return };
    let algorithm = Algorithm::ALL[usize::from(*choice) % 6];
    let which = usize::from(choice >> 3) % 4;
    if let Some(octets) = LENGTHS.get(which) {
        let encoded = nearly_right(algorithm, *octets, rest);
        if encoded[0] >= 0x80 {
            // Of no number below a modulus that can be made.
            return;
        }
        let right = nearly_right(algorithm, *octets, &[]);
        let is_pkcs1 = matches!(algorithm, Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512);
        let expected = is_pkcs1.then_some(encoded == right);
        let by_both = rest.iter().fold(0_u8, |sum, octet| sum.wrapping_add(*octet)) % 16 == 1;
        signed(algorithm, &encoded, &ROOTS[which], expected, by_both);
    } else if rest.len() >= 517 {
        let (n, signature) = rest[..512].split_at(256);
        let e = BigUint::from_bytes_be(&rest[512..517]);
        same(&BigUint::from_bytes_be(n), &e, algorithm, signature, None, true);
    }
});

/// A key with the exponent 3 for which a signature has this encoding: nobody needs to know the
/// factors of a cube less the encoding.
fn signed(
    algorithm: Algorithm,
    encoded: &[u8],
    [even, odd]: &[BigUint; 2],
    expected: Option<bool>,
    by_both: bool,
) {
    let is_even = encoded.last().is_some_and(|octet| octet % 2 == 0);
    // The modulus is odd.
    let root = if is_even { odd } else { even };
    let n = root * root * root - BigUint::from_bytes_be(encoded);
    let digits = root.to_bytes_be();
    let signature = [vec![0; encoded.len() - digits.len()], digits].concat();
    same(&n, &BigUint::from(3_u32), algorithm, &signature, expected, by_both);
}

/// The right encoding with the input's changes: the length of a salt, then three octets each for a
/// place and what is added there.
fn nearly_right(algorithm: Algorithm, octets: usize, input: &[u8]) -> Vec<u8> {
    let (salt, changes) = match input {
        [] => (None, input),
        [salt, changes @ ..] => (Some(usize::from(*salt)), changes),
    };
    let mut encoded = match algorithm {
        Algorithm::Rs256 => pkcs1::<Sha256>(b"\x01\x05\x00\x04\x20", 0x31, octets),
        Algorithm::Rs384 => pkcs1::<Sha384>(b"\x02\x05\x00\x04\x30", 0x41, octets),
        Algorithm::Rs512 => pkcs1::<Sha512>(b"\x03\x05\x00\x04\x40", 0x51, octets),
        Algorithm::Ps256 => pss::<Sha256>(salt, octets),
        Algorithm::Ps384 => pss::<Sha384>(salt, octets),
        _ => pss::<Sha512>(salt, octets),
    };
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        let octet = &mut encoded[at % octets];
        *octet = octet.wrapping_add(change[2]);
    }
    encoded
}

fn pkcs1<D: Digest>(end: &[u8], length: u8, octets: usize) -> Vec<u8> {
    let oid = b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02";
    let info = [&[0x30, length], &oid[..], end, &D::digest(MESSAGE)].concat();
    [&[0, 1], &*vec![0xff; octets - 3 - info.len()], &[0], &info].concat()
}

/// With a salt of the hash's length, or as many octets more as `salt` has above 100, or less.
fn pss<D: Digest>(salt: Option<usize>, octets: usize) -> Vec<u8> {
    let hashed = <D as Digest>::output_size();
    let salt = vec![7; (hashed + salt.unwrap_or(100)).saturating_sub(100).min(octets - hashed - 2)];
    let digest = D::digest(MESSAGE);
    let hash = D::new().chain_update([0; 8]).chain_update(digest).chain_update(&salt).finalize();
    let zeros = vec![0; octets - hashed - 2 - salt.len()];
    let block = [zeros, vec![1], salt].concat();
    let mask = (0_u32..).flat_map(|counter| {
        D::new().chain_update(&hash).chain_update(counter.to_be_bytes()).finalize()
    });
    let mut encoded: Vec<u8> = block.iter().zip(mask).map(|(block, mask)| block ^ mask).collect();
    encoded[0] &= 0x7f;
    [&encoded, &hash[..], &[0xbc]].concat()
}

/// The crate is asked where ours accepts, and where it is said: it takes ten times as long.
fn same(
    n: &BigUint,
    e: &BigUint,
    algorithm: Algorithm,
    signature: &[u8],
    expected: Option<bool>,
    by_both: bool,
) {
    let ours = VerifyingKey::rsa(&n.to_bytes_be(), &e.to_bytes_be());
    let Ok(ours) = ours else { return };
    let ours = ours.verify(algorithm, MESSAGE, signature, &NoHostCrypto);
    assert!(expected.is_none_or(|expected| expected == ours), "{algorithm}");
    if !(ours || by_both) {
        return;
    }
    let crates = RsaPublicKey::new(n.clone(), e.clone()).expect("a key that we take");
    let pkcs1 = |scheme, hash: &[u8]| crates.verify::<Pkcs1v15Sign>(scheme, hash, signature).is_ok();
    let pss = |scheme, hash: &[u8]| crates.verify::<Pss>(scheme, hash, signature).is_ok();
    let verified = match algorithm {
        Algorithm::Rs256 => pkcs1(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)),
        Algorithm::Rs384 => pkcs1(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(MESSAGE)),
        Algorithm::Rs512 => pkcs1(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(MESSAGE)),
        Algorithm::Ps256 => pss(Pss::new::<Sha256>(), &Sha256::digest(MESSAGE)),
        Algorithm::Ps384 => pss(Pss::new::<Sha384>(), &Sha384::digest(MESSAGE)),
        _ => pss(Pss::new::<Sha512>(), &Sha512::digest(MESSAGE)),
    };
    // The crate does not compare the representative with the modulus.
    assert_eq!(ours, verified && BigUint::from_bytes_be(signature) < *n, "{algorithm}");
}
