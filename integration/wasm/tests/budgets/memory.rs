//! How much memory a VM takes.

use jwt_gate_test_host::{Host, Module, Personality, Phase};

use crate::bench::{config_of, request};
use crate::metered::{keyring, linked};

/// Pages of 64 KiB that a VM may take beside its cache: 3 MiB.
const PAGES: u64 = 48;

/// Sends so many requests with so many tokens in turn, and says how many pages the VM has before
/// and after.
fn pages(cache: &str, requests: usize, tokens: usize) -> (u64, u64) {
    let module = Module::from_bytes(&linked()).unwrap();
    let host = Host::new(Personality::Envoy);
    let vm = host.vm(&module).unwrap();
    let root = vm.configure(config_of(cache).as_bytes()).unwrap().unwrap();
    let before = vm.memory_pages();
    let mint = |n: usize| {
        keyring().mint(host.now().as_secs(), &format!("key=hmac-1 jti={n} email=alice@example.com"))
    };
    let tokens: Vec<_> = (0..tokens).map(|n| mint(n).unwrap()).collect();
    for token in tokens.iter().cycle().take(requests) {
        let stream = vm.request(root, &request(Some(token))).unwrap();
        assert_eq!(vm.stream(stream).unwrap().phase, Phase::Continued);
        vm.disconnect(stream).unwrap();
    }
    (before, vm.memory_pages())
}

#[test]
fn a_vm_takes_less_than_3_mib_beside_its_cache() {
    let (before, after) = pages(r#""token_cache":{"entries":0}"#, 10_000, 100);
    assert!(before <= PAGES && after <= PAGES, "{before} pages, {after} after 10,000 requests");
    assert_eq!(before, after, "requests leave nothing behind");
}

#[test]
fn a_cache_keeps_to_its_bound() {
    let (before, after) = pages(r#""token_cache":{"max_bytes":1048576}"#, 2_000, 2_000);
    // Allocators keep what is freed in pieces: one MiB of tokens lies in two at most.
    assert!(after <= before + 32, "{before} pages, {after} after 2,000 tokens");
    assert!(after <= PAGES, "{after}");
}
