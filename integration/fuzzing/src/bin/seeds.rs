//! Writes the inputs to begin with into a folder for each target: `seeds FOLDER`.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "fuzz/corpus".into()));
    for (name, _) in jwt_gate_fuzzing::TARGETS {
        let below = folder.join(name);
        fs::create_dir_all(&below)?;
        for (number, seed) in jwt_gate_fuzzing::seeds::of(name).into_iter().enumerate() {
            fs::write(below.join(format!("seed-{number:03}")), seed)?;
        }
    }
    Ok(())
}
