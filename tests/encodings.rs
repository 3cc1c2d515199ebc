//! Encodings of RSA signatures that are nearly right, made with the private key: ours and the `rsa`
//! crate have one verdict on each, and it is the right one.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest as _, Sha256};

use jwt_gate::crypto::{Algorithm, NoHostCrypto, VerifyingKey};

/// The key of RFC 7520, section 3.4, private exponent and all.
const N: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
const D: &str = "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ";

const MESSAGE: &[u8] = b"a message";

struct Key {
    n: BigUint,
    d: BigUint,
    ours: VerifyingKey,
    crates: RsaPublicKey,
}

impl Key {
    fn new() -> Self {
        let octets = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let n = BigUint::from_bytes_be(&octets(N));
        Self {
            ours: VerifyingKey::rsa(&octets(N), &[1, 0, 1]).unwrap(),
            crates: RsaPublicKey::new(n.clone(), BigUint::from(65537_u32)).unwrap(),
            d: BigUint::from_bytes_be(&octets(D)),
            n,
        }
    }

    /// Fails unless the signature of this encoding is judged so, by both.
    fn judge(&self, algorithm: Algorithm, encoded: &[u8], good: bool, row: &str) {
        let signature = BigUint::from_bytes_be(encoded).modpow(&self.d, &self.n).to_bytes_be();
        let signature = [vec![0; 256 - signature.len()], signature].concat();
        let hash = Sha256::digest(MESSAGE);
        let crates = if algorithm == Algorithm::Rs256 {
            self.crates.verify(Pkcs1v15Sign::new::<Sha256>(), &hash, &signature).is_ok()
        } else {
            self.crates.verify(Pss::new::<Sha256>(), &hash, &signature).is_ok()
        };
        let ours = self.ours.verify(algorithm, MESSAGE, &signature, &NoHostCrypto);
        assert_eq!((ours, crates), (good, good), "{algorithm}: {row}");
    }
}

/// `DigestInfo` of SHA-256 up to the hash.
const DIGEST_INFO: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// The right frame around a `DigestInfo`, as long as the modulus.
fn framed(info: &[u8]) -> Vec<u8> {
    [&[0, 1], &*vec![0xff; 253 - info.len()], &[0], info].concat()
}

#[test]
fn only_one_encoding_is_pkcs1() {
    let key = Key::new();
    let hash = Sha256::digest(MESSAGE);
    let info = [DIGEST_INFO, &hash].concat();
    let good = framed(&info);
    let judge = |encoded: &[u8], good, row: &str| key.judge(Algorithm::Rs256, encoded, good, row);
    judge(&good, true, "the encoding");
    for at in (1..256).step_by(5) {
        let mut changed = good.clone();
        changed[at] ^= 1;
        judge(&changed, false, &format!("octet {at} changed"));
    }
    // Algorithm parameters left out, and as an empty sequence.
    let absent = b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20";
    judge(&framed(&[absent, &*hash].concat()), false, "no NULL");
    let long = b"\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    judge(&framed(&[long, &*hash].concat()), false, "a length in its long form");
    judge(&framed(&hash), false, "the hash alone");
    for garbage in [1, 8, 100, 194] {
        let padding = vec![0xff; 202 - garbage];
        let early = [&[0, 1], &*padding, &[0], &info, &*vec![0; garbage]].concat();
        judge(&early, false, &format!("{garbage} octets behind the hash"));
    }
    judge(&[&[0, 2], &good[2..]].concat(), false, "block type 2");
    judge(&[&[0, 0], &good[2..]].concat(), false, "block type 0");
}

/// EMSA-PSS with these parts, each perhaps wrong; 2048 bits have one unused bit.
fn pss(salt: &[u8], separator: u8, trailer: u8, unused: bool) -> Vec<u8> {
    let hash = Sha256::new()
        .chain_update([0; 8])
        .chain_update(Sha256::digest(MESSAGE))
        .chain_update(salt)
        .finalize();
    let mut block = vec![0; 223 - salt.len() - 1];
    block.push(separator);
    block.extend_from_slice(salt);
    let mask = (0_u32..7).flat_map(|counter| {
        Sha256::new().chain_update(hash).chain_update(counter.to_be_bytes()).finalize()
    });
    let mut encoded: Vec<u8> = block.iter().zip(mask).map(|(block, mask)| block ^ mask).collect();
    encoded[0] &= 0x7f;
    // Still below the modulus, which begins with 0x9f.
    if unused {
        encoded[0] = 0x80;
    }
    encoded.extend_from_slice(&hash);
    encoded.push(trailer);
    encoded
}

#[test]
fn a_pss_encoding_has_the_salt_and_the_mask_of_its_hash() {
    let key = Key::new();
    let judge = |encoded: &[u8], good, row: &str| key.judge(Algorithm::Ps256, encoded, good, row);
    for salt in [[0; 32], [0xff; 32], [7; 32]] {
        judge(&pss(&salt, 1, 0xbc, false), true, "the encoding");
    }
    for octets in [0, 1, 16, 20, 31, 33, 48, 64, 222] {
        judge(&pss(&vec![7; octets], 1, 0xbc, false), false, &format!("a salt of {octets}"));
    }
    for separator in [0, 2, 0x80, 0x81] {
        judge(&pss(&[7; 32], separator, 0xbc, false), false, &format!("separator {separator}"));
    }
    for trailer in [0, 0xbb, 0xcc, 0xbd] {
        judge(&pss(&[7; 32], 1, trailer, false), false, &format!("trailer {trailer:#x}"));
    }
    judge(&pss(&[7; 32], 1, 0xbc, true), false, "the unused bit set");
    let good = pss(&[7; 32], 1, 0xbc, false);
    for at in (0..256).step_by(5) {
        let mut changed = good.clone();
        changed[at] ^= 1;
        judge(&changed, false, &format!("octet {at} changed"));
    }
}
