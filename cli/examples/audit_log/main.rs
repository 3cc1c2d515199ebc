//! Writes an audit log as Envoy would have it, the same one for the same arguments:
//! `audit_log REQUESTS SEED`. For tests and for measuring: it is no traffic that anybody had.

mod traffic;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use traffic::Traffic;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let (Some(Ok(requests)), Some(Ok(seed))) = (numbers.next(), numbers.next()) else {
        eprintln!("usage: audit_log REQUESTS SEED");
        return ExitCode::from(2);
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in Traffic::new(requests, seed) {
        if writeln!(out, "{line}").is_err() {
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
