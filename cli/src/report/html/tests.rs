use super::*;
use crate::report::claims::Places;
use crate::report::line::first;
use crate::report::summary::summarize;
use crate::report::tally::{Reader, Tally};

/// What an attacker might put wherever a log has a text.
const EVIL: &str = r#"</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"#;

fn page_of(lines: &[String]) -> String {
    let reader = Reader { lens: None, places: Places::default() };
    let mut tally = Tally::new();
    lines.iter().for_each(|line| tally.add(&first(line.as_bytes()).unwrap(), &reader));
    page(&summarize(&tally, None, 10))
}

#[test]
fn nothing_from_a_log_becomes_markup() {
    let line = |decision: &str, enforcement: &str| {
        format!(
            r#"{{"audit":"jwt-gate/1","time":"2026-11-03T10:00:00.000Z","decision":"{decision}","enforcement":"{enforcement}","rule":"{EVIL}","route":"{EVIL}","method":"{EVIL}","provider":"{EVIL}","outcome":"{EVIL}","lifetime":9000,"claims":{{"sub":"{EVIL}","scope":"{EVIL}","roles":["{EVIL}"]}},"candidate":{{"decision":"deny","rule":"{EVIL}","outcome":"{EVIL}"}}}}"#
        )
    };
    let page =
        page_of(&[line("allow", "enforce"), line("deny", "shadow"), line("deny", "enforce")]);
    let (_, body) = page.split_once("</style>").unwrap();
    assert!(body.contains("&lt;script&gt;"));
    // The one title is that of the page; those of shapes have no markup in them.
    for evil in ["<script", "<img", "\"'>", "onerror=alert(1)>"] {
        assert!(!body.contains(evil), "{evil}");
    }
}

#[test]
fn every_chart_is_told_in_words_and_has_its_numbers_behind_it() {
    let line = r#"{"audit":"jwt-gate/1","time":"2026-11-03T10:00:00.000Z","decision":"allow","rule":"a","method":"GET","provider":"p","outcome":"ok","lifetime":300,"claims":{"sub":"s"}}"#;
    let page = page_of(&[line.to_owned()]);
    let count = |what: &str| page.matches(what).count();
    let charts = count("<svg role=\"img\"");
    assert_eq!(charts, 5);
    for part in ["-title\">", "</desc>", "<details>", "</svg><details>"] {
        assert_eq!(count(part), charts, "{part}");
    }
    assert_eq!(count("<script") + count("href=") + count("src="), 0);
}

#[test]
fn a_report_on_nothing_is_a_page_all_the_same() {
    assert!(page_of(&[]).ends_with("</main></body></html>\n"));
}
