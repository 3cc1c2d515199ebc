//! The load generator, wrk.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::error::Error;

/// What wrk executes for each request, and at the end.
const SCRIPT: &str = include_str!("wrk.lua");

/// wrk with its script.
#[derive(Debug)]
pub(crate) struct Wrk {
    script: PathBuf,
}

/// What is sent for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    /// To whom.
    pub(crate) address: SocketAddr,
    /// The path with the query.
    pub(crate) path: &'a str,
    /// A file with a token on each line.
    pub(crate) tokens: &'a Path,
    /// How many tokens of the file to skip at first.
    pub(crate) skip: u32,
    /// Connections, all of them busy all the time.
    pub(crate) connections: u32,
    /// How long; at least a second.
    pub(crate) seconds: u32,
}

/// What wrk counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Answers that came.
    pub(crate) requests: u32,
    /// Those of them with a status of 400 or above.
    pub(crate) refused: u32,
    /// Requests that got no answer.
    pub(crate) failed: u32,
    /// Median time from request to answer.
    pub(crate) p50: Duration,
    /// Time within which 99 of 100 answers came.
    pub(crate) p99: Duration,
}

impl Wrk {
    /// Writes the script into this folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, Error> {
        let script = folder.join("wrk.lua");
        fs::write(&script, SCRIPT).map_err(Error::file(&script))?;
        Ok(Self { script })
    }

    /// Sends this load, and waits until it is over.
    pub(crate) fn run(&self, load: &Load<'_>) -> Result<Counted, Error> {
        let mut command = Command::new("wrk");
        command.arg("--threads=1").arg(format!("--connections={}", load.connections));
        command.arg(format!("--duration={}s", load.seconds)).arg("--script").arg(&self.script);
        command.arg(format!("http://{}", load.address)).arg("--").arg(load.tokens);
        command.arg(load.path).arg(load.skip.to_string());
        let output = command.output().map_err(Error::NoWrk)?;
        let text = String::from_utf8_lossy(&output.stdout);
        Counted::read(&text)
            .ok_or_else(|| Error::Wrk(format!("{text}{}", String::from_utf8_lossy(&output.stderr))))
    }
}

impl Counted {
    /// Reads the line that the script writes.
    fn read(output: &str) -> Option<Self> {
        let line = output.lines().find_map(|line| line.strip_prefix("measured "))?;
        let value = |name: &str| -> Option<u32> {
            let mut words = line.split(' ').filter_map(|word| word.split_once('='));
            words.find(|(key, _)| *key == name)?.1.parse().ok()
        };
        let time = |name| value(name).map(|us| Duration::from_micros(u64::from(us)));
        Some(Self {
            requests: value("requests")?,
            refused: value("refused")?,
            failed: value("failed")?,
            p50: time("p50_us")?,
            p99: time("p99_us")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_script_is_found_among_what_wrk_says() {
        let output = "Running 1s test @ http://127.0.0.1:10000\n  1 threads and 16 connections\n\
                      Requests/sec:  46821.33\nTransfer/sec:      4.20MB\n\
                      measured requests=46821 refused=3 failed=0 p50_us=312 p99_us=1204\n";
        let expected = Counted {
            requests: 46_821,
            refused: 3,
            failed: 0,
            p50: Duration::from_micros(312),
            p99: Duration::from_micros(1_204),
        };
        assert_eq!(Counted::read(output), Some(expected));
    }

    #[test]
    fn an_output_without_a_whole_line_counts_nothing() {
        for output in [
            "",
            "unable to connect to 127.0.0.1:1 Connection refused\n",
            "measured requests=1 refused=0 failed=0 p50_us=1\n",
            "measured requests=x refused=0 failed=0 p50_us=1 p99_us=1\n",
        ] {
            assert_eq!(Counted::read(output), None, "{output:?}");
        }
    }
}
