//! Configurations that come as a `google.protobuf.Struct`: Envoy hands its bytes over as they are.

use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Value as Wire};

use crate::json::{Number, Object, Value};

/// Reads a serialised `Struct`. `None` when the bytes are none; how deeply it may nest, the
/// decoder bounds (100).
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    // An empty message is a document without a member, and also what an absent one looks like.
    let message = Struct::decode(bytes).ok().filter(|message| !message.fields.is_empty())?;
    Some(Value::Object(object(message)))
}

fn object(message: Struct) -> Object {
    message.fields.into_iter().map(|(name, value)| (name.into(), json(value))).collect()
}

fn json(value: Wire) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(b)) => Value::Bool(b),
        Some(Kind::NumberValue(x)) => Value::Number(Number::Float(x)),
        Some(Kind::StringValue(text)) => Value::String(text.into()),
        Some(Kind::StructValue(message)) => Value::Object(object(message)),
        Some(Kind::ListValue(list)) => Value::Array(list.values.into_iter().map(json).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(kind: Kind) -> Wire {
        Wire { kind: Some(kind) }
    }

    fn message(fields: &[(&str, Kind)]) -> Struct {
        let fields = fields.iter().map(|(name, kind)| ((*name).to_owned(), wire(kind.clone())));
        Struct { fields: fields.collect() }
    }

    #[test]
    fn a_struct_is_read_as_the_json_it_stands_for() {
        let inner = message(&[("x", Kind::NumberValue(60.0)), ("y", Kind::NullValue(0))]);
        let list = vec![wire(Kind::StringValue("a".into())), wire(Kind::BoolValue(true))];
        let outer = message(&[
            ("list", Kind::ListValue(prost_types::ListValue { values: list })),
            ("inner", Kind::StructValue(inner)),
        ]);
        let read = parse(&outer.encode_to_vec()).unwrap();
        assert_eq!(read.to_string(), r#"{"inner":{"x":60,"y":null},"list":["a",true]}"#);
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [&b""[..], b"{}", b"\n{}", b"\n\xff", b"x"] {
            assert_eq!(parse(bytes), None, "{bytes:?}");
        }
    }
}
