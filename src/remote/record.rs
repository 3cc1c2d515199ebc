//! What workers tell each other about a remote document: who fetches it, and what came.
//!
//! Each worker has a VM of its own; a record lies in the data that the host shares between them.
//! Any filter in the same VM id can write there, so it is read as if it came from the network.

use crate::time::Timestamp;

/// A record. The default one says that nobody has done anything yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Until when some worker fetches; others wait for what it brings.
    pub leased_until: Timestamp,
    /// When a fetch failed last.
    pub failed_at: Timestamp,
    /// When the document was fetched.
    pub fetched_at: Timestamp,
    /// When somebody asked for what was not in it last.
    pub asked_at: Timestamp,
    /// The document, as it came; empty before the first.
    pub body: Vec<u8>,
}

/// Form of the record, in its first byte: another form is no record.
const FORM: u8 = 1;

impl Record {
    /// The record as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let times = [self.leased_until, self.failed_at, self.fetched_at, self.asked_at];
        let times = times.into_iter().flat_map(|time| time.as_millis().to_le_bytes());
        [FORM].into_iter().chain(times).chain(self.body.iter().copied()).collect()
    }

    /// Reads a record; anything that is none counts as the default one.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (leased_until, rest) = time(rest)?;
        let (failed_at, rest) = time(rest)?;
        let (fetched_at, rest) = time(rest)?;
        let (asked_at, body) = time(rest)?;
        let body = body.to_vec();
        (*form == FORM).then_some(Self { leased_until, failed_at, fetched_at, asked_at, body })
    }

    /// Whether another worker fetches. A lease from a broken clock does not last for ever.
    pub fn is_leased(&self, now: Timestamp, longest: std::time::Duration) -> bool {
        now < self.leased_until && self.leased_until <= now.plus(longest)
    }
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = bytes.split_first_chunk::<8>()?;
    Some((Timestamp::from_millis(u64::from_le_bytes(*millis)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_record_survives_the_way_there_and_back() {
        let record = Record {
            leased_until: Timestamp::from_millis(1),
            failed_at: Timestamp::from_millis(2),
            fetched_at: Timestamp::NEVER,
            asked_at: Timestamp::from_millis(3),
            body: b"{}".to_vec(),
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
    }

    #[test]
    fn what_is_no_record_counts_as_none() {
        let good = Record::default().to_bytes();
        for bytes in [&b""[..], b"x", &good[..32], &[2; 40]] {
            assert_eq!(Record::from_bytes(bytes), Record::default(), "{bytes:?}");
        }
    }

    #[test]
    fn a_lease_ends_and_cannot_be_endless() {
        let leased =
            |until| Record { leased_until: Timestamp::from_secs(until), ..Record::default() };
        let now = Timestamp::from_secs(100);
        for (until, expected) in [(99, false), (100, false), (101, true), (105, true), (106, false)]
        {
            assert_eq!(leased(until).is_leased(now, Duration::from_secs(5)), expected, "{until}");
        }
    }
}
