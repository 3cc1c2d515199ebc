//! Cases that are generated: configurations, tokens and requests, and what ours must make of them.
//!
//! What the native filter says to a request is what ours must say, unless the request or the
//! configuration has something that a divergence is about. Then the native filter is asked
//! again, with that put into words that it understands as we do: `exp: 0` as an `exp` long ago,
//! `bearer` as `Bearer`. So both sides are always known, and no divergence excuses anything but
//! itself.

mod ask;
mod config;
mod doors;
mod need;
mod paste;
mod run;
mod strategy;
mod texts;
mod token;
mod words;

pub use run::{Report, run};

/// A configuration and requests for it.
#[derive(Clone, Debug)]
struct Play {
    config: config::Config,
    asks: Vec<ask::Ask>,
}
