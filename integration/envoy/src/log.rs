//! What a process writes to its standard error.
//!
//! A file and no pipe: what was written before an answer was sent is there when the answer is.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

/// The file with the log of a process.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    /// An empty log, and the file for the process to write to.
    pub(crate) fn create(path: PathBuf) -> io::Result<(Self, File)> {
        let file = File::create(&path)?;
        Ok((Self { path }, file))
    }

    /// The lines after so many bytes.
    pub(crate) fn since(&self, bytes: usize) -> Vec<String> {
        let log = self.read();
        // A log may quote bytes of a request, which need not be UTF-8.
        let text = String::from_utf8_lossy(log.get(bytes..).unwrap_or_default()).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap_or_default()
    }
}
