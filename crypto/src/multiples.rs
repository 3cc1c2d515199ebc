//! Products of a point that is known beforehand: its multiples are in a table, and a product is a
//! sum of some of them, without doublings.
//!
//! Takes time that depends on the scalar: for public data only. The additions are those of the
//! curve's crate, which has to allow any two points.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums and products in groups and fields, which do not overflow"
)]

use std::ops::{AddAssign, SubAssign};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// What a curve's crate calls a point.
pub(crate) trait Point:
    Copy + for<'a> AddAssign<&'a Self> + for<'a> SubAssign<&'a Self>
{
}

impl<P: Copy + for<'a> AddAssign<&'a P> + for<'a> SubAssign<&'a P>> Point for P {}

/// Multiples of one point.
pub(crate) struct Multiples<P> {
    /// Bits of a digit.
    width: u32,
    /// For each digit of a scalar, the lowest first: the point times 1, 2, … 2^(width - 1) times
    /// the digit's weight.
    digits: Box<[Box<[P]>]>,
}

impl<P: Point> Multiples<P> {
    /// For scalars of at most `bits` bits, by digits of `width` bits, from 2 to 8.
    pub(crate) fn new(point: &P, bits: u32, width: u32) -> Self {
        // A digit more than the scalar fills by itself takes what is carried.
        let count = bits.checked_div(width).unwrap_or_default().saturating_add(1);
        let mut unit = *point;
        let digits = (0..count).map(|_| {
            let mut multiple = unit;
            let mut row = vec![multiple];
            for _ in 1..1_usize << width.saturating_sub(1) {
                multiple += &unit;
                row.push(multiple);
            }
            // The last one is half the next digit's weight.
            unit = multiple;
            unit += &multiple;
            row.into_boxed_slice()
        });
        Self { width, digits: digits.collect() }
    }

    /// Adds the product with a scalar, its lowest octet first, to `sum`.
    pub(crate) fn add_product(&self, scalar: &[u8], sum: &mut P) {
        let base = 1_usize << self.width;
        let mut carry = 0;
        for (row, at) in self.digits.iter().zip((0_usize..).step_by(self.step())) {
            // Digits above half the base are taken as negative ones.
            let digit = digit(scalar, at, base.saturating_sub(1)).saturating_add(carry);
            let negative = digit > base >> 1;
            carry = usize::from(negative);
            let magnitude = if negative { base.saturating_sub(digit) } else { digit };
            match magnitude.checked_sub(1).and_then(|index| row.get(index)) {
                Some(multiple) if negative => *sum -= multiple,
                Some(multiple) => *sum += multiple,
                None => {}
            }
        }
    }

    fn step(&self) -> usize {
        usize::try_from(self.width).unwrap_or(1).max(1)
    }
}

/// The bits of `mask` at bit `at` of a number, its lowest octet first.
fn digit(number: &[u8], at: usize, mask: usize) -> usize {
    let octet = |index: usize| usize::from(number.get(index).copied().unwrap_or_default());
    let index = at >> 3;
    (octet(index) | octet(index.saturating_add(1)) << 8) >> (at & 7) & mask
}

/// A table that is made once it is worth it: most keys of a set never see a signature, and a first
/// request should not wait for it.
pub(crate) struct Table<P> {
    uses: AtomicU8,
    made: OnceLock<Multiples<P>>,
}

/// The use that gets a point its table. One costs what ten signatures do; before, a signature costs
/// two or three times what it does with it.
const WORTH: u8 = 4;

impl<P> Table<P> {
    pub(crate) const fn new() -> Self {
        Self { uses: AtomicU8::new(0), made: OnceLock::new() }
    }

    /// The table, from a certain use on.
    pub(crate) fn get(&self, make: impl FnOnce() -> Multiples<P>) -> Option<&Multiples<P>> {
        if let Some(made) = self.made.get() {
            return Some(made);
        }
        let before = self.uses.fetch_add(1, Ordering::Relaxed);
        (before.saturating_add(1) >= WORTH).then(|| self.made.get_or_init(make))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use proptest::prelude::*;

    fn product(table: &Multiples<EdwardsPoint>, scalar: &Scalar) -> EdwardsPoint {
        let mut sum = EdwardsPoint::default();
        table.add_product(scalar.as_bytes(), &mut sum);
        sum
    }

    fn tables() -> &'static [Multiples<EdwardsPoint>] {
        static TABLES: OnceLock<Vec<Multiples<EdwardsPoint>>> = OnceLock::new();
        TABLES.get_or_init(|| {
            (2..=8).map(|width| Multiples::new(&ED25519_BASEPOINT_POINT, 253, width)).collect()
        })
    }

    proptest! {
        #[test]
        fn a_product_is_what_the_crate_says(octets in any::<[u8; 32]>()) {
            let scalar = Scalar::from_bytes_mod_order(octets);
            for table in tables() {
                prop_assert_eq!(
                    product(table, &scalar),
                    ED25519_BASEPOINT_POINT * scalar,
                    "width {}", table.width
                );
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_have_their_products() {
        let small = [0_u64, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127, 128, 129, u64::MAX];
        let small = small.map(Scalar::from);
        // Digits that are all ones carry through the whole number.
        let ones = (1..=31).map(|octets| {
            let mut number = [0; 32];
            number[..octets].fill(0xff);
            Scalar::from_bytes_mod_order(number)
        });
        for scalar in small.into_iter().chain(ones) {
            for scalar in [scalar, -scalar] {
                for table in tables() {
                    let expected = ED25519_BASEPOINT_POINT * scalar;
                    assert_eq!(product(table, &scalar), expected, "{scalar:?}, {}", table.width);
                }
            }
        }
    }

    #[test]
    fn a_table_is_made_when_it_is_worth_it() {
        let table = Table::new();
        let make = || Multiples::new(&ED25519_BASEPOINT_POINT, 253, 2);
        for _ in 1..WORTH {
            assert!(table.get(make).is_none());
        }
        for _ in 0..1000 {
            assert!(table.get(make).is_some());
        }
    }
}
