//! RequestAuthentication: providers.

use serde_json::{Map, Value, json};

use crate::migrate::fields::Fields;
use crate::migrate::notes::Notes;
use crate::migrate::provider::{
    authority, object, provider_name, remote_jwks, some_list, some_texts,
};

/// Adds a provider for each of `jwtRules`.
pub(super) fn providers(mut spec: Fields<'_>, into: &mut Map<String, Value>, notes: &mut Notes) {
    let place = spec.at("jwtRules");
    for (at, rule) in spec.list("jwt_rules", notes).iter().enumerate() {
        let mut fields = Fields::of(rule, &format!("{place}[{at}]"), notes);
        let Some(issuer) = fields.text("issuer", notes) else {
            notes.fault(fields.place(), "has no issuer");
            continue;
        };
        let provider = provider(&mut fields, &issuer, notes);
        fields.finish(notes);
        into.insert(provider_name(&issuer, into), provider);
    }
    spec.finish(notes);
}

fn provider(fields: &mut Fields<'_>, issuer: &str, notes: &mut Notes) -> Value {
    let timeout = fields.text("timeout", notes).unwrap_or_else(|| "5s".to_owned());
    let (local, remote) = match (fields.text("jwks", notes), fields.text("jwks_uri", notes)) {
        (Some(jwks), _) => (json!({ "inline_string": jwks }), Value::Null),
        (None, Some(uri)) => (Value::Null, remote(&uri, &timeout, fields, notes)),
        (None, None) => {
            notes.fault(
                fields.place(),
                "has neither jwks nor jwksUri: give the jwks_uri of the issuer's metadata",
            );
            (Value::Null, Value::Null)
        }
    };
    if fields
        .list("space_delimited_claims", notes)
        .iter()
        .any(|claim| claim != "scope" && claim != "permission")
    {
        let why = "scopes are split at spaces (`scope_claims`), other claims are taken whole";
        notes.differs(&fields.at("space_delimited_claims"), why);
    }
    object([
        ("issuer", Value::from(issuer)),
        ("audiences", some_texts(&fields.texts("audiences", notes))),
        ("scope_claims", json!(["scope"])),
        ("from_headers", headers(fields, notes)),
        ("from_params", some_texts(&fields.texts("from_params", notes))),
        ("from_cookies", some_texts(&fields.texts("from_cookies", notes))),
        (
            "forward",
            fields.flag("forward_original_token", notes).map(Value::from).unwrap_or_default(),
        ),
        (
            "forward_payload_header",
            fields.text("output_payload_to_header", notes).map(Value::from).unwrap_or_default(),
        ),
        ("claim_to_headers", claims(fields, notes)),
        ("local_jwks", local),
        ("remote_jwks", remote),
    ])
}

fn remote(uri: &str, timeout: &str, fields: &Fields<'_>, notes: &mut Notes) -> Value {
    let Some((host, port)) = authority(uri) else {
        notes.fault(&fields.at("jwks_uri"), "is not a URL");
        return Value::Null;
    };
    let cluster = format!("outbound|{port}||{host}");
    let why =
        format!("cluster `{cluster}` needs a ServiceEntry where {host} is outside of the mesh");
    notes.differs(&fields.at("jwks_uri"), why);
    remote_jwks(uri, &cluster, timeout, None)
}

fn headers(fields: &mut Fields<'_>, notes: &mut Notes) -> Value {
    let place = fields.at("fromHeaders");
    let headers = fields.list("from_headers", notes).iter().map(|header| {
        let mut header = Fields::of(header, &place, notes);
        let (name, prefix) = (header.text("name", notes), header.text("prefix", notes));
        header.finish(notes);
        object([
            ("name", name.map(Value::from).unwrap_or_default()),
            ("value_prefix", prefix.map(Value::from).unwrap_or_default()),
        ])
    });
    some_list(headers.collect())
}

fn claims(fields: &mut Fields<'_>, notes: &mut Notes) -> Value {
    let place = fields.at("outputClaimToHeaders");
    let claims = fields.list("output_claim_to_headers", notes).iter().map(|claim| {
        let mut claim = Fields::of(claim, &place, notes);
        let (header, name) = (claim.text("header", notes), claim.text("claim", notes));
        claim.finish(notes);
        object([
            ("header_name", header.map(Value::from).unwrap_or_default()),
            ("claim_name", name.map(Value::from).unwrap_or_default()),
        ])
    });
    some_list(claims.collect())
}
