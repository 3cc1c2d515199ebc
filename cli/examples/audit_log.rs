//! Writes an audit log as Envoy would have it, the same one for the same arguments:
//! `audit_log BYTES SEED`. For tests and for measuring; it is no traffic that anybody had.

#![expect(clippy::arithmetic_side_effects, reason = "all numbers are small")]

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// SplitMix64: enough for dice, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    /// From 0 to `end`, `end` not included.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    fn one_of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        let at = self.below(u64::try_from(all.len()).unwrap_or(1));
        usize::try_from(at).ok().and_then(|at| all.get(at)).copied().unwrap_or_default()
    }
}

/// A rule of `filter-config/role-table`, its match, its methods, and the roles that may use it.
type Rule = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const RULES: [Rule; 7] = [
    ("read-orders", "/orders", &["GET", "GET", "HEAD"], &["viewer", "clerk", "auditor"]),
    ("write-orders", "/orders", &["POST", "PUT"], &["clerk", "lead"]),
    ("read-customers", "/customers", &["GET"], &["viewer", "clerk", "auditor"]),
    ("write-customers", "/customers", &["POST"], &["clerk"]),
    ("refund", "/orders/{order}/refunds/**", &["POST"], &["accountant", "lead"]),
    ("read-reports", "/reports", &["GET"], &["accountant", "auditor"]),
    ("staff-accounts", "/staff", &["GET", "POST"], &["administrator"]),
];

/// The `number`th request of the log.
fn line(dice: &mut Dice, number: u64) -> String {
    let (rule, route, methods, roles) =
        RULES.get(usize::try_from(dice.below(7)).unwrap_or(0)).copied().unwrap_or(RULES[0]);
    let method = dice.one_of(methods);
    let client = format!("app-{}", dice.below(40) * dice.below(40) / 40);
    let moment = time(number / 40, number % 40 * 25);
    let sub = dice.below(1_000_000);
    let (decision, status, outcome, reason, role) = match dice.below(100) {
        0..=1 => ("deny", "401", "expired", "token expired 90 s ago (leeway 60 s)", None),
        2 => ("deny", "401", "missing", "no token", None),
        3..=5 => ("deny", "403", "unauthorized", "`authorize` does not hold", Some("viewer")),
        _ => ("allow", "null", "ok", "the policy allows it", Some(dice.one_of(roles))),
    };
    let lifetime = dice.one_of(&["300", "300", "900", "3600"]);
    let roles = role.map_or(String::new(), |role| format!(r#","roles":["{role}"]"#));
    format!(
        "[{}][27][info][wasm] [source/extensions/common/wasm/context.cc:1198] wasm log jwt-gate: \
         {{\"audit\":\"jwt-gate/1\",\"time\":\"{moment}\",\"decision\":\"{decision}\",\
         \"enforcement\":\"enforce\",\"rule\":\"{rule}\",\"route\":\"{route}\",\
         \"method\":\"{method}\",\"status\":{status},\"provider\":\"staff\",\
         \"outcome\":\"{outcome}\",\"reason\":\"{reason}\",\"lifetime\":{lifetime},\
         \"claims\":{{\"sub\":\"user-{sub}\",\"client_id\":\"{client}\"{roles}}}}}\n",
        moment.replace('T', " ").trim_end_matches('Z'),
    )
}

/// So many seconds and milliseconds after the log begins.
fn time(seconds: u64, milliseconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let day = days % 28 + 1;
    format!("2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let (Some(Ok(bytes)), Some(Ok(seed))) = (numbers.next(), numbers.next()) else {
        eprintln!("usage: audit_log BYTES SEED");
        return ExitCode::from(2);
    };
    let (mut dice, mut out) = (Dice(seed), BufWriter::new(io::stdout().lock()));
    let (mut written, mut number) = (0_u64, 0_u64);
    while written < bytes {
        let line = line(&mut dice, number);
        if out.write_all(line.as_bytes()).is_err() {
            return ExitCode::from(2);
        }
        written = written.saturating_add(u64::try_from(line.len()).unwrap_or(0));
        number = number.saturating_add(1);
    }
    ExitCode::SUCCESS
}
