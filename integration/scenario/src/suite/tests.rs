//! The format, and what it refuses.

use super::*;

fn problem(scenario: &str) -> String {
    let text = format!("[[scenario]]\nname = \"one\"\n{scenario}");
    Suite::parse("file.toml", &text).unwrap_err().to_string()
}

#[test]
fn a_sound_file_is_read() {
    let text = r#"
        config = "{}"
        [[scenario]]
        name = "first"
        skip = { envoy = "too slow", core = "no log" }
        [[scenario.step]]
        after = "250ms"
        idp = { status = 500, headers = [["a", "b"]] }
        [[scenario.step]]
        after = "3s"
        request = "GET /a b"
        headers = [["x", "1"], ["x", "2"]]
        outcome = "allow"
        upstream = { a = "1", b = ["2", "3"] }
        gone = ["x"]
        path = "/a"
        fetches = 1
        log = ["x"]
        [[scenario]]
        name = "second"
        config = "[]"
        faults = ["a: b"]
    "#;
    let scenarios = Suite::parse("file.toml", text).unwrap();
    let [first, second] = scenarios.as_slice() else { panic!("{scenarios:?}") };
    assert_eq!((first.name(), first.file(), first.config.as_str()), ("first", "file.toml", "{}"));
    assert_eq!(first.wait(), Duration::from_millis(3250));
    assert_eq!(first.skipped_at(Level::Envoy), Some("too slow"));
    assert_eq!(first.skipped_at(Level::Module), None);
    assert_eq!(first.steps.len(), 2);
    assert_eq!(second.config, "[]");
    assert_eq!(second.faults, Some(vec!["a: b".to_owned()]));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let rows = [
        ("", "it has neither `step` nor `faults`, so it shows nothing"),
        ("faults = []", "`faults` must name at least one fault"),
        ("faults = [\"x\"]", "neither it nor its file has a `config`"),
        ("skip = { envoi = \"x\" }", "`skip`: there is no level `envoi`"),
        ("skip = { envoy = \"\" }", "`skip.envoy` must say why"),
        ("after = \"1s\"", "unknown field `after`"),
        ("step = [{ afer = \"1s\" }]", "step 1: unknown field `afer`"),
        ("step = [{}]", "step 1: it does nothing"),
        ("step = [{ after = \"1m\" }]", "step 1: `after = \"1m\"`: must be like `300s`"),
        ("step = [{ after = \"1s\" }, {}]", "step 2: it does nothing"),
        ("step = [{ request = \"/\" }]", "step 1: `request` must be `METHOD target`"),
        ("step = [{ request = \"GET /\" }]", "step 1: `request` needs an `outcome`"),
        ("step = [{ request = \"GET /\", outcome = \"ok\" }]", "must be `allow` or `deny`"),
        ("step = [{ request = \"GET /\", outcome = \"deny\" }]", "needs a `status`"),
        (
            "step = [{ request = \"GET /\", outcome = \"allow\", status = 200 }]",
            "step 1: `status` needs `outcome = \"deny\"`",
        ),
        (
            "step = [{ request = \"GET /\", outcome = \"deny\", status = 401, gone = [] }]",
            "step 1: `gone` needs `outcome = \"allow\"`",
        ),
        ("step = [{ after = \"1s\", outcome = \"allow\" }]", "`outcome` needs a `request`"),
        ("step = [{ idp = { fault = \"down\" } }]", "step 1: `idp.fault = \"down\"`: must be"),
        ("step = [{ idp = { keys = [], body = \"\" } }]", "step 1: `idp`: only one of"),
        ("step = [{ idp = { fault = \"reset\", status = 1 } }]", "there is no answer to describe"),
        ("step = [{ idp = { fault = \"truncated\", size = 1 } }]", "cannot be truncated"),
        ("step = [{ idp = { kyes = [] } }]", "step 1: unknown field `kyes`"),
    ];
    for (scenario, expected) in rows {
        let config = if scenario.starts_with("faults = [\"") { "" } else { "config = \"{}\"\n" };
        let message = problem(&format!("{config}{scenario}"));
        assert!(message.starts_with("file.toml: scenario `one`: "), "{scenario}: {message}");
        assert!(message.contains(expected), "{scenario}: {message}");
    }
    let both = problem("config = \"{}\"\nfaults = [\"x\"]\nstep = [{ after = \"1s\" }]");
    assert!(both.contains("`faults` goes without `step`"), "{both}");
}

#[test]
fn a_scenario_without_a_name_is_named_by_its_number() {
    let text = "[[scenario]]\nfaults = [\"x\"]\n";
    let message = Suite::parse("file.toml", text).unwrap_err().to_string();
    assert!(
        message.starts_with("file.toml: scenario `number 1`: missing field `name`"),
        "{message}"
    );
}

#[test]
fn a_file_that_is_not_toml_is_named() {
    for text in ["[[scenario", "other = 1\n"] {
        let message = Suite::parse("file.toml", text).unwrap_err().to_string();
        assert!(message.starts_with("file.toml: "), "{message}");
    }
}

#[test]
fn a_name_belongs_to_one_scenario() {
    let one = "[[scenario]]\nname = \"one\"\nconfig = \"{}\"\nfaults = [\"x\"]\n";
    let message = Suite::parse("file.toml", &one.repeat(2)).unwrap_err().to_string();
    assert_eq!(message, "file.toml: scenario `one`: there is one of this name in file.toml");
}

#[test]
fn a_configuration_may_stand_in_a_file_of_its_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let replace = |old: &str| BTreeMap::from([(old.to_owned(), "${idp}".to_owned())]);
    let config = files::config(&path, &replace("jwt-gate-scenario")).unwrap();
    assert!(config.contains("name = \"${idp}\""), "{config}");
    let message = files::config(&path, &replace("nowhere")).unwrap_err().to_string();
    assert!(message.ends_with("Cargo.toml: there is no `nowhere` to replace"), "{message}");
}
