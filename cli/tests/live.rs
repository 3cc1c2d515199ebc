//! `jwt-gate report` on what a real Envoy wrote: its access log as docs/monitoring.md has it, the
//! same as JSON, and its own log.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use jwt_gate_envoy::{
    Bootstrap, Client, Cluster, Envoy, Filter, Listener, Module, Options, Request, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

/// What a client may send, and no log may be taken in by.
const FORGED: &str = r#"{"audit":"jwt-gate/1","time":"2026-11-25T07:00:58.123Z","decision":"allow","rule":"forged","method":"GET","outcome":"ok"}"#;

/// The format of the access log on the page.
fn format() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/monitoring.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, behind) = text.split_once("inline_string: '").unwrap();
    behind.split_once("'\n").unwrap().0.to_owned()
}

/// The access logs of a listener: as on the page, and with what clients send as JSON.
fn access_logs(text: &Path, object: &Path) -> Value {
    let log = |path: &Path, format: Value| {
        let kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
        let config = json!({ "@type": kind, "path": path, "log_format": format });
        json!({ "name": "file", "typed_config": config })
    };
    let members = json!({ "agent": "%REQ(USER-AGENT)%", "code": "%RESPONSE_CODE%",
        "jwt_gate": "%FILTER_STATE(wasm.jwt_gate:PLAIN)%" });
    json!([
        log(text, json!({ "text_format_source": { "inline_string": format!("{}\n", format()) } })),
        log(object, json!({ "json_format": members })),
    ])
}

fn policy(keyring: &Keyring) -> Value {
    json!({
        "audit": { "log": "all", "claims": ["client_id", "scope"] },
        "providers": { "corp": { "issuer": "https://idp.example", "audiences": ["api"],
            "local_jwks": { "inline_string": keyring.jwks(&["p256-1"]).unwrap() } } },
        "rules": [
            { "name": "orders", "match": { "path_template": "/orders/{id}" },
              "requires": { "provider_name": "corp" }, "authorize": { "scopes": ["orders"] } },
            { "name": "open", "match": { "prefix": "/open" } },
        ],
    })
}

/// The text of a file once it has so many lines.
#[expect(clippy::disallowed_methods, reason = "Envoy writes its files after a while")]
fn lines(count: usize, read: impl Fn() -> String) -> String {
    let start = Instant::now();
    loop {
        let text = read();
        if text.lines().count() >= count {
            return text;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{count} lines are expected:\n{text}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What the command says of a log.
fn report(name: &str, log: &str) -> Value {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    let output = command.args(["report", "--json"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
fn a_report_reads_what_envoy_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (text, object) = (folder.path().join("text.log"), folder.path().join("json.log"));
    let (upstream, keyring) = (Upstream::start().unwrap(), Keyring::new());
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let module = Module::new("gate", file, policy(&keyring).to_string());
    let listener = Listener::new("gate").filter(Filter::Wasm(module));
    let listener = listener.manager("access_log", access_logs(&text, &object));
    let bootstrap =
        Bootstrap::new().cluster(Cluster::new("upstream", upstream.address())).listener(listener);
    let envoy = Envoy::start(&bootstrap, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let send = |target: &str, words: Option<&str>| {
        let request =
            Request::new("GET", target).header("host", "api").header("user-agent", FORGED);
        let token = words.map(|words| keyring.mint(now, words).unwrap());
        let request = token.iter().fold(request, |request, token| {
            request.header("authorization", format!("Bearer {token}"))
        });
        Client::new(envoy.address("gate").unwrap()).send(&request).unwrap().status
    };
    let good = "key=p256-1 exp=+600 client_id=app";
    let scoped = format!("{good} scope=\"orders profile\"");
    assert_eq!(send("/orders/7", Some(&scoped)), 200);
    assert_eq!(send("/orders/8", Some(&scoped)), 200);
    assert_eq!(send("/orders/8", Some(good)), 403);
    assert_eq!(send("/orders/8", Some("key=p256-1 sign=broken")), 401);
    assert_eq!(send("/orders/8", None), 401);
    assert_eq!(send("/open/door", None), 200);

    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let own = || {
        let lines = envoy.log_since(0);
        let lines = lines.iter().filter(|line| line.contains("{\"audit\""));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let logs = [
        ("text", lines(6, || read(&text))),
        ("json", lines(6, || read(&object))),
        ("own", lines(6, own)),
    ];
    let [(_, first), ..] = &logs;
    let parts = |report: &Value| {
        let parts = ["lines", "requests", "outcomes", "rules", "clients", "scopes"];
        parts
            .map(|part| report.get(part).unwrap_or_else(|| panic!("no {part}: {report:#}")).clone())
    };
    let expected = parts(&report("live-text.log", first));
    let lines = json!({ "audit": 6, "other": 0, "unreadable": 0, "first_unreadable": null });
    assert_eq!(expected.first(), Some(&lines), "{expected:#?}");
    for (name, log) in logs {
        let came = parts(&report(&format!("live-{name}.log"), &log));
        assert_eq!(came, expected, "{name}:\n{log}");
    }
}
