//! Roots, streams, bodies and effective contexts.

use jwt_gate_test_host::{Host, Personality, Phase, Request};

use crate::guest::{CONTINUE, Guest, PAUSE, Running, dispatch, headers};

#[test]
fn a_configuration_that_the_guest_refuses_makes_no_root() {
    let guest = Guest::new().on("configure", "(call $say (local.get $size))", Some(0));
    let vm = Host::new(Personality::Envoy).vm(&guest.module()).unwrap();
    assert_eq!(vm.configure(b"abc").unwrap(), None);
    assert_eq!(vm.logs()[0].text, "03");
}

#[test]
fn each_root_reads_its_own_configuration_while_both_live() {
    let show = "(call $show (call $buffer #7 #0 #99 @out))";
    let guest = Guest::new().configure("(drop (call $tick #1000))").tick(show);
    let host = Host::new(Personality::Envoy);
    let vm = host.vm(&guest.module()).unwrap();
    let old = vm.configure(b"old").unwrap().unwrap();
    vm.configure(b"new").unwrap().unwrap();
    host.advance(std::time::Duration::from_secs(1)).unwrap();
    vm.remove_root(old).unwrap();
    host.advance(std::time::Duration::from_secs(1)).unwrap();
    let said: Vec<_> = vm.logs().into_iter().map(|line| line.text).collect();
    assert_eq!(said, ["old", "new", "new"]);
}

#[test]
fn context_ids_are_small_on_envoy_and_roots_have_any_on_nginx() {
    let say = "(call $say (i32.rem_u (local.get $context) #97))";
    for (personality, small) in [(Personality::Envoy, true), (Personality::Nginx, false)] {
        let running = Running::new(personality, Guest::new().configure(say));
        assert_eq!(running.said() == ["01"], small, "{personality:?}");
    }
}

#[test]
fn a_stream_ends_with_done_log_and_delete() {
    let guest = Guest::new()
        .on("done", "(call $say #1)", Some(1))
        .on("log", "(call $say #2)", None)
        .on("delete", "(call $say #3)", None);
    let running = Running::new(Personality::Envoy, guest);
    let stream = running.get();
    assert!(running.vm.stream(stream).unwrap().alive);
    running.vm.disconnect(stream).unwrap();
    running.vm.disconnect(stream).unwrap();
    assert_eq!(running.said(), ["01", "02", "03"]);
    assert!(!running.vm.stream(stream).unwrap().alive);
}

#[test]
fn a_body_waits_behind_paused_headers_unless_envoy_is_told_otherwise() {
    let rows = [
        (Personality::Envoy, false, Phase::Paused),
        (Personality::Nginx, true, Phase::Paused),
        (Personality::Envoy, true, Phase::Continued),
    ];
    for (personality, allowed, expected) in rows {
        let guest = Guest::new().headers(&dispatch("idp"), PAUSE).on(
            "request_body",
            "(call $say (local.get $size))",
            Some(CONTINUE),
        );
        let running = Running::new(personality, guest);
        running.host.allow_on_headers_stop_iteration(allowed);
        let stream = running.vm.request(running.root, &Request::new("POST", "/")).unwrap();
        running.vm.body(stream, b"body", true).unwrap();
        let phase = running.vm.stream(stream).unwrap().phase;
        assert_eq!(phase, expected, "{personality:?} {allowed}");
        assert_eq!(running.said().len() == 2, expected == Phase::Continued);
    }
}

#[test]
fn a_body_that_waited_is_shown_after_the_resume() {
    let show = "(call $show (call $buffer #0 #1 #2 @out)) (call $say (local.get $end))";
    let guest = Guest::new()
        .headers(&dispatch("idp"), PAUSE)
        .answer("(drop (call $resume #0))")
        .on("request_body", show, Some(CONTINUE));
    let running = Running::new(Personality::Envoy, guest);
    let stream = running.vm.request(running.root, &Request::new("POST", "/")).unwrap();
    running.vm.body(stream, b"abcd", false).unwrap();
    running.vm.body(stream, b"efgh", true).unwrap();
    assert_eq!(running.said(), ["00"]);
    let token = running.vm.callouts()[0].token;
    running.vm.deliver(token, jwt_gate_test_host::CalloutResult::Reset).unwrap();
    assert_eq!(running.said(), ["00", "bc", "00", "fg", "01"]);
}

#[test]
fn a_body_that_is_held_adds_up() {
    let guest = Guest::new().on("request_body", "(call $say (local.get $size))", Some(PAUSE)).on(
        "request_trailers",
        "(call $read #1 @\"x-t\")",
        Some(CONTINUE),
    );
    let running = Running::new(Personality::Envoy, guest);
    let stream = running.vm.request(running.root, &Request::new("POST", "/")).unwrap();
    running.vm.body(stream, b"abc", false).unwrap();
    running.vm.body(stream, b"defg", false).unwrap();
    assert_eq!(running.vm.stream(stream).unwrap().phase, Phase::Paused);
    running.vm.trailers(stream, &headers(&[("x-t", "end")])).unwrap();
    assert_eq!(running.said(), ["03", "07", "end"]);
    assert_eq!(running.vm.stream(stream).unwrap().phase, Phase::Continued);
}

#[test]
fn nginx_never_says_that_the_request_ends_with_its_headers() {
    for (personality, end) in [(Personality::Envoy, "01"), (Personality::Nginx, "00")] {
        let guest = Guest::new().headers("(call $say (local.get $end))", CONTINUE);
        let running = Running::new(personality, guest);
        running.get();
        assert_eq!(running.said(), [end], "{personality:?}");
    }
}

/// The request notes its id; the tick acts on that stream.
fn released_by_root(personality: Personality) -> Running {
    let guest = Guest::new()
        .configure("(drop (call $tick #10))")
        .headers("(global.set $waiter (local.get $context))", PAUSE)
        .tick(
            "(call $say (call $become (global.get $waiter))) \
             (call $say (call $set #0 @\"x-a\" @\"b\")) (call $say (call $resume #0)) \
             (call $say (call $become (local.get $context)))",
        );
    Running::new(personality, guest)
}

#[test]
fn a_root_acts_on_a_stream_through_the_effective_context_on_envoy() {
    let running = released_by_root(Personality::Envoy);
    let stream = running.get();
    running.host.advance(std::time::Duration::from_millis(10)).unwrap();
    assert_eq!(running.said(), ["00", "00", "00", "00"]);
    let state = running.vm.stream(stream).unwrap();
    assert!(state.upstream.unwrap().contains(&(b"x-a".to_vec(), b"b".to_vec())));

    running.vm.disconnect(stream).unwrap();
    running.host.advance(std::time::Duration::from_millis(10)).unwrap();
    assert_eq!(running.said()[4..], ["02", "02", "00", "00"]);
}

#[test]
fn the_effective_context_changes_nothing_on_nginx() {
    let running = released_by_root(Personality::Nginx);
    let stream = running.get();
    running.host.advance(std::time::Duration::from_millis(10)).unwrap();
    assert_eq!(running.said()[..2], ["00", "02"]);
    assert_eq!(running.vm.stream(stream).unwrap().phase, Phase::Paused);
}
