//! RSA: an encoding that the fuzzer chose, signed with a known private key, has one verdict by ours and
//! by the `rsa` crate; so has a signature that it chose under a modulus that it chose.

#![no_main]

use jwt_gate::crypto::{Algorithm, NoHostCrypto, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

const MESSAGE: &[u8] = b"a message";

/// The key of RFC 7520, section 3.4.
const N: &str = "9f810fb4038273d02591e4073f31d2b6001b82cedb4d92f050165d47cfcab8a3c41cb778ac7553793f8ef975768d1a2374d8712564c3bcd77b9ea434544899407cff0099920a931a24c4414852ab29bdb0a95c0653f36c60e60bf90b6258dda56f37047ba5c2d1d029af9c9d40bac7aa41c78a0dd1068add699e808fea011ea1441d8a4f7bb4e97be39f55f1ddd44e9c4ba335159703d4d34b603e65147a4f23d6d3c0996c75edee846a82d190ae10783c961cf0387aed2106d2d0555b6fd937fad5535387e0ff72ffbe78941402b0b822ea2a74b6058c1dabf9b34a76cb63b87faa2c6847b8e2837fff91186e6b1c14911cf989a89092a81ce601ddacd3f9cf";
const D: &str = "6d6502f41f84151228f24a467e1d19bb218fbcc34abd858db41fe29221fd936d1e4fe3b5abf23bf1e8999295f15d0d144c4b362ec3514bef2e25bbd0f80d62ae4c0c48c90ad49dd74c681dae10a4bbd81195d63bb0d03f00a64687e43aeb5ff8dab20d2d109ef16fa7677e2e8bfa8e7e42e72bd4160c3aa9688b00f9b33059648316ed8c5016309074cc1332d81aa39ed389e8a9eab5844c414c704e05d90c5e2b85854ab5054ea5f83a84896c6a83cdac5edda1f8b3274f7d38e80398268462a33ef9b525107c60ac8564c19cfe6e0e3775f242a1cafd3b9617d225dacf74ce4f972976d61b057f82ff9870aea056aeee076c3df1cfc718d539c3a906b433c1";

fuzz_target!(|input: &[u8]| {
    let [choice, rest @ ..] = input else { return };
    let algorithm = Algorithm::ALL[usize::from(*choice) % 6];
    if choice & 0x80 == 0 {
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
        let (n, d) = (number(N), number(D));
        let encoded = nearly_right(algorithm, rest);
        let signature = fixed(&BigUint::from_bytes_be(&encoded).modpow(&d, &n), 256);
        same(&n, &BigUint::from(65537_u32), algorithm, &signature);
    } else if rest.len() >= 517 {
        let (n, signature) = rest[..512].split_at(256);
        let e = BigUint::from_bytes_be(&rest[512..517]);
        same(&BigUint::from_bytes_be(n), &e, algorithm, signature);
    }
});

/// The right encoding with the input's changes: pairs of a place and what is added there.
fn nearly_right(algorithm: Algorithm, changes: &[u8]) -> Vec<u8> {
    let mut encoded = match algorithm {
        Algorithm::Rs256 => pkcs1(b"\x01\x05\x00\x04\x20", 0x31, &Sha256::digest(MESSAGE)),
        Algorithm::Rs384 => pkcs1(b"\x02\x05\x00\x04\x30", 0x41, &Sha384::digest(MESSAGE)),
        Algorithm::Rs512 => pkcs1(b"\x03\x05\x00\x04\x40", 0x51, &Sha512::digest(MESSAGE)),
        Algorithm::Ps256 => pss::<Sha256>(),
        Algorithm::Ps384 => pss::<Sha384>(),
        _ => pss::<Sha512>(),
    };
    for change in changes.chunks_exact(2) {
        let octet = &mut encoded[usize::from(change[0])];
        *octet = octet.wrapping_add(change[1]);
    }
    encoded
}

fn pkcs1(end: &[u8], length: u8, hash: &[u8]) -> Vec<u8> {
    let oid = [&[0x30, length], &b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"[..], end].concat();
    let info = [&oid, hash].concat();
    [&[0, 1], &*vec![0xff; 253 - info.len()], &[0], &info].concat()
}

fn pss<D: Digest>() -> Vec<u8> {
    let octets = <D as Digest>::output_size();
    let salt = vec![7; octets];
    let digest = D::digest(MESSAGE);
    let hash = D::new().chain_update([0; 8]).chain_update(digest).chain_update(&salt).finalize();
    let block = [vec![0; 254 - 2 * octets], vec![1], salt].concat();
    let mask = (0_u32..).flat_map(|counter| {
        D::new().chain_update(&hash).chain_update(counter.to_be_bytes()).finalize()
    });
    let mut encoded: Vec<u8> = block.iter().zip(mask).map(|(block, mask)| block ^ mask).collect();
    encoded[0] &= 0x7f;
    [&encoded, &hash[..], &[0xbc]].concat()
}

fn fixed(number: &BigUint, octets: usize) -> Vec<u8> {
    let digits = number.to_bytes_be();
    [vec![0; octets - digits.len()], digits].concat()
}

fn same(n: &BigUint, e: &BigUint, algorithm: Algorithm, signature: &[u8]) {
    let ours = VerifyingKey::rsa(&n.to_bytes_be(), &e.to_bytes_be());
    let Ok(ours) = ours else { return };
    let crates = RsaPublicKey::new(n.clone(), e.clone()).expect("a key that we take");
    let ours = ours.verify(algorithm, MESSAGE, signature, &NoHostCrypto);
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
