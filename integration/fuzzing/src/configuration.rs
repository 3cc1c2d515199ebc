//! A configuration: JSON, or the bytes of a `Struct`.

use std::sync::Arc;

use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Gate, Moment};
use jwt_gate::policy::{HostKind, Policy};
use jwt_gate::time::Timestamp;

use crate::gate::{FORGED, NOW, request, verdict};

/// The bytes are the configuration.
pub(crate) fn run(document: &[u8]) {
    let policy = match Policy::from_json(document) {
        Ok(policy) => policy,
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            faults.iter().for_each(|fault| assert!(!fault.to_string().is_empty()));
            return;
        }
    };
    // To write a policy down takes longer than to read it: one document in sixteen.
    if document.len().is_multiple_of(16) {
        let again = Policy::from_json(document).expect("as before");
        assert_eq!(format!("{policy:?}"), format!("{again:?}"), "a document is read in one way");
    }
    for kind in [HostKind::Envoy, HostKind::Nginx, HostKind::Bare] {
        let _ = policy.unsupported(kind);
    }
    let cache = TokenCache::new(&policy, 7);
    let now = Timestamp::from_secs(NOW);
    let gate = Gate::new(Arc::new(policy), now);
    for path in [&b"/"[..], b"/admin/%2e%2e/x;y", b"*"] {
        for authorization in [&b"Basic eDp5"[..], b"Bearer a.b.c"] {
            let lines = request(path, &[(b"x-forged", FORGED), (b"authorization", authorization)]);
            let may_wait = authorization.starts_with(b"Bearer");
            let _ = verdict(&gate, &cache, Moment { now, may_wait }, &lines);
        }
    }
}
