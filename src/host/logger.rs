//! The proxy's log, and a last word before a trap.

use std::panic;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::abi;

struct ProxyLog;

impl Log for ProxyLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // The host filters by its own level: asking for it makes NGINX refuse the module.
        abi::log(code(record.level()), &record.args().to_string());
    }

    fn flush(&self) {}
}

const fn code(level: Level) -> u32 {
    match level {
        Level::Trace => 0,
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}

const CRITICAL: u32 = 5;

/// Sends log lines and panics to the proxy's log. Later calls change nothing.
pub(super) fn install() {
    if log::set_logger(&ProxyLog).is_ok() {
        log::set_max_level(LevelFilter::Debug);
        panic::set_hook(Box::new(|info| abi::log(CRITICAL, &info.to_string())));
    }
}
