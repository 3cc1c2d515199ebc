//! What later filters of the proxy can read: claims, headers and failures of tokens, as JSON text.

use std::fmt;

use crate::gate::{Accepted, Failure};
use crate::json::{Number, Object, Value};
use crate::jws::base64url;
use crate::policy::Policy;

/// A text that later filters of the proxy can read under a name of the configuration.
#[derive(Clone, Eq, PartialEq)]
pub struct Export {
    /// The name.
    pub name: Box<str>,
    /// The text.
    pub value: Vec<u8>,
}

/// Says how large it is and nothing that stands in it.
impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({}, {} bytes)", self.name, self.value.len())
    }
}

/// What is told of a decision: why tokens failed, what the good ones say. Of several values under
/// one name the last one stays, as in the native filter.
pub(super) fn exports(
    policy: &Policy,
    failures: &[Failure<'_>],
    accepted: &[Accepted<'_>],
) -> Vec<Export> {
    let mut exports = Vec::<Export>::new();
    let mut set = |name: &Option<Box<str>>, value: &dyn Fn() -> Option<Vec<u8>>| {
        let export = name.clone().and_then(|name| Some(Export { name, value: value()? }));
        exports.retain(|before| export.as_ref().is_none_or(|export| export.name != before.name));
        exports.extend(export);
    };
    for failure in failures {
        // A token that is lacking is nobody's, but where there is one provider only.
        if let Some(provider) = failure.provider.or_else(|| policy.only_provider()) {
            set(&provider.exports.failure, &|| status(failure));
        }
    }
    for accepted in accepted {
        let names = &accepted.provider.exports;
        set(&names.header, &|| base64url(accepted.token.header().as_bytes()));
        set(&names.payload, &|| payload(accepted));
    }
    exports
}

/// The claims as the token has them, byte for byte, but for claims that are to be split.
fn payload(accepted: &Accepted<'_>) -> Option<Vec<u8>> {
    let split = &accepted.provider.exports.split;
    let claims = accepted.token.claims().members();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !split.iter().any(|name| text(name).is_some()) {
        return base64url(accepted.token.payload().as_bytes());
    }
    let mut claims = claims.clone();
    for name in split {
        if let Some(Value::String(text)) = claims.get(name) {
            let words = text.split(' ').filter(|word| !word.is_empty());
            let words: Vec<_> = words.map(|word| Value::String(word.into())).collect();
            // As in the native filter, which adds word by word to what becomes a list.
            if !words.is_empty() {
                claims.insert(name.clone(), Value::Array(words));
            }
        }
    }
    Some(Value::Object(claims).to_string().into_bytes())
}

/// `{"code": 3, "message": "Jwt is expired"}`
fn status(failure: &Failure<'_>) -> Option<Vec<u8>> {
    let code = Value::Number(Number::Unsigned(failure.why.native_code()?.into()));
    let message = Value::String(failure.why.body().into());
    let status = Object::from([("code".into(), code), ("message".into(), message)]);
    Some(Value::Object(status).to_string().into_bytes())
}
