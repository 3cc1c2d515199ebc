//! `jwt-gate report` as a person runs it, and as `docs/report.md` shows it.

#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "../examples/audit_log/traffic.rs"]
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use traffic::Traffic;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the command prints, in the folder of the project.
fn run(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    let output = command.args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A log of so many requests, in a file of its own.
fn log(name: &str, requests: u64) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lines: Vec<String> = Traffic::new(requests, 1).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_string_lossy().into_owned()
}

const POLICY: &str = "filter-config/role-table/config.json";

#[test]
fn the_page_shows_what_the_command_prints() {
    let log = log("page.log", 20_000);
    let came = run(&["report", &log, "--policy", POLICY, "--top", "5"]);
    let page = root().join("docs/report.md");
    let text = fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- output -->\n```text\n", "```\n<!-- end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (shown, after) = rest.split_once(end).unwrap();
    if std::env::var_os("SNAPSHOTS").is_some_and(|word| word == "overwrite") {
        fs::write(&page, [before, begin, &came, end, after].concat()).unwrap();
    } else {
        assert_eq!(shown, came, "SNAPSHOTS=overwrite writes it down anew");
    }
}

#[test]
fn a_log_in_parts_packed_or_not_is_the_same_log() {
    let whole = log("whole.log", 3_000);
    let text = fs::read(&whole).unwrap();
    let half = text.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(1_499).unwrap().0 + 1;
    let (first, second) = text.split_at(half);
    let (plain, packed) = (whole.clone() + ".1", whole.clone() + ".2.gz");
    fs::write(&plain, first).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, second).unwrap();
    fs::write(&packed, packer.finish().unwrap()).unwrap();
    assert_eq!(run(&["report", &plain, &packed, "--json"]), run(&["report", &whole, "--json"]));
}

#[test]
fn as_json_it_has_every_number() {
    let log = log("json.log", 1_000);
    let report: serde_json::Value =
        serde_json::from_str(&run(&["report", &log, "--json"])).unwrap();
    assert_eq!(report["requests"]["requests"], 1_000);
    let rules = report["rules"]["rows"].as_array().unwrap();
    let sum: u64 = rules.iter().map(|rule| rule["requests"].as_u64().unwrap()).sum();
    assert_eq!(sum, 1_000);
    assert!(report.get("unused").is_none() && report.get("proposed").is_none());
}

#[test]
fn a_policy_with_faults_is_told() {
    let policy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty.json");
    fs::write(&policy, r#"{"rule": []}"#).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    let output = command.args(["report", "-", "--policy"]).arg(&policy).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("unknown field `rule`; did you mean `rules`?"), "{told}");
}
