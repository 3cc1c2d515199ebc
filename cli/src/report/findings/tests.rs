#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use crate::report::claims::Places;
use crate::report::line::first;
use crate::report::tally::Reader;

/// A log: how often, at which minute, client, rule, decision and outcome.
type Rows<'r> = &'r [(u64, u64, &'r str, &'r str, &'r str, &'r str)];

fn found(rows: Rows<'_>) -> Vec<(Kind, u64, String)> {
    let reader = Reader { lens: None, places: Places::default() };
    let mut tally = Tally::new();
    for (times, minute, client, rule, decision, outcome) in rows {
        let line = format!(
            r#"{{"audit":"jwt-gate/1","time":"{}","decision":"{decision}","rule":"{rule}","method":"GET","provider":"idp","outcome":"{outcome}","claims":{{"sub":"{client}"}}}}"#,
            moment(1_800_000_000 + minute * 60)
        );
        for _ in 0..*times {
            tally.add(&first(line.as_bytes()).unwrap(), &reader);
        }
    }
    findings(&tally, None).into_iter().map(|f| (f.kind, f.requests, f.what)).collect()
}

#[test]
fn a_client_that_lacks_something_for_one_rule_is_told() {
    let came = found(&[
        (50, 0, "app", "read", "allow", "ok"),
        (4, 1, "app", "write", "deny", "scope"),
        (50, 0, "good", "read", "allow", "ok"),
        (2, 0, "good", "write", "deny", "scope"),
        (9, 0, "stranger", "write", "deny", "scope"),
    ]);
    let what = "client `app` passes elsewhere (100.0 % of its other requests), and rule `write` \
                refuses it: 4 of 4";
    assert_eq!(came, [(Kind::Lacking, 4, what.to_owned())]);
}

#[test]
fn expired_tokens_that_come_all_at_once_are_told() {
    let came = found(&[
        (50, 0, "app", "read", "allow", "ok"),
        (3, 0, "app", "read", "deny", "expired"),
        (12, 7, "app", "read", "deny", "expired"),
        (3, 9, "other", "read", "deny", "expired"),
    ]);
    let what = "12 expired tokens of provider `idp` came within 1 minute from 2027-01-15T08:07:00Z \
                on, where 0 are usual";
    assert_eq!(came, [(Kind::Expired, 12, what.to_owned())]);
}

#[test]
fn a_reason_that_begins_all_at_once_is_told() {
    let rows: Rows<'_> = &[
        (50, 0, "app", "read", "allow", "ok"),
        (10, 100, "app", "read", "deny", "audience"),
        (1, 0, "app", "read", "deny", "demand"),
        (10, 100, "app", "read", "deny", "demand"),
    ];
    let what = "tokens of provider `idp` are refused with `audience` from 2027-01-15T09:40:00Z on: \
                10 times, never before";
    assert_eq!(found(rows), [(Kind::Sudden, 10, what.to_owned())]);
}

#[test]
fn a_rule_that_nobody_passes_is_told() {
    let came = found(&[
        (50, 0, "app", "read", "allow", "ok"),
        (19, 0, "a", "write", "deny", "unauthorized"),
        (1, 0, "b\u{202e}", "write", "deny", "scope"),
    ]);
    let what = "rule `write` refuses 20 of 20 requests, whoever asks";
    assert_eq!(came, [(Kind::Closed, 20, what.to_owned())]);
}
