//! What the source itself must be like.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path below `src`, and its text.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for (root, name) in [("src", ""), ("crypto/src", "crypto/")] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let below = path.strip_prefix(&root).unwrap().to_string_lossy();
                    let below = format!("{name}{}", below.replace('\\', "/"));
                    found.push(Source { path: below, text: fs::read_to_string(&path).unwrap() });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "{}", found.len());
    found
}

impl Source {
    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    fn is_host(&self) -> bool {
        self.path == "host.rs" || self.path.starts_with("host/")
    }

    /// Its lines with their numbers, comments cut off, up to the tests, which come last.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        (1..).zip(lines.map(|line| line.split("//").next().unwrap_or_default()))
    }

    /// The lines that have one of `words`.
    fn lines_with(&self, words: &[&str]) -> Vec<String> {
        let has = |line: &str| words.iter().any(|word| line.contains(word));
        let lines = self.code().filter(|(_, line)| has(line));
        lines.map(|(number, line)| format!("{}:{number}: {}", self.path, line.trim())).collect()
    }
}

fn none<T: std::fmt::Debug>(found: &[T]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_host_adapter_knows_the_proxy() {
    let core = sources().into_iter().filter(|source| !source.is_host());
    none(&core.flat_map(|source| source.lines_with(&["proxy_wasm"])).collect::<Vec<_>>());
}

#[test]
fn the_core_names_no_part_of_the_adapter() {
    let core = sources().into_iter().filter(|source| !source.is_host());
    let words = ["crate::host", "super::host"];
    none(&core.flat_map(|source| source.lines_with(&words)).collect::<Vec<_>>());
}

#[test]
fn the_core_reads_no_clock_and_does_no_io() {
    let words = [
        "SystemTime",
        "Instant::",
        "std::fs",
        "std::net",
        "std::env",
        "static mut",
        "thread_local!",
    ];
    let core = sources().into_iter().filter(|source| !source.is_host() && !source.is_test());
    none(&core.flat_map(|source| source.lines_with(&words)).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_is_in_one_file() {
    let others = sources().into_iter().filter(|source| source.path != "host/abi.rs");
    let found = others.flat_map(|source| source.lines_with(&["unsafe ", "unsafe{", "unsafe_code"]));
    none(&found.collect::<Vec<_>>());
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let lengths = sources().into_iter().map(|source| (source.text.lines().count(), source.path));
    none(&lengths.filter(|(lines, _)| *lines > 400).collect::<Vec<_>>());
}

#[test]
fn nothing_panics_on_purpose_outside_of_tests() {
    let words = [
        ".unwrap()",
        ".expect(",
        ".unwrap_err()",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
    ];
    let code = sources().into_iter().filter(|source| !source.is_test());
    // `assert!` of a constant is checked while it is compiled.
    none(&code.flat_map(|source| source.lines_with(&words)).collect::<Vec<_>>());
}

#[test]
fn tests_come_last_in_a_file() {
    let with_more = sources().into_iter().filter(|source| {
        let lines: Vec<&str> = source.text.lines().collect();
        let Some(at) = lines.iter().position(|line| *line == "#[cfg(test)]") else { return false };
        let last = if lines.get(at + 1).is_some_and(|line| line.ends_with(';')) {
            lines.len() == at + 2
        } else {
            let end = lines[at..].iter().position(|line| *line == "}");
            end.is_some_and(|end| at + end + 1 == lines.len())
        };
        !last
    });
    none(&with_more.map(|source| source.path).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources()
        .into_iter()
        .filter(|source| !source.is_test() && !source.text.starts_with("//! "));
    none(&silent.map(|source| source.path).collect::<Vec<_>>());
}

#[test]
fn every_key_of_the_scenario_format_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("tests/scenarios/README.md")).unwrap();
    let format = fs::read_to_string(root.join("integration/scenario/src/suite/raw.rs")).unwrap();
    let keys: Vec<&str> = format
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("pub(crate) ").or(line.trim().strip_prefix("pub(super) "))
        })
        .filter_map(|rest| rest.split_once(':').map(|(name, _)| name))
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect();
    assert!(keys.len() > 10, "{keys:?}");
    let documented = |key: &&str| {
        let forms = [format!("`{key}`"), format!("{key} ="), format!("[[{key}]]")];
        forms.iter().any(|form| readme.contains(form))
    };
    none(&keys.into_iter().filter(|key| !documented(key)).collect::<Vec<_>>());
}
