//! The public RSA operation (RFC 8017, section 5.2.2), over `crypto-bigint`.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, U3072, U4096, Uint};

/// A modulus, with what Montgomery's arithmetic wants to know of it. Sizes between the three are
/// filled up with zeros.
pub(super) enum Modulus {
    Bits2048(Box<FixedMontyParams<{ U2048::LIMBS }>>),
    Bits3072(Box<FixedMontyParams<{ U3072::LIMBS }>>),
    Bits4096(Box<FixedMontyParams<{ U4096::LIMBS }>>),
}

impl Modulus {
    /// An odd modulus of at most 4096 bits, big-endian; `None` for any other.
    pub(super) fn new(n: &[u8]) -> Option<Self> {
        Some(match n.len() {
            ..=256 => Self::Bits2048(Box::new(params(n)?)),
            257..=384 => Self::Bits3072(Box::new(params(n)?)),
            _ => Self::Bits4096(Box::new(params(n)?)),
        })
    }

    /// `base` to the power `exponent`, which is odd; both big-endian, in equal lengths. `base` must
    /// be less than the modulus. Takes time that depends on the operands: they are public.
    pub(super) fn power(&self, base: &[u8], exponent: u64) -> Option<Vec<u8>> {
        match self {
            Self::Bits2048(params) => power(params, base, exponent),
            Self::Bits3072(params) => power(params, base, exponent),
            Self::Bits4096(params) => power(params, base, exponent),
        }
    }
}

fn params<const LIMBS: usize>(n: &[u8]) -> Option<FixedMontyParams<LIMBS>> {
    let modulus: Option<Odd<Uint<LIMBS>>> = Odd::new(integer(n)?).into();
    Some(FixedMontyParams::new_vartime(modulus?))
}

fn power<const LIMBS: usize>(
    params: &FixedMontyParams<LIMBS>,
    base: &[u8],
    exponent: u64,
) -> Option<Vec<u8>> {
    let integer = integer(base)?;
    let one_factor = FixedMontyForm::new(&integer, params);
    let mut power = one_factor;
    // From the second highest bit to the second lowest: square, and multiply where it is set.
    let mut squarings = 0_u32;
    for bit in (1..exponent.checked_ilog2()?).rev() {
        squarings = squarings.saturating_add(1);
        if exponent >> bit & 1 == 1 {
            power = power.square_repeat_vartime(squarings).mul(&one_factor);
            squarings = 0;
        }
    }
    // The lowest bit is set. Its factor is not in Montgomery's form, and then the product is not.
    let plain_factor = FixedMontyForm::from_montgomery(integer, params);
    let power = power.square_repeat_vartime(squarings.saturating_add(1)).mul(&plain_factor);
    let octets = power.to_montgomery().to_be_bytes();
    let octets: &[u8] = octets.as_ref();
    octets.get(octets.len().checked_sub(base.len())?..).map(<[u8]>::to_vec)
}

/// A big-endian integer that is not longer than the type.
fn integer<const LIMBS: usize>(octets: &[u8]) -> Option<Uint<LIMBS>> {
    let mut padded = vec![0; Uint::<LIMBS>::BYTES];
    let zeros = padded.len().checked_sub(octets.len())?;
    padded.get_mut(zeros..)?.copy_from_slice(octets);
    Some(Uint::from_be_slice(&padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    use ::rsa::BigUint;
    use proptest::prelude::*;

    /// `base` to the power `exponent` by another library.
    fn reference(n: &[u8], base: &[u8], exponent: u64) -> Vec<u8> {
        let power = BigUint::from_bytes_be(base)
            .modpow(&BigUint::from(exponent), &BigUint::from_bytes_be(n))
            .to_bytes_be();
        [vec![0; base.len().saturating_sub(power.len())], power].concat()
    }

    /// Moduli of 2048 to 4096 bits, odd, with their top bit set; and numbers below them.
    fn operands() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let octets = prop_oneof![Just(256_usize), Just(257), Just(384), Just(385), Just(512)];
        octets.prop_flat_map(|octets| {
            let n = proptest::collection::vec(any::<u8>(), octets);
            let base = proptest::collection::vec(any::<u8>(), octets);
            (n, base).prop_map(|(mut n, mut base)| {
                n[0] |= 0x80;
                *n.last_mut().unwrap() |= 1;
                base[0] &= 0x7f;
                (n, base)
            })
        })
    }

    fn exponents() -> impl Strategy<Value = u64> {
        prop_oneof![
            Just(3_u64),
            Just(17),
            Just(65537),
            Just((1 << 33) - 1),
            (1_u64..1 << 32).prop_map(|half| half << 1 | 1),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_power_is_what_another_library_says((n, base) in operands(), e in exponents()) {
            let power = Modulus::new(&n).unwrap().power(&base, e).unwrap();
            prop_assert_eq!(power, reference(&n, &base, e));
        }
    }

    #[test]
    fn the_ends_of_the_range_have_their_powers() {
        for octets in [256, 384, 512] {
            // All ones, and a one at both ends alone.
            let sparse = [&[0x80], &*vec![0; octets - 2], &[1]].concat();
            for n in [vec![0xff; octets], sparse] {
                let modulus = Modulus::new(&n).unwrap();
                let zero = vec![0; octets];
                let mut one = zero.clone();
                one[octets - 1] = 1;
                let mut less_one = n.clone();
                less_one[octets - 1] ^= 1;
                let mut two = zero.clone();
                two[octets - 1] = 2;
                for base in [zero, one, two, less_one] {
                    for e in [3, 17, 65537, (1 << 33) - 1] {
                        let power = modulus.power(&base, e).unwrap();
                        assert_eq!(power, reference(&n, &base, e), "{octets} octets, {e}");
                    }
                }
            }
        }
    }
}
