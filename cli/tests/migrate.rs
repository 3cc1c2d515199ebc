//! `jwt-gate migrate` as `docs/migration.md` shows it. The cases themselves are in `tests/migrate`.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The block of a page behind a mark: what stands before it, in it, and after it.
fn block<'p>(page: &'p str, mark: &str, language: &str) -> (&'p str, &'p str, &'p str) {
    let begin = format!("<!-- {mark} -->\n```{language}\n");
    let (before, rest) = page.split_once(&begin).unwrap();
    let (inner, _) = rest.split_once("```\n<!-- end -->").unwrap();
    let (before, rest) = page.split_at(before.len().strict_add(begin.len()));
    let (_, after) = rest.split_at(inner.len());
    (before, inner, after)
}

#[test]
fn the_page_shows_what_the_command_prints() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migration.md");
    let mut page = fs::read_to_string(&file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    command
        .args(["migrate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(block(&page, "input", "yaml").1.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    for (mark, language, came) in
        [("policy", "json", output.stdout), ("notes", "text", output.stderr)]
    {
        let came = String::from_utf8(came).unwrap();
        let (before, shown, after) = block(&page, mark, language);
        if std::env::var_os("SNAPSHOTS").is_some_and(|word| word == "overwrite") {
            page = [before, &came, after].concat();
            fs::write(&file, &page).unwrap();
        } else {
            assert_eq!(shown, came, "SNAPSHOTS=overwrite writes it down anew");
        }
    }
}

#[test]
fn a_restriction_that_cannot_be_said_ends_with_1_and_without_a_policy() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, policy) = (folder.join("custom.yaml"), folder.join("never.json"));
    let custom =
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nspec: { action: CUSTOM }\n";
    fs::write(&source, custom).unwrap();
    _ = fs::remove_file(&policy);
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    let output = command.arg("migrate").arg(&source).arg("-o").arg(&policy).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with("fault: AuthorizationPolicy/1: CUSTOM")
    );
    assert!(!policy.exists());
}
