//! What docs/command.md shows is what the command prints.

use std::env;
use std::path::Path;

#[test]
fn every_output_in_the_documentation_is_what_comes() {
    // The commands are those of somebody who stands in the root of the repository.
    env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    trycmd::TestCases::new()
        .register_bin("jwt-gate", Path::new(env!("CARGO_BIN_EXE_jwt-gate")))
        .case("docs/command.md");
}
