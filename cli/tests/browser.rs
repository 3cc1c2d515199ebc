//! The page of a report in a real browser: `make test-browser`. `BROWSER` names one; without any
//! nothing is run, and the test says so.

#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "../examples/audit_log/traffic.rs"]
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use traffic::Traffic;

const USUAL: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What Chromium needs to run by itself, without a network.
const OPTIONS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
];

fn browser() -> Option<String> {
    let named = std::env::var("BROWSER").ok();
    let found = |name: &String| {
        let mut version = Command::new(name);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    named.into_iter().chain(USUAL.map(str::to_owned)).find(found)
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The page of a report on a log.
fn page(name: &str, log: &str) -> PathBuf {
    let (log_file, page) = (here(&format!("{name}.log")), here(&format!("{name}.html")));
    fs::write(&log_file, log).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let policy = root.join("filter-config/role-table/config.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    command.arg("report").arg(log_file).arg("--html").arg(&page).arg("--policy").arg(policy);
    assert!(command.output().unwrap().status.success());
    page
}

/// What the browser made of a page, as it writes it down, and what it complained of.
fn shown(browser: &str, page: &Path, option: &str) -> (String, String) {
    let profile = here("profile");
    let mut command = Command::new(browser);
    command.args(OPTIONS).arg(option).arg(format!("--user-data-dir={}", profile.display()));
    let output = command.arg(format!("file://{}", page.display())).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let complaints = text(&output.stderr);
    let console = complaints.lines().filter(|line| line.contains(":CONSOLE"));
    (text(&output.stdout), console.collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_browser_shows_the_page_and_runs_nothing() {
    let Some(browser) = browser() else {
        println!("not run: there is no Chromium; BROWSER=… names one");
        return;
    };
    let lines: Vec<String> = Traffic::new(5_000, 1).collect();
    let evil = r#"</title></text></svg></table><script>document.title=1</script><img src=x onerror=document.title=2>"#;
    let log = lines.join("\n");
    let attacked = log.replace("app-0", evil).replace("/customers", evil);
    assert!(attacked.matches(evil).count() > 1_000);
    let pages = [page("plain", &log), page("attacked", &attacked)];
    let [plain, attacked] = pages.map(|page| {
        let (dom, complaints) = shown(&browser, &page, "--dump-dom");
        assert_eq!(complaints, "", "{}", page.display());
        assert!(dom.contains("<title>How the API is used</title>"));
        let count = |what: &str| dom.matches(what).count();
        assert_eq!(count("<script") + count("<img"), 0);
        // As many as were closed: nothing ended early.
        ["<svg", "<table", "<figure", "<details", "<rect", "<tr", "<desc"].map(count)
    });
    assert_eq!(plain, attacked, "the same elements, whatever the names");
    assert!(plain.iter().all(|count| *count > 5), "{plain:?}");
    for (scheme, name) in [("1", "light.png"), ("0", "dark.png")] {
        let shot = here(name);
        let picture = format!("--screenshot={}", shot.display());
        let mut command = Command::new(&browser);
        command.args(OPTIONS).arg(picture).arg("--window-size=1060,1180").arg("--hide-scrollbars");
        command.arg(format!("--blink-settings=preferredColorScheme={scheme}"));
        command.arg(format!("--user-data-dir={}", here("profile").display()));
        let output = command.arg(format!("file://{}", here("plain.html").display())).output();
        assert!(output.unwrap().status.success());
        println!("{}", shot.display());
    }
    let [light, dark] = ["light.png", "dark.png"].map(|name| fs::read(here(name)).unwrap());
    assert!(light != dark, "light and dark look the same");
}
