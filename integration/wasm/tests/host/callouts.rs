//! Callouts: who may send them, and what every kind of answer looks like.

use jwt_gate_test_host::{CalloutResult, Cluster, Context, Personality, Phase, Request, Trap};

use crate::guest::{CONTINUE, Guest, PAUSE, Running, dispatch, headers};

/// Says what the callback was told and what it can read.
const LOOK: &str = "(call $say (local.get $headers)) (call $say (local.get $size)) \
    (call $read #6 @\":status\") (call $read #6 @\":dispatch_status\") \
    (call $show (call $buffer #4 #0 #99 @out))";

fn looking() -> Guest {
    Guest::new().headers(&dispatch("idp"), PAUSE).answer(LOOK)
}

fn answer_to(personality: Personality, result: CalloutResult) -> Vec<String> {
    let running = Running::new(personality, looking());
    running.get();
    let token = running.vm.callouts()[0].token;
    running.vm.deliver(token, result).unwrap();
    running.said().split_off(1)
}

fn good() -> CalloutResult {
    CalloutResult::Response {
        headers: headers(&[(":status", "200"), ("a", "b")]),
        body: b"keys".to_vec(),
    }
}

fn hinted() -> CalloutResult {
    CalloutResult::EarlyHints { headers: headers(&[(":status", "200")]), body: b"keys".to_vec() }
}

fn cut() -> CalloutResult {
    CalloutResult::MidBody { headers: headers(&[(":status", "200")]), announced: 99 }
}

#[test]
fn each_answer_looks_as_it_does_on_envoy() {
    let rows = [
        (good(), vec!["02", "04", "200", "01", "keys"]),
        (hinted(), vec!["01", "04", "200", "01", "keys"]),
        (CalloutResult::Unresolved, vec!["03", "19", "503", "01", "no healthy upstream"]),
        (CalloutResult::Timeout, vec!["03", "24", "504", "01", "upstream request timeout"]),
        (cut(), vec!["00", "00", "02", "02", "01"]),
        (
            CalloutResult::TooLarge { headers: headers(&[(":status", "200")]), announced: 50 },
            vec!["00", "00", "02", "02", "01"],
        ),
    ];
    for (result, expected) in rows {
        assert_eq!(answer_to(Personality::Envoy, result.clone()), expected, "{result:?}");
    }
    for result in [CalloutResult::Refused, CalloutResult::Reset, CalloutResult::TlsFailure] {
        let said = answer_to(Personality::Envoy, result.clone());
        assert_eq!(said[2], "503", "{result:?}");
        assert!(said[4].starts_with("upstream connect error"), "{result:?}: {said:?}");
    }
}

#[test]
fn each_answer_looks_as_it_does_on_nginx() {
    let rows = [
        (good(), vec!["02", "04", "200", "ok", "keys"]),
        (CalloutResult::Refused, vec!["00", "00", "01", "broken connection", "01"]),
        (CalloutResult::Reset, vec!["00", "00", "01", "ok", "01"]),
        (CalloutResult::Timeout, vec!["00", "00", "01", "timeout", "01"]),
        (CalloutResult::Unresolved, vec!["00", "00", "01", "resolver failure", "01"]),
        (CalloutResult::TlsFailure, vec!["00", "00", "01", "tls handshake failure", "01"]),
        (hinted(), vec!["01", "00", "103", "ok", ""]),
        (cut(), vec!["01", "99", "200", "ok", "02"]),
    ];
    for (result, expected) in rows {
        assert_eq!(answer_to(Personality::Nginx, result.clone()), expected, "{result:?}");
    }
}

#[test]
fn an_answer_above_the_limit_counts_as_cut_off() {
    let body = vec![b'x'; jwt_gate_test_host::MAX_ANSWER_BYTES + 1];
    let result = CalloutResult::Response { headers: headers(&[(":status", "200")]), body };
    assert_eq!(answer_to(Personality::Envoy, result), ["00", "00", "02", "02", "01"]);
}

#[test]
fn the_status_of_a_reset_sticks_on_envoy() {
    let say = "(call $say (call $call_status #32 @out)) (call $say (i32.load #32))";
    let running =
        Running::new(Personality::Envoy, Guest::new().headers(&dispatch("idp"), PAUSE).answer(say));
    running.get();
    running.vm.deliver(running.vm.callouts()[0].token, cut()).unwrap();
    running.get();
    running.vm.deliver(running.vm.callouts()[0].token, good()).unwrap();
    assert_eq!(running.said(), ["00", "00", "11", "00", "00", "11"]);
}

#[test]
fn an_unknown_cluster_is_an_error_a_trap_or_not_implemented() {
    let guest = || Guest::new().headers(&dispatch("nowhere"), PAUSE);
    let running = Running::new(Personality::Envoy, guest());
    running.get();
    assert_eq!(running.said(), ["02"]);

    let running = Running::new(Personality::Nginx, guest());
    let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
    assert!(matches!(&trap, Trap::Rule { rule, .. } if rule.contains("no such host")), "{trap}");

    let running = Running::new(Personality::Bare, guest());
    running.get();
    assert_eq!(running.said(), ["12"]);
}

#[test]
fn a_cluster_without_endpoints_fails_at_once_and_without_a_callback() {
    let running = Running::new(Personality::Envoy, looking());
    running.host.set_cluster("idp", Cluster::NoEndpoints);
    running.get();
    assert_eq!(running.said(), ["10"]);
    assert!(running.vm.callouts().is_empty());
}

#[test]
fn a_call_without_authority_is_refused_on_envoy_alone() {
    let call = "(call $say (call $call @\"idp\" @{:method=GET;:path=/} #0 #0 #0 #0 #1000 #24))";
    for (personality, status) in [(Personality::Envoy, "02"), (Personality::Nginx, "00")] {
        let running = Running::new(personality, Guest::new().headers(call, PAUSE));
        running.get();
        assert_eq!(running.said(), [status], "{personality:?}");
    }
}

#[test]
fn a_callout_says_what_was_sent() {
    let running = Running::new(Personality::Envoy, looking());
    let stream = running.get();
    let sent = &running.vm.callouts()[0];
    assert_eq!(sent.context, Context::Stream(stream));
    assert_eq!(sent.cluster, "idp");
    assert_eq!(sent.timeout.as_millis(), 1000);
    assert_eq!(sent.headers[1], (b":path".to_vec(), b"/tenant/jwks.json".to_vec()));
    assert_eq!(running.vm.callouts_sent(), 1);
}

#[test]
fn on_configure_may_call_out_on_envoy_and_traps_on_nginx() {
    let guest = || Guest::new().configure(&dispatch("idp"));
    let running = Running::new(Personality::Envoy, guest());
    assert_eq!(running.vm.callouts()[0].context, Context::Root(running.root));

    let host = jwt_gate_test_host::Host::new(Personality::Nginx);
    host.set_cluster("idp", Cluster::Healthy);
    let trap = host.vm(&guest().module()).unwrap().configure(b"{}").unwrap_err();
    assert!(matches!(trap, Trap::Rule { .. }), "{trap}");
}

#[test]
fn a_disconnected_stream_cancels_its_callouts() {
    let running = Running::new(Personality::Envoy, looking());
    let stream = running.get();
    let token = running.vm.callouts()[0].token;
    running.vm.disconnect(stream).unwrap();
    assert!(running.vm.callouts().is_empty());
    assert!(matches!(running.vm.deliver(token, good()), Err(Trap::Misuse(_))));
    assert_eq!(running.said(), ["00"]);
}

#[test]
fn only_nginx_goes_on_by_itself_after_the_last_answer() {
    let two = [dispatch("idp"), dispatch("idp")].concat();
    for (personality, resumed) in [(Personality::Envoy, false), (Personality::Nginx, true)] {
        let running = Running::new(personality, Guest::new().headers(&two, PAUSE).answer(""));
        let stream = running.get();
        let tokens = running.vm.callouts();
        running.vm.deliver(tokens[0].token, good()).unwrap();
        assert_eq!(running.vm.stream(stream).unwrap().phase, Phase::Paused, "{personality:?}");
        running.vm.deliver(tokens[1].token, good()).unwrap();
        assert_eq!(running.vm.stream(stream).unwrap().resumed, resumed, "{personality:?}");
    }
}

#[test]
fn a_reply_in_the_answer_keeps_nginx_from_going_on() {
    let guest = Guest::new().headers(&dispatch("idp"), PAUSE).answer("(call $deny #401)");
    let running = Running::new(Personality::Nginx, guest);
    let stream = running.get();
    running.vm.deliver(running.vm.callouts()[0].token, good()).unwrap();
    let state = running.vm.stream(stream).unwrap();
    assert!(matches!(state.phase, Phase::Replied(reply) if reply.status == 401));
    assert_eq!(state.upstream, None);
}

#[test]
fn a_dispatch_followed_by_continue_crashes_nginx() {
    let running =
        Running::new(Personality::Nginx, Guest::new().headers(&dispatch("idp"), CONTINUE));
    let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
    assert!(matches!(trap, Trap::Crash { .. }), "{trap}");
    let stream = running.vm.streams()[0];
    assert_eq!(running.vm.stream(stream).unwrap().phase, Phase::Continued);
}

#[test]
fn a_trap_in_the_answer_opens_nginx_for_get_and_leaves_envoy_hanging() {
    let rows = [
        (Personality::Nginx, "GET", Some(true)),
        (Personality::Nginx, "POST", Some(false)),
        (Personality::Envoy, "GET", None),
    ];
    for (personality, method, passes) in rows {
        let guest = Guest::new().headers(&dispatch("idp"), PAUSE).answer("(unreachable)");
        let running = Running::new(personality, guest);
        let stream = running.vm.request(running.root, &Request::new(method, "/")).unwrap();
        let token = running.vm.callouts()[0].token;
        running.vm.deliver(token, good()).unwrap_err();
        let phase = running.vm.stream(stream).unwrap().phase;
        let came = match phase {
            Phase::Continued => Some(true),
            Phase::Replied(reply) => Some(reply.status != 500),
            Phase::Paused => None,
        };
        assert_eq!(came, passes, "{personality:?} {method}");
    }
}
