//! As much of protobuf's wire format as the arguments of foreign functions need.

/// The fields of a message, in order.
pub(super) struct Message<'a> {
    fields: Vec<(u64, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// Reads a message; fields that are not length-delimited are skipped.
    pub(super) fn parse(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let (tag, rest) = varint(bytes)?;
            bytes = match tag & 7 {
                0 => varint(rest)?.1,
                1 => rest.get(8..)?,
                2 => {
                    let (len, rest) = varint(rest)?;
                    let (value, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                    fields.push((tag >> 3, value));
                    rest
                }
                5 => rest.get(4..)?,
                _ => return None,
            };
        }
        Some(Self { fields })
    }

    /// The last value of a field, as the format demands.
    pub(super) fn bytes(&self, field: u64) -> Option<&'a [u8]> {
        let mut latest_first = self.fields.iter().rev();
        latest_first.find(|(number, _)| *number == field).map(|(_, value)| *value)
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let shift = u32::try_from(index).ok()?.checked_mul(7)?;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index.checked_add(1)?..)?));
        }
    }
    None
}
