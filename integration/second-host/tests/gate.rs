//! What the module does in a host that others wrote.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use jwt_gate_second_host::{Request, start};
use proxy_wasm_host::abi::v0_2_1::types::Action;
use proxy_wasm_host::abi::v0_2_1::{
    CallScope, ContextId, Guest, GuestError, HttpCallResponse, StreamKind,
};
use serde_json::{Value, json};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn jwks() -> String {
    let x = BASE64.encode(key().verifying_key().as_bytes());
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x }] }).to_string()
}

fn token() -> String {
    let part = |value: Value| BASE64.encode(value.to_string());
    let header = part(json!({ "alg": "EdDSA", "kid": "one" }));
    let claims =
        part(json!({ "iss": "https://idp.example", "sub": "alice", "exp": 4_102_444_800_u64 }));
    let text = format!("{header}.{claims}");
    let signature = BASE64.encode(key().sign(text.as_bytes()).to_bytes());
    format!("{text}.{signature}")
}

fn configuration(keys: &str, value: Value) -> String {
    json!({
        "providers": { "p": { "issuer": "https://idp.example", keys: value,
            "claim_to_headers": [{ "header_name": "x-user", "claim_name": "sub" }] } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    })
    .to_string()
}

fn remote() -> String {
    let uri = json!({ "uri": "https://idp.example/jwks", "cluster": "idp", "timeout": "5s" });
    configuration("remote_jwks", json!({ "http_uri": uri }))
}

/// A request's context, and what the module said to its headers.
fn begin(
    scope: &mut CallScope<'_, Request>,
    root: ContextId,
) -> Result<(ContextId, Action), GuestError> {
    let stream = scope.on_context_create(Some(root))?;
    scope.expect_stream_kind(stream, StreamKind::Http)?;
    let action = scope.on_request_headers(stream, 4, true)?;
    Ok((stream, action))
}

fn end(scope: &mut CallScope<'_, Request>, stream: ContextId) -> Result<(), GuestError> {
    scope.on_done(stream)?;
    scope.on_log(stream)?;
    scope.on_delete(stream).map(drop)
}

/// Sends a request from its beginning to its end.
fn send(guest: &mut Guest, root: ContextId, authorization: Option<&str>) -> (Action, Request) {
    let bearer = authorization.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("x-user", "mallory")];
    headers.extend(bearer.iter().map(|value| ("authorization", value.as_str())));
    let (action, request) = guest.with(Request::get(&headers), |scope| {
        let (stream, action) = begin(scope, root)?;
        end(scope, stream)?;
        Ok::<_, GuestError>(action)
    });
    (action.unwrap(), request)
}

#[test]
fn a_good_token_passes_and_others_do_not() {
    let local = configuration("local_jwks", json!({ "inline_string": jwks() }));
    let (mut guest, root, record) = start(&local).unwrap();
    let lines = record.lines();
    assert!(
        lines.iter().any(|line| line.contains("configuration loaded: 1 providers")),
        "{lines:?}"
    );

    let (action, request) = send(&mut guest, root, Some(&token()));
    assert_eq!((action, &request.answer), (Action::Continue, &None));
    assert_eq!(request.header("x-user").as_deref(), Some("alice"));
    assert_eq!(request.header("authorization"), None);

    let broken = token().replace("alice", "root") + "A";
    for bad in [None, Some(broken.as_str())] {
        let (action, request) = send(&mut guest, root, bad);
        let (status, challenge) = request.answer.unwrap();
        assert_eq!((action, status), (Action::Pause, 401), "{bad:?}");
        assert!(challenge.unwrap().starts_with("Bearer realm="), "{bad:?}");
    }
}

#[test]
fn a_policy_with_a_fault_is_refused_with_its_place() {
    let refused = start(r#"{ "providers": { "p": { "issuers": 1 } } }"#).err().unwrap();
    assert_eq!(refused, "Error providers.p.issuers: must be a list, found a number");
}

/// Keys are asked for at a tick; a request that came before waits, and is decided when they are there.
#[test]
fn a_request_waits_for_keys_and_is_answered_without() {
    let keys = jwks();
    let answers = [
        (
            HttpCallResponse::received(vec![(b":status".into(), b"200".into())])
                .with_body(keys.as_bytes()),
            true,
        ),
        (HttpCallResponse::failed(), false),
    ];
    for (answer, passes) in answers {
        let (mut guest, root, record) = start(&remote()).unwrap();
        assert!(guest.take_changes().tick_periods.contains_key(&root));
        let bearer = format!("Bearer {}", token());
        let waiting = Request::get(&[("authorization", &bearer)]);
        let (held, request) = guest.with(waiting, |scope| {
            let (stream, action) = begin(scope, root)?;
            assert_eq!(action, Action::Pause);
            scope.on_tick(root)?;
            let [(context, callout, call)] = record.calls().try_into().expect("one call");
            assert_eq!(context, root);
            assert_eq!(
                call.headers.iter().find(|(n, _)| n.as_ref() == b":path").unwrap().1.as_ref(),
                b"/jwks"
            );
            scope.on_http_call_response(root, callout, answer.clone())?;
            end(scope, stream)
        });
        held.unwrap();
        let answered = request.answer.as_ref().map(|(status, _)| *status);
        assert_eq!(
            (request.resumed, answered),
            (passes, (!passes).then_some(503)),
            "{:?}",
            record.lines()
        );
        assert_eq!(request.header("x-user").as_deref(), passes.then_some("alice"));
    }
}
