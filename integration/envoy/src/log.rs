//! What a process writes to its standard error.
//!
//! A file and no pipe: what was written before an answer was sent is there when the answer is.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
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
    pub(crate) fn since(&self, bytes: u64) -> Vec<String> {
        lines(&self.read(bytes).unwrap_or_default())
    }

    /// The lines after so many bytes, which then are as many more.
    pub(crate) fn after(&self, bytes: &mut u64) -> Vec<String> {
        let log = self.read(*bytes).unwrap_or_default();
        *bytes = bytes.saturating_add(u64::try_from(log.len()).unwrap_or_default());
        lines(&log)
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.path).map(|metadata| metadata.len()).unwrap_or_default()
    }

    fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let (mut file, mut log) = (File::open(&self.path)?, Vec::new());
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut log)?;
        Ok(log)
    }
}

/// A log may quote bytes of a request, which need not be UTF-8.
fn lines(log: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(log).lines().map(str::to_owned).collect()
}
