//! The module on a host that has no timers, callouts, shared data and metrics, as Google's Service
//! Extensions: what it refuses there, the memory it takes, and what a request costs.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use jwt_gate_test_host::{Cluster, Host, Level, Module, Personality, Phase, RootId, Vm};

use crate::metered::linked;
use crate::support::{CONFIG, jwks, module, request, token};

/// What Service Extensions lend to a plugin: 16 MiB.
const PAGES: u64 = 256;

fn local(keys: &[&str]) -> String {
    let keys = serde_json::to_string(&jwks(keys)).unwrap();
    format!(
        r#"{{ "host": "bare", "providers": {{ "p": {{ "issuer": "https://idp.example",
            "local_jwks": {{ "inline_string": {keys} }} }} }},
          "rules": [ {{ "match": {{ "prefix": "/" }}, "requires": {{ "provider_name": "p" }} }} ] }}"#
    )
}

fn run(host: &Host, module: &Module, config: &str) -> (Vm, RootId) {
    let vm = host.vm(module).unwrap();
    let root = vm.configure(config.as_bytes()).unwrap().expect("the configuration is good");
    (vm, root)
}

#[test]
fn what_the_host_cannot_do_is_a_fault_when_it_is_configured() {
    for config in [CONFIG.to_owned(), CONFIG.replacen('{', r#"{ "host": "bare","#, 1)] {
        let host = Host::new(Personality::Bare);
        host.set_cluster("idp", Cluster::Healthy);
        let vm = host.vm(module()).unwrap();
        assert_eq!(vm.configure(config.as_bytes()).unwrap(), None);
        let errors = vm.logs().into_iter().filter(|line| line.level == Level::Error);
        let errors: Vec<_> = errors.map(|line| line.text).collect();
        let expected = [
            "providers.p.remote_jwks: this host makes no HTTP callouts; use `local_jwks`",
            "providers.p: `jwt_payload` has nowhere to go on this host; use `claim_to_headers` or \
             `forward_payload_header`",
        ];
        assert_eq!(errors, expected);
    }
}

#[test]
fn shared_keys_are_a_fault_where_nothing_is_shared() {
    let config = local(&["p256-1"]).replacen('{', r#"{ "share_keys": true,"#, 1);
    let vm = Host::new(Personality::Bare).vm(module()).unwrap();
    assert_eq!(vm.configure(config.as_bytes()).unwrap(), None);
    let line = vm.logs().pop().unwrap().text;
    assert!(line.contains("share_keys: this host has no shared data"), "{line}");
}

#[test]
fn a_thousand_requests_stay_within_the_memory() {
    let host = Host::new(Personality::Bare);
    let (vm, root) = run(&host, module(), &local(&["rsa-1", "p256-1", "ed25519-1"]));
    for i in 0..1000 {
        let key = ["rsa-1", "p256-1", "ed25519-1"][i % 3];
        let request = request(&token(&host, &format!("key={key} x={i}")));
        let stream = vm.request(root, &request).unwrap();
        assert_eq!(vm.stream(stream).unwrap().phase, Phase::Continued);
        vm.disconnect(stream).unwrap();
    }
    println!("{} pages of 64 KiB after 1000 requests", vm.memory_pages());
    assert!(vm.memory_pages() <= PAGES, "{} pages", vm.memory_pages());
}

const BEGIN: &str = "<!-- cost: begin -->\n";
const END: &str = "<!-- cost: end -->";

/// A token that was not seen before, so that its signature is verified each time. The page has what
/// `BUDGETS=write` wrote; instructions may be off by so much as in `budgets.rs`.
#[test]
fn what_a_request_costs_is_told_by_algorithm() {
    const ROUNDS: u32 = 20;
    let metered = Module::metered(&linked()).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hosts/bare.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let mut table = "| algorithm | instructions | µs |\n|---|---:|---:|\n".to_owned();
    for (alg, key) in [
        ("HS256", "hmac-1"),
        ("EdDSA", "ed25519-1"),
        ("RS256", "rsa-1"),
        ("PS256", "rsa-1"),
        ("ES256", "p256-1"),
        ("ES384", "p384-1"),
        ("ES512", "p521-1"),
    ] {
        let host = Host::new(Personality::Bare);
        let requests: Vec<_> = (0..ROUNDS)
            .map(|i| request(&token(&host, &format!("key={key} alg={alg} x={i}"))))
            .collect();
        let config = local(&[key]);
        let (vm, root) = run(&host, &metered, &config);
        // What is done for the first time is not what a request costs.
        vm.request(root, &requests[0]).unwrap();
        let before = vm.fuel_spent().unwrap();
        vm.request(root, &requests[1]).unwrap();
        let instructions = vm.fuel_spent().unwrap() - before;
        let (vm, root) = run(&host, module(), &config);
        // The least: whatever else the machine does only adds to it.
        let least = requests.iter().map(|request| {
            #[expect(clippy::disallowed_methods, reason = "the time is what is measured")]
            let begun = Instant::now();
            let stream = vm.request(root, request).unwrap();
            let took = begun.elapsed();
            assert_eq!(vm.stream(stream).unwrap().phase, Phase::Continued, "{alg}");
            took
        });
        let (row, least) = (format!("| {alg} | "), least.min().unwrap().as_micros());
        writeln!(table, "{row}{instructions} | {least} |").unwrap();
        let line = shown.lines().find_map(|line| line.strip_prefix(&row)).unwrap_or_default();
        let was = line.split(" | ").next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        let is_near = instructions.abs_diff(was) <= was / 20;
        assert!(writes() || is_near, "{alg}: {instructions} instructions, the page says {was}");
    }
    println!("{table}");
    if writes() {
        std::fs::write(&page, [before, BEGIN, &table, END, after].concat()).unwrap();
    }
}

fn writes() -> bool {
    std::env::var_os("BUDGETS").is_some_and(|word| word == "write")
}
