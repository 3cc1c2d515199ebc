//! Ed25519 over `curve25519-dalek`, with a table of the key's multiples.
#![expect(clippy::arithmetic_side_effects, reason = "sums of points, which do not overflow")]

use std::sync::OnceLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_TABLE;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsBasepointTable, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::BasepointTable as _;
use sha2::{Digest as _, Sha512};

use super::{KeyError, Signature};

pub(crate) struct Ed25519Key {
    encoded: [u8; 32],
    /// The key's point, negated.
    minus_a: EdwardsPoint,
    /// Multiples of it, 30 KiB, made for the first signature: most keys of a set see none. `None`
    /// if it has to do without.
    table: Option<OnceLock<Box<EdwardsBasepointTable>>>,
}

impl Ed25519Key {
    pub(crate) fn new(x: &[u8]) -> Result<Self, KeyError> {
        let point = super::point(x)?;
        let encoded = point.compress().to_bytes();
        Ok(Self { encoded, minus_a: -point, table: Some(OnceLock::new()) })
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
        let r = match &self.table {
            Some(table) => {
                let made = || Box::new(EdwardsBasepointTable::create(&self.minus_a));
                ED25519_BASEPOINT_TABLE.mul_base(&s) + table.get_or_init(made).mul_base(&k)
            }
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.minus_a, &s),
        };
        // A point has one encoding: equal octets are a canonical R, and the same point. So R itself
        // is never decoded, and its order is that of the point at hand.
        r.compress() == CompressedEdwardsY(signature.r) && !r.is_small_order()
    }
}
