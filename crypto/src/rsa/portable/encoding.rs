//! What an RSA signature encodes: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017, section 9).

use sha2::Digest;

/// Whether `encoded` is the one encoding of the message (RFC 8017, sections 8.2.2 and 9.2): it is
/// made anew and compared whole, so that there is nothing to parse.
///
/// `digest_info` is the DER of `DigestInfo` up to the hash.
pub(super) fn is_pkcs1<D: Digest>(digest_info: &[u8], message: &[u8], encoded: &[u8]) -> bool {
    let hash = D::digest(message);
    let length = digest_info.len().saturating_add(hash.len()).saturating_add(3);
    let Some(padding) = encoded.len().checked_sub(length) else { return false };
    // Section 9.2, 3: fewer than eight octets of padding are none.
    padding >= 8 && {
        let mut expected = Vec::with_capacity(encoded.len());
        expected.extend_from_slice(&[0, 1]);
        expected.resize(padding.saturating_add(2), 0xff);
        expected.push(0);
        expected.extend_from_slice(digest_info);
        expected.extend_from_slice(&hash);
        expected == encoded
    }
}

/// Whether `encoded` is an encoding of the message (RFC 8017, section 9.1.2) with a salt as long as
/// the hash, and the same hash for the mask (RFC 7518, section 3.5).
///
/// `unused` are the bits at the top that the modulus has no room for, 1 to 7: a modulus of 8k + 1
/// bits would have an encoding that is an octet shorter, and is not used.
pub(super) fn is_pss<D: Digest>(unused: u32, message: &[u8], encoded: &[u8]) -> bool {
    let hash_length = <D as Digest>::output_size();
    let Some((&0xbc, rest)) = encoded.split_last() else { return false };
    let Some((masked, hash)) =
        rest.len().checked_sub(hash_length).and_then(|at| rest.split_at_checked(at))
    else {
        return false;
    };
    let used = u8::MAX.checked_shr(unused).unwrap_or(0);
    if masked.first().is_none_or(|first| first & !used != 0) {
        return false;
    }
    let mut block: Vec<u8> =
        masked.iter().zip(mask::<D>(hash)).map(|(masked, mask)| masked ^ mask).collect();
    if let Some(first) = block.first_mut() {
        *first &= used;
    }
    let Some((padding, salt)) =
        block.len().checked_sub(hash_length).and_then(|at| block.split_at_checked(at))
    else {
        return false;
    };
    let Some((&1, zeros)) = padding.split_last() else { return false };
    zeros.iter().all(|octet| *octet == 0)
        && *hash
            == *D::new()
                .chain_update([0; 8])
                .chain_update(D::digest(message))
                .chain_update(salt)
                .finalize()
}

/// MGF1 (RFC 8017, appendix B.2.1), as many octets as somebody takes.
fn mask<D: Digest>(seed: &[u8]) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |counter| {
        D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize()
    })
}
