//! The clock and the ticks.

use std::time::Duration;

use jwt_gate_test_host::{Host, Personality, Request, Trap, Vm};

use crate::guest::{CONTINUE, Guest, Running};

fn ticking(period: u32) -> Guest {
    Guest::new().configure(&format!("(call $say (call $tick #{period}))")).tick("(call $say #7)")
}

#[test]
fn ticks_come_once_a_period_and_not_before() {
    let running = Running::new(Personality::Envoy, ticking(100));
    for (passed, ticks) in [(99, 0), (1, 1), (250, 3), (50, 4)] {
        running.host.advance(Duration::from_millis(passed)).unwrap();
        assert_eq!(running.said().len() - 1, ticks, "after {passed} ms more");
    }
    assert_eq!(running.vm.tick_period(running.root), Some(100));
}

#[test]
fn the_ticks_of_all_vms_come_in_order() {
    let host = Host::new(Personality::Envoy);
    let guest = |period, name: &str| {
        let guest = Guest::new().configure(&format!("(drop (call $tick #{period}))"));
        let read = "(call $show (call $shared @\"last\" @out #28))";
        let write = format!("(drop (call $share @\"last\" @\"{name}\" #0))");
        host.vm(&guest.tick(&format!("{read} {write}")).module()).unwrap()
    };
    let (slow, fast) = (guest(30, "slow"), guest(20, "fast"));
    slow.configure(b"").unwrap();
    fast.configure(b"").unwrap();
    let start = host.now();
    host.advance(Duration::from_millis(50)).unwrap();
    assert_eq!((host.now() - start).as_millis(), 50);
    let said = |vm: &Vm| vm.logs().into_iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!((said(&slow), said(&fast)), (words(&["fast"]), words(&["01", "slow"])));
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

#[test]
fn a_period_of_zero_ends_the_ticks() {
    let guest = Guest::new()
        .configure("(drop (call $tick #10))")
        .tick("(call $say #7) (drop (call $tick #0))");
    let running = Running::new(Personality::Envoy, guest);
    running.host.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(running.said(), ["07"]);
    assert_eq!(running.vm.tick_period(running.root), None);
}

#[test]
fn a_second_period_traps_on_nginx_unless_the_first_was_ended() {
    let twice = "(call $say (call $tick #10)) (call $say (call $tick #20))";
    let ended = "(call $say (call $tick #10)) (drop (call $tick #0)) (call $say (call $tick #20))";
    assert_eq!(
        Running::new(Personality::Envoy, Guest::new().configure(twice)).said(),
        ["00", "00"]
    );
    assert_eq!(
        Running::new(Personality::Nginx, Guest::new().configure(ended)).said(),
        ["00", "00"]
    );
    let vm = Host::new(Personality::Nginx).vm(&Guest::new().configure(twice).module()).unwrap();
    assert!(matches!(vm.configure(b""), Err(Trap::Rule { .. })));
}

#[test]
fn a_request_may_set_the_period_on_envoy_and_traps_on_nginx() {
    let guest =
        || Guest::new().headers("(call $say (call $tick #1))", CONTINUE).tick("(call $say #7)");
    let running = Running::new(Personality::Envoy, guest());
    running.get();
    running.host.advance(Duration::from_millis(1)).unwrap();
    assert_eq!(running.said(), ["00", "07"]);
    let running = Running::new(Personality::Nginx, guest());
    let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
    assert!(matches!(trap, Trap::Rule { .. }), "{trap}");
}

#[test]
fn a_bare_host_does_not_tick() {
    let running = Running::new(Personality::Bare, ticking(10));
    running.host.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(running.said(), ["12"]);
}

#[test]
fn the_clock_stands_still_until_it_is_moved_and_nginx_knows_milliseconds() {
    let low = "(drop (call $now #40)) (call $say (i32.wrap_i64 (i64.rem_u (i64.load #40) (i64.const 97)))) \
        (drop (call $clock #0 (i64.const 0) #40)) \
        (call $say (i32.wrap_i64 (i64.rem_u (i64.load #40) (i64.const 97))))";
    for (personality, shown) in
        [(Personality::Envoy, 1_000_000_042_u64), (Personality::Nginx, 1_000_000_000)]
    {
        let running = Running::new(personality, Guest::new().headers(low, CONTINUE));
        running.host.set_time(Duration::from_nanos(1_000_000_042));
        running.get();
        let expected = format!("{:02}", shown % 97);
        assert_eq!(running.said(), [expected.clone(), expected], "{personality:?}");
    }
}

#[test]
fn a_jump_of_the_wall_clock_does_not_tick() {
    let running = Running::new(Personality::Envoy, ticking(100));
    running.host.set_time(Duration::from_secs(4_000_000_000));
    running.host.advance(Duration::from_millis(99)).unwrap();
    assert_eq!(running.said(), ["00"]);
    assert_eq!(running.host.now().as_secs(), 4_000_000_000);
}

#[test]
fn a_trap_in_a_tick_does_not_stop_the_other_vms() {
    let host = Host::new(Personality::Envoy);
    let bad = Guest::new().configure("(drop (call $tick #10))").tick("(unreachable)");
    let bad = host.vm(&bad.module()).unwrap();
    let good = host.vm(&ticking(20).module()).unwrap();
    bad.configure(b"").unwrap();
    good.configure(b"").unwrap();
    let trap = host.advance(Duration::from_millis(40)).unwrap_err();
    assert!(matches!(trap, Trap::Guest { entry: "proxy_on_tick", .. }), "{trap}");
    assert_eq!(good.logs().len(), 3);
}
