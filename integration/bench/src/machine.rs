//! What it was measured on.

use std::{fs, path::Path};

use chrono::Utc;
use procfs::{CpuInfo, Current, LoadAverage, sys::kernel::Version};
use sha2::{Digest, Sha256};

use crate::{error::Error, process::Cores};

/// Machine, module and time.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Name of the processor.
    pub(crate) processor: String,
    /// Cores.
    pub(crate) cores: usize,
    /// Whether Envoy and the load each had one of their own.
    pub(crate) apart: bool,
    /// Tasks that ran or waited to run in the minute before.
    pub(crate) busy: f32,
    /// Version of the kernel.
    pub(crate) kernel: String,
    /// Version of Envoy.
    pub(crate) envoy: String,
    /// Size of the module in bytes.
    pub(crate) module_bytes: usize,
    /// SHA-256 of the module, in hexadecimal.
    pub(crate) module_hash: String,
    /// Day, as `YYYY-MM-DD`, in UTC.
    pub(crate) day: String,
}

impl Machine {
    /// This machine with this module, now.
    pub(crate) fn look(module: &Path, envoy: String, cores: Cores) -> Result<Self, Error> {
        let bytes = fs::read(module).map_err(Error::file(module))?;
        let processor = CpuInfo::current()?.model_name(0).unwrap_or("unknown").to_owned();
        let Version { major, minor, patch } = Version::current()?;
        let hash: Vec<_> =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            processor,
            cores: cores.count(),
            apart: cores.apart(),
            busy: LoadAverage::current()?.one,
            kernel: format!("{major}.{minor}.{patch}"),
            envoy,
            module_bytes: bytes.len(),
            module_hash: hash.concat(),
            day: Utc::now().date_naive().to_string(),
        })
    }
}
