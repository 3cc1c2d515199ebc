//! Configurations that come as a `google.protobuf.Struct`: Envoy hands its bytes over as they are.

use crate::json::{Number, Object, Value};
use crate::wire::{Field, fields};

/// How deeply it may nest.
const MAX_DEPTH: usize = 100;

/// Reads a serialised `Struct`. `None` when the bytes are none.
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    // An empty message is a document without a member, and also what an absent one looks like.
    object(bytes, MAX_DEPTH).filter(|members| !members.is_empty()).map(Value::Object)
}

/// `Struct`: field 1, again and again, is a name and a value. Of a name that comes twice the last
/// value counts, here as in everything below; what is unknown is passed over.
fn object(message: &[u8], depth: usize) -> Option<Object> {
    let depth = depth.checked_sub(1)?;
    let mut members = Object::new();
    for (number, field) in fields(message)? {
        let (1, Field::Octets(entry)) = (number, field) else { continue };
        let (mut name, mut value) = ("", Value::Null);
        for (number, field) in fields(entry)? {
            match (number, field) {
                (1, Field::Octets(octets)) => name = str::from_utf8(octets).ok()?,
                (2, Field::Octets(message)) => value = json(message, depth)?,
                _ => {}
            }
        }
        members.insert(name.into(), value);
    }
    Some(members)
}

/// `Value`: one field, whose number tells the kind.
fn json(message: &[u8], depth: usize) -> Option<Value> {
    let mut value = Value::Null;
    for (number, field) in fields(message)? {
        value = match (number, field) {
            (1, Field::Number(_)) => Value::Null,
            (2, Field::Fixed(bits)) => Value::Number(Number::Float(f64::from_bits(bits))),
            (3, Field::Octets(octets)) => Value::String(str::from_utf8(octets).ok()?.into()),
            (4, Field::Number(n)) => Value::Bool(n != 0),
            (5, Field::Octets(message)) => Value::Object(object(message, depth)?),
            (6, Field::Octets(message)) => Value::Array(list(message, depth)?),
            _ => continue,
        };
    }
    Some(value)
}

/// `ListValue`: field 1, again and again, is a value.
fn list(message: &[u8], depth: usize) -> Option<Vec<Value>> {
    let depth = depth.checked_sub(1)?;
    let mut values = Vec::new();
    for (number, field) in fields(message)? {
        let (1, Field::Octets(message)) = (number, field) else { continue };
        values.push(json(message, depth)?);
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;
    use prost::Message;
    use prost_types::value::Kind;
    use prost_types::{ListValue, Struct, Value as Wire};

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
            ("list", Kind::ListValue(ListValue { values: list })),
            ("inner", Kind::StructValue(inner)),
        ]);
        let read = parse(&outer.encode_to_vec()).unwrap();
        assert_eq!(read.to_string(), r#"{"inner":{"x":60,"y":null},"list":["a",true]}"#);
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [&b""[..], b"{}", b"\n{}", b"\n\xff", b"x", b"\n\x03\n\x01\xff"] {
            assert_eq!(parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| {
            let innermost = message(&[("x", Kind::BoolValue(true))]);
            (1..depth).fold(innermost, |inner, _| message(&[("x", Kind::StructValue(inner))]))
        };
        assert!(parse(&nested(MAX_DEPTH).encode_to_vec()).is_some());
        assert_eq!(parse(&nested(MAX_DEPTH + 1).encode_to_vec()), None);
    }

    fn values() -> impl Strategy<Value = Wire> {
        let leaf = prop_oneof![
            Just(Kind::NullValue(0)),
            any::<f64>().prop_map(Kind::NumberValue),
            ".{0,9}".prop_map(Kind::StringValue),
            any::<bool>().prop_map(Kind::BoolValue),
        ];
        leaf.prop_map(wire).prop_recursive(4, 32, 4, |inner| {
            let members = proptest::collection::btree_map(".{0,3}", inner.clone(), 0..4);
            prop_oneof![
                members.prop_map(|fields| wire(Kind::StructValue(Struct { fields }))),
                proptest::collection::vec(inner, 0..4)
                    .prop_map(|values| wire(Kind::ListValue(ListValue { values }))),
            ]
        })
    }

    /// What another library read, as JSON.
    fn reference(value: &Wire) -> Value {
        match &value.kind {
            None | Some(Kind::NullValue(_)) => Value::Null,
            Some(Kind::BoolValue(b)) => Value::Bool(*b),
            Some(Kind::NumberValue(x)) => Value::Number(Number::Float(*x)),
            Some(Kind::StringValue(text)) => Value::String(text.as_str().into()),
            Some(Kind::StructValue(message)) => {
                let members = message.fields.iter();
                Value::Object(members.map(|(n, v)| (n.as_str().into(), reference(v))).collect())
            }
            Some(Kind::ListValue(list)) => {
                Value::Array(list.values.iter().map(reference).collect())
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_read_as_another_library_reads_it(value in values()) {
            let message = Struct { fields: [("x".to_owned(), value)].into() };
            let read = parse(&message.encode_to_vec()).unwrap();
            let fields = wire(Kind::StructValue(message));
            // By their text: a number may be none.
            prop_assert_eq!(format!("{read:?}"), format!("{:?}", reference(&fields)));
        }

        #[test]
        fn octets_at_random_are_read_when_another_library_reads_them(
            octets in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            // The other passes groups over, which we do not take.
            if parse(&octets).is_some() {
                prop_assert!(Struct::decode(&*octets).is_ok());
            }
        }
    }
}
