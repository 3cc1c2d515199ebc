//! ECDSA by the curves' crates alone.

use ecdsa::elliptic_curve::{AffinePoint, CurveArithmetic, ProjectivePoint};
use ecdsa::{EcdsaCurve, Signature, hazmat};

/// A curve.
pub(super) trait Tabled: EcdsaCurve + CurveArithmetic {}

impl<C: EcdsaCurve + CurveArithmetic> Tabled for C {}

/// A public key.
pub(super) struct Known<C: Tabled>(ProjectivePoint<C>);

impl<C: Tabled> Known<C> {
    /// A point of the curve.
    pub(super) fn new(point: AffinePoint<C>) -> Self {
        Self(point.into())
    }

    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "there is no table")]
    pub(super) const fn forgo_table(&mut self) {}

    /// Whether a signature over a message with this hash is the key's (FIPS 186-5, 6.4.2).
    pub(super) fn verify(&self, hash: &[u8], signature: &Signature<C>) -> bool {
        hazmat::verify_prehashed(&self.0, hash, signature).is_ok()
    }
}
