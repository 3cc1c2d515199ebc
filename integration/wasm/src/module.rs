//! A compiled module, shared by all VMs that run it.

use std::path::Path;

use wasmtime::{Config, Engine, Linker};

use crate::vm_state::VmState;
use crate::{
    LoadError, Personality, abi, callout, control, foreign, http, metrics, property, shared_data,
    wasi,
};

/// A compiled module; a clone shares the code.
#[derive(Clone, Debug)]
pub struct Module {
    pub(crate) module: wasmtime::Module,
    pub(crate) metered: bool,
}

impl Module {
    /// Compiles the module in a file.
    ///
    /// # Errors
    /// The file cannot be read, or is no module.
    pub fn from_file(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Read { path: path.display().to_string(), source };
        Self::from_bytes(&std::fs::read(path).map_err(unreadable)?)
    }

    /// Compiles a module, in binary or in text.
    ///
    /// # Errors
    /// The bytes are no module.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::compile(bytes, false)
    }

    /// Compiles a module that counts what it executes, for [`Vm::fuel`](crate::Vm::fuel); it runs
    /// slower than others.
    ///
    /// # Errors
    /// The bytes are no module.
    pub fn metered(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::compile(bytes, true)
    }

    fn compile(bytes: &[u8], metered: bool) -> Result<Self, LoadError> {
        let failed = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
        let mut config = Config::new();
        config.consume_fuel(metered);
        let engine = Engine::new(&config).map_err(failed)?;
        let module = wasmtime::Module::new(&engine, bytes).map_err(failed)?;
        Ok(Self { module, metered })
    }

    /// What the module imports: pairs of module and name.
    #[must_use]
    pub fn imports(&self) -> Vec<(String, String)> {
        let imports = self.module.imports();
        imports.map(|import| (import.module().to_owned(), import.name().to_owned())).collect()
    }

    /// The names of what the module exports.
    #[must_use]
    pub fn exports(&self) -> Vec<String> {
        self.module.exports().map(|export| export.name().to_owned()).collect()
    }

    /// All that a guest can import from a host of this personality.
    pub(crate) fn linker(&self, personality: Personality) -> wasmtime::Result<Linker<VmState>> {
        let mut linker = Linker::new(self.module.engine());
        control::link(&mut linker, personality)?;
        http::link(&mut linker)?;
        callout::link(&mut linker)?;
        property::link(&mut linker)?;
        shared_data::link(&mut linker)?;
        metrics::link(&mut linker)?;
        foreign::link(&mut linker)?;
        abi::link_unmodelled(&mut linker)?;
        wasi::link(&mut linker)?;
        Ok(linker)
    }
}
