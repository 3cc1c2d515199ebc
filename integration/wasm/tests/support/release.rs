//! The module under test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jwt_gate_test_host::Module;

/// The release module: `JWT_GATE_WASM` names it, by default it is the one that `make wasm` builds.
pub(crate) fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/jwt-gate.wasm");
        let path = std::env::var_os("JWT_GATE_WASM").map_or(built, PathBuf::from);
        Module::from_file(&path).unwrap_or_else(|error| panic!("{error}: run `make wasm` first"))
    })
}
