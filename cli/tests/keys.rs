//! `jwt-gate keys` with a real server on this machine.

#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "keys/server.rs"]
mod server;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use server::{Authority, keys, reply, serve, silent};

/// An identity provider whose every answer is another one.
fn answers(at: SocketAddr, target: &str) -> String {
    let about = |issuer: &str, uri: &str| {
        reply("200 OK", "", &format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#))
    };
    let own = format!("https://{at}/jwks.json");
    match target {
        "/jwks.json" | "/jwks.json?key=s3cr3t" => reply("200 OK", "", &keys()),
        "/large" => reply("200 OK", "", &" ".repeat(2 << 20)),
        "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(2 << 20)),
        "/moved" => {
            reply("302 Found", "location: https://elsewhere.example/k?state=s3cr3t\r\n", "")
        }
        "/broken" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned(),
        "/page" => reply("200 OK", "", "<html>"),
        "/.well-known/openid-configuration" => about(&format!("https://{at}"), &own),
        "/.well-known/oauth-authorization-server/tenant" => {
            about(&format!("https://{at}/tenant"), &own)
        }
        "/liar/.well-known/openid-configuration" => about("https://else.example", &own),
        "/far/.well-known/openid-configuration" => {
            about(&format!("https://{at}/far"), "https://keys.example/jwks.json")
        }
        _ => reply("404 Not Found", "", ""),
    }
}

/// The exit code and what is printed, to the standard output or else to the standard error.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-gate"));
    command.arg("keys").args(arguments).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let printed = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

fn file(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

/// A row: arguments, the exit code, and what is told.
type Row<'r> = (Vec<String>, i32, &'r str);

fn check(rows: &[Row<'_>], environment: &[(&str, &str)]) {
    for (arguments, code, expected) in rows {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (came, told) = run(&arguments, environment);
        assert!(came == *code && told.contains(expected), "{arguments:?}: {came} {told}");
        assert!(!told.contains("s3cr3t"), "{arguments:?}: {told}");
    }
}

#[test]
fn keys_come_from_an_address() {
    let authority = Authority::new();
    let (tls, plain) = (serve(Some(&authority), answers), serve(None, answers));
    let ca = file("ca.pem", &authority.pem);
    let url = |path: &str| vec![format!("https://{tls}{path}"), "--ca".to_owned(), ca.clone()];
    let issuer = |path: &str| [url(path), vec!["--issuer".to_owned()]].concat();
    let rows: &[Row<'_>] = &[
        (url("/jwks.json"), 0, "1 used, 2 not"),
        (url("/jwks.json?key=s3cr3t"), 0, "1 used, 2 not"),
        (vec![format!("http://{plain}/jwks.json")], 0, "1 used, 2 not"),
        (issuer(""), 0, "1 used, 2 not"),
        (issuer("/tenant"), 0, "1 used, 2 not"),
        (url("/page"), 1, "/page: not valid JSON"),
        (url("/large"), 2, "/large: more than the 1048576 bytes"),
        (url("/endless"), 2, "/endless: more than the 1048576 bytes"),
        (url("/moved"), 2, "status 302, which leads to `https://elsewhere.example/k`"),
        (url("/broken"), 2, "/broken: "),
        (url("/none"), 2, "/none: answered with status 404, expected 200"),
        (issuer("/none"), 2, "/none/.well-known/openid-configuration: answered with status 404"),
        (issuer("/liar"), 2, "`issuer` is `https://else.example`, expected exactly"),
        (issuer("/far"), 2, "`jwks_uri` is on host `keys.example`"),
        (vec![format!("http://{plain}"), "--issuer".to_owned()], 2, "expected an issuer"),
        (vec!["http://192.0.2.1/jwks".to_owned()], 2, "`http` is for this machine only"),
        ([url("/jwks.json"), vec!["--local".to_owned()]].concat(), 2, "`--local` is about a file"),
        (vec!["https://127.0.0.1:1/".to_owned()], 2, "Connection refused"),
    ];
    check(rows, &[]);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let (_listener, address) = silent();
    let arguments = [format!("http://{address}/"), "--timeout=1".to_owned()];
    check(&[(arguments.to_vec(), 2, "no complete answer within 1 s")], &[]);
}

#[test]
fn only_those_who_are_trusted_may_vouch_for_a_server() {
    let (authority, other) = (Authority::new(), Authority::new());
    let address = serve(Some(&authority), answers);
    let (ca, others) = (file("own.pem", &authority.pem), file("other.pem", &other.pem));
    let empty = file("empty.pem", "no certificate\n");
    let url = || vec![format!("https://{address}/jwks.json")];
    let with = |file: &str| [url(), vec!["--ca".to_owned(), file.to_owned()]].concat();
    let named: &[Row<'_>] = &[
        (with(&ca), 0, "1 used, 2 not"),
        (with(&others), 2, "its certificate is not accepted: "),
        (with(&empty), 2, "empty.pem: no certificate in PEM"),
        (with("/none.pem"), 2, "/none.pem: No such file"),
    ];
    check(named, &[]);
    // What the system trusts, which these variables name in place of its own files.
    let trusted = |file| [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "/none")];
    check(&[(url(), 0, "1 used, 2 not")], &trusted(&ca));
    check(&[(url(), 2, "its certificate is not accepted: ")], &trusted(&others));
}
