//! Several workers over one shared store, as Envoy runs them: one of them fetches for all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "workers/recovery.rs"]
mod recovery;
#[path = "workers/simulation.rs"]
mod simulation;
mod support;
#[path = "support/worker.rs"]
mod worker;

use std::time::Duration;

use jwt_gate_test_host::{Callout, CalloutResult, Cluster, Host, Personality, RootId, Vm};
use support::{CONFIG, MS, SECOND, jwks, keys, module, request, response, token};
use worker::{Worker, outcome};

/// The workers of a proxy, and its main thread, which ticks but sees no request.
struct Fleet {
    host: Host,
    vms: Vec<(Vm, RootId)>,
    latency: Duration,
}

impl Fleet {
    /// `size` VMs that start `apart` from each other.
    fn new(size: usize, apart: Duration) -> Self {
        let host = Host::new(Personality::Envoy);
        host.set_cluster("idp", Cluster::Healthy);
        let mut fleet = Self { host, vms: Vec::new(), latency: 5 * MS };
        for _ in 0..size {
            fleet.join();
            fleet.host.advance(apart).unwrap();
        }
        fleet
    }

    fn join(&mut self) {
        let vm = self.host.vm(module()).unwrap();
        let root = vm.configure(CONFIG.as_bytes()).unwrap().expect("the configuration is good");
        self.vms.push((vm, root));
    }

    /// Passes time; each callout is answered after the latency.
    fn pass(&self, time: Duration, mut answer: impl FnMut(&Callout) -> CalloutResult) {
        let end = self.host.now() + time;
        loop {
            let now = self.host.now();
            let mut next = end - now;
            for (vm, _) in &self.vms {
                for callout in vm.callouts() {
                    match (callout.sent + self.latency).checked_sub(now) {
                        Some(left) if !left.is_zero() => next = next.min(left),
                        Some(_) | None => vm.deliver(callout.token, answer(&callout)).unwrap(),
                    }
                }
            }
            if now >= end {
                return;
            }
            let tick = self.host.until_next_tick().unwrap_or(next);
            self.host.advance(next.min(tick)).unwrap();
        }
    }

    fn sent(&self) -> u32 {
        self.vms.iter().map(|(vm, _)| vm.callouts_sent()).sum()
    }

    /// What each worker says to a token, at once.
    fn outcomes(&self, words: &str) -> Vec<u32> {
        let request = request(&token(&self.host, words));
        let each = self.vms.iter();
        each.map(|(vm, root)| outcome(vm, vm.request(*root, &request).unwrap())).collect()
    }

    /// The key of the one record that the workers share.
    fn record_key(&self) -> Vec<u8> {
        let keys = self.host.shared_data().keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys[0].clone()
    }
}

/// A record as the module writes it: until when somebody fetches, when a fetch failed, when the
/// fetch began that brought the keys, when they came, when an unknown `kid` asked for them; how
/// often that was in vain, how long the answer may be kept, what the log was told, how many
/// names were sought in vain; then the key set.
fn record(times: [u64; 4], body: &[u8]) -> Vec<u8> {
    let [leased, failed, came, asked] = times;
    let numbers = [leased, failed, came, came, asked, asked, u64::MAX, 0, 0];
    let numbers = numbers.into_iter().flat_map(u64::to_le_bytes);
    [4].into_iter().chain(numbers).chain(body.iter().copied()).collect()
}

fn millis(host: &Host) -> u64 {
    u64::try_from(host.now().as_millis()).unwrap()
}

#[test]
fn one_fetch_a_period_serves_all_workers() {
    for (workers, apart) in [(1, 0), (2, 0), (2, 7), (4, 0), (4, 90)] {
        let fleet = Fleet::new(workers + 1, apart * MS);
        fleet.pass(3_600 * SECOND, |_| keys(&["p256-1"]));
        // Refreshed 5 s early: 0 s, 595 s, … 3570 s; the very first may come twice.
        let sent = fleet.sent();
        assert!((7..=8).contains(&sent), "{workers} workers {apart} ms apart: {sent} fetches");
        assert_eq!(fleet.outcomes("key=p256-1"), vec![200; workers + 1], "{workers} workers");
    }
}

#[test]
fn a_request_in_any_worker_waits_for_the_fetch_of_another() {
    let fleet = Fleet::new(3, Duration::ZERO);
    assert_eq!(fleet.outcomes("key=p256-1"), [0, 0, 0]);
    fleet.pass(100 * MS, |_| keys(&["p256-1"]));
    for (vm, _) in &fleet.vms {
        assert_eq!(outcome(vm, vm.streams()[0]), 200);
    }
    assert_eq!(fleet.sent(), 1);
}

#[test]
fn every_worker_has_new_keys_a_second_after_one_has() {
    for apart in [0, 130] {
        let fleet = Fleet::new(4, apart * MS);
        fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
        let before = fleet.host.now();
        while fleet.sent() == 1 || fleet.vms.iter().any(|(vm, _)| !vm.callouts().is_empty()) {
            assert!(fleet.host.now() < before + 600 * SECOND, "no refresh");
            fleet.pass(5 * MS, |_| keys(&["p256-1", "p256-2"]));
        }
        fleet.pass(SECOND, |_| panic!("one fetch is enough"));
        assert_eq!(fleet.outcomes("key=p256-2"), [200; 4], "{apart} ms apart");
        assert_eq!(fleet.sent(), 2);
    }
}

#[test]
fn a_worker_that_dies_with_the_lease_does_not_stop_the_others() {
    for apart in [25_u32, 300, 900] {
        let mut fleet = Fleet::new(1, MS);
        assert_eq!(fleet.sent(), 1);
        fleet.host.advance(apart * MS).unwrap();
        fleet.join();
        fleet.join();
        fleet.host.advance(2 * MS).unwrap();
        fleet.vms.remove(0);
        let death = fleet.host.now();
        while fleet.sent() == 0 {
            assert!(fleet.host.now() < death + 2_500 * MS, "{apart} ms apart: nobody fetches");
            fleet.pass(5 * MS, |_| keys(&["p256-1"]));
        }
        fleet.pass(SECOND, |_| keys(&["p256-1"]));
        assert_eq!(fleet.outcomes("key=p256-1"), [200, 200], "{apart} ms apart");
        assert_eq!(fleet.sent(), 1, "{apart} ms apart");
    }
}

#[test]
fn a_failed_fetch_counts_for_all_who_waited_for_it() {
    let fleet = Fleet::new(5, Duration::ZERO);
    fleet.pass(900 * MS, |_| response(500, ""));
    assert_eq!(fleet.sent(), 1);
    assert_eq!(fleet.outcomes("key=p256-1"), [503; 5]);
}

#[test]
fn unknown_kids_cost_one_fetch_an_interval_for_all_workers() {
    let fleet = Fleet::new(2, 7 * MS);
    fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
    let before = fleet.sent();
    for i in 0..200 {
        fleet.outcomes(&format!("key=p256-9 kid=k{i}"));
        fleet.pass(100 * MS, |_| keys(&["p256-1"]));
    }
    // 20 s are four intervals of 5 s.
    let sent = fleet.sent() - before;
    assert!(sent <= 5, "{sent} fetches");
}

fn hostile_records(now: u64) -> Vec<(&'static str, Vec<u8>)> {
    let evil = jwks(&["p256-evil"]);
    let deep = "[".repeat(200_000);
    let brought = |body: &[u8]| record([0, 0, now, 0], body);
    vec![
        ("nothing", Vec::new()),
        ("garbage", b"x".to_vec()),
        ("another form", [3; 80].to_vec()),
        ("all ones", [0xFF; 80].to_vec()),
        ("names without end", [&record([0, 0, now, 0], b"")[..65], &[0xFF; 4096]].concat()),
        ("cut short", brought(b"")[..32].to_vec()),
        ("no key set", brought(b"")),
        ("the end of time", record([u64::MAX; 4], b"")),
        ("an endless lease", record([u64::MAX, 0, 0, 0], b"")),
        ("a lease too long", record([now + 60_000, 0, 0, 0], b"")),
        ("a failure to come", record([0, now + 60_000, 0, 0], b"")),
        ("a failure just now", record([0, now, 0, 0], b"")),
        ("a question to come", record([0, 0, 0, u64::MAX], b"")),
        ("keys from the future", record([0, 0, now + 3_600_000, 0], evil.as_bytes())),
        ("keys from the end of time", record([0, 0, u64::MAX, 0], evil.as_bytes())),
        ("keys from before ours", record([0, 0, 1, 0], b"{}")),
        ("no JSON", brought(&[0xFE; 1000])),
        ("deep JSON", brought(deep.as_bytes())),
        ("an empty set", brought(br#"{"keys":[]}"#)),
        ("a set cut short", brought(&evil.as_bytes()[..evil.len() / 2])),
        ("too large", brought(&vec![b' '; 4 * 1024 * 1024])),
        ("too large a set", brought((evil.clone() + &" ".repeat(2 << 20)).as_bytes())),
    ]
}

#[test]
fn a_hostile_record_takes_nothing_from_workers_that_have_keys() {
    let fleet = Fleet::new(2, 7 * MS);
    fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
    let key = fleet.record_key();
    for (name, bytes) in hostile_records(millis(&fleet.host)) {
        fleet.host.shared_data().write(&key, &bytes);
        fleet.pass(2 * SECOND, |_| keys(&["p256-1"]));
        assert_eq!(fleet.outcomes("key=p256-1"), [200, 200], "{name}");
        assert_eq!(fleet.outcomes("key=p256-1 sign=broken"), [401, 401], "{name}");
        assert_eq!(fleet.outcomes("key=p256-evil kid=-"), [401, 401], "{name}");
        assert_eq!(fleet.sent(), 1, "{name}: a needless fetch");
    }
    fleet.pass(600 * SECOND, |_| keys(&["p256-1"]));
    assert_eq!(fleet.sent(), 2);
}

#[test]
fn a_hostile_record_does_not_keep_cold_workers_from_the_keys() {
    let key = {
        let fleet = Fleet::new(1, 5 * MS);
        fleet.record_key()
    };
    let now = millis(&Fleet::new(0, Duration::ZERO).host);
    for (name, bytes) in hostile_records(now) {
        let fleet = Fleet::new(0, Duration::ZERO);
        fleet.host.shared_data().write(&key, &bytes);
        let mut fleet = fleet;
        fleet.join();
        fleet.join();
        fleet.pass(3 * SECOND, |_| keys(&["p256-1"]));
        assert_eq!(fleet.outcomes("key=p256-1"), [200, 200], "{name}");
        assert_eq!(fleet.outcomes("key=p256-evil kid=-"), [401, 401], "{name}");
        assert_eq!(fleet.sent(), 1, "{name}");
    }
}

/// Whoever runs a filter in the same VM id is trusted with the keys: SECURITY.md says so.
#[test]
fn a_record_with_usable_keys_is_believed_and_only_such_a_one() {
    let fleet = Fleet::new(2, 7 * MS);
    fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
    let key = fleet.record_key();
    let planted = record([0, 0, millis(&fleet.host), 0], jwks(&["p256-evil"]).as_bytes());
    fleet.host.shared_data().write(&key, &planted);
    fleet.pass(SECOND, |_| panic!("no fetch is due"));
    assert_eq!(fleet.outcomes("key=p256-evil"), [200, 200]);
    // Shared secrets are no keys of an endpoint, wherever they come from.
    let secret = record([0, 0, millis(&fleet.host), 0], jwks(&["hmac-1"]).as_bytes());
    fleet.host.shared_data().write(&key, &secret);
    fleet.pass(SECOND, |_| panic!("no fetch is due"));
    assert_eq!(fleet.outcomes("key=hmac-1 kid=-"), [401, 401]);
    assert_eq!(fleet.outcomes("key=p256-evil"), [200, 200]);
}

#[test]
fn two_roots_in_one_vm_do_not_mix_their_keys() {
    let old = Worker::warm(Personality::Envoy, CONFIG);
    let moved = CONFIG.replace("idp.example/jwks.json", "idp.example/new.json");
    let root = old.vm.configure(moved.as_bytes()).unwrap().expect("the configuration is good");
    let new = Worker { host: Host::new(Personality::Envoy), vm: old.vm.clone(), root };
    old.host.advance(2 * MS).unwrap();
    let callouts = old.vm.callouts();
    assert_eq!(callouts.len(), 1, "keys of another URL are not the new root's");
    assert_eq!(old.outcome(old.send("key=p256-1 kid=-")), 200, "while the new one fetches");
    old.vm.deliver(callouts[0].token, keys(&["p256-2"])).unwrap();
    let rows = [(&old, "p256-1", 200), (&old, "p256-2", 401), (&new, "p256-1", 401)];
    for (root, key, expected) in rows.into_iter().chain([(&new, "p256-2", 200)]) {
        let words = format!("key={key} kid=-");
        assert_eq!(root.outcome(root.send(&words)), expected, "{key} at {:?}", root.root);
    }
    old.host.advance(2 * SECOND).unwrap();
    assert_eq!(old.host.shared_data().keys().len(), 2);
    old.vm.remove_root(old.root).unwrap();
    assert_eq!(new.outcome(new.send("key=p256-2")), 200, "after the old one is gone");
}

#[test]
fn a_new_root_with_the_same_provider_takes_over_the_keys() {
    let old = Worker::warm(Personality::Envoy, CONFIG);
    let more = CONFIG.replace("\"rules\"", "\"strip_failure_response\": true, \"rules\"");
    let root = old.vm.configure(more.as_bytes()).unwrap().expect("the configuration is good");
    old.host.advance(2 * MS).unwrap();
    let request = request(&token(&old.host, "key=p256-1"));
    assert_eq!(old.outcome(old.vm.request(root, &request).unwrap()), 200);
    assert_eq!(old.outcome(old.send("key=p256-1")), 200, "the old one serves on");
    assert_eq!(old.vm.callouts_sent(), 1);
}

#[test]
fn a_refused_update_leaves_the_old_root_as_it_was() {
    let old = Worker::warm(Personality::Envoy, CONFIG);
    assert_eq!(old.vm.configure(b"{").unwrap(), None);
    old.host.advance(SECOND).unwrap();
    assert_eq!(old.outcome(old.send("key=p256-1")), 200);
}

#[test]
fn the_canary_takes_no_lease() {
    let host = Host::new(Personality::Envoy);
    host.set_cluster("idp", Cluster::Healthy);
    let canary = host.vm(module()).unwrap();
    canary.configure(CONFIG.as_bytes()).unwrap().expect("the configuration is good");
    assert_eq!((canary.callouts_sent(), host.shared_data().keys()), (0, Vec::new()));
    drop(canary);
    let vm = host.vm(module()).unwrap();
    vm.configure(CONFIG.as_bytes()).unwrap().expect("the configuration is good");
    host.advance(MS).unwrap();
    assert_eq!(vm.callouts_sent(), 1);
}
