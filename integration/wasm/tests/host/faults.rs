//! Injected failures, budgets, and what a trap leaves behind.

use jwt_gate_test_host::{
    Host, Level, LoadError, Module, Personality, Phase, Request, Status, Times, Trap,
};

use crate::guest::{CONTINUE, Guest, PAUSE, Running};

const READ: &str = "(call $read #0 @\":path\")";

#[test]
fn a_hostcall_fails_once_later_or_always() {
    let rows: [(Times, [&str; 3]); 3] = [
        (Times::Once, ["05", "/orders?id=7", "/orders?id=7"]),
        (Times::After(1), ["/orders?id=7", "05", "/orders?id=7"]),
        (Times::Always, ["05", "05", "05"]),
    ];
    for (times, expected) in rows {
        let running = Running::new(Personality::Envoy, Guest::new().headers(READ, CONTINUE));
        running.host.fail("proxy_get_header_map_value", Status(5), times);
        for _ in 0..3 {
            running.get();
        }
        assert_eq!(running.said(), expected, "{times:?}");
        running.host.heal();
        running.get();
        assert_eq!(running.said().last().unwrap(), "/orders?id=7");
    }
}

#[test]
fn hostcalls_are_counted_until_the_count_is_reset() {
    let running = Running::new(Personality::Envoy, Guest::new().headers(READ, CONTINUE));
    running.get();
    running.get();
    assert_eq!(running.vm.hostcalls().get("proxy_get_header_map_value"), Some(&2));
    running.vm.reset_hostcalls();
    assert_eq!(running.vm.hostcalls().len(), 0);
}

#[test]
fn a_metered_module_says_what_a_call_executed() {
    let wat = Guest::new().headers("", CONTINUE).on("request_body", READ, Some(0)).wat();
    let host = Host::new(Personality::Envoy);
    let vm = host.vm(&Module::metered(wat.as_bytes()).unwrap()).unwrap();
    let root = vm.configure(b"").unwrap().unwrap();
    let stream = vm.request(root, &Request::get("/")).unwrap();
    let headers = vm.fuel().unwrap();
    vm.body(stream, b"x", true).unwrap();
    assert!(headers > 0 && vm.fuel().unwrap() > headers, "{headers} {:?}", vm.fuel());
    let plain = host.vm(&Module::from_bytes(wat.as_bytes()).unwrap()).unwrap();
    assert_eq!(plain.fuel(), None);
    assert_eq!(plain.memory_pages(), 4);
}

#[test]
fn memory_that_grows_is_seen() {
    let running =
        Running::new(Personality::Envoy, Guest::new().headers("(drop (memory.grow #3))", CONTINUE));
    running.get();
    assert_eq!(running.vm.memory_pages(), 7);
}

#[test]
fn a_trap_kills_the_vm_and_fails_its_request() {
    for (personality, status) in [(Personality::Envoy, 503), (Personality::Nginx, 500)] {
        let running = Running::new(personality, Guest::new().headers("(unreachable)", PAUSE));
        let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
        assert!(
            matches!(&trap, Trap::Guest { message, .. } if message.contains("unreachable")),
            "{trap}"
        );
        let stream = running.vm.streams()[0];
        let phase = running.vm.stream(stream).unwrap().phase;
        assert!(matches!(phase, Phase::Replied(reply) if reply.status == status));
        let next = running.vm.request(running.root, &Request::get("/")).unwrap_err();
        assert!(matches!(next, Trap::Dead { .. }), "{next}");
        assert_eq!(running.vm.trap(), Some(trap));
    }
}

#[test]
fn a_trap_tells_what_the_guest_logged_as_critical_just_before() {
    let last = "(drop (call $log #5 @\"panicked at lib.rs\")) (unreachable)";
    let before = "(call $say (call $log #5 @\"panicked at lib.rs\")) (unreachable)";
    for (body, told) in [(last, true), (before, false)] {
        let running = Running::new(Personality::Envoy, Guest::new().headers(body, PAUSE));
        let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
        assert_eq!(trap.to_string().contains("panicked at lib.rs"), told, "{trap}");
    }
}

#[test]
fn a_module_that_imports_the_log_level_does_not_link_on_nginx() {
    let wat = r#"(module (import "env" "proxy_get_log_level" (func (param i32) (result i32)))
        (memory (export "memory") 1))"#;
    let module = Module::from_bytes(wat.as_bytes()).unwrap();
    assert!(Host::new(Personality::Envoy).vm(&module).is_ok());
    let error = Host::new(Personality::Nginx).vm(&module).unwrap_err();
    assert!(
        matches!(&error, LoadError::Link(text) if text.contains("proxy_get_log_level")),
        "{error}"
    );
}

#[test]
fn an_import_that_no_host_has_does_not_link() {
    let wat = r#"(module (import "env" "proxy_make_coffee" (func)) (memory (export "memory") 1))"#;
    let module = Module::from_bytes(wat.as_bytes()).unwrap();
    let error = Host::new(Personality::Envoy).vm(&module).unwrap_err();
    assert!(
        matches!(&error, LoadError::Link(text) if text.contains("proxy_make_coffee")),
        "{error}"
    );
}

#[test]
fn hostcalls_while_the_module_starts_are_restricted() {
    let start =
        |body: &str| Guest::new().with(&format!("(func (export \"_initialize\") {body})")).module();
    let log = start("(drop (call $log (i32.const 2) (i32.const 0) (i32.const 0)))");
    let time = start("(drop (call $now (i32.const 16)))");
    assert!(Host::new(Personality::Envoy).vm(&log).is_ok());
    let error = Host::new(Personality::Envoy).vm(&time).unwrap_err();
    assert!(matches!(error, LoadError::Start(Trap::Rule { .. })), "{error}");
    let error = Host::new(Personality::Nginx).vm(&log).unwrap_err();
    assert!(matches!(error, LoadError::Start(Trap::Crash { .. })), "{error}");
}

#[test]
fn an_address_outside_of_the_memory_is_a_status() {
    let body = "(call $say (call $log #2 #4294967295 #9)) (call $say (call $now #4294967290))";
    let running = Running::new(Personality::Envoy, Guest::new().headers(body, CONTINUE));
    running.get();
    assert_eq!(running.said(), ["06", "06"]);
}

#[test]
fn what_a_guest_prints_is_in_the_log_by_its_descriptor() {
    let vector = "(i32.store #32 #1024) (i32.store #36 #4)";
    let print = |fd: u32| format!("(drop (call $print #{fd} #32 #1 #40))");
    let body = format!("(call $say (call $log #3 @\"boom\")) {vector} {} {}", print(1), print(2));
    let running = Running::new(Personality::Envoy, Guest::new().headers(&body, CONTINUE));
    running.get();
    let lines = running.vm.logs();
    let seen: Vec<_> = lines.iter().map(|line| (line.level, line.text.as_str())).collect();
    let expected =
        [(Level::Warn, "boom"), (Level::Info, "00"), (Level::Info, "boom"), (Level::Error, "boom")];
    assert_eq!(seen, expected);
}

#[test]
fn random_bytes_are_the_same_in_each_run_and_limited_in_number() {
    let body = "(call $say (call $random #512 #4)) (call $say (call $random #512 #70000)) \
        (i32.store #16 #512) (i32.store #20 #4) (call $show #0)";
    let said = || {
        let running = Running::new(Personality::Envoy, Guest::new().headers(body, CONTINUE));
        running.get();
        running.said()
    };
    let first = said();
    assert_eq!(first[..2], ["00", "28"]);
    assert_ne!(first[2], "\0\0\0\0");
    assert_eq!(first, said());
}
