//! ECDSA over the curves' crates, with tables of multiples of the base point and of the key.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums and products in groups and fields, which do not overflow"
)]

use crypto_bigint::BitOps as _;
use ecdsa::elliptic_curve::ops::{Invert as _, Reduce as _};
use ecdsa::elliptic_curve::point::AffineCoordinates as _;
use ecdsa::elliptic_curve::{
    AffinePoint, CurveArithmetic, CurveGroup as _, FieldBytes, Group as _, ProjectivePoint, Scalar,
};
use ecdsa::{EcdsaCurve, Signature, hazmat};

use crate::multiples::{Multiples, Point, Table};

/// A curve whose base point has a table.
pub(super) trait Tabled:
    EcdsaCurve + CurveArithmetic<ProjectivePoint: Point, AffinePoint: Sized>
{
    /// Multiples of the base point, for all keys.
    fn base() -> &'static Table<ProjectivePoint<Self>>;
}

macro_rules! tabled {
    ($($curve:ty)*) => {$(
        impl Tabled for $curve {
            fn base() -> &'static Table<ProjectivePoint<Self>> {
                static BASE: Table<ProjectivePoint<$curve>> = Table::new();
                &BASE
            }
        }
    )*};
}

tabled!(p256::NistP256 p384::NistP384 p521::NistP521);

/// Bits of a table's digit: 16 points for each, 80 KiB in all for P-256, 175 for P-384, 370 for P-521.
const WIDTH: u32 = 5;

/// A public key.
pub(super) struct Known<C: Tabled> {
    point: ProjectivePoint<C>,
    /// Multiples of it. `None` if it has to do without.
    table: Option<Table<ProjectivePoint<C>>>,
}

impl<C: Tabled> Known<C> {
    /// A point of the curve.
    pub(super) fn new(point: AffinePoint<C>) -> Self {
        Self { point: point.into(), table: Some(Table::new()) }
    }

    pub(super) fn forgo_table(&mut self) {
        self.table = None;
    }

    /// Whether a signature over a message with this hash is the key's (FIPS 186-5, 6.4.2).
    pub(super) fn verify(&self, hash: &[u8], signature: &Signature<C>) -> bool {
        self.by_tables(hash, signature)
            .unwrap_or_else(|| hazmat::verify_prehashed(&self.point, hash, signature).is_ok())
    }

    /// The verdict, if there are tables.
    fn by_tables(&self, hash: &[u8], signature: &Signature<C>) -> Option<bool> {
        let table = |of: &_| Multiples::new(of, C::ORDER.bit_width(), WIDTH);
        let own = self.table.as_ref()?.get(|| table(&self.point))?;
        let base = C::base().get(|| table(&ProjectivePoint::<C>::generator()))?;
        let (r, s) = signature.split_scalars();
        let w = *s.invert_vartime();
        let mut sum = ProjectivePoint::<C>::identity();
        base.add_product(&little_endian::<C>(scalar::<C>(hash)? * w), &mut sum);
        own.add_product(&little_endian::<C>(*r * w), &mut sum);
        // Infinity has no such coordinate: it is 0 here, and r is not.
        let x = sum.to_affine().x();
        Some(Scalar::<C>::reduce(&x) == *r)
    }
}

/// A hash as a number, of its length or less than the order has, as JWS ties hashes to curves.
fn scalar<C: Tabled>(hash: &[u8]) -> Option<Scalar<C>> {
    let mut octets = FieldBytes::<C>::default();
    let zeros = octets.len().checked_sub(hash.len())?;
    octets.get_mut(zeros..)?.copy_from_slice(hash);
    Some(Scalar::<C>::reduce(&octets))
}

/// A number, its lowest octet first.
fn little_endian<C: Tabled>(scalar: Scalar<C>) -> FieldBytes<C> {
    let mut octets: FieldBytes<C> = scalar.into();
    octets.reverse();
    octets
}

#[cfg(test)]
mod tests;
