//! Floats as decimal text. The library's own formatting would be a fiftieth of the module.

use std::fmt::Write as _;

/// Digits behind the point.
const PLACES: u32 = 6;

/// The magnitude of a float that has no fraction; `None` where it has one, or exceeds 64 bits.
#[expect(clippy::as_conversions, reason = "in this range nothing is cut off")]
pub(crate) fn magnitude(x: f64) -> Option<u64> {
    let x = x.abs();
    (x.fract() == 0.0 && x < 18_446_744_073_709_551_616.0).then_some(x as u64)
}

/// As C's `%f` has it: six digits behind the point, exactly rounded, halves to even.
///
/// Infinities and what is no number are taken for the numbers that their bits would stand for.
pub(crate) fn fixed(x: f64) -> String {
    let bits = x.to_bits();
    let stored = bits & ((1 << (f64::MANTISSA_DIGITS - 1)) - 1);
    let exponent = u32::try_from(bits >> (f64::MANTISSA_DIGITS - 1) & 0x7ff).unwrap_or(0);
    let implied = u64::from(exponent > 0) << (f64::MANTISSA_DIGITS - 1);
    // x = mantissa · 2^(exponent - BIAS)
    let (mantissa, exponent) = (implied | stored, exponent.max(1));
    let mut text = if x.is_sign_negative() { "-".to_owned() } else { String::new() };
    match exponent.checked_sub(BIAS) {
        Some(doublings) => {
            integer(mantissa, doublings, &mut text);
            text.push_str(".000000");
        }
        None => fraction(mantissa, BIAS.saturating_sub(exponent), &mut text),
    }
    text
}

/// Exponent under which the lowest bit of the mantissa is worth one.
const BIAS: u32 = 1023 + 52;

/// Writes mantissa · 2^doublings.
fn integer(mantissa: u64, doublings: u32, text: &mut String) {
    /// What one part of the number stays below.
    const BASE: u64 = 1_000_000_000;
    // The lowest part first; the mantissa has 53 bits.
    let mut parts = vec![mantissa % BASE, mantissa / BASE];
    for _ in 0..doublings {
        let mut carry = 0;
        for part in &mut parts {
            let doubled = *part << 1 | carry;
            carry = u64::from(doubled >= BASE);
            *part = doubled.checked_sub(BASE).unwrap_or(doubled);
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut leading = true;
    for (i, part) in parts.iter().enumerate().rev() {
        leading = leading && *part == 0 && i > 0;
        let width = if text.ends_with(|c: char| c.is_ascii_digit()) { 9 } else { 0 };
        if !leading {
            // Writing to a string does not fail.
            let _ = write!(text, "{part:0width$}");
        }
    }
}

/// Writes mantissa / 2^halvings; the mantissa has 53 bits, and there is at least one halving.
fn fraction(mantissa: u64, halvings: u32, text: &mut String) {
    let whole = mantissa.checked_shr(halvings).unwrap_or(0);
    let rest = mantissa & !whole.checked_shl(halvings).map_or(0, |_| u64::MAX << halvings);
    // At most 53 + 20 bits: beyond 2^-75 all of it is less than a half.
    let scaled = u128::from(rest).saturating_mul(10_u128.pow(PLACES));
    let digits = scaled.checked_shr(halvings).unwrap_or(0);
    let half = 1_u128.checked_shl(halvings.saturating_sub(1)).unwrap_or(u128::MAX);
    let lost = scaled & (half << 1).wrapping_sub(1);
    let up = lost > half || lost == half && digits & 1 == 1;
    let digits = u64::try_from(digits).unwrap_or(0).saturating_add(u64::from(up));
    let (whole, digits) = match digits.checked_sub(10_u64.pow(PLACES)) {
        Some(digits) => (whole.saturating_add(1), digits),
        None => (whole, digits),
    };
    let _ = write!(text, "{whole}.{digits:06}");
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    const EDGES: [f64; 22] = [
        0.0,
        -0.0,
        0.5,
        1.5,
        -1.0,
        0.000_000_5,
        0.000_001_5,
        0.999_999_5,
        0.999_999_499_999,
        1.999_999_9,
        // Exact halves of the last digit.
        0.007_812_5,
        0.023_437_5,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        1e15,
        1e16,
        9_007_199_254_740_993.0,
        18_446_744_073_709_551_616.0,
        1e9,
        1e300,
    ];

    #[test]
    fn the_ends_of_the_range_are_written_as_the_library_writes_them() {
        for x in EDGES {
            assert_eq!(fixed(x), format!("{x:.6}"));
        }
    }

    #[test]
    fn a_magnitude_ends_at_64_bits_and_has_no_fraction() {
        let rows = [
            (0.0, Some(0)),
            (-0.0, Some(0)),
            (-7.0, Some(7)),
            (0.5, None),
            (9_007_199_254_740_992.0, Some(9_007_199_254_740_992)),
            (18_446_744_073_709_549_568.0, Some(18_446_744_073_709_549_568)),
            (18_446_744_073_709_551_616.0, None),
            (f64::MAX, None),
            (f64::INFINITY, None),
            (f64::NAN, None),
        ];
        for (x, expected) in rows {
            assert_eq!(magnitude(x), expected, "{x}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_float_is_written_as_the_library_writes_it(
            x in any::<f64>(),
            small in -1_000_000.0..1_000_000.0_f64,
            // Multiples of 2^-7 to 2^-20: many lie exactly between two texts.
            (n, shift) in (any::<i32>(), 7_i32..20),
        ) {
            for x in [x, small, f64::from(n) / f64::from(1 << shift)] {
                if x.is_finite() {
                    prop_assert_eq!(fixed(x), format!("{x:.6}"));
                }
            }
        }
    }
}
