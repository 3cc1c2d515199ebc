//! Metrics, and what misuse of them does.

use jwt_gate_test_host::{Cluster, Host, MetricKind, Personality, Trap};

use crate::guest::{Guest, Running};

/// Defines a counter, a gauge and a histogram with the ids 1, 2 and 3.
const DEFINE: &str = "(call $say (call $define #0 @\"c\" #32)) (call $say (call $define #1 @\"g\" #32)) \
    (call $say (call $define #2 @\"h\" #32))";

fn configure(body: &str) -> Guest {
    Guest::new().configure(&format!("{DEFINE} {body}"))
}

#[test]
fn each_kind_does_with_values_what_its_name_says() {
    let body = "(drop (call $increment #1 (i64.const 5))) (drop (call $increment #2 (i64.const 5))) \
        (drop (call $increment #2 (i64.const -2))) (drop (call $record #3 (i64.const 7))) \
        (drop (call $record #3 (i64.const 8))) (call $say (call $metric #2 #40)) \
        (call $say (i32.load #40))";
    for personality in [Personality::Envoy, Personality::Nginx] {
        let running = Running::new(personality, configure(body));
        assert_eq!(running.said()[3..], ["00", "03"], "{personality:?}");
        assert_eq!(running.vm.metric("c").unwrap().value, 5);
        assert_eq!(running.vm.metric("g").unwrap().value, 3);
        let histogram = running.vm.metric("h").unwrap();
        assert_eq!((histogram.kind, histogram.values), (MetricKind::Histogram, vec![7, 8]));
    }
}

const MISUSES: [(&str, &str); 5] = [
    ("(call $say (call $increment #1 (i64.const 0)))", "02"),
    ("(call $say (call $increment #1 (i64.const -1)))", "02"),
    ("(call $say (call $increment #3 (i64.const 1)))", "02"),
    ("(call $say (call $metric #3 #40))", "02"),
    ("(call $say (call $record #9 (i64.const 1)))", "01"),
];

#[test]
fn misuse_is_a_status_on_envoy_and_a_trap_on_nginx() {
    for (body, status) in MISUSES {
        let running = Running::new(Personality::Envoy, configure(body));
        assert_eq!(running.said()[3], status, "{body}");
        let host = Host::new(Personality::Nginx);
        host.set_cluster("idp", Cluster::Healthy);
        let trap = host.vm(&configure(body).module()).unwrap().configure(b"").unwrap_err();
        assert!(matches!(trap, Trap::Rule { .. }), "{body}: {trap}");
    }
}

#[test]
fn a_record_adds_to_a_counter_on_envoy_and_traps_on_nginx() {
    let body =
        "(call $say (call $record #1 (i64.const 3))) (call $say (call $record #1 (i64.const 3)))";
    let running = Running::new(Personality::Envoy, configure(body));
    assert_eq!(running.vm.metric("c").unwrap().value, 6);
    let vm = Host::new(Personality::Nginx).vm(&configure(body).module()).unwrap();
    assert!(matches!(vm.configure(b""), Err(Trap::Rule { .. })));
}

#[test]
fn a_second_definition_is_the_same_metric_and_is_seen() {
    let body = "(call $say (call $define #0 @\"c\" #32)) (drop (call $increment #4 (i64.const 1)))";
    let running = Running::new(Personality::Envoy, configure(body));
    let metric = running.vm.metric("c").unwrap();
    assert_eq!((metric.value, metric.definitions), (1, 2));
}

#[test]
fn a_bare_host_has_no_metrics() {
    let running = Running::new(Personality::Bare, configure("(call $say (call $metric #1 #40))"));
    assert_eq!(running.said(), ["12", "12", "12", "12"]);
}
