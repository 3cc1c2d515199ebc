//! Scenario files: reading them, and refusing what makes no sense before anything runs.

mod endpoint;
mod files;
mod raw;
mod step;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::driver::{Document, Level};

pub(crate) use endpoint::{EndpointText, Endpoints};
pub use step::StepProblem;
pub(crate) use step::{Expected, RequestText, Step};

/// All scenarios of a directory.
#[derive(Clone, Copy, Debug)]
pub struct Suite;

/// A scenario, read and found sound.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) config: String,
    pub(crate) token: String,
    pub(crate) idp: Endpoints,
    pub(crate) faults: Option<Vec<String>>,
    pub(crate) skip: BTreeMap<Level, String>,
    pub(crate) steps: Vec<Step>,
}

/// Why the scenarios cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or directory that cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory without scenarios.
    #[error("{}: no scenarios in it", .0.display())]
    Empty(PathBuf),
    /// A file that is not in the format.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A text that is to be replaced in a configuration, and is not there.
    #[error("{}: there is no `{text}` to replace", path.display())]
    NothingToReplace {
        /// The file with the configuration.
        path: PathBuf,
        /// The text.
        text: String,
    },
    /// A scenario that is not in the format.
    #[error("{file}: scenario `{scenario}`: {problem}")]
    Scenario {
        /// The file.
        file: String,
        /// Name of the scenario, or its number where it has none.
        scenario: String,
        /// What is wrong.
        problem: Problem,
    },
    /// A name that two scenarios have.
    #[error("{file}: scenario `{scenario}`: there is one of this name in {first}")]
    Duplicate {
        /// The file.
        file: String,
        /// The name.
        scenario: String,
        /// File of the other one.
        first: String,
    },
}

/// What is wrong with a scenario.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A key or a value that the format does not have.
    #[error("{0}")]
    Format(Box<toml::de::Error>),
    /// The same, in a step.
    #[error("step {0}: {1}")]
    StepFormat(usize, Box<toml::de::Error>),
    /// A step that makes no sense.
    #[error("step {0}: {1}")]
    Step(usize, StepProblem),
    /// The endpoint at the start makes no sense.
    #[error("{0}")]
    Endpoint(StepProblem),
    /// No configuration, neither its own nor the file's.
    #[error("neither it nor its file has a `config`")]
    NoConfig,
    /// No steps and no faults.
    #[error("it has neither `step` nor `faults`, so it shows nothing")]
    Nothing,
    /// Steps beside faults.
    #[error("a configuration that is refused decides nothing: `faults` goes without `step`")]
    StepsAfterFaults,
    /// `faults = []`.
    #[error("`faults` must name at least one fault")]
    NoFaults,
    /// A level that does not exist.
    #[error("`skip`: there is no level `{0}`; there are core, module, nginx, bare, envoy")]
    Level(String),
    /// A skip without a reason.
    #[error("`skip.{0}` must say why")]
    Reasonless(Level),
    /// An empty name.
    #[error("a `name` must be a sentence that is true")]
    Nameless,
}

impl Suite {
    /// Reads all `*.toml` files of a directory and what they include; in the order of their names,
    /// then as they stand.
    pub fn load(dir: &Path) -> Result<Vec<Scenario>, LoadError> {
        let mut suite = Vec::new();
        for path in files::toml_files(dir)? {
            suite.extend(Self::load_file(&path)?);
        }
        refuse_duplicates(&suite)?;
        if suite.is_empty() {
            return Err(LoadError::Empty(dir.to_owned()));
        }
        Ok(suite)
    }

    /// Reads one file; its scenarios are about `config`, but for those that have one of their own.
    pub fn about(path: &Path, config: &str) -> Result<Vec<Scenario>, LoadError> {
        let mut raw = raw::File::parse(&files::name(path), &files::text(path)?)?;
        raw.config = Some(config.to_owned());
        Self::scenarios(&files::name(path), raw)
    }

    /// Reads the text of one file that refers to no other; `file` is what it is called in messages.
    pub fn parse(file: &str, text: &str) -> Result<Vec<Scenario>, LoadError> {
        let raw = raw::File::parse(file, text)?;
        Self::scenarios(file, raw)
    }

    fn load_file(path: &Path) -> Result<Vec<Scenario>, LoadError> {
        let text = files::text(path)?;
        let file = files::name(path);
        let mut raw = raw::File::parse(&file, &text)?;
        let folder = path.parent().unwrap_or(path);
        let mut suite = Vec::new();
        if let Some(include) = raw.include.take() {
            for path in files::included(&folder.join(include))? {
                suite.extend(Self::load_file(&path)?);
            }
        }
        if let Some(config_file) = raw.config_file.take() {
            raw.config = Some(files::config(&folder.join(config_file), &raw.replace)?);
        }
        suite.extend(Self::scenarios(&file, raw)?);
        Ok(suite)
    }

    fn scenarios(file: &str, raw: raw::File) -> Result<Vec<Scenario>, LoadError> {
        let mut scenarios = Vec::new();
        for (at, table) in raw.scenario.into_iter().enumerate() {
            let named = table.get("name").and_then(toml::Value::as_str);
            let number = || format!("number {}", at.saturating_add(1));
            let scenario = named.map_or_else(number, str::to_owned);
            let token = raw.token.as_deref().unwrap_or_default();
            let read = Scenario::read(file, raw.config.as_deref(), token, table);
            scenarios.push(read.map_err(|problem| LoadError::Scenario {
                file: file.to_owned(),
                scenario,
                problem,
            })?);
        }
        refuse_duplicates(&scenarios)?;
        Ok(scenarios)
    }
}

impl Scenario {
    /// The sentence that it shows to be true.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the file that it stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text of its configuration, with placeholders.
    #[must_use]
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Time that passes in it.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.steps.iter().fold(Duration::ZERO, |sum, step| sum.saturating_add(step.after))
    }

    /// Whether it shows more of the JWKS endpoint than one set of keys.
    pub(crate) fn is_about_fetching(&self) -> bool {
        let step = |step: &Step| !step.idp.is_empty() || step.fetches.is_some();
        let one_set = self.idp.get(&Document::Keys).is_some_and(EndpointText::is_one_set);
        let discovers = self.config.contains("\"discovery\"");
        let remote = ["remote_jwks", "remoteJwks"].iter().any(|name| self.config.contains(name));
        let spoken_of = self.faults.is_some() || self.steps.iter().any(|step| !step.log.is_empty());
        !one_set || discovers || self.steps.iter().any(step) || (remote && spoken_of)
    }

    /// Why it does not run at a level, if it does not.
    #[must_use]
    pub fn skipped_at(&self, level: Level) -> Option<&str> {
        self.skip.get(&level).map(String::as_str)
    }

    fn read(
        file: &str,
        config: Option<&str>,
        token: &str,
        table: toml::Table,
    ) -> Result<Self, Problem> {
        let raw = raw::Scenario::deserialize(table).map_err(|e| Problem::Format(Box::new(e)))?;
        if raw.name.trim().is_empty() {
            return Err(Problem::Nameless);
        }
        let skip = skips(raw.skip)?;
        match (&raw.faults, raw.step.is_empty()) {
            (None, true) => return Err(Problem::Nothing),
            (Some(_), false) => return Err(Problem::StepsAfterFaults),
            (Some(faults), true) if faults.is_empty() => return Err(Problem::NoFaults),
            (Some(_), true) | (None, false) => {}
        }
        let config = raw.config.as_deref().or(config).ok_or(Problem::NoConfig)?;
        let idp = endpoint::endpoints([
            (Document::Keys, raw.idp),
            (Document::Moved, raw.moved),
            (Document::Discovery, raw.discovery),
            (Document::Metadata, raw.metadata),
        ]);
        let mut idp = idp.map_err(Problem::Endpoint)?;
        idp.entry(Document::Keys).or_default();
        let mut steps = Vec::new();
        for (number, table) in (1..).zip(raw.step) {
            let wrong = |e| Problem::StepFormat(number, Box::new(e));
            let raw = raw::Step::deserialize(table).map_err(wrong)?;
            steps.push(Step::read(raw).map_err(|problem| Problem::Step(number, problem))?);
        }
        Ok(Self {
            name: raw.name,
            file: file.to_owned(),
            config: config.to_owned(),
            token: token.to_owned(),
            idp,
            faults: raw.faults,
            skip,
            steps,
        })
    }
}

fn skips(raw: BTreeMap<String, String>) -> Result<BTreeMap<Level, String>, Problem> {
    let levels = [Level::Core, Level::Module, Level::Nginx, Level::Bare, Level::Envoy];
    let mut skips = BTreeMap::new();
    for (name, reason) in raw {
        let level = levels.into_iter().find(|level| level.name() == name);
        let level = level.ok_or(Problem::Level(name))?;
        if reason.trim().is_empty() {
            return Err(Problem::Reasonless(level));
        }
        skips.insert(level, reason);
    }
    Ok(skips)
}

fn refuse_duplicates(scenarios: &[Scenario]) -> Result<(), LoadError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for scenario in scenarios {
        if let Some(first) = names.insert(&scenario.name, &scenario.file) {
            return Err(LoadError::Duplicate {
                file: scenario.file.clone(),
                scenario: scenario.name.clone(),
                first: first.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
