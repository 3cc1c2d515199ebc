//! A token: as it comes, or a header and a payload that are signed here.

use std::sync::LazyLock;

use jsonwebtoken::Algorithm;
use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Gate, Moment};
use jwt_gate::time::Timestamp;

use crate::gate::{FORGED, NOW, Verdict, gate, policy, request, verdict};
use crate::input::Input;
use crate::reference;

/// A gate with one provider for everything.
fn fresh() -> (Gate, TokenCache) {
    let keys = serde_json::Value::from(reference::jwks());
    gate(policy(&format!(
        r#"{{"providers":{{"p":{{"issuer":"https://idp.example","audiences":["api"],
            "forward_payload_header":"x-jwt-payload",
            "claim_to_headers":[{{"header_name":"x-jwt-sub","claim_name":"sub"}}],
            "local_jwks":{{"inline_string":{keys}}}}}}},
        "rules":[{{"match":{{"prefix":"/"}},"requires":{{"provider_name":"p"}}}}]}}"#
    )))
}

thread_local! {
    static GATE: LazyLock<(Gate, TokenCache)> = const { LazyLock::new(fresh) };
}

/// The first byte says how the rest is to be read: as a token, or as a line that is a header and a
/// payload behind it, signed by the algorithm of that number.
pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let algorithm = match input.byte() {
        b'1' => Some(Algorithm::HS256),
        b'2' => Some(Algorithm::HS384),
        b'3' => Some(Algorithm::HS512),
        _ => None,
    };
    let token = match algorithm {
        Some(algorithm) => {
            let header = input.line();
            reference::signed(header, input.rest(), algorithm)
        }
        None => input.rest().to_vec(),
    };
    let authorization = [b"Bearer ", token.as_slice()].concat();
    let lines = request(
        b"/",
        &[(b"x-jwt-sub", FORGED), (b"X_Jwt_Payload", FORGED), (b"authorization", &authorization)],
    );
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: true };
    GATE.with(|gate| match verdict(&gate.0, &gate.1, moment, &lines) {
        Verdict::Passes(_) => {
            assert!(
                reference::accepts(&token).is_some(),
                "a token passes that nobody else accepts"
            );
        }
        Verdict::Answered(reply) => {
            assert!(matches!(reply.status, 401 | 403), "{}", reply.status);
        }
        Verdict::Waits(_) => panic!("local keys are there"),
    });
}
