//! DER (X.690), as much of it as a host needs to be told of keys and signatures.

use super::Curve;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// rsaEncryption, 1.2.840.113549.1.1.1, and its parameters, NULL (RFC 3279, section 2.3.1).
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// id-ecPublicKey, 1.2.840.10045.2.1, with the name of the curve (RFC 5480, section 2.1.1).
const fn ec(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => {
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
        }
        Curve::P384 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        Curve::P521 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
    }
}

/// `SubjectPublicKeyInfo` of an RSA key; modulus and exponent big-endian.
pub(super) fn rsa_key(n: &[u8], e: &[u8]) -> Box<[u8]> {
    let mut numbers = Vec::new();
    integer(n, &mut numbers);
    integer(e, &mut numbers);
    let mut key = Vec::new();
    element(SEQUENCE, &[&numbers], &mut key);
    subject_public_key_info(RSA, &key)
}

/// `SubjectPublicKeyInfo` of a point, which is encoded as SEC 1, section 2.3.3, says.
pub(super) fn ec_key(curve: Curve, point: &[u8]) -> Box<[u8]> {
    subject_public_key_info(ec(curve), point)
}

/// Appends the `ECDSA-Sig-Value` (RFC 3279, section 2.2.3) of r and s, given side by side in equal
/// lengths.
pub fn ecdsa_signature(r_and_s: &[u8], out: &mut Vec<u8>) {
    let (r, s) = r_and_s.split_at(r_and_s.len() / 2);
    let mut numbers = Vec::with_capacity(r_and_s.len().saturating_add(6));
    integer(r, &mut numbers);
    integer(s, &mut numbers);
    element(SEQUENCE, &[&numbers], out);
}

fn subject_public_key_info(algorithm: &[u8], key: &[u8]) -> Box<[u8]> {
    let mut bits = Vec::new();
    // All bits of the last octet count.
    element(BIT_STRING, &[&[0], key], &mut bits);
    let mut info = Vec::new();
    element(SEQUENCE, &[algorithm, &bits], &mut info);
    info.into()
}

/// A number that is not negative, in its shortest form.
fn integer(octets: &[u8], out: &mut Vec<u8>) {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let shortest = octets.get(zeros..).unwrap_or_default();
    // The top bit is the sign, and zero has one octet.
    let sign: &[u8] = if shortest.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, shortest], out);
}

fn element(tag: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let shortest = octets.get(zeros..).unwrap_or_default();
    out.push(tag);
    match shortest {
        [] => out.push(0),
        [short @ ..=0x7f] => out.push(*short),
        long => {
            // At most eight octets: the count fits the low bits.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            out.extend_from_slice(long);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_shortest_form_and_is_not_negative() {
        let cases: [(&[u8], &[u8]); 6] = [
            (&[], &[2, 1, 0]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 1], &[2, 1, 1]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0, 0xff, 0], &[2, 3, 0, 0xff, 0]),
        ];
        for (octets, expected) in cases {
            let mut out = Vec::new();
            integer(octets, &mut out);
            assert_eq!(out, expected, "{octets:?}");
        }
    }

    #[test]
    fn a_length_has_its_shortest_form() {
        let cases: [(usize, &[u8]); 6] = [
            (0, &[0x30, 0]),
            (127, &[0x30, 127]),
            (128, &[0x30, 0x81, 128]),
            (255, &[0x30, 0x81, 255]),
            (256, &[0x30, 0x82, 1, 0]),
            (65536, &[0x30, 0x83, 1, 0, 0]),
        ];
        for (length, expected) in cases {
            let mut out = Vec::new();
            element(SEQUENCE, &[&vec![7; length]], &mut out);
            assert_eq!(out.split_at(expected.len()).0, expected, "{length}");
            assert_eq!(out.len(), expected.len() + length, "{length}");
        }
    }

    #[test]
    fn r_and_s_are_two_numbers() {
        let mut out = vec![9];
        ecdsa_signature(&[0, 1, 0xff, 2], &mut out);
        assert_eq!(out, [9, 0x30, 8, 2, 1, 1, 2, 3, 0, 0xff, 2]);
    }
}
