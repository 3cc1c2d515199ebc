//! Getting back on its feet: failing endpoints, dead workers, late answers, clocks that fail once.

use std::time::Duration;

use jwt_gate_test_host::{Cluster, Host, Level, Personality, Status, Times, Vm};

use super::Fleet;
use super::support::{CONFIG, MS, SECOND, keys, module, request, response, token};
use super::worker::{Worker, outcome};

#[test]
fn a_failing_endpoint_costs_one_fetch_a_pause_for_all_workers() {
    let cost = |size, apart: u32| {
        let fleet = Fleet::new(size, apart * MS);
        fleet.pass(600 * SECOND, |_| response(500, ""));
        fleet.sent()
    };
    let alone = cost(1, 0);
    for (size, apart) in [(2, 0), (5, 0), (5, 90)] {
        let together = cost(size, apart);
        assert!(together <= alone * 3 / 2, "{size} VMs {apart} ms apart: {together}, one: {alone}");
    }
}

#[test]
fn workers_of_the_same_tick_recover_from_a_death() {
    let mut fleet = Fleet::new(3, Duration::ZERO);
    fleet.host.advance(MS).unwrap();
    let dying = fleet.vms.iter().position(|(vm, _)| !vm.callouts().is_empty()).unwrap();
    fleet.vms.remove(dying);
    let death = fleet.host.now();
    while fleet.sent() == 0 {
        assert!(fleet.host.now() < death + 30 * SECOND, "nobody fetches");
        fleet.pass(5 * MS, |_| keys(&["p256-1"]));
    }
    let waited = fleet.host.now() - death;
    assert!(waited <= 2_500 * MS, "{waited:?}");
}

#[test]
fn a_fetch_that_never_ends_is_told_once_and_counted() {
    for personality in [Personality::Envoy, Personality::Nginx] {
        let worker = Worker::new(personality, CONFIG);
        worker.until_callout();
        worker.host.advance(30 * SECOND).unwrap();
        let warned = worker.vm.logs().into_iter().filter(|line| line.level == Level::Warn).count();
        let failed = worker.vm.metric("jwt_gate.fetches.p.keys.no_answer").unwrap().value;
        assert!(warned == 1 && failed > 0, "{personality:?}: {warned} lines, {failed} counted");
    }
}

#[test]
fn an_answer_that_comes_half_a_second_after_it_was_given_up_is_welcome() {
    for personality in [Personality::Envoy, Personality::Nginx] {
        let worker = Worker::new(personality, CONFIG);
        worker.until_callout();
        worker.host.advance(2_600 * MS).unwrap();
        worker.answer(&keys(&["p256-1"]));
        assert_eq!(worker.outcome(worker.send("key=p256-1")), 200, "{personality:?}");
    }
}

#[test]
fn keys_that_have_expired_are_told() {
    let config = CONFIG.replace("600s\"", "20s\", \"stale_if_error\": \"10s\"");
    let worker = Worker::warm(Personality::Envoy, &config);
    for _ in 0..6 {
        worker.until_callout();
        worker.answer(&response(500, ""));
    }
    worker.host.advance(20 * SECOND).unwrap();
    worker.answer(&response(500, ""));
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 503);
    let told = worker.vm.logs().iter().any(|line| line.text.contains("there are no keys"));
    assert!(told, "{:#?}", worker.vm.logs());
}

#[test]
fn a_slash_in_a_name_does_not_make_two_providers_one() {
    let host = Host::new(Personality::Envoy);
    let mut workers = Vec::new();
    for (name, cluster) in [("a", "b/c"), ("a/b", "c")] {
        host.set_cluster(cluster, Cluster::Healthy);
        let config = CONFIG
            .replace("\"p\"", &format!("{name:?}"))
            .replace("\"idp\"", &format!("{cluster:?}"));
        let vm = host.vm(module()).unwrap();
        vm.configure(config.as_bytes()).unwrap().unwrap();
        host.advance(MS).unwrap();
        for callout in vm.callouts() {
            vm.deliver(callout.token, keys(&["p256-1"])).unwrap();
        }
        workers.push(vm);
    }
    assert_eq!(workers.iter().map(Vm::callouts_sent).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_kid_that_one_worker_found_absent_is_absent_for_all() {
    let fleet = Fleet::new(2, 7 * MS);
    fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
    let (first, root) = &fleet.vms[0];
    let stream = first.request(*root, &request(&token(&fleet.host, "key=p256-9"))).unwrap();
    assert_eq!(outcome(first, stream), 0, "it waits for a fetch");
    fleet.pass(2 * SECOND, |_| keys(&["p256-1"]));
    assert_eq!(outcome(first, stream), 401);
    assert_eq!(fleet.outcomes("key=p256-9"), [401, 401]);
    assert_eq!(fleet.sent(), 2);
}

#[test]
fn a_clock_that_fails_once_does_not_end_the_fetching() {
    let worker = Worker::new(Personality::Envoy, CONFIG);
    worker.until_callout();
    // The tick that meets this gives the fetch up, and rests until the end of time.
    worker.host.fail("proxy_get_current_time_nanoseconds", Status(10), Times::Once);
    worker.host.advance(SECOND).unwrap();
    for _ in 0..600 {
        worker.host.advance(SECOND).unwrap();
        worker.answer(&keys(&["p256-1"]));
        worker.send("key=p256-1");
    }
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
}

#[test]
fn nginx_that_answers_a_property_with_another_status_does_not_trap() {
    let host = Host::new(Personality::Nginx);
    host.fail("proxy_get_property", Status(1), Times::Always);
    host.vm(module()).unwrap().configure(CONFIG.as_bytes()).unwrap();
}
