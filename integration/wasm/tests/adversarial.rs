//! A host that fails at any hostcall, and callbacks in any order: nothing traps, nothing leaks.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "adversarial/life.rs"]
mod life;
#[path = "adversarial/walk.rs"]
mod walk;

mod support;

use jwt_gate_test_host::{Personality, Status, Times};
use life::{Fault, STAGES, Wrong, live};
use support::CONFIG;
use walk::walk;

/// All that the module calls; what else it imports belongs to parts of the SDK that never run.
pub(crate) const HOSTCALLS: [&str; 21] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// Statuses of the specification, and one that no specification knows.
const STATUSES: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 255];

fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for hostcall in HOSTCALLS {
        let fault = |status, times, stage| Fault { hostcall, status: Status(status), times, stage };
        for status in STATUSES {
            faults.push(fault(status, Times::Always, 0));
            faults.push(fault(status, Times::Always, 4));
        }
        for status in [1, 2, 10] {
            faults.extend((1..STAGES).map(|stage| fault(status, Times::Always, stage)));
            faults.extend((0..8).map(|good| fault(status, Times::After(good), 0)));
            faults.extend((0..4).map(|good| fault(status, Times::After(good), 4)));
        }
    }
    faults
}

/// What goes wrong by the SDK's doing, or because no host fails like this.
fn is_known(personality: Personality, fault: &Fault, wrong: &Wrong) -> bool {
    let trapped = matches!(wrong, Wrong::Trapped(_));
    match fault.hostcall {
        // The SDK panics on a status that it does not expect; hosts answer 0, 2 or 10.
        "proxy_http_call" => trapped && ![2, 10].contains(&fault.status.0),
        // The SDK unwraps it before each answer of a callout; the root that asked is always there.
        "proxy_set_effective_context" => trapped,
        // A host that sets no timer when it is configured has none, whatever it says later.
        "proxy_set_tick_period_milliseconds" => *wrong == Wrong::Stuck,
        // So only Envoy answers, which has no rule about a second tick period. Where nothing is
        // answered while it is configured it is taken for NGINX, whose request line it does not
        // have: then every request is refused.
        "proxy_get_property" => match personality {
            Personality::Nginx => trapped && fault.status.0 == 1,
            Personality::Envoy | Personality::Bare => *wrong == Wrong::Stuck && fault.stage == 0,
        },
        _ => false,
    }
}

fn failing_hostcalls(personality: Personality) {
    let lives = faults().into_iter().filter_map(|fault| {
        let wrong = live(personality, CONFIG, &fault).err()?;
        (!is_known(personality, &fault, &wrong)).then_some((fault, wrong))
    });
    let wrong: Vec<_> = lives.collect();
    assert!(wrong.is_empty(), "{} lives: {wrong:#?}", wrong.len());
}

#[test]
fn a_hostcall_that_fails_lets_nobody_through_on_envoy() {
    failing_hostcalls(Personality::Envoy);
}

#[test]
fn a_hostcall_that_fails_lets_nobody_through_on_nginx() {
    failing_hostcalls(Personality::Nginx);
}

/// With these a request passes that has no path, or no header `x-admin`.
#[test]
fn what_cannot_be_read_opens_no_rule() {
    let open = r#""rules": [ { "match": { "prefix": "/", "headers": [
        { "name": "x-admin", "present_match": false } ] } },"#;
    let configs = [
        CONFIG.replace("\"rules\"", "\"default_action\": \"allow\", \"rules\""),
        CONFIG.replace("\"rules\": [", open),
    ];
    let reading = ["proxy_get_header_map_value", "proxy_get_header_map_pairs"];
    for fault in faults().into_iter().filter(|fault| reading.contains(&fault.hostcall)) {
        for (config, row) in configs.iter().zip(1..) {
            for personality in [Personality::Envoy, Personality::Nginx] {
                let lived = live(personality, config, &fault);
                assert_eq!(lived, Ok(()), "configuration {row}, {personality:?}, {fault:?}");
            }
        }
    }
}

#[test]
fn callbacks_in_any_order_let_nobody_through_on_envoy() {
    walk(Personality::Envoy, 0x5EED_0001_D1CE_B0A7);
}

#[test]
fn callbacks_in_any_order_let_nobody_through_on_nginx() {
    walk(Personality::Nginx, 0x5EED_0002_C0FF_EE11);
}
