//! The module as the linker makes it, which is the same with `wasm-opt` and without: what it costs is counted.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jwt_gate_scenario::Keyring;
use jwt_gate_test_host::Module;

/// Keys for tokens.
pub(crate) fn keyring() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING.get_or_init(Keyring::new)
}

/// Its bytes.
pub(crate) fn linked() -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
    let path = target.join("wasm32-wasip1/release/jwt_gate.wasm");
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run `make wasm` first", path.display()))
}

/// The module, its instructions counted.
pub(crate) fn metered() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::metered(&linked()).unwrap())
}
