//! Ed25519 over `curve25519-dalek`, with tables of multiples of the base point and of the key.
#![expect(clippy::arithmetic_side_effects, reason = "a point's sign")]

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

use super::{KeyError, Signature};
use crate::multiples::{Multiples, Table};

pub(crate) struct Ed25519Key {
    encoded: [u8; 32],
    /// The key's point, negated.
    minus_a: EdwardsPoint,
    /// Multiples of it, 130 KiB. `None` if it has to do without.
    table: Option<Table<EdwardsPoint>>,
}

/// Multiples of the base point, 220 KiB, for all keys.
static BASE: Table<EdwardsPoint> = Table::new();

/// Bits of a scalar.
const BITS: u32 = 253;

impl Ed25519Key {
    pub(crate) fn new(x: &[u8]) -> Result<Self, KeyError> {
        let point = super::point(x)?;
        let encoded = point.compress().to_bytes();
        Ok(Self { encoded, minus_a: -point, table: Some(Table::new()) })
    }

    pub(crate) fn forgo_table(&mut self) {
        self.table = None;
    }

    /// What `ed25519-dalek`'s `verify_strict` says, with less work: s below the order of the base
    /// point, R of large order, and \[s\]B = R + \[k\]A without a factor for the cofactor.
    pub(super) fn is_strictly(&self, message: &[u8], signature: &Signature) -> bool {
        let s: Option<Scalar> = Scalar::from_canonical_bytes(signature.s).into();
        let Some(s) = s else { return false };
        let digest = Sha512::new()
            .chain_update(signature.r)
            .chain_update(self.encoded)
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&digest.into());
        let r = self.difference(&s, &k);
        // A point has one encoding: equal octets are a canonical R, and the same point. So R itself
        // is never decoded, and its order is that of the point at hand.
        r.compress() == CompressedEdwardsY(signature.r) && !r.is_small_order()
    }

    /// \[s\]B - \[k\]A
    fn difference(&self, s: &Scalar, k: &Scalar) -> EdwardsPoint {
        let own = self.table.as_ref();
        let own = own.and_then(|t| t.get(|| Multiples::new(&self.minus_a, BITS, 5)));
        let base = || BASE.get(|| Multiples::new(&ED25519_BASEPOINT_POINT, BITS, 6));
        match own.and_then(|own| Some((own, base()?))) {
            Some((own, base)) => {
                let mut sum = EdwardsPoint::default();
                base.add_product(s.as_bytes(), &mut sum);
                own.add_product(k.as_bytes(), &mut sum);
                sum
            }
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &self.minus_a, s),
        }
    }
}
