//! Protobuf's wire format, as much of it as hosts speak to us: numbers and octets.

/// A field's value as it is transmitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field<'a> {
    /// `VARINT`: integers, booleans, enums.
    Number(u64),
    /// `I64`: `double`, and integers of a fixed size.
    Fixed(u64),
    /// `LEN`: text, octets, messages.
    Octets(&'a [u8]),
    /// `I32`, which nothing here asks for.
    Other,
}

/// Reads a message field by field: number and value; `None` when the octets are no message.
///
/// Groups, which protobuf gave up long ago, are no message either.
pub fn fields(mut message: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let field = match tag & 7 {
            0 => Field::Number(number(&mut message)?),
            1 => Field::Fixed(u64::from_le_bytes(*take(&mut message)?)),
            2 => {
                let length = usize::try_from(number(&mut message)?).ok()?;
                let (octets, rest) = message.split_at_checked(length)?;
                message = rest;
                Field::Octets(octets)
            }
            5 => take::<4>(&mut message).map(|_| Field::Other)?,
            _ => return None,
        };
        fields.push((Some(tag >> 3).filter(|number| *number != 0)?, field));
    }
    Some(fields)
}

/// An integer in groups of seven bits, the lowest first.
fn number(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let [octet] = *take(message)?;
        // Of the tenth octet one bit is left to fill.
        if shift == 63 && octet > 1 {
            return None;
        }
        number |= u64::from(octet & 0x7f) << shift;
        if octet < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take<'a, const N: usize>(message: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = message.split_first_chunk()?;
    *message = rest;
    Some(taken)
}

/// Appends a field of octets; its number is less than 16.
pub fn put_octets(number: u8, octets: &[u8], message: &mut Vec<u8>) {
    message.push(number << 3 | 2);
    let mut length = octets.len();
    while let more @ 1.. = length >> 7 {
        // Seven bits, and the mark that more follow.
        message.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length = more;
    }
    message.push(u8::try_from(length).unwrap_or(0));
    message.extend_from_slice(octets);
}

/// Appends a field of a number less than 128; its own number is less than 16.
pub fn put_number(number: u8, value: u8, message: &mut Vec<u8>) {
    message.extend_from_slice(&[number << 3, value & 0x7f]);
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;
    use prost::encoding::{int32, string};

    #[test]
    fn fields_are_read_as_they_were_written() {
        let mut message = Vec::new();
        put_number(3, 1, &mut message);
        put_octets(1, &[7; 300], &mut message);
        message.extend_from_slice(b"\x21\x01\x00\x00\x00\x00\x00\x00\x80");
        message.extend_from_slice(b"\x2d\x01\x00\x00\x00");
        message.extend_from_slice(b"\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        let expected = [
            (3, Field::Number(1)),
            (1, Field::Octets(&[7; 300])),
            (4, Field::Fixed(0x8000_0000_0000_0001)),
            (5, Field::Other),
            (16, Field::Number(u64::MAX)),
        ];
        assert_eq!(fields(&message).unwrap(), expected);
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        let cases: [&[u8]; 8] = [
            b"\x08",
            b"\x08\x80",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            b"\x0a\x02x",
            b"\x09\x00",
            b"\x0d\x00",
            b"\x0b\x0c",
            b"\x00\x00",
        ];
        for message in cases {
            assert_eq!(fields(message), None, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_written_as_another_library_writes_it(text in ".{0,300}", n in 0_u8..128) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            put_octets(1, text.as_bytes(), &mut ours);
            put_number(3, n, &mut ours);
            string::encode(1, &text, &mut theirs);
            int32::encode(3, &i32::from(n), &mut theirs);
            prop_assert_eq!(ours, theirs);
        }
    }
}
