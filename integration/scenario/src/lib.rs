//! Scenarios: what a configured gate does with requests, as data.
//!
//! `tests/scenarios/README.md` is the format. A level of the test stack (core, module, proxy)
//! implements [`Driver`]; [`run_suite`] reads the files, plays each scenario against a fresh
//! driver, and says where what came is not what was expected. Tokens and keys are made with
//! AWS-LC, which shares no code with the gate's own cryptography.

mod audit;
pub mod challenge;
pub mod document;
mod driver;
mod expand;
mod forgery;
mod keyring;
mod report;
mod run;
mod schema;
mod suite;
mod token;
mod words;

pub use driver::{Body, Document, Driver, Endpoint, Fault, Left, Level, Reply, Request};
pub use expand::{ExpandError, Expansion, expand};
pub use forgery::{FORGERY_KEYS, Forgery, forgeries};
pub use keyring::{Algorithm, KeyError, Keyring, Kind};
pub use report::{Report, run_suite, run_suite_at_once, run_suite_matching};
pub use run::{Outcome, rehearse, run};
pub use suite::{LoadError, Problem, Scenario, StepProblem, Suite};
pub use token::MintError;
pub use words::WordsError;
