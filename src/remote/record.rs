//! What workers tell each other about a remote document: who fetches it, and what came.
//!
//! Each worker has a VM of its own; a record lies in the data that the host shares between them.
//! Any filter in the same VM id can write there, so it is read as if it came from the network.

use std::time::Duration;

use crate::keys::absent::{KidHash, MAX_NAMES};
use crate::remote::source::History;
use crate::time::Timestamp;

/// A record. The default one says that nobody has done anything yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Until when some worker fetches; others wait for what it brings.
    pub leased_until: Timestamp,
    /// When a fetch failed last.
    pub failed_at: Timestamp,
    /// When the document was fetched, and on whose account.
    pub history: History,
    /// How long the answer asked to be kept; `None`: it did not say.
    pub fresh_for: Option<Duration>,
    /// What the log has been told of the last failure, as a number: workers that fail alike say it
    /// once.
    pub told: u64,
    /// Names that a request asked for, and that no key of the document has; 256 at most.
    pub absent: Vec<KidHash>,
    /// The document, as it came; empty before the first.
    pub body: Vec<u8>,
}

/// Form of the record, in its first byte: another form is no record.
const FORM: u8 = 4;

/// What stands for an answer that did not say how long it may be kept.
const UNTOLD: u64 = u64::MAX;

impl Record {
    /// The record as bytes: the form, nine numbers of eight bytes, as many as the last one says,
    /// the document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let History { began, came, asked, in_vain } = self.history;
        let times = [self.leased_until, self.failed_at, began, came, asked];
        let fresh_for = self.fresh_for.map(|time| u64::try_from(time.as_millis()));
        let fresh_for = fresh_for.map_or(UNTOLD, |time| time.unwrap_or(UNTOLD));
        let absent = self.absent.iter().take(MAX_NAMES).map(|kid| kid.to_number());
        let count = u64::try_from(absent.len()).unwrap_or_default();
        let numbers = [u64::from(in_vain), fresh_for, self.told, count];
        let numbers = times.into_iter().map(Timestamp::as_millis).chain(numbers).chain(absent);
        let head = [FORM].into_iter().chain(numbers.flat_map(u64::to_le_bytes));
        head.chain(self.body.iter().copied()).collect()
    }

    /// Reads a record; anything that is none counts as the default one.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (leased_until, rest) = time(rest)?;
        let (failed_at, rest) = time(rest)?;
        let (began, rest) = time(rest)?;
        let (came, rest) = time(rest)?;
        let (asked, rest) = time(rest)?;
        let (in_vain, rest) = number(rest)?;
        let (fresh_for, rest) = number(rest)?;
        let (told, rest) = number(rest)?;
        let (absent, body) = names(rest)?;
        let in_vain = u32::try_from(in_vain).unwrap_or(u32::MAX);
        let history = History { began, came, asked, in_vain };
        let fresh_for = (fresh_for != UNTOLD).then(|| Duration::from_millis(fresh_for));
        let body = body.to_vec();
        let record = Self { leased_until, failed_at, history, fresh_for, told, absent, body };
        (*form == FORM).then_some(record)
    }

    /// Whether another worker fetches. A lease from a broken clock does not last for ever.
    pub fn is_leased(&self, now: Timestamp, longest: Duration) -> bool {
        now < self.leased_until && self.leased_until <= now.plus(longest)
    }
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = number(bytes)?;
    Some((Timestamp::from_millis(millis), rest))
}

fn names(bytes: &[u8]) -> Option<(Vec<KidHash>, &[u8])> {
    let (count, mut rest) = number(bytes)?;
    let mut names = Vec::new();
    for _ in 0..usize::try_from(count).ok().filter(|count| *count <= MAX_NAMES)? {
        let (name, after) = number(rest)?;
        names.push(KidHash::from_number(name));
        rest = after;
    }
    Some((names, rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_way_there_and_back() {
        for fresh_for in [None, Some(Duration::ZERO), Some(Duration::from_secs(300))] {
            let record = Record {
                leased_until: Timestamp::from_millis(1),
                failed_at: Timestamp::from_millis(2),
                history: History {
                    began: Timestamp::from_millis(3),
                    came: Timestamp::NEVER,
                    asked: Timestamp::from_millis(4),
                    in_vain: 5,
                },
                fresh_for,
                told: 6,
                absent: vec![KidHash::from_number(7), KidHash::from_number(8)],
                body: b"{}".to_vec(),
            };
            assert_eq!(Record::from_bytes(&record.to_bytes()), record);
        }
    }

    #[test]
    fn what_is_no_record_counts_as_none() {
        let good = Record::default().to_bytes();
        for bytes in [&b""[..], b"x", &good[..72], &[4; 73], &[3; 80]] {
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
